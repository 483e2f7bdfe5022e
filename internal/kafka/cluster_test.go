package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"recoup/pipeline"
)

// testCluster runs everything that must hold on any broker.
func testCluster(t *testing.T, addr string) {
	t.Run("Log", func(t *testing.T) { testLog(t, addr) })
	for name, test := range map[string]func(*testing.T, *Client, string){
		"Codecs":          testCodecs,
		"Transactions":    testTransactions,
		"OpenTransaction": testOpenTransaction,
		"Eviction":        testEviction,
		"SayLeaving":      testSayLeaving,
		"LeaveForGood":    testLeaveForGood,
		"SmallBatches":    testSmallBatches,
		"Readers":         testReaders,
		"Portions":        testPortions,
		"Topics":          testTopics,
		"Lag":             testLag,
		"Ping":            testPing,
	} {
		t.Run(name, func(t *testing.T) { test(t, connect(t, addr), addr) })
	}
}

func TestOnFake(t *testing.T) { testCluster(t, fake(t).ListenAddrs()[0]) }

func context30(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// fetchKeys reads a partition from offset to end and returns the keys.
func fetchKeys(t *testing.T, c *Client, topic string, offset, end int64) []string {
	t.Helper()
	r := c.Log().Open(topic, 0)
	defer r.Close()
	ctx, keys := context30(t), []string{}
	for offset < end {
		got, err := r.Fetch(ctx, offset)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range got.Records {
			keys = append(keys, string(rec.Key))
		}
		offset = got.Next
	}
	return keys
}

// Whatever a producer compresses with, billing systems choose, comes back.
func testCodecs(t *testing.T, c *Client, _ string) {
	topic := makeTopic(t, c, 1, nil)
	codecs := []kafkago.Compression{0, kafkago.Gzip, kafkago.Snappy, kafkago.Lz4, kafkago.Zstd}
	value := bytes.Repeat([]byte(`{"invoice_id":"INV-1","net_amount":"10.00"}`), 2000)
	for _, codec := range codecs {
		records := []kafkago.Record{
			{Key: kafkago.NewBytes([]byte(codec.String())), Value: kafkago.NewBytes(value)},
			{Key: kafkago.NewBytes([]byte(codec.String() + " tombstone"))},
		}
		got, err := c.api.Produce(context30(t), &kafkago.ProduceRequest{Topic: topic, RequiredAcks: kafkago.RequireAll,
			Compression: codec, Records: kafkago.NewRecordReader(records...)})
		if err != nil || got.Error != nil {
			t.Fatal(err, got)
		}
	}
	r := c.Log().Open(topic, 0)
	offset := int64(0)
	for offset < int64(2*len(codecs)) {
		got, err := r.Fetch(context30(t), offset)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range got.Records {
			want := codecs[rec.Offset/2].String()
			if tombstone := rec.Offset%2 == 1; tombstone {
				if string(rec.Key) != want+" tombstone" || rec.Value != nil {
					t.Errorf("offset %d: key %q, %d bytes; want a tombstone of %s", rec.Offset, rec.Key, len(rec.Value), want)
				}
			} else if string(rec.Key) != want || !bytes.Equal(rec.Value, value) {
				t.Errorf("offset %d: key %q, %d bytes; want %s, %d bytes", rec.Offset, rec.Key, len(rec.Value), want,
					len(value))
			}
		}
		offset = got.Next
	}
}

// transactional returns a producer of transactions.
func transactional(t *testing.T, addr, id string) *kgo.Client {
	t.Helper()
	p, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// write sends records of one transaction, which stays open.
func write(t *testing.T, p *kgo.Client, topic, key string, n int) {
	t.Helper()
	for i := range n {
		rec := &kgo.Record{Topic: topic, Key: fmt.Append(nil, key, i), Value: []byte("v")}
		if err := p.ProduceSync(context30(t), rec).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func begin(t *testing.T, p *kgo.Client) {
	t.Helper()
	if err := p.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
}

func end(t *testing.T, p *kgo.Client, commit kgo.TransactionEndTry) {
	t.Helper()
	if err := p.EndTransaction(context30(t), commit); err != nil {
		t.Fatal(err)
	}
}

// Records of aborted transactions and control records are never seen, also when
// transactions of several producers interleave and a fetch begins inside one
// (G1, G6: such invoices are neither scored nor parked).
func testTransactions(t *testing.T, c *Client, addr string) {
	topic := makeTopic(t, c, 1, nil)
	a, b := transactional(t, addr, topic+"-a"), transactional(t, addr, topic+"-b")
	plain := func(key string) {
		if _, err := c.Log().Append(context30(t), topic, 0, []pipeline.Record{{Key: []byte(key)}}); err != nil {
			t.Fatal(err)
		}
	}
	plain("p0") // 0
	begin(t, a)
	write(t, a, topic, "aborted-a", 3) // 1-3
	begin(t, b)
	write(t, b, topic, "b", 2) // 4-5
	plain("p1")                // 6
	end(t, a, kgo.TryAbort)    // 7
	begin(t, a)
	write(t, a, topic, "a", 2) // 8-9
	end(t, b, kgo.TryCommit)   // 10
	begin(t, b)
	write(t, b, topic, "aborted-b", 1) // 11
	end(t, a, kgo.TryCommit)           // 12
	end(t, b, kgo.TryAbort)            // 13
	plain("p2")                        // 14
	order := []string{"p0", "b0", "b1", "p1", "a0", "a1", "p2"}
	// A marker is written after EndTransaction has returned: the numbers above are
	// the usual ones, where the records really stand is asked.
	want := offsetsOf(t, c, topic, 15)
	for from := range int64(15) {
		expected := []string{}
		for _, key := range order {
			if want[key] >= from {
				expected = append(expected, key)
			}
		}
		if got := fetchKeys(t, c, topic, from, 15); !slices.Equal(got, expected) {
			t.Errorf("from offset %d: got %v, want %v", from, got, expected)
		}
	}
}

// offsetsOf returns where the readable records stand, by key.
func offsetsOf(t *testing.T, c *Client, topic string, end int64) map[string]int64 {
	t.Helper()
	r := c.Log().Open(topic, 0)
	defer r.Close()
	found := map[string]int64{}
	for at := int64(0); at < end; {
		got, err := r.Fetch(context30(t), at)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range got.Records {
			found[string(rec.Key)] = rec.Offset
		}
		at = got.Next
	}
	return found
}

// While a transaction is open its records and what follows are not readable, and
// that is no error; once it ends they are.
func testOpenTransaction(t *testing.T, c *Client, addr string) {
	topic := makeTopic(t, c, 1, nil)
	p := transactional(t, addr, topic)
	if _, err := c.Log().Append(context30(t), topic, 0, []pipeline.Record{{Key: []byte("before")}}); err != nil {
		t.Fatal(err)
	}
	begin(t, p)
	write(t, p, topic, "open", 2)
	if _, err := c.Log().Append(context30(t), topic, 0, []pipeline.Record{{Key: []byte("after")}}); err != nil {
		t.Fatal(err)
	}
	_, stable, err := c.Log().Bounds(context30(t), topic, 0)
	if err != nil || stable != 1 {
		t.Errorf("Bounds say the end is %d, %v; want 1", stable, err)
	}
	r := c.Log().Open(topic, 0)
	got, err := r.Fetch(context30(t), 0)
	if err != nil || len(got.Records) != 1 || got.Next != 1 || got.End != 1 {
		t.Errorf("Fetch(0) = %d records, next %d, end %d, %v; want 1, 1, 1", len(got.Records), got.Next, got.End, err)
	}
	if got, err = r.Fetch(context30(t), 1); err != nil || len(got.Records) != 0 || got.Next != 1 {
		t.Errorf("Fetch(1) = %d records, next %d, %v; want none yet", len(got.Records), got.Next, err)
	}
	end(t, p, kgo.TryCommit)
	if got := fetchKeys(t, c, topic, 0, 4); !slices.Equal(got, []string{"before", "open0", "open1", "after"}) {
		t.Errorf("after the commit: %v", got)
	}
}

// A member that was evicted is refused, and sees that its generation is over (G3, G9).
func testEviction(t *testing.T, c *Client, _ string) {
	topic := makeTopic(t, c, 1, nil)
	member := c.Group(GroupSettings{ID: topic, Topic: topic, HeartbeatInterval: 5 * time.Second})
	defer member.Close()
	gen, err := member.Next(context30(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := gen.Commit(context30(t), map[int]int64{0: 1}); err != nil {
		t.Fatal(err)
	}
	id := gen.(*generation).gen.MemberID
	gone, err := c.api.LeaveGroup(context30(t), &kafkago.LeaveGroupRequest{GroupID: topic,
		Members: []kafkago.LeaveGroupRequestMember{{ID: id}}})
	if err != nil || gone.Error != nil {
		t.Fatal(err, gone)
	}
	if err := gen.Commit(context30(t), map[int]int64{0: 2}); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("Commit of an evicted member: %v, want ErrFenced", err)
	}
	select {
	case <-gen.Done():
	case <-time.After(time.Second):
		t.Error("the generation is not over after a refused commit")
	}
	gen.Leave()
	gen, err = member.Next(context30(t))
	if err != nil || !maps.Equal(gen.Assigned(), map[int]int64{0: 1}) {
		t.Fatalf("after the eviction: %v, %v; want offset 1", gen, err)
	}
	gen.Leave()
}

// A topic that takes only small batches still takes many small records.
func testSmallBatches(t *testing.T, c *Client, _ string) {
	topic := makeTopic(t, c, 1, map[string]string{"max.message.bytes": "5000"})
	var records []pipeline.Record
	var want []string
	for i := range 100 {
		value := make([]byte, 1000)
		for j := range value {
			value[j] = byte((i*1_000_003 + j*j*7919) >> 5)
		}
		records = append(records, pipeline.Record{Key: fmt.Append(nil, i), Value: value})
		want = append(want, fmt.Sprint(i))
	}
	if base, err := c.Log().Append(context30(t), topic, 0, records); err != nil || base != 0 {
		t.Fatalf("Append = %d, %v; want 0", base, err)
	}
	if got := fetchKeys(t, c, topic, 0, 100); !slices.Equal(got, want) {
		t.Errorf("got keys %v, want 0 to 99", got)
	}
}

// What one reader handed out stays as it is until its next fetch, whatever others read; one
// that waits for records keeps none of the memory that it read with.
func testReaders(t *testing.T, c *Client, _ string) {
	const n = 2000
	topic, ctx := makeTopic(t, c, 2, nil), context30(t)
	var readers [2]*reader
	var got [2][]pipeline.Record
	for round := range 2 {
		for partition := range readers {
			records := make([]pipeline.Record, n)
			for i := range records {
				records[i].Value = fmt.Appendf(nil, "%d %d %d", round, partition, i)
			}
			if _, err := c.Log().Append(ctx, topic, partition, records); err != nil {
				t.Fatal(err)
			}
			if readers[partition] == nil {
				readers[partition] = c.Log().Open(topic, partition).(*reader)
				defer readers[partition].Close()
			}
			fetched, err := readers[partition].Fetch(ctx, int64(round*n))
			if err != nil || len(fetched.Records) == 0 {
				t.Fatalf("%d records, %v", len(fetched.Records), err)
			}
			got[partition] = fetched.Records
		}
		for partition, records := range got {
			for i, r := range records {
				if want := fmt.Sprintf("%d %d %d", round, partition, i); string(r.Value) != want {
					t.Fatalf("record %q, want %q", r.Value, want)
				}
			}
		}
	}
	if _, err := readers[0].Fetch(ctx, 2*n); err != nil {
		t.Fatal(err)
	}
	if readers[0].dec != nil || readers[1].dec == nil {
		t.Errorf("a reader without records has a decoder: %v; one with records has: %v", readers[0].dec != nil,
			readers[1].dec != nil)
	}
}

// A long answer is handed out in portions, and who has read to the end that it is told has all that
// was there when it asked.
func testPortions(t *testing.T, c *Client, _ string) {
	topic, ctx := makeTopic(t, c, 1, nil), context30(t)
	add := func(n int) {
		t.Helper()
		records := make([]pipeline.Record, n)
		for i := range records {
			records[i].Value = bytes.Repeat([]byte("all alike "), 1000)
		}
		if _, err := c.Log().Append(ctx, topic, 0, records); err != nil {
			t.Fatal(err)
		}
	}
	const first, second, most = 800, 30, 3 << 20
	add(first)
	reader := c.Log().Open(topic, 0)
	defer reader.Close()
	next, fetches := int64(0), 0
	for caughtUp := false; !caughtUp; fetches++ {
		if fetches == 1 {
			add(second)
		}
		f, err := reader.Fetch(ctx, next)
		if err != nil {
			t.Fatal(err)
		}
		held := 0
		for i, r := range f.Records {
			if held += len(r.Value); r.Offset != next+int64(i) {
				t.Fatalf("record %d of fetch %d has offset %d, want %d", i, fetches, r.Offset, next+int64(i))
			}
		}
		if held > most {
			t.Errorf("fetch %d: %d bytes at once, want at most %d", fetches, held, most)
		}
		next, caughtUp = f.Next, f.Next >= f.End
	}
	if next != first+second || fetches < 3 {
		t.Errorf("caught up at %d after %d fetches, want %d after several", next, fetches, first+second)
	}
}

func testTopics(t *testing.T, c *Client, _ string) {
	have := makeTopic(t, c, 2, map[string]string{"cleanup.policy": "compact"})
	specs := []TopicSpec{
		{Name: have, Partitions: 3, Replication: 1, Config: map[string]string{"cleanup.policy": "delete"}},
		{Name: have, Partitions: 2, Config: map[string]string{"cleanup.policy": "compact"}},
		{Name: have + "-new", Partitions: 4, Config: map[string]string{"retention.ms": "3600000"}},
		{Name: have + "-default"},
	}
	check := func(dryRun bool) {
		t.Helper()
		reports, err := c.EnsureTopics(context30(t), specs, dryRun)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"has 2 partitions, expected 3", "has cleanup.policy=compact, expected delete"}
		if !slices.Equal(reports[0].Differences, want) || reports[0].Created {
			t.Errorf("report of a different topic: %+v, want %q", reports[0], want)
		}
		if len(reports[1].Differences) != 0 || reports[1].Created || !reports[2].Created || !reports[3].Created {
			t.Errorf("reports %+v, want the second as it should be, the others created", reports[1:])
		}
	}
	check(true)
	names := []string{have, have + "-new", have + "-default"}
	there, err := c.Describe(context30(t), names...)
	if err != nil || !there[0].Exists || there[1].Exists || there[2].Exists {
		t.Fatalf("after a dry run: %+v, %v; want only the first", there, err)
	}
	check(false)
	there, err = c.Describe(context30(t), names...)
	if err != nil {
		t.Fatal(err)
	}
	if there[0].Partitions != 2 || there[1].Partitions != 4 || there[1].Config["retention.ms"] != "3600000" ||
		there[2].Partitions < 1 || there[1].Replication != 1 {
		t.Errorf("topics are %+v", there)
	}
	reports, err := c.EnsureTopics(context30(t), specs[1:], false)
	if err != nil || slices.ContainsFunc(reports, func(r TopicReport) bool { return r.Created || r.Differences != nil }) {
		t.Errorf("a second time: %+v, %v; want nothing to do", reports, err)
	}
	if _, err := c.EnsureTopics(context30(t), []TopicSpec{{Name: have + "-99", Replication: 99}}, false); err == nil {
		t.Error("EnsureTopics made 99 replicas on one broker")
	}
}

func testLag(t *testing.T, c *Client, _ string) {
	topic := makeTopic(t, c, 2, nil)
	for range 3 {
		if _, err := c.Log().Append(context30(t), topic, 1, []pipeline.Record{{Value: []byte("x")}}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(wantCommitted, wantLag map[int]int64) {
		t.Helper()
		committed, err := c.CommittedOffsets(context30(t), topic, topic)
		if err != nil || !maps.Equal(committed, wantCommitted) {
			t.Errorf("CommittedOffsets = %v, %v; want %v", committed, err, wantCommitted)
		}
		if lag, err := c.Lag(context30(t), topic, topic); err != nil || !maps.Equal(lag, wantLag) {
			t.Errorf("Lag = %v, %v; want %v", lag, err, wantLag)
		}
	}
	check(map[int]int64{0: -1, 1: -1}, map[int]int64{0: 0, 1: 3})
	member := c.Group(GroupSettings{ID: topic, Topic: topic})
	defer member.Close()
	gen, err := member.Next(context30(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := gen.Commit(context30(t), map[int]int64{1: 2}); err != nil {
		t.Fatal(err)
	}
	check(map[int]int64{0: -1, 1: 2}, map[int]int64{0: 0, 1: 1})
	gen.Leave()
	if _, err := c.Lag(context30(t), topic, topic+"-missing"); !errors.Is(err, pipeline.ErrNoTopic) {
		t.Errorf("Lag on a missing topic: %v, want ErrNoTopic", err)
	}
}

func testPing(t *testing.T, c *Client, addr string) {
	got, err := c.Ping(context30(t))
	if err != nil || !slices.Contains(got.Brokers, addr) || got.Version < "3" || got.ID == "" {
		t.Errorf("Ping = %+v, %v; want broker %s", got, err, addr)
	}
}
