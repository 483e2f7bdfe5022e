package e2e

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"recoup/internal/demo/data"
	"recoup/pipeline"
)

// One of two processes trains on the invoices of the topic, and what comes later is
// judged by its model, as the decision log says; a process that follows the killed
// ones goes on with it.
func TestRunTrains(t *testing.T) {
	r := newRig(t, 2)
	settings, err := os.ReadFile(r.config)
	if err != nil {
		t.Fatal(err)
	}
	trains := strings.Replace(string(settings), "train: false", "train: true", 1)
	if err := os.WriteFile(r.config, []byte(trains), 0o600); err != nil {
		t.Fatal(err)
	}
	var records []pipeline.Record
	for line, err := range data.Invoices() {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, pipeline.Record{Value: bytes.Clone(line), Time: issuedAt(t, line)})
	}
	send := func(from, to int) {
		for p := range 2 {
			var part []pipeline.Record
			for i := from + p; i < to; i += 2 {
				part = append(part, records[i])
			}
			for len(part) > 0 {
				n := min(500, len(part))
				if _, err := r.log.Append(t.Context(), r.topic("invoices"), p, part[:n]); err != nil {
					t.Fatal(err)
				}
				part = part[n:]
			}
		}
	}
	rows := func(want int) func() bool {
		return func() bool { return r.count("SELECT count() FROM DB.scored_invoices") == want }
	}
	send(0, 4000)
	first, second := r.start(), r.start()
	r.waitFor("4,000 rows", time.Minute, rows(4000))
	r.waitFor("a model", time.Minute, func() (there bool) {
		r.each("models", func(pipeline.Record) { there = true })
		return there
	})
	time.Sleep(time.Second) // members follow the topic in a quarter of that
	send(4000, 4200)
	r.waitFor("4,200 rows", time.Minute, rows(4200))
	const judged = "SELECT count() FROM DB.scored_invoices WHERE startsWith(model_version, 'trained-')"
	byModel := r.count(judged)
	if byModel < 100 {
		t.Errorf("%d of the last 200 invoices were judged by a model", byModel)
	}
	_ = first.cmd.Process.Kill()
	_ = second.cmd.Process.Kill()
	third := r.start()
	send(4200, len(records))
	r.waitFor("all rows", time.Minute, rows(len(records)))
	if n := r.count(judged); n < byModel+80 {
		t.Errorf("%d rows by a model after the take-over, %d before", n, byModel)
	}
	named := 0
	r.each("suspects", func(rec pipeline.Record) {
		if bytes.Contains(rec.Value, []byte(`"kind":"model"`)) {
			named++
		}
	})
	if named < 2 {
		t.Errorf("%d changes of models in the decision log, want one of each partition", named)
	}
	r.stop(third)
}
