package kafka

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"recoup/pipeline"
)

// testBatch is a record batch to be written; zero values are those of a plain one.
type testBatch struct {
	base       int64
	attributes int16
	producer   int64
	keys       []string
	skip       map[int]bool // records that compaction removed
	last       int32        // last offset delta, if not that of the keys
	codec      int8
}

// bytes writes the batch as a broker stores it.
func (b testBatch) bytes(t testing.TB) []byte {
	var payload []byte
	count := 0
	for i, key := range b.keys {
		if b.skip[i] {
			continue
		}
		rec := []byte{0}
		rec = binary.AppendVarint(rec, int64(i*1000)) // time delta, ms
		rec = binary.AppendVarint(rec, int64(i))
		rec = binary.AppendVarint(rec, int64(len(key)))
		rec = append(rec, key...)
		rec = binary.AppendVarint(rec, -1)
		rec = binary.AppendVarint(rec, 1) // one header, which nobody reads
		rec = append(rec, 2, 'h', 2, 'v')
		payload = append(binary.AppendVarint(payload, int64(len(rec))), rec...)
		count++
	}
	if b.codec != 0 {
		var out bytes.Buffer
		w := kafkago.Compression(b.codec).Codec().NewWriter(&out)
		if _, err := w.Write(payload); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		payload = out.Bytes()
	}
	last := max(b.last, int32(len(b.keys)-1))
	be := binary.BigEndian
	var body []byte
	body = be.AppendUint16(body, uint16(b.attributes|int16(b.codec)))
	body = be.AppendUint32(body, uint32(last))
	body = be.AppendUint64(body, 1_700_000_000_000)
	body = be.AppendUint64(body, 1_700_000_099_000)
	body = be.AppendUint64(body, uint64(b.producer))
	body = be.AppendUint16(body, 0)
	body = be.AppendUint32(body, 0)
	body = be.AppendUint32(body, uint32(count))
	body = append(body, payload...)

	var out []byte
	out = be.AppendUint64(out, uint64(b.base))
	out = be.AppendUint32(out, uint32(len(body)+9))
	out = be.AppendUint32(out, 0)
	out = append(out, 2)
	out = be.AppendUint32(out, crc32.Checksum(body, castagnoli))
	return append(out, body...)
}

func set(t testing.TB, batches ...testBatch) []byte {
	var out []byte
	for _, b := range batches {
		out = append(out, b.bytes(t)...)
	}
	return out
}

func offsets(records []pipeline.Record) string {
	var s strings.Builder
	for _, r := range records {
		fmt.Fprintf(&s, "%d%s ", r.Offset, r.Key)
	}
	return strings.TrimSpace(s.String())
}

func TestDecode(t *testing.T) {
	const tx, control = attrTransactional, attrTransactional | attrControl
	abc := []string{"a", "b", "c"}
	marker := []string{"\x00\x00\x00\x00"}
	for _, c := range []struct {
		name    string
		set     []byte
		offset  int64
		aborted []abortedTx
		want    string
		next    int64
	}{
		{"nothing", nil, 5, nil, "", 5},
		{"one batch", set(t, testBatch{base: 5, keys: abc}), 5, nil, "5a 6b 7c", 8},
		{"offset inside", set(t, testBatch{base: 5, keys: abc}), 6, nil, "6b 7c", 8},
		{"batch before", set(t, testBatch{base: 2, keys: abc}, testBatch{base: 5, keys: abc}), 5, nil, "5a 6b 7c", 8},
		{"last cut off", set(t, testBatch{keys: abc}, testBatch{base: 3, keys: abc})[:150], 0, nil, "0a 1b 2c", 3},
		{"only a part", set(t, testBatch{keys: abc})[:70], 0, nil, "", 0},
		{"cut in the header", set(t, testBatch{keys: abc})[:10], 0, nil, "", 0},
		{"compacted", set(t, testBatch{keys: abc, skip: map[int]bool{0: true, 2: true}}), 0, nil, "1b", 3},
		{"compacted to nothing", set(t, testBatch{base: 7, last: 9}), 8, nil, "", 17},
		{"control", set(t, testBatch{keys: abc}, testBatch{base: 3, attributes: control, keys: marker}), 0, nil,
			"0a 1b 2c", 4},
		{"aborted", set(t, testBatch{attributes: tx, producer: 1, keys: abc},
			testBatch{base: 3, attributes: control, producer: 1, keys: marker},
			testBatch{base: 4, attributes: tx, producer: 1, keys: abc}), 0,
			[]abortedTx{{1, 0}}, "4a 5b 6c", 7},
		{"aborted twice", set(t, testBatch{attributes: tx, producer: 1, keys: abc},
			testBatch{base: 3, attributes: control, producer: 1, keys: marker},
			testBatch{base: 4, attributes: tx, producer: 1, keys: abc},
			testBatch{base: 7, attributes: control, producer: 1, keys: marker},
			testBatch{base: 8, attributes: tx, producer: 1, keys: abc}), 0,
			[]abortedTx{{1, 0}, {1, 4}}, "8a 9b 10c", 11},
		{"aborted begins before the fetch", set(t, testBatch{base: 4, attributes: tx, producer: 1, keys: abc}), 4,
			[]abortedTx{{1, 1}}, "", 7},
		{"another producer", set(t, testBatch{attributes: tx, producer: 2, keys: abc}), 0,
			[]abortedTx{{1, 0}}, "0a 1b 2c", 3},
		{"same producer, no transaction", set(t, testBatch{producer: 1, keys: abc}), 0,
			[]abortedTx{{1, 0}}, "0a 1b 2c", 3},
		{"marker compacted away", set(t, testBatch{base: 3, attributes: control, producer: 1, keys: marker},
			testBatch{base: 4, attributes: tx, producer: 1, keys: abc}), 0,
			[]abortedTx{{1, 0}}, "4a 5b 6c", 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decoder{decompress: decompress}
			for range 2 { // its buffers are used again
				got, next, err := d.decode(&undecoded{set: c.set, aborted: c.aborted}, c.offset)
				if err != nil || offsets(got) != c.want || next != c.next {
					t.Errorf("decode = %q, next %d, %v; want %q, %d", offsets(got), next, err, c.want, c.next)
				}
			}
		})
	}
}

func TestDecodeTimes(t *testing.T) {
	d := decoder{decompress: decompress}
	keys := []string{"a", "b"}
	got, _, err := d.decode(&undecoded{set: set(t, testBatch{keys: keys})}, 0)
	if err != nil || !got[1].Time.Equal(time.UnixMilli(1_700_000_001_000)) {
		t.Errorf("create time %v, %v; want the first plus a second", got[1].Time, err)
	}
	got, _, err = d.decode(&undecoded{set: set(t, testBatch{keys: keys, attributes: attrLogAppendTime})}, 0)
	if err != nil || !got[0].Time.Equal(time.UnixMilli(1_700_000_099_000)) || got[0].Time != got[1].Time {
		t.Errorf("log append times %v and %v, %v; want the batch's", got[0].Time, got[1].Time, err)
	}
}

// Several compressed batches of one fetch do not overwrite each other, whether
// they fit into the arena of the fetch before or not.
func TestDecodeArena(t *testing.T) {
	d := decoder{decompress: decompress}
	for round, keys := range []int{1, 3000, 40, 6000, 3000, 1} {
		var batches []testBatch
		var want strings.Builder
		for i := range 5 {
			b := testBatch{base: int64(i * keys), codec: int8(i)}
			for k := range keys {
				b.keys = append(b.keys, fmt.Sprintf("-%d-%d-%d", round, i, k))
				fmt.Fprintf(&want, "%d-%d-%d-%d ", i*keys+k, round, i, k)
			}
			batches = append(batches, b)
		}
		got, _, err := d.decode(&undecoded{set: set(t, batches...)}, 0)
		if err != nil || offsets(got) != strings.TrimSpace(want.String()) {
			t.Fatalf("round %d: %d records, %v; they are not those that were written", round, len(got), err)
		}
		if cap(d.arena) > maxKeptBuffer {
			t.Errorf("round %d: the decoder keeps %d bytes", round, cap(d.arena))
		}
	}
}

// An answer is handed out in portions. A transaction that was aborted in one of them goes on in
// the next, and voids none that follows it.
func TestDecodePortions(t *testing.T) {
	const tx, control, keys, batches = attrTransactional, attrTransactional | attrControl, 5000, 80
	var keep []string
	for i := range keys {
		keep = append(keep, fmt.Sprintf("%s %d", strings.Repeat("x", 30), i))
	}
	left := undecoded{aborted: []abortedTx{{1, 0}}}
	var want []int64
	for i := range int64(batches) {
		b := testBatch{base: i * keys, keys: keep, codec: 3, attributes: tx, producer: 1}
		switch {
		case i == batches/2: // here the transaction of producer 1 that began at 0 ends
			b = testBatch{base: i * keys, last: keys - 1, attributes: control, producer: 1, keys: []string{"\x00\x00\x00\x00"}}
		case i > batches/2 || i%3 == 1: // its next one, and others
			if i < batches/2 {
				b.producer = 2
			}
			for k := range int64(keys) {
				want = append(want, i*keys+k)
			}
		}
		left.set = append(left.set, b.bytes(t)...)
	}
	d := decoder{decompress: decompress}
	var got []int64
	portions, next := 0, int64(0)
	for next < batches*keys {
		records, behind, err := d.decode(&left, next)
		if err != nil || behind <= next {
			t.Fatalf("portion %d: next %d after %d, %v", portions, behind, next, err)
		}
		for _, r := range records {
			got = append(got, r.Offset)
		}
		if d.used >= portionBytes+keys*50 {
			t.Errorf("portion %d has %d bytes, want %d and a batch at most", portions, d.used, portionBytes)
		}
		portions, next = portions+1, behind
	}
	if !slices.Equal(got, want) || portions < 3 {
		t.Errorf("%d records in %d portions, want %d in several", len(got), portions, len(want))
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := testBatch{keys: []string{"a", "b"}}.bytes(t)
	change := func(at int, to byte, sum bool) []byte {
		b := bytes.Clone(good)
		b[at] = to
		if sum {
			binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], castagnoli))
		}
		return b
	}
	for _, c := range []struct {
		name string
		set  []byte
		want string
	}{
		{"flipped byte", change(70, 0xFF, false), "checksum"},
		{"old format", change(16, 1, true), "message format 1"},
		{"negative length", change(8, 0x80, true), "length"},
		{"too many records", change(60, 200, true), "claims 200 records"},
		{"one record too many", change(60, 3, true), "ends too early"},
		{"record longer than the batch", change(61, 0x7E, true), "ends too early"},
		{"unknown compression", change(22, 7, true), "compression 7"},
		{"wrong compression", change(22, 4, true), "zstd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decoder{decompress: decompress}
			got, next, err := d.decode(&undecoded{set: c.set}, 0)
			if err == nil || !strings.Contains(err.Error(), c.want) || got != nil || next != 0 {
				t.Errorf("decode = %d records, next %d, %v; want an error with %q", len(got), next, err, c.want)
			}
		})
	}
}

// A small batch that decompresses to very much is refused, not swallowed (G7).
func TestDecompressLimit(t *testing.T) {
	for codec := int8(1); codec <= 4; codec++ {
		var out bytes.Buffer
		w := kafkago.Compression(codec).Codec().NewWriter(&out)
		if _, err := w.Write(make([]byte, 4<<20)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := decompress(codec, nil, out.Bytes(), 1<<20); err == nil || !strings.Contains(err.Error(), "more than") {
			t.Errorf("codec %d: %v, want a refusal of 4 MiB where 1 MiB is allowed", codec, err)
		}
		if got, err := decompress(codec, nil, out.Bytes(), 4<<20); err != nil || len(got) != 4<<20 {
			t.Errorf("codec %d: %d bytes, %v; want 4 MiB", codec, len(got), err)
		}
	}
}

// An answer that is cut off or changed anywhere is an error or another answer,
// never a panic.
func FuzzAnswer(f *testing.F) {
	ask := fetchAsk{topic: "t", partition: 3, offset: 2}
	be := binary.BigEndian
	answer := func(records []byte) []byte {
		b := be.AppendUint32(nil, correlation)
		b = be.AppendUint32(b, 0)
		b = be.AppendUint16(b, 0)
		b = be.AppendUint32(b, 0)
		b = be.AppendUint32(b, 1)
		b = appendString(b, "t")
		b = be.AppendUint32(b, 1)
		b = be.AppendUint32(b, 3)
		b = be.AppendUint16(b, 0)
		b = be.AppendUint64(b, 9)
		b = be.AppendUint64(b, 8)
		b = be.AppendUint64(b, 0)
		b = be.AppendUint32(b, 1)
		b = be.AppendUint64(b, 1)
		b = be.AppendUint64(b, 0)
		b = be.AppendUint32(b, uint32(len(records)))
		return append(b, records...)
	}
	f.Add(answer(nil), false)
	for codec := range int8(5) {
		keys := []string{"a", "b", "c"}
		f.Add(answer(set(f, testBatch{keys: keys, codec: codec}, testBatch{base: 3, keys: keys})), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, fixSum bool) {
		var a fetchAnswer
		if err := a.parse(b, &ask); err != nil {
			return
		}
		if fixSum && len(a.set) > batchHeader {
			a.set = bytes.Clone(a.set)
			be.PutUint32(a.set[17:], crc32.Checksum(a.set[21:], castagnoli))
		}
		d := decoder{decompress: func(codec int8, dst, src []byte, _ int) ([]byte, error) {
			return decompress(codec, dst, src, 1<<20)
		}}
		got, next, err := d.decode(&undecoded{set: a.set, aborted: a.aborted}, ask.offset)
		if err == nil && next < ask.offset {
			t.Errorf("next is %d, before the offset asked for", next)
		}
		for _, rec := range got {
			if rec.Offset < ask.offset {
				t.Errorf("a record at offset %d, asked from %d", rec.Offset, ask.offset)
			}
		}
	})
}
