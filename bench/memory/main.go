// Command memory measures what engines take in memory and how fast they are with very many
// segments and customers: made-up invoices of 120 days go through real engines, one a partition,
// with checkpoints that all of them hear of. Kafka and ClickHouse are not part of it.
//
//	go run ./bench/memory --segments 1000000 --customers 1000000 --partitions 8
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"recoup/bench/machine"
	"recoup/detectors"
	"recoup/internal/clickhouse"
)

// childVariable holds the plan of the copy of this program that measures: each run has a
// process of its own, whose memory holds nothing else.
const childVariable = "RECOUP_BENCH_MEMORY"

func main() {
	clickhouse.ChildMain()
	err := error(nil)
	if text := os.Getenv(childVariable); text != "" {
		err = child(text)
	} else {
		err = compare()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "memory:", err)
		os.Exit(1)
	}
}

// few is the number of segments that the others are compared with.
const few = 3000

func compare() error {
	p := plan{}
	flag.IntVar(&p.Segments, "segments", 1_000_000,
		"crosses of customer type and product family, each on at most 2 partitions")
	flag.IntVar(&p.Customers, "customers", 1_000_000, "customers")
	flag.IntVar(&p.Partitions, "partitions", 8, "partitions, all of one process")
	flag.IntVar(&p.Invoices, "invoices", 2_000_000,
		"invoices to begin with, which should be twice the customers, and as many to measure")
	flag.IntVar(&p.Rate, "rate", 20_000, "invoices a second, by which checkpoints come every 30 s")
	flag.IntVar(&p.Budget, "budget", detectors.DefaultBudget().Segments, "baselines of segments that are remembered")
	limit := flag.String("memory-limit", "1400MiB", "GOMEMLIMIT of the measured processes")
	verdicts := flag.Bool("verdicts", false,
		"compare each verdict with that of a run without a budget, over a stream that forgets and returns; "+
			"a control has one baseline wrong")
	whole := flag.Bool("process", false,
		"compare two processes of the real binary, with default settings, on real servers")
	beside := flag.Int("beside", few, "segments that --process compares with, 0: none")
	write := flag.Bool("write", false, "keep the result in bench/results")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	suffix, run := "", func() (string, error) { return p.speed(*limit) }
	switch {
	case *whole:
		suffix, run = "-process", func() (string, error) { return p.process(ctx, *beside) }
	case *verdicts:
		suffix, run = "-verdicts", func() (string, error) { return p.compareVerdicts(*limit) }
	}
	text, err := run()
	fmt.Print(text)
	if err != nil || !*write {
		return err
	}
	name := fmt.Sprintf("memory-%s-%d%s.md", time.Now().UTC().Format(time.DateOnly), p.Segments, suffix)
	return os.WriteFile(filepath.Join("bench", "results", name), []byte(text), 0o644)
}

// measure runs a plan in a process of its own.
func (p plan) measure(limit string) (r result, err error) {
	text, err := json.Marshal(p)
	if err != nil {
		return r, err
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+string(text), "GOMEMLIMIT="+limit)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("cannot measure %d segments: %w", p.Segments, err)
	}
	return r, json.Unmarshal(out, &r)
}

// speed compares a run of few segments with one of many.
func (p plan) speed(limit string) (string, error) {
	heading := machine.Heading("Memory and speed with very many segments", "")
	base := p
	base.Segments = few
	var results []result
	for _, p := range []plan{base, p} {
		r, err := p.measure(limit)
		if err != nil {
			return "", err
		}
		results = append(results, r)
	}
	return heading + p.report(limit, results), nil
}

func (p plan) report(limit string, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "`go run ./bench/memory --segments %d --customers %d "+
		"--partitions %d --invoices %d --rate %d`, GOMEMLIMIT=%s: engines, checkpoints and shared baselines of all "+
		"partitions in one process, without Kafka, decoding, rows and ClickHouse.\n\n",
		p.Segments, p.Customers, p.Partitions, p.Invoices, p.Rate, limit)
	b.WriteString("| segments | baselines of partitions | RSS, most | heap in use | forgotten: segments, customers " +
		"| take-over of a partition |\n|---|---|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %d | %d | %d MiB | %d MiB | %d, %d | %v |\n", r.Segments, r.Baselines, r.RSS>>20, r.Heap>>20,
			r.ForgottenSegments, r.ForgottenCustomers, r.TakeOver.Round(time.Millisecond))
	}
	b.WriteString("\nCPU time an invoice, in two halves: while segments and customers come for the first time, " +
		"and then.\n\n| segments | half | all | of it checkpoints | of it collections | records, bytes of checkpoints |\n" +
		"|---|---|---|---|---|---|\n")
	for _, r := range results {
		for i, h := range []half{r.Filling, r.Known} {
			fmt.Fprintf(&b, "| %d | %s | %v | %v | %v | %.2f, %.0f |\n", r.Segments, []string{"first", "second"}[i], h.CPU,
				h.Checkpoints, h.Collections, h.Records, h.Bytes)
		}
	}
	of := func(of func(*result) half) float64 {
		return float64(of(&results[0]).CPU) / float64(of(&results[1]).CPU)
	}
	fmt.Fprintf(&b, "\nSpeed with %d segments: %.2f of that with %d, and %.2f while they come for the first time.\n",
		p.Segments, of(func(r *result) half { return r.Known }), few, of(func(r *result) half { return r.Filling }))
	return b.String()
}

// spoilt is the number of segments of the controls.
const spoilt = 200_000

// smaller is the plan of the controls: so many segments that what is met often is remembered.
func (p plan) smaller() plan {
	p.Budget = max(1, p.Budget*spoilt/max(1, p.Segments))
	p.Segments, p.Customers = spoilt, min(p.Customers, spoilt)
	return p
}

// control has one baseline wrong in the run with a budget, and returns how many verdicts are
// found to be wrong for it.
func (p plan) control(limit string) (found int, err error) {
	p.Spoilt = true
	_, without, err := p.withAndWithout(limit)
	if err != nil {
		return 0, err
	}
	if found = without.Compared.Unexplained; found == 0 {
		return 0, errors.New("the comparison does not find a baseline that was made wrong: it cannot be trusted")
	}
	return found, nil
}

// withAndWithout runs a drifting plan with a budget, and again without one.
func (p plan) withAndWithout(limit string) (with, without result, err error) {
	file, err := os.CreateTemp("", "recoup-memory-")
	if err != nil {
		return with, without, err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	if err := file.Close(); err != nil {
		return with, without, err
	}
	p.Verdicts = file.Name()
	if with, err = p.measure(limit); err != nil {
		return with, without, err
	}
	p.Unbounded = true
	without, err = p.measure("off")
	return with, without, err
}

func (p plan) compareVerdicts(limit string) (string, error) {
	heading := machine.Heading("Verdicts with more segments than are remembered", "")
	small := p.smaller()
	if err := small.lying(limit); err != nil {
		return "", err
	}
	found, err := small.control(limit)
	if err != nil {
		return "", err
	}
	with, without, err := p.withAndWithout(limit)
	if err != nil {
		return "", err
	}
	c := without.Compared
	var b strings.Builder
	fmt.Fprintf(&b, heading+"`go run ./bench/memory --verdicts "+
		"--segments %d --customers %d --partitions %d --budget %d`: %d invoices, with that budget and GOMEMLIMIT=%s, and "+
		"again without a budget of segments. Both learn what is true.\n\n",
		p.Segments, p.Customers, p.Partitions, p.Budget, c.Invoices, limit)
	fmt.Fprintf(&b, "| | with a budget | without |\n|---|---|---|\n| RSS, most | %d MiB | %d MiB |\n"+
		"| CPU time an invoice, second half | %v | %v |\n| segments, customers forgotten | %d, %d | %d, %d |\n"+
		"| errors found, of %d | %d | %d |\n\n", with.RSS>>20, without.RSS>>20, with.Known.CPU, without.Known.CPU,
		with.ForgottenSegments, with.ForgottenCustomers, without.ForgottenSegments, without.ForgottenCustomers,
		c.Wrong, c.FoundFewer, c.Found)
	fmt.Fprintf(&b, "| verdicts | |\n|---|---|\n| equal | %d |\n| equal but for which 15 %% rules fired | %d |\n"+
		"| of baselines of fewer invoices, or at a wider level, by what is true there | %d |\n"+
		"| wrong: different in any other way | %d |\n"+
		"| of them not what follows from their own baselines | %d |\n"+
		"| right invoices that are suspect with a budget only, and without one only | %d, %d |\n",
		c.Equal, c.Rules, c.Fewer, c.Unexplained, c.Unfounded, c.FalseFewer, c.FalseMore)
	fmt.Fprintf(&b, "\nControls: with one wrong baseline among %d, %d verdicts are wrong; of %d verdicts on forgotten "+
		"segments that were made wrong (suspect, level, invoices, expected) each is found, and no other.\n", spoilt, found,
		len(lies))
	if c.Unexplained > 0 {
		return b.String(), fmt.Errorf("%d verdicts are wrong", c.Unexplained)
	}
	return b.String(), nil
}
