package pipeline

import (
	"bytes"
	"fmt"
	"testing"
)

// What is packed comes back in its order, values and tombstones alike, in chunks that one request takes.
func TestPackedRecords(t *testing.T) {
	var p packedRecords
	var want []Record
	for i := range 5000 {
		key := fmt.Appendf(nil, "key %d", i)
		r := stateRecord(key, stamp{epoch: 7, applied: int64(i)}, bytes.Repeat([]byte{byte(i)}, 1+i%700))
		switch {
		case i%5 == 0:
			r = stateRecord(key, stamp{epoch: 7, applied: int64(i)}, nil)
		case i == 77:
			r.Value = bytes.Repeat(r.Value, 3*packedChunk)
		}
		want = append(want, r)
		p.add(r)
	}
	var got []Record
	size := int64(0)
	for chunk := range p {
		records := p.records(chunk)
		if len(records) > 1 && len(p[chunk]) > packedChunk {
			t.Errorf("chunk %d has %d bytes, want at most %d", chunk, len(p[chunk]), packedChunk)
		}
		got, size = append(got, records...), size+int64(len(p[chunk]))
	}
	if len(got) != len(want) {
		t.Fatalf("%d records came back, want %d", len(got), len(want))
	}
	for i, w := range want {
		if g := got[i]; !bytes.Equal(g.Key, w.Key) || !bytes.Equal(g.Value, w.Value) || !bytes.Equal(g.Stamp, w.Stamp) ||
			(g.Value == nil) != (w.Value == nil) || (g.Stamp == nil) != (w.Stamp == nil) {
			t.Fatalf("record %d came back as %q %.80q %q, want %q %.80q %q", i, g.Key, g.Value, g.Stamp, w.Key, w.Value, w.Stamp)
		}
	}
	if p.bytes() < size || p.bytes() > size*5/4 {
		t.Errorf("they take %d bytes, and are said to take %d", size, p.bytes())
	}
}

// While copies of some partitions wait the others take none, unless they have to.
func TestCopiesWaitForEachOther(t *testing.T) {
	var c copies
	var taken []*checkpoint
	take := func(now bool, bytes int) {
		c.take(now, func() *checkpoint {
			taken = append(taken, &checkpoint{local: packedRecords{make([]byte, bytes)}})
			return taken[len(taken)-1]
		})
	}
	take(false, mostCopied-1)
	take(false, mostCopied)
	if take(false, 1); len(taken) != 2 {
		t.Errorf("%d copies were taken, want 2 until there is room again", len(taken))
	}
	if take(true, 1); len(taken) != 3 {
		t.Error("one that has to be taken at once was not")
	}
	for range 2 { // one that is refused, and then is published, is released twice
		c.release(taken[1])
	}
	if take(false, 1); len(taken) != 3 {
		t.Error("one is taken though there is no room yet")
	}
	c.release(taken[2])
	if take(false, 1); len(taken) != 4 {
		t.Error("none is taken though there is room")
	}
	for _, cp := range taken {
		c.release(cp)
	}
	if c.bytes != 0 {
		t.Errorf("%d bytes count though all are released", c.bytes)
	}
}

// Copied is how many bytes of copies wait to be published.
func (m *Member) Copied() int64 {
	m.copies.mu.Lock()
	defer m.copies.mu.Unlock()
	return m.copies.bytes
}
