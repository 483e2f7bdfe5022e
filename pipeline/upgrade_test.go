package pipeline_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"

	"recoup/pipeline"
)

// A23: what the recoup at a9a34d0 kept, of state version 1, is gone on with. The file
// holds the records of its topics, the last one of each key where they are compacted,
// after newWorld(1).fill(t, 1, 100).
func TestStateOfVersion1IsGoneOnWith(t *testing.T) { synctest.Test(t, goOnWithVersion1) }

func goOnWithVersion1(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("testdata", "state_version1.json"))
	if err != nil {
		t.Fatal(err)
	}
	var topics map[string][]pipeline.Record
	if err := json.Unmarshal(content, &topics); err != nil {
		t.Fatal(err)
	}
	w, fresh := newWorld(1), newWorld(1)
	w.fill(t, 1, 100)
	fresh.fill(t, 1, 100)
	_ = fresh.faultFree(t)
	for topic, records := range topics {
		if topic != w.opt.Topics.Suspects && records[0].Value[0] != 1 {
			t.Fatalf("%s: state version %d, want 1", topic, records[0].Value[0])
		}
		if _, err := w.log.Append(t.Context(), topic, 0, records); err != nil {
			t.Fatal(err)
		}
	}
	before := len(fresh.store.Rows())
	for _, world := range []*world{w, fresh} {
		world.fill(t, 1, 100) // all of them come again
		world.fillMore(t, 1, 100, 140)
	}
	got, want := w.faultFree(t), fresh.faultFree(t)
	if len(got.rows) != len(want.rows)-before {
		t.Errorf("%d invoices are scored, want the %d that are new", len(got.rows), len(want.rows)-before)
	}
	for at, verdict := range got.rows {
		if verdict != want.rows[at] {
			t.Errorf("%s: %s\nwant %s", at, verdict, want.rows[at])
		}
	}
	w.tellsWhatWasMet(t)
	for _, segment := range []string{everyone, "seller|acme|EUR"} {
		a, b := w.learnedInvoices(t, segment, 1)[0], fresh.learnedInvoices(t, segment, 1)[0]
		if a != b || a < 100 {
			t.Errorf("%s holds %d invoices, want %d", segment, a, b)
		}
	}
}

// tellsWhatWasMet wants markers of version 1, also under a new owner's epoch, not to say that
// the state notes each segment that was met, and the last one to.
func (w *world) tellsWhatWasMet(t *testing.T) {
	t.Helper()
	var said []bool
	for _, r := range w.log.Records(w.opt.Topics.State, 0) {
		if string(r.Key) == "marker" {
			said = append(said, bytes.Contains(r.Value, []byte(`"met":true`)))
		}
	}
	if !slices.Equal(said, []bool{false, false, true}) {
		t.Errorf("markers say that all was noted: %v; want the new owner's own alone to say it", said)
	}
}
