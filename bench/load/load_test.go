package load

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"

	"recoup/invoice"
)

// read is what the tests look at in a generated invoice.
type read struct {
	Seller        string         `json:"seller"`
	InvoiceID     string         `json:"invoice_id"`
	IssuedAt      string         `json:"issued_at"`
	CustomerRef   string         `json:"customer_ref"`
	CustomerType  string         `json:"customer_type"`
	ProductFamily string         `json:"product_family"`
	DeliveryRef   string         `json:"delivery_ref"`
	NetAmount     invoice.Amount `json:"net_amount"`
	TaxAmount     invoice.Amount `json:"tax_amount"`
	GrossAmount   invoice.Amount `json:"gross_amount"`
	Lines         []struct {
		LineNet invoice.Amount `json:"line_net"`
	} `json:"lines"`
}

func (r *read) sum() (sum invoice.Amount) {
	for _, line := range r.Lines {
		sum += line.LineNet
	}
	return sum
}

var everything = Plan{
	Invoices: 20_000, Partitions: 4, Sellers: 2, Segments: 5, Customers: 300, Seed: 7, WarmUp: 60,
	Injected: 0.03, Redelivered: 0.01, Late: 0.02, Garbage: 0.01, Separated: true,
}

// largest lets all kinds of garbage come.
const largest = 20_000_000

// The same plan gives the same stream; another seed another one.
func TestStreamIsDeterministic(t *testing.T) {
	again, other := everything, everything
	other.Seed++
	a, b, c := New(everything), New(again), New(other)
	differ := false
	for range 30_000 {
		recordA, truthA := a.Next()
		recordB, truthB := b.Next()
		recordC, _ := c.Next()
		if !bytes.Equal(recordA.Value, recordB.Value) || truthA != truthB {
			t.Fatalf("record %d differs between two generators of one plan", truthA.Seq)
		}
		differ = differ || !bytes.Equal(recordA.Value, recordC.Value)
	}
	if !differ {
		t.Error("another seed gives the same stream")
	}
}

// The ledger tells the truth: what it says of each record is what the record says.
func TestTruthMatchesRecords(t *testing.T) {
	offsets := make([]int64, everything.Partitions)
	first := map[string][]byte{}      // invoice → bytes of its first delivery
	deliveries := map[string]string{} // delivery → customer
	partitionOf := map[string]int{}   // customer → partition
	kinds, broken := map[string]int{}, map[string]int{}
	redelivered, late := 0, 0
	plan := everything
	plan.LargestGarbage = largest
	for record, truth := range New(plan).All() {
		if known, seen := partitionOf[string(record.Key)]; seen && known != record.Partition {
			t.Fatalf("customer %s is on partitions %d and %d", record.Key, known, record.Partition)
		}
		partitionOf[string(record.Key)] = record.Partition
		if truth.Offset != offsets[record.Partition] {
			t.Fatalf("record %d has offset %d, want %d", truth.Seq, truth.Offset, offsets[record.Partition])
		}
		offsets[record.Partition]++
		if truth.GarbageKind != "" {
			broken[truth.GarbageKind]++
			continue
		}
		var inv read
		if err := json.Unmarshal(record.Value, &inv); err != nil {
			t.Fatalf("record %d: %v\n%s", truth.Seq, err, record.Value)
		}
		if inv.InvoiceID != truth.InvoiceID || inv.Seller != truth.Seller || inv.NetAmount != truth.Net ||
			inv.CustomerRef != string(record.Key) || truth.Partition != record.Partition {
			t.Fatalf("truth %+v does not describe %s", truth, record.Value)
		}
		if inv.NetAmount+inv.TaxAmount != inv.GrossAmount {
			t.Errorf("net %v + tax %v is not gross %v", inv.NetAmount, inv.TaxAmount, inv.GrossAmount)
		}
		before, known := first[inv.InvoiceID]
		if known != truth.Redelivery || (known && !bytes.Equal(before, record.Value)) {
			t.Fatalf("record %d: redelivery %v, seen before %v, or other bytes", truth.Seq, truth.Redelivery, known)
		}
		if truth.Redelivery {
			redelivered++
			continue
		}
		first[inv.InvoiceID] = record.Value
		if truth.Late {
			late++
		}
		kinds[truth.Kind]++
		checkKind(t, &inv, truth, deliveries)
		deliveries[inv.DeliveryRef] = inv.CustomerRef
	}
	if len(first) != everything.Invoices {
		t.Errorf("%d distinct invoices, want %d", len(first), everything.Invoices)
	}
	if len(broken) < 12 || len(broken) != len(GarbageKinds(largest)) {
		t.Errorf("%d kinds of garbage came, want all %d", len(broken), len(GarbageKinds(largest)))
	}
	for _, kind := range Kinds() {
		if kinds[kind] < 50 {
			t.Errorf("%d invoices of kind %s", kinds[kind], kind)
		}
	}
	if redelivered < 100 || late < 200 {
		t.Errorf("%d redeliveries, %d late", redelivered, late)
	}
}

// checkKind checks that an invoice has exactly the error its truth names.
func checkKind(t *testing.T, inv *read, truth Truth, deliveries map[string]string) {
	t.Helper()
	owner, delivered := deliveries[inv.DeliveryRef]
	if delivered != (truth.Kind == KindDuplicate) || (delivered && owner != inv.CustomerRef) {
		t.Fatalf("record %d of kind %q: delivery %s seen before: %v", truth.Seq, truth.Kind, inv.DeliveryRef, delivered)
	}
	sum := inv.sum()
	switch truth.Kind {
	case KindZeroTotal:
		if inv.NetAmount != 0 || inv.GrossAmount != 0 || sum == 0 || truth.Loss != sum+sum/5 {
			t.Errorf("zero total: %+v, truth %+v", inv, truth)
		}
	case KindSumMismatch:
		if missing := sum - inv.NetAmount; missing <= 0 || truth.Loss != missing+missing/5 {
			t.Errorf("sum mismatch: lines %v, %+v", sum, truth)
		}
	case KindDuplicate:
		if truth.Loss != -inv.GrossAmount {
			t.Errorf("duplicate: %+v", truth)
		}
	case KindLow:
		if truth.Loss <= 0 || sum != inv.NetAmount {
			t.Errorf("low: lines %v, %+v", sum, truth)
		}
	default:
		if sum != inv.NetAmount || truth.Loss != 0 || truth.Injected {
			t.Errorf("right invoice: lines %v, %+v", sum, truth)
		}
	}
}

// In a separated plan no right invoice comes nearer than 5 points to the 15 %
// threshold of either margin and no low one either, whatever part of the right
// ones the mean is taken of; each margin is narrow. After the warm-up every
// segment has its 60 right invoices on every partition (A4).
func TestSeparatedPlan(t *testing.T) {
	for _, lines := range []int{1, 3, 20} {
		plan := everything
		plan.Lines, plan.Invoices = lines, 8_000
		usual, low := map[string][]float64{}, map[string][]float64{}
		warm := map[[2]string]int{}
		for record, truth := range New(plan).All() {
			if !truth.HasRow() {
				continue
			}
			var inv read
			if err := json.Unmarshal(record.Value, &inv); err != nil {
				t.Fatal(err)
			}
			for _, margin := range []string{inv.CustomerType, inv.ProductFamily} {
				key := inv.Seller + margin
				switch truth.Kind {
				case KindLow:
					low[key] = append(low[key], float64(inv.NetAmount))
				case KindZeroTotal:
				default:
					usual[key] = append(usual[key], float64(inv.NetAmount))
				}
				if truth.WarmUp {
					warm[[2]string{key, string(rune('0' + truth.Partition))}]++
				}
			}
		}
		for key, amounts := range usual {
			mean, cv, least, most := spread(amounts)
			if cv > 0.02 || least/most < 0.96 {
				t.Errorf("%d lines, %s: cv %.4f, least %.4f of the most", lines, key, cv, least/most)
			}
			for _, amount := range low[key] {
				if amount > 0.76*mean || amount < 0.59*mean {
					t.Errorf("%d lines, %s: low invoice at %.3f of the mean", lines, key, amount/mean)
				}
			}
		}
		if len(warm) != 2*2*5*4 {
			t.Errorf("%d margins of partitions were warmed up", len(warm))
		}
		for where, n := range warm {
			if n < 60 {
				t.Errorf("%v has %d invoices of warm-up", where, n)
			}
		}
	}
}

func spread(amounts []float64) (mean, cv, least, most float64) {
	least, most = amounts[0], amounts[0]
	var sum, squares float64
	for _, a := range amounts {
		sum += a
		least, most = min(least, a), max(most, a)
	}
	mean = sum / float64(len(amounts))
	for _, a := range amounts {
		squares += (a - mean) * (a - mean)
	}
	return mean, math.Sqrt(squares/float64(len(amounts))) / mean, least, most
}

// Skewed invoices are issued up to twelve hours ahead of the stream, the others in step.
func TestSkewed(t *testing.T) {
	plan := Plan{Invoices: 2_000, WarmUp: -1, Skewed: 0.1, Seed: 3}
	ahead, n := 0, 0
	for record := range New(plan).All() {
		var inv struct {
			IssuedAt time.Time `json:"issued_at"`
		}
		if err := json.Unmarshal(record.Value, &inv); err != nil {
			t.Fatal(err)
		}
		skew := inv.IssuedAt.Sub(New(plan).Plan().Start) - time.Duration(n)*time.Second
		if n++; skew > 0 {
			ahead++
		}
		if skew < 0 || skew > mostSkew {
			t.Errorf("invoice %d is issued %v ahead", n, skew)
		}
	}
	if ahead < 150 || ahead > 250 {
		t.Errorf("%d of %d are ahead, want about 200", ahead, n)
	}
}

// A line of the ledger reads back as the truth it was written from.
func TestLedgerRoundTrip(t *testing.T) {
	var ledger []byte
	var want []Truth
	for _, truth := range New(everything).All() {
		want = append(want, truth)
		ledger = truth.AppendJSON(ledger)
	}
	n := 0
	for line := range bytes.Lines(ledger) {
		var got Truth
		if err := json.Unmarshal(line, &got); err != nil || got != want[n] {
			t.Errorf("line %d: got %+v, want %+v, error %v", n, got, want[n], err)
		}
		n++
	}
	if n != len(want) {
		t.Errorf("read %d of %d lines", n, len(want))
	}
}

// The zero plan is a plan: 100,000 right invoices of 3 lines.
func TestZeroPlan(t *testing.T) {
	n := 0
	for _, truth := range New(Plan{}).All() {
		if !truth.HasRow() || truth.Injected || truth.Late {
			t.Fatalf("unexpected %+v", truth)
		}
		n++
	}
	if n != 100_000 {
		t.Errorf("%d invoices", n)
	}
}

// What the ledger calls garbage the decoder refuses, and it takes all the rest:
// so the dead letters of a run are exactly the garbage sent (G6).
func TestDecoderAgreesWithLedger(t *testing.T) {
	var inv invoice.Invoice
	decoder := invoice.NewDecoder(invoice.Limits{})
	plan := everything
	plan.LargestGarbage = largest
	for record, truth := range New(plan).All() {
		err := decoder.Decode(record.Value, &inv)
		if (err != nil) != (truth.GarbageKind != "") {
			t.Fatalf("record %d, garbage %q: decoder says %v", truth.Seq, truth.GarbageKind, err)
		}
		if err == nil && (inv.ID != truth.InvoiceID || inv.NetAmount != truth.Net) {
			t.Fatalf("record %d: decoded %s %v, truth %+v", truth.Seq, inv.ID, inv.NetAmount, truth)
		}
	}
}

// One core makes at least 200,000 invoices of 3 lines a second.
func BenchmarkNext(b *testing.B) {
	g := New(Plan{Separated: true, Injected: 0.03, Redelivered: 0.001, Late: 0.01})
	b.ReportAllocs()
	for b.Loop() {
		record, _ := g.Next()
		b.SetBytes(int64(len(record.Value)))
	}
}
