package detectors

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"recoup/detectors/history"
	"recoup/invoice"
)

// crowded has room for two segments and pairs in each of 1,024 buckets, one customer and one
// product.
var crowded = Budget{Segments: 2048, Customers: 1024, Pairs: 2048, Products: 1024}

// crowd is a world with so many product families and customers that a small budget
// forgets some all the time, and meets them again.
func crowd(rng *rand.Rand, n int) []received {
	records := world(rng, n)
	for _, r := range records {
		if r.inv.ProductFamily != "" {
			r.inv.ProductFamily = fmt.Sprint("family ", rng.IntN(700))
		}
		if strings.HasPrefix(r.inv.CustomerRef, "c:") {
			r.inv.CustomerRef = fmt.Sprint("c:", rng.IntN(700))
		}
	}
	return records
}

func limited(shared *Shared) *Engine {
	return NewBoundedEngine(worldSettings(), shared, 0, crowded)
}

func forgotten(e *Engine, kind string) uint64 {
	for _, f := range e.Forgotten() {
		if f.Kind == kind {
			return f.Items
		}
	}
	return 0
}

// G5, G7: what makes room for others is the same wherever crashes fall, also in the
// middle of publishing a checkpoint, and so are verdicts and baselines.
func TestForgettingIsTheSameAfterCrashes(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 21))
		records := crowd(rng, 900)
		want := make([]string, len(records))
		e := limited(NewShared())
		for offset := range records {
			want[offset], _ = step(t, e, records, int64(offset))
		}
		for _, kind := range []string{"segment", "customer", "customer_product", "product"} {
			if forgotten(e, kind) < 20 {
				t.Fatalf("seed %d: only %d of kind %s were forgotten", seed, forgotten(e, kind), kind)
			}
		}
		got, state := crashing(t, rng, records, misread{right, right}, limited)
		for offset := range want {
			if got[offset] != want[offset] {
				t.Fatalf("seed %d, offset %d:\n got %s\nwant %s", seed, offset, got[offset], want[offset])
			}
		}
		if state != dump(e) {
			t.Fatalf("seed %d: state after crashes\n%s\nwithout\n%s", seed, state, dump(e))
		}
	}
}

// G7: a partition holds no more segments than its budget; each that is dropped is counted
// and gets a tombstone where recoup.baselines may hold it, and nothing of it stays with others.
func TestDroppedSegmentsAreCountedAndTombstoned(t *testing.T) {
	shared, live := NewShared(), map[string]bool{}
	e := limited(shared)
	var tombstones, most int
	records := crowd(rand.New(rand.NewPCG(1, 22)), 4000)
	publish := func(offset int64) {
		for _, r := range e.Checkpoint(offset) {
			if !r.Shared {
				continue
			}
			if live[string(r.Key)] = r.Value != nil; r.Value == nil {
				delete(live, string(r.Key))
				tombstones++
			}
			if err := shared.Put(r.Key, r.Value, 0, offset); err != nil {
				t.Fatal(err)
			}
		}
	}
	for offset := range records {
		step(t, e, records, int64(offset))
		most = max(most, e.segments.len())
		if offset%200 == 0 {
			publish(int64(offset) + 1)
		}
	}
	publish(int64(len(records)))
	dropped := forgotten(e, "segment")
	if most > crowded.Segments || dropped < 500 || tombstones < 100 || uint64(tombstones) > dropped {
		t.Errorf("at most %d segments, %d dropped, %d tombstones; want at most %d segments, and most of the dropped "+
			"with a tombstone", most, dropped, tombstones, crowded.Segments)
	}
	if places := int(e.segments.used); places > most+mostDropped+segmentKinds {
		t.Errorf("%d places for at most %d segments: those of dropped ones are not used again", places, most)
	}
	held := shared.segments()
	if len(live) != e.segments.len() || held != e.segments.len() {
		t.Errorf("%d segments, but %d are in recoup.baselines and %d are shared", e.segments.len(), len(live), held)
	}
}

// G7: whatever its partitions, a process that has them all holds no more of any kind than the
// budget says, and one partition no more than a record of each bucket can say.
func TestPartitionsTogetherKeepToTheBudget(t *testing.T) {
	budget, most := DefaultBudget(), history.DefaultLimits()
	for _, partitions := range []int{1, 2, 8, 64} {
		room := budget.Share(partitions).limits()
		for _, kind := range []struct {
			name                string
			room, budget, least int
		}{
			{"segments", room.Segments, budget.Segments, 0},
			{"customers", room.Customers, budget.Customers, 0},
			{"pairs", room.Pairs, budget.Pairs, most.Pairs},
			{"products", room.Products, budget.Products, most.Products},
			{"discount codes", room.Terms, budget.Products, most.Terms},
		} {
			if all := partitions * kind.room; all > kind.budget || all < min(kind.budget-partitions, partitions*kind.least) {
				t.Errorf("%d partitions have room for %d %s, the budget is %d", partitions, all, kind.name, kind.budget)
			}
		}
	}
}

// G7: a partition that met more pairs and products than its share holds its share, and says
// how many it forgot.
func TestPairsAndProductsKeepToTheirShare(t *testing.T) {
	e := NewBoundedEngine(DefaultSettings(), NewShared(), 0, Budget{Segments: 1 << 14, Customers: 1 << 14, Pairs: 1 << 12,
		Products: 1 << 11})
	const bought = 20_000
	for i := range int64(bought) {
		inv := usual(100*invoice.Unit, i)
		inv.CustomerRef = fmt.Sprint("c:", i%500)
		inv.Lines = []invoice.Line{{ProductID: fmt.Sprint("p", i),
			Net:       invoice.OptionalAmount{Value: inv.NetAmount, Set: true},
			Quantity:  invoice.OptionalFixed{Value: invoice.One, Set: true},
			UnitPrice: invoice.OptionalFixed{Value: 100 * invoice.One, Set: true}}}
		verdictOn(e, inv, i)
		e.Teach(false)
	}
	for kind, room := range map[string]uint64{"customer_product": 1 << 12, "product": 1 << 11} {
		if n := forgotten(e, kind); n < bought-room || n > bought-room/2 {
			t.Errorf("of %d of kind %s with room for %d, %d were forgotten", bought, kind, room, n)
		}
	}
}

// G7: the next invoice of a segment that was dropped is judged at a wider level, and its
// verdict says so; of an equally full partition with room it was the narrow one.
func TestDroppedSegmentFallsBackToTheWiderLevel(t *testing.T) {
	levels := map[bool]Level{}
	for _, room := range []bool{true, false} {
		budget := crowded
		if room {
			budget = DefaultBudget()
		}
		e := NewBoundedEngine(DefaultSettings(), NewShared(), 0, budget)
		offset := int64(0)
		teach := func(family string) *Verdict {
			inv := usual(100*invoice.Unit, offset)
			inv.ProductFamily = family
			v := verdictOn(e, inv, offset)
			e.Teach(false)
			offset++
			return v
		}
		for range 40 {
			teach("fibre")
		}
		for i := range 5000 { // of families that are met later
			teach(fmt.Sprint("other", i))
		}
		levels[room] = teach("fibre").Level
	}
	if levels[true] != LevelTypeProduct || levels[false] != LevelCustomerType {
		t.Errorf("level %s with room, %s without; want %s and %s", levels[true], levels[false], LevelTypeProduct,
			LevelCustomerType)
	}
}

// G5: with a budget as without, one partition gives the same verdicts whenever checkpoints
// are taken, and whenever others hear of them.
func TestForgettingDoesNotDependOnCheckpoints(t *testing.T) {
	records := crowd(rand.New(rand.NewPCG(2, 23)), 900)
	var first string
	for _, every := range []int{1, 7, 300} {
		shared := NewShared()
		e := limited(shared)
		var all []string
		for offset := range records {
			verdict, _ := step(t, e, records, int64(offset))
			all = append(all, verdict)
			if offset%every > 0 {
				continue
			}
			for _, r := range e.Checkpoint(int64(offset) + 1) {
				if !r.Shared {
					continue
				}
				if err := shared.Put(r.Key, r.Value, 0, int64(offset)+1); err != nil {
					t.Fatal(err)
				}
			}
		}
		text, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		got := string(text) + dump(e)
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("a checkpoint every %d invoices changes what is learned", every)
		}
	}
}

// G5, G7: a baseline that the marker's owner had forgotten, written late by an older one, is
// forgotten again at a take-over. Where nobody noted what was met, it is kept.
func TestLateBaselineIsForgottenAgain(t *testing.T) {
	const segment = "segment|acme|EUR|B2C|fibre"
	k, e := newTopics(), limited(NewShared())
	offset := int64(0)
	bill := func(family string) {
		inv := usual(100*invoice.Unit, offset)
		inv.ProductFamily = family
		verdictOn(e, inv, offset)
		e.Teach(false)
		offset++
	}
	bill("fibre")
	k.publish(e.Checkpoint(offset), offset)
	late := k.shared[segment]
	for i := range 5000 {
		bill(fmt.Sprint("other", i))
	}
	k.publish(e.Checkpoint(offset), offset)
	k.marker = offset
	if _, there := k.shared[segment]; there {
		t.Fatal("the segment was not forgotten")
	}
	k.shared[segment] = late
	for _, noted := range []bool{true, false} {
		shared := NewShared()
		again := limited(shared)
		for key, s := range k.shared {
			if err := shared.Put([]byte(key), s.value, 0, s.applied); err != nil {
				t.Fatal(err)
			}
		}
		for key, s := range k.local {
			if err := again.Restore([]byte(key), s.value, s.applied); err != nil {
				t.Fatal(err)
			}
		}
		again.AdoptShared()
		if err := again.Adopt(k.marker, noted); err != nil {
			t.Fatal(err)
		}
		tombstone := false
		for _, r := range again.Checkpoint(offset) {
			tombstone = tombstone || string(r.Key) == segment && r.Value == nil
		}
		if known := byKey(again)[segment] != nil; known == noted || tombstone != noted {
			t.Errorf("noted %v: it is known: %v, and gets a tombstone: %v", noted, known, tombstone)
		}
	}
}
