package desk

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// noCurrency is ISO 4217's code for no currency: it marks the case of an invoice of
// which nothing but a dispute is known.
const noCurrency = "XXX"

// disputed is what customers say of one invoice.
type disputed struct {
	seller, invoice string
	seen            time.Time      // record time of the newest dispute
	earliest        *cases.Dispute // by time, then event id
	last            time.Time      // when the customer last disputed the invoice
	first           At             // record of the first one read
	// asked: the decision log was searched for the invoice, or need not be.
	asked bool
}

// take adds a dispute; a repeat changes nothing.
func (p *disputed) take(at time.Time, one *cases.Dispute) {
	p.last = latest(p.last, at)
	if p.earliest == nil || cmp.Or(at.Compare(p.earliest.At), strings.Compare(one.EventID, p.earliest.EventID)) < 0 {
		c := *one
		c.At = at
		p.earliest = &c
	}
}

// Dispute takes what a customer says of an invoice: it joins the invoice's case, or
// opens one.
func (d *Desk) Dispute(at At, one *cases.Dispute) {
	if d.old(at.Time) {
		return
	}
	key := invoiceKey(one.Seller, one.InvoiceID)
	p := d.disputed[key]
	if p == nil {
		if len(d.byInvoice[key]) == 0 && !d.admits(at) {
			return
		}
		p = &disputed{seller: one.Seller, invoice: one.InvoiceID, first: at}
		d.disputed[key] = p
	}
	p.seen = latest(p.seen, at.Time)
	p.take(cases.Plausible(one.At, at.Time), one)
	f := d.disputedCase(key)
	if f == nil && !p.asked {
		d.asks[key] = true
	}
	if f != nil {
		f.touched(at.Position)
		if f.bare && (f.base == nil || f.base.Currency == noCurrency) {
			f.base = d.bareCase(p) // an earlier dispute may have come
		}
		d.touch(f)
	}
}

// disputedCase returns the case that the disputes of an invoice are about: that of
// its highest revision, nil when it has none.
func (d *Desk) disputedCase(key string) (best *file) {
	highest := int64(-1)
	for _, id := range d.byInvoice[key] {
		f := d.files[id]
		revision := f.revision
		if f.bare && f.base == nil {
			revision = -1 // any other knows more
		}
		if best == nil || revision > highest {
			best, highest = f, revision
		}
	}
	return best
}

// openBare opens the case of an invoice of which nothing but disputes is known, unless it
// has one.
func (d *Desk) openBare(key string, p *disputed) {
	if len(d.byInvoice[key]) > 0 {
		return
	}
	c := d.bareCase(p)
	f := d.file(c.CaseID, p.seen)
	f.base, f.bare = c, true
	f.touched(p.first.Position)
	d.index(f, c)
	d.touch(f)
}

// reasonWords say what a customer questions, in English, and what he does, in French.
var reasonWords = map[cases.Reason][2]string{
	cases.ReasonWrongAmount:     {"the amount", "conteste le montant"},
	cases.ReasonPrice:           {"the price", "conteste le prix"},
	cases.ReasonDuplicate:       {"whether it was billed before", "signale qu'elle a déjà été facturée"},
	cases.ReasonNotDelivered:    {"the delivery", "conteste la livraison"},
	cases.ReasonQuality:         {"the quality of what was delivered", "conteste la qualité de ce qui a été livré"},
	cases.ReasonMissingDocument: {"a missing document", "réclame un document manquant"},
	cases.ReasonOther:           {"the invoice", "conteste la facture"},
}

// bareCase is the case of an invoice of which nothing but disputes is known: what the
// detector would say is absent, the amounts are 0 in no currency.
func (d *Desk) bareCase(p *disputed) *cases.Case {
	first := p.earliest
	inv := &invoice.Invoice{Seller: p.seller, ID: p.invoice, Currency: noCurrency, IssuedAt: first.At}
	key := cases.DedupKey(p.seller, p.invoice, 0)
	v := &detectors.Verdict{Schema: detectors.VerdictSchema, Seller: p.seller, InvoiceID: p.invoice,
		Decision: detectors.DecisionOpenCase, Direction: detectors.DirectionNone, Rules: []string{},
		AmountBasis: detectors.BasisNet, Currency: noCurrency, Level: detectors.LevelNone, Causes: []detectors.Finding{},
		CaseID: cases.ID(key), Source: p.first.Position, Model: detectors.Model{Version: "none", ConfigHash: noHash}}
	c := d.settings.Opener.Open(inv, v, p.first.Time, first.At)
	words := reasonWords[first.Reason]
	c.Origin = cases.OriginDispute
	c.Summary = cases.Summary{EN: fmt.Sprintf("Invoice %s: the customer questions %s.", p.invoice, words[0]),
		FR: fmt.Sprintf("Facture %s : le client %s.", p.invoice, words[1])}
	c.Links.Runbook = d.settings.Opener.Runbook("dispute")
	c.Links.Query = fmt.Sprintf("SELECT * FROM %s.scored_invoices WHERE seller = %s AND invoice_id = %s",
		cmp.Or(d.settings.Opener.Database, "recoup"), quoted(p.seller), quoted(p.invoice))
	return c
}

// quoted returns a string as a literal of ClickHouse's SQL.
func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// noHash stands where no settings decided.
const noHash = "0000000000000000"
