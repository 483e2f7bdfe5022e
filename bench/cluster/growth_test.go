package cluster

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"recoup/bench/machine"
	"recoup/internal/child"
)

// What comes and goes is not growth, nor is what further partitions take; what stays is.
// Where there is nothing to compare it is not known.
func TestGrowth(t *testing.T) {
	var g growth
	stage := false
	look := func(times, owned, goroutines int, heap int64) {
		for range times {
			if err := g.see(duties{owned, stage}, goroutines, func() (int64, error) { return heap, nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	unknown := func(what string) {
		t.Helper()
		if g.known() {
			t.Errorf("%s: growth is known", what)
		}
	}
	wants := func(what string, heap int64, goroutines int, bytes int64) {
		t.Helper()
		if !g.known() {
			t.Fatalf("%s: growth is not known", what)
		}
		if gotGoroutines, gotBytes := g.grown(heap, 0); gotGoroutines != goroutines || gotBytes != bytes {
			t.Errorf("%s: grown by %d and %d, want %d and %d", what, gotGoroutines, gotBytes, goroutines, bytes)
		}
	}
	unknown("nothing seen")
	look(settleLooks, 2, 10, 10)
	look(calmLooks-1, 2, 50, 100)
	unknown("too few looks")
	look(1, 2, 90, 100)
	unknown("the first series")
	look(3, 2, 90, 900)
	look(calmLooks-3, 2, 50, 900)
	wants("a burst", 100, 0, 0)
	look(settleLooks, 4, 60, 200)
	look(calmLooks, 4, 80, 300)
	unknown("two more partitions")
	look(calmLooks, 4, 80, 300)
	wants("two more partitions for longer", 300, 0, 0)
	look(2*calmLooks, 0, 500, 900)
	unknown("none is owned")
	look(4, 4, 80, 300) // what these say is not of two partitions
	look(settleLooks, 2, 20, 20)
	look(calmLooks-1, 2, 150, 160) // the next look makes a series
	unknown("what four partitions took, beside the first of two")
	look(1, 2, 57, 160)
	wants("what stays", 160, 7, 60)
	stage = true
	look(settleLooks+calmLooks, 2, 150, 300)
	unknown("what the case stage takes")
	look(calmLooks, 2, 153, 310)
	wants("what stays beside the case stage", 310, 3, 10)
}

// Who is first looked at while the broker is away, or while its readers come, is compared with
// what no more duties took while nothing failed.
func TestGrowthSinceCalm(t *testing.T) {
	calm := map[duties]int{{1, false}: 100, {1, true}: 120, {3, false}: 110}
	for has, want := range map[duties]int{{0, false}: 0, {1, false}: 100, {2, false}: 100, {2, true}: 120,
		{3, false}: 110, {4, true}: 120} {
		if got := below(calm, has); got != want {
			t.Errorf("%v: %d goroutines at least, want %d", has, got, want)
		}
	}
	var g growth
	for _, goroutines := range []int{70, 125} {
		for range settleLooks + calmLooks {
			if err := g.see(duties{partitions: 2}, goroutines, func() (int64, error) { return 0, nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, _ := g.grown(0, below(calm, g.owned)); got != 25 {
		t.Errorf("grown by %d goroutines, want 25", got)
	}
}

// The least of the first series counts, not of later ones.
func TestGrowthBase(t *testing.T) {
	g := growth{owned: duties{partitions: 2}}
	for _, heap := range []int64{500, 100, 300, 50, 60} {
		for range calmLooks {
			if err := g.see(duties{partitions: 2}, 50, func() (int64, error) { return heap, nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, bytes := g.grown(400, 0); bytes != 300 {
		t.Errorf("grown by %d, want 300 more than the least of the first %d series", bytes, baseSeries)
	}
}

// A member is not known to be small because each look found it so.
func TestPeakBetweenLooks(t *testing.T) {
	process, err := child.Start(exec.Command("sleep", "60"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer process.Kill()
	if machine.Peak(process.PID()) == 0 {
		t.Fatal("the system does not say")
	}
	m := &Member{process: process}
	if m.lookBack(); m.Usage().Resident != 0 {
		t.Error("a member that never answered was seen")
	}
	m.usage.Resident = 7
	if m.lookBack(); m.Usage().Resident <= 7 {
		t.Errorf("%d bytes at most, the kernel knows of %d", m.Usage().Resident, machine.Peak(process.PID()))
	}
}

// A member that keeps something is found by what it says of itself; one that does not say
// how many partitions it owns, or does not answer in the end, was not measured.
func TestGrowthOfAMember(t *testing.T) {
	const before = "process_resident_memory_bytes 7\nrecoup_partitions_assigned 4\ngo_goroutines 30\n" +
		"go_memstats_heap_alloc_bytes 1000\n"
	after := strings.NewReplacer("goroutines 30", "goroutines 41", "bytes 1000", "bytes 91000").Replace(before)
	for _, c := range []struct {
		name, before, after string
		want                Usage
	}{
		{"one that keeps something", before, after, Usage{Resident: 7, Goroutines: 41, GoroutinesGrown: 11, HeapGrown: 90_000,
			GrowthMeasured: true}},
		{"partitions under another name", strings.ReplaceAll(before, "recoup_", "other_"), after,
			Usage{Resident: 7, Goroutines: 41}},
		{"the case stage came to it", before, after + "recoup_stage_owner 1\n", Usage{Resident: 7, Goroutines: 41}},
		{"no answer in the end", before, "", Usage{Resident: 7, Goroutines: 30}},
	} {
		t.Run(c.name, func(t *testing.T) {
			said := c.before
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if said == "" {
					http.Error(w, "busy", http.StatusServiceUnavailable)
				}
				fmt.Fprint(w, said)
			}))
			defer server.Close()
			address := strings.TrimPrefix(server.URL, "http://")
			log, err := os.Create(filepath.Join(t.TempDir(), "member-1.log"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = log.Close() }()
			m := &Member{Name: "member-1", HTTP: address, pprof: address, log: log}
			for i := range 5 * calmLooks {
				if i == 3*calmLooks {
					said = c.after
				}
				if said != "" {
					m.look(server.Client())
				}
			}
			m.measure(server.Client(), nil)
			got := m.Usage()
			if (got.GrowthError == "") != c.want.GrowthMeasured {
				t.Errorf("error %q, measured %v", got.GrowthError, got.GrowthMeasured)
			}
			if got.GrowthError = ""; got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if !got.GrowthMeasured {
				return
			}
			for _, moment := range []string{"4-partitions", "end"} {
				kept := strings.TrimSuffix(log.Name(), ".log") + "-goroutines-" + moment + ".txt"
				if _, err := os.Stat(kept); err != nil {
					t.Errorf("where its goroutines stood is not kept: %v", err)
				}
			}
		})
	}
}
