package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"recoup/cases"
	"recoup/pipeline"
)

// follower reads the records of all cases for all who watch, from when the first
// begins until the last ends.
type follower struct {
	since time.Time // what was written before is left out: that of the first who watches
	end   context.CancelFunc
	count time.Duration // how often the partitions of the topic are counted

	mu       sync.Mutex // guards what follows
	watchers map[*watcher]bool
	recent   []happened // what came within overlap, for who joins
}

// watcher is one who watches a seller.
type watcher struct {
	seller string
	since  time.Time       // what was written before is not for it
	gone   <-chan struct{} // closed when cases is not read any more
	cases  chan []happened // of the seller
}

// happened is a record of a case, and when it was written.
type happened struct {
	at time.Time
	of *cases.Case
}

const (
	// overlap is how long before it was asked for a channel begins: ClickHouse, which gave
	// the frame that the channel continues, is some seconds behind. A case may come twice.
	overlap = 10 * time.Second
	// mostBack bounds how many records of a partition, and how many in all, are gone back for that.
	mostBack = 1000
	// recount is the usual count of a follower.
	recount = time.Minute
	// Pauses before Kafka is tried again.
	firstPause = 250 * time.Millisecond
	mostPause  = 10 * time.Second
)

// join adds a watcher and returns what came for it of late. Each later record comes by
// its channel.
func (f *follower) join(w *watcher) []happened {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers[w] = true
	return w.mine(f.recent)
}

// leave removes a watcher and tells how many are left.
func (f *follower) leave(w *watcher) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.watchers, w)
	return len(f.watchers)
}

// mine is what of a batch concerns a watcher.
func (w *watcher) mine(batch []happened) []happened {
	var list []happened
	for _, one := range batch {
		if one.of.Seller == w.seller && !one.at.Before(w.since) {
			list = append(list, one)
		}
	}
	return list
}

// deliver hands a batch to all who watch. One who is slow holds up the others, which
// loses nothing: all are read by the same Grafana.
func (f *follower) deliver(batch []happened) {
	f.mu.Lock()
	old := time.Now().Add(-overlap)
	f.recent = slices.DeleteFunc(append(f.recent, batch...), func(h happened) bool { return h.at.Before(old) })
	f.recent = f.recent[max(0, len(f.recent)-mostBack):]
	watchers := slices.Collect(maps.Keys(f.watchers))
	f.mu.Unlock()
	for _, w := range watchers {
		if list := w.mine(batch); len(list) > 0 {
			select {
			case w.cases <- list:
			case <-w.gone:
			}
		}
	}
}

// run follows a topic until ctx ends, and begins again where it was after each failure.
func (f *follower) run(ctx context.Context, topic string, open func(ctx context.Context) (pipeline.Log, error)) {
	next := map[int]int64{}
	for wait := firstPause; ; wait = min(2*wait, mostPause) {
		began := time.Now()
		log, err := open(ctx)
		if err == nil {
			err = f.follow(ctx, log, topic, next)
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > mostPause {
			wait = firstPause
		}
		backend.Logger.Warn("cannot follow the cases, trying again", "error", sentence(err), "in", wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// follow reads every partition until one fails or there are more of them, from the
// offsets of next, where it notes how far it came.
func (f *follower) follow(ctx context.Context, log pipeline.Log, topic string, next map[int]int64) error {
	partitions, err := log.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches, ended := make(chan []happened), make(chan part, partitions)
	for p := range partitions {
		at, known := next[p]
		if !known {
			at = -1
		}
		go func() {
			one := part{log: log, topic: topic, partition: p, at: at, since: f.since}
			one.err = one.follow(ctx, batches)
			ended <- one
		}()
	}
	count := time.NewTicker(f.count)
	defer count.Stop()
	for running := partitions; running > 0; {
		select {
		case batch := <-batches:
			f.deliver(batch)
		case <-count.C:
			if now, failed := log.Partitions(ctx, topic); failed == nil && now != partitions && err == nil {
				err = fmt.Errorf("topic %s has %d partitions now, not %d", topic, now, partitions)
				cancel()
			}
		case one := <-ended:
			running--
			if one.at >= 0 {
				next[one.partition] = one.at
			}
			if err == nil {
				err = one.err
			}
			cancel() // the others, too: all begin again together
		}
	}
	return err
}

// part is a partition of the cases as it is followed.
type part struct {
	log       pipeline.Log
	topic     string
	partition int
	since     time.Time // what was written before is left out
	at        int64     // next offset; -1: where what was written since may begin
	err       error     // why it is followed no more
}

// follow hands on the cases of each fetch that has some.
func (p *part) follow(ctx context.Context, batches chan<- []happened) error {
	reader := p.log.Open(p.topic, p.partition)
	defer reader.Close()
	for {
		if p.at < 0 {
			start, end, err := p.log.Bounds(ctx, p.topic, p.partition)
			if err != nil {
				return err
			}
			p.at = max(start, end-mostBack)
		}
		got, err := reader.Fetch(ctx, p.at)
		if errors.Is(err, pipeline.ErrOutOfRange) {
			p.at = -1 // the topic was cut, or made anew
			continue
		}
		if err != nil {
			return err
		}
		var batch []happened
		for i := range got.Records {
			c, at := &cases.Case{}, got.Records[i].Time
			if !at.Before(p.since) && json.Unmarshal(got.Records[i].Value, c) == nil && c.Schema == cases.Schema {
				batch = append(batch, happened{at, c})
			}
		}
		if len(batch) > 0 {
			select {
			case batches <- batch:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		p.at = got.Next
	}
}
