package main

import (
	"fmt"
	"math"
	"runtime"
	"strings"
)

// report writes all figures as Markdown. It names neither time nor place, so
// that the same figures give the same bytes.
func report(r *results) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Prequential: each invoice is scored, then it teaches. The first 30 %% of a file are warm-up. "+
		"In brackets: 95 %% intervals, of %d bootstrap resamples by invoice, or Wilson's for plain shares. "+
		"“ok” and “short” compare with the target. %s, %s/%s.\n",
		r.Resamples, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for i := range r.Sets {
		reportSet(&b, &r.Sets[i])
	}
	reportLadder(&b, r.Ladder)
	return b.String()
}

func reportSet(b *strings.Builder, set *setResult) {
	fmt.Fprintf(b, "\n## %s\n\n%d invoices, %d of them scored, %d with an error (%s).", set.Name, set.Plain.Invoices,
		set.Plain.Scored, set.Plain.Errors, perCent(ratio(set.Plain.Errors, set.Plain.Scored)))
	if set.Dense.Invoices > 0 {
		fmt.Fprintf(b, " Dense file: %d, %d, %d (%s).", set.Dense.Invoices, set.Dense.Scored, set.Dense.Errors,
			perCent(ratio(set.Dense.Errors, set.Dense.Scored)))
	}
	for _, note := range set.Notes {
		fmt.Fprintf(b, " %s", note)
	}
	fmt.Fprintln(b)
	if len(set.Variants) > 0 {
		reportFigures(b, set)
	}
	reportLeftOut(b, set)
	reportFeedback(b, set)
}

// reportFigures writes every table that has a column per variant.
func reportFigures(b *strings.Builder, set *setResult) {
	reportHeadlines(b, set)
	reportPeers(b, set)
	dense := set.Variants[0].Dense != nil
	if dense {
		reportDense(b, set)
	}
	reportCalibration(b, set)
	reportAlerts(b, set)
	if dense {
		reportConfusion(b, set)
		reportKinds(b, set)
	}
}

// row is one figure over all variants.
type row struct {
	name   string
	value  func(*variantResult) figure
	write  func(float64) string
	target func(variant string) *target
}

// reportRows writes a table with a row per figure and a column per variant.
func reportRows(b *strings.Builder, set *setResult, rows []row) {
	var head strings.Builder
	for i := range set.Variants {
		fmt.Fprintf(&head, " %s |", set.Variants[i].Variant)
	}
	fmt.Fprintf(b, "| figure | target |%s\n|---|---|%s\n", head.String(), strings.Repeat("---|", len(set.Variants)))
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %s |", r.name, targetText(set, r))
		for i := range set.Variants {
			v := &set.Variants[i]
			fmt.Fprintf(b, " %s |", cell(r.value(v), r.write, r.target(v.Variant)))
		}
		fmt.Fprintln(b)
	}
}

// targetText writes the target of a row; where variants differ, each of them.
func targetText(set *setResult, r row) string {
	var texts []string
	for i := range set.Variants {
		if t := r.target(set.Variants[i].Variant); t != nil {
			texts = append(texts, t.text(r.write))
		}
	}
	if len(texts) > 1 && texts[0] == texts[1] {
		texts = texts[:1]
	}
	return strings.Join(texts, ", ")
}

// cell writes a figure, its interval where it has one, and whether it keeps its target.
func cell(f figure, write func(float64) string, t *target) string {
	text := write(f.Value)
	if !math.IsNaN(f.Value) && !math.IsNaN(f.Low) {
		text += fmt.Sprintf(" (%s–%s)", write(f.Low), write(f.High))
	}
	if t != nil {
		text += " " + t.judge(f.Value)
	}
	return text
}

// exact is a figure without an interval.
func exact(v float64) figure { return figure{v, math.NaN(), math.NaN()} }

func ratio(k, n int) float64 {
	if n == 0 {
		return math.NaN()
	}
	return float64(k) / float64(n)
}

func reportHeadlines(b *strings.Builder, set *setResult) {
	ranked := func(f func(*headlineFigures) figure) func(*variantResult) figure {
		return func(v *variantResult) figure { return f(&v.Plain.Ranking) }
	}
	fmt.Fprint(b, "\n### Ranking and alerts\n\n")
	reportRows(b, set, []row{
		{"average precision", ranked(func(h *headlineFigures) figure { return h.AveragePrecision }), share,
			func(variant string) *target {
				if variant == withoutReferences {
					return nil
				}
				ap, _ := rankingTarget(set.Name, variant)
				return &ap
			}},
		{"P = R: precision flagging as many as there are errors",
			ranked(func(h *headlineFigures) figure { return h.PrecisionAtErrors }), share,
			func(variant string) *target {
				_, atErrors := rankingTarget(set.Name, variant)
				return atLeast(atErrors.bound)(variant)
			}},
		{"precision of the first 1 %", ranked(func(h *headlineFigures) figure { return h.PrecisionAtBudget }), share,
			atLeast(budgetTarget)},
		{"precision of suspects", ranked(func(h *headlineFigures) figure { return h.PrecisionOfSuspects }), share,
			atLeast(precisionTarget)},
		{"recall of suspects", ranked(func(h *headlineFigures) figure { return h.RecallOfSuspects }), share, noTarget},
		{"suspects", func(v *variantResult) figure { return exact(float64(v.Plain.Suspects)) }, place, noTarget},
		{"false alerts a day of 100 invoices",
			ranked(func(h *headlineFigures) figure { return h.FalseAlertsPer100 }), tenths, atMost(falseAlertsTarget)},
		{"share of under-billed money caught",
			ranked(func(h *headlineFigures) figure { return h.UnderBillingCaught }), share, withFeed(moneyTarget)},
		{"share of over-billed money caught",
			ranked(func(h *headlineFigures) figure { return h.OverBillingCaught }), share, noTarget},
	})
}
