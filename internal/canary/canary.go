// Package canary makes invoices that are wrong on purpose, from a seller's own
// recent ones, to prove that recoup sees. Each kind contradicts itself or another
// invoice, so that no model and little history is needed to find it: one that is
// not found means that something is broken, not that it was hard.
package canary

import (
	"strings"
	"time"

	"recoup/invoice"
)

// Kind is one way a canary is wrong.
type Kind string

// The kinds, in the order they take turns.
const (
	ZeroTotal   Kind = "zero_total"   // nothing is billed although the lines are not free
	SumMismatch Kind = "sum_mismatch" // a fifth is missing between the lines and the net amount
	Duplicate   Kind = "duplicate"    // the invoice again, under another id and number
)

// Kinds are all kinds.
var Kinds = []Kind{ZeroTotal, SumMismatch, Duplicate}

// Prefix is what the ids of canaries begin with.
const Prefix = "canary-"

// Fits tells whether canaries can be made from an invoice: a usual one that was
// issued, with lines that are the whole of it.
func Fits(src *invoice.Invoice) bool {
	if src.Type != invoice.Standard || src.Stage != invoice.Issued || src.Canary || len(src.Lines) == 0 ||
		src.NetAmount < 100*invoice.Coin(src.Currency) {
		return false
	}
	var sum invoice.Amount
	for i := range src.Lines {
		net := src.Lines[i].Net
		if !net.Set || net.Value <= 0 {
			return false
		}
		var ok bool
		if sum, ok = sum.Add(net.Value); !ok {
			return false
		}
	}
	return sum-src.DiscountAmount.Value == src.NetAmount
}

// Make returns a wrong copy of an invoice that Fits, issued at a moment under an id
// of its own. The copy shares nothing with src.
func Make(src *invoice.Invoice, kind Kind, id string, at time.Time) *invoice.Invoice {
	inv := src.Clone()
	inv.Canary = true
	inv.ID, inv.EventID, inv.Number, inv.Revision = Prefix+id, Prefix+id, Prefix+id, 0
	inv.BatchID = "" // it belongs to no run
	if !inv.DueAt.IsZero() {
		inv.DueAt = at.Add(src.DueAt.Sub(src.IssuedAt)).Truncate(24 * time.Hour)
	}
	inv.IssuedAt = at.UTC().Truncate(time.Millisecond)
	switch kind {
	case ZeroTotal:
		inv.NetAmount = 0
		for _, amount := range []*invoice.OptionalAmount{&inv.GrossAmount, &inv.TaxAmount} {
			amount.Value = 0 // whether it was stated or not
		}
	case SumMismatch:
		coin := invoice.Coin(inv.Currency)
		for _, amount := range []*invoice.Amount{&inv.NetAmount, &inv.TaxAmount.Value} {
			*amount = *amount / 5 * 4 / coin * coin
		}
		if inv.GrossAmount.Set {
			inv.GrossAmount.Value = inv.NetAmount + inv.TaxAmount.Value
		}
	}
	return inv
}

// MadeUp is an invoice to make canaries from where a seller has none yet.
func MadeUp(seller string, at time.Time) *invoice.Invoice {
	line := func(id string, quantity invoice.Fixed, net invoice.Amount) invoice.Line {
		return invoice.Line{ID: id, ProductID: Prefix + id, ProductFamily: "canary", Description: "made up by recoup",
			Quantity:  invoice.OptionalFixed{Value: quantity, Set: true},
			UnitPrice: invoice.OptionalFixed{Value: 25_00000000, Set: true},
			Net:       invoice.OptionalAmount{Value: net, Set: true}}
	}
	return &invoice.Invoice{
		Seller: strings.Clone(seller), ID: "made-up", IssuedAt: at, Currency: "EUR", NetAmount: 150_0000,
		CustomerRef: "canary", CustomerType: "canary", ProductFamily: "canary", SourceSystem: "recoup-canary",
		Lines: []invoice.Line{line("1", 4_00000000, 100_0000), line("2", 2_00000000, 50_0000)},
	}
}
