package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"recoup/cases"
	"recoup/cases/desk"
)

// shift is one member's time at the desk. Its readers feed the desk, one goroutine
// publishes what the desk says:
//
//  1. recoup.cases, whole: the state that predecessors left
//  2. case events, recoveries and disputes from their starts, counts whole, and the
//     decision log from a margin before the last decision that touched a case
//  3. only when all of it is read as far as it went: what differs is published, and on
type shift struct {
	m     *Member
	claim *claim

	mu   sync.Mutex // guards what follows
	desk *desk.Desk
	// there: all inputs were read to where they stood when it began. Until then what they
	// bring is the progress.
	there bool
	void  []int64 // by partition of the decision log: epoch below which a record is void

	past   []int64 // by partition of the decision log: what stands before was not read by this shift
	cases  *tail
	inputs []*tail       // all but cases
	wake   chan struct{} // holds one when an input brought something
	search chan struct{} // holds one while the decision log is searched

	scanned time.Time // when the whole decision log was last searched; of who holds search
}

func newShift(m *Member, c *claim) *shift {
	settings := m.opt.Stage.Desk
	settings.Opener = m.opt.Cases
	s := &shift{m: m, claim: c, desk: desk.New(settings), void: make([]int64, m.invoicePartitions),
		past: make([]int64, m.invoicePartitions), wake: make(chan struct{}, 1), search: make(chan struct{}, 1)}
	for p := range s.void {
		s.void[p] = -1
	}
	t := m.opt.Topics
	s.cases = s.follow(t.Cases, s.takeCase)
	for _, input := range []struct {
		topic string
		take  func(at desk.At, r *Record) error
	}{
		{t.CaseEvents, s.takeEvent}, {t.Recoveries, s.takeRecovery}, {t.Disputes, s.takeDispute},
		{t.Suspects, s.takeDecision},
	} {
		if input.topic != "" {
			s.inputs = append(s.inputs, s.follow(input.topic, input.take))
		}
	}
	return s
}

// follow reads a topic into the desk. A record that take refuses is passed over: the
// parkers send those of people to the dead letters, the others are not recoup's.
func (s *shift) follow(topic string, take func(desk.At, *Record) error) *tail {
	lag := s.m.metrics.Stage.Lag.WithLabelValues(topic)
	lags := make([]int64, s.m.partitionsOf[topic])
	return newTail(s.m, topic, len(lags), func(partition int, got *Fetched) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i := range got.Records {
			r := &got.Records[i]
			at := desk.At{Time: plausible(r.Time)}
			at.Topic, at.Partition, at.Offset = topic, partition, r.Offset
			if err := take(at, r); err != nil {
				s.m.metrics.Foreign.Inc()
				s.m.opt.Log.Error("passed over a record that is not ours", "topic", topic, "partition", partition,
					"offset", r.Offset, "error", err)
			}
		}
		lags[partition] = max(0, got.End-got.Next)
		sum := int64(0)
		for _, n := range lags {
			sum += n
		}
		lag.Set(float64(sum))
		if len(got.Records) > 0 {
			if !s.there {
				s.m.stageAt.Store(s.m.opt.Now().UnixNano())
			}
			s.wakeUp()
		}
	})
}

// wakeUp has the shift look at the desk soon.
func (s *shift) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run works until ctx ends, or until finish is closed and all is done, and then
// returns nil; else it returns why it cannot go on.
func (s *shift) run(ctx context.Context, finish <-chan struct{}) error {
	m := s.m
	ctx, cancel := context.WithCancelCause(ctx)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel(errDrained)
	began := m.opt.Now()
	m.stageAt.Store(began.UnixNano())
	// The group is asked first: a member that was evicted while it waited reads nothing.
	if err := m.persist(ctx, stagePart, s.claim.hold); err != nil {
		return err
	}
	if err := s.takeOver(ctx, &reading); err != nil {
		return err
	}
	s.mu.Lock()
	s.there = true
	known := s.desk.Cases()
	s.mu.Unlock()
	m.report(stagePart, nil)
	m.opt.Log.Info("the case stage is on this member", "cases", known, "took", m.opt.Now().Sub(began))
	return s.work(ctx, finish, &reading)
}

// takeOver is steps 1 and 2.
func (s *shift) takeOver(ctx context.Context, reading *sync.WaitGroup) error {
	m := s.m
	reading.Go(func() { s.cases.run(ctx) })
	if err := m.persist(ctx, stagePart, s.cases.catchUp); err != nil {
		return err
	}
	s.mu.Lock()
	err := s.desk.Restored()
	from := s.desk.ReadFrom(m.opt.Topics.Suspects)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if err := s.placeDecisions(ctx, from); err != nil {
		return err
	}
	s.inputs = append(s.inputs, m.followCounts(s.takeCount))
	for _, input := range s.inputs {
		reading.Go(func() { input.run(ctx) })
	}
	return s.catchUp(ctx)
}

// catchUp returns once everything that the inputs hold now is read.
func (s *shift) catchUp(ctx context.Context) error {
	for _, input := range append([]*tail{s.cases}, s.inputs...) {
		if err := s.m.persist(ctx, stagePart, input.catchUp); err != nil {
			return err
		}
	}
	return nil
}

// placeDecisions has the decision log read from a margin before the offsets given, by
// partition; one without is read from its start.
func (s *shift) placeDecisions(ctx context.Context, from map[int]int64) error {
	topic := s.m.opt.Topics.Suspects
	at := slices.IndexFunc(s.inputs, func(t *tail) bool { return t.topic == topic })
	for _, p := range slices.Sorted(maps.Keys(from)) {
		if p >= s.m.invoicePartitions {
			continue
		}
		var offset int64
		err := s.m.persist(ctx, stagePart, func(ctx context.Context) (err error) {
			offset, err = before(ctx, s.m.log, topic, p, from[p], s.m.opt.Stage.Margin)
			return err
		})
		if err != nil {
			return err
		}
		s.inputs[at].reached(p, offset)
		s.past[p] = offset
	}
	return nil
}

// work is step 3.
func (s *shift) work(ctx context.Context, finish <-chan struct{}, reading *sync.WaitGroup) error {
	ticker := time.NewTicker(s.m.opt.Stage.Every)
	defer ticker.Stop()
	if _, err := s.publish(ctx, true); err != nil {
		return err
	}
	for {
		tick := false
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-finish:
			return s.settle(ctx, reading)
		case <-s.wake:
		case <-ticker.C:
			tick = true
		}
		if _, err := s.publish(ctx, tick); err != nil {
			return err
		}
		s.lookUp(ctx, reading)
	}
}

// settle works until the inputs bring nothing more, what the stage itself says
// included.
func (s *shift) settle(ctx context.Context, reading *sync.WaitGroup) error {
	for {
		if err := s.catchUp(ctx); err != nil {
			return err
		}
		s.lookUp(ctx, reading)
		s.search <- struct{}{} // the search, if any, is over
		<-s.search
		n, err := s.publish(ctx, true)
		if err != nil {
			return err
		}
		s.mu.Lock()
		wanted := len(s.desk.Wanted())
		s.mu.Unlock()
		if n == 0 && wanted == 0 {
			return nil
		}
	}
}

// publish appends what the desk has to say, what concerns single invoices first, and
// returns how many records that were.
func (s *shift) publish(ctx context.Context, tick bool) (int, error) {
	m := s.m
	list, err := s.changes(tick)
	if err != nil {
		return 0, err
	}
	m.progressed()
	if err := s.park(ctx); err != nil { // first: whoever published has parked, the next owner says
		return 0, err
	}
	for left := list; len(left) > 0; {
		n := 1
		for n < len(left) && (left[n].Kind == cases.KindInvoice) == (left[0].Kind == cases.KindInvoice) {
			n++
		}
		if err := s.append(ctx, left[:n]); err != nil {
			return 0, err
		}
		left = left[n:]
		m.progressed()
	}
	return len(list), nil
}

// changes asks the desk, after letting the time pass there if tick is set.
func (s *shift) changes(tick bool) ([]desk.Publication, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if tick {
		s.desk.Tick(s.m.opt.Now())
		s.m.metrics.CountsDropped.Add(float64(s.desk.CountsForgotten()))
		if s.desk.CountsCrowded() {
			s.m.opt.Log.Warn("counts take more memory than they should: too many sources, or values with an open incident")
		}
	}
	return s.desk.Changes()
}

// append writes records whose order among each other does not matter.
func (s *shift) append(ctx context.Context, list []desk.Publication) error {
	m := s.m
	records := make([]Record, len(list))
	for i, p := range list {
		records[i] = Record{Key: []byte(p.Key), Value: p.Body}
	}
	err := m.spread(ctx, s.claim.hold, m.opt.Topics.Cases, m.casePartitions, records, func(body []byte) []byte {
		short := cutCase(body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.desk.Cut(body, short)
		return short
	})
	if err != nil {
		return fmt.Errorf("cannot publish cases: %w", err)
	}
	for _, p := range list {
		action := string(p.Action)
		if p.Again {
			action = "again"
		}
		m.metrics.Stage.Cases.WithLabelValues(string(p.Kind), action).Inc()
	}
	return nil
}

// progressed notes that the stage works.
func (m *Member) progressed() {
	now := m.opt.Now()
	m.stageAt.Store(now.UnixNano())
	m.metrics.Stage.Progress.Set(float64(now.UnixNano()) / 1e9)
}
