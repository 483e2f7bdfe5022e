package main

import (
	"context"
	"fmt"
	"time"
)

// backlogTimes is how many times the live rate a backlog has to drain at.
const backlogTimes = 3

// newcomers are customers of the measurements that are not about state.
const newcomers, fewSegments = 50_000, 20

// backlog takes ClickHouse away for a while and measures how fast what waited is stored,
// while invoices go on all the time.
func (f *flags) backlog(ctx context.Context, r *rig) (s section, err error) {
	r.prepare(f.plan(fewSegments, newcomers))
	if err := r.join(1); err != nil {
		return s, err
	}
	stop := r.feed(ctx, f.Backlog)
	if err := r.warm(ctx, f.Backlog, f.Warm); err != nil {
		return s, err
	}
	if err := r.clickHouseAway(ctx, f.Away); err != nil {
		return s, err
	}
	began, rate := time.Now(), r.rate()
	waited, err := r.lag(ctx)
	if err != nil {
		return s, err
	}
	left := waited
	err = r.await(ctx, 5*time.Minute, "the backlog to drain", func() (_ bool, err error) {
		left, err = r.lag(ctx)
		return float64(left) < usualLag*f.Backlog, err
	})
	if err != nil {
		return s, err
	}
	took, live := time.Since(began).Seconds(), rate()
	if err := stop(); err != nil {
		return s, err
	}
	shrank := float64(waited-left) / took
	s.title = "Backlog after ClickHouse was away"
	s.setting = fmt.Sprintf("One member, %d partitions, %.0f invoices a second of 3 lines all the time; ClickHouse "+
		"killed and started again %s later. It counts from its first answer until no more waits than comes in %d seconds.",
		f.Partitions, f.Backlog, f.Away, usualLag)
	s.loaded(f.Backlog, live)
	s.aimed("backlog drains, beside what comes", fmt.Sprintf("≥ %.0f/s", backlogTimes*f.Backlog),
		shrank >= backlogTimes*f.Backlog, "%.0f/s", shrank)
	s.tell("invoices that waited, and how long they took", "%d, %.1f s", waited, took)
	s.tell("stored in all", "%.0f/s", live+shrank)
	return s, nil
}

// warm waits until members keep up, then lets them run.
func (r *rig) warm(ctx context.Context, rate float64, long time.Duration) error {
	if err := r.settled(ctx, rate); err != nil {
		return err
	}
	say("warming up for %v", long)
	if err := sleep(ctx, long); err != nil {
		return err
	}
	return r.settled(ctx, rate)
}

// clickHouseAway kills ClickHouse and starts it again after a while.
func (r *rig) clickHouseAway(ctx context.Context, away time.Duration) error {
	say("ClickHouse is away for %v", away)
	r.warehouse.Kill()
	if err := sleep(ctx, away); err != nil {
		return err
	}
	return r.warehouse.Restart(ctx)
}
