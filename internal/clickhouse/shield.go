package clickhouse

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"recoup/internal/child"
)

// shield is a TCP proxy in front of one of the server's ports. In the library
// an exception that leaves a connection's handler ends the whole process
// (clickhouse-server installs a handler for that, clickhouse-local does not): a
// TCP reset by a killed client is enough, a wrong password, a database that
// does not exist, or a first packet that makes no sense. So the shield turns
// every reset into an orderly end, refuses impossible logins itself and hangs
// up on other protocols. It also keeps the public address over a restart.
type shield struct {
	listener net.Listener
	stop     context.Context // ends when the shield closes
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// drainTime is how long a server may go on sending to a client that is gone.
// The native protocol notices the end of the connection at once.
const drainTime = 3 * time.Second

// greeter reads what a client says first. It returns what it has taken from the
// reader, to be sent on, or an answer for a client that is not let through.
type greeter func(client *bufio.Reader) (forward, answer []byte, err error)

// listenShield opens the port at addr, any free loopback port when addr is "".
// Connections wait until serve.
func listenShield(addr string) (*shield, error) {
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
	s := &shield{listener: listener}
	s.stop, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

func (s *shield) addr() string { return s.listener.Addr().String() }

// serve starts to pass the connections that greet lets through on to the server
// at addr.
func (s *shield) serve(addr string, greet greeter) {
	s.running.Go(func() {
		for {
			client, err := s.listener.Accept()
			if err != nil {
				return // closed
			}
			s.running.Go(func() { s.admit(client.(*net.TCPConn), addr, greet) })
		}
	})
}

// admit connects one client to the server, or tells it why not.
func (s *shield) admit(client *net.TCPConn, addr string, greet greeter) {
	defer func() { _ = client.Close() }()
	defer context.AfterFunc(s.stop, func() { _ = client.Close() })()
	reader := bufio.NewReader(client)
	first, answer, err := greet(reader)
	if err != nil || answer != nil {
		_, _ = client.Write(answer) // a client that is gone needs no answer
		return
	}
	buffered, _ := reader.Peek(reader.Buffered()) // never more than there is
	conn, err := (&net.Dialer{}).DialContext(s.stop, "tcp4", addr)
	if err != nil {
		return
	}
	server := conn.(*net.TCPConn)
	defer func() { _ = server.Close() }()
	defer context.AfterFunc(s.stop, func() { _ = server.Close() })()
	if _, err := server.Write(append(first, buffered...)); err != nil {
		return
	}
	pass(client, server)
}

// pass copies both ways until both sides have ended.
func pass(client, server *net.TCPConn) {
	var up sync.WaitGroup
	up.Go(func() {
		_, _ = io.Copy(server, client) // ends with the client, by FIN or by reset
		_ = server.CloseWrite()
	})
	_, _ = io.Copy(client, server)
	_ = client.CloseWrite()
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
