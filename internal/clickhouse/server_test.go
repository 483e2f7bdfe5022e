package clickhouse

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"recoup/internal/cache"
)

// parentVariable makes this test binary start a server and wait to be killed.
const parentVariable = "RECOUP_CLICKHOUSE_TEST_PARENT"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "clickhouse" && len(os.Args) > 2 && os.Getenv(childVariable) == "" {
		playBinary(os.Args[1:])
	}
	ChildMain()
	if dir := os.Getenv(parentVariable); dir != "" {
		playParent(dir)
	}
	if addr := os.Getenv(clientVariable); addr != "" {
		playClient(addr)
	}
	os.Exit(m.Run())
}

// playParent starts a server, prints its address and its child's process id,
// and waits.
func playParent(dir string) {
	s, err := Start(context.Background(), Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.process.PID(), s.HTTPAddr)
	select {}
}

// playBinary stands for a clickhouse of the PATH: it answers --version with
// what PLAY_VERSION says and serves by the configuration it is given.
func playBinary(args []string) {
	if args[0] == "local" {
		fmt.Println("ClickHouse local version " + os.Getenv("PLAY_VERSION") + " (official build).")
		os.Exit(0)
	}
	text, err := os.ReadFile(strings.TrimPrefix(args[1], "--config-file="))
	var config serverConfig
	if err == nil {
		err = xml.Unmarshal(text, &config)
	}
	dir, err2 := cache.Dir()
	if err != nil || err2 != nil {
		fmt.Fprintln(os.Stderr, err, err2)
		os.Exit(1)
	}
	l := library{path: filepath.Join(dir, "clickhouse-"+libraryVersion, libraryFile)}
	cmd, err := l.command(config.Path, ports{native: config.Native, http: config.HTTP})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, syscall.Exec(cmd.Path, cmd.Args, cmd.Env))
	os.Exit(1)
}

func start(t *testing.T, options Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func query(t *testing.T, s *Server, text string) string {
	t.Helper()
	answer, err := Ask(t.Context(), s.HTTPAddr, text)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestAnswersAndLeavesNothing(t *testing.T) {
	s := start(t, Options{})
	if got := query(t, s, "SELECT 1"); got != "1" {
		t.Errorf("SELECT 1 = %q", got)
	}
	if got := query(t, s, "SELECT version()"); got != s.Version {
		t.Errorf("Version = %q, the server says %q", s.Version, got)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
		t.Errorf("the temporary directory %s is still there: %v", s.dir, err)
	}
	if _, err := net.Dial("tcp", s.HTTPAddr); err == nil {
		t.Error("the HTTP port still answers after Stop")
	}
}

func TestDataSurvivesStopAndKill(t *testing.T) {
	dir := t.TempDir()
	s := start(t, Options{Dir: dir})
	native, http := s.NativeAddr, s.HTTPAddr
	query(t, s, "CREATE DATABASE d")
	query(t, s, "CREATE TABLE d.t (n Int64) ENGINE = MergeTree ORDER BY n")
	query(t, s, "INSERT INTO d.t SELECT number FROM numbers(1000)")

	if err := s.Restart(t.Context()); err == nil {
		t.Error("a running server was restarted")
	}
	s.Kill()
	if _, err := Ask(t.Context(), s.HTTPAddr, "SELECT 1"); err == nil {
		t.Error("a killed server answers")
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.NativeAddr != native || s.HTTPAddr != http {
		t.Errorf("addresses changed: %s %s, were %s %s", s.NativeAddr, s.HTTPAddr, native, http)
	}
	if got := query(t, s, "SELECT count() FROM d.t"); got != "1000" {
		t.Errorf("rows after kill and restart = %s, want 1000", got)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := start(t, Options{Dir: dir})
	if got := query(t, again, "SELECT count() FROM d.t"); got != "1000" {
		t.Errorf("rows after stop and start = %s, want 1000", got)
	}
}

// The directory is in use: the second server must fail, say why, and leave the first alone.
func TestSecondServerOnOneDirectory(t *testing.T) {
	s := start(t, Options{Dir: t.TempDir()})
	second, err := Start(t.Context(), Options{Dir: s.dir})
	if err == nil {
		_ = second.Stop(t.Context())
		t.Fatal("two servers run on one directory")
	}
	if !strings.Contains(err.Error(), "cannot start ClickHouse") || !strings.Contains(err.Error(), "status") {
		t.Errorf("the error does not say why: %v", err)
	}
	if got := query(t, s, "SELECT 1"); got != "1" {
		t.Errorf("the first server answers %q", got)
	}
}

// Nothing stays behind when the process that started the server is killed.
func TestChildDiesWithItsParent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(self)
	parent.Env = append(os.Environ(), parentVariable+"="+t.TempDir())
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	var addr string
	if _, err := fmt.Sscan(line, &pid, &addr); err != nil {
		t.Fatalf("cannot read %q: %v", line, err)
	}
	if _, err := Ask(t.Context(), addr, "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // killed
	for deadline := time.Now().Add(5 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); bytes.Contains(status, []byte(") Z ")) {
			break // dead, only nobody has collected it
		}
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("server %d lives on 5 s after its parent was killed", pid)
		}
	}
}

// Another server that got the port first must not be taken for ours.
func TestForeignServerIsNotTaken(t *testing.T) {
	s := start(t, Options{})
	addr := s.http.addr()
	var foreign ports
	if _, err := fmt.Sscanf(addr, "127.0.0.1:%d", &foreign.http); err != nil {
		t.Fatal(err)
	}
	_, err := waitReady(t.Context(), s.process, t.TempDir(), foreign)
	if err == nil || !strings.Contains(err.Error(), "another ClickHouse answers") {
		t.Errorf("error = %v", err)
	}
}

func TestBinaryOnPath(t *testing.T) {
	if _, err := find(t.Context(), nil); err != nil { // installs the library that plays the binary
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "clickhouse")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))

	t.Setenv("PLAY_VERSION", "18.16.1")
	if got, err := find(t.Context(), nil); err != nil || strings.Contains(got.name(), bin) {
		t.Errorf("Debian's version of 2018 was taken: %v, %v", got, err)
	}
	t.Setenv("PLAY_VERSION", "25.8.2.29")
	s := start(t, Options{Dir: filepath.Join(t.TempDir(), "a & b")})
	if want := bin + "/clickhouse 25.8.2.29"; s.engine.name() != want {
		t.Errorf("runs %q, want %q", s.engine.name(), want)
	}
	if got := query(t, s, "SELECT 1"); got != "1" {
		t.Errorf("SELECT 1 = %q", got)
	}
}

func TestBinaryVersions(t *testing.T) {
	for output, wanted := range map[string]string{
		"ClickHouse local version 25.8.2.29 (official build).": "25.8.2.29",
		"ClickHouse local version 25.3.1.1 (official build).":  "25.3.1.1",
		"ClickHouse local version 25.2.9.9 (official build).":  "",
		"ClickHouse client version 18.16.1.":                   "",
		"Use one of the following commands:":                   "",
	} {
		path := filepath.Join(t.TempDir(), "clickhouse")
		if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+output+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		got, err := binaryVersion(t.Context(), path)
		if got != wanted || (err != nil) != (wanted == "") {
			t.Errorf("%q: version %q, error %v, want %q", output, got, err, wanted)
		}
	}
}

func TestAddressOnly(t *testing.T) {
	s := start(t, Options{})
	for _, addr := range []string{s.NativeAddr, s.HTTPAddr} {
		if !strings.HasPrefix(addr, "127.0.0.1:") {
			t.Errorf("listens on %s, want the loopback interface only", addr)
		}
	}
	response, err := http.Get("http://" + s.HTTPAddr + "/ping")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if s.DSN() != "clickhouse://default@"+s.NativeAddr+"/default" {
		t.Errorf("DSN = %q", s.DSN())
	}
}
