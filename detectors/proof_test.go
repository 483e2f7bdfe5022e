package detectors

import (
	"testing"

	"recoup/detectors/history"
	"recoup/invoice"
)

// A11: exact evidence has one probability wherever it is used, and none of it is
// certain.
func TestEveryProofIsInTheTable(t *testing.T) {
	for kind := range proofs {
		row := &proofTable[kind]
		if row.holds == nil || row.p < proofEnough || row.p >= 1 {
			t.Errorf("proof %d has p %v: want a condition and %v to below 1", kind, row.p, proofEnough)
		}
	}
}

// E1: habits of the seller leave evidence below one half, as a probability and in
// training; evidence that is rare only for known sellers needs a known one.
func TestHabitsProveNothing(t *testing.T) {
	var e evidence
	e.inv = plainInvoice()
	e.x[fTaxOff], e.x[fOrder2], e.x[fAlike2] = 1, 1, 1
	if p := e.proves(proofTaxAmount); p != proofTable[proofTaxAmount].p {
		t.Errorf("a wrong tax amount of a new seller proves %v", p)
	}
	if p := e.proves(proofOrder); p != habitualP {
		t.Errorf("an order that was billed before proves %v of a seller that nobody knows, want %v", p, habitualP)
	}
	known := conductAfter(600, func(int) bool { return false })
	e.facts.Known.Conduct = &known
	if p := e.proves(proofOrder); p != proofTable[proofOrder].p {
		t.Errorf("an order that was billed before proves %v of a seller that never does it", p)
	}
	habit := conductAfter(600, func(i int) bool { return i%5 == 0 })
	e.facts.Known.Conduct = &habit
	if p, all := e.proves(proofTaxAmount), e.proof(); p != habitualP || all != 0 {
		t.Errorf("a wrong tax amount that is a habit proves %v, and %v in training; want %v and 0", p, all, habitualP)
	}
}

// conductAfter is what a seller always does after n invoices, of which yes tells
// the ones that have every kind of exact evidence.
func conductAfter(n int, yes func(int) bool) history.Conduct {
	store := history.New(history.Limits{})
	for i := range n {
		f := history.Facts{Seller: 1, Day: int32(i / 20)}
		if yes(i) {
			f.Proofs = 1<<proofs - 1
		}
		store.Look(&f)
		store.Teach(&f, false)
	}
	f := history.Facts{Seller: 1}
	store.Look(&f)
	return *f.Known.Conduct
}

func plainInvoice() *invoice.Invoice {
	return &invoice.Invoice{Seller: "acme", Currency: "EUR", NetAmount: 100 * invoice.Unit}
}
