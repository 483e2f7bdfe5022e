package detectors

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"recoup/invoice"
)

// shop is a seller with 20 products at fixed prices and 30 customers, which
// issues an invoice every half hour.
type shop struct {
	rng *rand.Rand
	at  time.Time
	n   int64
}

func newShop() *shop {
	return &shop{rng: rand.New(rand.NewPCG(1, 2)), at: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}
}

func (s *shop) next() *invoice.Invoice {
	s.n++
	s.at = s.at.Add(30 * time.Minute)
	customer := s.rng.IntN(30)
	inv := &invoice.Invoice{Seller: "shop", ID: fmt.Sprint("F-", s.n), IssuedAt: s.at, Currency: "EUR",
		CustomerRef: fmt.Sprint("c:", customer), CustomerType: []string{"B2B", "B2C"}[customer%2], ProductFamily: "food",
		DeliveryRef: fmt.Sprint("D-", s.n), ShippedAt: s.at.Add(-time.Hour)}
	for range 1 + s.rng.IntN(5) {
		product := s.rng.IntN(20)
		price := invoice.Fixed(product*137+255) * cent
		quantity := invoice.Fixed(1+s.rng.IntN(6)) * invoice.One
		net, _ := invoice.LineNet(quantity, price, 0)
		inv.Lines = append(inv.Lines, invoice.Line{ProductID: fmt.Sprint("P", product),
			Quantity:  invoice.OptionalFixed{Value: quantity, Set: true},
			UnitPrice: invoice.OptionalFixed{Value: price, Set: true}, Net: invoice.OptionalAmount{Value: net, Set: true}})
		inv.NetAmount += net
	}
	return inv
}

// moveComma makes the first line's price a tenth.
func moveComma(inv *invoice.Invoice) {
	l := &inv.Lines[0]
	was := l.Net.Value
	l.UnitPrice.Value /= 10
	l.Net.Value, _ = invoice.LineNet(l.Quantity.Value, l.UnitPrice.Value, 0)
	inv.NetAmount += l.Net.Value - was
}

// trained scores 900 usual invoices and returns the engine, with what it was
// trained to last, and a way to score one more.
func trained(t *testing.T, o TrainerOptions) (*Engine, *Classifier, func(*invoice.Invoice) *Verdict, *shop) {
	t.Helper()
	e, trainer, s := NewEngine(DefaultSettings(), NewShared(), 0), NewTrainer(o), newShop()
	score := func(inv *invoice.Invoice) *Verdict {
		v := new(Verdict)
		e.Begin(inv, invoice.Position{Offset: s.n}, inv.IssuedAt)
		trainer.Prepare(e)
		e.Score(v)
		trainer.Observe(e)
		e.Teach(v.Suspect)
		if v.Suspect && len(v.Causes) == 0 {
			t.Errorf("suspect %s has no cause: %+v", v.InvoiceID, v)
		}
		return v
	}
	for range 900 {
		score(s.next())
	}
	m := e.Classifier("shop")
	if m == nil {
		t.Fatal("nothing was trained")
	}
	return e, m, score, s
}

// Nobody labelled anything, and yet a comma that moved is found, named and
// repaired (A8).
func TestTrainedFindsASlip(t *testing.T) {
	_, m, score, s := trained(t, TrainerOptions{})
	wrong, found := 0, 0
	for i := range 200 {
		inv := s.next()
		if i%10 > 0 {
			if v := score(inv); v.Suspect {
				wrong++
			}
			continue
		}
		due := inv.NetAmount
		moveComma(inv)
		v := score(inv)
		if v.Model.Version != m.Version() && !strings.HasPrefix(v.Model.Version, "trained-") {
			t.Errorf("%s was judged by %s", v.InvoiceID, v.Model.Version)
		}
		if v.Suspect && v.Causes[0].Code == CauseDataEntry && v.Causes[0].Repaired == due {
			found++
		}
	}
	if found < 18 || wrong > 2 {
		t.Errorf("%d of 20 slips found, named and repaired; %d of 180 usual invoices suspect", found, wrong)
	}
}

// The same invoices train the same classifier, whatever the number of workers (G5).
func TestTrainingIsDeterministic(t *testing.T) {
	_, one, _, _ := trained(t, TrainerOptions{})
	_, two, _, _ := trained(t, TrainerOptions{Workers: 3})
	if one.Version() != two.Version() {
		t.Errorf("versions %s and %s", one.Version(), two.Version())
	}
	_, without, _, _ := trained(t, TrainerOptions{Without: CauseDataEntry})
	if without.Version() == one.Version() {
		t.Error("a cause that was left out changes nothing")
	}
}

// A stored classifier judges as before; a damaged one is refused.
func TestStoredClassifier(t *testing.T) {
	e, m, _, _ := trained(t, TrainerOptions{})
	data := m.Append(nil)
	back, err := ParseClassifier(data)
	if err != nil {
		t.Fatal(err)
	}
	if back.Seller() != "shop" || back.Version() != m.Version() || back.Threshold() != m.Threshold() ||
		back.BaseRate() != m.BaseRate() || back.Examples() != m.Examples() || back.usual != m.usual {
		t.Errorf("stored %+v, read %+v", m, back)
	}
	if p, q := m.p(&e.cur.ev.x), back.p(&e.cur.ev.x); p != q {
		t.Errorf("p %v before, %v after", p, q)
	}
	for at := range data {
		damaged := append([]byte(nil), data...)
		damaged[at] ^= 0x40
		if _, err := ParseClassifier(damaged); err == nil {
			t.Fatalf("a classifier with byte %d changed is read", at)
		}
		if at%97 > 0 {
			continue
		}
		if _, err := ParseClassifier(data[:at]); err == nil {
			t.Fatalf("a classifier cut at byte %d is read", at)
		}
	}
}

// A training whose result nobody wants any more ends at its next round, and gives
// no classifier.
func TestTrainingStops(t *testing.T) {
	asked, most := 0, 1<<30
	o := TrainerOptions{Stop: func() bool { asked++; return asked > most }}
	e, trainer, s := NewEngine(DefaultSettings(), NewShared(), 0), NewTrainer(o), newShop()
	var v Verdict
	for range 600 {
		inv := s.next()
		e.Begin(inv, invoice.Position{Offset: s.n}, inv.IssuedAt)
		e.Score(&v)
		trainer.Observe(e)
		e.Teach(v.Suspect)
	}
	whole := trainer.Train("shop")
	if whole == nil || asked < rounds {
		t.Fatalf("asked %d times in a training, want once a round", asked)
	}
	all := asked
	for _, stop := range []int{0, 1, firstRounds, all - 1} {
		asked, most = 0, stop
		if trainer.Train("shop") != nil {
			t.Errorf("stopped at question %d of %d: it gave a classifier", stop+1, all)
		}
		if asked > stop+10 {
			t.Errorf("stopped at question %d of %d: asked %d more times", stop+1, all, asked-stop)
		}
	}
	asked, most = 0, 1<<30
	if m := trainer.Train("shop"); m == nil || m.Version() != whole.Version() {
		t.Error("a stopped training changed the next one")
	}
}

// A finding whose proof does not hold has no say: a verdict holds numbers only.
func TestTrainedVerdictsAreNumbers(t *testing.T) {
	_, _, score, s := trained(t, TrainerOptions{After: 24 * time.Hour})
	inv := s.next() // nothing is billed, and the one line's amount is a slip
	price := invoice.OptionalFixed{Value: 392 * cent, Set: true}
	inv.Lines = []invoice.Line{{ProductID: "P1", Quantity: invoice.OptionalFixed{Value: 2 * invoice.One, Set: true},
		UnitPrice: price, Net: invoice.OptionalAmount{Value: 7840 * 100, Set: true}}}
	inv.NetAmount = 0
	v := score(inv)
	if _, err := json.Marshal(v); err != nil || v.PError < 0.9 || len(v.Causes) == 0 {
		t.Errorf("p_error %v, causes %v: %v", v.PError, v.Causes, err)
	}
}

// What nothing speaks against is less often wrong than the rest, however short
// the seller's invoices are.
func TestUsualIsRarelyWrong(t *testing.T) {
	_, m, score, s := trained(t, TrainerOptions{After: 24 * time.Hour})
	if m.usual > m.baseRate {
		t.Errorf("usual invoices are wrong at %v, all at %v", m.usual, m.baseRate)
	}
	suspects := 0
	for range 100 {
		if score(s.next()).Suspect {
			suspects++
		}
	}
	if suspects > 5 {
		t.Errorf("%d of 100 right invoices are suspect", suspects)
	}
}
