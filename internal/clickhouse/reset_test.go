package clickhouse

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"recoup/internal/child"
)

// clientVariable makes this test binary insert into the server at the address
// it holds until it is killed.
const clientVariable = "RECOUP_CLICKHOUSE_TEST_CLIENT"

func playClient(addr string) {
	err := insertForEver(context.Background(), addr)
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func insertForEver(ctx context.Context, addr string) error {
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{addr}})
	if err != nil {
		return err
	}
	for {
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO k.t")
		if err != nil {
			return err
		}
		for block := range 20 {
			for row := range 5000 {
				if err := batch.Append(int64(block*5000+row), "some text that fills the packet"); err != nil {
					return err
				}
			}
			if err := batch.Flush(); err != nil {
				return err
			}
		}
		if err := batch.Send(); err != nil {
			return err
		}
	}
}

// reset connects, sends data and hangs up with a TCP reset.
func reset(t *testing.T, addr, data string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(data)); err != nil {
		t.Fatal(err)
	}
	if data != "" {
		time.Sleep(10 * time.Millisecond) // let the server begin to answer
	}
	_ = conn.Close()
}

// mustLive fails when the server does not answer or ends within a second: it
// takes a moment to die.
func mustLive(t *testing.T, s *Server) {
	t.Helper()
	if got := query(t, s, "SELECT 1"); got != "1" {
		t.Fatalf("SELECT 1 = %q", got)
	}
	select {
	case <-s.Done():
		t.Fatalf("the server died: %v", s.process.Ended())
	case <-time.After(time.Second):
	}
}

// A client that is killed resets its connection and the library dies of that:
// the shield must not let it through.
func TestResetsDoNotKill(t *testing.T) {
	s := start(t, Options{})
	hello := "\x00\x0aClickHouse\x19\x01\xa0\xa7\x03\x00\x07default\x00"
	for range 20 {
		reset(t, s.NativeAddr, "")
		reset(t, s.NativeAddr, "garbage\r\n\r\n")
		reset(t, s.NativeAddr, hello)
		reset(t, s.NativeAddr, hello[:9])
		reset(t, s.HTTPAddr, "")
		reset(t, s.HTTPAddr, "garbage\r\n\r\n")
		reset(t, s.HTTPAddr, "\x16\x03\x01\x02\x00\x01\x00")
		reset(t, s.HTTPAddr, "POST /?query=INSERT+INTO+x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n1")
		reset(t, s.HTTPAddr, "GET /?query=SELECT+number+FROM+system.numbers HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	mustLive(t, s)
}

func TestKilledClientsDoNotKill(t *testing.T) {
	s := start(t, Options{})
	query(t, s, "CREATE DATABASE k")
	query(t, s, "CREATE TABLE k.t (n Int64, s String) ENGINE = MergeTree ORDER BY n")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for round := range 20 {
		client := exec.Command(self)
		client.Env = append(os.Environ(), clientVariable+"="+s.NativeAddr)
		client.Stderr = os.Stderr
		if err := client.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(150+10*round) * time.Millisecond)
		_ = client.Process.Kill()
		_ = client.Wait() // killed
	}
	mustLive(t, s)
	if got := query(t, s, "SELECT count() > 0 FROM k.t"); got != "1" {
		t.Error("no client got to insert anything: this test tests nothing")
	}
}

// A login that cannot be must be refused with the server's own words, again and
// again: the library dies of it.
func TestImpossibleLoginsDoNotKill(t *testing.T) {
	s := start(t, Options{})
	for range 3 {
		for want, auth := range map[string]clickhouse.Auth{
			"code: 81, message: Database it's does not exist":              {Database: "it's"},
			"code: 516, message: nobody: Authentication failed":            {Username: "nobody"},
			"code: 516, message: default: Authentication failed: password": {Username: "default", Password: "x"},
		} {
			err := ping(t, s, auth)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: error %v, want %q", auth, err, want)
			}
		}
		response, err := http.Post("http://nobody:x@"+s.HTTPAddr+"/?database=nope", "", strings.NewReader("SELECT 1"))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	query(t, s, "CREATE DATABASE `it's`")
	for _, database := range []string{"it's", "default", ""} {
		if err := ping(t, s, clickhouse.Auth{Database: database, Username: "default"}); err != nil {
			t.Errorf("database %q: %v", database, err)
		}
	}
	mustLive(t, s)
}

func ping(t *testing.T, s *Server, auth clickhouse.Auth) error {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{s.NativeAddr}, Auth: auth})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.Ping(t.Context())
}

// The control of the tests above: without the shield the library dies.
func TestShieldIsNeeded(t *testing.T) {
	engine, err := find(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, needed := engine.(library); !needed {
		return // a server proper survives resets
	}
	ports, err := choosePorts()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd, err := engine.command(dir, ports)
	if err != nil {
		t.Fatal(err)
	}
	process, err := child.Start(cmd, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer process.Kill()
	if _, err := waitReady(t.Context(), process, dir, ports); err != nil {
		t.Fatal(err)
	}
	reset(t, ports.nativeAddr(), "garbage\r\n\r\n")
	select {
	case <-process.Done():
	case <-time.After(20 * time.Second):
		t.Error("the server survived a reset without the shield: is the shield still needed?")
	}
}
