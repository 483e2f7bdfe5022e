// Package played gives tests an installation of recoup with a past: a demo run, with
// three months of invoices, their cases, and what people did with them.
package played

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"recoup/internal/child"
	"recoup/internal/clickhouse"
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

// besides adds what no demo has: a canary, a release of a billing system, and a record
// that could not be read.
func besides(database string) []string {
	return []string{
		fmt.Sprintf(`INSERT INTO %[1]s.scored_invoices SELECT * REPLACE (true AS canary, true AS suspect,
			'canary-1' AS invoice_id, source_offset + 1000000 AS source_offset) FROM %[1]s.scored_invoices
			ORDER BY issued_at DESC LIMIT 1`, database),
		fmt.Sprintf(`INSERT INTO %[1]s.scored_invoices SELECT * REPLACE ('2026.11' AS source_release,
			'released-' || invoice_id AS invoice_id, source_offset + 2000000 AS source_offset)
			FROM %[1]s.scored_invoices WHERE NOT canary AND NOT suspect
			AND revision = 0 AND invoice_type = 'invoice' ORDER BY issued_at DESC LIMIT 3`, database),
		fmt.Sprintf(`INSERT INTO %s.dead_letters (topic, reason, field, message, recorded_at, at)
			VALUES ('billing.invoices', 'field', 'net', 'x', now(), now())`, database),
	}
}

// Demo runs the program's demo, adds a canary, a release and a dead letter, and refreshes the kept
// views.
func Demo(t testing.TB) *Site {
	t.Helper()
	screen := &screen{changed: make(chan struct{}, 1)}
	demo, err := child.Start(exec.Command(program(t), "demo", "--speed", "0"), screen)
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
	for _, sql := range append(besides(s.Database), sinks.RefreshStatements(s.Database)...) {
		if _, err := clickhouse.Ask(t.Context(), s.ClickHouseHTTP, sql); err != nil {
			t.Fatal(err)
		}
	}
	return s
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
