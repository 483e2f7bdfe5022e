package cases

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"recoup/cases/message"
	"recoup/detectors"
	"recoup/invoice"
)

// Opener opens cases of single invoices, and brings them up to date. The same inputs
// give the same bytes: it knows no clock and keeps nothing. Its zero value opens cases
// without options, limits and drafts.
type Opener struct {
	// Database holds the table of scored invoices in ClickHouse, a name of
	// letters, digits and underscores. By default recoup.
	Database string
	// HandlingCost is what working one case costs, per currency.
	HandlingCost map[string]invoice.Amount
	// Terms are what is offered to customers.
	Terms Terms
	// Acceptance is how customers answered. Workers have none, nil: what they open says by
	// what share its decision was weighed, and the same invoice gives the same case whatever
	// was answered meanwhile. The case stage has all of it, and of a case it uses what was
	// known when the case was detected, so that it, too, writes the same however often.
	Acceptance *Acceptance
	// Kinds tells consumers from businesses.
	Kinds CustomerKinds
	// Limitations are the years after which nothing can be claimed any more.
	Limitations Limitations
	// Country is where customers are of whom the invoice does not say it; "": not known.
	Country string
	// Dashboard is the address of a board, in which {seller}, {case_id} and {invoice_id}
	// are replaced; "": none.
	Dashboard string
	// Runbooks is the address of the folder of runbooks; "": DefaultRunbooks.
	Runbooks string
	// Messages are the texts of drafts; nil: no drafts.
	Messages *message.Templates
	// Language of drafts, fr or en; "": that of the country.
	Language string
	// Channel of drafts: email, phone or chat. By default email.
	Channel string
}

// Open builds the finished case of a suspect invoice, copying what it keeps.
// v.CaseID must already be the ID of its dedup key. received is Kafka's record
// time, detected the moment of the decision.
func (o Opener) Open(inv *invoice.Invoice, v *detectors.Verdict, received, detected time.Time) *Case {
	key := DedupKey(inv.Seller, inv.ID, inv.Revision)
	c := &Case{
		Schema: Schema, CaseID: ID(key), DedupKey: key, Seq: 1, Origin: OriginDetector,
		Action: ActionOpen, Kind: KindInvoice, Severity: SeverityWarning,
		Seller: inv.Seller, Stage: inv.Stage,
		IssuedAt: inv.IssuedAt.UTC(), ReceivedAt: received.UTC(), DetectedAt: detected.UTC(),
		InvoiceID: inv.ID, Number: inv.Number, Customer: inv.CustomerRef,
		Segment: Segment{CustomerType: inv.CustomerType, ProductFamily: inv.ProductFamily,
			Level: v.Level, N: v.N, CV: v.CV},
		Source: v.Source, PError: v.PError, Direction: v.Direction, Rules: v.Rules,
		Basis: v.AmountBasis, Billed: v.Billed, Expected: v.Expected, Low: v.ExpectedLow, High: v.ExpectedHigh,
		Deviation: v.DeviationPct, Loss: v.Loss, Currency: inv.Currency, Causes: v.Causes,
		Verify:     verifyFirst(v),
		OwnerTeam:  OwnerTeam(topCause(v)),
		RespondBy:  detected.Add(RespondWithin).UTC(),
		EscalateAt: detected.Add(EscalateWithin).UTC(),
		Links:      Links{Runbook: o.Runbook(topCause(v)), Query: o.query(v.Source)},
		Model:      v.Model,
		Country:    inv.Country, Order: inv.OrderRef,
	}
	c.Admin = missingFields(inv, v, cmp.Or(inv.Country, o.Country), o.Kinds.Of(inv.CustomerType))
	c.Links.Dashboard = o.dashboard(c)
	o.limit(c, lossOf(c, &State{}))
	c.Summary = summarise(inv, v, c)
	c.Economics = o.weigh(lossOf(c, &State{}), v.PError, c)
	c.Economics.Decision = v.Decision
	if c.TooLate {
		c.Severity, c.Economics.Decision = SeverityInfo, detectors.DecisionLogOnly
	}
	o.settle(c, &State{})
	return c
}

// LastDay returns the last day, as 2028-02-29, on which the money of an invoice can be
// claimed; "" where the law is not known. It is what workers decide by.
func (o Opener) LastDay(inv *invoice.Invoice) string {
	return o.lastDay(inv.IssuedAt, inv.Country, inv.CustomerType)
}

func (o Opener) lastDay(issued time.Time, country, customerType string) string {
	return o.Limitations.Date(issued, cmp.Or(country, o.Country), o.Kinds.Of(customerType))
}

// limit says until when a loss can be claimed, and whether that was over when the case
// was detected. What is owed to the customer is no claim: no day ends it.
func (o Opener) limit(c *Case, loss invoice.Amount) {
	c.Limitation, c.TooLate = "", false
	if loss < 0 {
		return
	}
	c.Limitation = o.lastDay(c.IssuedAt, c.Country, c.Segment.CustomerType)
	c.TooLate = loss > 0 && c.Limitation != "" && c.DetectedAt.UTC().Format(time.DateOnly) > c.Limitation
}

// Refresh brings the money of an invoice's case, what may be offered and the draft up
// to date with where the case stands. Doing it twice changes nothing.
func (o Opener) Refresh(c *Case, s *State) {
	c.Settlement = s.settlement()
	loss, p := lossOf(c, s), c.PError
	switch s.Outcome {
	case OutcomeConfirmed:
		p = 1
	case OutcomeNotAnError, OutcomeExpectedChange:
		p = 0
	}
	o.limit(c, loss)
	decision := c.Economics.Decision
	c.Economics = o.weigh(loss, p, c)
	c.Economics.Decision = decision
	o.settle(c, s)
}

// lossOf is the loss that a case is about: as a person decided, else as it was found. Of
// an invoice in a foreign currency it is all of it, as in detectors' Stake.
func lossOf(c *Case, s *State) invoice.Amount {
	switch {
	case s.ConfirmedLoss.Set:
		return s.ConfirmedLoss.Value
	case detectors.ForeignCurrency(c.Causes):
		return magnitude(c.Billed)
	}
	return c.Loss.Point
}

// settle fills in what may be offered to the customer, and the draft. Nothing is left
// to offer where the case is closed, nothing was wrong, an agreement stands or it is too
// late to claim; a counter sale has nobody to offer it to.
func (o Opener) settle(c *Case, s *State) {
	c.Options, c.Draft = nil, nil
	over := s.Status == StatusClosed || s.Outcome == OutcomeNotAnError || s.Outcome == OutcomeExpectedChange ||
		s.Outcome == OutcomeDuplicate || s.Agreed != ""
	if over || c.TooLate || c.Customer == "" || c.Customer == invoice.Anonymous || detectors.ForeignCurrency(c.Causes) {
		return
	}
	_, due := owing(c, s)
	c.Options = o.Terms.Options(due, c.Currency, c.Segment.CustomerType, s, o.Acceptance, c.DetectedAt)
	c.Draft = o.Redraft(c, s)
}

// owing returns the loss of a case, > 0 billed too little, < 0 too much, and what is left
// of it.
func owing(c *Case, s *State) (loss, due invoice.Amount) {
	loss = lossOf(c, s)
	if loss > 0 {
		return loss, max(0, loss-s.Paid-s.WrittenOff)
	}
	return loss, loss
}

// Redraft writes what to tell the customer of a case that has a draft, in the opener's
// language and for its channel; nil: nothing is owed. A text of a user's that cannot be
// filled leaves none.
func (o Opener) Redraft(c *Case, s *State) *message.Draft {
	coin := invoice.Coin(c.Currency)
	loss, due := owing(c, s)
	due -= due % coin
	if o.Messages == nil || due == 0 {
		return nil
	}
	f := message.Facts{Lang: o.Language, Channel: cmp.Or(o.Channel, message.Email), Subject: message.Undercharge,
		Invoice: cmp.Or(c.Number, c.InvoiceID), Order: c.Order, IssuedAt: c.IssuedAt, Billed: c.Billed,
		Correct: add(c.Billed, loss-loss%coin), Due: magnitude(due), Currency: c.Currency, Confirmed: s.ConfirmedLoss.Set}
	f.Decided = s.Outcome == OutcomeConfirmed
	f.Verified = f.Decided || s.Verified.InvoiceIsWrong != nil && *s.Verified.InvoiceIsWrong
	if f.Lang == "" {
		f.Lang = message.LanguageOf(countryCode(cmp.Or(c.Country, o.Country)))
	}
	if due < 0 {
		f.Subject = message.Overcharge
	}
	if len(c.Causes) > 0 && c.Causes[0].Code != detectors.CauseUnknown {
		first := &c.Causes[0]
		f.Confirmed = f.Confirmed || (first.Repaired != c.Expected && c.Loss.Low == c.Loss.High) // as the summary says
		if en, fr, ok := Words(first); ok && first.Kind != detectors.KindNoRepair {
			f.What = map[string]string{message.English: en, message.French: fr}[f.Lang]
		}
	}
	for _, option := range c.Options {
		f.Options = append(f.Options, message.Option{Name: string(option.Option), Amount: option.Amount,
			Schedule: option.Schedule, Cost: option.Cost})
	}
	draft, err := o.Messages.Draft(&f)
	if err != nil {
		return nil
	}
	return draft
}

// DefaultRunbooks is where the runbooks lie in this repository.
const DefaultRunbooks = "docs/runbooks"

// Runbook returns the address of a runbook: that of a cause, incident, rate or blind.
func (o Opener) Runbook(page string) string {
	return strings.TrimSuffix(cmp.Or(o.Runbooks, DefaultRunbooks), "/") + "/" + page + ".md"
}

// dashboard returns the address of the case's board.
func (o Opener) dashboard(c *Case) string {
	return strings.NewReplacer("{seller}", url.QueryEscape(c.Seller), "{case_id}", url.QueryEscape(c.CaseID),
		"{invoice_id}", url.QueryEscape(c.InvoiceID)).Replace(o.Dashboard)
}

// query returns the SQL that finds the row of a source record, and no other:
// offsets repeat in other topics and after a topic was recreated.
func (o Opener) query(at invoice.Position) string {
	return fmt.Sprintf("SELECT * FROM %s.scored_invoices WHERE source_topic = %s AND source_incarnation = %d "+
		"AND source_partition = %d AND source_offset = %d",
		cmp.Or(o.Database, "recoup"), quoted(at.Topic), at.Incarnation, at.Partition, at.Offset)
}

// escapes are what a literal of ClickHouse's SQL writes differently.
var escapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// quoted returns a string as a literal of ClickHouse's SQL.
func quoted(s string) string {
	return "'" + escapes.Replace(s) + "'"
}
