package inject

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"recoup/invoice"
)

func TestSharesOfCauses(t *testing.T) {
	sums, names := map[string]float64{}, map[string]bool{}
	for _, k := range Kinds {
		sums[k.Cause()] += k.Share()
		if name := k.Cause() + ":" + k.String(); names[name] || k.String() == "" {
			t.Errorf("%s names two kinds or none", name)
		} else {
			names[name] = true
		}
	}
	want := map[string]float64{
		"data_entry": 0.30, "billing_system": 0.22, "promotion": 0.15, "crm_sync": 0.15, "duplicate": 0.10,
		"missing_admin_data": 0.05, "before_shipment": 0.03,
	}
	for cause, share := range want {
		if math.Abs(sums[cause]-share) > 1e-9 {
			t.Errorf("%s has a share of %v, want %v", cause, sums[cause], share)
		}
	}
	if len(sums) != len(want) {
		t.Errorf("there are %d causes, want %d", len(sums), len(want))
	}
}

func TestNoKind(t *testing.T) {
	k := Kind(200)
	if k.String() != "unknown(200)" || k.Cause() != "" || k.Share() != 0 {
		t.Errorf("%v, cause %q, share %v", k, k.Cause(), k.Share())
	}
}

// Only invoices are spoilt: a credit note teaches nothing (design, decision).
func TestCreditNotesStay(t *testing.T) {
	src := decode(order)
	for _, src.Type = range []invoice.Type{invoice.CreditNote, invoice.Correction} {
		for _, k := range Kinds {
			if put(new(invoice.Invoice), src, k, rand.New(rand.NewPCG(1, 1)), orderContext()) {
				t.Errorf("%v fits a %v", k, src.Type)
			}
		}
	}
}

// drawn counts causes and kinds of many draws.
func drawn(n int, draw func() Kind) (causes map[string]float64, kinds map[Kind]float64) {
	causes, kinds = map[string]float64{}, map[Kind]float64{}
	for range n {
		k := draw()
		causes[k.Cause()] += 1 / float64(n)
		kinds[k] += 1 / float64(n)
	}
	return causes, kinds
}

func TestPickFollowsShares(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	_, kinds := drawn(100_000, func() Kind { return Pick(rng) })
	for _, k := range Kinds {
		if math.Abs(kinds[k]-k.Share()) > 0.004 {
			t.Errorf("%v was drawn %.4f of the time, want %.4f", k, kinds[k], k.Share())
		}
	}
}

// Leaving one cause out leaves the others in proportion.
func TestPickExcludes(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for cause, share := range causeShares {
		causes, _ := drawn(20_000, func() Kind { return Pick(rng, cause) })
		if causes[cause] != 0 {
			t.Errorf("%s was drawn though excluded", cause)
		}
		for other, otherShare := range causeShares {
			want := otherShare / (100 - share)
			if other != cause && math.Abs(causes[other]-want) > 0.02 {
				t.Errorf("without %s, %s was drawn %.3f of the time, want %.3f", cause, other, causes[other], want)
			}
		}
	}
}

// Kinds that do not fit give way within their cause: an invoice without legal
// fields, period and promotions still gets each cause by its share.
func TestAnyKeepsShares(t *testing.T) {
	src := decode(order)
	src.LegalFieldsPresent, src.PeriodStart, src.Lines = nil, time.Time{}, src.Lines[:1]
	rng, dst := rand.New(rand.NewPCG(5, 6)), new(invoice.Invoice)
	causes, _ := drawn(20_000, func() Kind {
		kind, ok := Any(dst, src, rng, nil)
		if !ok {
			t.Fatal("nothing fits")
		}
		return kind
	})
	for cause, share := range causeShares {
		if math.Abs(causes[cause]-share/100) > 0.02 {
			t.Errorf("%s was injected %.3f of the time, want %.2f", cause, causes[cause], share/100)
		}
	}
}

// A kind of the cause is injected that fits, the others of it give way.
func TestAnyOf(t *testing.T) {
	src, rng, dst := decode(order), rand.New(rand.NewPCG(5, 6)), new(invoice.Invoice)
	src.LegalFieldsPresent, src.CustomerRef, src.CustomerType, src.DeliveryRef = nil, "", "", ""
	for range 100 {
		if kind, ok := AnyOf(dst, src, missingAdminData, rng, nil); !ok || kind != MissingFamily {
			t.Fatalf("injected %v (%v), want product_family: the invoice has nothing else to miss", kind, ok)
		}
	}
	if _, ok := AnyOf(dst, src, "weather", rng, nil); ok {
		t.Error("an unknown cause was injected")
	}
}

// An invoice with nothing on it can be given twice or in another currency; with
// these excluded one after the other, Any ends.
func TestAnyWithLittleToSpoil(t *testing.T) {
	bare := &invoice.Invoice{Seller: "s", ID: "1", Currency: "EUR"}
	rng, dst := rand.New(rand.NewPCG(5, 6)), new(invoice.Invoice)
	causes, _ := drawn(1_000, func() Kind {
		kind, ok := Any(dst, bare, rng, nil)
		if !ok {
			t.Fatal("nothing fits")
		}
		return kind
	})
	if len(causes) != 2 || causes[duplicate] == 0 || causes[billingSystem] == 0 {
		t.Errorf("injected %v, want duplicates and wrong currencies", causes)
	}
	if _, ok := Any(dst, bare, rng, nil, duplicate, billingSystem); ok {
		t.Error("an excluded cause was injected")
	}
	bare.Type = invoice.CreditNote
	if _, ok := Any(dst, bare, rng, nil); ok {
		t.Error("a credit note was spoilt")
	}
}
