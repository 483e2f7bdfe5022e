package detectors

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"recoup/detectors/reference"
	"recoup/invoice"
)

// plans is a seller of one plan: forty customers are billed each day, with one line or
// none, in a narrow segment.
type plans struct {
	e      *Engine
	lines  bool
	offset int64
	event  int64 // offset of the next case event
}

const plansPerDay = 40

func newPlans(lines bool) *plans {
	return &plans{e: NewEngine(DefaultSettings(), NewShared(), 0), lines: lines}
}

// bill makes the next invoice: customers in turn, a release of the billing system.
func (p *plans) bill(price invoice.Amount, release string) *invoice.Invoice {
	n := p.offset
	p.offset++
	inv := &invoice.Invoice{Seller: "acme", ID: fmt.Sprint("F-", n), Currency: "EUR", NetAmount: price,
		CustomerRef: fmt.Sprint("c:", n%200), CustomerType: "B2C", ProductFamily: "fibre", SourceRelease: release,
		IssuedAt: time.Unix(1767225600, 0).UTC().Add(time.Duration(n) * 24 * time.Hour / plansPerDay)}
	if p.lines {
		addLine(inv, &invoice.Line{ProductID: "plan"}, 1, price)
	}
	return inv
}

// judge scores and teaches an invoice.
func (p *plans) judge(inv *invoice.Invoice) *Verdict {
	var v Verdict
	p.e.Begin(inv, at(p.offset-1), inv.IssuedAt)
	p.e.Score(&v)
	p.e.Teach(v.Suspect)
	return v.Clone()
}

// days bills whole days and returns how many suspects the last one had.
func (p *plans) days(n int, price invoice.Amount, release string) (suspects int) {
	for i := range n * plansPerDay {
		if v := p.judge(p.bill(price, release)); v.Suspect && i >= (n-1)*plansPerDay {
			suspects++
		}
	}
	return suspects
}

// decide has a person decide of an invoice.
func (p *plans) decide(kind OutcomeKind, inv *invoice.Invoice, v *Verdict, correct invoice.Amount) {
	o := &Outcome{Event: invoice.Position{Topic: "events", Offset: p.event}, Kind: kind, At: inv.IssuedAt,
		Correct: invoice.OptionalAmount{Value: correct, Set: correct != 0}, Rules: v.Rules}
	p.event++
	p.e.Learn(o, inv, v.Source, inv.IssuedAt)
	p.e.Pass(o.Event)
}

var rewriteState = flag.Bool("rewrite-state", false, "write the stored form of segments into testdata anew")

const plan, less = 40 * invoice.Unit, 32 * invoice.Unit

func withAndWithoutLines(t *testing.T, try func(t *testing.T, lines bool)) {
	for _, lines := range []bool{false, true} {
		t.Run(fmt.Sprint("lines ", lines), func(t *testing.T) { try(t, lines) })
	}
}

// A9: a release that bills a fifth too little is as suspect on its sixtieth day as on
// its first, whether people looked at it or not.
func TestReleaseBugIsFlaggedOnDay60(t *testing.T) {
	withAndWithoutLines(t, func(t *testing.T, lines bool) {
		for _, decided := range []bool{false, true} {
			p := newPlans(lines)
			if n := p.days(30, plan, "r1"); n != 0 {
				t.Fatalf("%d suspects before the bug", n)
			}
			for range 10 {
				inv := p.bill(less, "r2")
				v := p.judge(inv)
				if !v.Suspect {
					t.Fatalf("the bug is not seen at once: %+v", v)
				}
				if decided {
					p.decide(ConfirmedError, inv, v, plan)
				}
			}
			if n := p.days(60, less, "r2"); n != plansPerDay {
				t.Errorf("decided %v: %d suspects on day 60, want all %d", decided, n, plansPerDay)
			}
			if n := p.days(1, plan, "r3"); n != 0 {
				t.Errorf("decided %v: %d suspects after the bug", decided, n)
			}
		}
	})
}

// An unannounced change that was meant stops alarming once somebody said so, in every
// partition; a further one of its size does not.
func TestExpectedChangeEndsTheAlarm(t *testing.T) {
	withAndWithoutLines(t, func(t *testing.T, lines bool) {
		p := newPlans(lines)
		p.days(30, plan, "r1")
		if n := p.days(2, less, "r2"); n != plansPerDay {
			t.Fatalf("%d suspects after the change, want all", n)
		}
		inv := p.bill(less, "r2")
		p.decide(ExpectedChange, inv, p.judge(inv), 0)
		for range 3 {
			if n := p.days(1, less, "r2"); n != 0 {
				t.Fatalf("%d suspects after somebody said that the change was meant", n)
			}
		}
		if n := p.days(1, 25*invoice.Unit, "r3"); n != plansPerDay {
			t.Errorf("%d suspects of another change, want all", n)
		}
	})
}

// A customer's own new price ends its own alarm and nobody else's.
func TestExpectedChangeOfOneCustomer(t *testing.T) {
	p := newPlans(false)
	p.days(30, plan, "r1")
	own := func(price invoice.Amount) *Verdict {
		inv := p.bill(price, "r1")
		inv.CustomerRef = "c:own"
		return p.judge(inv)
	}
	own(plan)
	inv := p.bill(less, "r1")
	inv.CustomerRef = "c:own"
	v := p.judge(inv)
	if !v.Suspect {
		t.Fatal("the customer's price is no news")
	}
	p.decide(ExpectedChange, inv, v, 0)
	if v := own(less); v.Suspect {
		t.Errorf("the customer's price still alarms: %+v", v)
	}
	if v := p.judge(p.bill(less, "r1")); !v.Suspect {
		t.Error("another customer at that price does not alarm")
	}
	if v := own(less * 8 / 10); !v.Suspect {
		t.Error("the customer's next fall does not alarm")
	}
}

// An announced price change raises nothing.
func TestAnnouncedPriceChange(t *testing.T) {
	p := newPlans(true)
	refs := reference.NewStore(0)
	p.e.UseReferences(refs)
	announce := func(price invoice.Amount, from time.Time) {
		refs.Apply(&invoice.Reference{Kind: invoice.PriceReference, Seller: "acme", ProductID: "plan",
			UnitPrice: invoice.Fixed(price) * (invoice.One / invoice.Fixed(invoice.Unit)), ValidFrom: from,
			PublishedAt: from.AddDate(0, 0, -1)}, time.Time{})
	}
	start := time.Unix(1767225600, 0).UTC()
	announce(plan, start.AddDate(0, 0, -10))
	announce(less, start.AddDate(0, 0, 30))
	for day := range 60 {
		price, release := plan, "r1"
		if day >= 30 {
			price, release = less, "r2"
		}
		if n := p.days(1, price, release); n != 0 {
			t.Fatalf("%d suspects on day %d", n, day)
		}
	}
	if v := p.judge(p.bill(25*invoice.Unit, "r2")); !v.Suspect {
		t.Error("another price does not alarm")
	}
}
