package detectors

import (
	"encoding/binary"
	"math"
	"slices"

	"recoup/invoice"
)

// Label is what a person decided of one invoice, as training takes it.
type Label struct {
	// Wrong: the invoice holds an error.
	Wrong bool
	// Cause is a Cause constant, "" where it was not said. Read of a wrong one only.
	Cause string
	// Audit: it was drawn at random among those that were not suspect, so it stands for
	// many others.
	Audit bool
}

// Label has the next trainings know what was decided of an invoice that was observed,
// or will be. The newest label of an invoice counts.
func (t *Trainer) Label(inv *invoice.Invoice, l Label) {
	s := t.sellers[inv.Seller]
	if s == nil {
		return
	}
	var hashes invoice.Hashes
	inv.Hash(&hashes)
	if s.labels == nil {
		s.labels = map[uint64]Label{}
	}
	s.labels[hashes.Identity] = l
	if len(s.labels) > mostExamples {
		s.forgetLabels()
	}
}

// forgetLabels drops the labels of invoices that are no examples any more.
func (s *examples) forgetLabels() {
	kept := map[uint64]Label{}
	for i := range s.rows {
		if l, ok := s.labels[s.rows[i].identity]; ok {
			kept[s.rows[i].identity] = l
		}
	}
	s.labels = kept
}

// label returns what was decided of a real row, nil: nothing. One whose evidence passes
// no gate is judged by no classifier, and so corrects none.
func (s *examples) label(r *example) *Label {
	if r.wrong || r.usual || len(s.labels) == 0 {
		return nil
	}
	if l, ok := s.labels[r.identity]; ok {
		return &l
	}
	return nil
}

// rightWeight is how many real rows one counts as that people found to be right: it
// looks wrong, and is worth more than one that nobody would have looked at.
const rightWeight = 3

// heed weighs the rows that people decided of for training: a confirmed error is one
// more altered row, and no usual one.
func (t *training) heed() {
	for i, l := range t.labels {
		switch {
		case l == nil:
		case l.Wrong:
			t.set.Y[i], t.set.W[i] = 1, t.wrongWeight
		default:
			t.set.W[i] = rightWeight
		}
	}
}

// disregard makes confirmed errors real rows again: calibration counts them among these.
func (t *training) disregard() {
	for i, l := range t.labels {
		if l != nil {
			t.set.Y[i] = 0
		}
	}
}

// feedback is what decided cases say of a classifier: by how much its probabilities
// are off, and how often errors have each cause. The zero value changes nothing.
type feedback struct {
	n         uint32  // decided invoices behind shift
	shift     float64 // what is added to the log-odds of p_error where it is high, see adjusted
	confirmed uint32  // errors with a cause behind causes
	causes    [len(causeCodes)]float64
}

const (
	// fewestLabels is how many decided invoices it takes before they change anything.
	fewestLabels = 20
	// shiftSpread is how far off a classifier's log-odds are expected to be, as a standard
	// deviation before any outcome is known: a few outcomes move them a little.
	shiftSpread = 0.5
	// mostShift keeps the order of invoices whatever people decide.
	mostShift = 1.5
	// causeWeight is how many decided errors the mix of causes in training counts as.
	causeWeight = 50
	// newtonSteps are more than it takes from any start.
	newtonSteps = 30
)

// shiftFrom and shiftFull are the log-odds from which on a shift counts, and counts in
// full: of what is hardly probable nobody decides enough to say how rare it is.
var shiftFrom, shiftFull = logOdds(0.05), logOdds(0.3)

// shiftShare is how much of a shift counts at given log-odds, 0 to 1.
func shiftShare(odds float64) float64 {
	return min(1, max(0, (odds-shiftFrom)/(shiftFull-shiftFrom)))
}

// recalibrate fits the shift to decided invoices, by what the classifier says of them
// without having seen them. A suspect counts where the classifier's own p made it one,
// an audited invoice below: given p, neither was chosen by what it turned out to be.
func (t *training) recalibrate(m *Classifier, logits []float64) {
	var odds []float64
	var wrong []bool
	for i, l := range t.labels {
		if l == nil {
			continue
		}
		if p := m.calibrated(logits[i]); l.Audit || p >= m.threshold {
			odds, wrong = append(odds, logOdds(p)), append(wrong, l.Wrong)
		}
	}
	m.feedback.fit(odds, wrong)
}

// fit finds the most probable shift, given log-odds that were said and what turned out,
// with a normal prior around none: a logistic regression with an offset (Platt,
// "Probabilistic outputs for support vector machines", 1999, with the slope held).
func (f *feedback) fit(odds []float64, wrong []bool) {
	if len(odds) < fewestLabels {
		return
	}
	shift := 0.0
	for range newtonSteps {
		const prior = 1 / (shiftSpread * shiftSpread)
		slope, curve := shift*prior, prior
		for i, z := range odds {
			g := shiftShare(z)
			p := 1 / (1 + math.Exp(-(z + shift*g)))
			off := p
			if wrong[i] {
				off--
			}
			slope, curve = slope+off*g, curve+p*(1-p)*g*g
		}
		shift = max(-mostShift, min(mostShift, shift-slope/curve))
	}
	f.n, f.shift = uint32(len(odds)), shift
}

// logOdds is the logit of a probability, held where nothing is certain.
func logOdds(p float64) float64 {
	const certain = 1e-6
	p = min(1-certain, max(certain, p))
	return math.Log(p / (1 - p))
}

// adjusted is a probability as decided cases correct it; their order stays.
func (f *feedback) adjusted(p float64) float64 {
	if f.n == 0 {
		return p
	}
	z := logOdds(p)
	g := shiftShare(z)
	if g == 0 {
		return p
	}
	return 1 / (1 + math.Exp(-(z + f.shift*g)))
}

// weighCauses estimates how much more often each cause is met among decided errors than
// among those put in. An audited error stands for as many as were not looked at.
func (s *examples) weighCauses(m *Classifier) {
	var confirmed, injected [len(causeCodes)]float64
	real, decided, audited := 0.0, 0.0, 0.0
	for i := range s.rows {
		r := &s.rows[i]
		if r.wrong {
			injected[r.cause]++
			continue
		}
		real++
		if l := s.label(r); l != nil && l.Audit {
			audited++
		} else if l != nil {
			decided++
		}
	}
	n, weights, squares := 0.0, 0.0, 0.0
	for i := range s.rows {
		l := s.label(&s.rows[i])
		if l == nil || !l.Wrong {
			continue
		}
		at := slices.Index(causeCodes[:], l.Cause)
		if at < 0 {
			continue
		}
		w := 1.0
		if l.Audit {
			w = max(1, (real-decided)/audited)
		}
		confirmed[at] += w
		n, weights, squares = n+1, weights+w, squares+w*w
	}
	if n < fewestLabels {
		return
	}
	effective := weights * weights / squares // Kish: so many equal ones tell as much
	sum := 0.0
	for _, k := range injected {
		sum += k
	}
	m.feedback.confirmed = uint32(n)
	for i := range m.feedback.causes {
		usual := (injected[i] + 1) / (sum + float64(len(causeCodes)))
		share := (effective*confirmed[i]/weights + causeWeight*usual) / (effective + causeWeight)
		m.feedback.causes[i] = share / usual
	}
}

// weigh corrects the probabilities of causes.
func (f *feedback) weigh(causes *[len(causeCodes)]float64) {
	if f.confirmed == 0 {
		return
	}
	sum := 0.0
	for i := range causes {
		causes[i] *= f.causes[i]
		sum += causes[i]
	}
	if sum > 0 {
		for i := range causes {
			causes[i] /= sum
		}
	}
}

// append writes the stored form: nothing where no outcome was known.
func (f *feedback) append(dst []byte) []byte {
	if f.n == 0 && f.confirmed == 0 {
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(f.n))
	dst = binary.AppendUvarint(dst, uint64(f.confirmed))
	for _, x := range append([]float64{f.shift}, f.causes[:]...) {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
	}
	return dst
}

// feedback reads what append wrote; what cannot be is a fault.
func (r *stateReader) feedback() (f feedback) {
	if len(r.rest) == 0 {
		return f
	}
	f.n, f.confirmed = uint32(r.uvarint()), uint32(r.uvarint())
	f.shift = r.float()
	sane := f.shift >= -mostShift && f.shift <= mostShift
	for i := range f.causes {
		f.causes[i] = r.float()
		sane = sane && f.causes[i] >= 0 && f.causes[i] < 1e6
	}
	r.failed = r.failed || !sane
	return f
}

// Decided is how many decided invoices a classifier's probabilities were corrected by,
// 0: none or too few.
func (m *Classifier) Decided() int { return int(m.feedback.n) }
