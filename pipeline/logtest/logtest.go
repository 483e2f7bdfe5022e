// Package logtest is the conformance suite of pipeline.Log and pipeline.Group:
// whatever stands behind these interfaces passes it, the simulation's log as
// well as a real cluster.
package logtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"recoup/pipeline"
)

// Cluster is what the suite runs against.
type Cluster struct {
	// Log is the log under test. The suite does not close it.
	Log pipeline.Log
	// MakeTopic makes an empty topic under a name not used before, with so many
	// partitions, whose records may have at least maxBytes and not twice that.
	MakeTopic func(t *testing.T, partitions, maxBytes int) string
	// NewMember returns a new member of a consumer group. The suite closes it.
	NewMember func(t *testing.T, group, topic string) pipeline.Group
}

const mib = 1 << 20

// Run runs the whole suite; open is called once per subtest.
func Run(t *testing.T, open func(t *testing.T) Cluster) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, c Cluster)
	}{
		{"RoundTrip", testRoundTrip},
		{"FetchFromTheMiddle", testMiddle},
		{"Bounds", testBounds},
		{"IdleFetch", testIdle},
		{"FetchSeesNewRecords", testWake},
		{"CancelledFetch", testCancel},
		{"OutOfRange", testOutOfRange},
		{"NoTopic", testNoTopic},
		{"LargeRecords", testLarge},
		{"TooLarge", testTooLarge},
		{"ManyRecords", testMany},
		{"PartitionsAreSeparate", testSeparate},
		{"AppendNothing", testNothing},
		{"GroupOfOne", testGroupOfOne},
		{"GroupOfTwo", testGroupOfTwo},
		{"GroupLastCommit", testLastCommit},
		{"GroupFences", testFence},
		{"GroupHeirs", testHeirs},
		{"GroupWithoutTopic", testGroupNoTopic},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func context30(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// mustAppend appends and returns the base offset.
func mustAppend(t *testing.T, c Cluster, topic string, partition int, records ...pipeline.Record) int64 {
	t.Helper()
	base, err := c.Log.Append(context30(t), topic, partition, records)
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	return base
}

// readAll fetches from offset until n records came, copying them.
func readAll(t *testing.T, c Cluster, topic string, partition int, offset int64, n int) []pipeline.Record {
	t.Helper()
	r := c.Log.Open(topic, partition)
	defer r.Close()
	ctx := context30(t)
	var out []pipeline.Record
	for len(out) < n {
		got, err := r.Fetch(ctx, offset)
		if err != nil {
			t.Fatalf("Fetch(%d) after %d records: %v", offset, len(out), err)
		}
		for _, rec := range got.Records {
			if rec.Offset < offset || rec.Offset >= got.Next {
				t.Fatalf("Fetch(%d) gave offset %d, Next %d", offset, rec.Offset, got.Next)
			}
			rec.Key, rec.Value, rec.Stamp = bytes.Clone(rec.Key), bytes.Clone(rec.Value), bytes.Clone(rec.Stamp)
			out = append(out, rec)
			offset = rec.Offset + 1
		}
		offset = got.Next
	}
	return out
}

func checkRecord(t *testing.T, got, want pipeline.Record) {
	t.Helper()
	if got.Offset != want.Offset || !bytes.Equal(got.Key, want.Key) || !bytes.Equal(got.Value, want.Value) {
		t.Errorf("got offset %d key %q, %d bytes; want offset %d key %q, %d bytes",
			got.Offset, got.Key, len(got.Value), want.Offset, want.Key, len(want.Value))
	}
	if !bytes.Equal(got.Stamp, want.Stamp) {
		t.Errorf("offset %d: stamp %q, want %q", got.Offset, got.Stamp, want.Stamp)
	}
	if (got.Key == nil) != (want.Key == nil) || (got.Value == nil) != (want.Value == nil) {
		t.Errorf("offset %d: nil and empty are mixed up: key nil %v, value nil %v", got.Offset, got.Key == nil,
			got.Value == nil)
	}
}

// Null keys, tombstones and empty values come back as they went in, with their times.
func testRoundTrip(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 1, mib)
	at := time.Date(2026, 3, 1, 10, 0, 0, 123_000_000, time.UTC)
	records := []pipeline.Record{
		{Key: []byte("k1"), Value: []byte("v1"), Time: at},
		{Key: nil, Value: []byte("no key"), Time: at.Add(-time.Hour)},
		{Key: []byte("tombstone"), Value: nil, Time: at.Add(time.Millisecond)},
		{Key: []byte("stamped tombstone"), Stamp: []byte("7"), Time: at},
		{Key: []byte("empty"), Value: []byte{}, Time: at.Add(time.Hour)},
		{Key: []byte{}, Value: []byte("empty key"), Time: at},
		{Key: []byte{0, 0xFF, '\n'}, Value: bytes.Repeat([]byte{0}, 3000), Time: at},
	}
	before := time.Now().Add(-2 * time.Second)
	if base := mustAppend(t, c, topic, 0, records...); base != 0 {
		t.Errorf("first Append returned base %d, want 0", base)
	}
	if base := mustAppend(t, c, topic, 0, pipeline.Record{Value: []byte("last")}); base != 7 {
		t.Errorf("second Append returned base %d, want 7", base)
	}
	got := readAll(t, c, topic, 0, 0, 8)
	for i, want := range records {
		want.Offset = int64(i)
		checkRecord(t, got[i], want)
		if !got[i].Time.Equal(want.Time) {
			t.Errorf("offset %d: time %v, want %v", i, got[i].Time, want.Time)
		}
	}
	if at := got[7].Time; at.Before(before) || at.After(time.Now().Add(2*time.Second)) {
		t.Errorf("a record appended without a time has time %v, want about now", at)
	}
}

// An offset inside a batch gives no record below it.
func testMiddle(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 1, mib)
	mustAppend(t, c, topic, 0, numbered(0, 50, 100)...)
	for _, from := range []int64{0, 1, 17, 49} {
		got := readAll(t, c, topic, 0, from, 50-int(from))
		if got[0].Offset != from || string(got[0].Key) != fmt.Sprint(from) {
			t.Errorf("Fetch(%d) began with offset %d, key %s", from, got[0].Offset, got[0].Key)
		}
	}
}

func testBounds(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 3, mib)
	n, err := c.Log.Partitions(context30(t), topic)
	if err != nil || n != 3 {
		t.Errorf("Partitions = %d, %v; want 3", n, err)
	}
	mustAppend(t, c, topic, 2, numbered(0, 5, 10)...)
	for p, want := range []int64{0, 0, 5} {
		start, end, err := c.Log.Bounds(context30(t), topic, p)
		if err != nil || start != 0 || end != want {
			t.Errorf("Bounds of partition %d = %d, %d, %v; want 0, %d", p, start, end, err, want)
		}
	}
	r := c.Log.Open(topic, 2)
	defer r.Close()
	got, err := r.Fetch(context30(t), 2)
	if err != nil || got.Start != 0 || got.End != 5 || got.Next != 5 {
		t.Errorf("Fetch(2) = start %d end %d next %d, %v; want 0, 5, 5", got.Start, got.End, got.Next, err)
	}
}

// An idle fetch is no error and does not wait long (G12: a stall must show).
func testIdle(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 1, mib)
	mustAppend(t, c, topic, 0, numbered(0, 3, 10)...)
	r := c.Log.Open(topic, 0)
	defer r.Close()
	for range 3 {
		began := time.Now()
		got, err := r.Fetch(context30(t), 3)
		if err != nil || len(got.Records) != 0 || got.Next != 3 || got.End != 3 {
			t.Fatalf("idle Fetch = %d records, next %d, end %d, %v; want none", len(got.Records), got.Next, got.End, err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("idle Fetch took %v, want about a quarter of a second", took)
		}
	}
}

func testWake(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 1, mib)
	r := c.Log.Open(topic, 0)
	defer r.Close()
	ctx := context30(t)
	if _, err := r.Fetch(ctx, 0); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := c.Log.Append(ctx, topic, 0, numbered(0, 1, 10))
		done <- err
	}()
	for {
		got, err := r.Fetch(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Records) == 1 {
			break
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A cancelled fetch comes back and the reader goes on working.
func testCancel(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 1, mib)
	r := c.Log.Open(topic, 0)
	defer r.Close()
	ctx, cancel := context.WithCancel(context30(t))
	cancel()
	if _, err := r.Fetch(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("Fetch with a cancelled context: %v, want context.Canceled", err)
	}
	if _, err := c.Log.Append(ctx, topic, 0, numbered(0, 1, 10)); !errors.Is(err, context.Canceled) {
		t.Errorf("Append with a cancelled context: %v, want context.Canceled", err)
	}
	mustAppend(t, c, topic, 0, numbered(0, 4, 10)...)
	got, err := r.Fetch(context30(t), 0)
	if err != nil || len(got.Records) == 0 {
		t.Errorf("Fetch after a cancelled one = %d records, %v", len(got.Records), err)
	}
}

func testOutOfRange(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 1, mib)
	mustAppend(t, c, topic, 0, numbered(0, 3, 10)...)
	r := c.Log.Open(topic, 0)
	defer r.Close()
	for _, offset := range []int64{4, 1 << 40} {
		if _, err := r.Fetch(context30(t), offset); !errors.Is(err, pipeline.ErrOutOfRange) {
			t.Errorf("Fetch(%d) of a log of 3: %v, want ErrOutOfRange", offset, err)
		}
	}
	if got, err := r.Fetch(context30(t), 0); err != nil || len(got.Records) != 3 {
		t.Errorf("Fetch(0) after ErrOutOfRange = %d records, %v; want 3", len(got.Records), err)
	}
}

func testNoTopic(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 1, mib)
	for _, at := range []struct {
		topic     string
		partition int
	}{{topic + "-missing", 0}, {topic, 1}} {
		ctx := context30(t)
		_, _, err := c.Log.Bounds(ctx, at.topic, at.partition)
		if !errors.Is(err, pipeline.ErrNoTopic) {
			t.Errorf("Bounds of %v: %v, want ErrNoTopic", at, err)
		}
		_, err = c.Log.Append(ctx, at.topic, at.partition, numbered(0, 1, 1))
		if !errors.Is(err, pipeline.ErrNoTopic) {
			t.Errorf("Append to %v: %v, want ErrNoTopic", at, err)
		}
		r := c.Log.Open(at.topic, at.partition)
		if _, err = r.Fetch(ctx, 0); !errors.Is(err, pipeline.ErrNoTopic) {
			t.Errorf("Fetch from %v: %v, want ErrNoTopic", at, err)
		}
		r.Close()
	}
	if _, err := c.Log.Partitions(context30(t), topic+"-missing"); !errors.Is(err, pipeline.ErrNoTopic) {
		t.Errorf("Partitions of a missing topic: %v, want ErrNoTopic", err)
	}
}
