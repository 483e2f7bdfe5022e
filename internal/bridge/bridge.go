package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"recoup/cases"
	"recoup/pipeline"
)

// Options are what a bridge works with. All fields are required but Boards and Report.
type Options struct {
	// Kafka holds the topic of the cases.
	Kafka pipeline.Log
	// Topic of the cases.
	Topic string
	// Group returns a member of the consumer group of a receiver, on that topic.
	Group func(receiver string) pipeline.Group
	// Receivers are told; they work independently of each other.
	Receivers []Receiver
	// Boards are where alerts lead to.
	Boards Boards
	// Metrics are told what happens.
	Metrics *Metrics
	// Report is called with the state of a part: nil while it works.
	Report func(part string, err error)
	// Log receives what a person should know.
	Log *slog.Logger
}

const (
	firstPause = 500 * time.Millisecond
	lastPause  = 10 * time.Second // shorter than a group_wait: an incident comes before its members are told
)

// lookEvery is how often a metric tells how late the slowest partition is.
const lookEvery = time.Second

// Part names a receiver in the health of the process.
func Part(receiver string) string { return "receiver " + receiver }

// Run tells all receivers until ctx ends.
func Run(ctx context.Context, o Options) {
	var all sync.WaitGroup
	for _, r := range o.Receivers {
		o.Metrics.begin(r.Name())
		link := &link{o: o, to: r, name: r.Name(), parts: map[int]standing{}}
		all.Go(func() { link.run(ctx) })
	}
	all.Wait()
}

// link is the way to one receiver.
type link struct {
	o    Options
	to   Receiver
	name string

	mu     sync.Mutex // guards what follows
	parts  map[int]standing
	broken error // as it was last reported
}

// standing is how one partition is; noPartition stands for the group itself.
type standing struct {
	since time.Time // when it began to fail; zero: it works
	told  time.Time // when all was told last
	err   error
	open  int
}

const noPartition = -1

// run is a member of the receiver's group until ctx ends.
func (l *link) run(ctx context.Context) {
	group := l.o.Group(l.name)
	defer func() {
		if err := group.Close(); err != nil && ctx.Err() == nil {
			l.o.Log.Warn("cannot leave the group", "receiver", l.name, "error", err)
		}
	}()
	for wait := firstPause; ctx.Err() == nil; {
		generation, err := group.Next(ctx)
		l.stands(noPartition, 0, err)
		if err != nil {
			wait = pause(ctx, wait)
			continue
		}
		wait = firstPause
		l.serve(ctx, generation)
	}
}

// serve works the partitions of one assignment.
func (l *link) serve(ctx context.Context, generation pipeline.Generation) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var workers sync.WaitGroup
	for partition, offset := range generation.Assigned() {
		l.stands(partition, 0, nil) // from now on it may be late
		w := &worker{link: l, partition: partition, committed: offset, generation: generation,
			book: newBook(l.to.Filter(), l.o.Boards)}
		workers.Go(func() { w.run(ctx) })
	}
	// A worker that waits for slow answers says nothing meanwhile, and without partitions there is none to say it.
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for over := false; !over; {
		select {
		case <-tick.C:
			l.stands(noPartition, 0, nil)
		case <-ctx.Done():
			over = true
		case <-generation.Done():
			over = true
		}
	}
	cancel()
	workers.Wait()
	l.mu.Lock()
	l.parts = map[int]standing{}
	l.mu.Unlock()
	generation.Leave()
}

// stands notes how a partition is, and says so where that is news.
func (l *link) stands(partition, open int, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.parts[partition]
	is := standing{open: open, err: err, told: now}
	if err != nil {
		is.since, is.told = now, was.told
		if !was.since.IsZero() {
			is.since = was.since
		}
	}
	l.parts[partition] = is
	var worst standing
	sum, told := 0, now
	for _, s := range l.parts {
		sum += s.open
		if s.told.Before(told) {
			told = s.told
		}
		if !s.since.IsZero() && (worst.since.IsZero() || s.since.Before(worst.since)) {
			worst = s
		}
	}
	l.o.Metrics.state(l.name, sum, worst.since, told, now)
	if (worst.err == nil) != (l.broken == nil) {
		if worst.err != nil {
			l.o.Log.Error("cannot tell a receiver; nothing is lost, it is tried again", "receiver", l.name, "error", worst.err)
		} else {
			l.o.Log.Info("the receiver is told again", "receiver", l.name)
		}
	}
	l.broken = worst.err
	if l.o.Report != nil {
		l.o.Report(Part(l.name), worst.err)
	}
}

// worker tells a receiver of the cases of one partition.
type worker struct {
	*link
	partition  int
	committed  int64 // offset up to which the receiver was told; -1: never
	generation pipeline.Generation
	book       *book
	offset     int64 // of the next record
}

// run reads what was told, and then tells what comes.
func (w *worker) run(ctx context.Context) {
	reader := w.o.Kafka.Open(w.o.Topic, w.partition)
	defer reader.Close()
	for wait := firstPause; ctx.Err() == nil; {
		if err := w.past(ctx, reader); err != nil {
			w.stands(w.partition, 0, err)
			wait = pause(ctx, wait)
			continue
		}
		break
	}
	wait, again := firstPause, time.Time{}
	for ctx.Err() == nil {
		err := w.fetch(ctx, reader, -1)
		if now := time.Now(); err == nil && now.Before(again) {
			continue // what comes meanwhile may change what is to be told
		}
		if err == nil {
			err = w.tell(ctx)
		}
		w.stands(w.partition, w.book.open(), err)
		switch {
		case errors.Is(err, pipeline.ErrFenced):
			return
		case err == nil:
			wait, again = firstPause, time.Time{}
		default:
			again = time.Now().Add(jitter(wait))
			wait = min(2*wait, lastPause)
			_ = sleep(ctx, firstPause) // ctx says it
		}
	}
}

// past reads what the receiver was told, up to the committed offset. One that was never
// told anything is told what is open now, and none of what is over.
func (w *worker) past(ctx context.Context, reader pipeline.Reader) error {
	start, end, err := w.o.Kafka.Bounds(ctx, w.o.Topic, w.partition)
	if err != nil {
		return err
	}
	until := w.committed
	if until < 0 {
		until = end
	}
	w.book = newBook(w.to.Filter(), w.o.Boards)
	for w.offset = start; w.offset < min(until, end); {
		if err := w.fetch(ctx, reader, until); err != nil {
			return err
		}
	}
	w.offset = max(start, until)
	if w.committed < 0 {
		w.book.anew()
	}
	return nil
}

// fetch reads the next records. Those before until were told; -1: none of them was.
func (w *worker) fetch(ctx context.Context, reader pipeline.Reader, until int64) error {
	got, err := reader.Fetch(ctx, w.offset)
	if errors.Is(err, pipeline.ErrOutOfRange) { // retention was faster, or the topic is a new one
		start, _, err := w.o.Kafka.Bounds(ctx, w.o.Topic, w.partition)
		w.offset = start
		return err
	}
	if err != nil {
		return err
	}
	for i := range got.Records {
		r := &got.Records[i]
		if until >= 0 && r.Offset >= until {
			break
		}
		if len(r.Value) == 0 {
			w.book.forget(cases.ID(string(r.Key)))
			continue
		}
		if !w.to.Filter().Invoices && keyKind(r.Key) == cases.KindInvoice {
			continue // most records by far
		}
		c, err := cases.Decode(r.Value)
		if err != nil {
			w.o.Metrics.passed.Inc()
			w.o.Log.Error("passed over a record that is no case", "topic", w.o.Topic, "partition", w.partition,
				"offset", r.Offset, "error", err)
			continue
		}
		w.book.take(c, until >= 0)
	}
	w.offset = got.Next
	return nil
}

// keyKind is the kind that a dedup key tells.
func keyKind(key []byte) cases.Kind {
	_, behind, _ := strings.Cut(string(key), "|")
	kind, _, _ := strings.Cut(behind, "|")
	return cases.Kind(kind)
}

// tell brings the receiver up to date and commits that.
func (w *worker) tell(ctx context.Context) error {
	for events := w.book.due(time.Now(), w.to.Repeat()); len(events) > 0; {
		done, err := w.to.Tell(ctx, events)
		for _, x := range events[:done] {
			w.book.told(x, time.Now())
		}
		count := w.o.Metrics.deliveries
		if errors.Is(err, ErrRefused) {
			count.WithLabelValues(w.name, refused).Inc()
			w.o.Log.Error("a receiver will not take an alert; it is not sent again", "receiver", w.name, "case",
				events[done-1].Alert.CaseID, "error", err)
			err, done = nil, done-1
			events = slices.Delete(events, done, done+1)
		}
		count.WithLabelValues(w.name, delivered).Add(float64(done))
		events = events[done:]
		if err != nil {
			count.WithLabelValues(w.name, failed).Inc()
			w.book.failed(events[0])
			return fmt.Errorf("cannot tell %s: %w", w.name, err)
		}
	}
	if w.offset == w.committed {
		return nil
	}
	if err := w.generation.Commit(ctx, map[int]int64{w.partition: w.offset}); err != nil {
		return fmt.Errorf("cannot note what %s was told: %w", w.name, err)
	}
	w.committed = w.offset
	return nil
}

// pause waits, for some more or less, and returns how long to wait next.
func pause(ctx context.Context, wait time.Duration) time.Duration {
	_ = sleep(ctx, jitter(wait)) // ctx says it
	return min(2*wait, lastPause)
}

// jitter keeps processes that failed together from trying together.
func jitter(wait time.Duration) time.Duration { return wait/2 + rand.N(wait) }

func sleep(ctx context.Context, wait time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}
