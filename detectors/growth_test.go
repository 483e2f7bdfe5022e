package detectors

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/invoice"
)

// G7: the marker stays small however many sellers there are and however long
// their names are; the sellers last heard of stay known.
func TestHighMarksStaySmall(t *testing.T) {
	c := newClock()
	name := func(i int) string { return fmt.Sprintf("%s%06d", strings.Repeat("s", 250), i) }
	hash := xxhash.Sum64String
	const sellers = 40000
	for i := range sellers {
		c.saw(hash(name(i)), 1767225600000+int64(i))
		if i%1000 != 999 {
			continue
		}
		if n := len(c.append(nil)); n > 400<<10 {
			t.Fatalf("marks of %d sellers take %d bytes", i+1, n)
		}
	}
	for i := sellers - keptSellers; i < sellers; i++ {
		if mark := c.mark(hash(name(i))); mark == nil || mark.ms != 1767225600000+int64(i) {
			t.Fatalf("seller %d of %d: mark %v", i, sellers, mark)
		}
	}
	if c.mark(hash(name(0))) != nil {
		t.Error("the oldest seller is still known")
	}
}

// G5: which sellers are forgotten does not depend on when checkpoints were
// taken and taken back, also where many marks are equal.
func TestForgettingSellersIsTheSameAfterRestore(t *testing.T) {
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 7))
		straight, crashing := newClock(), newClock()
		for i := range 4 * mostSellers {
			seller := xxhash.Sum64String(fmt.Sprint("seller", rng.IntN(3*mostSellers)))
			ms := 1767225600000 + int64(i/500) - rng.Int64N(20)
			a, b := straight.mark(seller), crashing.mark(seller)
			if (a == nil) != (b == nil) || (a != nil && *a != *b) {
				t.Fatalf("seed %d, record %d: mark %v, after restore %v", seed, i, a, b)
			}
			straight.saw(seller, ms)
			crashing.saw(seller, ms)
			if rng.IntN(200) == 0 {
				again := newClock()
				if err := again.restore(crashing.append(nil)); err != nil {
					t.Fatal(err)
				}
				crashing = again
			}
			if straight.hour != crashing.hour {
				t.Fatalf("seed %d, record %d: hour %d, after restore %d", seed, i, straight.hour, crashing.hour)
			}
		}
	}
}

// slowSeen answers what seen answers, by looking at everything.
type slowSeen struct {
	retention int64
	entries   []seenEntry
}

func (s *slowSeen) look(sight *sighting, offset int64) (again, changed bool) {
	for _, e := range s.entries {
		if e.identity == sight.identity && e.offset < offset && sight.hour-int64(e.hour) <= s.retention {
			again = again || e.content == sight.content
			changed = true
		}
	}
	return again, changed && !again
}

// E2, G5: few identities with many contents are recognised as by looking at
// everything, whatever expires and whichever blocks, overlapping ones too, were
// ahead of replay.
func TestSeenAgainstLookingAtEverything(t *testing.T) {
	counts := map[string]int{}
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 9))
		records, hour := make([]sighting, 600), int64(1000)
		for i := range records {
			hour += rng.Int64N(3)
			if rng.IntN(80) == 0 {
				hour += 60
			}
			records[i] = sighting{identity: 1 + rng.Uint64N(4), content: rng.Uint64N(12), hour: hour}
		}
		slow, fast, from := &slowSeen{retention: 48}, newSeen(48), 0
		kept := map[string][]byte{} // what the state topic holds
		for offset := 0; offset < len(records); offset++ {
			sight := records[offset]
			fast.look(&sight, int64(offset))
			again, changed := slow.look(&sight, int64(offset))
			if sight.again != again || sight.changed != changed {
				t.Fatalf("seed %d, offset %d: again %v, changed %v; want %v, %v", seed, offset, sight.again, sight.changed,
					again, changed)
			}
			counts[fmt.Sprint("again ", again, " changed ", changed)]++
			if sight.registered {
				counts["registered"]++
			}
			if !again {
				fast.expire(sight.hour)
				fast.register(&sight, int64(offset), "")
				slow.entries = append(slow.entries, seenEntry{identity: sight.identity, content: sight.content,
					offset: int64(offset), hour: int32(sight.hour)})
			}
			if rng.IntN(25) > 0 {
				continue
			}
			late := rng.IntN(3) == 0 // a paused predecessor wrote these, cut in another way
			for _, r := range fast.checkpoint(nil) {
				if kept[string(r.Key)] = r.Value; r.Value == nil {
					delete(kept, string(r.Key))
				} else if late {
					overlap(t, kept, r)
				}
			}
			if rng.IntN(2) == 0 {
				from = offset + 1 // the marker
				continue
			}
			fast = newSeen(48)
			for key, value := range kept {
				first, _ := parseSeenKey([]byte(key))
				if err := fast.restore(first, value); err != nil {
					t.Fatal(err)
				}
			}
			for len(slow.entries) > 0 && slow.entries[len(slow.entries)-1].offset >= int64(from) {
				slow.entries = slow.entries[:len(slow.entries)-1]
			}
			offset = from - 1
		}
	}
	for _, what := range []string{"again true changed false", "again false changed true", "again false changed false",
		"registered"} {
		if counts[what] == 0 {
			t.Errorf("no %s in %v", what, counts)
		}
	}
}

// overlap stores the second half of a block as a block of its own, too.
func overlap(t *testing.T, kept map[string][]byte, r StateRecord) {
	t.Helper()
	first, _ := parseSeenKey(r.Key)
	block, err := decodeSeenBlock(r.Value, first)
	if err != nil {
		t.Fatal(err)
	}
	if half := block.entries[len(block.entries)/2:]; half[0].offset > first {
		kept[string(seenKey(half[0].offset))] = (&seenBlock{entries: half}).append(nil)
	}
}

// G7, G8: one invoice_id with ever new content costs each record the same, when
// it comes, when it is replayed and when it is forgotten.
func TestOneIdentityWithManyContentsStaysFast(t *testing.T) {
	const n = 200000 // looking at each of them for each would take minutes
	start := time.Now()
	inTime := func(what string, i int) {
		if i%1000 == 0 && time.Since(start) > 20*time.Second {
			t.Fatalf("%s: %d of %d records took %v", what, i, n, time.Since(start))
		}
	}
	s, again := newSeen(48), newSeen(48)
	for i := range n {
		inTime("first time", i)
		sight := sighting{identity: 1, content: uint64(i), hour: 1000}
		if s.look(&sight, int64(i)); sight.again || sight.changed != (i > 0) {
			t.Fatalf("record %d: again %v, changed %v", i, sight.again, sight.changed)
		}
		s.register(&sight, int64(i), "")
	}
	for _, r := range s.checkpoint(nil) {
		first, _ := parseSeenKey(r.Key)
		if err := again.restore(first, r.Value); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		inTime("replay", i)
		sight := sighting{identity: 1, content: uint64(i), hour: 1000}
		if again.look(&sight, int64(i)); sight.again || !sight.registered {
			t.Fatalf("replay of %d: again %v, registered %v", i, sight.again, sight.registered)
		}
	}
	last := sighting{identity: 1, content: 0, hour: 1000}
	if again.look(&last, n); !last.again {
		t.Error("the first content is not known any more")
	}
	for _, x := range []*seen{s, again} {
		x.expire(1049)
		if left := x.identities.Len() + x.others.Len() + len(x.byFirst); left != 0 {
			t.Errorf("%d index entries left of what expired", left)
		}
	}
	inTime("forgetting", 0)
}

// G7: what teaches nothing leaves no segment behind but the shadow of one that is
// known, and is yet scored by what other partitions taught.
func TestWhatTeachesNothingLeavesNoSegment(t *testing.T) {
	shared := NewShared()
	for _, r := range taughtWith(DefaultSettings(), 40, 100*invoice.Unit).Checkpoint(40) {
		if r.Shared {
			if err := shared.Put(r.Key, r.Value, 0, 40); err != nil {
				t.Fatal(err)
			}
		}
	}
	e, before := NewEngine(DefaultSettings(), shared, 1), shared.segments()
	spoil := []func(*invoice.Invoice){
		func(inv *invoice.Invoice) { inv.Type = invoice.CreditNote },
		func(inv *invoice.Invoice) { inv.Stage = invoice.PreIssue },
		func(inv *invoice.Invoice) { inv.Canary = true },
		func(inv *invoice.Invoice) { inv.NetAmount /= 2 }, // suspect: its customer type is known
	}
	for offset := range int64(100) {
		inv := usual(100*invoice.Unit, offset)
		inv.ProductFamily = fmt.Sprint("garbage", offset)
		spoil[offset%4](inv)
		v := verdictOn(e, inv, offset)
		if e.Teach(v.Suspect) {
			t.Fatalf("offset %d was taught", offset)
		}
		if inv.Type == invoice.Standard && (v.N != 40 || v.Level != LevelCustomerType) {
			t.Fatalf("offset %d: level %s, n %d; want the 40 invoices of the other partition", offset, v.Level, v.N)
		}
	}
	if e.segments.len() != 2 || shared.segments() != before { // customer type and seller
		t.Errorf("%d segments here, %d shared; want 2 and %d", e.segments.len(), shared.segments(), before)
	}
	inv := usual(100*invoice.Unit, 100)
	verdictOn(e, inv, 100)
	if !e.Teach(false) || e.segments.len() != segmentKinds || len(e.dirty) != segmentKinds {
		t.Errorf("a usual invoice made %d segments, %d to be written; want %d", e.segments.len(), len(e.dirty), segmentKinds)
	}
}
