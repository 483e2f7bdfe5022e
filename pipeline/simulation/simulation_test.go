// Package simulation_test runs the real worker and the real case stage on a log and a
// store in memory, in virtual time, with faults drawn from a seed: processes that are
// killed at any effect, before it, after it or in the middle; that are paused there and
// woken up after another has followed; that the group gives up while they work; writes that
// are torn, repeated, or whose answer is lost; a store that is away; one or two members at
// a time; invoices that come twice; topics that are compacted; budgets with less room than
// there are segments. Whatever happens, what is left
// must be what a run without faults leaves: rows and lines once, decisions, cases, dead
// letters, baselines and history. On the way no offset is committed before its
// row, decision and case are there, no case is published before its decision, and nobody who
// was given up makes effects for longer than the fence allows.
//
//	go test -count=1 -v ./pipeline/simulation -run TestSimulation    10,000 seeds, and how long they take
//	go test -v ./pipeline/simulation -run TestSimulation -seeds 1000000 -budget 9h -timeout 10h
//	go test -v ./pipeline/simulation -run TestSimulation -seed 4711      one seed, step by step
//
// That it can see is tested too: mutation_test.go breaks the protocol in many ways, and each
// has to be found.
package simulation_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
)

var (
	seedFlag = flag.Int64("seed", -1, "run this seed only and, with -v, print what happens")
	seeds    = flag.Uint64("seeds", 10_000, "how many seeds to run")
	from     = flag.Uint64("from", 0, "the first of the seeds to run")
	budget   = flag.Duration("budget", 0, "begin no further seed after this time; 0: run all seeds, however long it takes")
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(1000)   // worlds are small and short-lived
	runtime.MemProfileRate = 0 // unless -memprofilerate says more
	os.Exit(m.Run())
}

// references is what each variant comes to without faults.
func references(t *testing.T) []*outcome {
	wants := make([]*outcome, variants)
	for v := range wants {
		wants[v] = faultFree(t, uint64(v))
		if len(wants[v].wrong) > 0 {
			t.Fatalf("variant %d without faults: %v", v, wants[v].wrong)
		}
	}
	return wants
}

// G1 to G6, G9.
func TestSimulation(t *testing.T) {
	wants := references(t)
	if *seedFlag >= 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // TestReplay says why
		runSeed(t, uint64(*seedFlag), wants, func(s step) { t.Log(s) })
		return
	}
	began := time.Now()
	var next, done atomic.Uint64
	var failed atomic.Bool
	t.Run("seeds", func(t *testing.T) {
		for i := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint("of processor ", i), func(t *testing.T) {
				t.Parallel()
				for !failed.Load() && (*budget == 0 || time.Since(began) < *budget) {
					seed := next.Add(1) - 1
					if seed >= *seeds {
						return
					}
					runSeed(t, *from+seed, wants, nil)
					done.Add(1)
					if t.Failed() {
						failed.Store(true)
					}
				}
			})
		}
	})
	t.Logf("%d of %d seeds in %v; %d tombstones, %d of them late", done.Load(), *seeds,
		time.Since(began).Round(time.Millisecond), tombstones.Load(), lateTombstones.Load())
	if *budget == 0 && done.Load() != *seeds && !failed.Load() {
		t.Errorf("%d seeds were run, want %d", done.Load(), *seeds)
	}
	if done.Load() >= 1000 && lateTombstones.Load() == 0 {
		t.Error("no seed has a tombstone that comes late")
	}
	for _, owner := range []string{"silent", "leaving"} {
		for _, result := range []string{"used", "moved", "released"} {
			n := preparations(t, owner, result)
			t.Logf("%d preparations of %s owners were %s", n, owner, result)
			rare := owner == "leaving" && result == "moved" // it writes no state behind its mark
			if done.Load() >= 1000 && n == 0 && !rare && !t.Failed() {
				t.Errorf("no preparation of a %s owner is %s", owner, result)
			}
		}
	}
}

// preparations is how many ended so, in all seeds.
func preparations(t *testing.T, owner, result string) int {
	var m dto.Metric
	if err := metrics.Preparations.WithLabelValues(owner, result).Write(&m); err != nil {
		t.Fatal(err)
	}
	return int(m.GetCounter().GetValue())
}

// runSeed runs one seed and reports what differs from the run without faults, and the course
// it took: nothing that is to be seen depends on whether it takes the same one again.
func runSeed(t *testing.T, seed uint64, wants []*outcome, trace func(step)) {
	var wrong []string
	var course []step
	ended := false
	defer func() {
		if trace == nil && (len(wrong) > 0 || !ended) {
			var text strings.Builder
			for _, s := range course {
				text.WriteString(s.String() + "\n")
			}
			t.Logf("seed %d took this course:\n%s", seed, &text)
		}
	}()
	note := trace
	if trace == nil {
		note = func(s step) { course = append(course, s) }
	}
	synctest.Test(t, func(t *testing.T) {
		pl := newPlan(seed)
		wrong = simulate(seed, pl, wants[pl.variant], note)
		ended = true
	})
	if len(wrong) > 0 {
		t.Errorf("seed %d leaves %d differences:\n%s\nreplay it with: "+
			"go test ./pipeline/simulation -run TestSimulation -v -seed %d",
			seed, len(wrong), strings.Join(samples(wrong), "\n"), seed)
	}
}

// samples are the first difference of each kind.
func samples(wrong []string) (list []string) {
	seen := map[string]bool{}
	for _, difference := range wrong {
		kind, _, _ := strings.Cut(difference, " ")
		if !seen[kind] {
			list = append(list, difference)
		}
		seen[kind] = true
	}
	return list
}

// A seed that is replayed takes the same course, step by step, each time. That is so on one
// processor, and all but so: two things may happen at the same instant, as one makes room for the
// other. On two processors, as TestSimulation runs seeds, one of seven takes another course each time.
func TestReplay(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	wants := references(t)
	var other []uint64
	for seed := range uint64(60) {
		var courses [2]string
		for i := range courses {
			var course strings.Builder
			runSeed(t, seed, wants, func(s step) { course.WriteString(s.String() + "\n") })
			courses[i] = course.String()
		}
		if courses[0] != courses[1] {
			other = append(other, seed)
		}
	}
	if len(other) > 3 {
		t.Errorf("seeds %v of 60 take another course the second time", other)
	}
}
