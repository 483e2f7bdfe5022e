package kafka

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"recoup/pipeline"
)

// A leader that moves is followed, by fetches, appends and bounds alike.
func TestLeaderMoves(t *testing.T) {
	cluster := fake(t, kfake.NumBrokers(3))
	c := connect(t, cluster.ListenAddrs()[0])
	topic := makeTopic(t, c, 1, nil)
	r := c.Log().Open(topic, 0)
	for round := range int64(6) {
		if err := cluster.MoveTopicPartition(topic, 0, int32(round)%3); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		base, err := c.Log().Append(context30(t), topic, 0, []pipeline.Record{{Key: []byte("k")}})
		if err != nil || base != round {
			t.Fatalf("round %d: Append = %d, %v", round, base, err)
		}
		got, err := r.Fetch(context30(t), round)
		if err != nil || len(got.Records) != 1 {
			t.Fatalf("round %d: Fetch = %d records, %v; want 1", round, len(got.Records), err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("round %d: following the leader took %v", round, took)
		}
	}
	if err := cluster.MoveTopicPartition(topic, 0, 1); err != nil {
		t.Fatal(err)
	}
	if _, end, err := c.Log().Bounds(context30(t), topic, 0); err != nil || end != 6 {
		t.Errorf("Bounds = %d, %v; want 6", end, err)
	}
}

// A partition whose leader does not come back within the patience is a broken
// world, not an endless wait.
func TestNoLeader(t *testing.T) {
	cluster := fake(t)
	c := connect(t, cluster.ListenAddrs()[0])
	topic := makeTopic(t, c, 1, nil)
	var asked atomic.Int64
	cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		asked.Add(1)
		ask := req.(*kmsg.ProduceRequest)
		answer := ask.ResponseKind().(*kmsg.ProduceResponse)
		part := kmsg.NewProduceResponseTopicPartition()
		part.ErrorCode = kerr.NotLeaderForPartition.Code
		answer.Topics = []kmsg.ProduceResponseTopic{{Topic: topic,
			Partitions: []kmsg.ProduceResponseTopicPartition{part}}}
		return answer, nil, true
	})
	c.patience = time.Second
	began := time.Now()
	_, err := c.Log().Append(context30(t), topic, 0, []pipeline.Record{{Key: []byte("k")}})
	took := time.Since(began)
	if err == nil || errors.Is(err, pipeline.ErrNoTopic) || took < c.patience || took > 5*time.Second {
		t.Errorf("Append without a leader: %v after %v; want a broken world after about %v", err, took, c.patience)
	}
	if asked.Load() < 3 {
		t.Errorf("Append asked %d times, want several", asked.Load())
	}
}

// An append whose answer is lost is not sent again: only the caller knows
// whether a second copy does harm.
func TestAppendIsSentOnce(t *testing.T) {
	cluster := fake(t)
	c := connect(t, cluster.ListenAddrs()[0])
	topic := makeTopic(t, c, 1, nil)
	var asked atomic.Int64
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		asked.Add(1)
		return nil, errors.New("connection lost"), true
	})
	if _, err := c.Log().Append(context30(t), topic, 0, []pipeline.Record{{Key: []byte("k")}}); err == nil {
		t.Error("Append without an answer succeeded")
	}
	if asked.Load() != 1 {
		t.Errorf("Append was sent %d times, want once", asked.Load())
	}
	if base, err := c.Log().Append(context30(t), topic, 0, []pipeline.Record{{Key: []byte("k")}}); err != nil {
		t.Errorf("the next Append = %d, %v", base, err)
	}
}

// Where others write between two requests of one append, it tells where its last record stands.
func TestOthersWriteBetweenRequests(t *testing.T) {
	cluster := fake(t)
	c, other := connect(t, cluster.ListenAddrs()[0]), connect(t, cluster.ListenAddrs()[0])
	topic := makeTopic(t, c, 1, map[string]string{"max.message.bytes": "5000"})
	var records []pipeline.Record
	for i := range 8 {
		value := make([]byte, 1000)
		for j := range value {
			value[j] = byte((i*1_000_003 + j*j*7919) >> 5)
		}
		records = append(records, pipeline.Record{Key: []byte("mine"), Value: value})
	}
	var asked atomic.Int64
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if asked.Add(1) == 3 { // the first was refused for its size, the second wrote a part
			cluster.SleepControl(func() {
				if _, err := other.Log().Append(context30(t), topic, 0, []pipeline.Record{{Key: []byte("other")}}); err != nil {
					t.Error(err)
				}
			})
		}
		return nil, nil, false
	})
	base, err := c.Log().Append(context30(t), topic, 0, records)
	keys := fetchKeys(t, c, topic, 0, 9)
	if at := slices.Index(keys, "other"); err != nil || at < 1 || at > 7 {
		t.Fatalf("Append: %v; the other's record stands at %d, want it between", err, at)
	}
	if base != 1 {
		t.Errorf("Append = %d, want 1: its 8 records end at 9", base)
	}
}

// A cluster that goes away is a broken world for every call, soon.
func TestBrokerGone(t *testing.T) {
	cluster := fake(t)
	c := connect(t, cluster.ListenAddrs()[0])
	topic := makeTopic(t, c, 1, nil)
	r := c.Log().Open(topic, 0)
	if _, err := r.Fetch(context30(t), 0); err != nil {
		t.Fatal(err)
	}
	cluster.Close()
	for name, call := range map[string]func() error{
		"Fetch": func() error { _, err := r.Fetch(context30(t), 0); return err },
		"Append": func() error {
			_, err := c.Log().Append(context30(t), topic, 0, []pipeline.Record{{Key: []byte("k")}})
			return err
		},
		"Bounds":     func() error { _, _, err := c.Log().Bounds(context30(t), topic, 0); return err },
		"Partitions": func() error { _, err := c.Log().Partitions(context30(t), topic); return err },
		"Ping":       func() error { _, err := c.Ping(context30(t)); return err },
		"Next": func() error {
			_, err := c.Group(GroupSettings{ID: "g", Topic: topic}).Next(context30(t))
			return err
		},
	} {
		began := time.Now()
		err := call()
		if err == nil || errors.Is(err, pipeline.ErrNoTopic) || errors.Is(err, pipeline.ErrOutOfRange) {
			t.Errorf("%s without a broker: %v, want a broken world", name, err)
		}
		if took := time.Since(began); took > 12*time.Second {
			t.Errorf("%s took %v to fail", name, took)
		}
		if strings.Count(err.Error(), "cannot reach Kafka") > 1 {
			t.Errorf("%s explains itself twice: %v", name, err)
		}
	}
}

// A broker that is only starting answers group calls with errors 15, 16 and 14:
// Next waits.
func TestCoordinatorStarts(t *testing.T) {
	cluster := fake(t)
	c := connect(t, cluster.ListenAddrs()[0])
	topic := makeTopic(t, c, 1, nil)
	codes := []int16{kerr.CoordinatorNotAvailable.Code, kerr.NotCoordinator.Code, kerr.CoordinatorLoadInProgress.Code}
	var asked atomic.Int64
	cluster.ControlKey(int16(kmsg.JoinGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		n := int(asked.Add(1)) - 1
		if n >= len(codes) {
			return nil, nil, false
		}
		answer := req.ResponseKind().(*kmsg.JoinGroupResponse)
		answer.ErrorCode = codes[n]
		return answer, nil, true
	})
	member := c.Group(GroupSettings{ID: "g", Topic: topic})
	defer member.Close()
	began := time.Now()
	gen, err := member.Next(context30(t))
	if err != nil || len(gen.Assigned()) != 1 {
		t.Fatalf("Next = %v, %v; want the partition", gen, err)
	}
	if took := time.Since(began); took > 5*time.Second || int(asked.Load()) <= len(codes) {
		t.Errorf("Next took %v over %d attempts, want more than %d with 250 ms between", took, asked.Load(), len(codes))
	}
	gen.Leave()
}

// Close does not wait for a rebalance that other members hold up.
func TestCloseDuringRebalance(t *testing.T) {
	cluster := fake(t)
	c := connect(t, cluster.ListenAddrs()[0])
	topic := makeTopic(t, c, 2, nil)
	a, b := c.Group(GroupSettings{ID: "g", Topic: topic}), c.Group(GroupSettings{ID: "g", Topic: topic})
	gen, err := a.Next(context30(t))
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	go func() { _, err := b.Next(context30(t)); waiting <- err }()
	<-gen.Done() // b joins, and a does not leave
	began := time.Now()
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("Close took %v", took)
	}
	if err := <-waiting; err == nil {
		t.Error("Next returned a generation after Close")
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// A fetch that was given up goes on in kafka-go for a moment: what it still
// reads must not land in the records of the next one. The race detector sees it.
func TestGivenUpFetch(t *testing.T) {
	c := connect(t, fake(t).ListenAddrs()[0])
	topic := makeTopic(t, c, 1, nil)
	r := c.Log().Open(topic, 0)
	for round := range int64(20) {
		ctx, cancel := context.WithTimeout(context30(t), 20*time.Millisecond)
		if _, err := r.Fetch(ctx, round); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("an idle Fetch of 20 ms: %v, want DeadlineExceeded", err)
		}
		cancel()
		value := bytes.Repeat([]byte{byte(round)}, 1000)
		if _, err := c.Log().Append(context30(t), topic, 0, []pipeline.Record{{Value: value}}); err != nil {
			t.Fatal(err)
		}
		got, err := r.Fetch(context30(t), round)
		if err != nil || len(got.Records) != 1 || !bytes.Equal(got.Records[0].Value, value) {
			t.Fatalf("round %d: %d records, %v; want the one that was written", round, len(got.Records), err)
		}
	}
}

// What another client does to the topics is seen at once, not seconds later.
func TestSeesOtherClients(t *testing.T) {
	addr := fake(t).ListenAddrs()[0]
	c, other := connect(t, addr), connect(t, addr)
	for range 3 {
		topic := makeTopic(t, other, 2, nil)
		began := time.Now()
		if n, err := c.Log().Partitions(context30(t), topic); err != nil || n != 2 {
			t.Errorf("Partitions of a new topic = %d, %v; want 2", n, err)
		}
		grown, err := other.api.CreatePartitions(context30(t), &kafkago.CreatePartitionsRequest{
			Topics: []kafkago.TopicPartitionsConfig{{Name: topic, Count: 3}}})
		if err != nil || grown.Errors[topic] != nil {
			t.Fatal(err, grown)
		}
		if n, err := c.Log().Partitions(context30(t), topic); err != nil || n != 3 {
			t.Errorf("Partitions of a grown topic = %d, %v; want 3", n, err)
		}
		topic = makeTopic(t, other, 1, nil)
		if _, err := c.Log().Append(context30(t), topic, 0, []pipeline.Record{{Key: []byte("k")}}); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("seeing it took %v", took)
		}
	}
}
