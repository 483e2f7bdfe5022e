package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"
	"github.com/segmentio/kafka-go/protocol"

	"recoup/pipeline"
)

const (
	fetchBytes = 1 << 20
	fetchWait  = 250 * time.Millisecond
	// appendBytes is how many bytes of keys and values one produce request takes:
	// the broker's default limit of a batch is 1 MiB and a little.
	appendBytes = 900 << 10
	leaderPause = 100 * time.Millisecond
)

// clusterLog is the pipeline.Log of a cluster.
type clusterLog struct{ c *Client }

var _ pipeline.Log = clusterLog{}

// Log returns the cluster's topics as logs. An Append whose records have more
// than 900 KiB together is sent as several requests in order; only then can an
// error leave a prefix of them in the log.
func (c *Client) Log() pipeline.Log { return clusterLog{c} }

// Partitions asks the cluster how many partitions a topic has.
func (l clusterLog) Partitions(ctx context.Context, topic string) (int, error) {
	n := 0
	err := l.c.settled(ctx, topic, 0, func(ctx context.Context) error {
		if err := l.c.refresh(ctx); err != nil {
			return err
		}
		got, err := l.c.metadata(ctx, topic)
		if err != nil {
			return err
		}
		n = len(got.Topics[0].Partitions)
		return got.Topics[0].Error
	})
	if err != nil {
		return 0, fmt.Errorf("cannot count the partitions of topic %q: %w", topic, err)
	}
	return n, nil
}

// Bounds asks the leader for the first offset and the last stable offset.
func (l clusterLog) Bounds(ctx context.Context, topic string, partition int) (start, end int64, err error) {
	err = l.c.settled(ctx, topic, partition, func(ctx context.Context) error {
		got, err := l.c.api.ListOffsets(ctx, &kafkago.ListOffsetsRequest{
			IsolationLevel: kafkago.ReadCommitted,
			Topics: map[string][]kafkago.OffsetRequest{
				topic: {kafkago.FirstOffsetOf(partition), kafkago.LastOffsetOf(partition)},
			},
		})
		if err != nil {
			return err
		}
		at := got.Topics[topic][0]
		start, end = at.FirstOffset, at.LastOffset
		return at.Error
	})
	if err != nil {
		return 0, 0, fmt.Errorf("cannot find the bounds of %s/%d: %w", topic, partition, err)
	}
	return start, end, nil
}

// Append sends the records in as few requests as the limits allow.
func (l clusterLog) Append(ctx context.Context, topic string, partition int,
	records []pipeline.Record) (int64, error) {
	if len(records) == 0 {
		_, end, err := l.Bounds(ctx, topic, partition)
		return end, err
	}
	limit, sent, end := appendBytes, int64(0), int64(0)
	for len(records) > 0 {
		n, size := fit(records, limit)
		base, err := l.produce(ctx, topic, partition, records[:n])
		if errors.Is(err, pipeline.ErrTooLarge) && n > 1 {
			limit = size / 2 // the topic takes smaller batches; each record may still fit
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("cannot append %d records to %s/%d: %w", len(records), topic, partition, err)
		}
		sent, end = sent+int64(n), base+int64(n)
		records = records[n:]
	}
	return end - sent, nil // behind the first, if others wrote between two requests
}

// fit returns how many of the first records go into one request, at least one,
// and their size.
func fit(records []pipeline.Record, limit int) (n, size int) {
	for ; n < len(records); n++ {
		r := &records[n]
		more := len(r.Key) + len(r.Value) + len(r.Stamp) + 40 // 40: a record's own fields, and a header's
		if n > 0 && size+more > limit {
			break
		}
		size += more
	}
	return n, size
}

func (l clusterLog) produce(ctx context.Context, topic string, partition int,
	records []pipeline.Record) (base int64, err error) {
	err = l.c.settled(ctx, topic, partition, func(ctx context.Context) error {
		out := make([]kafkago.Record, len(records))
		for i, r := range records {
			out[i] = kafkago.Record{Time: r.Time, Key: kafkago.NewBytes(r.Key), Value: kafkago.NewBytes(r.Value)}
			if r.Stamp != nil {
				out[i].Headers = []kafkago.Header{{Key: stampHeader, Value: r.Stamp}}
			}
		}
		got, err := l.c.api.Produce(ctx, &kafkago.ProduceRequest{
			Topic:        topic,
			Partition:    partition,
			RequiredAcks: kafkago.RequireAll,
			Compression:  kafkago.Lz4,
			Records:      kafkago.NewRecordReader(out...),
		})
		if err != nil {
			return err
		}
		base = got.BaseOffset
		return got.Error
	})
	return base, err
}

// settled calls try until the partition has a leader that answers, for a bounded
// time. It tries again only after answers that say that nothing was done, but for one: a
// leader that loses the partition while it waits for the other replicas answers a produce
// with NotLeaderForPartition, too, and its successor may have the records. So an append may
// stand twice where leaders change; nearly always that answer comes from who has not led for
// long, and who appends has to bear repeats anyway (pipeline.Log).
func (c *Client) settled(ctx context.Context, topic string, partition int, try func(context.Context) error) error {
	began := time.Now()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		once, cancel := context.WithTimeout(ctx, c.settings.RequestTimeout)
		err := try(once)
		if err == nil || !unsettled(err) {
			cancel()
			return c.explain(ctx, err)
		}
		known, lookErr := c.known(once, topic, partition)
		cancel()
		switch {
		case lookErr != nil:
			return c.explain(ctx, lookErr)
		case !known:
			return fmt.Errorf("%w: %s/%d", pipeline.ErrNoTopic, topic, partition)
		case time.Since(began) > c.patience:
			return c.explain(ctx, err)
		}
		c.log.Debug("kafka: waiting for a leader", "topic", topic, "partition", partition, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(leaderPause):
		}
	}
}

// known asks the cluster whether a partition exists.
func (c *Client) known(ctx context.Context, topic string, partition int) (bool, error) {
	if err := c.refresh(ctx); err != nil {
		return false, err
	}
	got, err := c.metadata(ctx, topic)
	if err != nil {
		return false, err
	}
	t := got.Topics[0]
	if errors.Is(t.Error, kafkago.UnknownTopicOrPartition) || errors.Is(t.Error, kafkago.InvalidTopic) {
		return false, nil
	}
	return t.Error != nil || slices.ContainsFunc(t.Partitions, func(p kafkago.Partition) bool {
		return p.ID == partition
	}), nil
}

// unsettled reports whether err says that a request reached no leader, so that
// it had no effect, see settled, and may succeed elsewhere or later.
func unsettled(err error) bool {
	for _, e := range []error{
		protocol.ErrNoTopic, protocol.ErrNoPartition, protocol.ErrNoLeader,
		kafkago.UnknownTopicOrPartition, kafkago.LeaderNotAvailable, kafkago.NotLeaderForPartition,
		kafkago.BrokerNotAvailable, kafkago.ReplicaNotAvailable, kafkago.NotEnoughReplicas,
		kafkago.FencedLeaderEpoch, kafkago.UnknownLeaderEpoch, kafkago.OffsetNotAvailable,
		kafkago.InvalidTopic, kafkago.NotController,
		kafkago.GroupLoadInProgress, kafkago.GroupCoordinatorNotAvailable, kafkago.NotCoordinatorForGroup,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// explain gives an error of a call its meaning for pipeline.
func (c *Client) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	err = bare(err)
	var code kafkago.Error
	var known *lost
	switch ended := ended(ctx); {
	case ended != nil:
		return ended
	case errors.As(err, &known):
		return known
	case errors.Is(err, kafkago.OffsetOutOfRange):
		return pipeline.ErrOutOfRange
	case errors.Is(err, kafkago.MessageSizeTooLarge), errors.Is(err, kafkago.RecordListTooLarge):
		return fmt.Errorf("%w: raise max.message.bytes of the topic", pipeline.ErrTooLarge)
	case errors.Is(err, kafkago.TopicAuthorizationFailed), errors.Is(err, kafkago.GroupAuthorizationFailed),
		errors.Is(err, kafkago.ClusterAuthorizationFailed):
		return fmt.Errorf("%w; fix: give user %q the right to do that (kafka-acls)", err, c.settings.SASL.Username)
	case errors.As(err, &code):
		return err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return c.unreachable(ctx, fmt.Errorf("no answer within %v", c.settings.RequestTimeout))
	default:
		return c.unreachable(ctx, err)
	}
}

// reader is the pipeline.Reader of one partition.
type reader struct {
	c     *Client
	ask   fetchAsk
	reply *fetchCall // the last one, whose buffer the next reuses
	rest  undecoded  // of that answer: what comes behind the records handed out last
	at    int64      // offset of the first record of rest
	dec   *decoder   // of the records handed out last, nil where there are none
	stuck bool       // the last fetch failed, or brought nothing though there is more
}

// Open returns a reader of one partition. It uses the client's connections.
func (l clusterLog) Open(topic string, partition int) pipeline.Reader {
	return &reader{
		c:     l.c,
		ask:   fetchAsk{topic: topic, partition: int32(partition), maxWaitMS: int32(fetchWait.Milliseconds())},
		reply: &fetchCall{},
	}
}

// decoders are those that no reader needs now. Most readers wait for records most of the
// time: a process has some fifty, and what each would keep comes to hundreds of megabytes.
var decoders = sync.Pool{New: func() any { return &decoder{decompress: decompress} }}

// decode is the decoder's, of what is left, with one that is the reader's until release.
func (r *reader) decode(offset int64) ([]pipeline.Record, int64, error) {
	if len(r.rest.set) == 0 {
		return nil, offset, nil
	}
	if r.dec == nil {
		r.dec = decoders.Get().(*decoder)
	}
	records, next, err := r.dec.decode(&r.rest, offset)
	r.at = next
	return records, next, err
}

// release gives the decoder back, and with it the records that were handed out last.
func (r *reader) release() {
	if r.dec != nil {
		clear(r.dec.records) // which lie in this reader's answer
		decoders.Put(r.dec)
		r.dec = nil
	}
}

// Close drops the reader's buffers. Where its last fetch came no further it drops the
// client's idle connections too, and what the client knows of the cluster: who reads on
// asks anew, over new connections.
func (r *reader) Close() error {
	if r.stuck {
		r.c.renew()
	}
	r.reply, r.rest, r.dec = &fetchCall{}, undecoded{}, nil // somebody may still look at the records
	return nil
}

// Fetch asks the partition's leader, with more room if a record needs it.
func (r *reader) Fetch(ctx context.Context, offset int64) (pipeline.Fetched, error) {
	if f, ok := r.more(offset); ok {
		return f, nil
	}
	r.release()
	r.ask.offset, r.ask.maxBytes, r.stuck = offset, fetchBytes, true
	for {
		if err := r.fetch(ctx); err != nil {
			return pipeline.Fetched{}, fmt.Errorf("cannot fetch %s/%d from offset %d: %w",
				r.ask.topic, r.ask.partition, offset, err)
		}
		a := &r.reply.answer
		r.rest = undecoded{set: a.set, aborted: a.aborted}
		records, next, err := r.decode(offset)
		if err != nil {
			return pipeline.Fetched{}, fmt.Errorf("cannot fetch %s/%d: %w", r.ask.topic, r.ask.partition, err)
		}
		if len(a.set) > 0 && next == offset && r.ask.maxBytes < maxAnswer/2 {
			r.ask.maxBytes *= 2 // not even one batch came whole
			continue
		}
		r.stuck = next == offset && next < a.end
		return pipeline.Fetched{Records: records, Next: next, End: a.end, Start: a.start}, nil
	}
}

// more hands out what comes next of the last answer. Of its end the leader is asked anew: what the
// answer says of that may be out of date by now.
func (r *reader) more(offset int64) (f pipeline.Fetched, ok bool) {
	if a := &r.reply.answer; offset == r.at && len(r.rest.set) > 0 {
		records, next, err := r.decode(offset)
		if err == nil && next > offset && next < a.end {
			return pipeline.Fetched{Records: records, Next: next, End: a.end, Start: a.start}, true
		}
	}
	return f, false
}

func (r *reader) fetch(ctx context.Context) error {
	r.rest = undecoded{} // its bytes are written over
	return r.c.settled(ctx, r.ask.topic, int(r.ask.partition), func(ctx context.Context) error {
		call := &fetchCall{ask: r.ask, clientID: r.c.settings.ClientID}
		if cap(r.reply.buf) <= maxKeptBuffer {
			call.buf = r.reply.buf
		}
		// kafka-go may go on with a call that ended early: its buffer is lost with it.
		r.reply.buf = nil
		if _, err := r.c.transport.RoundTrip(ctx, r.c.api.Addr, call); err != nil {
			return err
		}
		r.reply = call
		if code := call.answer.code; code != 0 {
			return kafkago.Error(code)
		}
		return nil
	})
}

// fetchCall is a fetch as a message of kafka-go: it is sent to the leader over
// the transport's connections but writes and reads itself.
type fetchCall struct {
	ask      fetchAsk
	clientID string
	buf      []byte // of the request, then of the answer
	tooOld   bool   // the broker does not know fetchVersion
	answer   fetchAnswer
}

var (
	_ protocol.BrokerMessage = (*fetchCall)(nil)
	_ protocol.RawExchanger  = (*fetchCall)(nil)
)

// ApiKey names the request.
func (f *fetchCall) ApiKey() protocol.ApiKey { return protocol.Fetch }

// Broker returns the partition's leader.
func (f *fetchCall) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	none := protocol.Broker{ID: -1}
	topic, ok := cluster.Topics[f.ask.topic]
	if !ok {
		return none, protocol.NewErrNoTopic(f.ask.topic)
	}
	partition, ok := topic.Partitions[f.ask.partition]
	if !ok {
		return none, protocol.NewErrNoPartition(f.ask.topic, f.ask.partition)
	}
	leader, ok := cluster.Brokers[partition.Leader]
	if !ok {
		return none, protocol.NewErrNoLeader(f.ask.topic, f.ask.partition)
	}
	return leader, nil
}

// Required says that the call always exchanges raw bytes.
func (f *fetchCall) Required(versions map[protocol.ApiKey]int16) bool {
	f.tooOld = versions[protocol.Fetch] < fetchVersion
	return true
}

// RawExchange sends the request and reads its answer.
func (f *fetchCall) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if f.tooOld {
		return nil, errors.New("the broker is too old, expected Kafka 2.1 or newer")
	}
	f.buf = f.ask.encode(f.buf[:0], f.clientID)
	if _, err := rw.Write(f.buf); err != nil {
		return nil, err
	}
	var err error
	if f.buf, err = readAnswer(rw, f.buf); err != nil {
		return nil, err
	}
	return f, f.answer.parse(f.buf, &f.ask)
}

// decompress is the decoder's, by kafka-go's codecs.
func decompress(codec int8, dst, src []byte, limit int) ([]byte, error) {
	c := compress.Compression(codec).Codec()
	if c == nil {
		return nil, fmt.Errorf("compression %d is not known, expected gzip, snappy, lz4 or zstd", codec)
	}
	r := c.NewReader(bytes.NewReader(src))
	defer r.Close()
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, max(4*len(src), 64<<10))
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return nil, fmt.Errorf("cannot decompress it with %s: %w", c.Name(), err)
		}
		if len(dst) > limit {
			return nil, fmt.Errorf("it decompresses to more than %d bytes", limit)
		}
	}
}
