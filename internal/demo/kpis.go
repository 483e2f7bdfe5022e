package demo

import (
	"fmt"
	"math"
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
	want      []string // by column, as ClickHouse writes it or an equal decimal
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
	k.repeats(f)
	k.customers(f)
	return k.all
}

// money asks what was lost and what came back.
func (k *asker) money(f *story.Figures) {
	k.risk(f)
	k.ask("", "Cases", "case_current", "countIf(kind = 'invoice'), countIf(kind = 'incident'), "+
		"countIf(kind = 'invoice' AND origin = 'detector'), countIf(kind = 'invoice' AND origin = 'customer_dispute')",
		// A case that a customer opened names no currency (XXX) before somebody decides it.
		"currency IN ('"+f.Currency+"', 'XXX')", counts(f.Cases, f.Incidents, f.Detected, f.Disputed),
		func(got []string) string {
			return fmt.Sprintf("%s of single invoices (%s flagged, worked members of incidents too; %s disputed), %s of many",
				got[0], got[2], got[3], got[1])
		})
	k.ask("K2", "Decided", "loss_by_cohort", "sumIf(confirmed_loss, direction != 'seller_favour'), "+
		"sumIf(confirmed_loss, direction = 'seller_favour'), sum(confirmed), sum(confirmed_by_incident)", k.own(),
		append([]string{f.Decided.TooLow.String(), f.Decided.TooHigh.String()},
			counts(f.Confirmed, f.ConfirmedByIncident)...),
		func(got []string) string {
			return fmt.Sprintf("%s billed too little, %s too much, in %s errors, %s of them by their incident",
				cents(got[0]), cents(got[1]), got[2], got[3])
		})
	k.ask("K2", "Open, expected", "loss_by_cohort", "sumIf(open_loss_estimate, direction != 'seller_favour'), "+
		"sumIf(open_loss_estimate, direction = 'seller_favour')", k.own(),
		[]string{f.OpenLoss.TooLow.String(), f.OpenLoss.TooHigh.String()}, func(got []string) string {
			return fmt.Sprintf("%s billed too little, %s too much", rounded(got[0]), rounded(got[1]))
		})
	k.ask("K3", "Recovered", "loss_by_cohort", "sum(recovered)", k.own(), []string{f.Paid.String()},
		func(got []string) string { return cents(got[0]) })
	k.ask("", "Not asked for", "confirmed_losses", "sum(loss), count()",
		k.own()+" AND judged_by = 'incident' AND direction = 'customer_favour' AND loss > 0",
		append([]string{f.LeftOut.String()}, counts(f.NotAsked)...), func(got []string) string {
			return fmt.Sprintf("%s of %s members of incidents: below %s each, so that asking does not pay, or undecided",
				cents(got[0]), got[1], story.WorthAsking)
		})
}

// risk asks what the flagged invoices may cost.
func (k *asker) risk(f *story.Figures) {
	weighed := "sumIf(toDecimal128(toDecimal128(p_error, 9) * abs(loss_point), 4), loss_point "
	k.ask("", "At risk", "scored_invoices",
		"sumIf(loss_point, loss_point > 0), -sumIf(loss_point, loss_point < 0), count(), "+weighed+"> 0), "+weighed+"< 0), "+
			"argMax(invoice_id, (abs(loss_point), invoice_id)), max(abs(loss_point)), "+
			"round(argMax(p_error, (abs(loss_point), invoice_id)), 4)", "suspect AND NOT canary AND "+k.own(),
		[]string{f.AtRisk.TooLow.String(), f.AtRisk.TooHigh.String(), strconv.Itoa(f.Flagged), f.Weighed.TooLow.String(),
			f.Weighed.TooHigh.String(), f.Largest.ID, max(f.Largest.Loss, -f.Largest.Loss).String(), fraction(f.Largest.PError)},
		func(got []string) string {
			return fmt.Sprintf("%s billed too little, %s too much, in %s flagged invoices; "+
				"weighed by probability: %s and %s; largest: %s of %s, p_error %.2f",
				cents(got[0]), cents(got[1]), got[2], rounded(got[3]), rounded(got[4]),
				cents(got[6]), got[5], decimal(got[7]))
		})
}

// claims are what articles say of ways to settle. The customers of the story draw by
// them, so only chance lies between: what few offers show proves nothing.
var claims = map[cases.Option]string{
	cases.OptionImmediate: "; claim: 45 %, and the chance here",
	cases.OptionGoodwill:  "; claim: 40 %, and the chance here",
}

// options asks for the fate of each way to settle.
func (k *asker) options(f *story.Figures) {
	for _, o := range f.Options {
		say := func(got []string) string {
			offered, accepted := number(got[0]), number(got[1])
			text := fmt.Sprintf("%s, accepted %s%s", cents(got[2]), share(accepted, offered), claims[o.Option])
			if o.Option == cases.OptionInstalments {
				text += fmt.Sprintf("; %.0f %% of the money offered was paid, against %.0f %% at once; claim: +20 %%",
					100*decimal(got[5]), 100*decimal(got[6]))
			}
			return text
		}
		if o.Offered == 0 {
			say = nil
		}
		k.ask("K4", "  "+optionNames[o.Option], "recovery_by_option",
			"sum(offered), sum(accepted), sum(paid_amount), sum(goodwill), round(any(uplift), 4), "+
				"round(any(paid_rate), 4), round(any(immediate_paid_rate), 4)",
			k.own()+" AND option = '"+string(o.Option)+"'",
			append(counts(o.Offered, o.Accepted), o.Paid.String(), o.Goodwill.String(), uplift(f, o),
				fraction(paidRate(o)), fraction(paidRate(immediate(f)))), say)
		k.ask("K15", "  "+optionNames[o.Option], "satisfaction_by_option", "sum(answers), round(sum(mean * answers))",
			"option = '"+string(o.Option)+"'", counts(o.Satisfied, o.SatisfactionSum), nil)
	}
}

// uplift is how much better an option is paid than immediate payment, as the view says
// it: NULL while one of the two was offered too rarely.
func uplift(f *story.Figures, o story.OptionFigures) string {
	first := immediate(f)
	if min(o.Offered, first.Offered) < 20 || first.Paid == 0 {
		return null
	}
	return fraction(paidRate(o)/paidRate(first) - 1)
}

// immediate is the fate of immediate payment, to which others are compared.
func immediate(f *story.Figures) story.OptionFigures {
	for _, o := range f.Options {
		if o.Option == cases.OptionImmediate {
			return o
		}
	}
	return story.OptionFigures{}
}

func paidRate(o story.OptionFigures) float64 {
	if o.OfferedAmount == 0 {
		return 0
	}
	return float64(o.Paid) / float64(o.OfferedAmount)
}

// cost asks what the work cost, and what is left.
func (k *asker) cost(f *story.Figures) {
	breakEven, perRecovered := null, null
	if f.Worth.BreakEven > 0 {
		breakEven = fraction(f.Worth.BreakEven)
	}
	if f.Paid > 0 {
		perRecovered = fraction(f.Worth.CostPerRecovery)
	}
	k.ask("K10", "Handling", "handling_cost", "sum(handling), sum(below_break_even), sum(single_cases), "+
		"round(max(break_even), 4), round(toFloat64(sum(handling)) / nullIf(toFloat64(sum(recovered)), 0), 4)", k.own(),
		append(append([]string{f.Handling.String()}, counts(f.Worth.BelowBreakEven, f.Cases)...), breakEven, perRecovered),
		func(got []string) string {
			text := fmt.Sprintf("%s; %s of cases below break-even", cents(got[0]), exactly(number(got[1]), number(got[2])))
			if even, err := strconv.ParseFloat(got[3], 64); err == nil {
				text += fmt.Sprintf(", a loss of %.2f; %.2f per 1.00 recovered", even, decimal(got[4]))
			}
			return text
		})
	k.ask("K10", "Saved by incidents", "saved_by_bundling", "sum(saved)", k.own(), []string{f.Worth.Saved.String()},
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
		return fmt.Sprintf("%s, from %s audited; truly %s", Interval{point, low, high}, got[2], exactly(f.Wrong, f.Invoices))
	})
	k.ask("K1c", "Live error rate", "error_rate_by_month", "toDecimal128(sum(expected_errors), 4), sum(invoices), "+
		"(SELECT round(sum(brier * decided) / sum(decided), 4) FROM "+k.database+".calibration)", "",
		[]string{invoice.Amount(f.ExpectedErrors / 100_000).String(), strconv.Itoa(f.Invoices), fraction(f.Brier)},
		func(got []string) string {
			return fmt.Sprintf("%.1f %% expected by p_error: %.0f errors, truly %d%s; its Brier score is %.3f",
				100*decimal(got[0])/decimal(got[1]), decimal(got[0]), f.Wrong, calibrated(f), decimal(got[2]))
		})
	k.ask("K8", "Recall", "error_rate_by_month", audit, "", truth, func(got []string) string {
		low, point, high := answered(got).Recall()
		return fmt.Sprintf("%s, from the same audit; truly %s", Interval{point, low, high},
			exactly(f.WrongSuspects, f.Wrong))
	})
}

// calibrated says whether the level of p_error is to be believed: chance alone moves the
// number of errors by two standard deviations in one of twenty cases.
func calibrated(f *story.Figures) string {
	if off := float64(f.ExpectedErrors)/1e9 - float64(f.Wrong); math.Abs(off) > 2*f.Spread {
		return ", not calibrated"
	}
	return ""
}

// alerts asks how fast and how right recoup is.
func (k *asker) alerts(f *story.Figures) {
	k.ask("K5", "Detected after receipt", "time_to_detect",
		"max(seconds_after_receipt_p50), max(seconds_after_receipt_p95), max(seconds_after_issue_p50), "+
			"max(seconds_after_issue_p95)", "", []string{fraction(f.AfterReceipt.P50), fraction(f.AfterReceipt.P95),
			fraction(f.AfterIssue.P50), fraction(f.AfterIssue.P95)}, func(got []string) string {
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
	k.ask("K16", "Anomalies per 10,000", "anomalies_by_type", named("type", "invoices"), "",
		[]string{f.Anomalies.String()}, func(got []string) string {
			var texts []string
			for part := range strings.SplitSeq(got[0], ", ") {
				name, n, _ := strings.Cut(part, " ")
				texts = append(texts, fmt.Sprintf("%s %.1f", name, 10_000*decimal(n)/float64(f.Invoices)))
			}
			return strings.Join(texts, ", ")
		})
	k.ask("K17", "Expected from", "baseline_levels", named("level", "scored"), "", []string{f.Levels.String()},
		func(got []string) string { return got[0] })
	k.ask("K17", "Came in", "source_silence", "sum(invoices), (SELECT count() FROM "+k.database+".dead_letter_reasons)",
		"", counts(f.Scored, 0), func(got []string) string { return got[0] + " invoices, " + got[1] + " unreadable" })
}

// named asks for counts by name, in the order of the names: "duplicate 3, promotion 12".
func named(name, count string) string {
	all := "sumMap([toString(" + name + ")], [" + count + "])"
	return "arrayStringConcat(arrayMap((name, n) -> concat(name, ' ', toString(n)), " + all + ".1, " + all + ".2), ', ')"
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

// repeats asks whether errors came back after somebody acted on their cause.
func (k *asker) repeats(f *story.Figures) {
	r := f.Repeats
	k.ask("K9", "After a correction", "repeats_after_action", "count(), sum(errors_30_days_before), "+
		"sum(errors_30_days_after), sum(errors_60_days_after), sum(errors_90_days_after)", "",
		counts(r.Actions, r.Before30, r.After30, r.After60, r.After90), nil)
	k.ask("K9", "After a correction", "repeat_rate", "sum(actions_30), sum(repeated_30), "+
		"(SELECT count() FROM "+k.database+".repeats_after_action)", "", counts(0, 0, r.Actions), func(got []string) string {
		if got[0] == "0" { // people act now, whenever the invoices were issued
			return got[2] + " actions, not yet 30 days ago: nobody can say whether the errors return"
		}
		return fmt.Sprintf("the cause returned within 30 days of %s of %s actions", got[1], got[0])
	})
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

// null is how ClickHouse writes NULL.
const null = `\N`

// fraction is a number as a view that rounds to four decimals writes it, or an equal one.
func fraction(x float64) string { return strconv.FormatFloat(x, 'f', 4, 64) }

// number reads a count of an answer, decimal a fraction; 0 for NULL.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

func decimal(text string) float64 {
	x, _ := strconv.ParseFloat(text, 64)
	return x
}

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

// rounded writes an expected amount, which has more decimals than money, to the cent.
func rounded(text string) string { return cents(fmt.Sprintf("%.2f", decimal(text))) }

// optionNames are the options in words.
var optionNames = map[cases.Option]string{
	cases.OptionImmediate: "paid at once", cases.OptionInstalments: "instalments", cases.OptionOffset: "next order",
	cases.OptionGoodwill: "with a gesture", cases.OptionWriteOff: "written off",
	cases.OptionFormalNotice: "formal notice",
}
