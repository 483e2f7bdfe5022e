// Package story plays the people around recoup: the team that works the cases and
// the customers who pay, refuse, pay late, dispute. It knows the truth about every
// invoice, acts in virtual time, and is decided by a seed alone: the same cases
// give the same events, in whatever order they come. What it did stands in a
// Ledger, from which every KPI can be counted a second time, without SQL.
package story

import (
	"math/rand/v2"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// Truth is what is really the matter with an invoice. Amounts are what the
// customer pays.
type Truth struct {
	Cause string         // a code of the contract; "" when the invoice is right
	Due   invoice.Amount // what should have been billed
	Loss  invoice.Amount // Due less what was billed; 0 where only papers or dates are wrong
}

// Wrong tells whether the invoice holds an error.
func (t Truth) Wrong() bool { return t.Cause != "" }

// direction says who gains by the error.
func (t Truth) direction() detectors.Direction {
	switch {
	case t.Loss > 0:
		return detectors.DirectionCustomerFavour
	case t.Loss < 0:
		return detectors.DirectionSellerFavour
	}
	return detectors.DirectionNone
}

// Invoice is what the people know of a scored invoice.
type Invoice struct {
	Seller, ID string         // its identity, with revision 0
	Customer   string         // pseudonym; may be empty
	Currency   string         // of Billed
	IssuedAt   time.Time      // as the invoice claims
	ScoredAt   time.Time      // when recoup judged it
	Billed     invoice.Amount // what the customer was asked to pay
	Suspect    bool           // recoup's verdict
	PError     float64        // probability of an error, as scored
	CountsIn   bool           // an issued invoice: credit notes are in no rate of errors
	Loss       invoice.Amount // as recoup put it; > 0: billed too little
	Cause      string         // most probable one, as recoup put it
	Rules      []string       // codes of what fired
	Level      string         // of the baseline behind what recoup expected
	IncidentID string         // the incident it joined when it was scored; "" for none

	caseID string // that its case has, if there is one; set by the ledger
	wrong  bool   // it holds an error; set by the story
}

// Options say who the people are. The zero value of a share means its default.
type Options struct {
	// Seed decides all that people choose.
	Seed uint64
	// Truth tells what is the matter with an invoice.
	Truth func(invoiceID string) Truth
	// AuditRate is the share of unflagged invoices that an audit looks at. By default 0.003.
	AuditRate float64
	// AuditSalt varies which ones. By default "demo".
	AuditSalt string
	// Hurried lets people act at once, each event a millisecond after the one before:
	// nothing happens after now where cases are detected now. By default they take the
	// hours and weeks that people take.
	Hurried bool
}

// Story plays one stream of cases. It is used by one goroutine at a time.
type Story struct {
	opt    Options
	ledger *Ledger
	played map[string]bool // case_id → the people have dealt with it
	// asked are members of incidents, by case_id, and when the team began to ask for them.
	asked     map[string]time.Time
	incidents bool // there are some
}

// Usual share and salt of the audit.
const (
	usualAuditRate = 0.003
	usualAuditSalt = "demo"
)

// New returns a story in which nothing has happened yet.
func New(opt Options) *Story {
	if opt.AuditRate == 0 {
		opt.AuditRate = usualAuditRate
	}
	if opt.AuditSalt == "" {
		opt.AuditSalt = usualAuditSalt
	}
	return &Story{opt: opt, ledger: newLedger(), played: map[string]bool{}, asked: map[string]time.Time{}}
}

// Ledger returns what has happened so far. It grows with the story.
func (s *Story) Ledger() *Ledger { return s.ledger }

// Invoice tells the people of a scored invoice: a customer may dispute it, an
// auditor may look at it. It returns what they do.
func (s *Story) Invoice(inv Invoice) []Message {
	truth := s.opt.Truth(inv.ID)
	inv.wrong = truth.Wrong()
	s.ledger.invoice(inv)
	if !inv.CountsIn {
		return nil
	}
	w := s.writer(cases.ID(cases.DedupKey(inv.Seller, inv.ID, 0)), "invoice", inv.ScoredAt)
	w.invoiceID, w.currency = inv.ID, inv.Currency
	if w.disputes(truth, inv.Suspect) {
		w.wait(2*day, 20*day)
		w.dispute(inv, truth)
	}
	if !inv.Suspect && Sampled(inv.Seller, inv.ID, s.opt.AuditSalt, s.opt.AuditRate) {
		w.now = inv.ScoredAt.Truncate(time.Millisecond)
		w.audit(truth)
	}
	if inv.Suspect {
		w.messages = append(w.messages, s.pursue()...)
	}
	return w.messages
}

// Case tells the people of a record of recoup.cases. They act on the first one of
// each case, to the end; later ones tell them nothing new.
func (s *Story) Case(c *cases.Case) []Message {
	s.ledger.heard(c)
	s.incidents = s.incidents || c.Kind == cases.KindIncident
	if s.played[c.CaseID] || c.Action == cases.ActionResolve {
		return s.pursue()
	}
	s.played[c.CaseID] = true
	from := c.DetectedAt
	if asked := s.asked[c.CaseID]; asked.After(from) {
		from = asked
	}
	w := s.writer(c.CaseID, "case", from)
	w.invoiceID, w.currency, w.origin = c.InvoiceID, s.currencyOf(c), c.Origin
	if c.Kind == cases.KindInvoice {
		w.work(s.opt.Truth(c.InvoiceID))
	} else {
		w.workMany(c)
	}
	return append(w.messages, s.pursue()...)
}

// currencyOf is that of a case, or of its invoice where a customer found the error and
// the case knows of no amount; "" where it is about no money.
func (s *Story) currencyOf(c *cases.Case) string {
	if _, known := invoice.Exponent(c.Currency); known {
		return c.Currency
	}
	return s.ledger.currencies[c.InvoiceID]
}

// writer returns the hand that writes what happens around one case, from a
// moment on. Its dice know only the seed and the case, not who came before.
func (s *Story) writer(caseID, role string, from time.Time) *writer {
	hash := xxhash.Sum64String(role + "|" + caseID)
	return &writer{
		dice: rand.New(rand.NewPCG(s.opt.Seed, hash)), ledger: s.ledger, caseID: caseID, role: role,
		now: from.UTC().Truncate(time.Millisecond), began: from.UTC().Truncate(time.Millisecond), hurried: s.opt.Hurried,
	}
}

const day = 24 * time.Hour

// Sampled tells whether an audit of a share of the unflagged invoices looks at
// this one: by a hash of seller, id and salt, so that everybody who asks gets the
// same answer, and a higher rate keeps the invoices of a lower one.
func Sampled(seller, invoiceID, salt string, rate float64) bool {
	return xxhash.Sum64String(seller+"|"+invoiceID+"|"+salt)>>sampleShift < uint64(rate*(1<<sampleBits))
}

// The upper bits of the hash are compared: a float64 holds that many exactly.
const (
	sampleBits  = 53
	sampleShift = 64 - sampleBits
)
