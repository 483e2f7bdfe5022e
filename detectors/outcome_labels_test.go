package detectors

import (
	"math"
	"math/rand/v2"
	"testing"

	"recoup/invoice"
)

// decidedOf is what was said of n suspects around a probability, and how many of them
// turned out to be wrong.
func decidedOf(n int, said, wrong float64) (f feedback) {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	var odds []float64
	var truth []bool
	for i := range n {
		odds = append(odds, logOdds(said+0.2*(rng.Float64()-0.5)))
		truth = append(truth, float64(i) < wrong*float64(n))
	}
	f.fit(odds, truth)
	return f
}

// Few outcomes change little, none nothing; many bring the probabilities to what
// people find, and the order of invoices stays.
func TestRecalibration(t *testing.T) {
	for _, c := range []struct {
		name        string
		n           int
		said, wrong float64
		low, high   float64 // what is said of `said` behind it
	}{
		{"none", 0, 0.8, 0, 0.8, 0.8},
		{"too few to be heard", fewestLabels - 1, 0.8, 0, 0.8, 0.8},
		{"few move it little", fewestLabels, 0.8, 0.6, 0.66, 0.79},
		{"many move it there", 2000, 0.8, 0.6, 0.59, 0.62},
		{"many that agree", 2000, 0.8, 0.8, 0.79, 0.81},
		{"all wrong is not certain", 60, 0.6, 1, 0.8, 0.98},
	} {
		f := decidedOf(c.n, c.said, c.wrong)
		if got := f.adjusted(c.said); got < c.low || got > c.high {
			t.Errorf("%s: %.3f of %.3f, want %.3f to %.3f (%+v)", c.name, got, c.said, c.low, c.high, f)
		}
		last := -1.0
		for p := 0.001; p < 1; p += 0.001 {
			if q := f.adjusted(p); q <= last {
				t.Fatalf("%s: %v is said to be no more than what is less probable", c.name, p)
			} else {
				last = q
			}
		}
	}
}

// Causes that people confirm more often than they were put in are named more often,
// the more so the more were decided; an audited error counts for those nobody saw.
func TestCauseWeights(t *testing.T) {
	world := func(confirmed, audited int) *Classifier {
		s := &examples{labels: map[uint64]Label{}}
		for i := range 700 {
			s.rows = append(s.rows, example{wrong: true, cause: uint8(i % len(causeCodes))})
		}
		for i := range 3000 {
			id := uint64(i + 1)
			s.rows = append(s.rows, example{identity: id})
			switch {
			case i < confirmed:
				s.labels[id] = Label{Wrong: true, Cause: CausePromotion}
			case i < confirmed+audited:
				s.labels[id] = Label{Wrong: true, Cause: CauseCRMSync, Audit: true}
			}
		}
		m := &Classifier{}
		s.weighCauses(m)
		return m
	}
	say := func(m *Classifier) (p [len(causeCodes)]float64) {
		for i := range p {
			p[i] = 1.0 / float64(len(p))
		}
		m.feedback.weigh(&p)
		return p
	}
	const promotion, crm = 2, 3
	none, few, many := say(world(fewestLabels-1, 0)), say(world(fewestLabels, 0)), say(world(500, 0))
	if none[promotion] != 1.0/7 || few[promotion] < 0.2 || few[promotion] > 0.5 || many[promotion] < 0.8 {
		t.Errorf("promotions at %.3f, %.3f, %.3f; want a seventh, more, nearly all", none[promotion], few[promotion],
			many[promotion])
	}
	if p := say(world(40, 20)); p[crm] < p[promotion] {
		t.Errorf("audited errors at %.3f, others at %.3f: they stand for many", p[crm], p[promotion])
	}
	sum := 0.0
	for _, x := range many {
		sum += x
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("probabilities add up to %v", sum)
	}
}

// What was learned of outcomes is stored with the classifier; without any its bytes
// are those of a classifier that knows nothing of outcomes (G5).
func TestStoredFeedback(t *testing.T) {
	m := smallClassifier(t)
	plain := m.Append(nil)
	m.feedback = decidedOf(200, 0.8, 0.6)
	m.feedback.confirmed, m.feedback.causes = 30, [len(causeCodes)]float64{1, 2, 0.5, 1, 1, 1, 1}
	stored := m.Append(nil)
	again, err := ParseClassifier(stored)
	if err != nil || again.feedback != m.feedback || again.Decided() != 200 {
		t.Fatalf("came back as %+v, %v; want %+v", again.feedback, err, m.feedback)
	}
	if says(again) == says(smallClassifier(t)) {
		t.Error("outcomes change nothing")
	}
	m.feedback = feedback{}
	if string(m.Append(nil)) != string(plain) {
		t.Error("a classifier without outcomes is stored in another way")
	}
}

// What people decide tells errors from what only looks so. Without any label the same is
// trained as ever.
func TestLabelsTrain(t *testing.T) {
	e, trainer, s := NewEngine(DefaultSettings(), NewShared(), 0), NewTrainer(TrainerOptions{}), newShop()
	var odd, wrong []*invoice.Invoice
	var v Verdict
	examine := func(inv *invoice.Invoice) *evidence {
		e.Begin(inv, invoice.Position{Offset: s.n}, inv.IssuedAt)
		e.Score(&v)
		return &e.cur.ev
	}
	raise := func(inv *invoice.Invoice) { // some prices are just so
		l := &inv.Lines[0]
		was := l.Net.Value
		l.UnitPrice.Value += invoice.Fixed(1+s.n%90) * cent
		l.Net.Value, _ = invoice.LineNet(l.Quantity.Value, l.UnitPrice.Value, 0)
		inv.NetAmount += l.Net.Value - was
	}
	for i := range 1200 {
		inv := s.next()
		switch {
		case i < 200:
		case i%50 == 0:
			raise(inv)
			odd = append(odd, inv)
		case i%20 == 1:
			moveComma(inv)
			wrong = append(wrong, inv)
		}
		examine(inv)
		trainer.Observe(e)
		e.Teach(v.Suspect)
	}
	before, again := trainer.Train("shop"), trainer.Train("shop")
	for _, inv := range odd {
		trainer.Label(inv, Label{})
	}
	for _, inv := range wrong {
		trainer.Label(inv, Label{Wrong: true, Cause: CauseDataEntry})
	}
	after := trainer.Train("shop")
	if before.Version() != again.Version() || before.Decided() != 0 || after.Decided() < fewestLabels {
		t.Errorf("versions %s and %s without labels, %d decided; with labels %d decided", before.Version(), again.Version(),
			before.Decided(), after.Decided())
	}
	mean := func(m *Classifier, spoil func(*invoice.Invoice)) (p float64) {
		for range 40 {
			inv := s.next()
			spoil(inv)
			p += m.p(&examine(inv).x) / 40
		}
		return p
	}
	apart := func(m *Classifier) float64 { return mean(m, moveComma) - mean(m, raise) }
	if was, is := apart(before), apart(after); is < was+0.2 || is < 0.5 {
		t.Errorf("errors and what only looks so were %.3f apart, are %.3f", was, is)
	}
}
