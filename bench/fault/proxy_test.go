package fault

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// echo answers every line with "re: " and that line, and keeps what it heard.
type echo struct {
	listener net.Listener
	mu       sync.Mutex // guards heard and ends
	heard    []string
	ends     []error // how connections ended, nil in order
}

func startEcho(t *testing.T) *echo {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{listener: listener}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go e.serve(conn)
		}
	}()
	return e
}

func (e *echo) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReader(conn)
	for {
		line, err := reader.ReadString('\n')
		e.mu.Lock()
		if err == nil {
			e.heard = append(e.heard, strings.TrimSpace(line))
		} else if err == io.EOF {
			e.ends = append(e.ends, nil)
		} else {
			e.ends = append(e.ends, err)
		}
		e.mu.Unlock()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "re: "+line)
	}
}

func (e *echo) said() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.heard, " ")
}

// client is a connection through a proxy.
type client struct {
	*testing.T
	conn   *net.TCPConn
	reader *bufio.Reader
}

func start(t *testing.T) (*Proxy, *echo) {
	t.Helper()
	p, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	e := startEcho(t)
	p.Pass(e.listener.Addr().String())
	return p, e
}

func dial(t *testing.T, p *Proxy) *client {
	t.Helper()
	conn, err := net.Dial("tcp4", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t, conn.(*net.TCPConn), bufio.NewReader(conn)}
}

// ask says a line and expects an answer to it, "" for the end of the connection.
func (c *client) ask(line string, want string) {
	c.Helper()
	if _, err := io.WriteString(c.conn, line+"\n"); err != nil {
		c.Fatalf("cannot say %q: %v", line, err)
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	got, err := c.reader.ReadString('\n')
	if strings.TrimSpace(got) != want || (err == nil) != (want != "") || want == "" && err != io.EOF {
		c.Fatalf("answer to %q: %q, %v, want %q", line, got, err, want)
	}
}

func TestPassesOn(t *testing.T) {
	p, _ := start(t)
	c := dial(t, p)
	c.ask("one", "re: one")
	c.ask("two", "re: two")
}

func TestLatencyAndRate(t *testing.T) {
	p, _ := start(t)
	c := dial(t, p)
	p.Set(Fault{Latency: 60 * time.Millisecond})
	began := time.Now()
	c.ask("late", "re: late")
	if took := time.Since(began); took < 120*time.Millisecond {
		t.Errorf("an answer took %v, want 120 ms at least", took)
	}
	p.Set(Fault{Rate: 1_000})
	began = time.Now()
	c.ask(strings.Repeat("x", 100), "re: "+strings.Repeat("x", 100))
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("200 bytes took %v at 1,000 a second, want 200 ms at least", took)
	}
	p.Set(Fault{})
	began = time.Now()
	c.ask("soon", "re: soon")
	if took := time.Since(began); took > time.Second {
		t.Errorf("an answer took %v without a fault", took)
	}
}

// A black hole holds what stands and what comes, and lets it go when it is lifted.
func TestBlackHole(t *testing.T) {
	p, e := start(t)
	old := dial(t, p)
	old.ask("before", "re: before")
	p.Set(Fault{BlackHole: true})
	fresh := dial(t, p)
	for _, c := range []*client{old, fresh} {
		_, _ = io.WriteString(c.conn, "within\n")
		_ = c.conn.SetReadDeadline(time.Now().Add(150 * time.Millisecond))
		if got, err := c.reader.ReadString('\n'); err == nil {
			t.Errorf("a black hole answers %q", got)
		}
	}
	if e.said() != "before" {
		t.Errorf("the server heard %q", e.said())
	}
	p.Set(Fault{})
	for _, c := range []*client{old, fresh} {
		_ = c.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		if got, err := c.reader.ReadString('\n'); got != "re: within\n" {
			t.Errorf("answer %q, %v after the black hole", got, err)
		}
	}
}

// A cut loses the answer of what the server did, or comes right behind it, as often
// as was said and at the request that was named.
func TestCut(t *testing.T) {
	for _, c := range []struct {
		name string
		cut  Cut
		asks [][2]string // line, answer
	}{
		{"the answer is lost", Cut{Times: 1}, [][2]string{{"a", ""}}},
		{"after the answer", Cut{Times: 1, After: true}, [][2]string{{"a", "re: a"}, {"b", ""}}},
		{"of a named request", Cut{Times: 1, Request: "insert"}, [][2]string{{"a", "re: a"}, {"insert", ""}}},
		{"of what comes behind it", Cut{Times: 1, Request: "insert", Turn: 1},
			[][2]string{{"insert", "re: insert"}, {"rows", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, e := start(t)
			p.Set(Fault{Cut: c.cut})
			first := dial(t, p)
			for _, ask := range c.asks {
				if ask[1] == "" && c.cut.After {
					_, _ = io.WriteString(first.conn, ask[0]+"\n") // nobody hears it
					_ = first.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
					if got, err := first.reader.ReadString('\n'); err == nil {
						t.Errorf("answer %q behind the cut", got)
					}
					continue
				}
				first.ask(ask[0], ask[1])
			}
			lost := c.asks[len(c.asks)-1][0]
			if !c.cut.After && !strings.HasSuffix(e.said(), lost) {
				t.Errorf("the server heard %q, want %q at the end", e.said(), lost)
			}
			dial(t, p).ask("insert", "re: insert")
			if p.Cuts() != 1 {
				t.Errorf("%d cuts, want 1", p.Cuts())
			}
		})
	}
}

// What a watcher refuses never arrives, and ends the connection.
func TestSee(t *testing.T) {
	p, e := start(t)
	p.Set(Fault{See: func(piece Piece) bool { return !strings.Contains(string(piece.Said), "commit") }})
	c := dial(t, p)
	c.ask("insert", "re: insert")
	c.ask("commit", "")
	p.Set(Fault{})
	dial(t, p).ask("commit 2", "re: commit 2")
	if e.said() != "insert commit 2" {
		t.Errorf("the server heard %q", e.said())
	}
}

// A watcher is told both sides, turn by turn, and tells connections apart. An answer that
// it refuses is not heard, though the server has done what it answers.
func TestSeeBothSides(t *testing.T) {
	p, e := start(t)
	var mu sync.Mutex
	var seen []string
	var links []int64
	p.Set(Fault{See: func(piece Piece) bool {
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(links, piece.Link) {
			links = append(links, piece.Link)
		}
		text := strings.TrimSpace(string(piece.Said))
		seen = append(seen, fmt.Sprint(slices.Index(links, piece.Link), piece.Turn, piece.Answer, " ", text))
		return text != "re: rows"
	}})
	first, second := dial(t, p), dial(t, p)
	first.ask("insert", "re: insert")
	second.ask("select", "re: select")
	first.ask("rows", "")
	want := []string{"0 1 false insert", "0 1 true re: insert", "1 1 false select", "1 1 true re: select",
		"0 2 false rows", "0 2 true re: rows"}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(seen, want) || e.said() != "insert select rows" {
		t.Errorf("seen %q, the server heard %q", seen, e.said())
	}
}

// A client that is killed resets its connection; the server sees an orderly end.
func TestResetBecomesEnd(t *testing.T) {
	p, e := start(t)
	c := dial(t, p)
	c.ask("hello", "re: hello")
	if err := c.conn.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = c.conn.Close() // a reset
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		e.mu.Lock()
		ends := e.ends
		e.mu.Unlock()
		if len(ends) > 0 {
			if ends[0] != nil {
				t.Errorf("the server saw %v, want an orderly end", ends[0])
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server saw no end")
		}
	}
}

// A proxy that closes hangs up, also on those it holds.
func TestClose(t *testing.T) {
	p, _ := start(t)
	c := dial(t, p)
	c.ask("one", "re: one")
	p.Set(Fault{BlackHole: true, Latency: time.Hour})
	_, _ = io.WriteString(c.conn, "two\n")
	closed := make(chan struct{})
	go func() { p.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Fatal("a closed proxy goes on")
	}
}

// A request that comes in pieces, as TCP may deliver it, is the same request.
func TestCutsARequestInPieces(t *testing.T) {
	p, e := start(t)
	p.Set(Fault{Cut: Cut{Times: 1, Request: "INSERT INTO"}})
	c := dial(t, p)
	c.ask("SELECT 1 INSERT", "re: SELECT 1 INSERT")
	for _, piece := range []string{"INS", "ERT ", "IN"} {
		if _, err := io.WriteString(c.conn, piece); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // else the pieces may come together
	}
	c.ask("TO t", "")
	if e.said() != "SELECT 1 INSERT INSERT INTO t" || p.Cuts() != 1 {
		t.Errorf("%d cuts of %q", p.Cuts(), e.said())
	}
}
