package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"recoup/cases"
	"recoup/detectors"
)

// print writes the case for a person.
func (f *caseFile) print(out io.Writer, state *cases.State, t *tongue) {
	c := f.Case
	fmt.Fprintf(out, t.head+"\n%s\n\n", c.CaseID, what(c, t), printable(c.Seller), t.pick(c.Summary.EN, c.Summary.FR))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { fmt.Fprintf(w, "  "+format+"\n", args...) }
	line(t.status+"\t%s", f.status(state, t))
	if !c.RespondBy.IsZero() {
		line(t.answer+"\t"+t.escalates, c.RespondBy.UTC().Format(t.moment), c.EscalateAt.UTC().Format(t.moment))
	}
	line(t.owner+"\t%s", t.code(c.OwnerTeam))
	if c.PError > 0 && state.Outcome == "" {
		line(t.wrong, 100*c.PError)
	}
	if c.PDispute != nil && c.Origin != cases.OriginDispute {
		line(t.disputes, 100**c.PDispute)
	}
	f.printMoney(line, state, t)
	if c.DunningHold || state.DunningHold && !f.resolved(state) {
		why := t.held
		if c.Origin == cases.OriginDispute {
			why = t.disputed
		}
		line(t.dunning + "\t" + why)
	}
	if !state.ContactedAt.IsZero() {
		line(t.contacted+"\t%s UTC", state.ContactedAt.Format(t.moment))
	}
	if !state.TermRestartAt.IsZero() {
		line(t.restart+"\t%s", state.TermRestartAt.Format(t.day))
	}
	if c.Limitation != "" {
		line(t.until+"\t%s", t.date(c.Limitation))
	}
	if i := f.incident; i != nil {
		is := i.state()
		line(t.part, f.Case.IncidentID[:13], i.status(&is, t), f.Case.IncidentID[:13])
	}
	if f.muted {
		line(t.muted)
	}
	line(t.runbook+"\t%s", c.Links.Runbook)
	if c.Links.Query != "" {
		line(t.query+"\t%s", c.Links.Query)
	}
	_ = w.Flush() // out is the terminal
	f.printCauses(out, t)
	f.printOptions(out, t)
	f.printEvents(out, state, t)
	fmt.Fprintf(out, "\n%s%s\n", t.next, f.next(state, t))
}

// printMoney says what is at stake and what came of it.
func (f *caseFile) printMoney(line func(string, ...any), state *cases.State, t *tongue) {
	c, currency := f.Case, f.currency(state)
	switch {
	case c.Kind != cases.KindInvoice:
	case !f.knowsBilled():
		line(t.billed + "\t" + t.notKnown)
	default:
		billed, of := f.billed()
		line(t.billed+"\t%s", t.money(billed, of))
		if right, ok := billed.Add(c.Loss.Point); ok && !state.ConfirmedLoss.Set && c.Loss.Point != 0 {
			line(t.right+"\t%s", t.money(right, currency))
		}
	}
	if c.Currency == unknownCurrency {
		line(t.stake + "\t" + t.notKnown)
	} else {
		between := ""
		if c.Loss.Low != c.Loss.High {
			between = fmt.Sprintf(" (%s – %s)", t.money(c.Loss.Low, ""), t.money(c.Loss.High, ""))
		}
		line(t.stake+"\t%s%s, %s", t.money(c.Loss.Point, currency), between, t.code(string(c.Direction)))
		f.printWorth(line, currency, t)
	}
	if state.ConfirmedLoss.Set {
		line(t.confirmed, t.money(state.ConfirmedLoss.Value, currency), t.code(state.TrueCause))
		line(t.back, t.money(state.Paid, ""), t.money(state.GoodwillCost, ""), t.money(state.WrittenOff, ""))
	}
}

// printWorth says whether working the case pays.
func (f *caseFile) printWorth(line func(string, ...any), currency string, t *tongue) {
	c := f.Case
	switch e := &c.Economics; {
	case *e == (cases.Economics{}): // nobody has weighed it
	case c.Loss.Point < 0:
		line(t.notOurs)
	case c.TooLate:
		line(t.tooLate)
	default:
		line(t.worth, t.money(e.ExpectedRecovery, currency), t.money(e.HandlingCost, currency), t.money(e.NetValue, currency))
		if e.Offers > 0 {
			line(t.comesBack, 100*e.Rate, e.Offers)
		}
		if e.BreakEven > 0 {
			line(t.breakEven, t.money(e.BreakEven, currency))
		}
	}
	if d := c.Economics.Decision; d != "" && d != detectors.DecisionNone {
		line(t.decision, t.code(string(d)))
	}
}

// printCauses says why recoup thinks so, and what to make sure of.
func (f *caseFile) printCauses(out io.Writer, t *tongue) {
	head, share := t.ifWrong, t.share
	if f.Case.Kind != cases.KindInvoice {
		head, share = t.cause, t.ofMembers
	}
	for _, cause := range f.Case.Causes {
		text := fmt.Sprintf(head, t.code(cause.Code))
		if cause.P > 0 {
			text += fmt.Sprintf(share, 100*cause.P)
		}
		if said := t.evidence(&cause); len(said) > 0 {
			text += t.says + strings.Join(said, t.also)
		}
		fmt.Fprintln(out, "\n"+text)
	}
	if len(f.Case.Verify) > 0 {
		fmt.Fprintln(out, "\n"+t.verify)
	}
	for _, check := range f.Case.Verify {
		fmt.Fprintln(out, "  - "+t.code(check))
	}
}

// printOptions lists the ways to settle, best first.
func (f *caseFile) printOptions(out io.Writer, t *tongue) {
	if len(f.Case.Options) > 0 {
		fmt.Fprintln(out, "\n"+t.settle)
	}
	for _, o := range f.Case.Options {
		text := t.code(string(o.Option)) + " " + t.money(o.Amount, f.Case.Currency)
		if len(o.Schedule) > 0 {
			parts := make([]string, len(o.Schedule))
			for i, part := range o.Schedule {
				parts[i] = t.money(part, "")
			}
			text += " = " + strings.Join(parts, " + ")
		}
		if o.Cost > 0 {
			text += fmt.Sprintf(t.gesture, t.money(o.Cost, f.Case.Currency))
		}
		if o.PAccept != nil {
			text += fmt.Sprintf(t.accept, 100**o.PAccept)
		}
		fmt.Fprintln(out, "  - "+text)
	}
}

// printEvents lists what happened, oldest first.
func (f *caseFile) printEvents(out io.Writer, state *cases.State, t *tongue) {
	type happened struct {
		at   time.Time
		text string
	}
	var all []happened
	for _, e := range f.Life.Events() {
		text := t.code(string(e.Status))
		if e.Outcome != "" {
			text += ", " + t.code(string(e.Outcome))
		}
		if e.DecidedByRole != "" {
			text += fmt.Sprintf(t.by, printable(e.DecidedByRole))
		}
		all = append(all, happened{e.At, text})
	}
	for _, r := range f.Life.Recoveries() {
		text := t.code(string(r.Option)) + " " + t.code(string(r.Event)) + ", " + t.money(r.Amount, r.Currency)
		if r.Instalment > 0 {
			text += fmt.Sprintf(t.instalment, r.Instalment, r.Instalments)
		}
		if !r.DueDate.IsZero() {
			text += fmt.Sprintf(t.due, r.DueDate.Format(t.day))
		}
		all = append(all, happened{r.At, text})
	}
	if len(all) > 0 {
		fmt.Fprintln(out, "\n"+t.happened)
	}
	slices.SortStableFunc(all, func(a, b happened) int { return a.at.Compare(b.at) })
	for _, h := range all {
		fmt.Fprintf(out, "  %s  %s\n", h.at.UTC().Format(t.moment), h.text)
	}
	for _, flag := range state.Flags {
		fmt.Fprintf(out, "  "+t.flagged+"\n", t.code(flag.Code), printable(flag.EventID))
	}
}

// resolved tells whether the case was resolved, and not opened again since.
func (f *caseFile) resolved(state *cases.State) bool {
	if f.Case.Action != cases.ActionResolve {
		return state.Status == cases.StatusClosed
	}
	var reopened, by time.Time
	for _, e := range f.Life.Events() {
		if e.Status == cases.StatusReopened {
			reopened = e.At
		}
	}
	if r := f.Case.Resolution; r != nil {
		by = r.At
	}
	return state.Status != cases.StatusReopened || by.After(reopened)
}

// status is where the case stands, in a word or two.
func (f *caseFile) status(state *cases.State, t *tongue) string {
	resolved := f.Case.Action == cases.ActionResolve && f.resolved(state)
	if resolved && state.Status == cases.StatusReopened {
		return t.resolved
	}
	if f.muted && state.Status == "" {
		return t.code("no_case")
	}
	status := t.code(string(cmp.Or(state.Status, cases.StatusOpened)))
	if state.Outcome != "" {
		status += ", " + t.code(string(state.Outcome))
	}
	if resolved {
		status += ", " + t.resolved
	}
	return status
}
