package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	chserver "recoup/internal/clickhouse"
)

func TestMain(m *testing.M) {
	chserver.ChildMain()
	os.Exit(m.Run())
}

// The made-up rows are what the report says they are, and every question of the boards
// has an answer on them: one that finds nothing measures nothing.
func TestEveryQuestionIsAnswered(t *testing.T) {
	server, err := chserver.Start(t.Context(), chserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	w, err := open(t.Context(), server.NativeAddr, "boards")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	const rows = 20_000
	if err := w.fill(t.Context(), rows, func() {}); err != nil {
		t.Fatal(err)
	}
	if err := w.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	counts, err := w.counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for table, per1000 := range map[string][2]uint64{"scored_invoices": {1000, 1000}, "invoice_lines": {2000, 2000},
		"cases": {30, 60}, "case_events": {25, 54}, "recoveries": {5, 20}, "disputes": {0, 3}, "incident_members": {2, 4}} {
		if n := counts[table]; n < rows/1000*per1000[0] || n > rows/1000*per1000[1] {
			t.Errorf("%s has %d rows, want %d to %d per 1,000 invoices", table, n, per1000[0], per1000[1])
		}
	}
	figures, err := w.measure(t.Context(), 1, func() {})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures {
		if f.answered == 0 || f.read == 0 || f.wall[0] == 0 {
			t.Errorf("%s: %d rows of %d read in %v", f.name, f.answered, f.read, f.wall)
		}
	}
}

// Each bound fails on its own.
func TestVerdict(t *testing.T) {
	r := report{counts: map[string]uint64{"scored_invoices": 1000}}
	const ms = time.Millisecond
	for _, c := range []struct {
		f    figure
		want string
	}{
		{figure{answered: 1, read: 50, wall: []time.Duration{1 * ms, 300 * ms, 900 * ms}}, "ok"},
		{figure{answered: 1, read: 50, wall: []time.Duration{1 * ms, 301 * ms, 302 * ms}}, "FAIL: slow"},
		{figure{answered: 1, read: 51, wall: []time.Duration{ms}}, "FAIL: reads too much"},
		{figure{answered: 0, read: 50, wall: []time.Duration{ms}}, "FAIL: no answer"},
	} {
		c.f.name, c.f.cpu = "it", c.f.wall
		if got := r.verdict(&c.f); got != c.want {
			t.Errorf("%+v is %q, want %q", c.f, got, c.want)
		}
		r.figures = append(r.figures, c.f)
	}
	const line = "| it | 1 | 301 | 301 | 50 | 5.00 % | 1 | FAIL: slow |"
	if text := r.text(); r.missed() != 3 || !strings.Contains(text, line) {
		t.Errorf("%d missed:\n%s", r.missed(), text)
	}
}
