package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// mostPause is how long a partition may pause when a member leaves or joins.
const mostPause = 2 * time.Second

// leave has members leave and join in turn, as a rolling restart does.
func (f *flags) leave(ctx context.Context, r *rig) (s section, err error) {
	if err := f.begin(ctx, r, 3); err != nil {
		return s, err
	}
	stop := r.feed(ctx, f.Live)
	watch, unwatch := r.watchProgress(ctx)
	defer unwatch()
	if err := r.checkpointed(ctx); err != nil {
		return s, errors.Join(err, stop())
	}
	var left, joined pauses
	rate := r.rate()
	for move := range f.Moves {
		if err := r.settled(ctx, f.Live); err != nil {
			return s, errors.Join(err, stop())
		}
		if move%2 == 0 {
			err = r.leaves(ctx, watch, &left)
		} else {
			err = r.joins(ctx, watch, f.Live, &joined)
		}
		if err != nil {
			return s, err
		}
	}
	live := rate()
	if err := stop(); err != nil {
		return s, err
	}
	s.title = "Members that leave and join"
	s.setting = fmt.Sprintf("%d segments, %d customers, %d partitions; three members, of which one leaves (SIGTERM) and "+
		"another joins in turn, %.0f invoices a second. Pauses count from the last commit of who had the partition until "+
		"the new owner's commit behind its take-over: so long nobody worked.", f.Segments, f.Customers, f.Partitions,
		f.Live)
	s.loaded(f.Live, live)
	left.tell(&s, "pause of a partition whose owner leaves", fmt.Sprintf("in %d leaves", (f.Moves+1)/2))
	s.tell("from the signal to the take-over, median, p99 and worst; it works on for the most part", "%s, %s, %s",
		seconds(quantile(left.since, 0.5)), seconds(quantile(left.since, 0.99)), seconds(quantile(left.since, 1)))
	s.tell("taken over by who was prepared", "%d of %d", left.ready, len(left.since))
	joined.tell(&s, "pause of a partition that goes to who joins", fmt.Sprintf("in %d joins", f.Moves/2))
	return s, nil
}

// pauses are of partitions that changed their owner.
type pauses struct {
	took    []time.Duration
	since   []time.Duration // of leaves: from the signal to the take-over
	ready   int             // of leaves: taken over by who was prepared
	unknown int             // of partitions whose offset was not seen to move before
}

// add notes how long a partition paused that was taken over.
func (p *pauses) add(watch *progress, t takeover) {
	before, _ := watch.around(t.partition, t.at)
	if before.IsZero() {
		p.unknown++
		return
	}
	p.took = append(p.took, t.at.Sub(before))
}

// tell adds figures of the pauses, and how many are not in them.
func (p *pauses) tell(s *section, what, in string) {
	among := " " + in
	if p.unknown > 0 {
		among += fmt.Sprintf("; of %d more it is not known", p.unknown)
	}
	s.atMost(what+", p99", p.took, 0.99, mostPause, seconds, among)
	s.tell("the same, median and worst", "%s, %s", seconds(quantile(p.took, 0.5)), seconds(quantile(p.took, 1)))
}

// leaves stops the oldest member and notes how long each of its partitions paused, when each
// was taken over, from the signal on, and how many of them by who was prepared.
func (r *rig) leaves(ctx context.Context, watch *progress, p *pauses) error {
	m := r.oldest()
	partitions, err := r.owned(m)
	if err != nil {
		return err
	}
	said := time.Now()
	if err := m.Stop(ctx); err != nil {
		return err
	}
	ended, known := time.Since(said), len(p.took)
	taken, err := r.awaitTakeovers(ctx, m, partitions, said)
	p.ready += prepared(taken)
	for _, t := range taken {
		p.since = append(p.since, t.at.Sub(said))
		p.add(watch, t)
	}
	say("%s ended after %v; its %d partitions, %d of them prepared, paused for %v at most", m.Name,
		ended.Round(time.Millisecond), len(taken), prepared(taken), quantile(p.took[known:], 1).Round(time.Millisecond))
	return err
}

// joins starts a member and notes how long each partition paused that it got.
func (r *rig) joins(ctx context.Context, watch *progress, rate float64, p *pauses) error {
	m, err := r.Join()
	if err != nil {
		return err
	}
	if err := r.settled(ctx, rate); err != nil {
		return err
	}
	all, err := r.takeovers()
	known := len(p.took)
	for _, t := range all {
		if t.member == m {
			p.add(watch, t)
		}
	}
	say("%s joined and got %d partitions: %v at most", m.Name, len(p.took)-known,
		quantile(p.took[known:], 1).Round(time.Millisecond))
	return err
}
