package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"recoup/bench/cluster"
	"recoup/pipeline"
)

// begin starts members and fills their state: each customer is billed four times.
func (f *flags) begin(ctx context.Context, r *rig, members int) error {
	plan := f.plan(f.Segments, f.Customers)
	plan.WarmUp = 2 // of each segment on each partition; customers bring the rest
	r.prepare(plan)
	if err := r.join(members); err != nil {
		return err
	}
	return r.fill(ctx, int64(4*f.Customers))
}

// takeOver kills members without warning, one after the other, while invoices go on.
func (f *flags) takeOver(ctx context.Context, r *rig) (s section, err error) {
	if err := f.begin(ctx, r, 2); err != nil {
		return s, err
	}
	stop := r.feed(ctx, f.Live)
	watch, unwatch := r.watchProgress(ctx)
	defer unwatch()
	if err := r.checkpointed(ctx); err != nil {
		return s, errors.Join(err, stop())
	}
	var on, given, moved, own, worst []time.Duration
	ready := 0
	for kill := range f.Kills {
		if err := r.settled(ctx, f.Live); err != nil {
			return s, errors.Join(err, stop())
		}
		victim := r.oldest()
		partitions, err := r.owned(victim)
		if err != nil {
			return s, err
		}
		say("kill %d of %d: %s with %d partitions", kill+1, f.Kills, victim.Name, len(partitions))
		killed := time.Now()
		victim.Kill()
		taken, err := r.awaitTakeovers(ctx, victim, partitions, killed)
		if err != nil {
			return s, err
		}
		if err := r.awaitProgress(ctx, watch, taken); err != nil {
			return s, err
		}
		longest := time.Duration(0)
		ready += prepared(taken)
		for _, t := range taken {
			_, after := watch.around(t.partition, t.at)
			on, given = append(on, t.at.Sub(killed)), append(given, t.at.Add(-t.took).Sub(killed))
			own, moved = append(own, t.took), append(moved, after.Sub(killed))
			longest = max(longest, t.at.Sub(killed))
		}
		worst = append(worst, longest)
		if err := r.join(1); err != nil {
			return s, err
		}
	}
	if err := stop(); err != nil {
		return s, err
	}
	size, err := r.stateSize(ctx)
	if err != nil {
		return s, err
	}
	aim := r.Config.Kafka.SessionTimeout.Std() + time.Second
	s.title = "Take-over after kill -9"
	s.setting = fmt.Sprintf("%d segments, %d customers, %d partitions, %s; two members, %.0f invoices a second, session "+
		"timeout %s. A take-over is done when the group has accepted the survivor's commit behind all that it had to "+
		"read, and it scores on; its very first commit lies before that.", f.Segments, f.Customers, f.Partitions, size,
		f.Live, r.Config.Kafka.SessionTimeout)
	s.aimed("kill to take-over, worst partition", "≤ "+seconds(aim), quantile(on, 1) <= aim, "%s of %d in %d kills",
		seconds(quantile(on, 1)), len(on), len(worst))
	s.tell("kill to take-over, median partition", "%s", seconds(quantile(on, 0.5)))
	s.tell("kill to take-over of all, median kill", "%s", seconds(quantile(worst, 0.5)))
	s.tell("of it until the group had given it away (eviction, the survivors' leaving and joining), median and worst",
		"%s, %s", seconds(quantile(given, 0.5)), seconds(quantile(given, 1)))
	s.tell("of it the survivor's reading, median and worst", "%s, %s", seconds(quantile(own, 0.5)),
		seconds(quantile(own, 1)))
	s.tell("taken over by who was prepared", "%d of %d", ready, len(on))
	s.tell("kill until the committed offset moves, median and worst", "%s, %s", seconds(quantile(moved, 0.5)),
		seconds(quantile(moved, 1)))
	return s, nil
}

// oldest returns the member that runs longest.
func (r *rig) oldest() *cluster.Member {
	for _, m := range r.Members() {
		if m.Running() {
			return m
		}
	}
	return nil
}

// awaitProgress waits until the committed offsets of all these have moved since.
func (r *rig) awaitProgress(ctx context.Context, watch *progress, taken []takeover) error {
	return r.await(ctx, time.Minute, "committed offsets to move", func() (bool, error) {
		for _, t := range taken {
			if _, after := watch.around(t.partition, t.at); after.IsZero() {
				return false, nil
			}
		}
		return true, nil
	})
}

// stateSize tells how much a take-over has to read of the state topic, and how much of
// that is the last record of its key.
func (r *rig) stateSize(ctx context.Context) (string, error) {
	topic, all, live := r.Config.Kafka.Topics.State, 0, 0
	for p := range r.stream.Plan().Partitions {
		last := map[string]int{}
		err := cluster.EachRecord(ctx, r.Kafka.Log(), topic, p, func(record *pipeline.Record) error {
			all += len(record.Key) + len(record.Value)
			last[string(record.Key)] = len(record.Key) + len(record.Value)
			return nil
		})
		if err != nil {
			return "", err
		}
		for _, bytes := range last {
			live += bytes
		}
	}
	return fmt.Sprintf("%.1f MB of state, of which %.1f MB live (%.1f times)", float64(all)/1e6, float64(live)/1e6,
		float64(all)/float64(max(live, 1))), nil
}
