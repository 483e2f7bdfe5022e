// Command chaos breaks recoup on purpose. It runs processes of the real binary on a real
// Kafka and a real ClickHouse, sends invoices of which the truth is known, duplicates,
// late ones, skewed clocks and garbage among them, and meanwhile kills, pauses, adds and
// removes members, at random and at chosen points of the protocol, and servers, and the
// connections between them. Then it has everything audited (bench/auditor): nothing may be
// lost, doubled or contradicted. What it draws follows from the seed.
//
//	go run ./bench/chaos --seed 1 --minutes 20
//	go run ./bench/chaos --short
//
// That such a matrix can see is shown by controls that must fail, and CI runs them. Of the
// protocol they are the mutations of pipeline/simulation (mutation_test.go): no token with
// lost acknowledgements, no skip-set, no fence, no epoch in state records, no ownership
// record, commit before write, and more. On the real servers it is "control without
// tokens" in bench/cluster: acknowledgements that are cut, and a table that forgets tokens.
package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"recoup/bench/machine"
	"recoup/internal/clickhouse"
)

// flags are the command line.
type flags struct {
	Seed    uint64   `help:"What is drawn: the same seed, the same faults in order. By default 1; with --short the day."`
	Minutes float64  `help:"How long all of it takes, about." default:"20"`
	Short   bool     `help:"One scene of the quickest faults, in some three minutes; it fails after six."`
	Only    []string `help:"Play these scenes only." placeholder:"NAME"`
	Out     string   `help:"Append the matrix to this file, as markdown." placeholder:"FILE" type:"path"`
	Keep    string   `help:"Keep settings and logs of the members in this directory." placeholder:"DIR" type:"path"`
	Old     string   `help:"An earlier release, by default built from the history." placeholder:"FILE" type:"path"`
	// Warehouse is a directory on a small file system of its own.
	Warehouse string `help:"Keep ClickHouse here, on a small disk that is filled." placeholder:"DIR" type:"path"`
}

func main() {
	clickhouse.ChildMain()
	var f flags
	kong.Parse(&f, kong.Description("Break recoup in every way and compare what comes out with what went in."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, over := f.limit(ctx)
	ok, err := run(ctx, f)
	err = late(ctx, err)
	over()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run plays the scenes and tells whether all was as it should be.
func run(ctx context.Context, f flags) (ok bool, err error) {
	began := time.Now()
	if f.Seed == 0 {
		f.Seed = 1
		if f.Short {
			f.Seed = uint64(began.Unix() / int64((24 * time.Hour).Seconds()))
		}
	}
	chosen, err := f.scenes()
	if err != nil {
		return false, err
	}
	dir := f.Keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "recoup-chaos-"); err != nil {
			return false, err
		}
		defer func() { _ = os.RemoveAll(dir) }()
	}
	say("starting Kafka and ClickHouse, building recoup")
	site, err := open(ctx, dir, f.Warehouse, f.Old)
	if err != nil {
		return false, err
	}
	defer site.close()
	end := began.Add(time.Duration(f.Minutes * float64(time.Minute)))
	m := matrix{seed: f.Seed, commit: machine.Commit(), began: began}
	for i := range chosen {
		// What is left is shared by the scenes that are left, by their weights.
		s, left := chosen[i], time.Until(end)
		for _, later := range chosen[i:] {
			left -= overhead
			s.share += later.weight
		}
		faults := max(time.Duration(float64(left)*s.weight/s.share), leastFaults)
		if f.Short {
			faults = shortFaults
		}
		say("scene %d of %d: %s, %v of faults", i+1, len(chosen), s.name, faults.Round(time.Second))
		play := newPlay(site, s, rand.New(rand.NewPCG(f.Seed, s.stream)))
		result, err := play.run(ctx, filepath.Join(dir, s.name), faults)
		m.took = time.Since(began)
		if err != nil {
			m.print(os.Stdout) // what was found so far
			return false, fmt.Errorf("scene %s, seed %d: %w", s.name, f.Seed, err)
		}
		m.add(result)
	}
	m.print(os.Stdout)
	if f.Out != "" {
		err = m.write(f.Out)
	}
	return m.ok(), err
}

// mostShort is how long the short form may take, building and starting included: CI waits
// for it.
const mostShort = 6 * time.Minute

// errLate is a short form that is none.
var errLate = fmt.Errorf("--short has taken more than %v and is given up: run it beside less, "+
	"or take faults out of it (scenes.go)", mostShort)

// limit ends a short form that takes too long.
func (f *flags) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if !f.Short {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, mostShort, errLate)
}

// late says of a run that was ended because it took too long that it was: whatever was under
// way then fails in words of its own.
func late(ctx context.Context, err error) error {
	switch {
	case !errors.Is(context.Cause(ctx), errLate) || errors.Is(err, errLate):
		return err
	case err == nil:
		return errLate
	}
	return fmt.Errorf("%w; meanwhile: %w", errLate, err)
}

const (
	overhead    = 45 * time.Second // of a scene, beside its faults
	leastFaults = 30 * time.Second
	shortFaults = 90 * time.Second
)

// scenes returns those that the flags choose.
func (f *flags) scenes() (chosen []scene, err error) {
	if f.Short {
		return []scene{short(f.Seed)}, nil
	}
	var names []string
	for _, s := range scenes() {
		names = append(names, s.name)
		if len(f.Only) == 0 || slices.Contains(f.Only, s.name) {
			chosen = append(chosen, s)
		}
	}
	for _, name := range f.Only {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("cannot play scene %q: want one of %s", name, strings.Join(names, ", "))
		}
	}
	if len(chosen) == 0 {
		err = errors.New("cannot play nothing")
	}
	return chosen, err
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().UTC().Format("15:04:05 ")+format+"\n", args...)
}
