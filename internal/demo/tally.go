package demo

import (
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// latestCases is how many cases the page shows.
const latestCases = 20

// Interval is a share with its 95 % Wilson interval.
type Interval struct {
	Share, Low, High float64 // fractions, 0 ≤ Low ≤ Share ≤ High ≤ 1
}

// wilson returns k of n with its interval; without any n everything is possible.
func wilson(k, n int) Interval {
	if n == 0 {
		return Interval{Low: 0, High: 1}
	}
	const z = 1.959964
	total, share := float64(n), float64(k)/float64(n)
	denominator := 1 + z*z/total
	centre := (share + z*z/(2*total)) / denominator
	half := z / denominator * math.Sqrt(share*(1-share)/total+z*z/(4*total*total))
	return Interval{Share: share, Low: max(centre-half, 0), High: min(centre+half, 1)}
}

// Money is what suspect invoices of one currency put at risk, tax included.
// The two directions are never netted.
type Money struct {
	Currency string         // ISO 4217 code
	TooLow   invoice.Amount // billed too little: the seller's loss
	TooHigh  invoice.Amount // billed too much: the customers' loss
}

// SeenCase is a case as the page shows it.
type SeenCase struct {
	InvoiceID, CaseID, Rules, Evidence string         // lists joined to one text
	Cause                              string         // most probable one, empty for none
	Billed, Expected, Loss             invoice.Amount // Expected as the first cause repairs it; Loss < 0: billed too much
	Currency                           string         // ISO 4217 code
	TooHigh                            bool           // Loss is the customer's, not the seller's
	PError                             float64        // 0 to 1
}

// Day counts the invoices that were issued on one day.
type Day struct {
	Date            string // 2011-05-18
	Scored, Suspect int    // invoices; Suspect are part of Scored
}

// Figures are the live figures, as terminal and page show them.
type Figures struct {
	Sent, Total      int           // invoices replayed so far, and in all
	Scored, Suspects int           // verdicts so far, and flagged ones among them
	Cases            int           // opened so far
	PerSecond        float64       // scored, over the last seconds
	Flagged          Interval      // Suspects of Scored; says nothing of errors that no check sees
	Money            []Money       // by currency
	Latest           []SeenCase    // newest first
	Days             []Day         // all of the replay, oldest first
	FirstScored      time.Duration // since the start; 0 before it
	Elapsed          time.Duration // since the start
	Model            string        // version that judges: prior-1 until one is trained
	Trained          int           // verdicts by trained models
	Training         bool          // the replay waits for a model to be trained
}

// tally counts verdicts as they are made. It may be used concurrently.
type tally struct {
	started time.Time
	issued  map[string]string // invoice_id → day; not written any more
	days    []string
	total   int

	mu          sync.Mutex // guards all below
	sent        int
	scored      int
	suspects    int
	cases       int
	money       map[string]Money
	latest      []SeenCase
	perDay      map[string]*Day
	firstScored time.Duration
	model       string
	trained     int
	training    bool
	recent      []moment
}

// moment is how many invoices were scored by a time, for the rate.
type moment struct {
	at     time.Duration
	scored int
}

// rateWindow is what the rate is measured over.
const rateWindow = 3 * time.Second

// newTally counts invoices that were issued on the given days.
func newTally(started time.Time, issued map[string]string) *tally {
	t := &tally{
		started: started, issued: issued, total: len(issued),
		money: map[string]Money{}, perDay: map[string]*Day{},
	}
	for _, day := range issued {
		if t.perDay[day] == nil {
			t.perDay[day] = &Day{Date: day}
			t.days = append(t.days, day)
		}
	}
	slices.Sort(t.days)
	return t
}

// replayed counts invoices that were put onto the topic.
func (t *tally) replayed(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent += n
}

// waits notes whether the replay waits for a model to be trained.
func (t *tally) waits(training bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.training = training
}

// observe counts one verdict; it keeps nothing of it.
func (t *tally) observe(v *detectors.Verdict) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.scored++; t.firstScored == 0 {
		t.firstScored = time.Since(t.started)
		t.recent = []moment{{at: t.firstScored}} // the rate does not count the start of the servers
	}
	day := t.perDay[t.issued[v.InvoiceID]]
	if day != nil {
		day.Scored++
	}
	if v.Model.Version != detectors.ModelVersion {
		t.trained++
	}
	if v.Model.Version != t.model && (t.model == "" || v.Model.Version != detectors.ModelVersion) {
		t.model = strings.Clone(v.Model.Version)
	}
	if !v.Suspect {
		return
	}
	t.suspects++
	if day != nil {
		day.Suspect++
	}
	money := t.money[v.Currency]
	money.Currency = strings.Clone(v.Currency)
	if v.Loss.Point > 0 {
		money.TooLow += v.Loss.Point
	} else {
		money.TooHigh -= v.Loss.Point
	}
	t.money[money.Currency] = money
	if v.Decision == detectors.DecisionOpenCase {
		t.cases++
		t.latest = append([]SeenCase{seenCase(v)}, t.latest[:min(len(t.latest), latestCases-1)]...)
	}
}

// seenCase copies what the page shows.
func seenCase(v *detectors.Verdict) SeenCase {
	seen := SeenCase{
		InvoiceID: strings.Clone(v.InvoiceID), CaseID: strings.Clone(v.CaseID), Currency: strings.Clone(v.Currency),
		Rules: strings.Join(v.Rules, ", "), Billed: v.Billed, Expected: v.Expected, PError: v.PError,
		Loss: v.Loss.Point, TooHigh: v.Loss.Point < 0,
	}
	if len(v.Causes) > 0 {
		seen.Expected = v.Causes[0].Repaired
		seen.Cause = strings.Clone(v.Causes[0].Code)
		seen.Evidence = strings.Clone(strings.Join(v.Causes[0].Evidence, "; "))
	}
	return seen
}

// figures returns a copy of the live figures.
func (t *tally) figures() Figures {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Since(t.started)
	f := Figures{
		Sent: t.sent, Total: t.total, Scored: t.scored, Suspects: t.suspects, Cases: t.cases,
		PerSecond: t.rate(now), Flagged: wilson(t.suspects, t.scored), Latest: slices.Clone(t.latest),
		FirstScored: t.firstScored, Elapsed: now, Model: t.model, Trained: t.trained,
		Training: t.training,
	}
	for _, money := range t.money {
		f.Money = append(f.Money, money)
	}
	slices.SortFunc(f.Money, func(a, b Money) int { return strings.Compare(a.Currency, b.Currency) })
	for _, date := range t.days {
		f.Days = append(f.Days, *t.perDay[date])
	}
	return f
}

// rate returns invoices per second over the window and remembers this moment.
func (t *tally) rate(now time.Duration) float64 {
	t.recent = append(t.recent, moment{now, t.scored})
	for len(t.recent) > 1 && now-t.recent[0].at > rateWindow {
		t.recent = t.recent[1:]
	}
	first := t.recent[0]
	if now == first.at {
		return 0
	}
	return float64(t.scored-first.scored) / (now - first.at).Seconds()
}
