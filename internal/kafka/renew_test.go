package kafka

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
