// Package played gives tests an installation of recoup with a past: a demo run, with
// three months of invoices, their cases, and what people did with them.
package played

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"recoup/internal/app"
	"recoup/internal/child"
	"recoup/internal/clickhouse"
	"recoup/internal/config"
	"recoup/pipeline"
	"recoup/sinks"
)

// patience bounds a whole run, with an installation of ClickHouse.
const patience = 10 * time.Minute

// Site is what a demo made. It runs until the test ends.
type Site struct {
	Kafka          string // host:port; topics and group have the default names
	ClickHouse     string // host:port of the native protocol, user "default" without a password
	ClickHouseHTTP string // host:port
	Database       string // that recoup writes to
}

// unreadable is a record of a billing system that has no amount.
const unreadable = `{"schema":"invoice.v1","event_id":"e-1","seller":"retail-uk","invoice_id":"F-1",` +
	`"issued_at":"2026-01-02T03:04:05Z","currency":"GBP","net_amount":"much"}`

// Demo runs the program's demo, then what no demo has: `recoup canary`, and a record that
// cannot be read. It refreshes the kept views.
func Demo(t testing.TB) *Site {
	t.Helper()
	screen := &screen{changed: make(chan struct{}, 1)}
	program := program(t)
	demo, err := child.Start(exec.Command(program, "demo", "--speed", "0"), screen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := demo.Stop(ctx); err != nil {
			t.Errorf("the demo: %v", err)
		}
	})
	for late := time.After(patience); !strings.Contains(screen.String(), "stay until"); {
		select {
		case <-screen.changed:
		case <-demo.Done():
			t.Fatalf("the demo ended: %v\n%s", demo.Ended(), screen)
		case <-late:
			t.Fatalf("the demo takes longer than %v\n%s", patience, screen)
		}
	}
	s := &Site{Kafka: screen.find(t, `Kafka +(\S+) `), ClickHouse: screen.find(t, `default@([^/]+)/`),
		Database: screen.find(t, `default@[^/]+/(\S+)`), ClickHouseHTTP: screen.find(t, `ClickHouse .* http://([^/]+)/`)}
	s.disturb(t, program)
	for _, sql := range sinks.RefreshStatements(s.Database) {
		s.ask(t, sql)
	}
	return s
}

// disturb sends a canary and a record that cannot be read, and waits for their rows.
func (s *Site) disturb(t testing.TB, program string) {
	t.Helper()
	canary := exec.CommandContext(t.Context(), program, "canary", "--once")
	canary.Env = append(os.Environ(), "RECOUP_KAFKA_BROKERS="+s.Kafka)
	if said, err := canary.CombinedOutput(); err != nil {
		t.Fatalf("recoup canary: %v\n%s", err, said)
	}
	settings := config.Default()
	settings.Kafka.Brokers = []string{s.Kafka}
	client, err := app.Kafka(&settings, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if _, err := client.Log().Append(t.Context(), settings.Kafka.Topics.Invoices, 0,
		[]pipeline.Record{{Key: []byte("F-1"), Value: []byte(unreadable)}}); err != nil {
		t.Fatal(err)
	}
	rows := fmt.Sprintf("SELECT (SELECT count() FROM %[1]s.scored_invoices WHERE canary) > 0 "+
		"AND (SELECT count() FROM %[1]s.dead_letters) > 0", s.Database)
	for late := time.Now().Add(time.Minute); s.ask(t, rows) != "1"; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("the canary or the dead letter has no row after a minute")
		}
	}
}

// ask returns what ClickHouse answers.
func (s *Site) ask(t testing.TB, sql string) string {
	t.Helper()
	answer, err := clickhouse.Ask(t.Context(), s.ClickHouseHTTP, sql)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(answer)
}

// program builds recoup, from whichever module the test is of.
func program(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "recoup")
	build := exec.Command("go", "build", "-o", file, "./cmd/recoup")
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "recoup").Output()
	if err != nil {
		t.Fatalf("cannot find the module recoup: %v", err)
	}
	build.Dir = strings.TrimSpace(string(root))
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build recoup: %v\n%s", err, said)
	}
	return file
}

// screen is what the demo printed so far.
type screen struct {
	changed chan struct{}

	mu   sync.Mutex // guards text
	text bytes.Buffer
}

// Write prints.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

// String is all that was printed.
func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// find returns what the group of a pattern matches.
func (s *screen) find(t testing.TB, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(s.String())
	if match == nil {
		t.Fatalf("the demo does not say %s:\n%s", pattern, s)
	}
	return match[1]
}
