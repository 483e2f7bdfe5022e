package clickhouse

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"recoup/internal/child"
)

// shield is a TCP proxy in front of the server's port. In the library an
// exception that leaves a connection's handler ends the whole process
// (clickhouse-server installs a handler for that, clickhouse-local does not): a
// TCP reset by a client that was killed is enough, or a first packet that makes
// no sense. So the shield turns every reset into an orderly end and refuses
// clients that speak another protocol. It also keeps the public address while
// the server behind it is away.
type shield struct {
	listener net.Listener
	speaks   func(first []byte) bool
	stop     context.Context // ends when the shield closes
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// drainTime is how long a server may go on sending to a client that is gone.
// The native protocol notices the end of the connection at once.
const drainTime = 3 * time.Second

// firstBytes is how much a client must send before it is let through. Every
// request of both protocols is longer.
const firstBytes = 4

// speaksNative accepts the Hello packet: type 0, then the length and the name
// of the client.
func speaksNative(first []byte) bool { return first[0] == 0 && first[1] > 0 }

// speaksHTTP accepts the methods that ClickHouse serves.
func speaksHTTP(first []byte) bool {
	switch string(first) {
	case "GET ", "POST", "HEAD", "PUT ", "OPTI", "DELE":
		return true
	}
	return false
}

// listenShield opens the port at addr, any free loopback port when addr is "".
// Connections wait until serve.
func listenShield(addr string, speaks func(first []byte) bool) (*shield, error) {
	var listener net.Listener
	var err error
	if addr == "" {
		listener, err = child.Listen()
	} else {
		listener, err = net.Listen("tcp4", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen for ClickHouse's clients: %w", err)
	}
	s := &shield{listener: listener, speaks: speaks}
	s.stop, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

func (s *shield) addr() string { return s.listener.Addr().String() }

// serve starts to pass connections on to the server at addr.
func (s *shield) serve(addr string) {
	s.running.Go(func() {
		for {
			client, err := s.listener.Accept()
			if err != nil {
				return // closed
			}
			s.running.Go(func() { s.pass(client, addr) })
		}
	})
}

// pass copies both ways until both sides have ended or the shield closes.
func (s *shield) pass(client net.Conn, addr string) {
	defer func() { _ = client.Close() }()
	hangUp := context.AfterFunc(s.stop, func() { _ = client.Close() })
	defer hangUp()
	first := make([]byte, firstBytes)
	if _, err := io.ReadFull(client, first); err != nil || !s.speaks(first) {
		return
	}
	server, err := (&net.Dialer{}).DialContext(s.stop, "tcp4", addr)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	release := context.AfterFunc(s.stop, func() { _ = server.Close() })
	defer release()
	if _, err := server.Write(first); err != nil {
		return
	}

	var up sync.WaitGroup
	up.Go(func() {
		_, _ = io.Copy(server, client) // ends with the client, by FIN or by reset
		_ = server.(*net.TCPConn).CloseWrite()
	})
	_, _ = io.Copy(client, server)
	_ = client.(*net.TCPConn).CloseWrite()
	// The client may be gone while the server still sends. Closing the server's
	// connection with unread data would reset it: read to its end first, but an
	// HTTP answer may have none.
	_ = server.SetReadDeadline(time.Now().Add(drainTime))
	_, _ = io.Copy(io.Discard, server)
	up.Wait()
}

// close hangs up on everybody and waits. It may be called twice.
func (s *shield) close() {
	s.cancel()
	_ = s.listener.Close()
	s.running.Wait()
}
