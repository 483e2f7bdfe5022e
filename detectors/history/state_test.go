package history

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// fill gives every field of an item a value of its own, so that one that is not
// stored shows.
func fill(v reflect.Value, next *int) {
	*next++
	n := uint16(*next % 100)
	switch v.Type() { // counts that contradict each other are refused
	case reflect.TypeFor[Share]():
		v.Set(reflect.ValueOf(Share{Yes: n, All: n + 1}))
		return
	case reflect.TypeFor[Lists]():
		l := Lists{Sorted: Share{n, n + 1}, Lines: uint32(n) + 2, Kept: listKeys, Early: Moments{n + 3, 0.4, 0.5}}
		for i := range l.Sample {
			l.Sample[i] = uint64(n) + uint64(i)<<40
		}
		v.Set(reflect.ValueOf(l))
		return
	case reflect.TypeFor[Tally]():
		v.Set(reflect.ValueOf(Tally{Yes: n + 2, Days: n + 1, Day: int32(n) + 4, Late: Share{n + 5, n + 6},
			Over: true}))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), next)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), next)
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float32:
		v.SetFloat(float64(*next) + 0.1)
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(*next))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(uint64(*next) & 0xff)
	default:
		panic("cannot fill a " + v.Kind().String())
	}
}

// filledItem puts an item with every field filled into a table.
func filledItem[T any](t *table[T], key uint64) *T {
	item := t.touch(key, nil)
	fillItem(item)
	return item
}

func fillItem[T any](item *T) {
	next := 0
	fill(reflect.ValueOf(item).Elem(), &next)
}

func filledStore(key uint64) *Store {
	s := New(DefaultLimits())
	filledItem(s.products, key)
	filledItem(s.pairs, key)
	s.customers.change(key, fillItem)
	filledItem(s.groups, key)
	filledItem(s.terms, key)
	filledItem(s.sources, key)
	s.prints.change(key, fillItem)
	filledItem(s.likes, key)
	filledItem(s.conducts, key)
	filledItem(s.deals, key)
	filledItem(s.met, key)
	return s
}

// keyOf is the key of a bucket's slot.
func keyOf(number uint16, slot uint8) []byte { return (&shelf{prefix: KeyPrefix}).keyOf(number, slot) }

// restored returns a store that holds one bucket's stored form.
func restored(t *testing.T, number uint16, value []byte) *Store {
	t.Helper()
	s := New(DefaultLimits())
	if err := s.Restore(keyOf(number, 1), value, 5); err != nil {
		t.Fatal(err)
	}
	if err := s.Adopt(5); err != nil {
		t.Fatal(err)
	}
	return s
}

// G5: a field that were not stored would make verdicts differ after a crash.
func TestEveryFieldIsStored(t *testing.T) {
	const key = 77<<(64-bucketBits) | 5
	s := filledStore(key)
	again := restored(t, 77, s.encode(77))
	for name, pair := range map[string][2]any{
		"product": {s.products.get(key), again.products.get(key)}, "pair": {s.pairs.get(key), again.pairs.get(key)},
		"customer": {s.customers.load(key, new(Customer)), again.customers.load(key, new(Customer))},
		"group":    {s.groups.get(key), again.groups.get(key)},
		"terms":    {s.terms.get(key), again.terms.get(key)}, "source": {s.sources.get(key), again.sources.get(key)},
		"prints":  {s.prints.load(key, new(Prints)), again.prints.load(key, new(Prints))},
		"like":    {s.likes.get(key), again.likes.get(key)},
		"conduct": {s.conducts.get(key), again.conducts.get(key)}, "deal": {s.deals.get(key), again.deals.get(key)},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s came back as\n%+v\nwant\n%+v", name, pair[1], pair[0])
		}
	}
	if len(s.tables) != 10 {
		t.Errorf("%d kinds of items are stored, 10 are tried here: add the new one", len(s.tables))
	}
	if !bytes.Equal(s.encode(77), again.encode(77)) {
		t.Error("equal buckets give different bytes")
	}
}

// The order in which items came does not show in the bytes.
func TestEqualBucketsGiveEqualBytes(t *testing.T) {
	keys := make([]uint64, 40)
	for i := range keys {
		keys[i] = uint64(i) * 0x9e37
	}
	var first []byte
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rng.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		s := New(DefaultLimits())
		for _, key := range keys {
			s.pairs.touch(key, nil).Hour = int32(key)
		}
		if first == nil {
			first = s.encode(0)
		}
		if !bytes.Equal(s.encode(0), first) {
			t.Fatal("the order of the items shows")
		}
	}
}

func TestRestoreRefusesWhatIsNoBucket(t *testing.T) {
	good := filledStore(5).encode(0)
	change := func(at int, b byte) []byte {
		out := bytes.Clone(good)
		out[at] = b
		return out
	}
	for _, c := range []struct {
		name, key string
		value     []byte
		want      string
	}{
		{"no number", "history|x|0", good, `cannot restore state key "history|x|0": want history|, a number`},
		{"number too high", "history|1024|0", good, "a number from 0000 to 1023"},
		{"no slot", "history|0000", good, "a slot, |0 or |1"},
		{"other slot", "history|0000|2", good, "a slot, |0 or |1"},
		{"older format", "history|0000|0", change(0, 0), "run the recoup that wrote it, or go on"},
		{"other buckets", "history|0000|0", change(1, 9), "run the recoup that wrote it, or go on"},
		{"nothing", "history|0000|0", []byte{}, "begins with []"},
		{"cut off", "history|0000|0", good[:len(good)-1], "cut off or damaged; its statistics are learned anew"},
		{"too long", "history|0000|0", append(bytes.Clone(good), 0), "cut off or damaged"},
		{"of another bucket", "history|0001|0", good, "cut off or damaged"},
		{"too many items", "history|0000|0", change(2, 99), "cut off or damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New(DefaultLimits())
			err := s.Restore([]byte(c.key), c.value, 3)
			if err == nil {
				err = s.Adopt(3)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			if s.encode(0) != nil || s.encode(1) != nil {
				t.Error("something of it was kept")
			}
		})
	}
}

// FuzzRestore: whatever stands in the topic, the store stays usable; what it takes,
// it writes in a form that it takes again.
func FuzzRestore(f *testing.F) {
	f.Add(filledStore(5).encode(0))
	s := New(DefaultLimits())
	s.pairs.touch(3, nil).Lines = 7
	f.Add(s.encode(0))
	f.Fuzz(func(t *testing.T, value []byte) {
		s := New(DefaultLimits())
		if s.Restore(keyOf(0, 0), value, 1) != nil {
			return
		}
		if err := s.Adopt(1); err != nil {
			if s.encode(0) != nil {
				t.Fatal("what is damaged left something behind")
			}
			return
		}
		once := s.encode(0)
		if once == nil {
			return
		}
		if again := restored(t, 0, once).encode(0); !bytes.Equal(again, once) {
			t.Fatalf("written as %x, then as %x", once, again)
		}
		for _, l := range s.products.lists[:min(1, len(s.products.lists))] {
			if l.items > 0 { // hostile counts must not make learning fail
				item := &s.products.slot(l.first - 1).item
				item.teach(&Line{Priced: true, Price: 5, Quantity: 2}, 9)
				item.suspect(&Line{Priced: true, Price: 6, Quantity: 2}, &Facts{Day: 4})
			}
		}
	})
}

// G5: which slot counts, the marker says; what is ahead of it is written over, so
// that it never seems to belong to a later marker.
func TestMarkerDecidesWhichSlotCounts(t *testing.T) {
	const none = -1
	for _, c := range []struct {
		slots  [2]int64 // offsets of the checkpoints that wrote them
		marker int64
		want   int64 // the offset whose content counts
		writes int   // records that later checkpoints write by themselves
	}{
		{[2]int64{none, none}, 10, none, 0},
		{[2]int64{none, 10}, 10, 10, 0},
		{[2]int64{20, 10}, 10, 10, 1},
		{[2]int64{20, 10}, 20, 20, 0},
		{[2]int64{20, 10}, 25, 20, 0},
		{[2]int64{10, 20}, 15, 10, 1},
		{[2]int64{none, 10}, 9, none, 1},
		{[2]int64{10, none}, 9, none, 2},
		{[2]int64{10, 20}, 9, none, 2},
	} {
		t.Run(fmt.Sprint(c.slots, c.marker), func(t *testing.T) {
			s := New(DefaultLimits())
			for slot, applied := range c.slots {
				if applied == none {
					continue
				}
				from := New(DefaultLimits())
				from.pairs.touch(1, nil).Hour = int32(applied)
				if err := s.Restore(keyOf(0, uint8(slot)), from.encode(0), applied); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Adopt(c.marker); err != nil {
				t.Fatal(err)
			}
			got := int64(none)
			if p := s.pairs.get(1); p != nil {
				got = int64(p.Hour)
			}
			if got != c.want {
				t.Errorf("what counts is of offset %d, want %d", got, c.want)
			}
			over := map[string]bool{}
			for s.Changed() > 0 {
				s.Checkpoint(func(key, _ []byte) { over[string(key)] = true })
			}
			if len(over) != c.writes {
				t.Errorf("%v are written over, want %d", over, c.writes)
			}
			for slot, applied := range c.slots {
				if applied > c.marker && !over[string(keyOf(0, uint8(slot)))] {
					t.Errorf("slot %d of offset %d is ahead of the marker and stays", slot, applied)
				}
			}
		})
	}
}

// A checkpoint leaves alone what the one before wrote, until the one after.
func TestCheckpointsAlternate(t *testing.T) {
	s := New(DefaultLimits())
	for i := range 4 {
		s.pairs.touch(1, nil).Hour = int32(i)
		s.Checkpoint(func(key, _ []byte) {
			if want := keyOf(0, uint8(1-i%2)); !bytes.Equal(key, want) {
				t.Errorf("checkpoint %d writes %s, want %s", i, key, want)
			}
		})
		if s.Changed() != 0 {
			t.Errorf("checkpoint %d leaves %d buckets to be written", i, s.Changed())
		}
	}
}

// G5, G7: with ever new keys memory stays bounded, and what is forgotten does not
// depend on when the store was written and read.
func TestForgettingIsBoundedAndTheSameAfterRestore(t *testing.T) {
	limits := Limits{Products: 6 * buckets, Pairs: 6 * buckets, Customers: 6 * buckets, Groups: 6 * buckets,
		Terms: 6 * buckets, Sources: 6 * buckets}
	rng := rand.New(rand.NewPCG(1, 2))
	straight, crashing := New(limits), New(limits)
	forgotten := 0
	for i := range 3000 {
		key, hour := rng.Uint64N(4)<<(64-bucketBits)|rng.Uint64N(60), int32(i/7)
		for _, s := range []*Store{straight, crashing} {
			s.pairs.touch(key, nil).Hour = hour
			s.customers.change(key, func(c *Customer) { c.Hour = hour })
		}
		if straight.pairs.index.Len() > 4*6 || straight.customers.index.Len() > 4*6 {
			t.Fatalf("%d pairs and %d customers in 4 buckets of 6", straight.pairs.index.Len(), straight.customers.index.Len())
		}
		if rng.IntN(10) > 0 {
			continue
		}
		again := New(limits)
		for number := range uint16(4) {
			value := crashing.encode(number)
			if !bytes.Equal(value, straight.encode(number)) {
				t.Fatalf("record %d: bucket %d differs after restore", i, number)
			}
			if value == nil {
				continue
			}
			if err := again.Restore(keyOf(number, 0), value, int64(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := again.Adopt(int64(i)); err != nil {
			t.Fatal(err)
		}
		forgotten += int(straight.pairs.removed)
		crashing = again
	}
	if forgotten == 0 {
		t.Error("nothing was ever forgotten")
	}
}

// The table answers what a map answers, also where keys collide in the index and
// are dropped again.
func TestTableAgainstMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	tab := newTable(new(marks), 8*buckets, func(p *Pair) int32 { return p.Hour }, (*coder).pair)
	want := map[uint64]int32{}
	for i := range int32(40_000) {
		key := rng.Uint64N(700) * 64 // 64 keys apart: they share places while the index is small
		if rng.IntN(3) == 0 {
			key |= rng.Uint64N(8) << (64 - bucketBits)
		}
		removed := tab.removed
		tab.touch(key, tab.find(key)).Hour = i
		want[key] = i
		if tab.removed > removed { // a full bucket forgot some
			for k := range want {
				if tab.get(k) == nil {
					delete(want, k)
				}
			}
		}
		if i%997 > 0 {
			continue
		}
		if len(want) != tab.index.Len() {
			t.Fatalf("step %d: %d items, want %d", i, tab.index.Len(), len(want))
		}
		for k, hour := range want {
			if item := tab.get(k); item == nil || item.Hour != hour {
				t.Fatalf("step %d: key %d is %v, want hour %d", i, k, item, hour)
			}
		}
	}
	if tab.removed == 0 {
		t.Error("nothing was dropped")
	}
}

// An item that is forgotten while one invoice is taught must not be taught through
// the pointer that Look gave: its place may be another's.
func TestForgottenWithinOneInvoice(t *testing.T) {
	one := Limits{Products: buckets, Pairs: buckets, Customers: buckets, Groups: buckets, Terms: buckets, Sources: buckets}
	s := New(one)
	line := func(product uint64) Line {
		return Line{Product: product, Price: 5, NetPrice: 5, Quantity: 1, Priced: true}
	}
	f := Facts{Seller: 1 << 60, Hour: 1, Lines: []Line{line(1)}}
	s.Look(&f)
	s.Teach(&f, false)
	f = Facts{Seller: 1 << 60, Hour: 2, Lines: []Line{line(2), line(1), line(1)}}
	s.Look(&f)
	if f.Lines[1].OfProduct == nil {
		t.Fatal("the product is not known")
	}
	s.Teach(&f, false) // product 2 takes the only place of product 1, which takes it back
	if p := s.products.get(1); p == nil || p.Lines != 2 || s.products.get(2) != nil || s.products.index.Len() != 1 {
		t.Errorf("product 1 is %+v, want 2 lines, those since it came back; product 2 is %v", p, s.products.get(2))
	}
}

// A float that is no number would spread to every figure learned after it.
func TestNoNumberIsRefused(t *testing.T) {
	for _, x := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
		s := New(DefaultLimits())
		s.likes.touch(1, nil).Price.Mean = x
		again := New(DefaultLimits())
		if err := again.Restore(keyOf(0, 0), s.encode(0), 1); err != nil {
			t.Fatal(err)
		}
		if err := again.Adopt(1); err == nil {
			t.Errorf("a mean of %v was taken", x)
		}
	}
}

// G7: a bucket that was stored when there was more room keeps what was met last, whatever the
// order of the keys, and what is dropped is counted.
func TestLessRoomKeepsTheNewest(t *testing.T) {
	const stored, room = 200, 50
	s, less := New(DefaultLimits()), New(Limits{Pairs: room * buckets, Customers: room * buckets})
	hours := rand.New(rand.NewPCG(1, 3)).Perm(stored)
	for key, hour := range hours {
		s.pairs.touch(uint64(key), nil).Hour = int32(hour)
		s.customers.change(uint64(key), func(c *Customer) { c.Hour = int32(hour) })
	}
	if err := less.Restore(keyOf(0, 1), s.encode(0), 5); err != nil {
		t.Fatal(err)
	}
	if err := less.Adopt(5); err != nil {
		t.Fatal(err)
	}
	for key, hour := range hours {
		want := hour >= stored-room
		if pair, customer := less.pairs.get(uint64(key)) != nil, less.customers.get(uint64(key)) != nil; pair != want ||
			customer != want {
			t.Errorf("of hour %d: pair known %v, customer %v; want %v", hour, pair, customer, want)
		}
	}
	for _, f := range less.Forgotten() {
		if want := f.Kind == "customer" || f.Kind == "customer_product"; (f.Items == stored-room) != want {
			t.Errorf("%d of kind %s were forgotten", f.Items, f.Kind)
		}
	}
}
