package pipeline

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// A server that is away makes each partition fail in its own words each two seconds; the
// log says so once, another way to fail each half minute at most, and that it works again. The
// health says the newest at once.
func TestLogWhileServerIsAway(t *testing.T) {
	var lines strings.Builder
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	m := NewMember(Options{Now: func() time.Time { return now }, Report: func(string, error) {},
		Log: slog.New(slog.NewTextHandler(&lines, nil))}, nil, nil, nil)
	for second := range 60 {
		err := fmt.Errorf("partition %d: refused", second%8)
		m.report("clickhouse", err)
		if got := m.Ready(); !errors.Is(got, err) {
			t.Fatalf("health says %v, want %v", got, err)
		}
		now = now.Add(time.Second)
	}
	m.report("kafka", errors.New("away"))
	m.report("clickhouse", nil)
	m.report("clickhouse", errors.New("again"))
	var got []string
	for line := range strings.Lines(lines.String()) {
		_, line, _ = strings.Cut(line, "msg=")
		got = append(got, strings.TrimSpace(line))
	}
	want := []string{
		`"not working, trying again" part=clickhouse error="partition 0: refused"`,
		`"not working, trying again" part=clickhouse error="partition 6: refused"`,
		`"not working, trying again" part=kafka error=away`,
		`"works again" part=clickhouse`,
		`"not working, trying again" part=clickhouse error=again`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the log says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A part that goes on failing in another way is told, though that began soon after the first one
// was: the second is the one that somebody has to mend.
func TestLogOfAnotherFailure(t *testing.T) {
	var lines strings.Builder
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	m := NewMember(Options{Now: func() time.Time { return now }, Report: func(string, error) {},
		Log: slog.New(slog.NewTextHandler(&lines, nil))}, nil, nil, nil)
	m.report("clickhouse", errors.New("refused"))
	for range 60 {
		now = now.Add(2 * time.Second)
		m.report("clickhouse", errors.New("no such table: run recoup migrate"))
	}
	if n := strings.Count(lines.String(), "recoup migrate"); n != 1 {
		t.Errorf("the failure that lasts is told %d times, want once, in\n%s", n, lines.String())
	}
}
