package detectors

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors/arena"
	"recoup/invoice"
)

// segments counts what is held of all segments.
func (s *Shared) segments() (n int) {
	for i := range s.shards {
		n += s.shards[i].index.Len()
	}
	return n
}

// signedBaseline is one that tells which segment it is of, and a mixture of two from itself.
func signedBaseline(segment, round int) Baseline {
	amount := invoice.Amount(segment*1_000_000 + round)
	return Baseline{n: int64(1 + round), hour: 490_000, first: amount, weight: 1, sum: float64(amount),
		square: float64(amount)}
}

func isSignedBaseline(b *Baseline, segment int) bool {
	return b.n == 0 || *b == signedBaseline(segment, int(b.n)-1)
}

// Engines may read a segment while others replace and forget what is contributed to it and to
// its neighbours, and while it is forgotten and its place used for another one: they read what
// one partition contributed to this segment, whole.
func TestSharedIsSafeWhileOthersForget(t *testing.T) {
	const keys, writers, readers = 300, 2, 3
	shared := NewShared()
	key := func(i int) []byte { return fmt.Appendf(nil, "segment|acme|EUR|B2C|%0*d", 1+i%30, i) }
	var stop atomic.Bool
	var reading, writing sync.WaitGroup
	for r := range readers {
		reading.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(r), 31))
			e := NewEngine(worldSettings(), shared, r)
			defer func() { e.Release(); e.Release() }() // the second time gives back nothing
			for !stop.Load() {
				i := rng.IntN(keys)
				hash := xxhash.Sum64(key(i))
				s := e.segments.get(hash)
				switch {
				case s == nil && rng.IntN(2) == 0:
					s = e.segments.add(hash, shared.hold(key(i)))
				case s == nil:
					s = e.lend(bySegment, key(i), hash)
				case rng.IntN(8) == 0:
					e.drop(hash)
					e.reuse()
					continue
				}
				if got := e.others(s); !isSignedBaseline(&got, i) {
					t.Errorf("segment %d has %+v", i, got)
					return
				}
				if s.shared != 0 && string(shared.key(s.shared)) != string(key(i)) {
					t.Errorf("segment %d has the key %s", i, shared.key(s.shared))
					return
				}
			}
		})
	}
	for w := range writers {
		writing.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 32))
			for round := range 40_000 {
				i := rng.IntN(keys/writers)*writers + w
				var value []byte
				if rng.IntN(3) > 0 {
					b := signedBaseline(i, round)
					value = b.append(nil)
				}
				if err := shared.Put(key(i), value, readers, int64(round)); err != nil {
					t.Error(err)
					return
				}
				if round%5000 == 0 {
					shared.CountSegments(worldSettings())
				}
			}
			for i := w; i < keys; i += writers {
				if err := shared.Put(key(i), nil, readers, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	stop.Store(true)
	reading.Wait()
	if n := shared.segments(); n != 0 {
		t.Errorf("%d segments are left when everybody forgot them", n)
	}
}

// What partitions contribute is what a map says they do, whatever is replaced, forgotten, held
// and given back.
func TestSharedAgainstMap(t *testing.T) {
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 33))
		shared, want := NewShared(), map[string]map[int]Baseline{}
		held := map[string]uint32{} // numbers
		var buffer arena.Buffer
		for step := range 20_000 {
			i, partition := rng.IntN(200), rng.IntN(5)
			key := fmt.Sprintf("segment|acme|EUR|B2C|%0*d", 1+i%30, i)
			switch rng.IntN(6) {
			case 0:
				if number, is := held[key]; is {
					shared.release(number)
					delete(held, key)
				} else {
					held[key] = shared.hold([]byte(key))
				}
			case 1, 2:
				if err := shared.Put([]byte(key), nil, partition, 0); err != nil {
					t.Fatal(err)
				}
				if delete(want[key], partition); len(want[key]) == 0 {
					delete(want, key)
				}
			default:
				b := signedBaseline(i, step)
				if err := shared.Put([]byte(key), b.append(nil), partition, int64(step)); err != nil {
					t.Fatal(err)
				}
				if want[key] == nil {
					want[key] = map[int]Baseline{}
				}
				want[key][partition] = b
			}
			list := shared.find([]byte(key), nil)
			if number, is := held[key]; is {
				var version uint64
				if list, version = shared.read(number, &buffer); version != shared.version(number) {
					t.Fatalf("seed %d, step %d: version %x, want %x", seed, step, version, shared.version(number))
				}
			}
			n, before := 0, -1
			for ; len(list) > 0; n++ {
				var p part
				p, list = nextPart(list)
				if b, is := want[key][p.partition]; !is || p.baseline() != b || p.partition <= before {
					t.Fatalf("seed %d, step %d: partition %d has %+v, want %+v", seed, step, p.partition, p.baseline(), b)
				}
				before = p.partition
			}
			if n != len(want[key]) {
				t.Fatalf("seed %d, step %d: %d parts, want %d", seed, step, n, len(want[key]))
			}
		}
		for key := range want {
			held[key] = 0
		}
		if n := shared.segments(); n != len(held) {
			t.Errorf("seed %d: %d segments, want %d", seed, n, len(held))
		}
	}
}
