package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"recoup/cases"
	"recoup/internal/story"
	"recoup/invoice"
)

// settleTimeout bounds the wait for people and copies after the last verdict.
const settleTimeout = 60 * time.Second

// Account is what came of the errors: money and KPIs as ClickHouse's views have
// them, each equal to what the people of the demo really did.
type Account struct {
	Currency string        // of all amounts
	Lines    []AccountLine // in the order they are printed
}

// AccountLine is one figure.
type AccountLine struct {
	KPI   string // number in the list of KPIs, "K3"; "" where it belongs to the line above
	Name  string // "Recovered"
	Value string // "1,234.50", or "41 of 52, 78.8 % [66.0–87.8]"
}

// answer is one figure of the views and what it must be.
type answer struct {
	name, sql string // sql gives a single value
	want      string // as ClickHouse writes it, or an equal decimal
}

// quietFor is how long nothing may happen until everything has: the case stage looks
// once a second at what its cases have in common.
const quietFor = 1500 * time.Millisecond

// settle waits until the people have dealt with every case, the case stage with all
// they wrote, and everything is stored.
func (s *show) settle(ctx context.Context) error {
	p := s.people
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	heard, since := int64(-1), time.Now()
	for {
		waiting, err := behind(s.metrics)
		idle := err == nil && waiting == 0
		if idle {
			idle, err = p.idle(ctx)
		}
		if idle {
			idle, err = s.warehouse.copied(ctx, p)
		}
		if n := p.listened.Load(); !idle || n != heard {
			heard, since = n, time.Now()
		}
		if idle && time.Since(since) >= quietFor {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cannot see all that people did in ClickHouse: %w", errors.Join(ctx.Err(), err))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// copied tells whether everything the people wrote is stored, and every case they read.
func (w *warehouse) copied(ctx context.Context, p *people) (bool, error) {
	for topic, table := range map[story.Topic]string{story.CaseEvents: "case_events", story.Recoveries: "recoveries",
		story.Disputes: "disputes"} {
		n, err := w.count(ctx, table)
		if err != nil || n < p.sent[topic].Load() {
			return false, err
		}
	}
	n, err := w.count(ctx, "cases")
	return err == nil && n >= p.listened.Load(), err
}

// count returns how many rows a table has.
func (w *warehouse) count(ctx context.Context, table string) (int64, error) {
	text, err := w.ask(ctx, "SELECT count() FROM "+w.database+"."+table)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

// account reads the figures from the views and holds each against the truth. A
// view that differs is an error: nobody should trust it.
func (w *warehouse) account(ctx context.Context, f *story.Figures) (*Account, error) {
	var wrong []string
	for _, a := range w.ledgerQuestions(f) {
		got, err := w.ask(ctx, a.sql)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", a.name, err)
		}
		if !sameFigure(got, a.want) {
			wrong = append(wrong, fmt.Sprintf("%s is %s, want %s (%s)", a.name, got, a.want, a.sql))
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("cannot vouch for the views, they differ from what really happened:\n  %s",
			strings.Join(wrong, "\n  "))
	}
	return newAccount(f), nil
}

// sameFigure compares numbers by value: 12.5 is 12.50.
func sameFigure(got, want string) bool {
	a, errA := invoice.ParseAmount(got)
	b, errB := invoice.ParseAmount(want)
	return got == want || errA == nil && errB == nil && a == b
}

// ledgerQuestions are the figures of the views, and the truth.
func (w *warehouse) ledgerQuestions(f *story.Figures) []answer {
	view := func(name string) string { return w.database + "." + name + " WHERE currency = '" + f.Currency + "'" }
	amount := func(a invoice.Amount) string { return a.String() }
	// A case that a customer opened names no currency (XXX) before somebody decides it.
	single := w.database + ".case_current WHERE currency IN ('" + f.Currency + "', 'XXX') AND kind = 'invoice'"
	confirmed := single + " AND outcome = 'confirmed_error'"
	handling := "sum(ifNull(handling_cost, if(outcome = 'confirmed_error', planned_handling_cost, 0)))"
	gestures := "SELECT sum(goodwill) FROM " + view("recovery_by_option")
	alerts := w.database + ".alert_precision WHERE kind = 'invoice'"
	all := []answer{
		{"scored invoices", "SELECT sum(invoices) FROM " + view("error_rate_by_day"), strconv.Itoa(f.Invoices)},
		{"suspects", "SELECT sum(suspects) FROM " + view("error_rate_by_day"), strconv.Itoa(f.Suspects)},
		{"cases", "SELECT count() FROM " + single, strconv.Itoa(f.Cases)},
		{"open cases", "SELECT countIf(is_open) FROM " + single, strconv.Itoa(f.Open)},
		{"at risk, too low", "SELECT sumIf(loss_point, loss_point > 0) FROM " + single, amount(f.AtRisk.TooLow)},
		{"at risk, too high", "SELECT -sumIf(loss_point, loss_point < 0) FROM " + single, amount(f.AtRisk.TooHigh)},
		{"confirmed", "SELECT count() FROM " + confirmed, strconv.Itoa(f.Confirmed)},
		{"decided, too low", "SELECT sumIf(confirmed_loss, confirmed_loss > 0) FROM " + confirmed,
			amount(f.Decided.TooLow)},
		{"decided, too high", "SELECT -sumIf(confirmed_loss, confirmed_loss < 0) FROM " + confirmed,
			amount(f.Decided.TooHigh)},
		{"recovered", "SELECT sum(paid) FROM " + single, amount(f.Paid)},
		{"goodwill", gestures, amount(f.Goodwill)},
		{"handling", "SELECT " + handling + " FROM " + single, amount(f.Handling)},
		{"net", "SELECT sum(paid) - " + handling + " - ifNull((" + gestures + "), 0) FROM " + single, amount(f.Net)},
		{"recovered by cohort", "SELECT sum(recovered) FROM " + view("loss_by_cohort"), amount(f.Paid)},
		{"goodwill by cohort", "SELECT sum(goodwill) FROM " + view("loss_by_cohort"), amount(f.Goodwill)},
		{"acknowledged in 24 h", "SELECT sum(acknowledged_in_24h) FROM " + w.database +
			".time_to_respond WHERE kind = 'invoice'", strconv.Itoa(f.AcknowledgedIn24h)},
		{"alerts that were right", "SELECT sum(confirmed) FROM " + alerts, strconv.Itoa(f.TruePositives)},
		{"alerts that were wrong", "SELECT sum(refuted) FROM " + alerts, strconv.Itoa(f.FalsePositives)},
		{"found by customers first", "SELECT sum(by_customer) FROM " + w.database + ".customer_found_first",
			strconv.Itoa(f.ConfirmedDisputed)},
		{"audited", "SELECT sum(audited) FROM " + w.database + ".error_rate_by_month", strconv.Itoa(f.Audited)},
		{"audited and wrong", "SELECT sum(audited_wrong) FROM " + w.database + ".error_rate_by_month",
			strconv.Itoa(f.AuditedWrong)},
	}
	for _, o := range f.Options {
		of := view("recovery_by_option") + " AND option = '" + string(o.Option) + "'"
		all = append(all,
			answer{string(o.Option) + " offered", "SELECT sum(offered) FROM " + of, strconv.Itoa(o.Offered)},
			answer{string(o.Option) + " accepted", "SELECT sum(accepted) FROM " + of, strconv.Itoa(o.Accepted)},
			answer{string(o.Option) + " paid", "SELECT sum(paid_amount) FROM " + of, amount(o.Paid)},
			answer{string(o.Option) + " answers", "SELECT sum(answers) FROM " + w.database +
				".satisfaction_by_option WHERE option = '" + string(o.Option) + "'", strconv.Itoa(o.Satisfied)})
	}
	for _, c := range f.Causes {
		all = append(all, answer{"confirmed " + c.Cause,
			"SELECT count() FROM " + confirmed + " AND true_cause = '" + c.Cause + "'", strconv.Itoa(c.Confirmed)})
	}
	return all
}

// optionNames are the options in words.
var optionNames = map[cases.Option]string{
	cases.OptionImmediate: "paid at once", cases.OptionInstalments: "instalments", cases.OptionOffset: "next order",
	cases.OptionGoodwill: "with a gesture", cases.OptionWriteOff: "written off",
	cases.OptionFormalNotice: "formal notice",
}

// newAccount puts figures into words.
func newAccount(f *story.Figures) *Account {
	a := &Account{Currency: f.Currency}
	add := func(kpi, name, format string, args ...any) {
		a.Lines = append(a.Lines, AccountLine{kpi, name, fmt.Sprintf(format, args...)})
	}
	directions := func(m story.Money) string {
		return fmt.Sprintf("%s billed too little, %s too much", cents(m.TooLow), cents(m.TooHigh))
	}
	add("", "At risk", "%s, in %d cases", directions(f.AtRisk), f.Cases)
	add("K2", "Decided", "%s, in %d confirmed errors", directions(f.Decided), f.Confirmed)
	add("K3", "Recovered", "%s", cents(f.Paid))
	for _, o := range f.Options {
		if o.Offered > 0 {
			add("K4", "  "+optionNames[o.Option], "%s, accepted %s", cents(o.Paid), share(o.Accepted, o.Offered))
		}
	}
	add("K10", "Handling", "%s", cents(f.Handling))
	add("K3", "Net", "%s, after handling and %s for gestures", cents(f.Net), cents(f.Goodwill))
	add("K1", "Confirmed errors", "%s", share(f.Confirmed, f.Invoices))
	low, point, high := f.TrueErrorRate()
	add("K1b", "True error rate", "%s, from %d audited", Interval{point, low, high}, f.Audited)
	add("K6", "Answered in 24 h", "%s", share(f.AcknowledgedIn24h, f.Cases))
	add("K7", "Alert precision", "%s", share(f.TruePositives, f.TruePositives+f.FalsePositives))
	low, point, high = f.Recall()
	add("K8", "Recall", "%s, of cases that were worked, from the same audit", Interval{point, low, high})
	for i, c := range f.Causes[:min(3, len(f.Causes))] {
		add([]string{"K9", "", ""}[i], "Cause "+c.Cause, "%s", exactly(c.Confirmed, f.Confirmed))
	}
	add("K11", "Customer found first", "%s", share(f.ConfirmedDisputed, f.Confirmed))
	add("K13", "Customers touched", "%s", exactly(f.CustomersTouched, f.Customers))
	add("K14", "Still open", "%d of %d cases", f.Open, f.Cases)
	return a
}

// cents writes an amount with all its decimals and separators.
func cents(a invoice.Amount) string {
	text := a.String()
	whole, decimals, _ := strings.Cut(text, ".")
	n, err := strconv.Atoi(whole)
	if err != nil || strings.HasPrefix(text, "-0") {
		return text
	}
	return thousands(n) + "." + decimals
}

// print writes the account as a table.
func (a *Account) print(out io.Writer) {
	fmt.Fprintf(out, "\nWhat came of it, in %s, from the views in ClickHouse; equal to what people did, to the cent\n",
		a.Currency)
	for _, line := range a.Lines {
		fmt.Fprintf(out, "  %-4s %-24s %s\n", line.KPI, line.Name, line.Value)
	}
}
