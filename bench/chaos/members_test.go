package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"recoup/bench/cluster"
	"recoup/bench/fault"
	"recoup/internal/config"
)

// server answers each line with "done", and keeps what it heard and when.
type server struct {
	listener net.Listener
	mu       sync.Mutex // guards heard
	heard    []string
}

func startServer(t *testing.T) *server {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{listener: listener}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					s.mu.Lock()
					s.heard = append(s.heard, lines.Text())
					s.mu.Unlock()
					_, _ = io.WriteString(conn, "done\n")
				}
			}()
		}
	}()
	return s
}

// has tells whether the server heard a line.
func (s *server) has(line string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.heard, line)
}

// trapped is a play with one member, a process that sleeps, whose connection to ClickHouse
// the test holds in its place.
type trapped struct {
	*testing.T
	*play
	*server
	member *member
	conn   net.Conn
	lines  *bufio.Reader
}

func newTrapped(t *testing.T) *trapped {
	t.Helper()
	t.Chdir(t.TempDir()) // where the member logs
	binary := filepath.Join(t.TempDir(), "sleeper")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\nexec sleep 60\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	kafka, err := fault.Listen()
	if err != nil {
		t.Fatal(err)
	}
	s := startServer(t)
	p := newPlay(&site{kafka: kafka, binary: binary}, scene{name: "t"}, nil)
	p.site.warehouse.target = s.listener.Addr().String()
	p.Cluster = &cluster.Cluster{Config: &config.Config{}}
	t.Cleanup(func() {
		p.resumed.Wait()
		p.Close()
		p.site.close()
	})
	m, err := p.join()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp4", p.site.warehouse.proxies[m.client].Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &trapped{t, p, s, m, conn, bufio.NewReader(conn)}
}

// say says a line as the member would, and returns whether it was answered.
func (t *trapped) say(line string) bool {
	t.Helper()
	if _, err := io.WriteString(t.conn, line+"\n"); err != nil {
		t.Fatal(err)
	}
	_ = t.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err := t.lines.ReadString('\n')
	return err == nil
}

// at sets a trap at a point; what it returns waits until a member came.
func (t *trapped) at(name string, act func(*member) error) (wait func()) {
	t.Helper()
	i := slices.IndexFunc(points, func(p point) bool { return p.name == name })
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	go func() { ended <- t.set(ctx, &points[i], 1, act) }()
	for watched := false; !watched; time.Sleep(time.Millisecond) { // else what is said comes first
		t.site.warehouse.mu.Lock()
		watched = t.site.warehouse.watcher != nil
		t.site.warehouse.mu.Unlock()
	}
	return func() {
		t.Helper()
		defer cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
}

// insert is the text of an insert, rows what its sender says once that is answered.
const insert, rows = "INSERT INTO t.scored_invoices (seller) VALUES", "rows"

// What a member said before it was paused arrives when it goes on, and not before: the effect
// of an owner that has been followed. That goes for the text of an insert and for its rows.
func TestPausedMemberIsLate(t *testing.T) {
	for _, c := range []struct {
		point   string
		before  []string // what is said and answered before that
		held    string
		nothing string // what must not have come to the server
	}{
		{"between lines and rows", nil, insert, insert},
		{"with rows under way", []string{insert}, rows, rows},
	} {
		t.Run(c.point, func(t *testing.T) {
			w := newTrapped(t)
			stopped := make(chan struct{})
			wait := w.at(c.point, func(m *member) error {
				defer close(stopped)
				return w.pause(m, time.Second, "paused")
			})
			for _, line := range c.before {
				if !w.say(line) {
					t.Fatalf("%s: no answer", line)
				}
			}
			early := make(chan bool, 1)
			go func() {
				<-stopped
				time.Sleep(300 * time.Millisecond)
				early <- w.has(c.nothing)
			}()
			if !w.say(c.held) {
				t.Error("what a paused member said never arrives")
			}
			wait()
			if <-early {
				t.Errorf("%q arrives while its sender is paused and still the owner", c.nothing)
			}
		})
	}
}

// Who is killed inside the insert has its rows stored, and does not live to hear of it; who
// is killed with rows under way has asked for an insert and sent nothing.
func TestKilledWithRows(t *testing.T) {
	for _, c := range []struct {
		point    string
		answered bool // the text of the insert
		stored   bool
	}{
		{"between lines and rows", false, false},
		{"with rows under way", true, false},
		{"inside the insert", true, true},
	} {
		t.Run(c.point, func(t *testing.T) {
			w := newTrapped(t)
			wait := w.at(c.point, func(m *member) error {
				w.kill(m, "killed")
				return nil
			})
			if w.say(insert) != c.answered {
				t.Fatalf("the insert is answered: %v, want %v", !c.answered, c.answered)
			}
			if c.answered && w.say(rows) {
				t.Error("the member hears that rows are stored")
			}
			wait()
			if w.has(insert) != c.answered || w.has(rows) != c.stored {
				t.Errorf("the server heard %s, want insert %v and rows %v", strings.Join(w.heard, ", "), c.answered, c.stored)
			}
		})
	}
}
