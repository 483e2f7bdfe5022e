package sinks

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxy passes connections on to a server and can lose the server's answer to an
// insert. It ends connections in order, never by a reset.
type proxy struct {
	listener net.Listener
	target   string
	cut      atomic.Int64 // connections whose answer to an insert is still to be lost
	lost     atomic.Int64 // answers lost
	turns    atomic.Int64 // turn of the client in which an insert on a new connection sends its rows
	inserts  atomic.Bool  // count turns from the INSERT statement instead
	lose     func()       // called before the connection of a lost answer ends; nil: nothing
	wait     sync.WaitGroup
}

// newProxy starts a proxy; config, if given, makes it speak TLS to its clients.
func newProxy(t testing.TB, target string, config *tls.Config) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	// Hello, query, rows.
	p := &proxy{listener: listener, target: target}
	p.turns.Store(3)
	if config != nil {
		p.listener = tls.NewListener(listener, config)
	}
	p.wait.Go(func() {
		for {
			client, err := p.listener.Accept()
			if err != nil {
				return
			}
			p.wait.Go(func() { p.pass(client) })
		}
	})
	t.Cleanup(func() { _ = listener.Close() })
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// silence is how long a server says nothing until it is taken to have stored the rows; on a
// machine that is busy it pauses for longer than a moment.
const silence = time.Second

// rowsTurn is far above any turn that is counted from the beginning.
const rowsTurn = 1 << 40

// rowsSent reports whether the client has sent rows by this turn.
func (p *proxy) rowsSent(turn int64) bool {
	if p.inserts.Load() {
		return turn >= rowsTurn
	}
	return turn >= p.turns.Load()
}

// pass copies both ways until one side ends. The answer to rows is held back
// while p.cut says so: when the server has been silent for a while it has stored
// them, and the connection ends without the client hearing of it.
func (p *proxy) pass(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var turn atomic.Int64 // of the client
	var spoke atomic.Bool // the server, since the client did
	spoke.Store(true)
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := client.Read(buffer)
			if n > 0 {
				if spoke.CompareAndSwap(true, false) {
					turn.Add(1)
				}
				if p.inserts.Load() && bytes.Contains(buffer[:n], []byte("INSERT INTO")) {
					turn.Store(rowsTurn - 1)
				}
				if _, err := server.Write(buffer[:n]); err != nil {
					return
				}
			}
			if err != nil {
				_ = server.(*net.TCPConn).CloseWrite()
				return
			}
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		spoke.Store(true)
		if n > 0 && p.rowsSent(turn.Load()) && p.cut.Load() > 0 {
			p.cut.Add(-1)
			p.lost.Add(1)
			_ = server.SetReadDeadline(time.Now().Add(silence))
			_, _ = io.Copy(io.Discard, server)
			if p.lose != nil {
				p.lose()
			}
			return
		}
		if n > 0 {
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
