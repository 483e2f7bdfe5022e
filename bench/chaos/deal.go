package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

var (
	// errCannot is a fault that cannot be injected here.
	errCannot = errors.New("cannot be injected here")
	// errNobody is a fault that met nobody this time.
	errNobody = errors.New("nobody came there")
)

// mostTries is how often a fault that meets nobody is tried before the scene goes on
// without it.
const mostTries = 4

// dealer deals the faults of a scene, in rounds: each comes once before any comes twice.
type dealer struct {
	*play
	began  time.Time
	faults time.Duration
	tries  map[string]int  // that met nobody, by names of faults
	met    map[string]bool // faults that were injected
	gone   map[string]bool // faults that are not tried any more
	result *result
}

// inject deals the scene's faults until the time is over and each has come. A scene whose
// faults stand in others, too, ends with the time.
func (p *play) inject(ctx context.Context, faults time.Duration, r *result) error {
	if err := p.begun(ctx); err != nil {
		return err
	}
	d := &dealer{play: p, began: time.Now(), faults: faults, tries: map[string]int{}, met: map[string]bool{},
		gone: map[string]bool{}, result: r}
	return d.deals(ctx)
}

// deals is inject once the members are at work.
func (d *dealer) deals(ctx context.Context) error {
	for !d.over() {
		if len(d.scene.faults) == len(d.gone) {
			return errors.New("cannot inject anything: " + strings.Join(d.result.skipped, "; "))
		}
		for _, i := range d.rng.Perm(len(d.scene.faults)) {
			f := &d.scene.faults[i]
			rng := rand.New(rand.NewPCG(d.rng.Uint64(), 0)) // of this fault: how much it draws moves no other
			// Most faults meet invoices that flow; some follow before the last one is over.
			soon, gap := d.rng.IntN(4) == 0, upTo(d.rng, 2*time.Second)
			if d.gone[f.name] || d.late() && (d.scene.sampled || d.met[f.name]) {
				continue
			}
			if err := d.deal(ctx, f, rng); err != nil {
				return err
			}
			if !soon {
				if err := d.flow(ctx); err != nil {
					return err
				}
			}
			if err := pass(ctx, gap); err != nil {
				return err
			}
		}
	}
	d.lacks()
	return nil
}

// lacks notes the faults that the scene has and that nobody met, so that the matrix says it.
func (d *dealer) lacks() {
	for i := range d.scene.faults {
		name := d.scene.faults[i].name
		if !d.met[name] && !d.gone[name] {
			d.result.skipped = append(d.result.skipped,
				fmt.Sprintf("%s: the time was over, and of %d tries none met anybody", name, d.tries[name]))
		}
	}
}

// late tells whether the time for faults is over.
func (d *dealer) late() bool { return time.Since(d.began) >= d.faults }

// over tells whether no fault is due any more.
func (d *dealer) over() bool {
	return d.late() && (d.scene.sampled ||
		!slices.ContainsFunc(d.scene.faults, func(f kind) bool { return !d.met[f.name] && !d.gone[f.name] }))
}

// deal injects one fault, or says why not.
func (d *dealer) deal(ctx context.Context, f *kind, rng *rand.Rand) error {
	say("  %3.0f s of %.0f: %s", time.Since(d.began).Seconds(), d.faults.Seconds(), f.name)
	err := f.inject(ctx, d.play, rng, f.name)
	switch {
	case errors.Is(err, errNobody):
		say("    %v", err)
		most := cmp.Or(d.scene.tries, mostTries)
		if d.tries[f.name]++; d.tries[f.name] < most || d.met[f.name] {
			break
		}
		err = fmt.Errorf("%w, %d times", err, most)
		fallthrough
	case errors.Is(err, errCannot):
		d.gone[f.name] = true
		d.result.skipped = append(d.result.skipped, fmt.Sprintf("%s: %v", f.name, err))
		say("    %v", err)
	case err != nil:
		return fmt.Errorf("%s: %w", f.name, err)
	default:
		d.met[f.name] = true
	}
	return d.refill()
}
