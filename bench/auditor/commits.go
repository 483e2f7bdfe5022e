package auditor

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sort"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"recoup/pipeline"
)

// offsetsTopic is where Kafka itself keeps what groups commit. It holds every commit
// of a run with the broker's time, until it is compacted: so no commit between two
// looks is missed, as it would be by asking now and then.
const offsetsTopic = "__consumer_offsets"

// readCommits reads all commits of the group in the order they were accepted.
func (a *audit) readCommits(ctx context.Context) error {
	a.commits, a.lastCommit = make([][]Commit, a.partitions), make([]int64, a.partitions)
	a.checks.expect(CheckCommitsEarly, 0)
	a.checks.expect(CheckCommitsBack, 0)
	return a.eachCommit(ctx, func(r *kafkago.Message) {
		group, topic, partition, ok := offsetKey(r.Key)
		if !ok || group != a.Config.Kafka.Group || topic != a.Config.Kafka.Topics.Invoices || partition >= a.partitions ||
			len(r.Value) == 0 {
			return // of somebody else, of no commit, or a tombstone
		}
		if len(r.Value) < 10 {
			a.checks.never(CheckCommitsBack, "partition %d: a commit of %d bytes cannot be read", partition, len(r.Value))
			return
		}
		c := Commit{int64(binary.BigEndian.Uint64(r.Value[2:])), r.Time} // behind the version, in all versions
		before := a.commits[partition]
		a.lastCommit[partition] = c.Offset
		if n := len(before); n > 0 && before[n-1].Offset > c.Offset {
			a.checks.never(CheckCommitsBack, "partition %d: %d after %d, at %s", partition, c.Offset, before[n-1].Offset,
				c.At.UTC().Format(time.RFC3339Nano))
			return
		}
		a.commits[partition] = append(before, c)
	})
}

// eachCommit reads the topic of the commits to its end. The client of internal/kafka
// does not see it: kafka-go leaves internal topics out of what it knows of a cluster.
func (a *audit) eachCommit(ctx context.Context, do func(*kafkago.Message)) error {
	broker := a.Config.Kafka.Brokers[0]
	partitions, err := kafkago.DefaultDialer.LookupPartitions(ctx, "tcp", broker, offsetsTopic)
	if err != nil {
		return fmt.Errorf("cannot find %s: %w", offsetsTopic, err)
	}
	for _, p := range partitions {
		if err := readCommitsOf(ctx, broker, p.ID, do); err != nil {
			return fmt.Errorf("cannot read %s/%d: %w", offsetsTopic, p.ID, err)
		}
	}
	return nil
}

// mostIdle is how many reads in a row may bring nothing.
const mostIdle = 3

func readCommitsOf(ctx context.Context, broker string, partition int, do func(*kafkago.Message)) error {
	conn, err := kafkago.DefaultDialer.DialLeader(ctx, "tcp", broker, offsetsTopic, partition)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	at, end, err := conn.ReadOffsets()
	if err != nil {
		return err
	}
	for idle := 0; at < end && err == nil; {
		if _, err = conn.Seek(at, kafkago.SeekAbsolute); err != nil {
			return err
		}
		batch := conn.ReadBatchWith(kafkago.ReadBatchConfig{MinBytes: 1, MaxBytes: 8 << 20, MaxWait: time.Second})
		for {
			message, readErr := batch.ReadMessage()
			if readErr != nil {
				break // the end of this batch; what is wrong with it Close tells
			}
			do(&message)
		}
		next := batch.Offset()
		err = batch.Close()
		if idle++; next > at {
			at, idle = next, 0
		} else if err == nil && idle == mostIdle {
			err = fmt.Errorf("nothing comes from offset %d on, before the end at %d: what stands there is not audited", at, end)
		}
	}
	return err
}

// offsetKey reads the key of a commit: versions 0 and 1 are commits.
func offsetKey(key []byte) (group, topic string, partition int, ok bool) {
	if len(key) < 2 || binary.BigEndian.Uint16(key) > 1 {
		return "", "", 0, false
	}
	rest := key[2:]
	text := func() (s string) {
		if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
			rest = nil
			return ""
		}
		n := 2 + int(binary.BigEndian.Uint16(rest))
		s, rest = string(rest[2:n]), rest[n:]
		return s
	}
	group, topic = text(), text()
	if len(rest) != 4 {
		return "", "", 0, false
	}
	return group, topic, int(binary.BigEndian.Uint32(rest)), true
}

// committed returns when an offset was committed first, and whether it was.
func (a *audit) committed(partition int, offset int64) (time.Time, bool) {
	list := a.commits[partition]
	i := sort.Search(len(list), func(i int) bool { return list[i].Offset > offset })
	if i == len(list) {
		return time.Time{}, false
	}
	return list[i].At, true
}

// early notes what came to stand after its offset was committed.
func (a *audit) early(partition int, offset int64, what string, stood time.Time) {
	if at, was := a.committed(partition, offset); was && stood.After(at) {
		a.checks.never(CheckCommitsEarly, "offset %d of partition %d: its %s came %s after its commit", offset, partition,
			what, stood.Sub(at))
	}
}

// judgeOffsets compares what is committed at the end, and what checkpoints promise.
func (a *audit) judgeOffsets(ctx context.Context) error {
	t := &a.Config.Kafka.Topics
	committed, err := a.Kafka.CommittedOffsets(ctx, a.Config.Kafka.Group, t.Invoices)
	if err != nil {
		return err
	}
	for p := range a.partitions {
		_, end, err := a.log.Bounds(ctx, t.Invoices, p)
		if err != nil {
			return err
		}
		a.checks.right(CheckCommitted, end == 0 || committed[p] == end && a.lastCommit[p] == end,
			"partition %d: committed %d, its end is %d, the last commit seen %d", p, committed[p], end, a.lastCommit[p])
	}
	return a.judgeMarkers(ctx)
}

// judgeMarkers compares what checkpoints promise with what was committed by then.
func (a *audit) judgeMarkers(ctx context.Context) error {
	t := &a.Config.Kafka.Topics
	a.checks.expect(CheckMarkers, 0)
	marked := make([]bool, a.partitions)
	err := a.eachOf(ctx, t.State, func(p int, r *pipeline.Record) error {
		if string(r.Key) != "marker" || len(r.Value) == 0 {
			return nil
		}
		var marker struct{ Offset int64 }
		if _, payload, ok := stamped(r.Value); !ok || json.Unmarshal(payload, &marker) != nil {
			a.checks.never(CheckMarkers, "record %d of %s/%d cannot be read", r.Offset, t.State, p)
			return nil
		}
		marked[p] = true
		if at, was := a.committed(p, marker.Offset-1); marker.Offset > 0 && (!was || r.Time.Before(at)) {
			a.checks.never(CheckMarkers, "partition %d: marker of offset %d at %s, committed first at %s", p, marker.Offset,
				r.Time.UTC().Format(time.RFC3339Nano), at.UTC().Format(time.RFC3339Nano))
		}
		return nil
	})
	for p, is := range marked {
		if !is && a.lastCommit[p] > 0 {
			a.checks.wrong(CheckMarkers, "partition %d has no marker: the checkpoint of a clean end is missing", p)
		}
	}
	return err
}
