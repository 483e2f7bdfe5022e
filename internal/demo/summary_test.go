package demo

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"recoup/internal/demo/data"
	"recoup/pipeline"
	"recoup/pipeline/memlog"
)

// The summary counts what is stored against what is known, and says when a row
// is missing or there twice (G2).
func TestSummary(t *testing.T) {
	sent := []sample{
		{id: "right", currency: "GBP", isInvoice: true}, {id: "right-flagged", currency: "GBP"},
		{id: "zero", currency: "GBP", isInvoice: true},
		{id: "typo", currency: "GBP", isInvoice: true}, {id: "copy", currency: "GBP"}, {id: "lost", currency: "GBP"},
	}
	labels := map[string]data.Label{
		"zero": {Cause: "billing_system", Kind: "zero_total", Loss: 300_0000},
		"typo": {Cause: "data_entry", Kind: "missing_digit", Loss: 100_0000},
		"copy": {Cause: "duplicate", Kind: "exact", Loss: -80_0000},
	}
	rows := []StoredRow{
		{InvoiceID: "right", Rows: 1}, {InvoiceID: "right-flagged", Rows: 1, Suspect: true, Decision: "log_only"},
		{InvoiceID: "zero", Rows: 1, Suspect: true, Decision: "open_case"}, {InvoiceID: "typo", Rows: 2},
		{InvoiceID: "copy", Rows: 1, Suspect: true, Decision: "open_case"},
	}
	summary := summarise(sent, rows, labels, 4)
	if summary.Missing != 1 || summary.Twice != 1 {
		t.Errorf("%d missing, %d twice", summary.Missing, summary.Twice)
	}
	var out strings.Builder
	summary.print(&out)
	for _, want := range []string{
		"5, 1 missing, 1 twice", "(2 of 3)", "100.0 % [34.2–100.0] (2 of 2)",
		"300 of 400 (75.0 %)", "80 of 80 (100.0 %)", "3 flagged", "50.0 % [18.8–81.2] (3 of 6)",
		"Truly wrong         invoices, without credit notes           66.7 % (2 of 3)", "2 at once",
		"4 of 6 were judged by models trained",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

// The note says what judged, and nothing of a model where none was trained in time.
func TestSummaryNote(t *testing.T) {
	without := summarise([]sample{{id: "right", currency: "GBP"}}, nil, nil, 0).Note
	if !strings.HasPrefix(without, "All were judged by the prior") || strings.Contains(without, "trained on") {
		t.Errorf("without a model: %s", without)
	}
}

// The replay sends every bundled invoice once, a customer always to the same
// partition, each partition in time order.
func TestReplay(t *testing.T) {
	all, err := samples(0)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != data.Count {
		t.Fatalf("%d samples, want %d", len(all), data.Count)
	}
	const partitions = 4
	log := memlog.New(memlog.Options{MaxWait: -1})
	log.CreateTopic("t", partitions, 0)
	counted := 0
	err = replay(t.Context(), log, "t", partitions, all, 0, func(n int) { counted += n }, nil)
	if err != nil {
		t.Fatal(err)
	}
	home, seen := map[string]int{}, 0
	for partition := range partitions {
		reader := log.Open("t", partition)
		_, end, err := log.Bounds(t.Context(), "t", partition)
		if err != nil {
			t.Fatal(err)
		}
		for offset := int64(0); offset < end; {
			fetched, err := reader.Fetch(t.Context(), offset)
			if err != nil {
				t.Fatal(err)
			}
			for _, record := range fetched.Records {
				if other, known := home[string(record.Key)]; known && other != partition {
					t.Fatalf("key %s is on partitions %d and %d", record.Key, other, partition)
				}
				home[string(record.Key)] = partition
				seen++
			}
			offset = fetched.Next
		}
	}
	if seen != data.Count || counted != data.Count {
		t.Errorf("%d records on the topic, %d counted, want %d", seen, counted, data.Count)
	}
}

// A replay at a speed ends with its context.
func TestReplayStops(t *testing.T) {
	log := memlog.New(memlog.Options{})
	log.CreateTopic("t", 1, 0)
	all := []sample{{id: "1", value: []byte("{}")}, {id: "2", value: []byte("{}")}}
	ctx, cancel := context.WithCancel(t.Context())
	err := replay(ctx, log, "t", 1, all, 0.001, func(int) { cancel() }, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

// Before each week but the first the replay waits, with all of the week before sent
// and nothing of the next; the wait does not count as time to catch up on.
func TestReplayWaitsEachWeek(t *testing.T) {
	log := memlog.New(memlog.Options{})
	log.CreateTopic("t", 1, 0)
	var all []sample
	for _, day := range []string{"2011-05-18", "2011-05-24", "2011-05-25", "2011-06-01", "2011-06-02", "2011-06-30",
		"2011-06-30"} {
		all = append(all, sample{id: day, day: day, value: []byte("{}")})
	}
	sent, waits := 0, []int{}
	err := replay(t.Context(), log, "t", 1, all, 1e6, func(n int) { sent += n }, func(context.Context) error {
		waits = append(waits, sent)
		return nil
	})
	if want := []int{2, 3, 5}; err != nil || sent != len(all) || !slices.Equal(waits, want) {
		t.Errorf("waited behind %v of %d invoices, want behind %v; %v", waits, sent, want, err)
	}
}

// The replay goes on as soon as one more model is stored.
func TestUntilTrained(t *testing.T) {
	log := memlog.New(memlog.Options{})
	log.CreateTopic("models", 1, 0)
	wait := untilTrained(log, "models")
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 2*replayTick)
		if err := wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("went on without a new model: %v", err)
		}
		cancel()
		one := []pipeline.Record{{Key: []byte("k"), Value: []byte("v")}}
		if _, err := log.Append(t.Context(), "models", 0, one); err != nil {
			t.Fatal(err)
		}
		if err := wait(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
