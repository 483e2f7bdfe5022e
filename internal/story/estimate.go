package story

import "math"

// TrueErrorRate is K1b, with its 95 % interval: the errors that were flagged, and
// as many of the unflagged as the audit found among those it looked at. Without an
// audit everything above the confirmed ones is possible.
func (f *Figures) TrueErrorRate() (low, point, high float64) {
	if f.Invoices == 0 {
		return 0, 0, 1
	}
	flagged, rest, all := float64(f.Caught), float64(f.Unflagged), float64(f.Invoices)
	low, high = wilson(f.AuditedWrong, f.Audited)
	point = flagged / all
	if f.Audited > 0 {
		point += rest / all * float64(f.AuditedWrong) / float64(f.Audited)
	}
	return (flagged + rest*low) / all, point, (flagged + rest*high) / all
}

// Recall is K8, with its 95 % interval: of all errors, those that were flagged.
// Many missed mean a low recall, so the ends of the audit's interval change places.
func (f *Figures) Recall() (low, point, high float64) {
	found := float64(f.Caught)
	of := func(missed float64) float64 {
		if missed *= float64(f.Unflagged); found+missed > 0 {
			return found / (found + missed)
		}
		return 0
	}
	fewest, most := wilson(f.AuditedWrong, f.Audited)
	return of(most), of(float64(f.AuditedWrong) / math.Max(float64(f.Audited), 1)), of(fewest)
}

// wilson is the 95 % interval of k of n; without any n everything is possible.
func wilson(k, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959964
	total, share := float64(n), float64(k)/float64(n)
	denominator := 1 + z*z/total
	centre := (share + z*z/(2*total)) / denominator
	half := z / denominator * math.Sqrt(share*(1-share)/total+z*z/(4*total*total))
	return math.Max(centre-half, 0), math.Min(centre+half, 1)
}
