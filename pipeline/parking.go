package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"recoup/cases"
	"recoup/invoice"
)

// parker sends what cannot be read in one topic to the dead letters: references,
// and what people and customers say of cases. Those who follow such a topic read
// without a group and pass such records over; the parkers of all members share the
// work by a group of their own, so that a record is parked once and not again by
// each member and at each start.
type parker struct {
	m     *Member
	topic string
	stage string // of its dead letters
	// check returns what finds a record unreadable, for one goroutine.
	check func() func(*Record) error
	group Group
	ends  []int64 // where each partition ended when the member began

	caughtUp  chan struct{} // closed once all partitions of this member are past their ends
	closeOnce sync.Once
	mu        sync.Mutex   // guards behind
	behind    map[int]bool // partitions of this generation that are not past their ends
}

// parkers lists the parkers of the topics that are read, not started yet.
func (m *Member) parkers() (list []*parker) {
	for _, t := range m.refs.topics {
		list = append(list, &parker{topic: t.topic, stage: "reference", check: func() func(*Record) error {
			decoder, record := invoice.NewDecoder(m.opt.Limits), new(invoice.Reference)
			return func(r *Record) error {
				if isTombstone(m, t.topic, r) {
					return nil
				}
				return decoder.DecodeReference(r.Value, record)
			}
		}})
	}
	for _, t := range []struct {
		topic, stage string
		read         func(value []byte) error
	}{
		{m.opt.Topics.CaseEvents, "case_event", unreadable(cases.DecodeEvent)},
		{m.opt.Topics.Recoveries, "recovery", unreadable(cases.DecodeRecovery)},
		{m.opt.Topics.Disputes, "dispute", unreadable(cases.DecodeDispute)},
	} {
		if t.topic != "" {
			check := func(r *Record) error { return t.read(r.Value) }
			list = append(list, &parker{topic: t.topic, stage: t.stage, check: func() func(*Record) error { return check }})
		}
	}
	return list
}

// unreadable keeps the error of a decoder.
func unreadable[T any](decode func([]byte) (*T, error)) func([]byte) error {
	return func(value []byte) error {
		_, err := decode(value)
		return err
	}
}

// startParking parks what cannot be read until end is called; with UntilCaughtUp end
// waits for what the topics held when Run began, unless ctx ends.
func (m *Member) startParking(ctx context.Context) (end func() error, err error) {
	parking, cancel := context.WithCancel(ctx)
	var parkers []*parker
	ended := make(chan error)
	end = func() error {
		for _, k := range parkers {
			select {
			case <-k.caughtUp:
			case <-ctx.Done():
			}
		}
		cancel()
		var errs []error
		for range parkers {
			errs = append(errs, <-ended)
		}
		return errors.Join(errs...)
	}
	if m.opt.ParkingGroup == nil {
		return end, nil
	}
	for _, k := range m.parkers() {
		if err := k.prepare(ctx, m); err != nil {
			return end, err
		}
		parkers = append(parkers, k)
		go func() { ended <- k.run(parking) }()
	}
	return end, nil
}

// prepare notes where the topic ends, if that matters, and joins the group.
func (k *parker) prepare(ctx context.Context, m *Member) (err error) {
	k.m = m
	if m.opt.UntilCaughtUp {
		if k.ends, err = m.ends(ctx, k.topic, m.partitionsOf[k.topic]); err != nil {
			return err
		}
	}
	k.group, k.caughtUp = m.opt.ParkingGroup(k.topic), make(chan struct{})
	return nil
}

// run parks until ctx ends and leaves the group.
func (k *parker) run(ctx context.Context) error {
	part := "parking of " + k.topic
	for ctx.Err() == nil {
		gen, err := k.group.Next(ctx)
		if err != nil {
			if ctx.Err() == nil {
				k.m.report(part, err)
				_ = pause(ctx, firstBackoff) // when ctx ends the loop does
			}
			continue
		}
		k.m.report(part, nil)
		k.runGeneration(ctx, gen)
		gen.Leave()
	}
	k.m.clear(part)
	return k.group.Close()
}

func (k *parker) runGeneration(ctx context.Context, gen Generation) {
	ctx, cancel := untilDrained(ctx, gen.Done())
	defer cancel(nil)
	assigned := gen.Assigned()
	k.mu.Lock()
	k.behind = map[int]bool{}
	for p := range assigned {
		k.behind[p] = true
	}
	k.mu.Unlock()
	var wg sync.WaitGroup
	for p, committed := range assigned {
		lane := &parkingLane{parker: k, gen: gen, partition: p, at: max(committed, 0), committed: committed,
			unreadable: k.check()}
		k.passed(p, lane.at)
		wg.Go(func() { lane.run(ctx) })
	}
	k.passed(-1, 0) // no partition may be ours
	<-ctx.Done()
	wg.Wait()
}

// passed notes that a partition is looked through up to an offset.
func (k *parker) passed(partition int, at int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if partition < 0 || partition >= len(k.ends) || at >= k.ends[partition] {
		delete(k.behind, partition)
	}
	if len(k.behind) == 0 {
		k.closeOnce.Do(func() { close(k.caughtUp) })
	}
}

// parkingLane looks through one partition for one generation.
type parkingLane struct {
	*parker
	gen       Generation
	partition int
	at        int64 // next offset
	committed int64
	// unreadable tells why a record cannot be read, nil when it can.
	unreadable func(*Record) error
}

// commitEvery spares the broker a commit for each record of a quiet topic.
const commitEvery = time.Second

// run parks until ctx ends, then commits how far it came.
func (l *parkingLane) run(ctx context.Context) {
	reader := l.m.open(l.topic, l.partition)
	defer reader.Close()
	part := fmt.Sprintf("parking of %s/%d", l.topic, l.partition)
	last := l.m.opt.Now()
	for {
		err := l.m.persist(ctx, part, func(ctx context.Context) error {
			if err := l.step(ctx, reader); err != nil {
				return err
			}
			if now := l.m.opt.Now(); now.Sub(last) >= commitEvery {
				last = now
				return l.commit(ctx)
			}
			return nil
		})
		switch {
		case ctx.Err() != nil:
			final, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.m.opt.DrainTimeout)
			defer cancel()
			_ = l.commit(final) // refused after an eviction: then the next owner parks again what we did
			return
		case errors.Is(err, ErrFenced):
			return
		case err != nil:
			l.m.report(part, err)
			_ = pause(ctx, lastBackoff) // when ctx ends the loop does
		}
	}
}

// step looks through what one fetch brings.
func (l *parkingLane) step(ctx context.Context, reader Reader) error {
	got, err := reader.Fetch(ctx, l.at)
	if errors.Is(err, ErrOutOfRange) {
		var start int64
		if start, _, err = l.m.log.Bounds(ctx, l.topic, l.partition); err == nil {
			l.at = start
		}
	}
	if err != nil {
		return err
	}
	if err := l.park(ctx, got.Records); err != nil {
		return err
	}
	l.at = max(l.at, got.Next)
	l.passed(l.partition, l.at)
	return nil
}

func (l *parkingLane) commit(ctx context.Context) error {
	if l.at == l.committed {
		return nil
	}
	if err := l.gen.Commit(ctx, map[int]int64{l.partition: l.at}); err != nil {
		return err
	}
	l.committed = l.at
	return nil
}

// park writes dead letters of the records that cannot be read. After an error
// the same records come again: a dead letter is written at least once.
func (l *parkingLane) park(ctx context.Context, records []Record) error {
	var dead []Record
	for i := range records {
		r := &records[i]
		if err := l.unreadable(r); err != nil {
			r.Time = plausible(r.Time)
			from := invoice.Position{Topic: l.topic, Partition: l.partition, Offset: r.Offset}
			dead = append(dead, l.m.deadLetter(from, r, l.stage, err))
		}
	}
	return l.m.writeDeadLetters(ctx, func(context.Context) error { return nil }, dead)
}
