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
	var left, said, joined []time.Duration
	ready := 0
	for move := range f.Moves {
		if err := r.settled(ctx, f.Live); err != nil {
			return s, errors.Join(err, stop())
		}
		if move%2 == 0 {
			pauses, since, n, err := r.leaves(ctx, watch)
			if err != nil {
				return s, err
			}
			left, said, ready = append(left, pauses...), append(said, since...), ready+n
			continue
		}
		pauses, err := r.joins(ctx, watch, f.Live)
		if err != nil {
			return s, err
		}
		joined = append(joined, pauses...)
	}
	if err := stop(); err != nil {
		return s, err
	}
	s.title = "Members that leave and join"
	s.setting = fmt.Sprintf("%d segments, %d customers, %d partitions; three members, of which one leaves (SIGTERM) and "+
		"another joins in turn, %.0f invoices a second. Pauses count from the last commit of who had the partition until "+
		"the new owner's commit behind its take-over: so long nobody worked.", f.Segments, f.Customers, f.Partitions,
		f.Live)
	s.aimed("pause of a partition whose owner leaves, p99", "≤ "+seconds(mostPause), quantile(left, 0.99) <= mostPause,
		"%s of %d in %d leaves", seconds(quantile(left, 0.99)), len(left), (f.Moves+1)/2)
	s.tell("the same, median and worst", "%s, %s", seconds(quantile(left, 0.5)), seconds(quantile(left, 1)))
	s.tell("from the signal to the take-over, median, p99 and worst; it works on for the most part", "%s, %s, %s",
		seconds(quantile(said, 0.5)), seconds(quantile(said, 0.99)), seconds(quantile(said, 1)))
	s.tell("taken over by who was prepared", "%d of %d", ready, len(said))
	s.aimed("pause of a partition that goes to who joins, p99", "≤ "+seconds(mostPause),
		quantile(joined, 0.99) <= mostPause, "%s of %d in %d joins", seconds(quantile(joined, 0.99)), len(joined), f.Moves/2)
	s.tell("the same, median and worst", "%s, %s", seconds(quantile(joined, 0.5)), seconds(quantile(joined, 1)))
	return s, nil
}

// leaves stops the oldest member and returns how long each of its partitions paused, when each
// was taken over, from the signal on, and how many of them by who was prepared.
func (r *rig) leaves(ctx context.Context, watch *progress) (pauses, since []time.Duration, ready int, err error) {
	m := r.oldest()
	partitions, err := r.owned(m)
	if err != nil {
		return nil, nil, 0, err
	}
	said := time.Now()
	if err := m.Stop(ctx); err != nil {
		return nil, nil, 0, err
	}
	ended := time.Since(said)
	taken, err := r.awaitTakeovers(ctx, m, partitions, said)
	for _, t := range taken {
		since = append(since, t.at.Sub(said))
		if before, _ := watch.around(t.partition, t.at); !before.IsZero() {
			pauses = append(pauses, t.at.Sub(before))
		}
	}
	say("%s ended after %v; its %d partitions, %d of them prepared, paused for %v at most", m.Name,
		ended.Round(time.Millisecond), len(pauses), prepared(taken), quantile(pauses, 1).Round(time.Millisecond))
	return pauses, since, prepared(taken), err
}

// joins starts a member and returns how long each partition paused that it got.
func (r *rig) joins(ctx context.Context, watch *progress, rate float64) (pauses []time.Duration, err error) {
	m, err := r.Join()
	if err != nil {
		return nil, err
	}
	if err := r.settled(ctx, rate); err != nil {
		return nil, err
	}
	all, err := r.takeovers()
	for _, t := range all {
		if t.member != m {
			continue
		}
		if before, _ := watch.around(t.partition, t.at); !before.IsZero() {
			pauses = append(pauses, t.at.Sub(before))
		}
	}
	say("%s joined and got %d partitions: %v at most", m.Name, len(pauses), quantile(pauses, 1).Round(time.Millisecond))
	return pauses, err
}
