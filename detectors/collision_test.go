package detectors

import (
	"math/rand/v2"
	"testing"
)

// manyHashes are enough for some ten pairs of which an index keeps the same half.
const manyHashes = 300_000

// Segments whose keys have one hash are told apart by their keys.
func TestKeysOfOneHash(t *testing.T) {
	var shard sharedShard
	const hash = 7
	places := map[string]uint32{}
	for _, key := range []string{"a", "b", "c"} {
		if place := shard.find(hash, []byte(key)); place != 0 {
			t.Errorf("%s is found at %d before it is there", key, place)
		}
		places[key] = shard.add(hash, []byte(key), textOf(nil, []byte(key)))
	}
	shard.forget(places["b"], hash)
	places["b"] = 0
	for key, want := range places {
		if place := shard.find(hash, []byte(key)); place != want {
			t.Errorf("%s is found at %d, want %d", key, place, want)
		}
	}
}

// Segments of an engine whose hashes have the same half are told apart by the whole hash.
func TestSegmentsOfOneHalf(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 41))
	var table segmentTable
	hashes := make([]uint64, manyHashes)
	for i := range hashes {
		hashes[i] = rng.Uint64()
		if s := table.get(hashes[i]); s != nil {
			t.Fatalf("%x is taken for %x", hashes[i], s.hash)
		}
		table.add(hashes[i], uint32(i))
	}
	for i, hash := range hashes {
		if s := table.get(hash); s == nil || s.shared != uint32(i) {
			t.Fatalf("%x has become another segment, or none", hash)
		}
	}
}

// Invoices and deliveries whose hashes have the same half are none that came before, and a
// redelivery of each is one.
func TestSeenOfOneHalf(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 42))
	s := newSeen(48)
	all := make([]sighting, manyHashes)
	for i := range all {
		sight := sighting{identity: rng.Uint64(), content: rng.Uint64(), delivery: rng.Uint64()}
		all[i] = sight
		s.look(&sight, int64(i))
		if sight.again || sight.changed || sight.first != 0 {
			t.Fatalf("invoice %d is taken for another: %+v", i, sight)
		}
		s.register(&sight, int64(i), "")
	}
	for i, sight := range all {
		if s.look(&sight, int64(manyHashes+i)); !sight.again || s.entry(sight.first).offset != int64(i) {
			t.Fatalf("invoice %d is forgotten: %+v", i, sight)
		}
	}
}
