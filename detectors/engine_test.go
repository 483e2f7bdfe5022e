package detectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"recoup/invoice"
)

// usual is an invoice of one narrow segment.
func usual(net invoice.Amount, offset int64) *invoice.Invoice {
	return &invoice.Invoice{Seller: "acme", ID: fmt.Sprint(offset), Currency: "EUR", NetAmount: net,
		CustomerType: "B2C", ProductFamily: "fibre", IssuedAt: time.Unix(1767225600+offset*3600, 0).UTC()}
}

func at(offset int64) invoice.Position { return invoice.Position{Topic: "t", Offset: offset} }

// taughtWith is an engine that learned n times the same amount.
func taughtWith(s Settings, n int64, net invoice.Amount) *Engine {
	e := NewEngine(s, NewShared(), 0)
	for offset := range n {
		inv := usual(net, offset)
		e.Begin(inv, at(offset), inv.IssuedAt)
		e.Teach(false)
	}
	return e
}

func verdictOn(e *Engine, inv *invoice.Invoice, offset int64) *Verdict {
	var v Verdict
	e.Begin(inv, at(offset), inv.IssuedAt)
	e.Score(&v)
	return &v
}

// fires is the rule in exact arithmetic: billed × 10,000 < mean × (10,000 - bp),
// for a mean above 0.
func fires(billed, mean invoice.Amount, bp int64) bool {
	left := new(big.Int).Mul(big.NewInt(int64(billed)), big.NewInt(10000))
	right := new(big.Int).Mul(big.NewInt(int64(mean)), big.NewInt(10000-bp))
	return mean > 0 && left.Cmp(right) < 0
}

// A4, G11: the rule against exact arithmetic, at every written extreme, around
// every edge, and at random. A wrapped deviation once survived 3 million random
// cases and died on one written extreme.
func TestRuleAgainstExactArithmetic(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for _, bp := range []int64{0, 1, 1234, 1500, 9999} {
		s := DefaultSettings()
		s.DeviationBasisPoints = bp
		means := slices.Clone(extremes)
		for range 40 { // so large that a float cannot see the last ten-thousandth
			means = append(means, invoice.Amount(1<<61+rng.Int64N(1<<61)))
		}
		for _, mean := range means {
			e := taughtWith(s, 40, mean)
			edge := new(big.Int).Mul(big.NewInt(int64(mean)), big.NewInt(10000-bp))
			billed := append(slices.Clone(extremes), clamp(edge.Div(edge, big.NewInt(10000))))
			for range 5 {
				billed = append(billed, invoice.Amount(rng.Uint64()))
			}
			for _, around := range billed {
				for step := invoice.Amount(-2); step <= 2; step++ {
					checkRule(t, e, add(around, step), mean, bp)
				}
			}
		}
	}
}

func checkRule(t *testing.T, e *Engine, billed, mean invoice.Amount, bp int64) {
	t.Helper()
	v := verdictOn(e, usual(billed, 40), 40)
	want := fires(billed, mean, bp)
	for _, rule := range []string{RuleCustomerType, RuleProductFamily, RuleSegment} {
		if slices.Contains(v.Rules, rule) != want {
			t.Fatalf("billed %d, mean %d, threshold %d: %s fired is %v, want %v", billed, mean, bp, rule, !want, want)
		}
	}
	if v.Suspect != want { // 40 equal amounts: as narrow as can be
		t.Fatalf("billed %d, mean %d, threshold %d: suspect %v, p %v", billed, mean, bp, v.Suspect, v.PError)
	}
	checkSane(t, v)
}

// checkSane holds what every verdict must satisfy, whatever the invoice.
func checkSane(t *testing.T, v *Verdict) {
	t.Helper()
	if !(v.PError >= 0 && v.PError <= 1) || !(v.CV >= 0 && v.CV <= mostCV) ||
		math.IsNaN(v.DeviationPct) || math.IsInf(v.DeviationPct, 0) {
		t.Fatalf("p %v, cv %v, deviation %v", v.PError, v.CV, v.DeviationPct)
	}
	if v.Loss.Low > v.Loss.Point || v.Loss.Point > v.Loss.High || v.ExpectedLow > v.ExpectedHigh {
		t.Fatalf("loss %+v, expected %v to %v", v.Loss, v.ExpectedLow, v.ExpectedHigh)
	}
	if (v.Direction == DirectionCustomerFavour) != (v.Loss.Point > 0) ||
		(v.Direction == DirectionSellerFavour) != (v.Loss.Point < 0) {
		t.Fatalf("direction %s with loss %v", v.Direction, v.Loss.Point)
	}
	if !v.Suspect && v.Decision != DecisionNone || v.Suspect && v.Taught {
		t.Fatalf("suspect %v, decision %s, taught %v", v.Suspect, v.Decision, v.Taught)
	}
}

// Whatever can be decoded can be scored: no panic, a sane verdict, nothing
// changed by scoring, and the stored form round.
func FuzzScore(f *testing.F) {
	for _, r := range world(rand.New(rand.NewPCG(1, 1)), 40) {
		f.Add(r.inv.AppendJSON(nil), int64(1767225600))
	}
	f.Add(threeLineInvoice().AppendJSON(nil), int64(-1))
	f.Fuzz(func(t *testing.T, data []byte, received int64) {
		var inv invoice.Invoice
		if invoice.NewDecoder(invoice.Limits{}).Decode(data, &inv) != nil {
			return
		}
		e := taughtWith(DefaultSettings(), 40, 100*invoice.Unit)
		for offset := int64(40); offset < 43; offset++ {
			before := dump(e)
			var v, w Verdict
			if e.Begin(&inv, at(offset), time.Unix(received, 0)) == Redelivery {
				continue
			}
			e.Score(&v)
			e.Score(&w)
			checkSane(t, &v)
			if _, err := json.Marshal(&v); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(v, w) || dump(e) != before {
				t.Fatal("scoring changed something")
			}
			e.Teach(v.Suspect)
			inv.NetAmount ^= 1 << 40
		}
		again := NewEngine(DefaultSettings(), NewShared(), 0)
		for _, r := range e.Checkpoint(43) {
			if err := again.shared.Put(r.Key, r.Value, 0, 43); r.Shared && err != nil {
				t.Fatal(err)
			}
			if err := again.Restore(r.Key, r.Value, 43); !r.Shared && err != nil {
				t.Fatal(err)
			}
		}
		again.AdoptShared()
		if err := again.Adopt(43, true); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(again.RestoreHighMarks(e.HighMarks()), again.RestoreRuns(e.Runs())); err != nil {
			t.Fatal(err)
		}
		if dump(again) != dump(e) {
			t.Fatalf("state came back as\n%s\nwant\n%s", dump(again), dump(e))
		}
	})
}

// G5: the same invoices give the same verdicts however many processors run, and
// however many other partitions are scored beside.
func TestVerdictsDoNotDependOnGOMAXPROCS(t *testing.T) {
	records := world(rand.New(rand.NewPCG(8, 1)), 400)
	run := func(procs int) []string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		out := make([]string, len(records))
		var wg sync.WaitGroup
		for p := range 4 { // each with baselines of its own
			wg.Go(func() {
				e := NewEngine(worldSettings(), NewShared(), 0)
				for offset := range records {
					inv := received{records[offset].inv.Clone(), records[offset].at}
					verdict, _ := step(t, e, []received{inv}, 0)
					if p == 0 {
						out[offset] = verdict
					}
				}
			})
		}
		wg.Wait()
		return out
	}
	want := run(1)
	for _, procs := range []int{2, 7} {
		if got := run(procs); !slices.Equal(got, want) {
			t.Errorf("%d processors give other verdicts than one", procs)
		}
	}
}

// A clean invoice costs no allocation once what it names is known: not for what is
// remembered of it either, as long as about as many invoices are forgotten.
func TestCleanInvoicesDoNotAllocate(t *testing.T) {
	for _, partitions := range []int{1, 8} {
		s := newShift(engineAmong(partitions), 3, 3)
		suspects := 0
		n := testing.AllocsPerRun(3*len(s.sales), func() {
			if s.work(); s.verdict.Suspect {
				suspects++
			}
		})
		if n != 0 || suspects > 0 {
			t.Errorf("%d partitions: %v allocations per invoice, %d suspects; want 0 and 0", partitions, n, suspects)
		}
	}
}

// Hours are whole and round towards the past, before 1970 too.
func TestHours(t *testing.T) {
	for ms, want := range map[int64]int64{
		0: 0, msPerHour - 1: 0, msPerHour: 1, -1: -1, -msPerHour: -1, -msPerHour - 1: -2,
	} {
		if got := hourOf(ms); got != want {
			t.Errorf("hour of %d ms is %d, want %d", ms, got, want)
		}
	}
}

// A record without a time of its own is taken at its word.
func TestEventTime(t *testing.T) {
	inv := usual(1, 0)
	for received, implausible := range map[time.Time]bool{
		inv.IssuedAt.Add(-25 * time.Hour): true, inv.IssuedAt: false, {}: false, time.UnixMilli(-1): false} {
		if ms, got := eventTime(inv, received, 24*time.Hour); got != implausible ||
			(!implausible && ms != inv.IssuedAt.UnixMilli()) || (implausible && ms != received.UnixMilli()) {
			t.Errorf("received %v: event time %d, implausible %v", received, ms, got)
		}
	}
}

// Other partitions' contributions count; an engine's own come from itself alone.
func TestSharedBaselines(t *testing.T) {
	shared := NewShared()
	teach := func(partition int, net invoice.Amount, n int64) *Engine {
		e := NewEngine(DefaultSettings(), shared, partition)
		for offset := range n {
			inv := usual(net, offset)
			e.Begin(inv, at(offset), inv.IssuedAt)
			e.Teach(false)
		}
		return e
	}
	publish := func(e *Engine) {
		for _, r := range e.Checkpoint(100) {
			if r.Shared {
				if err := shared.Put(r.Key, r.Value, e.partition, 100); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	one := teach(1, 100*invoice.Unit, 20)
	two := teach(2, 100*invoice.Unit, 10)
	low := usual(50*invoice.Unit, 50)
	if v := verdictOn(one, low, 50); v.N != 20 || v.Suspect {
		t.Errorf("alone: n %d, suspect %v", v.N, v.Suspect)
	}
	publish(one)
	publish(two)
	for _, e := range []*Engine{one, two} {
		if v := verdictOn(e, low, 50); v.N != 30 || !v.Suspect {
			t.Errorf("partition %d: n %d, suspect %v; want all 30 invoices", e.partition, v.N, v.Suspect)
		}
	}
	key := []byte("segment|acme|EUR|B2C|fibre")
	if err := shared.Put(key, nil, 2, 0); err != nil {
		t.Fatal(err)
	}
	if v := verdictOn(one, low, 50); v.Level != LevelCustomerType || v.N != 30 {
		t.Errorf("after one key was forgotten: level %s, n %d", v.Level, v.N)
	}
	if err := shared.Put(key, []byte{1, 2, 3}, 2, 0); err == nil || !strings.Contains(err.Error(), "segment|acme") {
		t.Errorf("damaged contribution: %v", err)
	}
}

// Shared is written by the reader of baselines while engines score.
func TestSharedIsSafeWhileScoring(t *testing.T) {
	source, _ := warmEngine(1)
	source.MarkDirty([]byte("none"), true)
	pos, when := (&stream{inv: threeLineInvoice(), id: []byte("INV-000000000000")}).next()
	inv := threeLineInvoice()
	source.Begin(inv, pos, when)
	source.Teach(false)
	records := source.Checkpoint(10)
	shared := NewShared()
	var wg sync.WaitGroup
	for p := range 3 {
		wg.Go(func() {
			e := NewEngine(DefaultSettings(), shared, p)
			inv := threeLineInvoice()
			var v Verdict
			for offset := range int64(500) {
				e.Begin(inv, at(offset), inv.IssuedAt)
				e.Score(&v)
				e.Teach(v.Suspect)
			}
		})
	}
	for round := range 300 {
		for _, r := range records {
			if r.Shared && r.Value != nil {
				if err := shared.Put(r.Key, r.Value, round%5, 10); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	wg.Wait()
}

// What cannot be restored says what it is and what to do.
func TestRestoreRefusesDamage(t *testing.T) {
	e := taughtWith(DefaultSettings(), 3, 10)
	var block StateRecord
	for _, r := range e.Checkpoint(3) {
		if !r.Shared {
			block = r
		}
	}
	if string(block.Key) != "seen|0" {
		t.Fatalf("key %q", block.Key)
	}
	into := NewEngine(DefaultSettings(), NewShared(), 0)
	for cut := range block.Value {
		if err := into.Restore(block.Key, block.Value[:cut], 3); err == nil {
			t.Fatalf("%d of %d bytes were taken for a block", cut, len(block.Value))
		}
	}
	for key, value := range map[string][]byte{"seen|0": append(slices.Clone(block.Value), 1), "seen|1": block.Value,
		"price|x": {1}, "seen|x": {1}} {
		if err := into.Restore([]byte(key), value, 3); err == nil || !strings.Contains(err.Error(), "cannot restore") {
			t.Errorf("%s: %v", key, err)
		}
	}
	if err := into.RestoreHighMarks([]byte{200, 1, 2}); err == nil {
		t.Error("damaged high marks were taken")
	}
	if err := into.Restore(block.Key, block.Value, 3); err != nil {
		t.Error(err)
	}
	if err := into.Restore(block.Key, nil, 3); err != nil || len(into.seen.byFirst) != 0 {
		t.Errorf("tombstone left %d blocks, %v", len(into.seen.byFirst), err)
	}
}
