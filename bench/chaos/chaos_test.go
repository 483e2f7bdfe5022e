package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"recoup/bench/auditor"
	"recoup/bench/cluster"
	"recoup/bench/fault"
	"recoup/internal/config"
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
// itself. So does a fault that met nobody, but for one of a scene that only samples.
func TestMatrixFails(t *testing.T) {
	check := func(name string) *result {
		return &result{scene: "s", swept: "0", report: auditor.Report{Checks: []auditor.Check{{Name: name, Wrong: 3}}}}
	}
	for _, c := range []struct {
		result *result
		want   string
	}{
		{check(auditor.CheckRowsLost), "3 lost, 0 rows doubled, 0 cases doubled, 0 roll-ups wrong, 0 other"},
		{check(auditor.CheckLines), "3 lost, 0 rows doubled, 0 cases doubled, 0 roll-ups wrong, 0 other"},
		{check(auditor.CheckRowsDoubled), "0 lost, 3 rows doubled, 0 cases doubled, 0 roll-ups wrong, 0 other"},
		{check(auditor.CheckCaseBytes), "0 lost, 0 rows doubled, 3 cases doubled, 0 roll-ups wrong, 0 other"},
		{check(auditor.CheckRollups), "0 lost, 0 rows doubled, 0 cases doubled, 3 roll-ups wrong, 0 other"},
		{check(auditor.CheckCommitsAhead), "0 lost, 0 rows doubled, 0 cases doubled, 0 roll-ups wrong, 3 other"},
		{&result{scene: "s", swept: "0", ended: []string{"member-1: exit status 2"}}, "0 roll-ups wrong, 1 other"},
		{&result{scene: "s", swept: "0", skipped: []string{"killed inside the insert: nobody came there, 4 times"}},
			"s, not injected: killed inside the insert: nobody came"},
	} {
		m := matrix{}
		m.add(c.result)
		var out strings.Builder
		m.print(&out)
		if m.ok() || !strings.Contains(out.String(), c.want) {
			t.Errorf("ok %v:\n%s\nwant %s", m.ok(), out.String(), c.want)
		}
	}
	right := auditor.Report{Checks: []auditor.Check{{Name: auditor.CheckRowsLost, OK: true}}}
	sampled := &result{scene: "s", swept: "0", report: right, sampled: true, skipped: []string{"kill"}}
	if m := (matrix{results: []*result{sampled}}); !m.ok() {
		t.Error("a scene that samples has to have each fault")
	}
}

// Scenes have names and streams of their own: the same seed draws otherwise in each. Only
// what stands in others is sampled, so that a run of all scenes has each fault.
func TestScenes(t *testing.T) {
	streams, dealt := map[uint64]bool{short(1).stream: true}, map[string]bool{}
	for _, s := range scenes() {
		if streams[s.stream] || len(s.faults) == 0 {
			t.Errorf("scene %s: stream %d again, or none of its faults", s.name, s.stream)
		}
		streams[s.stream] = true
		for _, f := range s.faults {
			if s.sampled && !dealt[f.name] {
				t.Errorf("scene %s: only here, and maybe not at all: %s", s.name, f.name)
			}
			dealt[f.name] = true
		}
	}
}

// The short forms of five days in a row kill members at each point of the protocol.
func TestShortFormsComeToEachPoint(t *testing.T) {
	for first := uint64(20_000); first < 20_050; first++ {
		met := map[string]bool{}
		for seed := first; seed < first+5; seed++ {
			faults := short(seed).faults
			if want := len(quick) + 4; len(faults) != want || short(seed).sampled {
				t.Fatalf("seed %d: %d faults of %d, maybe fewer: %v", seed, len(faults), want, short(seed).sampled)
			}
			for _, f := range faults {
				met[f.name] = true
			}
		}
		for _, at := range points {
			if !met["killed "+at.name] {
				t.Errorf("from seed %d on nobody is killed %s", first, at.name)
			}
		}
	}
}

// A fault that meets nobody is tried again, then left out; a scene goes on until each of its
// faults has come, unless it is one that samples.
func TestDealer(t *testing.T) {
	faults := []kind{{name: "kill"}, {name: "trap"}}
	for _, c := range []struct {
		name      string
		sampled   bool
		met, gone []string
		late      bool
		want      bool
	}{
		{"in time", false, []string{"kill", "trap"}, nil, false, false},
		{"one has not come", false, []string{"kill"}, nil, true, false},
		{"one is left out", false, []string{"kill"}, []string{"trap"}, true, true},
		{"one came and cannot any more", false, []string{"kill"}, []string{"kill"}, true, false},
		{"all came", false, []string{"kill", "trap"}, nil, true, true},
		{"sampled", true, nil, nil, true, true},
	} {
		d := &dealer{play: &play{scene: scene{faults: faults, sampled: c.sampled}}, faults: time.Hour,
			began: time.Now(), met: map[string]bool{}, gone: map[string]bool{}}
		if c.late {
			d.faults = 0
		}
		for _, name := range c.met {
			d.met[name] = true
		}
		for _, name := range c.gone {
			d.gone[name] = true
		}
		if got := d.over(); got != c.want {
			t.Errorf("%s: over %v, want %v", c.name, got, c.want)
		}
	}
	d := &dealer{play: &play{scene: scene{faults: faults}}, tries: map[string]int{}, met: map[string]bool{},
		gone: map[string]bool{}, result: &result{}}
	nobody := kind{"trap", func(context.Context, *play, *rand.Rand, string) error { return errNobody }}
	for range mostTries {
		if d.gone["trap"] {
			t.Error("left out too soon")
		}
		if err := d.deal(t.Context(), &nobody, nil); err != nil {
			t.Fatal(err)
		}
	}
	if !d.gone["trap"] || len(d.result.skipped) != 1 {
		t.Errorf("left out: %v, %v", d.gone, d.result.skipped)
	}
}

// What did not come stands in the matrix: what nobody met, and what was never dealt.
func TestDealerSaysWhatLacks(t *testing.T) {
	nobody := kind{"trap", func(context.Context, *play, *rand.Rand, string) error { return errNobody }}
	of := scene{faults: []kind{nobody, {name: "kill"}, {name: "pause"}}, tries: 2, sampled: true}
	d := &dealer{play: &play{scene: of}, tries: map[string]int{"pause": 1}, met: map[string]bool{"kill": true},
		gone: map[string]bool{}, result: &result{}}
	for range of.tries {
		if err := d.deal(t.Context(), &nobody, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.deals(t.Context()); err != nil { // the time is over
		t.Fatal(err)
	}
	if got := d.result.skipped; len(got) != 2 || !strings.HasPrefix(got[0], "trap: nobody came there, 2 times") ||
		!strings.HasPrefix(got[1], "pause: ") {
		t.Errorf("lacks %q, want trap and pause", got)
	}
}

// A run that ends in the middle of a fault is not one that met nobody.
func TestFaultCutShort(t *testing.T) {
	proxy, err := fault.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := &play{Cluster: &cluster.Cluster{Config: &config.Config{}}, site: &site{kafka: proxy}}
	for name, inject := range map[string]func(context.Context, *play, *rand.Rand, string) error{
		"answers": answersCut(false), "acknowledgements": unacknowledged} {
		err := inject(ctx, p, rand.New(rand.NewPCG(1, 1)), name)
		if !errors.Is(err, context.Canceled) || errors.Is(err, errNobody) {
			t.Errorf("%s: %v, want only that the run was canceled", name, err)
		}
	}
}

// A short form that takes longer than six minutes fails and says so, wherever it stands
// then; another form takes the time that it is given.
func TestShortFormIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for short, want := range map[bool]bool{true: true, false: false} {
			f := flags{Short: short}
			ctx, over := f.limit(t.Context())
			defer over()
			if time.Sleep(6*time.Minute - time.Second); ctx.Err() != nil {
				t.Errorf("short %v: over too soon", short)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if got := errors.Is(pass(ctx, time.Second), errLate); got != want {
				t.Errorf("short %v: given up after six minutes: %v, want %v", short, got, want)
			}
			err := late(ctx, errors.New("cannot run recoup: signal: killed"))
			if got := errors.Is(err, errLate); got != want || !strings.Contains(err.Error(), "signal: killed") {
				t.Errorf("short %v: %v", short, err)
			}
			if got := errors.Is(late(ctx, nil), errLate); got != want {
				t.Errorf("short %v: done after six minutes, and given up: %v, want %v", short, got, want)
			}
		}
	})
}
