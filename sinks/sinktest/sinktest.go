// Package sinktest is the conformance suite of pipeline.Store: what every store
// of scored invoices must do, whether it is memory or ClickHouse.
package sinktest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline"
)

// Subject is an empty store under test and the means to look into it.
type Subject struct {
	// Store is what is tested.
	Store pipeline.Store
	// Rows returns all stored rows, in any order.
	Rows func(t *testing.T) []Row
	// Lines returns all stored lines, in any order.
	Lines func(t *testing.T) []Line
	// DropRows deletes rows and leaves their lines, as a crash between the two
	// inserts does.
	DropRows func(t *testing.T, offsets []int64)
}

// Owned is the hold of an owner that nobody has followed: it may insert.
func Owned(context.Context) error { return nil }

// Row is what the suite compares of a stored invoice.
type Row struct {
	Source    invoice.Position       // of the record
	Seller    string                 // as in the invoice
	InvoiceID string                 // as in the invoice
	Customer  string                 // customer_ref
	IssuedAt  time.Time              // UTC, in milliseconds
	Net       invoice.Amount         // before tax
	Billed    invoice.Amount         // as in the verdict
	LossLow   invoice.Amount         // lower end of the loss
	Gross     invoice.OptionalAmount // after tax, may be absent
	TaxRate   invoice.OptionalFixed  // may be absent
	Suspect   bool                   // as in the verdict
	PError    float64                // as in the verdict
	Rules     []string               // never nil
	Causes    []detectors.Finding    // never nil, Evidence never nil
	LineCount int                    // lines of the invoice
}

// Line is what the suite compares of a stored line.
type Line struct {
	Source      invoice.Position       // of the record
	Index       int                    // place on the invoice, from 0
	Product     string                 // product_id
	Description string                 // text of the line
	UnitPrice   invoice.OptionalFixed  // may be absent
	Net         invoice.OptionalAmount // may be absent
}

// Topic is the source topic of every row of the suite.
const Topic = "billing.invoices"

// Run runs the suite; open makes an empty store for each test.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	for name, test := range map[string]func(*testing.T, Subject){
		"round trip":            roundTrip,
		"once per block":        oncePerBlock,
		"token is the offsets":  tokenIsTheOffsets,
		"stored by partition":   storedByPartition,
		"lines of a lost row":   linesOfALostRow,
		"remove and insert":     removeAndInsert,
		"remove one partition":  removeOnePartition,
		"remove held":           removeHeld,
		"sweep":                 sweep,
		"drop":                  drop,
		"seal":                  seal,
		"empty block":           emptyBlock,
		"months":                months,
		"extremes":              extremes,
		"fence spares others":   fenceSparesOthers,
		"cancelled insert":      cancelledInsert,
		"hold refuses":          holdRefuses,
		"block of another kind": foreignBlock,
		"large block":           largeBlock,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// owner is the owner of partition p in an epoch.
func owner(p int, epoch int64) pipeline.Owner {
	return pipeline.Owner{Group: "recoup/test_a", Topic: Topic, Partition: p, Epoch: epoch}
}

// start is when the suite's first invoice was issued; its month has 19 more days.
var start = time.Date(2026, 11, 12, 8, 0, 0, 0, time.UTC)

// Sample returns the invoice and verdict of a source record: always the same
// for a partition and offset, of two lines, every fifth a suspect with causes.
func Sample(partition int, offset int64) (*invoice.Invoice, *detectors.Verdict) {
	id := fmt.Sprintf("F-%d-%d", partition, offset)
	inv := &invoice.Invoice{EventID: "e-" + id, Seller: "acme", ID: id, Currency: "EUR", Number: "FR " + id,
		IssuedAt: start.Add(time.Duration(offset) * time.Second), NetAmount: invoice.Amount(1_000_000 + offset),
		CustomerRef: fmt.Sprintf("c-%d", offset%17), CustomerType: []string{"B2C", "B2B"}[offset%2],
		ProductFamily: []string{"fibre", "mobile", "tv"}[offset%3], EntryChannel: "api",
		GrossAmount: invoice.OptionalAmount{Value: invoice.Amount(1_200_000 + offset), Set: offset%4 != 0},
		PromoCodes:  []string{"P1", "P2"}[:offset%3]}
	if !inv.GrossAmount.Set {
		inv.GrossAmount.Value = 0
	}
	for l := range 2 {
		inv.Lines = append(inv.Lines, invoice.Line{ID: fmt.Sprint(l), ProductID: fmt.Sprintf("sku-%d", offset%7),
			Description: "Abonnement n° " + fmt.Sprint(l),
			UnitPrice:   invoice.OptionalFixed{Value: invoice.Fixed(offset*100 + int64(l)), Set: true},
			Net:         invoice.OptionalAmount{Value: invoice.Amount(500_000+offset) * invoice.Amount(1-l), Set: l == 0}})
	}
	v := &detectors.Verdict{Schema: "verdict.v1", Seller: inv.Seller, InvoiceID: id, PError: float64(offset%10) / 10,
		Decision: detectors.DecisionNone, Direction: detectors.DirectionNone, AmountBasis: detectors.BasisGross,
		Currency: "EUR", Billed: inv.GrossAmount.Value, Level: detectors.LevelCustomerType, N: offset, Rules: []string{},
		Loss: detectors.Loss{Low: -1, Point: 2, High: 5}, Causes: []detectors.Finding{},
		Model:  detectors.Model{Version: "prior-1", ReferenceAsOf: "2026-11-01T00:00:00Z"},
		Source: invoice.Position{Topic: Topic, Partition: partition, Offset: offset}}
	if offset%5 == 0 {
		v.Suspect, v.Decision, v.CaseID = true, detectors.DecisionOpenCase, "case-"+id
		v.Rules = []string{detectors.RuleCustomerType, "promotion:over_cap"}
		v.Causes = []detectors.Finding{
			{Code: detectors.CausePromotion, Kind: "over_cap", P: 0.75, Repaired: invoice.Amount(offset),
				Evidence: []string{"67,6 % de remise", "cap 25 %"}},
			{Code: detectors.CauseUnknown, P: 0.25, Evidence: []string{}},
		}
	}
	return inv, v
}

// received is the Kafka timestamp of the suite's records.
var received = start.Add(time.Hour).UnixMilli()

// block returns a block of these offsets of a partition.
func block(s Subject, partition int, offsets ...int64) pipeline.Block {
	b := s.Store.NewBlock()
	for _, offset := range offsets {
		inv, v := Sample(partition, offset)
		b.Append(inv, v, received)
	}
	return b
}

// rowOf is what the suite expects to find of a record.
func rowOf(inv *invoice.Invoice, v *detectors.Verdict) Row {
	return Row{Source: v.Source, Seller: inv.Seller, InvoiceID: inv.ID, Customer: inv.CustomerRef,
		IssuedAt: inv.IssuedAt, Net: inv.NetAmount, Billed: v.Billed, LossLow: v.Loss.Low, Gross: inv.GrossAmount,
		TaxRate: inv.TaxRate, Suspect: v.Suspect, PError: v.PError, Rules: v.Rules, Causes: v.Causes,
		LineCount: len(inv.Lines)}
}
