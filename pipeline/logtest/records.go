package logtest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"recoup/pipeline"
)

// numbered returns records whose key is their number and whose value has about
// size bytes that hardly compress.
func numbered(from, to, size int) []pipeline.Record {
	var out []pipeline.Record
	for i := from; i < to; i++ {
		out = append(out, pipeline.Record{Key: fmt.Append(nil, i), Value: noise(uint64(i), size)})
	}
	return out
}

func noise(seed uint64, size int) []byte {
	rng := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	b := make([]byte, size)
	_, _ = rng.Read(b)
	return b
}

// Records larger than the usual fetch size come whole, in order, among small ones.
func testLarge(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 1, 6*mib)
	records := []pipeline.Record{
		{Key: []byte("0"), Value: noise(0, 10)},
		{Key: []byte("1"), Value: noise(1, 900_000)},
		{Key: []byte("2"), Value: noise(2, 5*mib)},
		{Key: []byte("3"), Value: bytes.Repeat([]byte("compresses well "), 5*mib/16)},
		{Key: []byte("4"), Value: noise(4, 10)},
		{Key: []byte("5"), Value: noise(5, 3*mib)},
	}
	if base := mustAppend(t, c, topic, 0, records...); base != 0 {
		t.Errorf("Append returned base %d, want 0", base)
	}
	mustAppend(t, c, topic, 0, pipeline.Record{Key: []byte("6"), Value: noise(6, 10)})
	got := readAll(t, c, topic, 0, 0, 7)
	for i, want := range records {
		want.Offset = int64(i)
		checkRecord(t, got[i], want)
	}
	if got := readAll(t, c, topic, 0, 2, 1); got[0].Offset != 2 {
		t.Errorf("Fetch at a large record began with offset %d, want 2", got[0].Offset)
	}
}

// A record the topic does not take is refused for good, and the log goes on.
func testTooLarge(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 1, mib)
	_, err := c.Log.Append(context30(t), topic, 0, []pipeline.Record{{Value: noise(1, 3*mib)}})
	if !errors.Is(err, pipeline.ErrTooLarge) {
		t.Errorf("Append of 3 MiB to a topic of 1 MiB: %v, want ErrTooLarge", err)
	}
	if base := mustAppend(t, c, topic, 0, pipeline.Record{Value: []byte("small")}); base != 0 {
		t.Errorf("Append after a refused one returned base %d, want 0", base)
	}
}

// Appends above the size of one request keep their order, without holes or copies.
func testMany(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 1, mib)
	next := int64(0)
	for _, n := range []int{1, 5000, 3, 2000} {
		base := mustAppend(t, c, topic, 0, numbered(int(next), int(next)+n, 700)...)
		if base != next {
			t.Fatalf("Append returned base %d, want %d", base, next)
		}
		next += int64(n)
	}
	for i, got := range readAll(t, c, topic, 0, 0, int(next)) {
		checkRecord(t, got, pipeline.Record{Offset: int64(i), Key: fmt.Append(nil, i), Value: noise(uint64(i), 700)})
		if t.Failed() {
			t.FailNow()
		}
	}
}

func testSeparate(t *testing.T, c Cluster) {
	const partitions, each = 4, 200
	topic := c.MakeTopic(t, partitions, mib)
	done := make(chan error, partitions)
	ctx := context30(t)
	for p := range partitions {
		go func() {
			var err error
			for i := 0; i < each && err == nil; i += 50 {
				_, err = c.Log.Append(ctx, topic, p, numbered(p*each+i, p*each+i+50, 100))
			}
			done <- err
		}()
	}
	for range partitions {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	for p := range partitions {
		for i, got := range readAll(t, c, topic, p, 0, each) {
			if want := fmt.Sprint(p*each + i); string(got.Key) != want {
				t.Fatalf("partition %d offset %d has key %s, want %s", p, got.Offset, got.Key, want)
			}
		}
	}
}

// Append without records says where the next would go.
func testNothing(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 1, mib)
	mustAppend(t, c, topic, 0, numbered(0, 2, 10)...)
	if base := mustAppend(t, c, topic, 0); base != 2 {
		t.Errorf("Append of nothing returned base %d, want 2", base)
	}
}
