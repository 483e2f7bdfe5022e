package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline/model"
)

// Training says how models are trained: by one member at a time, from the newest
// invoices, once for each day of their issue dates.
type Training struct {
	// Group returns the group, on a topic of one partition, whose owner trains. By
	// default nil: this member never does.
	Group func() Group
	// Records is how many of the newest invoices are read, over all partitions. By
	// default 60,000.
	Records int64
	// History is how long before the newest invoice the oldest one that is learned
	// from was issued. By default 35 days.
	History time.Duration
	// Every is how often the owner looks whether a new day has begun. By default one
	// minute.
	Every time.Duration
}

const (
	// keptModels is how many versions of a seller stay in the topic.
	keptModels = 3
	// fewestDays is how much of a seller's event time a first model takes.
	fewestDays = 7 * 24 * time.Hour
	// mostTrainingBackoff is the longest wait after a training that failed.
	mostTrainingBackoff = time.Hour
)

// Results of a training, as the metric names them.
const (
	trainedPublished = "published"
	trainedTooFew    = "too_few"
	trainedFailed    = "failed"
)

// errTooFew says that no seller has invoices enough.
var errTooFew = errors.New("too few invoices to train on")

// train joins the group of those that may train, and does while it is the owner.
// A failure is logged and counted; it keeps nobody from scoring.
func (m *Member) train(ctx context.Context) {
	group := m.opt.Training.Group()
	defer func() {
		if err := group.Close(); err != nil {
			m.opt.Log.Warn("cannot leave the group that trains", "error", err)
		}
	}()
	for ctx.Err() == nil {
		gen, err := group.Next(ctx)
		if err != nil {
			if ctx.Err() == nil {
				m.opt.Log.Warn("cannot join the group that trains, trying again", "error", err)
			}
			_ = pause(ctx, lastBackoff) // ctx says it
			continue
		}
		m.trainGeneration(ctx, gen)
		gen.Leave()
	}
}

// trainGeneration trains while this member owns the one partition.
func (m *Member) trainGeneration(ctx context.Context, gen Generation) {
	ctx, cancel := untilDrained(ctx, gen.Done())
	defer cancel(nil)
	if len(gen.Assigned()) == 0 {
		<-ctx.Done()
		return
	}
	t := &trainer{m: m, claim: &claim{gen: gen, now: m.opt.Now, after: m.opt.FenceAfter, committed: -1}}
	for wait := time.Duration(0); pause(ctx, wait) == nil; {
		wait = m.opt.Training.Every
		if err := t.trainIfDue(ctx); err != nil && ctx.Err() == nil {
			t.failures++
			wait = min(m.opt.Training.Every<<min(t.failures, 10), mostTrainingBackoff)
			m.metrics.Trainings.WithLabelValues(trainedFailed).Inc()
			m.opt.Log.Warn("cannot train, trying again", "in", wait, "error", err)
		} else {
			t.failures = 0
		}
	}
}

// trainer is the training of one generation.
type trainer struct {
	m        *Member
	claim    *claim
	failures int
	tried    time.Time // issue date of the newest invoice of the last training that came to an end
}

// trainIfDue trains when no model was trained yet on the day of the newest invoice.
func (t *trainer) trainIfDue(ctx context.Context) error {
	if err := t.m.models.catchUp(ctx); err != nil {
		return err
	}
	newest, err := t.newest(ctx)
	if err != nil {
		return err
	}
	last := t.m.models.through()
	if t.tried.After(last) {
		last = t.tried
	}
	if newest.IsZero() || !day(newest).After(day(last)) {
		return nil
	}
	began := t.m.opt.Now()
	examples, err := t.run(ctx, newest)
	if err != nil && !errors.Is(err, errTooFew) {
		return err
	}
	t.tried = newest
	result := trainedPublished
	if err != nil {
		result = trainedTooFew
	}
	took := t.m.opt.Now().Sub(began)
	metrics := t.m.metrics
	metrics.Trainings.WithLabelValues(result).Inc()
	metrics.TrainingDuration.Set(took.Seconds())
	metrics.TrainingExamples.Set(float64(examples))
	t.m.opt.Log.Info("training ended", "result", result, "examples", examples, "through", newest,
		"took", took.Round(time.Millisecond))
	return nil
}

func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// fewLast is how many of a partition's last records are looked at for the newest
// issue date: some may be unreadable, or no records at all.
const fewLast = 20

// newest returns the newest issue date at the ends of the partitions, the zero
// time without any invoice.
func (t *trainer) newest(ctx context.Context) (newest time.Time, err error) {
	h := newHead(t.m, nil)
	topic := t.m.opt.Topics.Invoices
	for p := range t.m.invoicePartitions {
		_, end, err := t.m.log.Bounds(ctx, topic, p)
		if err != nil {
			return time.Time{}, fmt.Errorf("cannot read bounds of %s/%d: %w", topic, p, err)
		}
		err = readRange(ctx, t.m.log, topic, p, end-fewLast, end, func(r Record) error {
			if h.decode(&r) && h.at.After(newest) {
				newest = h.at
			}
			return nil
		})
		if err != nil {
			return time.Time{}, err
		}
	}
	return newest, nil
}

// run trains every seller and publishes what came of it. It returns the number
// of examples, and errTooFew when there is no model.
func (t *trainer) run(ctx context.Context, newest time.Time) (examples int, err error) {
	learned, err := t.learn(ctx, newest)
	if err != nil {
		return 0, err
	}
	published := 0
	for _, seller := range learned.trainer.Sellers() {
		span := learned.spans[seller]
		if span == nil || span.last.Sub(span.first) < fewestDays {
			continue
		}
		c, err := aside(ctx, func() *detectors.Classifier { return learned.trainer.Train(seller) })
		if err != nil {
			return 0, err
		}
		if c == nil {
			continue
		}
		if err := t.publish(ctx, c, span.last); err != nil {
			return 0, err
		}
		examples += c.Examples()
		published++
	}
	if published == 0 {
		return 0, errTooFew
	}
	return examples, nil
}

// aside runs what computes for seconds and cannot be interrupted; a member that
// ends does not wait for it.
func aside[T any](ctx context.Context, compute func() T) (result T, err error) {
	done := make(chan T, 1)
	go func() { done <- compute() }()
	select {
	case result = <-done:
		return result, nil
	case <-ctx.Done():
		return result, context.Cause(ctx)
	}
}

// publish appends a model and the tombstones of the oldest ones of its seller.
func (t *trainer) publish(ctx context.Context, c *detectors.Classifier, through time.Time) error {
	m := t.m
	versions := m.models.versions(c.Seller())
	if n := len(versions); n > 0 && versions[n-1] == c.Version() {
		return nil // the same invoices again
	}
	record, err := model.New(c, through)
	if err != nil {
		return err
	}
	body, err := record.Encode()
	if err != nil {
		return err
	}
	records := []Record{{Key: modelKey(c.Seller(), c.Version()), Value: body}}
	for i := 0; i <= len(versions)-keptModels; i++ {
		if versions[i] != c.Version() {
			records = append(records, Record{Key: modelKey(c.Seller(), versions[i])})
		}
	}
	if err := t.claim.hold(ctx); err != nil {
		return err
	}
	topic := m.opt.Topics.Models
	if _, err := m.log.Append(ctx, topic, keyPartition([]byte(c.Seller()), m.models.partitions), records); err != nil {
		return fmt.Errorf("cannot publish model %s of %q: %w", c.Version(), c.Seller(), err)
	}
	m.opt.Log.Info("model published", "seller", c.Seller(), "version", c.Version(), "examples", c.Examples(),
		"base_rate", c.BaseRate(), "threshold", c.Threshold(), "through", through, "bytes", len(body))
	return nil
}

// learned is what the newest invoices taught.
type learned struct {
	trainer *detectors.Trainer
	spans   map[string]*span // by seller
}

// span is the issue dates of a seller's invoices.
type span struct{ first, last time.Time }

// learn reads the newest invoices of all partitions in the order of their issue
// dates and has a trainer look at them.
func (t *trainer) learn(ctx context.Context, newest time.Time) (*learned, error) {
	m := t.m
	merge, err := openNewest(ctx, m)
	if err != nil {
		return nil, err
	}
	defer merge.close()
	e := detectors.NewEngine(m.opt.Scoring, detectors.NewShared(), 0)
	e.UseReferences(m.refs.store)
	for seller, version := range m.models.choice() { // what it finds wrong today teaches no history
		if c := m.models.find(seller, version); c != nil {
			e.UseClassifier(c)
		}
	}
	l := &learned{trainer: detectors.NewTrainer(detectors.TrainerOptions{}), spans: map[string]*span{}}
	position := invoice.Position{Topic: m.opt.Topics.Invoices, Offset: -1}
	var verdict detectors.Verdict
	oldest := newest.Add(-m.opt.Training.History)
	turn := newTurn()
	for {
		h, err := merge.next(ctx)
		if err != nil {
			return nil, err
		}
		if h == nil {
			return l, nil
		}
		if h.at.Before(oldest) {
			continue
		}
		position.Offset++
		if e.Begin(&h.inv, position, h.received) == detectors.Fresh {
			e.Score(&verdict)
			l.trainer.Observe(e)
			e.Teach(verdict.Suspect)
			l.saw(h.inv.Seller, h.at)
		}
		if err := turn.yield(ctx); err != nil {
			return nil, err
		}
	}
}

func (l *learned) saw(seller string, at time.Time) {
	s := l.spans[seller]
	if s == nil {
		s = &span{first: at, last: at}
		l.spans[strings.Clone(seller)] = s
	}
	if at.Before(s.first) {
		s.first = at
	}
	if at.After(s.last) {
		s.last = at
	}
}

// turn lets others work: where there are few processors, training rests as long
// as it worked.
type turn struct {
	n     int
	since time.Time
}

// turnRecords is after how many invoices others come first.
const turnRecords = 200

func newTurn() *turn { return &turn{since: time.Now()} }

func (t *turn) yield(ctx context.Context) error {
	if t.n++; t.n%turnRecords != 0 {
		return nil
	}
	if runtime.GOMAXPROCS(0) <= 2 {
		if err := pause(ctx, time.Since(t.since)); err != nil {
			return err
		}
	} else {
		runtime.Gosched()
	}
	t.since = time.Now()
	return ctx.Err()
}
