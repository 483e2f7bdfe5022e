package kafka

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"recoup/pipeline"
	"recoup/pipeline/logtest"
)

// fake starts a broker in this process.
func fake(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

func connect(t testing.TB, addr string) *Client {
	t.Helper()
	c, err := Connect(Settings{Brokers: []string{addr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

var topics atomic.Int64

// makeTopic makes a topic under a new name.
func makeTopic(t testing.TB, c *Client, partitions int, config map[string]string) string {
	t.Helper()
	name := fmt.Sprintf("%s-%d-%d", "test", time.Now().UnixNano(), topics.Add(1))
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	spec := TopicSpec{Name: name, Partitions: partitions, Replication: 1, Config: config}
	if _, err := c.EnsureTopics(ctx, []TopicSpec{spec}, false); err != nil {
		t.Fatal(err)
	}
	return name
}

// testLog runs the conformance suite against the broker at addr.
func testLog(t *testing.T, addr string) {
	logtest.Run(t, func(t *testing.T) logtest.Cluster {
		c := connect(t, addr)
		return logtest.Cluster{
			Log: c.Log(),
			MakeTopic: func(t *testing.T, partitions, maxBytes int) string {
				return makeTopic(t, c, partitions, map[string]string{"max.message.bytes": strconv.Itoa(maxBytes + 4096)})
			},
			NewMember: func(_ *testing.T, id, topic string) pipeline.Group {
				return c.Group(GroupSettings{ID: id, Topic: topic, HeartbeatInterval: 200 * time.Millisecond})
			},
		}
	})
}

// freeAddr returns an address at which nothing listens.
func freeAddr(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
