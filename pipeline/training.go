package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline/model"
)

// Training says how models are trained: by one member at a time, from the newest
// invoices, each seller's once for each day of its issue dates.
type Training struct {
	// Group returns the group, on a topic of one partition, whose owner trains. By
	// default nil: this member never does.
	Group func() Group
	// Records is how many of the newest invoices are learned from, over all partitions:
	// of more, those of a part of the customers. By default 60,000.
	Records int64
	// History is how long before the newest invoice the oldest one that is learned
	// from was issued. By default 35 days.
	History time.Duration
	// Every is how often the owner looks whether a seller's new day has begun. By
	// default one minute.
	Every time.Duration
	// Rest is how many times as long as a training took its owner rests behind it:
	// sellers whose day has begun meanwhile are trained together. By default 20.
	Rest int
}

const (
	// keptModels is how many versions of a seller stay in the topic.
	keptModels = 3
	// mostTrainingBackoff is the longest wait after a training that failed.
	mostTrainingBackoff = time.Hour
)

// Results of a training, as the metric names them.
const (
	trainedPublished = "published"
	trainedTooFew    = "too_few"
	trainedFailed    = "failed"
)

// train joins the group of those that may train, and does while it is the owner and ctx has not
// ended. It leaves once given is closed: whoever follows takes partitions over first. A failure is
// logged and counted; it keeps nobody from scoring.
func (m *Member) train(ctx context.Context, given <-chan struct{}) {
	group := m.opt.Training.Group()
	defer func() {
		<-given
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
		if ctx.Err() != nil {
			select {
			case <-given:
				return
			case <-gen.Done():
			}
		}
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
	if m.calm(ctx) != nil {
		return
	}
	t := &trainer{m: m, claim: newClaim(m, gen, 0, -1)}
	for wait := time.Duration(0); pause(ctx, wait) == nil; {
		took, err := t.trainIfDue(ctx)
		wait = max(m.opt.Training.Every, time.Duration(m.opt.Training.Rest)*took)
		if err == nil {
			t.failures = 0
		} else if ctx.Err() == nil {
			t.failures++
			wait = min(m.opt.Training.Every<<min(t.failures, 10), mostTrainingBackoff)
			m.metrics.Trainings.WithLabelValues(trainedFailed).Inc()
			m.opt.Log.Warn("cannot train, trying again", "in", wait, "error", err)
		}
	}
}

// trainer is the training of one generation.
type trainer struct {
	m        *Member
	claim    *claim
	failures int
	tried    map[string]time.Time // by seller: its newest issue date at the last training that came to an end
}

// trainIfDue trains the sellers that are due, when one is, and returns how long it
// took.
func (t *trainer) trainIfDue(ctx context.Context) (took time.Duration, err error) {
	o := t.m.outcomes
	if err := errors.Join(t.m.models.catchUp(ctx), o.events.catchUp(ctx), o.cases.catchUp(ctx)); err != nil {
		return 0, err
	}
	newest, err := t.newest(ctx)
	if err != nil {
		return 0, err
	}
	due, last := false, time.Time{}
	for seller, at := range newest {
		due = due || t.due(seller, at)
		last = later(last, at)
	}
	if !due {
		return 0, nil
	}
	began := t.m.opt.Now()
	learned, err := t.learn(ctx, last)
	if err != nil {
		return 0, err
	}
	models, examples, err := t.run(ctx, learned)
	if err != nil {
		return 0, err
	}
	for seller, span := range learned.spans {
		newest[seller] = later(newest[seller], span.last)
	}
	t.tried = newest
	result := trainedPublished
	if models == 0 {
		result = trainedTooFew
	}
	took = t.m.opt.Now().Sub(began)
	metrics := t.m.metrics
	metrics.Trainings.WithLabelValues(result).Inc()
	metrics.TrainingDuration.Set(took.Seconds())
	metrics.TrainingExamples.Set(float64(examples))
	t.m.opt.Log.Info("training ended", "result", result, "models", models, "examples", examples, "through", last,
		"took", took.Round(time.Millisecond))
	return took, nil
}

// due tells whether a seller's newest invoice is of a later day than any that it
// was trained with, or found to have too few.
func (t *trainer) due(seller string, newest time.Time) bool {
	return day(newest).After(day(later(t.m.models.through(seller), t.tried[seller])))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// fewLast is how many of a partition's last records are looked at for the newest
// issue date: some may be unreadable, or no records at all.
const fewLast = 20

// newest returns the newest issue date at the ends of the partitions, by seller.
func (t *trainer) newest(ctx context.Context) (map[string]time.Time, error) {
	newest := map[string]time.Time{}
	h := newHead(t.m, nil)
	topic := t.m.opt.Topics.Invoices
	for p := range t.m.invoicePartitions {
		_, end, err := t.m.log.Bounds(ctx, topic, p)
		if err != nil {
			return nil, fmt.Errorf("cannot read bounds of %s/%d: %w", topic, p, err)
		}
		err = t.m.readRange(ctx, topic, p, end-fewLast, end, func(r Record) error {
			if h.decode(&r) && h.at.After(newest[h.inv.Seller]) {
				newest[strings.Clone(h.inv.Seller)] = h.at
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return newest, nil
}

// run trains every seller that is due and publishes what came of it. It returns how
// many models that are, and their examples.
func (t *trainer) run(ctx context.Context, l *learned) (models, examples int, err error) {
	for _, seller := range l.trainer.Sellers() {
		span := l.spans[seller]
		if !t.due(seller, span.last) {
			continue
		}
		if days := span.days(); days < detectors.TrainAfter {
			if l.cut {
				t.m.opt.Log.Info("no model: the invoices that may be read do not go back a week; raise models.invoices",
					"seller", seller, "back", days, "invoices", t.m.opt.Training.Records)
			}
			continue
		}
		l.trainer.Recovered(seller, t.m.outcomes.recoveryOf(seller))
		c := l.trainer.Train(seller)
		if ctx.Err() != nil {
			return 0, 0, context.Cause(ctx)
		}
		if c == nil {
			continue
		}
		switch failed := t.publish(ctx, l, c); {
		case errors.Is(failed, ErrFenced):
			return models, examples, failed
		case failed != nil:
			err = errors.Join(err, failed) // the others are trained all the same
		default:
			models++
			examples += c.Examples()
		}
	}
	return models, examples, err
}

// publish appends a model and the tombstones of the oldest ones of its seller.
func (t *trainer) publish(ctx context.Context, l *learned, c *detectors.Classifier) error {
	m, through := t.m, l.spans[c.Seller()].last
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
	records := []Record{{Key: model.Key(c.Seller(), c.Version()), Value: body}}
	for i := 0; i <= len(versions)-keptModels; i++ {
		if versions[i] != c.Version() {
			records = append(records, Record{Key: model.Key(c.Seller(), versions[i])})
		}
	}
	if len(versions) == 0 {
		if err := t.makeRoom(ctx, l); err != nil {
			return err
		}
	}
	if err := t.append(ctx, c.Seller(), records); err != nil {
		return fmt.Errorf("cannot publish model %s of %q: %w", c.Version(), c.Seller(), err)
	}
	m.opt.Log.Info("model published", "seller", c.Seller(), "version", c.Version(), "examples", c.Examples(),
		"decided", c.Decided(), "base_rate", c.BaseRate(), "threshold", c.Threshold(), "recovery_rate", record.RecoveryRate,
		"recovery_cases", record.RecoveryCases, "through", through, "bytes", len(body))
	return nil
}

// makeRoom deletes the models of a seller that bills too little to be trained any
// more, when there is no room for those of another.
func (t *trainer) makeRoom(ctx context.Context, l *learned) error {
	if err := t.m.models.catchUp(ctx); err != nil { // with what this training published
		return err
	}
	seller := t.m.models.dispensable(l.trainer.Sellers())
	if seller == "" {
		return nil
	}
	var records []Record
	for _, version := range t.m.models.versions(seller) {
		records = append(records, Record{Key: model.Key(seller, version)})
	}
	if err := t.append(ctx, seller, records); err != nil {
		return fmt.Errorf("cannot delete the models of %q: %w", seller, err)
	}
	t.m.opt.Log.Info("models deleted: the seller bills less than those that are trained", "seller", seller)
	return t.m.models.catchUp(ctx)
}

// append writes to the topic of models, all of one seller to one partition.
func (t *trainer) append(ctx context.Context, seller string, records []Record) error {
	if err := t.claim.hold(ctx); err != nil {
		return err
	}
	partition := keyPartition([]byte(seller), len(t.m.models.positions))
	_, err := t.m.log.Append(ctx, t.m.opt.Topics.Models, partition, records)
	return err
}

// learned is what the newest invoices taught.
type learned struct {
	trainer *detectors.Trainer
	spans   map[string]*span // by seller
	cut     bool             // older invoices were not read, as there are too many
}

// span is the issue dates of a seller's invoices.
type span struct {
	issued []time.Time
	last   time.Time
}

// learn reads the newest invoices of all partitions in the order of their issue
// dates, of some customers where there are too many, and has a trainer look at them.
func (t *trainer) learn(ctx context.Context, newest time.Time) (*learned, error) {
	m := t.m
	oldest, turn := newest.Add(-m.opt.Training.History), newTurn()
	merge, err := openNewest(ctx, m, oldest, turn)
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
	stop := func() bool { return turn.rest(ctx) != nil }
	l := &learned{trainer: detectors.NewTrainer(detectors.TrainerOptions{Stop: stop}), spans: map[string]*span{},
		cut: merge.cut}
	position := invoice.Position{Topic: m.opt.Topics.Invoices, Offset: -1}
	var verdict detectors.Verdict
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
			if label, ok := m.outcomes.labelOf(&h.inv); ok {
				l.trainer.Label(&h.inv, label)
			}
			l.saw(h.inv.Seller, h.at)
		}
	}
}

func (l *learned) saw(seller string, at time.Time) {
	s := l.spans[seller]
	if s == nil {
		s = &span{}
		l.spans[strings.Clone(seller)] = s
	}
	s.issued = append(s.issued, at)
	s.last = later(s.last, at)
}

// outliers is one of how many invoices may be older than those that a training takes
// for a seller's first: a single late one does not make a day's invoices a week's.
const outliers = 20

// days is how long the invoices of a seller go back.
func (s *span) days() time.Duration {
	slices.SortFunc(s.issued, time.Time.Compare)
	return s.last.Sub(s.issued[len(s.issued)/outliers])
}

// turn lets others work: where there are few processors, training rests as long
// as it worked.
type turn struct {
	n     int
	since time.Time
}

const (
	// turnRecords is after how many invoices others come first.
	turnRecords = 200
	// longestRest bounds a rest behind what rather was a wait.
	longestRest = 250 * time.Millisecond
)

func newTurn() *turn { return &turn{since: time.Now()} }

// yield rests after every turnRecords calls.
func (t *turn) yield(ctx context.Context) error {
	if t.n++; t.n%turnRecords != 0 {
		return nil
	}
	return t.rest(ctx)
}

// rest rests as long as it was not called.
func (t *turn) rest(ctx context.Context) error {
	if runtime.GOMAXPROCS(0) <= 2 {
		if err := pause(ctx, min(time.Since(t.since), longestRest)); err != nil {
			return err
		}
	} else {
		runtime.Gosched()
	}
	t.since = time.Now()
	return ctx.Err()
}
