package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// ladderSpreads are the coefficients of variation of the made-up segments.
var ladderSpreads = []float64{0.03, 0.05, 0.08, 0.12, 0.20, 0.30, 0.50}

const (
	ladderInvoices = 10_000 // of each segment
	ladderWrong    = 0.03   // share of them that is too low
	ladderLeast    = 0.16   // what is missing of the due amount, from
	ladderMost     = 0.60   // and to
	ladderMean     = 200.0  // due amount
	ladderPace     = 20 * time.Minute
)

// rung is what the plain 15 % rule and recoup make of one segment.
type rung struct {
	Spread float64 `json:"spread"` // coefficient of variation of the right amounts
	Scored int     `json:"scored"` // invoices
	Errors int     `json:"errors"` // among them
	Rule   flags   `json:"rule"`   // the 15 % rule by itself
	Recoup flags   `json:"recoup"` // recoup's suspects
	AP     float64 `json:"ap"`     // average precision of recoup's ranking
}

// flags are the alerts of one method.
type flags struct {
	Flagged   int    `json:"flagged"`
	Precision figure `json:"precision"` // Wilson interval
	Recall    figure `json:"recall"`    // Wilson interval
}

// climb measures a rung of this many invoices for each spread. A segment has nothing but its amounts: no lines, no
// references, customers that are all alike.
func climb(settings detectors.Settings, spreads []float64, invoices int) []rung {
	rungs := make([]rung, len(spreads))
	var jobs []func()
	for i, spread := range spreads {
		jobs = append(jobs, func() {
			r := replay{corpus: ladderCorpus(spread, invoices), settings: settings}
			rungs[i] = measureRung(spread, r.run())
		})
	}
	inParallel(jobs)
	return rungs
}

func measureRung(spread float64, outcomes []outcome) rung {
	r := rung{Spread: spread, Scored: len(outcomes)}
	ranked := rankBySuspicion(outcomes).bootstrap(0)
	r.AP = ranked[averagePrecision].Value
	for i := range outcomes {
		if outcomes[i].wrong() {
			r.Errors++
		}
	}
	r.Rule = countFlags(outcomes, r.Errors, deviates)
	r.Recoup = countFlags(outcomes, r.Errors, func(o *outcome) bool { return o.suspect })
	return r
}

// deviates tells whether the 15 % rule fired, of whatever margin.
func deviates(o *outcome) bool {
	for _, rule := range o.rules {
		if strings.HasPrefix(rule, "deviation:") {
			return true
		}
	}
	return false
}

func countFlags(outcomes []outcome, errors int, flagged func(*outcome) bool) flags {
	var f flags
	found := 0
	for i := range outcomes {
		if !flagged(&outcomes[i]) {
			continue
		}
		f.Flagged++
		if outcomes[i].wrong() {
			found++
		}
	}
	f.Precision, f.Recall = wilson(found, f.Flagged), wilson(found, errors)
	return f
}

// ladderCorpus makes one segment: right amounts are lognormal with this spread.
func ladderCorpus(spread float64, invoices int) *corpus {
	draw := rand.New(rand.NewPCG(bootstrapSeed, math.Float64bits(spread)))
	variance := math.Log1p(spread * spread)
	c := &corpus{
		name: fmt.Sprintf("spread %g", spread), invoices: make([]invoice.Invoice, invoices),
		labels: map[string]*label{}, standard: invoices,
	}
	start := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	for i := range c.invoices {
		due := cents(math.Exp(math.Log(ladderMean) - variance/2 + math.Sqrt(variance)*draw.NormFloat64()))
		inv := &c.invoices[i]
		*inv = invoice.Invoice{
			Seller: "ladder", ID: fmt.Sprintf("L%05d", i), IssuedAt: start.Add(time.Duration(i) * ladderPace),
			Currency: "EUR", NetAmount: due, CustomerRef: fmt.Sprintf("c:%d", draw.IntN(500)), CustomerType: "B2B",
			ProductFamily: "fibre", DeliveryRef: fmt.Sprintf("D%05d", i), OrderRef: fmt.Sprintf("O%05d", i),
		}
		missing := ladderLeast + (ladderMost-ladderLeast)*draw.Float64()
		if draw.Float64() < ladderWrong {
			inv.NetAmount = cents(units(due) * (1 - missing))
			c.labels[inv.ID] = &label{InvoiceID: inv.ID, TrueGross: due, Loss: due - inv.NetAmount}
		}
	}
	return c
}

// cents rounds to whole cents.
func cents(amount float64) invoice.Amount {
	return invoice.Amount(math.Round(100*amount)) * (invoice.Unit / 100)
}

// reportLadder writes the rungs.
func reportLadder(b *strings.Builder, rungs []rung) {
	if len(rungs) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## Ladder of spread\n\nMade-up segments of %d lognormal amounts without lines, %g %% of them "+
		"%g to %g %% too low; the first 30 %% are warm-up. The spread is the coefficient of variation of the right "+
		"amounts.\n\n| spread | scored | errors | 15 %% rule: flagged | precision | recall | recoup: flagged | "+
		"precision | recall | average precision |\n|---|---|---|---|---|---|---|---|---|---|\n",
		ladderInvoices, 100*ladderWrong, 100*ladderLeast, 100*ladderMost)
	for _, r := range rungs {
		fmt.Fprintf(b, "| %g %% | %d | %d |", 100*r.Spread, r.Scored, r.Errors)
		for _, f := range []flags{r.Rule, r.Recoup} {
			fmt.Fprintf(b, " %d | %s | %s |", f.Flagged, cell(f.Precision, share, nil), cell(f.Recall, share, nil))
		}
		fmt.Fprintf(b, " %s |\n", share(r.AP))
	}
}
