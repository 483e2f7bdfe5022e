package ops

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func start(t *testing.T, h *Health, pprof string) *Server {
	t.Helper()
	s, err := Start(Options{Listen: "127.0.0.1:0", Pprof: pprof, Registry: NewRegistry(h), Health: h,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	return s
}

func get(t *testing.T, address, path string) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// G12: a part that is broken shows in /readyz and in a metric, by name.
func TestReadiness(t *testing.T) {
	h := NewHealth()
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	h.now = func() time.Time { return clock }
	s := start(t, h, "")
	stalled := errors.New("no step forward for 31s")
	h.Set("kafka", nil)
	h.Set("clickhouse", errors.New("connection refused"))
	clock = clock.Add(time.Minute)
	h.Set("clickhouse", errors.New("still refused")) // keeps the time of the first error
	h.Check("partitions", func() error { return stalled })

	code, body := get(t, s.Address(), "/readyz")
	want := `{"ok":false,"parts":[` +
		`{"name":"clickhouse","ok":false,"error":"still refused","since":"2026-01-02T03:04:05Z"},` +
		`{"name":"kafka","ok":true,"since":"2026-01-02T03:04:05Z"},` +
		`{"name":"partitions","ok":false,"error":"no step forward for 31s"}]}`
	if code != http.StatusServiceUnavailable || strings.TrimSpace(body) != want {
		t.Errorf("/readyz = %d %s\nwant 503 %s", code, body, want)
	}
	_, metrics := get(t, s.Address(), "/metrics")
	for _, line := range []string{`recoup_part_ready{part="clickhouse"} 0`, `recoup_part_ready{part="kafka"} 1`,
		"recoup_build_info{", `revision="`, "go_goroutines", "process_cpu_seconds_total"} {
		if !strings.Contains(metrics, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}

	h.Set("clickhouse", nil)
	stalled = nil
	if code, body := get(t, s.Address(), "/readyz"); code != http.StatusOK || strings.Contains(body, "error") {
		t.Errorf("/readyz after repair = %d %s, want 200", code, body)
	}
}

// Alive does not mean ready: an orchestrator must not restart us for Kafka's sake.
func TestLiveWhileNotReady(t *testing.T) {
	h := NewHealth()
	h.Set("kafka", errors.New("down"))
	s := start(t, h, "")
	code, body := get(t, s.Address(), "/livez")
	var answer struct{ OK bool }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || code != http.StatusOK || !answer.OK {
		t.Errorf("/livez = %d %s, %v", code, body, err)
	}
}

// Profiles have a port of their own, and only when asked for.
func TestPprofOnItsOwnPort(t *testing.T) {
	s := start(t, NewHealth(), "127.0.0.1:0")
	if code, _ := get(t, s.Address(), "/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("profiles on the port of metrics: %d", code)
	}
	code, body := get(t, s.PprofAddress(), "/debug/pprof/heap?debug=1")
	if code != http.StatusOK || !strings.Contains(body, "heap") {
		t.Errorf("heap profile = %d", code)
	}
	if without := start(t, NewHealth(), ""); without.PprofAddress() != "" {
		t.Errorf("profiles are served unasked on %s", without.PprofAddress())
	}
}

func TestTakenPort(t *testing.T) {
	s := start(t, NewHealth(), "")
	h := NewHealth()
	_, err := Start(Options{Listen: s.Address(), Registry: NewRegistry(h), Health: h, Log: slog.Default()})
	if err == nil || !strings.HasPrefix(err.Error(), `cannot listen on http.listen "`+s.Address()+`"`) {
		t.Errorf("Start on a taken port: %v", err)
	}
}

// Stop lets a request that is under way end.
func TestGracefulStop(t *testing.T) {
	h := NewHealth()
	entered, release := make(chan struct{}), make(chan struct{})
	h.Check("slow", func() error { close(entered); <-release; return nil })
	s, err := Start(Options{Listen: "127.0.0.1:0", Registry: NewRegistry(NewHealth()), Health: h, Log: slog.Default()})
	if err != nil {
		t.Fatal(err)
	}
	code := make(chan int, 1)
	go func() {
		resp, err := http.Get("http://" + s.Address() + "/readyz")
		if err != nil {
			code <- 0
			return
		}
		resp.Body.Close()
		code <- resp.StatusCode
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(context.Background()) }()
	for { // until Stop has closed the listener
		conn, err := net.Dial("tcp", s.Address())
		if err != nil {
			break
		}
		conn.Close()
	}
	time.Sleep(100 * time.Millisecond) // a Stop that cuts connections has cut this one by now
	close(release)
	if got := <-code; got != http.StatusOK {
		t.Errorf("the request under way got %d, want 200", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Stop: %v", err)
	}
	select {
	case err := <-s.Failed():
		t.Errorf("a stopped server says it failed: %v", err)
	default:
	}
}
