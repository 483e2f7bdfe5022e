package kafka

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"recoup/pipeline"
)

// outage is a listener whose server can be away: connections break and new ones are
// hung up on, as when a broker is killed behind its address. What the broker knows of
// its groups is there again afterwards.
type outage struct {
	net.Listener

	mu    sync.Mutex // guards what follows
	away  bool
	conns []net.Conn
}

func (o *outage) Accept() (net.Conn, error) {
	for {
		conn, err := o.Listener.Accept()
		if err != nil {
			return nil, err
		}
		o.mu.Lock()
		away := o.away
		o.conns = append(o.conns, conn)
		o.mu.Unlock()
		if !away {
			return conn, nil
		}
		_ = conn.Close()
	}
}

func (o *outage) set(away bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.away = away
	for _, conn := range o.conns {
		_ = conn.Close()
	}
	o.conns = nil
}

// faint starts a cluster that can be away, and a topic on it.
func faint(t *testing.T) (*outage, *Client, string) {
	network := &outage{}
	cluster := fake(t, kfake.ListenFn(func(kind, address string) (l net.Listener, err error) {
		network.Listener, err = net.Listen(kind, address)
		return network, err
	}))
	c := connect(t, cluster.ListenAddrs()[0])
	return network, c, makeTopic(t, c, 1, nil)
}

// G12: a client goes on as soon as a broker that was away answers, however often it asked
// in vain: kafka-go alone would keep the last error until it looks again by itself, here
// after half an hour on average.
func TestBrokerBack(t *testing.T) {
	network, c, topic := faint(t)
	c.transport.MetadataTTL = time.Hour
	network.set(true)
	c.transport.CloseIdleConnections() // what comes next is the first that is known of the cluster
	ask := func() error { _, err := c.Log().Partitions(context30(t), topic); return err }
	for began := time.Now(); time.Since(began) < 2500*time.Millisecond; time.Sleep(100 * time.Millisecond) {
		if ask() == nil {
			t.Fatal("a broker that is away answered")
		}
	}
	network.set(false)
	began := time.Now()
	for ask() != nil && time.Since(began) < 10*time.Second {
		time.Sleep(50 * time.Millisecond)
	}
	if took := time.Since(began); took > leastRest+2*time.Second {
		t.Errorf("it went on %v after the broker was back, want %v and a little", took, leastRest)
	}
}

// G9, G12: when a broker was away all members come back as others. They do not wait until the
// sessions of those that they were have ended.
func TestMembersComeBack(t *testing.T) {
	network, c, topic := faint(t)
	settings := GroupSettings{ID: "g", Topic: topic, SessionTimeout: 20 * time.Second,
		HeartbeatInterval: 100 * time.Millisecond}
	member := c.Group(settings)
	defer member.Close()
	gen, err := member.Next(context30(t))
	if err != nil {
		t.Fatal(err)
	}
	network.set(true)
	<-gen.Done()
	gen.Leave()
	back := make(chan pipeline.Generation)
	go func() {
		for {
			gen, err := member.Next(context30(t))
			if err == nil {
				back <- gen
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	time.Sleep(time.Second)
	network.set(false)
	began := time.Now()
	select {
	case gen := <-back:
		if len(gen.Assigned()) != 1 {
			t.Errorf("assigned %v, want the partition", gen.Assigned())
		}
		gen.Leave()
	case <-time.After(30 * time.Second):
		t.Fatal("nobody came back")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the member was back %v after its broker", took)
	}
}
