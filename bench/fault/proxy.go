// Package fault stands between clients and a server and does to their connections
// what networks do: delay, throttle, swallow, and cut them off with or without the
// answer. To the server a client that is killed looks like one that hangs up in order:
// a reset that comes from one side is never passed on to the other.
package fault

import (
	"bytes"
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"recoup/internal/child"
)

// Fault is what a proxy does. The zero value passes everything on at once.
type Fault struct {
	// Latency is added to everything, each way.
	Latency time.Duration
	// Rate is how many bytes a second a connection carries each way. By default no limit.
	Rate int
	// BlackHole holds everything, also new connections, until it is lifted: nobody hears
	// of anything, as when a router drops packets.
	BlackHole bool
	// Cut ends connections at an answer. By default none.
	Cut Cut
	// See is told each piece before it goes on, and may wait. If it returns false the
	// piece is swallowed and the connection ends. By default all passes.
	See func(piece Piece) (pass bool)
}

// Piece is what one side says at once: a request and an answer may come in several.
type Piece struct {
	// Link numbers the connection; no other one of this process has the number.
	Link int64
	// Turn is how often the client has begun to speak on the connection, from 1 on, the
	// server having spoken in between. The answer to a turn has its number.
	Turn int
	// Answer says that it comes from the server.
	Answer bool
	// Said are the bytes; they hold until See returns.
	Said []byte
}

// Cut ends connections at the answer to a request, and with them what stands behind
// them: the other side sees an orderly end.
type Cut struct {
	// Times is how many connections are cut; then the others pass.
	Times int
	// Request is what the request contains, such as "INSERT INTO". By default any.
	Request string
	// Turn is which answer is meant: 0 is that to the request itself, 1 that to what the
	// client says next, which for an insert are the rows.
	Turn int
	// After lets the answer through before the end. By default it is lost, though the
	// server has done what it answers.
	After bool
}

// Proxy passes connections on to a server. Its methods may be called concurrently.
type Proxy struct {
	listener net.Listener
	stop     context.Context
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu      sync.Mutex // guards what follows
	target  string
	fault   Fault
	changed chan struct{} // closed when fault changes
	cuts    int
}

// Listen opens a proxy on a free loopback port. Connections wait until Pass names the
// server. The caller ends it with Close.
func Listen() (*Proxy, error) {
	listener, err := child.Listen()
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: listener, changed: make(chan struct{})}
	p.stop, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// Addr returns the host:port that clients connect to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Pass begins to pass connections on to the server at target. It is called once.
func (p *Proxy) Pass(target string) {
	p.target = target
	p.running.Go(func() {
		for {
			client, err := p.listener.Accept()
			if err != nil {
				return // closed
			}
			p.running.Go(func() { p.serve(client.(*net.TCPConn)) })
		}
	})
}

// Set puts a fault in the place of the one before, for connections that stand, too.
func (p *Proxy) Set(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	close(p.changed)
	p.changed = make(chan struct{})
}

// Cuts returns how many connections were cut so far.
func (p *Proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

// Close hangs up on everybody and waits. It may be called twice.
func (p *Proxy) Close() {
	p.cancel()
	_ = p.listener.Close()
	p.running.Wait()
}

// wait lets the faults that only delay do so to n bytes. It returns false when the
// proxy closes meanwhile.
func (p *Proxy) wait(n int) bool {
	for {
		p.mu.Lock()
		f, changed := p.fault, p.changed
		p.mu.Unlock()
		if !f.BlackHole {
			delay := f.Latency
			if f.Rate > 0 {
				delay += time.Duration(n) * time.Second / time.Duration(f.Rate)
			}
			select {
			case <-p.stop.Done():
				return false
			case <-time.After(delay):
				return true
			}
		}
		select {
		case <-p.stop.Done():
			return false
		case <-changed:
		}
	}
}

// links is how many connections there were.
var links atomic.Int64

// link is one connection of a client and what it has said on it.
type link struct {
	proxy          *Proxy
	number         int64
	client, server *net.TCPConn

	mu       sync.Mutex // guards what follows
	said     []byte     // the end of what the client said, where a request may have begun
	turn     int        // of the client
	asked    int        // the turn of a request that is to be cut, 0: there is none
	answered bool       // the server spoke last
}

// serve connects a client to the server and copies both ways until either ends.
func (p *Proxy) serve(client *net.TCPConn) {
	defer func() { _ = client.Close() }()
	defer context.AfterFunc(p.stop, func() { _ = client.Close() })()
	if !p.wait(0) {
		return
	}
	conn, err := (&net.Dialer{}).DialContext(p.stop, "tcp4", p.target)
	if err != nil {
		return
	}
	l := &link{proxy: p, number: links.Add(1), client: client, server: conn.(*net.TCPConn), answered: true}
	defer context.AfterFunc(p.stop, func() { _ = l.server.Close() })()
	var up sync.WaitGroup
	up.Go(func() {
		l.pump(l.server, client, l.request)
		_ = l.server.CloseWrite()
	})
	l.pump(client, l.server, l.answer)
	_ = client.CloseWrite()
	l.drain()
	_ = l.server.Close()
	_ = client.Close() // ends up, too
	up.Wait()
}

// chunk is how much is passed on at once.
const chunk = 64 << 10

// pump copies one way; see is told every chunk and may end it.
func (l *link) pump(to, from *net.TCPConn, see func([]byte) (pass, end bool)) {
	buffer := make([]byte, chunk)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			pass, end := see(buffer[:n])
			if pass {
				if !l.proxy.wait(n) {
					return
				}
				if _, err := to.Write(buffer[:n]); err != nil {
					return
				}
			}
			if end {
				return
			}
		}
		if err != nil {
			return // the end, or a reset, which is one to the other side
		}
	}
}

// request notes what the client says.
func (l *link) request(said []byte) (pass, end bool) {
	fault := l.proxy.now()
	l.mu.Lock()
	if l.answered {
		l.turn++
	}
	l.answered = false
	turn := l.turn
	l.mu.Unlock()
	if fault.See != nil && !fault.See(Piece{Link: l.number, Turn: turn, Said: said}) {
		return false, true
	}
	cut := fault.Cut
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, said...) // a request may come in pieces
	if cut.Times > 0 && (l.asked == 0 || cut.Request != "") && bytes.Contains(l.said, []byte(cut.Request)) {
		l.asked, l.said = turn, l.said[:0]
	}
	l.said = slices.Delete(l.said, 0, max(0, len(l.said)-max(0, len(cut.Request)-1)))
	return true, false
}

// answer decides what becomes of an answer.
func (l *link) answer(said []byte) (pass, end bool) {
	fault := l.proxy.now()
	l.mu.Lock()
	turn := l.turn
	l.answered = true
	l.mu.Unlock()
	if fault.See != nil && !fault.See(Piece{Link: l.number, Turn: turn, Answer: true, Said: said}) {
		return false, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked == 0 || turn-l.asked < fault.Cut.Turn || !l.proxy.take() {
		return true, false
	}
	return fault.Cut.After, true
}

func (p *Proxy) now() Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault
}

// take uses up one of the cuts, if there is one left.
func (p *Proxy) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault.Cut.Times <= 0 {
		return false
	}
	p.fault.Cut.Times--
	p.cuts++
	return true
}

// silence is how long a server that is to be cut off may say nothing before it is
// taken to have done what it was asked.
const silence = 300 * time.Millisecond

// drain reads what the server still says: closing a connection with unread bytes
// would reset it.
func (l *link) drain() {
	buffer := make([]byte, chunk)
	for {
		_ = l.server.SetReadDeadline(time.Now().Add(silence))
		if _, err := l.server.Read(buffer); err != nil {
			return
		}
	}
}
