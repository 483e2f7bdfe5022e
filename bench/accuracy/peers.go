package main

import (
	"math"
	"slices"
	"strings"

	"recoup/detectors"
	"recoup/invoice"
)

// peer is a usual method to compare with: it sees the totals of an invoice and
// who it is for, never its prices. Like recoup it scores, then learns.
type peer interface {
	// score returns how unusual the invoice is, and whether the method's own
	// threshold calls it an outlier. It then learns the invoice.
	score(inv *invoice.Invoice) (unusual float64, outlier bool)
}

// peers are the methods, in the order of the report. The thresholds are the
// usual ones of each method; one without has none.
var peers = []struct {
	name string
	new  func() peer
}{
	{"z-score of the log amount per segment, 3 σ", func() peer { return &zScores{moments: map[string]*moments{}} }},
	{"median + MAD of the log amount per segment, 3.5", func() peer { return &medians{windows: map[string]*window{}} }},
	{"EWMA chart of the log amount per segment, λ = 0.1, 3 σ",
		func() peer { return &charts{charts: map[string]*chart{}} }},
	{"half-space trees, totals", func() peer { return newHalfSpaceTrees() }},
	{"20 nearest neighbours of 2,000, totals", func() peer { return newNeighbours() }},
}

// peerResult holds what one method reached on a plain file.
type peerResult struct {
	Name    string          `json:"name"`
	Ranking headlineFigures `json:"ranking"`
	// FalseAlertsAtErrors is false alerts a day of 100 invoices when flagging as
	// many as there are errors.
	FalseAlertsAtErrors number `json:"false_alerts_at_errors"`
	Threshold           bool   `json:"threshold"` // has its own threshold; else precision and recall mean nothing
}

// measurePeers replays every method over a file of this size. outcomes are
// recoup's own of the same file, for the 15 % rule, which every verdict carries.
func measurePeers(c *corpus, size fileSize, outcomes []outcome, resamples int) []peerResult {
	rules := []struct {
		name  string
		codes []string
	}{
		{"15 % rule, customer type × product family", []string{detectors.RuleSegment}},
		{"15 % rule, customer type or product family", []string{detectors.RuleCustomerType, detectors.RuleProductFamily}},
	}
	results := make([]peerResult, len(rules)+len(peers))
	var jobs []func()
	add := func(into *peerResult, name string, rank func() *ranking) {
		jobs = append(jobs, func() {
			r := rank()
			into.Name, into.Ranking = name, named(r.bootstrap(resamples))
			into.Threshold = slices.Contains(r.suspect, true)
			into.FalseAlertsAtErrors = falseAlertsAtErrors(size, into.Ranking.PrecisionAtErrors)
		})
	}
	for i, rule := range rules {
		add(&results[i], rule.name, func() *ranking { return rankByRule(outcomes, rule.codes) })
	}
	for i, method := range peers {
		add(&results[len(rules)+i], method.name, func() *ranking {
			scores, outliers := replayPeer(c, method.new())
			return rankOutcomes(outcomes, func(i int) float64 { return scores[i] }, func(i int) bool { return outliers[i] })
		})
	}
	inParallel(jobs)
	return results
}

// rankByRule ranks by a rule that only says yes or no.
func rankByRule(outcomes []outcome, codes []string) *ranking {
	fired := func(i int) bool {
		return slices.ContainsFunc(outcomes[i].rules, func(rule string) bool { return slices.Contains(codes, rule) })
	}
	return rankOutcomes(outcomes, func(i int) float64 { return map[bool]float64{true: 1}[fired(i)] }, fired)
}

// replayPeer returns the scores behind the warm-up.
func replayPeer(c *corpus, p peer) (scores []float64, outliers []bool) {
	for i := range c.invoices {
		if inv := &c.invoices[i]; inv.Type == invoice.Standard {
			unusual, outlier := p.score(inv)
			scores, outliers = append(scores, unusual), append(outliers, outlier)
		}
	}
	from := warmUpOf(len(scores))
	return scores[from:], outliers[from:]
}

// segmentOf names the customer type and product family of an invoice.
func segmentOf(inv *invoice.Invoice) string {
	return strings.Join([]string{inv.Seller, inv.Currency, inv.CustomerType, inv.ProductFamily}, "|")
}

// logAmount makes amounts of all sizes comparable: a factor becomes a distance.
func logAmount(inv *invoice.Invoice) float64 {
	net := units(inv.NetAmount)
	return math.Copysign(math.Log1p(math.Abs(net)), net)
}

// leastHistory is how many invoices a segment needs before anything is unusual in it.
const leastHistory = 10

// moments are mean and variance, by Welford's method.
type moments struct {
	n, mean, squares float64
}

func (m *moments) add(x float64) {
	m.n++
	d := x - m.mean
	m.mean += d / m.n
	m.squares += d * (x - m.mean)
}

func (m *moments) sd() float64 {
	if m.n < 2 {
		return 0
	}
	return math.Sqrt(m.squares / (m.n - 1))
}

// distance returns |x - centre| in units of spread, 0 without a spread.
func distance(x, centre, spread float64) float64 {
	if spread <= 0 {
		return 0
	}
	return math.Abs(x-centre) / spread
}

// of returns the value of a key, made when it is new.
func of[T any](m map[string]*T, key string) *T {
	if m[key] == nil {
		m[key] = new(T)
	}
	return m[key]
}

// zScores is the z-score per segment.
type zScores struct {
	moments map[string]*moments
}

func (z *zScores) score(inv *invoice.Invoice) (float64, bool) {
	m, x := of(z.moments, segmentOf(inv)), logAmount(inv)
	unusual := 0.0
	if m.n >= leastHistory {
		unusual = distance(x, m.mean, m.sd())
	}
	m.add(x)
	return unusual, unusual > 3
}

// medians is the distance from the median in median absolute deviations, over
// the last windowSize invoices of a segment.
type medians struct {
	windows map[string]*window
}

const windowSize = 500

// window holds the newest values, in order of time and of size.
type window struct {
	recent []float64
	sorted []float64
	oldest int // in recent, once it is full
}

func (w *window) add(x float64) {
	if len(w.recent) < windowSize {
		w.recent = append(w.recent, x)
	} else {
		at, _ := slices.BinarySearch(w.sorted, w.recent[w.oldest])
		w.sorted = slices.Delete(w.sorted, at, at+1)
		w.recent[w.oldest] = x
		w.oldest = (w.oldest + 1) % windowSize
	}
	at, _ := slices.BinarySearch(w.sorted, x)
	w.sorted = slices.Insert(w.sorted, at, x)
}

func (m *medians) score(inv *invoice.Invoice) (float64, bool) {
	w, x := of(m.windows, segmentOf(inv)), logAmount(inv)
	unusual := 0.0
	if len(w.sorted) >= leastHistory {
		median := quantile(w.sorted, 0.5)
		deviations := make([]float64, len(w.sorted))
		for i, v := range w.sorted {
			deviations[i] = math.Abs(v - median)
		}
		slices.Sort(deviations)
		unusual = distance(x, median, 1.4826*quantile(deviations, 0.5)) // 1.4826: σ of a normal distribution
	}
	w.add(x)
	return unusual, unusual > 3.5
}

// charts is an exponentially weighted mean and variance per segment.
type charts struct {
	charts map[string]*chart
}

type chart struct {
	n, mean, variance float64
}

func (c *charts) score(inv *invoice.Invoice) (float64, bool) {
	const lambda = 0.1
	s, x := of(c.charts, segmentOf(inv)), logAmount(inv)
	unusual := 0.0
	if s.n >= leastHistory {
		unusual = distance(x, s.mean, math.Sqrt(s.variance))
	}
	if s.n++; s.n == 1 {
		s.mean = x
		return unusual, false
	}
	d := x - s.mean
	s.mean += lambda * d
	s.variance = (1 - lambda) * (s.variance + lambda*d*d)
	return unusual, unusual > 3
}
