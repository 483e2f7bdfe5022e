package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"recoup/invoice"
)

// Repartition is what has to be done after partitions were added to the invoices.
// Producers choose a partition by the key's hash modulo their number. So where there are
// k times as many, a customer of partition p goes to p, p+n, … p+(k-1)n: each new
// partition gets a copy of what the one knows that its customers came from, and forgets
// those who never come. What was scored keeps its partition and its place in the
// decision log.
type Repartition struct {
	From int // partitions that the state was made with
	To   int // partitions of the invoices; From: nothing is to be done

	done []bool // by partition: its marker says To
}

// PlanRepartition looks at the topics and changes nothing.
func (m *Member) PlanRepartition(ctx context.Context) (r Repartition, err error) {
	count, err := m.countPartitions(ctx)
	if err != nil {
		return r, err
	}
	t := m.opt.Topics
	r.To = count[t.Invoices]
	r.done = make([]bool, r.To)
	least := r.To
	for _, topic := range t.likeInvoices() {
		least = min(least, count[topic])
		if count[topic] > r.To {
			return r, fmt.Errorf("cannot repartition: %w", t.evenCounts(count))
		}
	}
	for p := range count[t.State] {
		mark, err := m.lastMarker(ctx, t.State, p)
		if err != nil {
			return r, err
		}
		switch n := mark.Partitions; {
		case n == r.To:
			r.done[p] = true
		case n == 0, n == r.From:
		case r.From == 0:
			r.From = n
		default:
			return r, fmt.Errorf("cannot repartition: %s was written with %d and with %d partitions; run: recoup state reset",
				t.State, r.From, n)
		}
	}
	if r.From == 0 {
		r.From = least // all is done, or nothing was ever scored
	}
	if r.From > r.To || r.To%r.From != 0 {
		return r, fmt.Errorf("cannot repartition %s from %d to %d: want a multiple of %[2]d, so that the customers of a "+
			"partition stay together; add partitions up to %[4]d", t.Invoices, r.From, r.To, (r.To/r.From+1)*r.From)
	}
	return r, nil
}

// Repartition carries the plan out. grow adds partitions to one of recoup's topics, step
// is told of each partition that is ready. Until all is done, members refuse to go on;
// after a crash it is planned and run again.
func (m *Member) Repartition(ctx context.Context, r Repartition,
	grow func(ctx context.Context, topic string, partitions int) error, step func()) error {
	count, err := m.countPartitions(ctx)
	if err != nil {
		return err
	}
	t := m.opt.Topics
	count[t.Invoices] = r.From
	m.useTopics(count)
	stop, err := m.readShared(ctx)
	defer stop()
	if err != nil {
		return err
	}
	gen, err := m.alone(ctx, r.To)
	if err != nil {
		return err
	}
	defer func() { gen.Leave(); _ = m.group.Close() }()
	claims, marks := make([]*claim, r.To), make([]marker, r.To)
	for p, committed := range gen.Assigned() {
		claims[p] = newClaim(m, gen, p, committed)
	}
	for p := range r.From {
		if !r.done[p] {
			if marks[p], err = m.settle(ctx, claims[p]); err != nil {
				return err
			}
		}
		step()
	}
	for _, topic := range t.likeInvoices() {
		if err := grow(ctx, topic, r.To); err != nil {
			return err
		}
	}
	for p := r.From; p < r.To; p++ {
		if !r.done[p] && !r.done[p%r.From] {
			if marks[p], err = m.copyPartition(ctx, claims[p], p%r.From, marks[p%r.From]); err != nil {
				return err
			}
		}
		step()
	}
	for p := r.To - 1; p >= 0; p-- { // a partition is done after those that got a copy of it
		if r.done[p] {
			continue
		}
		marks[p].Partitions = r.To
		if err := m.writeMarker(ctx, claims[p], marks[p]); err != nil {
			return err
		}
	}
	return nil
}

// readShared follows what a take-over needs to know, and has read it to its end.
func (m *Member) readShared(ctx context.Context) (stop func(), err error) {
	reading, cancel := context.WithCancelCause(ctx)
	var running sync.WaitGroup
	running.Go(func() { m.follow.run(reading) })
	running.Go(func() { m.refs.run(reading) })
	running.Go(func() { m.models.run(reading) })
	stop = func() { cancel(errDrained); running.Wait() }
	if err := m.refs.catchUp(ctx); err != nil {
		return stop, err
	}
	return stop, m.persist(ctx, "models", m.models.catchUp)
}

// settle writes a checkpoint of a partition at its committed offset.
func (m *Member) settle(ctx context.Context, c *claim) (marker, error) {
	w := newWorker(m, c.partition)
	defer w.discard()
	if err := w.takeOver(ctx, c); err != nil {
		return marker{}, err
	}
	cp := w.offerCopy(true)
	if err := w.rows.checkpoint(ctx, c); err != nil {
		return marker{}, err
	}
	if w.queue.hasCheckpoint() {
		return marker{}, errors.New("cannot write a checkpoint: a record of state is too large; raise max.message.bytes of " +
			m.opt.Topics.State)
	}
	return cp.marker, nil
}

// copyPartition gives a new partition what another one knows at its marker.
func (m *Member) copyPartition(ctx context.Context, c *claim, from int, mark marker) (marker, error) {
	source := invoice.Position{Topic: m.opt.Topics.Invoices, Incarnation: mark.Incarnation, Partition: c.partition}
	epoch, err := m.seize(ctx, c, source)
	if err != nil {
		return marker{}, err
	}
	records, err := m.moved(ctx, from, mark, epoch)
	if err != nil {
		return marker{}, err
	}
	first := firstMarker(epoch, mark)
	first.HighMarks, first.Runs = mark.HighMarks, mark.Runs
	return first, m.beginWith(ctx, c, first, records)
}
