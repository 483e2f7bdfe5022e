package main

import (
	"fmt"
	"strings"
)

// reportDense writes what the file with many errors tells.
func reportDense(b *strings.Builder, set *setResult) {
	dense := func(f func(*denseFigures) figure) func(*variantResult) figure {
		return func(v *variantResult) figure { return f(v.Dense) }
	}
	counted := func(name string, n int) string { return fmt.Sprintf("%s, n = %d", name, n) }
	first := set.Variants[0].Dense
	rows := []row{}
	for i, size := range first.Sizes {
		bound := noTarget
		if size.Name == bandName {
			bound = atLeast(bandTarget)
		}
		rows = append(rows, row{counted("recall, under-billed by "+size.Name+" of what is due", size.N),
			dense(func(d *denseFigures) figure { return d.Sizes[i].Recall }), share, bound})
	}
	for i, cause := range first.Causes {
		rows = append(rows, row{counted("recall, "+cause.Name, cause.N),
			dense(func(d *denseFigures) figure { return d.Causes[i].Recall }), share, noTarget})
	}
	rows = append(rows,
		row{"recall of all errors", dense(func(d *denseFigures) figure { return d.Recall }), share, noTarget},
		row{"precision of suspects (dense, not comparable)",
			dense(func(d *denseFigures) figure { return d.Precision }), share, noTarget},
		row{"share of under-billed money caught",
			dense(func(d *denseFigures) figure { return d.Money }), share, noTarget},
		row{"cause of errors found: top-1 accuracy",
			dense(func(d *denseFigures) figure { return d.Confusion.Top1 }), share, atLeast(causeTarget)},
		row{"cause of errors found: macro-F1",
			dense(func(d *denseFigures) figure { return d.Confusion.MacroF1 }), share, atLeast(causeTarget)},
		row{"median relative error of the estimated loss",
			dense(func(d *denseFigures) figure { return d.LossError }), perCent, atMost(lossErrorTarget)},
		row{"the same without " + kindWrongCurrency,
			dense(func(d *denseFigures) figure { return d.SameCurrencyLossError }), perCent, noTarget},
		row{counted("outages seen", first.Outages.N),
			dense(func(d *denseFigures) figure { return d.Outages.Rate }), share, atLeast(outageTarget)},
		row{"first alert at which bad invoice of the outage, median",
			dense(func(d *denseFigures) figure { return exact(float64(d.Outages.First)) }), place,
			atMost(firstAlertTarget)},
		row{counted("runs of a customer (crm) seen", first.CRMRuns.N),
			dense(func(d *denseFigures) figure { return d.CRMRuns.Rate }), share, noTarget},
		row{"first alert at which bad invoice of the run, median",
			dense(func(d *denseFigures) figure { return exact(float64(d.CRMRuns.First)) }), place, noTarget},
	)
	fmt.Fprintf(b, "\n### By cause, size and outage (dense file, recoup's own threshold)\n\n")
	reportRows(b, set, rows)
	fmt.Fprintf(b, "\nLoss: errors found that move money. Labels convert what was billed in the wrong currency, recoup "+
		"converts nothing, so those estimates are in another currency than their label. Outages and runs: at least %d "+
		"scored invoices; an unseen one counts as never.\n", outageLeast)
}

// reportConfusion writes the causes named, for the variant that knows most.
func reportConfusion(b *strings.Builder, set *setResult) {
	last := &set.Variants[len(set.Variants)-1]
	c := &last.Dense.Confusion
	if c.N == 0 {
		return
	}
	fmt.Fprintf(b, "\n### First cause named for the %d errors found (dense file, %s)\n\n", c.N, last.Variant)
	fmt.Fprintf(b, "| true cause | %s |\n|---|%s\n", strings.Join(c.Named, " | "), strings.Repeat("---|", len(c.Named)))
	for i, label := range c.Labels {
		fmt.Fprintf(b, "| %s |", label)
		for _, n := range c.Count[i] {
			fmt.Fprintf(b, " %d |", n)
		}
		fmt.Fprintln(b)
	}
}

// reportKinds writes the recall of every kind, worst first for the eye of whoever
// improves it: by the variant that knows most.
func reportKinds(b *strings.Builder, set *setResult) {
	fmt.Fprint(b, "\n### Recall by kind (dense file)\n\n")
	var rows []row
	for i, kind := range set.Variants[0].Dense.Kinds {
		rows = append(rows, row{fmt.Sprintf("%s, n = %d", kind.Name, kind.N),
			func(v *variantResult) figure { return v.Dense.Kinds[i].Recall }, share, noTarget})
	}
	reportRows(b, set, rows)
}

// reportCalibration writes how far p_error can be taken at its word.
func reportCalibration(b *strings.Builder, set *setResult) {
	of := func(f func(*calibration) float64) func(*variantResult) figure {
		return func(v *variantResult) figure { return exact(f(&v.Plain.Calibration)) }
	}
	fmt.Fprintf(b, "\n### Calibration (invoices with p_error from %g, %d bins of equal count)\n\n",
		calibrationFrom, calibrationBins)
	reportRows(b, set, []row{
		{"invoices", of(func(c *calibration) float64 { return float64(c.N) }), place, noTarget},
		{"errors among them", of(func(c *calibration) float64 { return c.Rate }), share, noTarget},
		{"mean gap", of(func(c *calibration) float64 { return c.Gap }), share, atMost(gapTarget)},
		{"Brier skill against the base rate", of(func(c *calibration) float64 { return c.Skill }), share,
			atLeast(skillTarget)},
		{"the same over all scored invoices", of(func(c *calibration) float64 { return c.SkillAll }), share,
			atLeast(skillTarget)},
		{"Brier skill against the error rate of these invoices",
			of(func(c *calibration) float64 { return c.SkillWithin }), share, noTarget},
		{"constant predictor: mean gap", of(func(c *calibration) float64 { return c.ConstantGap }), share, atMost(gapTarget)},
		{"constant predictor: skill", of(func(c *calibration) float64 { return c.ConstantSkill }), share,
			atLeast(skillTarget)},
	})
	fmt.Fprint(b, "\nThe constant predictor says the base rate of every invoice; it must be short of both. "+
		"Bins, said → true:\n\n")
	for i := range set.Variants {
		v := &set.Variants[i]
		var bins []string
		for _, bin := range v.Plain.Calibration.Bins {
			bins = append(bins, fmt.Sprintf("%.2f → %.2f", bin.Said, bin.True))
		}
		fmt.Fprintf(b, "- %s: %s\n", v.Variant, strings.Join(bins, ", "))
	}
}

// topRules is how many rules of false alerts are listed.
const topRules = 12

// reportAlerts writes where false alerts come from.
func reportAlerts(b *strings.Builder, set *setResult) {
	fmt.Fprint(b, "\n### False alerts by reason\n\n")
	reportReasons(b, set)
	last := &set.Variants[len(set.Variants)-1]
	rules := last.Plain.Alerts.Rules
	if len(rules) == 0 {
		return
	}
	fmt.Fprintf(b, "\nRules on false alerts (%s), as first cause and at all:\n\n", last.Variant)
	fmt.Fprint(b, "| rule | first | any |\n|---|---|---|\n")
	for _, rule := range rules[:min(len(rules), topRules)] {
		fmt.Fprintf(b, "| %s | %d | %d |\n", rule.Rule, rule.First, rule.N)
	}
}

// reportReasons writes how many false alerts something usual caused, and what is
// counted as that.
func reportReasons(b *strings.Builder, set *setResult) {
	fmt.Fprint(b, "| false alerts caused by | target |")
	for i := range set.Variants {
		fmt.Fprintf(b, " %s |", set.Variants[i].Variant)
	}
	fmt.Fprintf(b, "\n|---|---|%s\n", strings.Repeat("---|", len(set.Variants)))
	for i, rule := range reasonRules {
		t := atMost(reasonTarget)
		fmt.Fprintf(b, "| %s | %s |", rule.name, target{atMost: true, bound: reasonTarget}.text(share))
		for k := range set.Variants {
			v := &set.Variants[k]
			n, all := v.Plain.Alerts.Reasons[i].N, v.Plain.Alerts.N
			f := wilson(n, all)
			if all == 0 {
				f = exact(0)
			}
			fmt.Fprintf(b, " %d of %d: %s |", n, all, cell(f, share, t(v.Variant)))
		}
		fmt.Fprintln(b)
	}
	fmt.Fprint(b, "\nThese are facts of the whole file, later invoices included, without those that are labelled; one "+
		"alert may have several. Flagged lines are those that its causes name, else all.\n\n")
	for _, rule := range reasonRules {
		fmt.Fprintf(b, "- %s: %s\n", rule.name, rule.means)
	}
}
