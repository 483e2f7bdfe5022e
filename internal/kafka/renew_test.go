package kafka

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"recoup/pipeline"
)

// lapsing is a listener whose connections fall silent at a moment, as when a firewall
// forgets them; those that are made later work.
type lapsing struct {
	net.Listener
	era atomic.Int64
}

func (l *lapsing) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &lapsingConn{conn, l, l.era.Load()}, err
}

type lapsingConn struct {
	net.Conn
	from *lapsing
	era  int64
}

// Write swallows what the other side shall not hear.
func (c *lapsingConn) Write(b []byte) (int, error) {
	if c.era != c.from.era.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// G12: all connections of a client fall silent. A reader that is opened in the place of
// one whose fetch failed uses none of them, however many the client has.
func TestReaderOpenedAnew(t *testing.T) {
	network := &lapsing{}
	cluster := fake(t, kfake.ListenFn(func(kind, address string) (l net.Listener, err error) {
		network.Listener, err = net.Listen(kind, address)
		return network, err
	}))
	c := connect(t, cluster.ListenAddrs()[0])
	topic := makeTopic(t, c, 1, nil)
	if _, err := c.Log().Append(context30(t), topic, 0, []pipeline.Record{{Key: []byte("k")}}); err != nil {
		t.Fatal(err)
	}
	var many sync.WaitGroup // each takes a connection for as long as it waits
	for range 6 {
		many.Go(func() {
			if _, err := c.Log().Open(topic, 0).Fetch(context30(t), 1); err != nil {
				t.Error(err)
			}
		})
	}
	many.Wait()
	network.era.Add(1)
	c.settings.RequestTimeout = 500 * time.Millisecond
	r := c.Log().Open(topic, 0)
	if _, err := r.Fetch(context30(t), 0); err == nil {
		t.Fatal("a fetch over a silent connection brought something")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	c.settings.RequestTimeout = 10 * time.Second
	began := time.Now()
	got, err := c.Log().Open(topic, 0).Fetch(context30(t), 0)
	if err != nil || len(got.Records) != 1 {
		t.Errorf("the reader in its place: %d records, %v after %v; want 1", len(got.Records), err, time.Since(began))
	}
}

// counted is a listener that counts its connections.
type counted struct {
	outage
	made atomic.Int64
}

func (l *counted) Accept() (net.Conn, error) {
	conn, err := l.outage.Accept()
	l.made.Add(1)
	return conn, err
}

// One broker of three stays away, and calls that need it go on failing. The connections to
// the others are not closed with each failure.
func TestOtherBrokersKept(t *testing.T) {
	var brokers []*counted
	cluster := fake(t, kfake.NumBrokers(3), kfake.ListenFn(func(kind, address string) (net.Listener, error) {
		l, err := net.Listen(kind, address)
		brokers = append(brokers, &counted{outage: outage{Listener: l}})
		return brokers[len(brokers)-1], err
	}))
	c := connect(t, cluster.ListenAddrs()[0])
	topic := makeTopic(t, c, 3, nil)
	for partition := range int32(3) {
		if err := cluster.MoveTopicPartition(topic, partition, partition); err != nil {
			t.Fatal(err)
		}
	}
	send := func(partition int) error {
		_, err := c.Log().Append(context30(t), topic, partition, []pipeline.Record{{Key: []byte("k")}})
		return err
	}
	for partition := range 3 {
		if err := send(partition); err != nil {
			t.Fatal(err)
		}
	}
	brokers[2].set(true)
	before := brokers[0].made.Load() + brokers[1].made.Load()
	const length = 6500 * time.Millisecond
	for began := time.Now(); time.Since(began) < length; time.Sleep(20 * time.Millisecond) {
		if err := send(2); err == nil {
			t.Fatal("a broker that is away took a record")
		}
		for partition := range 2 {
			if err := send(partition); err != nil {
				t.Fatal(err)
			}
		}
	}
	// At once, a second later, two behind that: each time one to ask, one to each broker.
	if made := brokers[0].made.Load() + brokers[1].made.Load() - before; made > 3*3+1 {
		t.Errorf("%d connections were made to the other brokers in %v, want 10 at most", made, length)
	}
}

// The rest grows while calls go on failing, and begins anew after a time of calm.
func TestRenewRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Client{transport: &kafkago.Transport{}}
		renewed := func(during time.Duration) (times int) {
			for began := time.Now(); time.Since(began) < during; time.Sleep(100 * time.Millisecond) {
				last := c.renewed
				if c.renew(); c.renewed != last {
					times++
				}
			}
			return times
		}
		for round := range 2 {
			if n := renewed(10 * time.Second); n != 4 { // after 0, 1, 3, 7 s and a little
				t.Errorf("round %d: renewed %d times in 10 s, want 4", round, n)
			}
			if n := renewed(10 * time.Minute); n < 20 || n > 22 {
				t.Errorf("round %d: renewed %d times in 10 minutes more, want each %v", round, n, mostRest)
			}
			time.Sleep(calm + time.Second)
		}
	})
}

// A caller that gives up while the first broker has not answered yet takes nothing from those
// that go on waiting; a broker that refuses is asked anew.
func TestCallerEnds(t *testing.T) {
	ask := func(dial func(context.Context, string, string) (net.Conn, error)) *Client {
		c := &Client{transport: &kafkago.Transport{Dial: dial}}
		c.api = &kafkago.Client{Addr: kafkago.TCP("127.0.0.1:1"), Transport: c.transport}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := c.metadata(ctx); err == nil {
			t.Error("somebody answered")
		}
		return c
	}
	slow := ask(func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	if !slow.renewed.IsZero() {
		t.Error("a caller that gave up dropped the connections of all")
	}
	refused := ask(func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED })
	if refused.renewed.IsZero() {
		t.Error("a broker that refused would not be asked anew")
	}
}
