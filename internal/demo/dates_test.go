package demo

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"recoup/internal/demo/data"
)

// Every date of a record moves by whole weeks, and nothing else does.
func TestMoved(t *testing.T) {
	record := `{"issued_at":"2011-07-28T20:28:50Z","due":"2011-08-12","at":"2011-12-31T23:00:00.5+01:00",` +
		`"event_id":"2011-07-28-17","description":"since 2011-07-28","odd":"2011-02-30"}`
	want := `{"issued_at":"2011-08-11T20:28:50Z","due":"2011-08-26","at":"2012-01-14T23:00:00.5+01:00",` +
		`"event_id":"2011-07-28-17","description":"since 2011-07-28","odd":"2011-02-30"}`
	if got := string(moved([]byte(record), 2)); got != want {
		t.Errorf("moved to\n%s, want\n%s", got, want)
	}
	if got := moved([]byte(record), 0); string(got) != record {
		t.Errorf("0 weeks make\n%s", got)
	}
}

// The last invoice was issued in the week before now, on its own weekday, and no date
// of the bundled files is left behind.
func TestBundledDatesAreRecent(t *testing.T) {
	for _, now := range []string{"2026-11-22T14:00:00Z", "2026-11-26T00:00:01Z", "2026-11-27T23:59:59Z"} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		all, err := samples(weeksUntil(at))
		if err != nil {
			t.Fatal(err)
		}
		last := all[len(all)-1].issuedAt
		if age := at.Sub(last); age < 0 || age > 8*24*time.Hour || last.Weekday() != time.Thursday {
			t.Errorf("at %s the last invoice is of %s", now, last)
		}
		for _, s := range all {
			if bytes.Contains(s.value, []byte(`":"2011-`)) || !json.Valid(s.value) {
				t.Fatalf("not moved: %s", s.value)
			}
		}
	}
	for line, err := range data.References() {
		if err != nil {
			t.Fatal(err)
		}
		if text := string(moved(line, 800)); strings.Contains(text, `"2011-`) || strings.Contains(text, `"2010-`) {
			t.Fatalf("not moved: %s", text)
		}
	}
}
