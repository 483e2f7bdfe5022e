package pipeline

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors/reference"
	"recoup/invoice"
)

// references reads the reference topics into the member's store: to the end
// before the first invoice is scored, then on.
type references struct {
	m      *Member
	store  *reference.Store
	topics []*referenceTopic
}

// referenceTopic is one of the topics.
type referenceTopic struct {
	*tail
	all        *references
	partitions []referencePartition

	mu   sync.Mutex // guards what follows
	lags []int64    // records not read yet, per partition
}

// referencePartition is what reading one partition takes; its reader's own.
type referencePartition struct {
	decoder *invoice.Decoder
	record  invoice.Reference
	// What the log's keys stand for, so that a tombstone can delete: by the hash of
	// the key, whose form is the producer's. Some 60 bytes a record.
	keys map[uint64]reference.Key
}

// newReferences follows these topics, each with its number of partitions.
func newReferences(m *Member, topics map[string]int) *references {
	f := &references{m: m, store: reference.NewStore(m.opt.ReferenceRetention)}
	for _, topic := range m.opt.Topics.references() {
		n := topics[topic]
		t := &referenceTopic{all: f, partitions: make([]referencePartition, n), lags: make([]int64, n)}
		for p := range t.partitions {
			t.partitions[p] = referencePartition{decoder: invoice.NewDecoder(m.opt.Limits), keys: map[uint64]reference.Key{}}
		}
		t.tail = newTail(m, topic, n, t.take)
		f.topics = append(f.topics, t)
	}
	return f
}

// references lists the topics of references that are read.
func (t *Topics) references() (list []string) {
	for _, topic := range []string{t.Reference, t.Deliveries} {
		if topic != "" {
			list = append(list, topic)
		}
	}
	return list
}

// run follows until ctx ends.
func (f *references) run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, t := range f.topics {
		wg.Go(func() { t.run(ctx) })
	}
	wg.Wait()
}

// errReading is what the part "references" shows until they are read once.
var errReading = errors.New("reading them to their end before the first invoice is scored")

// catchUp waits until what the topics hold now is read.
func (f *references) catchUp(ctx context.Context) error {
	if len(f.topics) == 0 {
		return nil
	}
	began := f.m.opt.Now()
	f.m.mu.Lock()
	f.m.broken["references"] = errReading
	f.m.mu.Unlock()
	f.m.opt.Report("references", errReading)
	defer f.m.clear("references")
	for _, t := range f.topics {
		if err := f.m.persist(ctx, "references", t.catchUp); err != nil {
			return err
		}
	}
	f.m.opt.Log.Info("references read", "topics", f.m.opt.Topics.references(),
		"took", f.m.opt.Now().Sub(began).Round(time.Millisecond))
	return nil
}

// take applies what a fetch brought.
func (t *referenceTopic) take(partition int, got *Fetched) {
	p, metrics := &t.partitions[partition], t.m.metrics
	for i := range got.Records {
		r := &got.Records[i]
		if isTombstone(t.m, t.topic, r) {
			hash := xxhash.Sum64(r.Key)
			t.all.store.Delete(p.keys[hash])
			delete(p.keys, hash)
			continue
		}
		if err := p.decoder.DecodeReference(r.Value, &p.record); err != nil {
			metrics.ReferencesRefused.WithLabelValues(reasonOf(err)).Inc()
			continue
		}
		key := t.all.store.Apply(&p.record, t.all.received(r))
		if t.topic == t.m.opt.Topics.Reference && len(r.Key) > 0 {
			p.keys[xxhash.Sum64(r.Key)] = key
		}
		metrics.References.WithLabelValues(p.record.Kind.String()).Inc()
	}
	t.mu.Lock()
	t.lags[partition] = max(0, got.End-got.Next)
	lag := int64(0)
	for _, n := range t.lags {
		lag += n
	}
	t.mu.Unlock()
	metrics.ReferenceLag.WithLabelValues(t.topic).Set(float64(lag))
}

// isTombstone tells whether a record deletes a reference. Deliveries have no such
// records: their topic deletes by age.
func isTombstone(m *Member, topic string, r *Record) bool {
	return len(r.Value) == 0 && len(r.Key) > 0 && topic == m.opt.Topics.Reference
}

// received is when the log took a record. A timestamp that its producer made up
// must not make the store forget: it counts as now.
func (f *references) received(r *Record) time.Time {
	now := f.m.opt.Now()
	if at := plausible(r.Time); at.Unix() > 0 && !at.After(now) {
		return at
	}
	return now
}
