package sinks

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
	"recoup/sinks/sinktest"
)

// fullInvoice has a value in every field, so that a column that is not read back
// is missed.
func fullInvoice(t *testing.T) (*invoice.Invoice, *detectors.Verdict) {
	t.Helper()
	inv, v := sampleInvoice(33, 2)
	at := time.Date(2026, 3, 1, 9, 30, 0, 250e6, time.UTC)
	inv.Revision, inv.Stage, inv.Type, inv.Canary = 2, invoice.PreIssue, invoice.Correction, true
	inv.IssuedAt, inv.ShippedAt, inv.PrecedingID = at, at.Add(time.Hour), "FR-0"
	inv.NetAmount = -1<<63 + 1 // an amount of any size comes back exactly
	inv.DiscountAmount = invoice.OptionalAmount{Value: 1<<63 - 1, Set: true}
	inv.PrepaidAmount = invoice.OptionalAmount{Set: true}
	inv.DeliveryRef, inv.ContractRef, inv.PromoCodes, inv.TraceParent = "d'1\\", "k-1", []string{"A", "B"}, "00-1-2-3"
	inv.CRM = invoice.CRM{Plan: "gold", DiscountRate: invoice.OptionalFixed{Value: 1, Set: true}, ContractVersion: "v2",
		SyncedAt: at.Add(-time.Hour)}
	l := &inv.Lines[1]
	l.ListUnitPrice, l.DiscountRate = l.UnitPrice, invoice.OptionalFixed{Set: true}
	l.DiscountAmount, l.PromoCodes = invoice.OptionalAmount{Value: 7, Set: true}, []string{"C"}
	l.OrderLineRef, l.DeliveryRef = "o/1", "d-2"

	v.Suspect, v.Revision, v.Stage, v.PError, v.DeviationPct = true, 2, inv.Stage, 0.1+0.2, -17.0001
	v.Decision, v.Direction, v.Level = detectors.DecisionHold, detectors.DirectionSellerFavour, detectors.LevelCustomer
	v.Loss = detectors.Loss{Point: -2, Low: -3, High: -1}
	v.LateBy, v.IncidentID = detectors.Delay(90*time.Second), "i-1"
	v.Causes = append(v.Causes, detectors.Finding{Code: "unknown", Kind: "deviation", P: 0.5, Repaired: -5,
		Evidence: []string{"one", "two"}}, detectors.Finding{Code: "duplicate", Kind: "near", Evidence: []string{}})
	v.Model.ReferenceAsOf, v.Model.FeedbackAsOf = "2026-02-28T10:00:00.5Z", "2026-02-28T11:00:00Z"
	v.Model.Recovery = detectors.RecoveryRate{Rate: 0.4038, Cases: 100}
	v.Source = invoice.Position{Topic: "billing.invoices", Incarnation: 1, Partition: 3, Offset: 81234}
	noZero(t, "invoice", reflect.ValueOf(*inv))
	noZero(t, "line", reflect.ValueOf(*l))
	noZero(t, "verdict", reflect.ValueOf(*v))
	return inv, v
}

// noZero wants a value in every exported field.
func noZero(t *testing.T, what string, value reflect.Value) {
	t.Helper()
	for i := range value.NumField() {
		if field := value.Type().Field(i); field.IsExported() && value.Field(i).IsZero() {
			t.Errorf("%s.%s is zero: give it a value here, and read its column in lookup_rows.go", what, field.Name)
		}
	}
}

// store inserts invoices with their verdicts as a worker does.
func store(t *testing.T, s *Store, received time.Time, invoices []*invoice.Invoice, verdicts []*detectors.Verdict) {
	t.Helper()
	b := s.NewBlock()
	for i := range invoices {
		b.Append(invoices[i], verdicts[i], received.UnixMilli())
	}
	owner := testOwner
	owner.Topic, owner.Partition = verdicts[0].Source.Topic, verdicts[0].Source.Partition
	owner.Incarnation = verdicts[0].Source.Incarnation
	if err := s.Insert(t.Context(), owner, verdicts[0].Source.Offset, b, sinktest.Owned); err != nil {
		t.Fatal(err)
	}
}

func openReader(t *testing.T, s *Store) *Reader {
	t.Helper()
	r, err := OpenReader(s.client.settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// B23: everything that was stored of an invoice comes back, to the last digit.
func TestLookupReadsBackEverything(t *testing.T) {
	s := openStore(t)
	inv, v := fullInvoice(t)
	received := inv.IssuedAt.Add(time.Second)
	store(t, s, received, []*invoice.Invoice{inv}, []*detectors.Verdict{v})
	r := openReader(t, s)
	found, err := r.Invoices(t.Context(), Lookup{InvoiceID: inv.ID})
	if err != nil || len(found) != 1 {
		t.Fatalf("found %d rows, %v", len(found), err)
	}
	got := found[0]
	if err := r.Lines(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	got.Invoice.Lines[0].PromoCodes, inv.Lines[0].PromoCodes = nil, nil // no list and an empty one are the same
	if !reflect.DeepEqual(&got.Invoice, inv) {
		t.Errorf("invoice\n%+v\nwant\n%+v", &got.Invoice, inv)
	}
	if !reflect.DeepEqual(&got.Verdict, v) {
		t.Errorf("verdict\n%+v\nwant\n%+v", &got.Verdict, v)
	}
	if !got.ReceivedAt.Equal(received) || time.Since(got.StoredAt).Abs() > time.Minute {
		t.Errorf("received %v, stored %v", got.ReceivedAt, got.StoredAt)
	}
	names, err := r.Numbered(t.Context(), inv.Number)
	if err != nil || len(names) != 1 || names[0] != (InvoiceName{inv.Seller, inv.ID}) {
		t.Errorf("by its number: %v, %v", names, err)
	}
}

// Sellers, revisions and positions tell the rows of one id apart; a row that two
// epochs stored counts once.
func TestLookupTellsRowsApart(t *testing.T) {
	s := openStore(t)
	var invoices []*invoice.Invoice
	var verdicts []*detectors.Verdict
	for i := range int64(4) {
		inv, v := sampleInvoice(1, 1)
		inv.ID, inv.Revision, inv.IssuedAt = "F-'1", i/2, inv.IssuedAt.Add(time.Duration(i)*time.Hour)
		if i == 3 {
			inv.Seller = "other"
		}
		v.Source.Offset = 10 + i
		invoices, verdicts = append(invoices, inv), append(verdicts, v)
	}
	store(t, s, invoices[0].IssuedAt, invoices, verdicts)
	run(t, s, "INSERT INTO "+s.client.in(tableInvoices)+" SELECT * REPLACE (owner_epoch + 1 AS owner_epoch) FROM "+
		s.client.in(tableInvoices)+" WHERE source_offset = 10")
	r := openReader(t, s)
	one := int64(1)
	for name, c := range map[string]struct {
		lookup Lookup
		want   string // offsets, newest first
	}{
		"all":      {Lookup{InvoiceID: "F-'1"}, "[13 12 11 10]"},
		"seller":   {Lookup{InvoiceID: "F-'1", Seller: "acme-fr"}, "[12 11 10]"},
		"revision": {Lookup{InvoiceID: "F-'1", Revision: &one}, "[13 12]"},
		"both":     {Lookup{InvoiceID: "F-'1", Seller: "other", Revision: &one}, "[13]"},
		"position": {Lookup{InvoiceID: "F-'1", At: &verdicts[1].Source}, "[11]"},
		"nothing":  {Lookup{InvoiceID: "F-1"}, "[]"},
	} {
		found, err := r.Invoices(t.Context(), c.lookup)
		offsets := []int64{}
		for _, f := range found {
			offsets = append(offsets, f.Verdict.Source.Offset)
		}
		if got := fmt.Sprint(offsets); err != nil || got != c.want {
			t.Errorf("%s: offsets %s, %v; want %s", name, got, err, c.want)
		}
	}
}

// E2: the original of a duplicate is found by what the evidence says of it, and
// nothing that only resembles it or came later.
func TestLookupBefore(t *testing.T) {
	s := openStore(t)
	var invoices []*invoice.Invoice
	var verdicts []*detectors.Verdict
	add := func(id, delivery, customer string, days int) {
		inv, v := sampleInvoice(1, 0)
		inv.ID, inv.DeliveryRef, inv.CustomerRef, inv.Revision = id, delivery, customer, int64(len(invoices))
		inv.IssuedAt = inv.IssuedAt.AddDate(0, 0, days)
		v.Source.Offset = int64(len(invoices))
		invoices, verdicts = append(invoices, inv), append(verdicts, v)
	}
	add("A-1", "d-1", "c-1", 0) // the original
	add("A-2", "d-1", "c-2", 0) // not mentioned
	add("A-3", "d-2", "c-2", 0) // mentioned, but of another delivery and customer
	add("A-4", "d-3", "c-9", 1) // the customer's, mentioned
	add("B-1", "d-1", "c-9", 2) // the same id before, other content
	add("B-1", "d-1", "c-9", 3)
	add("A-5", "d-1", "c-9", 4) // came later
	store(t, s, invoices[0].IssuedAt, invoices, verdicts)
	r := openReader(t, s)
	subject := &Stored{Invoice: *invoices[5], Verdict: *verdicts[5]}
	found, err := r.Before(t.Context(), subject, "already invoiced with A-1\nresembles A-3,\tA-4, \\N and A-5's")
	ids := []string{}
	for _, f := range found {
		ids = append(ids, f.ID)
	}
	if got := fmt.Sprint(ids); err != nil || got != "[A-1 A-4 B-1]" {
		t.Fatalf("found %s, %v", got, err)
	}
	want := Earlier{InvoiceName: InvoiceName{"acme-fr", "A-1"}, IssuedAt: invoices[0].IssuedAt, Billed: 1_200_000,
		Currency: "EUR", Decision: "none"}
	if found[0] != want {
		t.Errorf("found %+v, want %+v", found[0], want)
	}
}

// B11: the state of a case is that of its last record and of what people did.
func TestLookupCase(t *testing.T) {
	s := openStore(t)
	w := newCopyWorld(t, s)
	sendStory(t, w)
	w.copyAll(t)
	r := openReader(t, s)
	got, ok, err := r.Case(t.Context(), "acme", "c0")
	if err != nil || !ok {
		t.Fatalf("case c0: %v, %v", ok, err)
	}
	if c := got.Case; c.Seq != 2 || c.Severity != cases.SeverityInfo || c.OwnerTeam != "sales" ||
		c.Loss.Point != 100*invoice.Unit || c.Economics.HandlingCost != 50*invoice.Unit {
		t.Errorf("case %+v", c)
	}
	got.Case = cases.Case{}
	want := CaseState{Status: "closed", Outcome: "confirmed_error", Cause: "data_entry",
		AcknowledgedAt: time.Date(2026, 11, 12, 10, 0, 1, 500e6, time.UTC),
		DecidedAt:      time.Date(2026, 11, 12, 12, 0, 0, 0, time.UTC),
		ClosedAt:       time.Date(2026, 12, 20, 12, 0, 0, 0, time.UTC),
		ConfirmedLoss:  invoice.OptionalAmount{Value: 110 * invoice.Unit, Set: true}, Paid: 110 * invoice.Unit}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("state %+v\nwant %+v", got, want)
	}
	if open, ok, err := r.Case(t.Context(), "acme", "c3"); err != nil || !ok || !open.Open || open.Status != "" {
		t.Errorf("case c3: %+v, %v, %v", open, ok, err)
	}
	if _, ok, err := r.Case(t.Context(), "acme", "c99"); err != nil || ok {
		t.Errorf("a case that is not there: %v, %v", ok, err)
	}
}
