// Command accuracy measures how well recoup finds errors: it replays labelled
// invoices, each scored before it teaches, and prints figures with 95 %
// intervals beside their targets. bench/README.md says how to read them.
//
//	go run ./bench/accuracy
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"recoup/detectors"
)

// options are the flags.
type options struct {
	data      string
	results   string
	only      string
	quick     bool
	write     bool
	json      string
	misses    string
	resamples int
}

func main() {
	var o options
	flag.StringVar(&o.data, "data", filepath.Join("bench", "corpus"), "directory of the corpora")
	flag.StringVar(&o.only, "only", "", "measure this data set only")
	flag.BoolVar(&o.quick, "quick", false, "one variant, no peers, 200 resamples")
	flag.IntVar(&o.resamples, "resamples", 1000, "resamples of the bootstrap intervals")
	flag.StringVar(&o.json, "json", "", "write all figures to this file")
	flag.StringVar(&o.misses, "misses", "", "write missed errors and false alerts to this file, tab-separated")
	flag.BoolVar(&o.write, "write", false, "keep the report in the directory of --results")
	flag.StringVar(&o.results, "results", filepath.Join("bench", "results"), "directory of kept reports")
	flag.Parse()
	if err := run(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		os.Exit(1)
	}
}

// run measures what the options ask for and prints the report.
func run(o options, out io.Writer) error {
	if flag.NArg() > 0 {
		return fmt.Errorf("cannot use argument %q: want flags only, see --help", flag.Arg(0))
	}
	r, err := measureAll(o)
	if err != nil {
		return err
	}
	text := report(r)
	fmt.Fprint(out, text)
	if o.json != "" {
		content, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.json, append(content, '\n'), 0o644); err != nil {
			return err
		}
	}
	if o.write {
		return keep(o, text)
	}
	return nil
}

// measureAll measures every data set in turn, so that only one is in memory.
func measureAll(o options) (*results, error) {
	m := &measurement{
		resamples: o.resamples, settings: detectors.DefaultSettings(), progress: io.Discard,
	}
	if o.quick {
		m.quick, m.resamples = true, min(o.resamples, 200)
	}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		m.progress = os.Stderr
	}
	if o.misses != "" {
		m.misses = &missFile{}
	}
	r := &results{Resamples: m.resamples}
	names, err := findDatasets(o.data)
	if err != nil {
		return nil, err
	}
	if o.only != "" {
		if !slices.Contains(names, o.only) {
			return nil, fmt.Errorf("cannot measure %q: want one of %s", o.only, strings.Join(names, ", "))
		}
		names = []string{o.only}
	}
	for _, name := range names {
		data, err := loadDataset(o.data, name)
		if err != nil {
			return nil, err
		}
		set, err := m.set(data)
		if err != nil {
			return nil, err
		}
		r.Sets = append(r.Sets, *set)
		data = nil
		runtime.GC()
	}
	if o.misses != "" {
		err = m.misses.write(o.misses)
	}
	return r, err
}

// keep writes the report with its date.
func keep(o options, text string) error {
	date := time.Now().UTC().Format(time.DateOnly)
	file := filepath.Join(o.results, "accuracy-"+date+".md")
	if err := os.WriteFile(file, []byte("# Accuracy, "+date+"\n\n"+text), 0o644); err != nil {
		return fmt.Errorf("cannot keep the report: %w", err)
	}
	fmt.Fprintln(os.Stderr, "kept in", file)
	return nil
}
