package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"recoup/detectors"
)

// errDrained ends a generation on purpose: stop was asked for, or all caught up.
var errDrained = errors.New("drained")

// Member is one process of the consumer group: it owns the partitions the group
// assigns to it, one Worker each, and keeps their state as long as nobody else
// claimed them in between.
type Member struct {
	opt           Options
	log           Log
	group         Group
	store         Store
	shared        *detectors.Shared
	follow        *follower
	refs          *references
	models        *models
	outcomes      *outcomes
	incidents     *detectors.Incidents // open ones, as recoup.cases tells
	incidentsTail *incidentsFollower
	buffer        *RowBuffer
	copies        copies
	standby       *standby
	asking        asking // the store
	metrics       *Metrics

	partitionsOf      map[string]int // by topic
	invoicePartitions int
	casePartitions    int
	deadPartitions    int

	assigned atomic.Int64 // partitions of this generation, or of the one before
	layout   *layout      // of the state, in this generation; set before its workers begin
	stageAt  atomic.Int64 // Unix nanoseconds of the case stage's last step; 0: it runs elsewhere

	mu       sync.Mutex         // guards what follows
	workers  map[int]*Worker    // by partition; kept over generations
	targets  []int64            // ends of the log when Run began, by partition
	reached  map[int]bool       // partitions of this generation that are past their target
	broken   map[string]error   // parts of the world that do not work now
	told     map[string]telling // what the log said last of a part that is broken
	finished context.CancelFunc // ends Run when all is caught up
	refused  error              // why a partition never will be; only with UntilCaughtUp
}

// NewMember puts a member together. It does no I/O.
func NewMember(opt Options, log Log, group Group, store Store) *Member {
	m := &Member{opt: opt, log: log, group: group, store: store, shared: detectors.NewShared(),
		buffer: NewRowBuffer(opt.RowBuffer), metrics: opt.Metrics, workers: map[int]*Worker{},
		broken: map[string]error{}, told: map[string]telling{}}
	m.standby = newStandby(m)
	return m
}

// Run works until ctx ends, then stores what it holds and leaves the group
// cleanly; with UntilCaughtUp it also ends by itself. It returns an error only
// for what waiting does not mend.
func (m *Member) Run(ctx context.Context) error {
	if err := m.learnTopics(ctx); err != nil {
		return err
	}
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	m.finished = cancel
	hard, abort := context.WithCancelCause(context.WithoutCancel(ctx))
	defer abort(errDrained)

	var reading sync.WaitGroup
	reading.Go(func() { m.follow.run(hard) })
	reading.Go(func() { m.refs.run(hard) })
	reading.Go(func() { m.models.run(hard) })
	reading.Go(func() { m.outcomes.run(hard) })
	reading.Go(func() { m.incidentsTail.run(hard) })
	reading.Go(func() { m.watchSegments(hard) })
	defer func() { abort(errDrained); reading.Wait() }()

	given := make(chan struct{}) // closed: its partitions are given away
	endStage := m.startStage(ctx)
	endParking, err := m.startParking(ctx)
	if err == nil {
		err = m.refs.catchUp(stop)
	}
	if err == nil {
		err = m.persist(stop, "models", m.models.catchUp)
	}
	if err == nil {
		err = m.persist(stop, "incidents", m.incidentsTail.catchUp)
	}
	if err == nil && m.opt.Training.Group != nil {
		reading.Go(func() { m.train(stop, given) })
	}
	if err == nil && !m.opt.UntilCaughtUp {
		reading.Go(func() { m.standby.run(stop) })
	}
	if err != nil {
		cancel() // ctx ended: leave as one does who has begun
	}
	for stop.Err() == nil {
		gen, err := m.group.Next(stop)
		if err != nil {
			if stop.Err() != nil {
				break
			}
			m.report("kafka group", err)
			if pause(stop, firstBackoff) != nil {
				break
			}
			continue
		}
		m.report("kafka group", nil)
		m.runGeneration(hard, stop.Done(), gen)
	}
	left := m.group.Close()
	close(given)
	return errors.Join(m.refused, left, endStage(), endParking())
}

// learnTopics waits until the topics are there and fit together.
func (m *Member) learnTopics(ctx context.Context) error {
	t := m.opt.Topics
	count, err := m.countPartitions(ctx)
	if err != nil {
		return err
	}
	if err := t.evenCounts(count); err != nil {
		return err
	}
	m.useTopics(count)
	if m.opt.UntilCaughtUp {
		m.targets, err = m.ends(ctx, t.Invoices, m.invoicePartitions)
	}
	return err
}

// countPartitions returns how many partitions each topic has that is needed.
func (m *Member) countPartitions(ctx context.Context) (count map[string]int, err error) {
	t := m.opt.Topics
	count = map[string]int{}
	needed := []string{t.Invoices, t.Suspects, t.State, t.Baselines, t.Cases, t.DeadLetter}
	for _, topic := range []string{t.Models, t.CaseEvents, t.Recoveries, t.Disputes} {
		if topic != "" {
			needed = append(needed, topic)
		}
	}
	for _, topic := range append(needed, t.references()...) {
		err := m.persist(ctx, "kafka", func(ctx context.Context) error {
			n, err := m.log.Partitions(ctx, topic)
			if errors.Is(err, ErrNoTopic) {
				return fmt.Errorf("%w: topic %q does not exist; create the topics with: recoup topics create", errRefused, topic)
			}
			count[topic] = n
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return count, nil
}

// useTopics makes what reads the topics, given their numbers of partitions.
func (m *Member) useTopics(count map[string]int) {
	t := m.opt.Topics
	m.partitionsOf, m.invoicePartitions = count, count[t.Invoices]
	m.casePartitions, m.deadPartitions = count[t.Cases], count[t.DeadLetter]
	m.follow = newFollower(m, m.invoicePartitions)
	m.refs = newReferences(m, count)
	m.models = newModels(m, count[t.Models])
	m.incidentsTail = newIncidentsFollower(m)
	m.incidents = m.incidentsTail.book
	m.outcomes = newOutcomes(m, count[t.Cases], count[t.CaseEvents])
}

// ends returns where each partition of a topic ends now.
func (m *Member) ends(ctx context.Context, topic string, partitions int) ([]int64, error) {
	ends := make([]int64, partitions)
	for p := range ends {
		err := m.persist(ctx, "kafka", func(ctx context.Context) (err error) {
			_, ends[p], err = m.log.Bounds(ctx, topic, p)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return ends, nil
}

// runGeneration works one assignment until it is over and all its workers have
// stopped; then it tells the group.
func (m *Member) runGeneration(ctx context.Context, stop <-chan struct{}, gen Generation) {
	var dropping sync.WaitGroup // of partitions that went to others: only the next generation waits
	defer dropping.Wait()
	defer gen.Leave()
	drain, over, grown := make(chan struct{}), make(chan struct{}), make(chan struct{})
	defer close(over)
	var leave departure
	go func() {
		select {
		case <-gen.Done():
		case <-grown:
		case <-stop:
			m.store.Hurry()
			m.depart(ctx, gen, over, &leave)
		case <-over:
		}
		close(drain)
	}()
	assigned := gen.Assigned()
	m.dropOthers(assigned, &dropping)
	m.opt.Log.Info("assignment", "partitions", len(assigned))
	if err := m.samePartitions(ctx, drain); err != nil {
		if errors.Is(err, errRefused) {
			m.report("topics", err)
			m.giveUp(err)
		}
		rest(drain)
		return
	}
	m.clear("topics")
	go m.watchPartitions(ctx, over, grown)
	if len(assigned) == 0 {
		if m.opt.UntilCaughtUp {
			m.finished()
		}
		<-drain // whoever joins the group again makes it rebalance: all would stop for one who has nothing
		return
	}
	m.layout = newLayout()
	var wg sync.WaitGroup
	for p, committed := range assigned {
		c := newClaim(m, gen, p, committed)
		c.departure = &leave
		wg.Go(func() { m.runPartition(ctx, drain, c) })
	}
	wg.Wait()
	m.metrics.Partitions.Set(0)
}

// rest does nothing until a refusal is looked at again: as long as all are refused nobody
// minds that the group rebalances for it.
func rest(drain <-chan struct{}) {
	select {
	case <-drain:
	case <-time.After(refusedPause):
	}
}

// dropOthers forgets the state of partitions that went to somebody else, beside what follows:
// of many segments each takes its time.
func (m *Member) dropOthers(assigned map[int]int64, dropping *sync.WaitGroup) {
	var gone []int
	m.mu.Lock()
	m.reached = map[int]bool{}
	for p := range assigned {
		m.reached[p] = false
	}
	for p := range m.workers {
		if _, still := assigned[p]; !still {
			gone = append(gone, p)
		}
	}
	m.mu.Unlock()
	m.standby.assigned(assigned, dropping)
	for _, p := range gone {
		dropping.Go(func() { m.forget(p) })
		m.metrics.Lag.DeleteLabelValues(label(p)) // else it would seem to wait here for ever
		m.metrics.Unstored.DeleteLabelValues(label(p))
	}
	m.metrics.Partitions.Set(float64(len(assigned)))
	m.assigned.Store(int64(len(assigned)))
}

// runPartition owns one partition for one generation: it takes it over, or goes
// on with what it still holds, and starts anew after a failure.
func (m *Member) runPartition(ctx context.Context, drain <-chan struct{}, c *claim) {
	part := fmt.Sprintf("partition %d", c.partition)
	defer m.clear(part)
	for wait := firstBackoff; ; wait = min(2*wait, lastBackoff) {
		w, err := m.worker(ctx, drain, c)
		if err == nil {
			m.report(part, nil)
			err = w.Run(ctx, drain, c)
		}
		switch {
		case err == nil, errors.Is(err, errDrained):
			m.report(part, nil)
			return
		case errors.Is(err, ErrFenced):
			m.metrics.Fenced.Inc()
			m.opt.Log.Info("fenced: another member claimed the partition", "partition", c.partition)
			if m.confirmUntil(ctx, drain, c) != nil {
				return // the group agrees: it is the other's now
			}
			// The group still holds us for the owner: the claim came from a
			// member that woke up late. Claim the partition again.
			m.forget(c.partition)
			continue
		case ctx.Err() != nil:
			return
		}
		m.report(part, err)
		m.forget(c.partition)
		if errors.Is(err, errRefused) {
			wait = refusedPause // only a person can mend it, and each attempt writes a claim
			m.giveUp(fmt.Errorf("%s: %w", part, err))
		}
		select {
		case <-drain:
			return
		case <-time.After(wait):
		}
	}
}

// confirmUntil asks the group whether the partition is still ours, until it
// answers or the partition is to be left.
func (m *Member) confirmUntil(ctx context.Context, drain <-chan struct{}, c *claim) error {
	ctx, cancel := untilDrained(ctx, drain)
	defer cancel(nil)
	return m.persist(ctx, "committing", func(ctx context.Context) error { return c.verify(ctx, 0) })
}

// untilDrained returns a context that ends when drain is closed.
func untilDrained(ctx context.Context, drain <-chan struct{}) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-drain:
			cancel(errDrained)
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// worker returns the partition's worker: the one kept from the generation before
// if its ownership still stands, else a new one that has taken over. It gives up
// at once when the partition is to be left.
func (m *Member) worker(ctx context.Context, drain <-chan struct{}, c *claim) (*Worker, error) {
	ctx, cancel := untilDrained(ctx, drain)
	defer cancel(nil)
	m.mu.Lock()
	w := m.workers[c.partition]
	m.mu.Unlock()
	if w != nil {
		owned, err := w.stillOwner(ctx, c)
		if err != nil {
			return nil, err
		}
		if owned {
			return w, nil
		}
		m.forget(c.partition)
	}
	began := m.opt.Now()
	prepared := m.standby.take(ctx, c.partition)
	w, err := m.takeOver(ctx, c, prepared)
	if prepared != nil && errors.Is(err, errMoved) {
		w, err = m.takeOver(ctx, c, nil)
	}
	if err == nil {
		m.metrics.TakeOver.Observe(m.opt.Now().Sub(began).Seconds())
	}
	return w, err
}

// takeOver has a worker take a partition over, a new one if none was prepared.
func (m *Member) takeOver(ctx context.Context, c *claim, r *prepared) (*Worker, error) {
	var w *Worker
	if r != nil {
		w = r.worker
	} else {
		w = newWorker(m, c.partition)
	}
	m.mu.Lock()
	m.workers[c.partition] = w // already: Ready looks whether its take-over stands still
	m.mu.Unlock()
	err := w.takeOver(ctx, c)
	if r != nil {
		m.standby.used(r, err)
	}
	if err != nil {
		m.forget(c.partition)
		return nil, err
	}
	return w, nil
}

// forget drops the state of one partition; the next owner reads it anew. Nobody waits
// for the lock meanwhile: of many segments it takes its time.
func (m *Member) forget(partition int) {
	m.mu.Lock()
	w := m.workers[partition]
	delete(m.workers, partition)
	m.mu.Unlock()
	if w != nil {
		w.discard()
	}
}

// caughtUp is told the committed offset of a partition and ends Run when all
// partitions of this member are past their target.
func (m *Member) caughtUp(partition int, committed int64) {
	if !m.opt.UntilCaughtUp || committed < m.targets[partition] {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reached[partition] = true
	for _, done := range m.reached {
		if !done {
			return
		}
	}
	m.finished()
}

// giveUp ends a Run that would wait for ever to catch up: only a person can mend why.
func (m *Member) giveUp(why error) {
	if !m.opt.UntilCaughtUp {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused == nil {
		m.refused = why
	}
	m.finished()
}
