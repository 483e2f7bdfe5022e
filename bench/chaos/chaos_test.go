package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/bench/auditor"
)

// request returns a request to Kafka of a client.
func request(api byte, client, body string) string {
	text := "\x00" + string(api) + "\x00\x07\x00\x00\x00\x01\x00" + string(rune(len(client))) + client + body
	return "\x00\x00\x00" + string(rune(len(text))) + text
}

// A piece may hold several requests, the last one not whole; one that begins in the
// middle of a request, or is not a member's, is passed over.
func TestKafkaRequest(t *testing.T) {
	commit, append := request(offsetCommit, "chaos-a-1", "invoices"), request(produce, "chaos-a-2", "suspects")
	for _, c := range []struct {
		name, said string
		want       []string // client, request
	}{
		{"one", commit, []string{"chaos-a-1", commit}},
		{"two", append + commit, []string{"chaos-a-2", append, "chaos-a-1", commit}},
		{"its start", commit + append[:30], []string{"chaos-a-1", commit, "chaos-a-2", append[:30]}},
		{"its end", commit[10:], nil},
		{"another client's", request(produce, "recoup-bench", "suspects"), nil},
		{"nothing", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for said := []byte(c.said); len(said) > 0; {
				request, client, rest := kafkaRequest(said)
				if client != "" {
					got = slices.Concat(got, []string{client, string(request)})
				}
				said = rest
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// start is when the faults of these tests begin.
var start = time.Date(2026, time.November, 22, 0, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }

// A fault holds up a partition until it goes on; a commit that says nothing new, or that
// was under way, does not count. A case is put down to the fault before it.
func TestRows(t *testing.T) {
	r := &result{events: []event{{"kill", at(10), killed}, {"cut", at(30), other}}, report: auditor.Report{
		Commits: [][]auditor.Commit{
			{{Offset: 5, At: at(9)}, {Offset: 6, At: at(10.05)}, {Offset: 6, At: at(12)}, {Offset: 9, At: at(17)}},
			{{Offset: 1, At: at(9)}, {Offset: 2, At: at(11)}, {Offset: 3, At: at(31)}},
		},
		Alerts: []auditor.Alert{{Sent: at(1), Open: at(9)}, {Sent: at(11), Open: at(16)}, {Sent: at(30), Open: at(30.5)}},
	}}
	rows := r.rows()
	if len(rows) != 2 || rows[0].fault != "cut" || rows[1].fault != "kill" {
		t.Fatalf("rows %+v", rows)
	}
	if got := rows[1]; got.times != 1 || !slices.Equal(got.halts, []time.Duration{7 * time.Second}) ||
		got.alert != 5*time.Second {
		t.Errorf("kill: %+v, want one of 7 s, a case after 5 s", *got)
	}
	if got := rows[0]; !slices.Equal(got.halts, []time.Duration{time.Second}) || got.alert != 500*time.Millisecond {
		t.Errorf("cut: %+v, want one of 1 s, a case after 0.5 s", *got)
	}
}

// Any difference fails the run and stands in its total, and so does a member that ends by
// itself.
func TestMatrixFails(t *testing.T) {
	check := func(name string) *result {
		return &result{scene: "s", swept: "0", report: auditor.Report{Checks: []auditor.Check{{Name: name, Wrong: 3}}}}
	}
	for _, c := range []struct {
		result *result
		want   string
	}{
		{check(auditor.CheckRowsLost), "3 lost, 0 rows doubled, 0 cases doubled, 0 other"},
		{check(auditor.CheckRowsDoubled), "0 lost, 3 rows doubled, 0 cases doubled, 0 other"},
		{check(auditor.CheckCaseBytes), "0 lost, 0 rows doubled, 3 cases doubled, 0 other"},
		{check(auditor.CheckRollups), "0 lost, 0 rows doubled, 0 cases doubled, 3 other"},
		{&result{scene: "s", swept: "0", ended: []string{"member-1: exit status 2"}}, "0 cases doubled, 1 other"},
	} {
		m := matrix{}
		m.add(c.result)
		var out strings.Builder
		m.print(&out)
		if m.ok() || !strings.Contains(out.String(), c.want) {
			t.Errorf("ok %v:\n%s\nwant %s", m.ok(), out.String(), c.want)
		}
	}
}

// Scenes have names and streams of their own: the same seed draws otherwise in each. The
// quick faults of the short form exist.
func TestScenes(t *testing.T) {
	streams := map[uint64]bool{short().stream: true}
	for _, s := range scenes() {
		if streams[s.stream] || len(s.faults) == 0 {
			t.Errorf("scene %s: stream %d again, or none of its faults", s.name, s.stream)
		}
		streams[s.stream] = true
	}
	if got := len(short().faults); got != len(quick) {
		t.Errorf("the short form has %d faults of %d", got, len(quick))
	}
}
