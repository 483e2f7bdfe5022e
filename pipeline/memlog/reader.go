package memlog

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"recoup/pipeline"
)

// reader fetches one partition. It owns the bytes it hands out and overwrites
// them at the next Fetch, so that a caller who keeps them too long is found.
type reader struct {
	log       *Log
	topic     string
	partition int
	records   []pipeline.Record
	bytes     []byte
	timer     *time.Timer // of the last Fetch that waited; nil: none did
}

// poison is what stands in memory that was handed out before.
var poison = bytes.Repeat([]byte{0xDB}, 1<<10)

// Open returns a reader of one partition, which need not exist.
func (l *Log) Open(topic string, partition int) pipeline.Reader {
	return &reader{log: l, topic: topic, partition: partition}
}

// Fetch returns the records from offset on, see pipeline.Reader.
func (r *reader) Fetch(ctx context.Context, offset int64) (pipeline.Fetched, error) {
	for rest := r.bytes; len(rest) > 0; {
		rest = rest[copy(rest, poison):]
	}
	if hook := r.log.opt.Hooks.BeforeFetch; hook != nil {
		if err := hook(r.topic, r.partition, offset); err != nil {
			return pipeline.Fetched{}, err
		}
	}
	var timeout <-chan time.Time
	for waited := r.log.opt.MaxWait < 0; ; {
		got, grown, err := r.read(offset)
		if err != nil || waited || got.Next > offset {
			return got, err
		}
		if timeout == nil {
			if r.timer == nil {
				r.timer = time.NewTimer(r.log.opt.MaxWait)
			} else {
				r.timer.Reset(r.log.opt.MaxWait)
			}
			defer r.timer.Stop()
			timeout = r.timer.C
		}
		select {
		case <-grown:
		case <-timeout:
			waited = true
		case <-ctx.Done():
			return got, fmt.Errorf("cannot fetch %s/%d: %w", r.topic, r.partition, ctx.Err())
		}
	}
}

// read copies what is there now and returns the channel that tells of more.
func (r *reader) read(offset int64) (pipeline.Fetched, <-chan struct{}, error) {
	l := r.log
	l.mu.Lock()
	defer l.mu.Unlock()
	_, part, err := l.find(r.topic, r.partition)
	if err != nil {
		return pipeline.Fetched{}, nil, err
	}
	got := pipeline.Fetched{Next: offset, End: part.end, Start: part.start}
	if offset < part.start || offset > part.end {
		return got, nil, fmt.Errorf("cannot fetch offset %d of %s/%d, it holds %d to %d: %w",
			offset, r.topic, r.partition, part.start, part.end, pipeline.ErrOutOfRange)
	}
	first := part.index(offset)
	last, size := first, 0
	for ; last < len(part.records); last++ {
		n := len(part.records[last].Key) + len(part.records[last].Value)
		if last > first && size+n > l.opt.FetchBytes {
			break
		}
		size += n
	}
	got.Next = part.end
	if last < len(part.records) {
		got.Next = part.records[last-1].Offset + 1
	}
	got.Records = r.copy(part.records[first:last], size)
	return got, part.grown, nil
}

func (r *reader) copy(records []pipeline.Record, size int) []pipeline.Record {
	if cap(r.bytes) < size {
		r.bytes = make([]byte, 0, size)
	}
	r.bytes, r.records = r.bytes[:0], append(r.records[:0], records...)
	for i := range r.records {
		rec := &r.records[i]
		rec.Key, rec.Value = r.keep(rec.Key), r.keep(rec.Value)
	}
	return r.records
}

// keep copies b behind what the reader holds; there is room for it.
func (r *reader) keep(b []byte) []byte {
	if b == nil {
		return nil
	}
	at := len(r.bytes)
	r.bytes = append(r.bytes, b...)
	return r.bytes[at:len(r.bytes):len(r.bytes)]
}

// Close does nothing.
func (r *reader) Close() error { return nil }
