package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"recoup/internal/story"
	"recoup/invoice"
	"recoup/sinks"
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
	View  string // that answered
	SQL   string // that it was asked
}

// quietFor is how long nothing may happen until everything has: the case stage looks
// once a second at what its cases have in common, and an incident waits five seconds
// before it names new members.
const quietFor = 6500 * time.Millisecond

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

// settled reads the figures, and a second time when they differ: on a busy machine
// something may have happened meanwhile.
func (s *show) settled(ctx context.Context) (*Account, error) {
	account, err := s.warehouse.account(ctx, s.people.figures.Load())
	if err == nil {
		return account, nil
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	return s.warehouse.account(ctx, s.people.figures.Load())
}

// account reads the figures from the views and holds each against the truth. A
// view that differs is an error: nobody should trust it.
func (w *warehouse) account(ctx context.Context, f *story.Figures) (*Account, error) {
	for _, sql := range sinks.RefreshStatements(w.database) {
		if _, err := w.ask(ctx, sql); err != nil {
			return nil, fmt.Errorf("cannot bring the views up to date: %w", err)
		}
	}
	account := &Account{Currency: f.Currency}
	var wrong []string
	for _, q := range kpis(w.database, f) {
		answer, err := w.ask(ctx, q.sql)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", q.name, err)
		}
		got := strings.Split(answer, "\t")
		if !sameFigures(got, q.want) {
			wrong = append(wrong, fmt.Sprintf("%s is %q, want %q (%s)", q.name, got, q.want, q.sql))
			continue
		}
		if q.say != nil {
			account.Lines = append(account.Lines, AccountLine{q.kpi, q.name, q.say(got), q.view, q.sql})
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("cannot vouch for the views, they differ from what really happened:\n  %s",
			strings.Join(wrong, "\n  "))
	}
	return account, nil
}

// sameFigures compares an answer with what is wanted, column by column.
func sameFigures(got, want []string) bool {
	for i := range want {
		if i >= len(got) || !sameFigure(got[i], want[i]) {
			return false
		}
	}
	return len(got) == len(want)
}

// sameFigure compares numbers by value: 12.5 is 12.50.
func sameFigure(got, want string) bool {
	a, errA := invoice.ParseAmount(got)
	b, errB := invoice.ParseAmount(want)
	return got == want || errA == nil && errB == nil && a == b
}

// print writes the account as a table.
func (a *Account) print(out io.Writer) {
	fmt.Fprintf(out, "\nWhat came of it, in %s, as the views [in brackets] answer, equal to what people did to the cent\n",
		a.Currency)
	for _, line := range a.Lines {
		fmt.Fprintf(out, "  %-4s %-23s %s  [%s]\n", line.KPI, line.Name, line.Value, line.View)
	}
	fmt.Fprintln(out, "  People act within milliseconds here. How many invoices of an incident had a case\n"+
		"  of their own before it was found depends on how fast they came: cases, recoveries,\n"+
		"  handling and net may differ between runs. How long money takes (recovery_curve) and\n"+
		"  sources are silent (source_silence) hangs on the clock: the tests of the views check it.")
}
