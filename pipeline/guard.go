package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sync/errgroup"
)

// Guards keep recoup from going on with state that was not made from the log it would
// be used for: a topic that was recreated, or whose partitions were added to, so that
// customers moved between them. They refuse, and name the command that mends it.

// refusedPause is how long a partition rests that a person has to mend.
const refusedPause = time.Minute

// partitionsEvery is how often a running member looks whether partitions were added. What is
// sent to them nobody reads, and what is sent to the others is scored without its history.
const partitionsEvery = 10 * time.Second

// likeInvoices are the topics that have as many partitions as the invoices.
func (t Topics) likeInvoices() []string { return []string{t.Suspects, t.State, t.Baselines} }

// evenCounts refuses topics that do not have a partition for each one of the invoices.
func (t Topics) evenCounts(count map[string]int) error {
	want := count[t.Invoices]
	for _, topic := range t.likeInvoices() {
		switch n := count[topic]; {
		case n < want:
			return fmt.Errorf("%w: topic %q has %d partitions, %q has %d; if partitions were added to %[4]q, stop all "+
				"members and run: recoup state repartition", errRefused, topic, n, t.Invoices, want)
		case n > want:
			return fmt.Errorf("%w: topic %q has %d partitions, %q has %d; add partitions to %[4]q, or if it was recreated "+
				"with fewer: %[6]s", errRefused, topic, n, t.Invoices, want, t.begunAnew())
		}
	}
	return nil
}

// begunAnew is how an installation begins with fewer partitions than it had.
func (t Topics) begunAnew() string {
	return fmt.Sprintf("stop all members, delete %s, %s and %s, then run: recoup topics create, and: recoup state reset",
		t.Suspects, t.State, t.Baselines)
}

// samePartitions refuses to work once partitions were added to the invoices or to the
// topics that follow them: their customers' history lies with other partitions then.
func (m *Member) samePartitions(ctx context.Context, drain <-chan struct{}) error {
	ctx, cancel := untilDrained(ctx, drain)
	defer cancel(nil)
	return m.persist(ctx, "kafka", func(ctx context.Context) error {
		all, ctx := errgroup.WithContext(ctx)
		for _, topic := range append(m.opt.Topics.likeInvoices(), m.opt.Topics.Invoices) {
			all.Go(func() error { return m.samePartitionsOf(ctx, topic) })
		}
		return all.Wait()
	})
}

// samePartitionsOf looks once, at one topic.
func (m *Member) samePartitionsOf(ctx context.Context, topic string) error {
	n, err := m.log.Partitions(ctx, topic)
	if err == nil && n != m.invoicePartitions {
		err = fmt.Errorf("%w: %s had %d partitions when recoup started and has %d now: customers may have moved "+
			"between them; stop all members, then run: recoup state repartition", errRefused, topic, m.invoicePartitions, n)
	}
	return err
}

// watchPartitions closes grown once the invoices have another number of partitions: a group
// does not rebalance by itself then, so the generation would go on without them. It returns
// when the generation is over.
func (m *Member) watchPartitions(ctx context.Context, over <-chan struct{}, grown chan<- struct{}) {
	ctx, cancel := untilDrained(ctx, over)
	defer cancel(nil)
	for pause(ctx, partitionsEvery) == nil {
		if err := m.samePartitionsOf(ctx, m.opt.Topics.Invoices); errors.Is(err, errRefused) {
			m.report("topics", err)
			close(grown)
			return
		} // a log that does not answer is told of by who reads it
	}
}

// layout is how the state of all partitions was made, as it is found out once in a
// generation: a command that changes it is alone in the group.
type layout struct {
	asking chan struct{} // holds one element while somebody asks, who owns the rest; no mutex, for virtual time
	known  bool
	first  marker
}

func newLayout() *layout { return &layout{asking: make(chan struct{}, 1)} }

// marker returns the one that tells. Commands that change the state of all partitions
// write that of partition 0 last, and a reset announces itself there first; only where
// there is none the others are asked.
func (l *layout) marker(ctx context.Context, m *Member) (marker, error) {
	select {
	case l.asking <- struct{}{}:
	case <-ctx.Done():
		return marker{}, context.Cause(ctx)
	}
	defer func() { <-l.asking }()
	if l.known {
		return l.first, nil
	}
	first, err := m.lastMarker(ctx, m.opt.Topics.State, 0)
	if err == nil && first.Partitions == 0 {
		first, err = m.unlike(ctx)
	}
	// What refuses is asked for again: a command may just have ended.
	l.first, l.known = first, err == nil && m.sameLayout(0, first, first) == nil
	return first, err
}

// sameLayout refuses state that a command left half changed, given the layout's marker and
// a partition's own.
func (m *Member) sameLayout(partition int, first, mark marker) error {
	t, n := m.opt.Topics, m.invoicePartitions
	for _, of := range []marker{first, mark} {
		if of.Partitions != 0 && of.Partitions != n {
			return fmt.Errorf("%w: %s has %d partitions and its state was made with %d, so customers may have moved "+
				"between them; stop all members, then run: recoup state repartition", errRefused, t.Invoices, n, of.Partitions)
		}
	}
	if first.ResetTo != 0 || first.Incarnation != mark.Incarnation {
		return fmt.Errorf("%w: a reset of %s has not ended: state of partition %d is of incarnation %d, that of others of "+
			"%d; stop all members, then run: recoup state reset", errRefused, t.Invoices, partition, mark.Incarnation,
			max(first.ResetTo, first.Incarnation))
	}
	return nil
}

// sameOwners refuses a decision log that ends before the owner that wrote the state: its
// epochs would not order owners. That is looked at before a claim makes it longer. It returns
// the newest marker, an empty one without any.
func (w *Worker) sameOwners(ctx context.Context) (mark marker, err error) {
	t := w.m.opt.Topics
	var end int64
	both, actx := errgroup.WithContext(ctx)
	both.Go(func() (err error) { mark, err = w.m.lastMarker(actx, t.State, w.partition); return err })
	both.Go(func() (err error) { _, end, err = w.m.log.Bounds(actx, t.Suspects, w.partition); return err })
	err = both.Wait()
	if err == nil && mark.Partitions != 0 && mark.Epoch >= end {
		err = fmt.Errorf("%w: %s/%d ends at %d, before the owner %d that wrote the state, so it was recreated; stop all "+
			"members and delete %[2]s, %[6]s and %[7]s, then run: recoup topics create; what was learned is learned anew",
			errRefused, t.Suspects, w.partition, end, mark.Epoch, t.State, t.Baselines)
	}
	return mark, err
}

// unlike returns a marker of another layout than a first one would have, an empty one
// where there is none.
func (m *Member) unlike(ctx context.Context) (other marker, err error) {
	for p := range m.invoicePartitions {
		mark, err := m.lastMarker(ctx, m.opt.Topics.State, p)
		if err != nil {
			return marker{}, err
		}
		if mark.Partitions != 0 && (mark.Partitions != m.invoicePartitions || mark.Incarnation != 0) {
			return mark, nil
		}
	}
	return marker{}, nil
}

// sameLog refuses a topic of invoices that is not the one a marker was made from. It
// looks for some seconds: a broker that has just come to lead a partition may tell an
// older end, and retention may delete between two looks.
func (w *Worker) sameLog(ctx context.Context, start int64, mark marker) error {
	for wait := firstBackoff; ; wait *= 2 {
		why, err := w.m.misfit(ctx, w.partition, start, mark)
		if err != nil || why == "" {
			return err
		}
		if wait > lastBackoff {
			return w.recreated(why)
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// misfit says why the invoices of a partition cannot be those that a marker was made
// from, to be gone on with at an offset; "" where they can.
func (m *Member) misfit(ctx context.Context, partition int, start int64, mark marker) (why string, err error) {
	topic := m.opt.Topics.Invoices
	var first, end int64
	var readErr error
	both, actx := errgroup.WithContext(ctx)
	rctx, stop := context.WithCancel(actx)
	defer stop()
	both.Go(func() (err error) {
		if first, end, err = m.log.Bounds(actx, topic, partition); err == nil && start > end {
			stop() // the read would wait for a record that nobody has written
		}
		return err
	})
	both.Go(func() error {
		why, readErr = m.recordBefore(rctx, partition, mark)
		return nil // it says nothing where the log ends before
	})
	if err := both.Wait(); err != nil {
		return "", fmt.Errorf("cannot read bounds of %s/%d: %w", topic, partition, err)
	}
	switch {
	case start > end:
		return fmt.Sprintf("offset %d lies beyond the log's end %d", start, end), nil
	case mark.BeforeAt < first:
		return "", nil
	}
	return why, readErr
}

// recordBefore says why the record before a marker's offset is not the one it tells of, ""
// where it is.
func (m *Member) recordBefore(ctx context.Context, partition int, mark marker) (why string, err error) {
	if mark.BeforeAt < 0 {
		return "", nil
	}
	why = fmt.Sprintf("no record stands at offset %d", mark.BeforeAt)
	err = m.readRange(ctx, m.opt.Topics.Invoices, partition, mark.BeforeAt, mark.BeforeAt+1, func(r Record) error {
		why = ""
		if xxhash.Sum64(r.Value) != mark.BeforeHash {
			why = fmt.Sprintf("another record stands at offset %d", mark.BeforeAt)
		}
		return nil
	})
	return why, err
}

// recreated is the refusal for a topic that is not the one the state was made from.
func (w *Worker) recreated(why string) error {
	t := w.m.opt.Topics
	return fmt.Errorf("%w: %s/%d is not the log that %s was learned from: %s; if the topic was recreated on purpose, "+
		"stop all members, then run: recoup state reset --topic %[2]s", errRefused, t.Invoices, w.partition, t.State, why)
}

// lastMarker returns a partition's marker, an empty one without any. It looks at the
// end first: every checkpoint ends with one.
func (m *Member) lastMarker(ctx context.Context, topic string, partition int) (marker, error) {
	start, end, err := m.log.Bounds(ctx, topic, partition)
	if err != nil {
		return marker{}, fmt.Errorf("cannot read bounds of %s/%d: %w", topic, partition, err)
	}
	found, best := marker{BeforeAt: -1}, stamp{epoch: -1}
	for n, to := int64(64), end; to > start && best.epoch < 0; n *= 8 {
		from := max(start, end-n)
		err := m.readRange(ctx, topic, partition, from, to, func(r Record) error {
			if string(r.Key) != markerKey {
				return nil
			}
			at, payload, err := decodeState(r.Value)
			if errors.Is(err, errRefused) {
				return fmt.Errorf("%s/%d offset %d: %w", topic, partition, r.Offset, err)
			}
			if err != nil || !at.supersedes(best) {
				return nil
			}
			best = at
			found, err = decodeMarker(payload)
			return err
		})
		if err != nil {
			return marker{}, err
		}
		to = from
	}
	return found, nil
}
