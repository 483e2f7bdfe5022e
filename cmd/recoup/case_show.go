package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"recoup/cases"
	"recoup/internal/config"
)

// caseLsCommand is `recoup case ls`.
type caseLsCommand struct {
	All    bool   `help:"Closed ones too."`
	Team   string `placeholder:"TEAM" help:"Only cases of this owner team."`
	Seller string `placeholder:"NAME" help:"Only cases of this seller."`
	// Incident lists members, with and without a case of their own.
	Incident string `placeholder:"ID" help:"The members of this incident, also those without a case of their own."`
	Limit    int    `default:"50" help:"List at most this many."`
	Lang     string `enum:"en,fr" default:"en" help:"Language: en or fr."`
	JSON     bool   `name:"json" help:"Write one JSON object a line."`
}

// Help is the longer text of `recoup case ls --help`.
func (*caseLsCommand) Help() string {
	return `Lists cases from the topics, no database needed: those whose answer is due first on top. A case is named by its
id, the first characters of it, or its invoice id in every other command.

Examples:

    recoup case ls
    recoup case ls --team billing
    recoup case ls --incident 2e80d1c4
    recoup case ls --all --json | jq -r .case_id`
}

// Run lists.
func (c *caseLsCommand) Run(ctx context.Context, s *session) error {
	book, err := openCases(s)
	if err != nil {
		return err
	}
	defer book.close()
	if err := c.read(ctx, book); err != nil {
		return err
	}
	listed, open, total := 0, 0, 0
	t := tongues[c.Lang]
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	if !c.JSON {
		fmt.Fprintln(w, t.columns)
	}
	for _, f := range sortedCases(book.cases) {
		state := f.state()
		isOpen := f.open(&state)
		if total++; isOpen {
			open++
		}
		if !isOpen && !c.All || listed >= c.Limit {
			continue
		}
		if listed++; c.JSON {
			if err := writeLine(s.stdout, f.summary(&state)); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Case.CaseID[:13], shorten(what(f.Case, t), 30),
			t.money(f.Case.Loss.Point, f.Case.Currency), t.code(firstCause(f.Case)), t.code(f.Case.OwnerTeam),
			f.status(&state, t), respondBy(f.Case, t))
	}
	if c.JSON {
		return nil
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("cannot write the list: %w", err)
	}
	c.count(s, t, open, total, listed)
	book.tellBroken(s)
	return nil
}

// count says how many there are, and how to see those that are not listed.
func (c *caseLsCommand) count(s *session, t *tongue, open, total, listed int) {
	counted := t.counted
	if c.Incident != "" {
		counted = t.countedMembers
	}
	if open < total && !c.All {
		counted += t.closedToo
	}
	fmt.Fprintf(s.stdout, "\n"+counted+"\n", open, total, listed)
}

// respondBy says until when to answer, where the case has a time of its own.
func respondBy(c *cases.Case, t *tongue) string {
	if c.RespondBy.IsZero() {
		return "-"
	}
	return c.RespondBy.UTC().Format(t.moment)
}

// read reads the cases that are asked for.
func (c *caseLsCommand) read(ctx context.Context, book *caseBook) error {
	wanted := func(k *cases.Case) bool {
		team := c.Team == "" || k.OwnerTeam == c.Team || tongues[c.Lang].code(k.OwnerTeam) == c.Team
		return team && (c.Seller == "" || k.Seller == c.Seller)
	}
	if c.Incident == "" {
		return book.read(ctx, wanted)
	}
	id := strings.ToLower(c.Incident)
	if len(id) < shortestID {
		return usage("cannot use --incident %q: want at least %d characters of its case id", c.Incident, shortestID)
	}
	members := func(k *cases.Case) bool {
		return k.Kind == cases.KindInvoice && strings.HasPrefix(k.IncidentID, id) && wanted(k)
	}
	err := book.readCases(ctx, members)
	if err == nil {
		err = book.readMuted(ctx, members)
	}
	if err != nil || len(book.cases) == 0 {
		return err
	}
	return book.readLives(ctx)
}

// tellBroken says that something in the topics could not be read.
func (b *caseBook) tellBroken(s *session) {
	if b.broken > 0 {
		fmt.Fprintf(s.stderr, "recoup: %d records of the case topics cannot be read; see recoup dead-letters ls\n", b.broken)
	}
}

// sortedCases puts what must be answered first on top.
func sortedCases(all map[string]*caseFile) []*caseFile {
	list := make([]*caseFile, 0, len(all))
	for _, f := range all {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b *caseFile) int {
		return cmp.Or(a.Case.RespondBy.Compare(b.Case.RespondBy), cmp.Compare(a.Case.CaseID, b.Case.CaseID))
	})
	return list
}

func firstCause(c *cases.Case) string {
	if len(c.Causes) == 0 {
		return "unknown"
	}
	return c.Causes[0].Code
}

// open tells whether somebody still has to do something.
func (f *caseFile) open(state *cases.State) bool { return !f.resolved(state) }

// caseSummary is a line of `recoup case ls --json`.
type caseSummary struct {
	CaseID    string        `json:"case_id"`               // whole
	Kind      cases.Kind    `json:"kind"`                  // of case.v1
	Seller    string        `json:"seller"`                // who billed
	InvoiceID string        `json:"invoice_id,omitempty"`  // of a case of one invoice
	Loss      string        `json:"loss"`                  // at stake; > 0: billed too little
	Currency  string        `json:"currency"`              // of Loss
	Cause     string        `json:"cause"`                 // most probable one
	OwnerTeam string        `json:"owner_team"`            // who can repair it
	Status    cases.Status  `json:"status"`                // step reached
	Outcome   cases.Outcome `json:"outcome,omitempty"`     // what it turned out to be
	Open      bool          `json:"open"`                  // somebody has to do something
	RespondBy time.Time     `json:"respond_by,omitzero"`   // answer due, UTC
	Flags     []cases.Flag  `json:"flags,omitempty"`       // records that do not fit
	Incident  string        `json:"incident_id,omitempty"` // incident it belongs to
}

func (f *caseFile) summary(state *cases.State) caseSummary {
	c := f.Case
	return caseSummary{CaseID: c.CaseID, Kind: c.Kind, Seller: c.Seller, InvoiceID: c.InvoiceID,
		Loss: c.Loss.Point.String(), Currency: c.Currency, Cause: firstCause(c), OwnerTeam: c.OwnerTeam,
		Status: cmp.Or(state.Status, cases.StatusOpened), Outcome: state.Outcome, Open: f.open(state),
		RespondBy: c.RespondBy, Flags: state.Flags, Incident: c.IncidentID}
}

func writeLine(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("cannot write JSON: %w", err)
	}
	return nil
}

// caseShowCommand is `recoup case show`.
type caseShowCommand struct {
	Name  string `arg:"" name:"case" help:"Case id, its first characters, or the invoice id."`
	Lang  string `enum:"en,fr," default:"" help:"Language: en or fr. By default en, of a draft the customer's."`
	Draft bool   `help:"Only the draft message to the customer and the prepared answers; recoup never sends it."`
	// Channel is that of the draft.
	Channel string `enum:"email,phone,chat," default:"" help:"With --draft: email, phone or chat. By default the case's."`
	JSON    bool   `name:"json" help:"Write the case, its state and all that happened as JSON."`
}

// Help is the longer text of `recoup case show --help`.
func (*caseShowCommand) Help() string {
	return `Shows one case from the topics: what is wrong and why recoup thinks so, what to verify first, all that people
did with it and what came back, and the commands that may come next. What does not fit is flagged, never dropped.

Examples:

    recoup case show 2026-000417
    recoup case show 5f0c2a9e --lang fr
    recoup case show 5f0c2a9e --draft > letter.txt
    recoup case show 5f0c2a9e --draft --lang fr --channel phone
    recoup case show 5f0c2a9e --json | jq .state`
}

// Run shows.
func (c *caseShowCommand) Run(ctx context.Context, s *session) error {
	if c.Channel != "" && !c.Draft {
		return usage("cannot use --channel without --draft: only a draft has one")
	}
	book, f, err := openNamed(ctx, s, c.Name)
	if err != nil {
		return err
	}
	defer book.close()
	state := f.state()
	switch {
	case c.JSON:
		return f.writeJSON(s.stdout, &state)
	case c.Draft:
		return c.draft(s.stdout, book.config, f, &state)
	}
	f.print(s.stdout, &state, tongues[cmp.Or(c.Lang, "en")])
	book.tellBroken(s)
	return nil
}

// draft writes what a person may send or say to the customer, in the language and for the
// channel that are asked for.
func (c *caseShowCommand) draft(out io.Writer, cfg *config.Config, f *caseFile, state *cases.State) error {
	draft := f.Case.Draft
	if draft != nil && (c.Lang != "" || c.Channel != "") {
		opener, err := cfg.Opener()
		if err != nil {
			return err
		}
		opener.Language, opener.Channel = cmp.Or(c.Lang, draft.Lang), cmp.Or(c.Channel, draft.Channel)
		draft = opener.Redraft(f.Case, state)
	}
	if draft == nil {
		return fmt.Errorf("cannot show a draft: case %s has none, since %s", f.Case.CaseID, f.whyNoDraft(state))
	}
	fmt.Fprintln(out, draft.Body)
	for _, answer := range draft.Objections {
		fmt.Fprintf(out, "\n> %s\n%s\n", answer.Objection, answer.Answer)
	}
	return nil
}

// writeJSON writes everything that is known.
func (f *caseFile) writeJSON(w io.Writer, state *cases.State) error {
	all := struct {
		Case       *cases.Case       `json:"case"`
		State      caseSummary       `json:"state"`
		Paid       string            `json:"paid"`
		Goodwill   string            `json:"goodwill_cost"`
		WrittenOff string            `json:"written_off"`
		Events     []json.RawMessage `json:"events"`
		Recoveries []json.RawMessage `json:"recoveries"`
	}{Case: f.Case, State: f.summary(state), Paid: state.Paid.String(), Goodwill: state.GoodwillCost.String(),
		WrittenOff: state.WrittenOff.String(), Events: []json.RawMessage{}, Recoveries: []json.RawMessage{}}
	for _, e := range f.Life.Events() {
		value, err := e.Encode()
		if err != nil {
			return err
		}
		all.Events = append(all.Events, value)
	}
	for _, r := range f.Life.Recoveries() {
		value, err := r.Encode()
		if err != nil {
			return err
		}
		all.Recoveries = append(all.Recoveries, value)
	}
	return writeLine(w, all)
}
