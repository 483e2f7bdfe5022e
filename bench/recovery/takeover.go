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
	size, err := r.stateSize(ctx)
	if err != nil {
		return s, errors.Join(err, stop())
	}
	say("the state topic has %s", size)
	rate := r.rate()
	var found kills
	for kill := range f.Kills {
		if err := r.settled(ctx, f.Live); err != nil {
			return s, errors.Join(err, stop())
		}
		say("kill %d of %d", kill+1, f.Kills)
		if err := r.kill(ctx, watch, &found); err != nil {
			return s, err
		}
		if err := r.join(1); err != nil {
			return s, err
		}
	}
	live := rate()
	if err := stop(); err != nil {
		return s, err
	}
	s.title = "Take-over after kill -9"
	s.setting = fmt.Sprintf("%d segments, %d customers, %d partitions; two members, %.0f invoices a second, session "+
		"timeout %s. A take-over is done when the group has accepted the survivor's commit behind all that it had to "+
		"read, and it scores on; its very first commit lies before that.", f.Segments, f.Customers, f.Partitions, f.Live,
		r.Config.Kafka.SessionTimeout)
	s.loaded(f.Live, live)
	size.tell(&s)
	found.tell(&s, r.Config.Kafka.SessionTimeout.Std()+time.Second)
	return s, nil
}

// kills are what came of them, by partition but for the last two.
type kills struct {
	on      []time.Duration // until the take-over was done
	given   []time.Duration // until the group had given the partition to the survivor
	own     []time.Duration // the survivor's own work
	moved   []time.Duration // until the committed offset moved
	longest []time.Duration // by kill: until the last partition was taken over
	ready   int             // of all partitions: taken over by who was prepared
}

// kill kills the oldest member and notes how its partitions are taken over.
func (r *rig) kill(ctx context.Context, watch *progress, found *kills) error {
	victim := r.oldest()
	partitions, err := r.owned(victim)
	if err != nil {
		return err
	}
	say("%s has %d partitions", victim.Name, len(partitions))
	killed := time.Now()
	victim.Kill()
	taken, err := r.awaitTakeovers(ctx, victim, partitions, killed)
	if err != nil {
		return err
	}
	if err := r.awaitProgress(ctx, watch, taken); err != nil {
		return err
	}
	found.ready += prepared(taken)
	longest := time.Duration(0)
	for _, t := range taken {
		_, after := watch.around(t.partition, t.at)
		found.on, found.given = append(found.on, t.at.Sub(killed)), append(found.given, t.at.Add(-t.took).Sub(killed))
		found.own, found.moved = append(found.own, t.took), append(found.moved, after.Sub(killed))
		longest = max(longest, t.at.Sub(killed))
	}
	found.longest = append(found.longest, longest)
	return nil
}

// tell adds the figures of all kills.
func (k *kills) tell(s *section, most time.Duration) {
	s.atMost("kill to take-over, worst partition", k.on, 1, most, seconds, fmt.Sprintf(" in %d kills", len(k.longest)))
	s.tell("kill to take-over, median partition", "%s", seconds(quantile(k.on, 0.5)))
	s.tell("kill to take-over of all, median kill", "%s", seconds(quantile(k.longest, 0.5)))
	s.tell("of it until the group had given it away (eviction, the survivors' leaving and joining), median and worst",
		"%s, %s", seconds(quantile(k.given, 0.5)), seconds(quantile(k.given, 1)))
	s.tell("of it the survivor's reading, median and worst", "%s, %s", seconds(quantile(k.own, 0.5)),
		seconds(quantile(k.own, 1)))
	s.tell("taken over by who was prepared", "%d of %d", k.ready, len(k.on))
	s.tell("kill until the committed offset moves, median and worst", "%s, %s", seconds(quantile(k.moved, 0.5)),
		seconds(quantile(k.moved, 1)))
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

// mostState is how many times its live size the state topic may have for the aim of a take-over.
const mostState = 2

// size is how many bytes a take-over has to read of the state topic, and how many of them are of
// the last record of a key.
type size struct{ all, live int }

func (s size) String() string {
	return fmt.Sprintf("%.1f MB, %.1f times the %.1f MB that are live", float64(s.all)/1e6,
		float64(s.all)/float64(max(s.live, 1)), float64(s.live)/1e6)
}

// tell adds the figure.
func (s size) tell(to *section) {
	to.aimed("state topic before the first kill", fmt.Sprintf("≤ %d times what is live", mostState),
		s.live > 0 && s.all <= mostState*s.live, "%s", s)
}

// stateSize reads the state topic.
func (r *rig) stateSize(ctx context.Context) (s size, err error) {
	topic := r.Config.Kafka.Topics.State
	for p := range r.stream.Plan().Partitions {
		last := map[string]int{}
		err := cluster.EachRecord(ctx, r.Kafka.Log(), topic, p, func(record *pipeline.Record) error {
			s.all += len(record.Key) + len(record.Value)
			last[string(record.Key)] = len(record.Key) + len(record.Value)
			return nil
		})
		if err != nil {
			return s, err
		}
		for _, bytes := range last {
			s.live += bytes
		}
	}
	return s, nil
}
