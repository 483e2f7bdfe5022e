package simulation_test

import (
	"math/rand/v2"
	"slices"
	"time"

	"recoup/pipeline"
)

// plan is all that a seed decides.
type plan struct {
	variant uint64
	pace    pace
	seats   [][]life         // processes at the same time; each seat holds one after another
	pieces  []time.Duration  // when the invoices come, in so many pieces
	talks   []time.Duration  // when people talk
	away    [2]time.Duration // from when to when the store does not answer
	last    time.Duration    // when a member without faults joins, to stay until all is over; 0: none does
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
	pl := plan{variant: rng.Uint64N(variants)}
	pl.pace = pace{fetchBytes: 600 << rng.IntN(5), flushRows: 1 + rng.IntN(12), flush: ms(5, 200),
		checkpoint: ms(10, 100<<rng.IntN(4)),
		sweep:      ms(2500, 4000),
		step:       ms(200, 1000)}
	crowded := isCrowded(pl.variant)
	if crowded { // so that what is forgotten was written before
		pl.pace.checkpoint = ms(10, 100)
	}
	for range 1 + rng.IntN(2) {
		var seat []life
		for range 1 + rng.IntN(3) {
			seat = append(seat, life{newFate(rng, ms, crowded), ms(0, 600), ms(500, 4000)})
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
	if rng.IntN(3) == 0 {
		pl.last = ms(1, 2500)
	}
	if rng.IntN(4) > 0 { // else who stops does so at once
		pl.pace.leave = ms(20, 1500)
	}
	for _, seat := range pl.seats {
		for _, l := range seat {
			if rng.IntN(2) == 0 {
				l.fate.fuses[fuse{leaving, 1 + rng.IntN(12)}] = dieBefore + fault(rng.IntN(int(expel)))
			}
		}
	}
	if rng.IntN(4) > 0 { // whoever has lag for a moment is silent
		pl.pace.standby = pipeline.Standby{Every: ms(5, 30), Silent: ms(0, 2<<rng.IntN(7)), Keep: ms(100, 3000)}
		if rng.IntN(2) == 0 { // and may have made checkpoints long before that is seen
			pl.pace.standby.Every, pl.pace.checkpoint = ms(100, 600), ms(10, 60)
		}
	}
	return pl
}

func newFate(rng *rand.Rand, ms func(from, to int) time.Duration, crowded bool) fate {
	f := fate{fuses: map[fuse]fault{}, session: ms(20, 300), hear: ms(1, 1000), slow: ms(1, 5<<rng.IntN(5))}
	if rng.IntN(3) == 0 {
		f.flaky = rng.Float64() / 4
	}
	// A short pause leaves the last proof of the group standing, a long one does not.
	f.pause = ms(100, 250)
	if rng.IntN(2) == 0 {
		f.pause = ms(400, 1500)
	}
	switch rng.IntN(8) {
	case 0, 1: // what it has copied, or promised, comes late
		late := []string{"append state", "append marker", "append baselines"}[rng.IntN(3)]
		n := 1 + rng.IntN(2)
		if crowded { // tombstones among them
			late, n = "append baselines", 2+rng.IntN(4)
		}
		f.fuses[fuse{late, n}] = pauseBefore
		f.session, f.pause = ms(20, 100), ms(400, 1500)
	case 2: // it claims its partition late, and still trusts the group's last answer
		f.fuses[fuse{"append suspects", 1}] = pauseBefore
		f.session, f.pause = ms(20, 90), ms(100, 250)
	case 3: // it promises what it has copied to nobody
		f.fuses[fuse{"append marker", 1 + rng.IntN(2)}] = dieBefore
	}
	for range rng.IntN(3) {
		at := fuse{kinds[rng.IntN(len(kinds))], 1 + rng.IntN(5)}
		if at.kind == "" {
			at.n = 1 + rng.IntN(40)
		}
		f.fuses[at] = dieBefore + fault(rng.IntN(int(expel)))
	}
	if rng.IntN(4) == 0 {
		read := []string{topics.Cases, topics.CaseEvents, topics.Recoveries, topics.Disputes, topics.Suspects,
			topics.State, topics.Baselines}
		f.behind, f.late = read[rng.IntN(len(read))], ms(50, 500)
	}
	return f
}
