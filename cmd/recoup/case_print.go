package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"recoup/cases"
)

// print writes the case for a person.
func (f *caseFile) print(out io.Writer, state *cases.State, lang string) {
	c := f.Case
	summary := c.Summary.EN
	if lang == "fr" {
		summary = c.Summary.FR
	}
	fmt.Fprintf(out, "Case %s, %s of %s\n%s\n\n", c.CaseID, what(c), printable(c.Seller), summary)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %s\t"+format+"\n", append([]any{name}, args...)...)
	}
	line("status", "%s", f.status(state))
	line("answer by", "%s UTC, escalates at %s", c.RespondBy.Format(time.DateTime), c.EscalateAt.Format(time.DateTime))
	line("owner", "%s", c.OwnerTeam)
	if c.Kind == cases.KindInvoice && f.knowsBilled() {
		line("billed", "%s %s", c.Billed, c.Currency)
	} else if c.Kind == cases.KindInvoice {
		line("billed", "not known")
	}
	line("at stake", "%s %s (%s to %s), %s", c.Loss.Point, c.Currency, c.Loss.Low, c.Loss.High, c.Direction)
	if state.ConfirmedLoss.Set {
		line("confirmed", "%s %s, cause %s", state.ConfirmedLoss.Value, state.Currency, state.TrueCause)
		line("came back", "%s, gestures cost %s, written off %s", state.Paid, state.GoodwillCost, state.WrittenOff)
	}
	line("worth it", "%s expected back, handling costs %s", c.Economics.ExpectedRecovery, c.Economics.HandlingCost)
	if c.Limitation != "" {
		line("claim until", "%s", c.Limitation)
	}
	if c.IncidentID != "" {
		line("part of", "incident %s%s: recoup case show %s", c.IncidentID[:13], f.ofIncident(), c.IncidentID[:13])
	}
	if f.muted {
		line("case", "none was opened for it; it is worked like one all the same")
	}
	line("runbook", "%s", c.Links.Runbook)
	line("query", "%s", c.Links.Query)
	_ = w.Flush() // out is the terminal
	f.printCauses(out)
	f.printOptions(out)
	f.printEvents(out, state)
	fmt.Fprintf(out, "\nNext: %s\n", f.next(state))
}

// ofIncident says where the incident of a member stands.
func (f *caseFile) ofIncident() string {
	if f.incident == nil {
		return ""
	}
	state := f.incident.state()
	return " (" + f.incident.status(&state) + ")"
}

// printCauses says why recoup thinks so, and what to make sure of.
func (f *caseFile) printCauses(out io.Writer) {
	for _, cause := range f.Case.Causes {
		fmt.Fprintf(out, "\n%s, %.0f %%: %s\n", cause.Code, 100*cause.P, strings.Join(cause.Evidence, "; "))
	}
	if len(f.Case.Verify) > 0 {
		fmt.Fprintln(out, "\nVerify first")
	}
	for _, check := range f.Case.Verify {
		fmt.Fprintln(out, "  - "+check)
	}
}

// printOptions lists the ways to settle, best first.
func (f *caseFile) printOptions(out io.Writer) {
	if len(f.Case.Options) > 0 {
		fmt.Fprintln(out, "\nWays to settle, best first")
	}
	for _, o := range f.Case.Options {
		text := fmt.Sprintf("%s %s %s", o.Option, o.Amount, f.Case.Currency)
		if len(o.Schedule) > 0 {
			parts := make([]string, len(o.Schedule))
			for i, part := range o.Schedule {
				parts[i] = part.String()
			}
			text += " = " + strings.Join(parts, " + ")
		}
		if o.Cost > 0 {
			text += fmt.Sprintf(", the gesture costs %s", o.Cost)
		}
		if o.PAccept != nil {
			text += fmt.Sprintf(", %.0f %% accept", 100**o.PAccept)
		}
		fmt.Fprintln(out, "  - "+text)
	}
}

// printDraft writes what a person may send or say to the customer.
func (f *caseFile) printDraft(out io.Writer) error {
	draft := f.Case.Draft
	if draft == nil {
		return fmt.Errorf("cannot show a draft: case %s has none, since there is nothing to say to one customer",
			f.Case.CaseID)
	}
	fmt.Fprintln(out, draft.Body)
	for _, answer := range draft.Objections {
		fmt.Fprintf(out, "\n> %s\n%s\n", answer.Objection, answer.Answer)
	}
	return nil
}

// printEvents lists what happened, oldest first.
func (f *caseFile) printEvents(out io.Writer, state *cases.State) {
	type happened struct {
		at   time.Time
		text string
	}
	var all []happened
	for _, e := range f.Life.Events() {
		text := strings.TrimSpace(string(e.Status) + " " + string(e.Outcome))
		if e.DecidedByRole != "" {
			text += ", by " + printable(e.DecidedByRole)
		}
		all = append(all, happened{e.At, text})
	}
	for _, r := range f.Life.Recoveries() {
		text := fmt.Sprintf("%s %s, %s %s", r.Option, r.Event, r.Amount, r.Currency)
		if r.Instalment > 0 {
			text += fmt.Sprintf(", instalment %d of %d", r.Instalment, r.Instalments)
		}
		all = append(all, happened{r.At, text})
	}
	if len(all) > 0 {
		fmt.Fprintln(out, "\nWhat happened (UTC)")
	}
	slices.SortStableFunc(all, func(a, b happened) int { return a.at.Compare(b.at) })
	for _, h := range all {
		fmt.Fprintf(out, "  %s  %s\n", h.at.UTC().Format(time.DateTime), h.text)
	}
	for _, flag := range state.Flags {
		fmt.Fprintf(out, "  does not fit: %s (event %s)\n", flag.Code, printable(flag.EventID))
	}
}

// next says which command comes next.
func (f *caseFile) next(state *cases.State) string {
	id := f.Case.CaseID[:13]
	switch {
	case !f.open(state):
		return "nothing; if that is wrong: recoup case reopen " + id
	case state.AcknowledgedAt.IsZero():
		return "recoup case ack " + id
	case state.Outcome == "" && f.Case.Kind != cases.KindInvoice:
		return "make sure of the above, then recoup case decide " + id + " confirmed_error, or not_an_error"
	case state.Outcome == cases.OutcomeConfirmed && f.Case.Kind == cases.KindIncident:
		return "settle its members, each by its invoice id like a case (recoup case ls --incident " + id +
			" lists them: decide, recover), then recoup case close " + id
	case state.Outcome == "":
		return "make sure of the above, then recoup case decide " + id + " confirmed_error --correct AMOUNT, or not_an_error"
	case state.Outcome == cases.OutcomeConfirmed && f.owed(state) > 0 && state.WrittenOff == 0:
		return fmt.Sprintf("recoup case recover %s immediate_payment offered (%s %s are owed), or recoup case close %s",
			id, f.owed(state), f.Case.Currency, id)
	}
	return "recoup case close " + id
}
