package pipeline

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// stalledAfter is how long a partition may have lag without a step forward.
	stalledAfter = 30 * time.Second
	// toldAfter is when Ready says so: a stall is to be seen before its reader is
	// opened anew, and within 30 seconds by those who look now and then.
	toldAfter = 25 * time.Second
)

// asking is what row writers wait for the store to answer. A network that swallows its answers
// would else be seen only when the time of a query is over. The zero value is ready to use.
type asking struct {
	mu      sync.Mutex // guards what follows
	waiting int        // calls under way
	since   time.Time  // the last step of any of them: one may wait for its turn behind others
}

// begin notes a call, and what it returns that the call is over.
func (a *asking) begin(now func() time.Time) (over func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting++; a.waiting == 1 {
		a.since = now()
	}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.waiting--
		a.since = now()
	}
}

// steps returns a hold that notes that the store has come as far as to ask.
func (a *asking) steps(now func() time.Time, hold func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		a.mu.Lock()
		a.since = now()
		a.mu.Unlock()
		return hold(ctx)
	}
}

// standsStill says that the store has answered nobody for too long, or returns nil.
func (a *asking) standsStill(now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	still := now.Sub(a.since)
	if a.waiting == 0 || still <= toldAfter {
		return nil
	}
	return fmt.Errorf("clickhouse: no answer for %s; rows wait", still.Round(time.Second))
}

// watched is a Reader that is opened anew when it stands still: when it has not come a
// step further for 30 seconds, as it fails, hangs, or brings nothing though there is
// more.
type watched struct {
	m         *Member
	topic     string
	partition int
	reader    Reader
	still     time.Time // when the first fetch began that came no further; zero: the last one did
	told      bool      // that it stands still, since still
}

// open returns a reader of one partition for those who read on and on, or until they are through. Who
// asks for single offsets and does without an answer, or has somebody wait who can ask again, opens the
// log's own: each of its requests ends.
func (m *Member) open(topic string, partition int) *watched {
	m.metrics.ReaderRebuilds.WithLabelValues(topic) // from 0 on: increase() does not see a series begin
	return &watched{m: m, topic: topic, partition: partition, reader: m.log.Open(topic, partition)}
}

// stands reports whether the reader has stood still for too long.
func (r *watched) stands() bool {
	return !r.still.IsZero() && r.m.opt.Now().Sub(r.still) >= stalledAfter
}

// Fetch is a Reader's, but it ends within Options.FetchTimeout.
func (r *watched) Fetch(ctx context.Context, offset int64) (Fetched, error) {
	now := r.m.opt.Now()
	if r.stands() {
		r.rebuild(now, offset)
	}
	bounded, cancel := context.WithTimeout(ctx, r.m.opt.FetchTimeout)
	defer cancel()
	got, err := r.reader.Fetch(bounded, offset)
	switch {
	case err == nil && (got.Next > offset || got.Next >= got.End):
		r.still, r.told = time.Time{}, false
	case r.still.IsZero():
		r.still = now
	}
	return got, err
}

// rebuild puts a new reader, with connections of its own, in the place of the one that
// stands still.
func (r *watched) rebuild(now time.Time, offset int64) {
	if !r.told {
		r.m.opt.Log.Warn("a reader stands still and is opened anew: if that does not help, look at the broker "+
			"that leads the partition, and at the network between", "topic", r.topic, "partition", r.partition,
			"offset", offset, "since", r.still)
	}
	r.m.metrics.ReaderRebuilds.WithLabelValues(r.topic).Inc()
	_ = r.reader.Close() // it is given up, whatever it says
	r.reader, r.still, r.told = r.m.log.Open(r.topic, r.partition), now, true
}

// Close closes the reader.
func (r *watched) Close() error { return r.reader.Close() }
