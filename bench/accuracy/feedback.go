package main

// --feedback: what people decide in one part of a file, measured on what comes later.

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors"
	"recoup/invoice"
)

// people decide what a replay flags, from the labels: they are right, and take days.
type people struct {
	from, until int     // decided are invoices at these places of the file, until not included
	audited     float64 // share of the invoices not flagged that are checked all the same
	waiting     []decision
	decided     map[string]int // outcomes, by name; "audited" counts those not flagged
}

// decision is what somebody will say of an invoice.
type decision struct {
	at      time.Time
	inv     *invoice.Invoice
	source  invoice.Position
	rules   []string
	cause   string // first of the verdict
	label   *label
	suspect bool
}

const (
	// decidesAfter is how long people take.
	decidesAfter = 3 * 24 * time.Hour
	// auditRate is the share of what is not flagged that is checked: the example of `recoup audit-sample`.
	auditRate = 0.003
)

// see has people look at an invoice that was just scored.
func (p *people) see(i int, inv *invoice.Invoice, v *detectors.Verdict, l *label) {
	if i < p.from || i >= p.until || inv.Type != invoice.Standard {
		return
	}
	if !v.Suspect && float64(xxhash.Sum64String(inv.ID))/(1<<64) >= p.audited {
		return
	}
	d := decision{at: inv.IssuedAt.Add(decidesAfter), inv: inv, source: v.Source, rules: slices.Clone(v.Rules),
		label: l, suspect: v.Suspect}
	if len(v.Causes) > 0 {
		d.cause = v.Causes[0].Code
	}
	p.waiting = append(p.waiting, d)
}

// speak has the engine and the trainer learn what people decided by now.
func (p *people) speak(now time.Time, e *detectors.Engine, t *detectors.Trainer) {
	for len(p.waiting) > 0 && !p.waiting[0].at.After(now) {
		d := &p.waiting[0]
		p.waiting = p.waiting[1:]
		l := detectors.Label{Wrong: d.label != nil, Audit: !d.suspect}
		if d.label != nil {
			l.Cause = d.label.Cause
		}
		t.Label(d.inv, l)
		if !d.suspect {
			p.decided["audited"]++
			continue
		}
		o := detectors.Outcome{Kind: d.outcome(), At: d.at, Rules: d.rules}
		if d.label != nil {
			o.Correct = invoice.OptionalAmount{Value: d.label.TrueGross, Set: true}
		}
		for _, n := range p.decided {
			o.Event.Offset += int64(n)
		}
		p.decided[o.Kind.String()]++
		e.Learn(&o, d.inv, d.source, d.inv.IssuedAt)
		e.Pass(o.Event)
	}
}

// outcome is what somebody says who knows the truth: where a right invoice was flagged
// for a price, a discount or terms that are new, these are meant to be so.
func (d *decision) outcome() detectors.OutcomeKind {
	switch {
	case d.label != nil:
		return detectors.ConfirmedError
	case d.cause == detectors.CausePriceList || d.cause == detectors.CausePromotion || d.cause == detectors.CauseCRMSync:
		return detectors.ExpectedChange
	}
	return detectors.NotAnError
}

// precisionAtRecall is the precision of the fewest most suspicious invoices that hold a
// share of the errors; equal ones count as in a random order.
func precisionAtRecall(outcomes []outcome, recall float64) float64 {
	order := make([]int, len(outcomes))
	errors := 0.0
	for i := range order {
		order[i] = i
		if outcomes[i].wrong() {
			errors++
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(outcomes[b].pError, outcomes[a].pError) })
	wanted, all, found := recall*errors, 0.0, 0.0
	for start := 0; start < len(order); {
		end, hits := start, 0.0
		for ; end < len(order) && outcomes[order[end]].pError == outcomes[order[start]].pError; end++ {
			if outcomes[order[end]].wrong() {
				hits++
			}
		}
		if found+hits >= wanted && hits > 0 {
			share := (wanted - found) / hits
			return wanted / (all + share*float64(end-start))
		}
		found, all, start = found+hits, all+float64(end-start), end
	}
	return math.NaN()
}

// decidedUntil is the share of a file up to which people decide; what comes later is
// measured.
const decidedUntil = 0.6

// feedbackResult compares what is found later with and without anybody having decided.
type feedbackResult struct {
	File     string          `json:"file"`
	Decided  map[string]int  `json:"decided"`  // outcomes, by name, and audited invoices
	Invoices int             `json:"invoices"` // measured
	Errors   int             `json:"errors"`   // among them
	Without  feedbackFigures `json:"without"`
	With     feedbackFigures `json:"with"`
	Disputes *disputeResult  `json:"disputes,omitempty"` // nil: too few
}

// feedbackFigures are of the later invoices.
type feedbackFigures struct {
	Precision float64 `json:"precision"`         // of suspects
	Recall    float64 `json:"recall"`            // of suspects
	AtRecall  float64 `json:"at_recall"`         // precision at the recall that suspects had without feedback
	Average   float64 `json:"average_precision"` // over all recalls
	Gap       float64 `json:"gap"`               // of calibration
}

// feedback replays each file twice, without references: with and without people.
func (m *measurement) feedback(data *dataset) (list []feedbackResult) {
	for _, file := range []*corpus{data.plain, data.dense} {
		if file != nil {
			list = append(list, m.feedbackOn(data, file))
		}
	}
	return list
}

func (m *measurement) feedbackOn(data *dataset, file *corpus) feedbackResult {
	n := float64(len(file.invoices))
	p := &people{from: int(warmUp * n), until: int(decidedUntil * n), audited: auditRate, decided: map[string]int{}}
	var outcomes [2][]outcome
	var disputes *disputeResult
	var jobs []func()
	for i := range outcomes {
		r := replay{corpus: file, settings: m.settings, references: known(data, withoutReferences)}
		if i == 1 {
			r.people = p
		}
		jobs = append(jobs, func() {
			all := r.run()
			later := int((decidedUntil - warmUp) / (1 - warmUp) * float64(len(all)))
			outcomes[i] = all[later:]
			if i == 1 {
				disputes = foresee(all, later)
			}
		})
	}
	inParallel(jobs)
	result := feedbackResult{File: file.name, Decided: p.decided, Invoices: len(outcomes[0]), Disputes: disputes}
	for i := range outcomes[0] {
		if outcomes[0][i].wrong() {
			result.Errors++
		}
	}
	result.Without = feedbackFiguresOf(outcomes[0], -1)
	result.With = feedbackFiguresOf(outcomes[1], result.Without.Recall)
	return result
}

// feedbackFiguresOf measures outcomes, at a recall or, below 0, at that of the suspects.
func feedbackFiguresOf(outcomes []outcome, recall float64) (f feedbackFigures) {
	ranking := rankOutcomes(outcomes, func(i int) float64 { return outcomes[i].pError },
		func(i int) bool { return outcomes[i].suspect })
	weights := make([]uint16, len(outcomes))
	for i := range weights {
		weights[i] = 1
	}
	all := ranking.figures(weights)
	f.Precision, f.Recall, f.Average = all[precisionOfSuspects], all[recallOfSuspects], all[averagePrecision]
	if recall < 0 {
		recall = f.Recall
	}
	f.AtRecall, f.Gap = precisionAtRecall(outcomes, recall), calibrate(outcomes).Gap
	return f
}

// reportFeedback writes what was found better.
func reportFeedback(b *strings.Builder, set *setResult) {
	if len(set.Feedback) == 0 {
		return
	}
	fmt.Fprintf(b, "\n### After people decided (no references; decided: %.0f to %.0f %% of a file, "+
		"measured: the rest)\n\n"+
		"| file | decided | measured | errors | figure | without | with |\n|---|---|---|---|---|---|---|\n",
		100*warmUp, 100*decidedUntil)
	for _, r := range set.Feedback {
		var decided []string
		for _, name := range slices.Sorted(maps.Keys(r.Decided)) {
			decided = append(decided, fmt.Sprintf("%d %s", r.Decided[name], name))
		}
		head := fmt.Sprintf("%s | %s | %d | %d", r.File, strings.Join(decided, ", "), r.Invoices, r.Errors)
		for _, row := range []struct {
			name          string
			without, with float64
		}{
			{"precision at equal recall", r.Without.AtRecall, r.With.AtRecall},
			{"precision of suspects", r.Without.Precision, r.With.Precision},
			{"recall of suspects", r.Without.Recall, r.With.Recall},
			{"average precision", r.Without.Average, r.With.Average},
			{"calibration gap, target ≤ 0.05", r.Without.Gap, r.With.Gap},
		} {
			fmt.Fprintf(b, "| %s | %s | %.3f | %.3f |\n", head, row.name, row.without, row.with)
			head = " | | | "
		}
	}
	reportDisputes(b, set.Feedback)
}
