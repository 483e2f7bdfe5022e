// Command memory measures what engines take in memory and how fast they are with very many
// segments and customers: made-up invoices of 60 days go through real engines, one a partition,
// with checkpoints that all of them hear of. Kafka and ClickHouse are not part of it.
//
//	go run ./bench/memory --segments 1000000 --customers 1000000 --partitions 8
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// childVariable holds the plan of the copy of this program that measures: each run has a
// process of its own, whose memory holds nothing else.
const childVariable = "RECOUP_BENCH_MEMORY"

func main() {
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
	flag.IntVar(&p.Invoices, "invoices", 2_000_000, "invoices, over 60 days")
	limit := flag.String("memory-limit", "1400MiB", "GOMEMLIMIT of the measured processes")
	write := flag.Bool("write", false, "keep the result in bench/results")
	flag.Parse()
	base := p
	base.Segments = few
	var results []result
	for _, p := range []plan{base, p} {
		r, err := p.measure(*limit)
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	text := report(p, *limit, results)
	fmt.Print(text)
	if !*write {
		return nil
	}
	name := "memory-" + time.Now().UTC().Format(time.DateOnly) + ".md"
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

func report(p plan, limit string, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Memory and speed with very many segments\n\n`go run ./bench/memory --segments %d --customers %d "+
		"--partitions %d --invoices %d`, GOMEMLIMIT=%s: engines, checkpoints and shared baselines of all partitions in one "+
		"process, without Kafka and ClickHouse.\n\n", p.Segments, p.Customers, p.Partitions, p.Invoices, limit)
	b.WriteString("| segments | baselines of partitions | RSS, most | heap in use | invoices/s of CPU | " +
		"forgotten: segments, " +
		"customers | take-over of a partition |\n|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %d | %d | %d MiB | %d MiB | %.0f | %d, %d | %v |\n",
			r.Segments, r.Baselines, r.RSS>>20, r.Heap>>20,
			r.Rate, r.ForgottenSegments, r.ForgottenCustomers, r.TakeOver.Round(time.Millisecond))
	}
	fmt.Fprintf(&b, "\nSpeed with %d segments: %.2f of that with %d.\n", p.Segments, results[1].Rate/results[0].Rate, few)
	return b.String()
}
