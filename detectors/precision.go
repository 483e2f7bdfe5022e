package detectors

import "math"

const (
	// leastMissing and mostMissing are the share of the due amount that a low bill is
	// expected to lack: anything between is equally likely. bench/accuracy measures
	// its ladder of spreads with the same errors.
	leastMissing = 0.16
	mostMissing  = 0.60
	// missingSteps is how many sizes of error stand for all.
	missingSteps = 64
)

// ExpectedPrecision returns what the plain 15 % rule is worth in a segment whose
// baseline was taught n invoices that vary by cv: the share of its alerts that
// are right, and the share of the errors that it finds. It needs no alert and no
// label. Both are 0 where nothing was taught.
//
// Right amounts are taken as lognormal around a mean that is itself only known
// from n of them. The logarithm of the next one over that mean is then Student's
// t with n-1 degrees of freedom and scale σ√(1+1/n), σ² = ln(1+cv²) (Gelman et al.,
// Bayesian Data Analysis, §3.2). A share s.BaseRate of all invoices is wrong: such
// an amount lacks 16 to 60 %, all equally likely. With F the share of right
// amounts below the rule's limit, and E that of the wrong ones, averaged over
// their sizes by the midpoint rule,
//
//	recall = E, precision = BaseRate·E / (BaseRate·E + (1-BaseRate)·F).
//
// A baseline below s.MinN is taken to vary more than its few invoices show. The cv
// of a baseline holds the errors that nobody found, so that the precision is
// rather too low than too high. Other errors than low bills are not counted.
func ExpectedPrecision(n int64, cv float64, s Settings) (precision, recall float64) {
	if n < 1 {
		return 0, 0
	}
	variance := math.Log1p(math.Pow(max(s.likelySpread(n, cv), leastCV), 2))
	scale := math.Sqrt(variance * (1 + 1/float64(n)))
	below := func(limit float64) float64 { // share of right amounts below a multiple of the mean
		return student((math.Log(limit)+variance/2)/scale, n-1)
	}
	limit := 1 - float64(s.DeviationBasisPoints)/wholeBasisPoints
	for i := range missingSteps {
		missing := leastMissing + (mostMissing-leastMissing)*(float64(i)+0.5)/missingSteps
		recall += below(limit/(1-missing)) / missingSteps
	}
	right, wrong := s.BaseRate*recall, (1-s.BaseRate)*below(limit)
	return right / (right + wrong), recall
}

// likelySpread is the coefficient of variation to be expected of further
// invoices, given that of n. Until there are MinN, the spread that amounts have
// before any is known counts like one of them: a few that are alike do not show
// that all are.
func (s *Settings) likelySpread(n int64, cv float64) float64 {
	if n >= s.MinN {
		return cv
	}
	return math.Sqrt(cv*cv + usualSpread*usualSpread/float64(n))
}

// student is the distribution function of Student's t, by Wallace's normal
// approximation (Annals of Mathematical Statistics 30, 1959), good to 0.01 from
// two degrees of freedom on. Without any it is a half: nothing is known.
func student(t float64, degrees int64) float64 {
	d := float64(degrees)
	z := (8*d + 1) / (8*d + 3) * math.Sqrt(d*math.Log1p(t*t/max(d, 1)))
	return normal(math.Copysign(z, t))
}
