package simulation_test

import (
	"math/rand/v2"
	"slices"
	"time"
)

// plan is all that a seed decides.
type plan struct {
	variant uint64
	pace    pace
	seats   [][]life         // processes at the same time; each seat holds one after another
	pieces  []time.Duration  // when the invoices come, in so many pieces
	talks   []time.Duration  // when people talk
	compact []time.Duration  // when the compacted topics are compacted
	away    [2]time.Duration // from when to when the store does not answer
	end     time.Duration    // when the last process is told to leave
}

// life is one process.
type life struct {
	fate  fate
	rest  time.Duration // before it starts
	leave time.Duration // how long until it is told to leave
}

// lastWord is when all invoices have come, and all that people say.
const lastWord = 2 * time.Second

func newPlan(seed uint64) plan {
	rng := rand.New(rand.NewPCG(seed, 5))
	ms := func(from, to int) time.Duration {
		return time.Duration(from*1e6 + rng.IntN((to-from)*1e6))
	}
	pl := plan{variant: rng.Uint64N(variants), end: ms(2000, 5000)}
	pl.pace = pace{fetchBytes: 600 << rng.IntN(5), flushRows: 1 + rng.IntN(12), flush: ms(5, 200), checkpoint: ms(10, 800),
		sweep: ms(2500, 4000), step: ms(200, 1000)}
	for range 1 + rng.IntN(2) {
		var seat []life
		for range 1 + rng.IntN(3) {
			seat = append(seat, life{newFate(rng, ms), ms(0, 600), ms(500, 4000)})
		}
		pl.seats = append(pl.seats, seat)
	}
	for range 1 + rng.IntN(4) {
		pl.pieces = append(pl.pieces, ms(0, 2000))
	}
	for range 1 + rng.IntN(3) {
		pl.talks = append(pl.talks, ms(0, 2000))
	}
	slices.Sort(pl.pieces)
	slices.Sort(pl.talks)
	if rng.IntN(4) == 0 {
		from := ms(0, 1500)
		pl.away = [2]time.Duration{from, from + ms(200, 6000)}
	}
	return pl
}

func newFate(rng *rand.Rand, ms func(from, to int) time.Duration) fate {
	f := fate{fuses: map[int]fault{}, session: ms(20, 300), hear: ms(1, 1000), slow: ms(1, 5<<rng.IntN(5))}
	if rng.IntN(3) == 0 {
		f.flaky = rng.Float64() / 4
	}
	// A short pause leaves the last proof of the group standing, a long one does not.
	f.pause = ms(100, 250)
	if rng.IntN(2) == 0 {
		f.pause = ms(400, 1500)
	}
	for range rng.IntN(4) {
		f.fuses[1+rng.IntN(40)] = dieBefore + fault(rng.IntN(int(expel)))
	}
	return f
}
