package demo

import (
	"fmt"
	"strconv"
	"strings"

	"recoup/cases"
	"recoup/internal/story"
	"recoup/invoice"
)

// question is one figure: what a view is asked, and what it must answer.
type question struct {
	kpi, name string
	view      string   // that answers
	sql       string   // gives one row
	want      []string // by column, as ClickHouse writes it or an equal decimal; "": only the view knows
	// say puts the answer into words. By default the figure is checked and not shown.
	say func(got []string) string
}

// asker writes questions about one currency.
type asker struct {
	database, currency string
	all                []question
}

// ask adds a question: what columns of a view, where a condition holds, come to.
func (k *asker) ask(kpi, name, view, columns, where string, want []string, say func(got []string) string) {
	sql := "SELECT " + columns + " FROM " + k.database + "." + view
	if where != "" {
		sql += " WHERE " + where
	}
	k.all = append(k.all, question{kpi, name, view, sql, want, say})
}

// own is the condition that leaves out other currencies.
func (k *asker) own() string { return "currency = '" + k.currency + "'" }

// kpis are the figures of the views in the order they are shown, and the truth.
func kpis(database string, f *story.Figures) []question {
	k := &asker{database: database, currency: f.Currency}
	k.money(f)
	k.options(f)
	k.cost(f)
	k.rates(f)
	k.alerts(f)
	k.causes(f)
	k.customers(f)
	return k.all
}

// money asks what was lost and what came back.
func (k *asker) money(f *story.Figures) {
	k.ask("", "At risk", "scored_invoices",
		"sumIf(loss_point, loss_point > 0), -sumIf(loss_point, loss_point < 0), count()", "suspect AND "+k.own(),
		[]string{f.AtRisk.TooLow.String(), f.AtRisk.TooHigh.String(), strconv.Itoa(f.Flagged)},
		func(got []string) string {
			return fmt.Sprintf("%s billed too little, %s too much, in %s flagged invoices", cents(got[0]), cents(got[1]), got[2])
		})
	k.ask("", "Cases", "case_current", "countIf(kind = 'invoice'), countIf(kind = 'incident')",
		// A case that a customer opened names no currency (XXX) before somebody decides it.
		"currency IN ('"+f.Currency+"', 'XXX')", counts(f.Cases, f.Incidents),
		func(got []string) string { return got[0] + " of single invoices, " + got[1] + " of many" })
	k.ask("K2", "Decided", "loss_by_cohort", "sumIf(confirmed_loss, direction != 'seller_favour'), "+
		"sumIf(confirmed_loss, direction = 'seller_favour'), sum(confirmed), sum(confirmed_by_incident)", k.own(),
		append([]string{f.Decided.TooLow.String(), f.Decided.TooHigh.String()},
			counts(f.Confirmed, f.ConfirmedByIncident)...),
		func(got []string) string {
			return fmt.Sprintf("%s billed too little, %s too much, in %s errors, %s of them by their incident",
				cents(got[0]), cents(got[1]), got[2], got[3])
		})
	k.ask("K2", "Open, expected", "loss_by_cohort", "round(sumIf(open_loss_estimate, direction != 'seller_favour'), 2), "+
		"round(sumIf(open_loss_estimate, direction = 'seller_favour'), 2)", k.own(), unknown(2), func(got []string) string {
		return fmt.Sprintf("%s billed too little, %s too much", cents(got[0]), cents(got[1]))
	})
	k.ask("K3", "Recovered", "loss_by_cohort", "sum(recovered)", k.own(), []string{f.Paid.String()},
		func(got []string) string { return cents(got[0]) })
}

// claims are what articles say of ways to settle: to compare with, nothing rests on them.
var claims = map[cases.Option]string{
	cases.OptionImmediate: "; claim: 45 %", cases.OptionGoodwill: "; claim: 40 %",
}

// options asks for the fate of each way to settle.
func (k *asker) options(f *story.Figures) {
	for _, o := range f.Options {
		say := func(got []string) string {
			offered, accepted := number(got[0]), number(got[1])
			text := fmt.Sprintf("%s, accepted %s%s", cents(got[2]), share(accepted, offered), claims[o.Option])
			if uplift, err := strconv.ParseFloat(got[4], 64); err == nil && o.Option == cases.OptionInstalments {
				text += fmt.Sprintf("; paid rate %+.0f %% against at once; claim: +20 %%", 100*uplift)
			}
			return text
		}
		if o.Offered == 0 {
			say = nil
		}
		k.ask("K4", "  "+optionNames[o.Option], "recovery_by_option",
			"sum(offered), sum(accepted), sum(paid_amount), sum(goodwill), any(uplift)",
			k.own()+" AND option = '"+string(o.Option)+"'",
			append(counts(o.Offered, o.Accepted), o.Paid.String(), o.Goodwill.String(), ""), say)
		k.ask("K15", "  "+optionNames[o.Option], "satisfaction_by_option", "sum(answers), round(sum(mean * answers))",
			"option = '"+string(o.Option)+"'", counts(o.Satisfied, o.SatisfactionSum), nil)
	}
}

// cost asks what the work cost, and what is left.
func (k *asker) cost(f *story.Figures) {
	k.ask("K10", "Handling", "handling_cost",
		"sum(handling), sum(below_break_even), sum(single_cases), max(break_even)", k.own(),
		[]string{f.Handling.String(), "", strconv.Itoa(f.Cases), ""}, func(got []string) string {
			text := fmt.Sprintf("%s; %s of cases below break-even", cents(got[0]), exactly(number(got[1]), number(got[2])))
			if even, err := strconv.ParseFloat(got[3], 64); err == nil {
				text += fmt.Sprintf(", a loss of %.2f", even)
			}
			return text
		})
	k.ask("K10", "Saved by incidents", "saved_by_bundling", "sum(saved)", k.own(), unknown(1),
		func(got []string) string { return cents(got[0]) })
	k.ask("K3", "Net", "loss_by_cohort", "sum(net_recovered), sum(goodwill), sum(handling)", k.own(),
		[]string{f.Net.String(), f.Goodwill.String(), f.Handling.String()}, func(got []string) string {
			return fmt.Sprintf("%s, after handling and %s for gestures", cents(got[0]), cents(got[1]))
		})
}

// rates asks how many invoices are wrong, and how many of those were caught.
func (k *asker) rates(f *story.Figures) {
	k.ask("K1", "Confirmed errors", "error_rate_by_month", "sum(confirmed), sum(invoices)", "",
		counts(f.Confirmed, f.Invoices), func(got []string) string { return share(number(got[0]), number(got[1])) })
	audit := "sum(true_positives), sum(unflagged), sum(audited), sum(audited_wrong), sum(invoices)"
	truth := counts(f.Caught, f.Unflagged, f.Audited, f.AuditedWrong, f.Invoices)
	answered := func(got []string) *story.Figures {
		return &story.Figures{Caught: number(got[0]), Unflagged: number(got[1]), Audited: number(got[2]),
			AuditedWrong: number(got[3]), Invoices: number(got[4])}
	}
	k.ask("K1b", "True error rate", "error_rate_by_month", audit, "", truth, func(got []string) string {
		low, point, high := answered(got).TrueErrorRate()
		return fmt.Sprintf("%s, from %s audited", Interval{point, low, high}, got[2])
	})
	k.ask("K1c", "Live error rate", "error_rate_by_month", "sum(expected_errors) / sum(invoices), "+
		"(SELECT sum(brier * decided) / sum(decided) FROM "+k.database+".calibration)", "", unknown(2),
		func(got []string) string {
			return fmt.Sprintf("%s expected by p_error, whose Brier score is %.3f", percent(got[0]), decimal(got[1]))
		})
	k.ask("K8", "Recall", "error_rate_by_month", audit, "", truth, func(got []string) string {
		low, point, high := answered(got).Recall()
		return fmt.Sprintf("%s, from the same audit", Interval{point, low, high})
	})
}

// alerts asks how fast and how right recoup is.
func (k *asker) alerts(f *story.Figures) {
	k.ask("K5", "Detected after receipt", "time_to_detect",
		"max(seconds_after_receipt_p50), max(seconds_after_receipt_p95)", "", unknown(2), func(got []string) string {
			return fmt.Sprintf("half within %.2f s, 95 %% within %.2f s, in the slowest month", decimal(got[0]), decimal(got[1]))
		})
	k.ask("K6", "Answered in 24 h", "time_to_respond", "sum(acknowledged_in_24h), sum(cases)", "kind = 'invoice'",
		counts(f.AcknowledgedIn24h, f.Cases), func(got []string) string { return share(number(got[0]), number(got[1])) })
	k.ask("K7", "Alert precision", "alert_precision", "sum(confirmed), sum(refuted), sum(undetermined)",
		"kind = 'invoice'", counts(f.TruePositives, f.FalsePositives, f.Undetermined), func(got []string) string {
			return fmt.Sprintf("%s; undetermined: %s", share(number(got[0]), number(got[0])+number(got[1])), got[2])
		})
	k.ask("", "  incidents", "alert_precision", "sum(confirmed), sum(alerts)", "kind = 'incident'",
		counts(f.IncidentsRight, f.Incidents), func(got []string) string { return got[0] + " of " + got[1] + " right" })
	k.ask("K14", "Waiting", "case_backlog", "sum(open_cases)", "kind = 'invoice'", counts(f.Open),
		func(got []string) string { return got[0] + " cases" })
	k.ask("K16", "Anomalies per 10,000", "anomalies_by_type",
		"arrayStringConcat(arrayMap(a -> concat(a.2, ' ', toString(round(10000 * a.1 / "+
			"(SELECT sum(invoices) FROM "+k.database+".invoice_counts_by_day), 1))), "+
			"arrayReverseSort(arrayZip(sumMap([type], [invoices]).2, sumMap([type], [invoices]).1))), ', ')",
		"", unknown(1), func(got []string) string { return got[0] })
}

// causes asks for each cause; the three most frequent ones are shown.
func (k *asker) causes(f *story.Figures) {
	for i, c := range f.Causes {
		say := func(got []string) string { return exactly(number(got[0]), f.Confirmed) }
		if i >= 3 {
			say = nil
		}
		k.ask("K9", "Cause "+c.Cause, "cause_pareto", "sum(confirmed), sum(loss_customer_favour), sum(loss_seller_favour)",
			k.own()+" AND cause = '"+c.Cause+"'",
			[]string{strconv.Itoa(c.Confirmed), c.Loss.TooLow.String(), c.Loss.TooHigh.String()}, say)
	}
}

// customers asks what they met, found and said.
func (k *asker) customers(f *story.Figures) {
	k.ask("K11", "Customer found first", "customer_found_first", "sum(by_customer), sum(all_confirmed)", "",
		counts(f.ConfirmedDisputed, f.Confirmed), func(got []string) string { return share(number(got[0]), number(got[1])) })
	k.ask("K12", "Stopped before issue", "prevented_before_issue", "sum(held), sum(prevented), sum(issued_wrong)",
		k.own(), counts(0, 0, f.Confirmed), func(got []string) string {
			return got[1] + " of " + got[0] + " drafts held; the demo's invoices are no drafts"
		})
	k.ask("K13", "Customers touched", "customers_touched", "sum(touched), sum(customers)", "",
		counts(f.CustomersTouched, f.Customers), func(got []string) string { return exactly(number(got[0]), number(got[1])) })
	k.ask("K15", "Satisfaction, 1 to 5", "satisfaction_by_option", "sum(answers), round(sum(mean * answers))", "",
		counts(f.Answers, f.AnswerSum), func(got []string) string {
			if number(got[0]) == 0 {
				return "nobody answered"
			}
			return fmt.Sprintf("%.1f, mean of %s answers", decimal(got[1])/decimal(got[0]), got[0])
		})
}

// counts are numbers as ClickHouse writes them.
func counts(all ...int) (texts []string) {
	for _, n := range all {
		texts = append(texts, strconv.Itoa(n))
	}
	return texts
}

// unknown is what is wanted of columns that only the view knows.
func unknown(columns int) []string { return make([]string, columns) }

// number reads a count of an answer, decimal a fraction; 0 for NULL.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

func decimal(text string) float64 {
	x, _ := strconv.ParseFloat(text, 64)
	return x
}

func percent(text string) string { return fmt.Sprintf("%.1f %%", 100*decimal(text)) }

// cents writes an amount of an answer with all its decimals and separators.
func cents(text string) string {
	a, err := invoice.ParseAmount(text)
	if err != nil {
		return text
	}
	text = a.String()
	whole, decimals, _ := strings.Cut(text, ".")
	n, err := strconv.Atoi(whole)
	if err != nil || strings.HasPrefix(text, "-0") {
		return text
	}
	return thousands(n) + "." + decimals
}

// optionNames are the options in words.
var optionNames = map[cases.Option]string{
	cases.OptionImmediate: "paid at once", cases.OptionInstalments: "instalments", cases.OptionOffset: "next order",
	cases.OptionGoodwill: "with a gesture", cases.OptionWriteOff: "written off",
	cases.OptionFormalNotice: "formal notice",
}
