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
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"recoup/detectors"
)

// options are the flags.
type options struct {
	data, results, only, json, misses string
	quick, leaveOneOut, ladder, all   bool
	feedback                          bool
	write                             bool
	resamples                         int
}

// bundled is the directory of the corpora that come with recoup.
var bundled = filepath.Join("bench", "corpus")

// quickResamples is how many resamples --quick takes at most.
const quickResamples = 200

// about is what --help says before the flags.
const about = `Measures how well recoup finds errors: replays invoices whose errors are known, each scored before it
teaches, and prints precision, recall, causes and money with 95 % intervals beside their targets; bench/README.md says
more. --quick --only retail takes about a minute, --all about 20 minutes.

Examples:

    go run ./bench/accuracy --quick --only retail
    go run ./bench/accuracy --only grocery --misses misses.tsv
    go run ./bench/accuracy --all --write

Flags:

`

func main() {
	var o options
	flag.StringVar(&o.data, "data", bundled, "directory of the corpora")
	flag.StringVar(&o.only, "only", "", "measure this data set only, such as retail, grocery or recurring")
	flag.BoolVar(&o.leaveOneOut, "leave-one-out", false,
		"only measure what is found of each cause when it is not among the self-injected errors")
	flag.BoolVar(&o.ladder, "cv-ladder", false, "only measure made-up segments of rising spread")
	flag.BoolVar(&o.feedback, "feedback", false,
		"only measure what is found better once people decided what was flagged")
	flag.BoolVar(&o.all, "all", false, "measure the corpora, --leave-one-out and --cv-ladder")
	flag.BoolVar(&o.quick, "quick", false, "one variant, no peers, at most 200 resamples")
	flag.IntVar(&o.resamples, "resamples", 1000, "resamples of the bootstrap intervals")
	flag.StringVar(&o.json, "json", "", "write all figures to this file")
	flag.StringVar(&o.misses, "misses", "",
		"write missed errors, false alerts, wrong causes and wrong losses to this file, tab-separated")
	flag.BoolVar(&o.write, "write", false, "keep the report in the directory of --results")
	flag.StringVar(&o.results, "results", filepath.Join("bench", "results"), "directory of kept reports")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), about)
		flag.PrintDefaults()
	}
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
	started := time.Now()
	r, err := measureAll(o)
	if err != nil {
		return err
	}
	took := time.Since(started).Round(time.Second)
	fmt.Fprintln(os.Stderr, "measured in", took)
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
		return keep(o, text, took)
	}
	return nil
}

// measureAll measures what the options ask for.
func measureAll(o options) (*results, error) {
	m := &measurement{resamples: o.resamples, settings: detectors.DefaultSettings(), progress: io.Discard, quick: o.quick}
	if o.quick {
		m.resamples = min(o.resamples, quickResamples)
	}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		m.progress = os.Stderr
	}
	if o.misses != "" {
		m.misses = &missFile{}
	}
	r := &results{Resamples: m.resamples}
	if o.all || o.leaveOneOut || o.feedback || !o.ladder {
		if err := measureSets(o, m, r); err != nil {
			return nil, err
		}
	}
	if o.all || o.ladder {
		r.Ladder = climb(m.settings, ladderSpreads, ladderInvoices)
	}
	if o.misses != "" {
		return r, m.misses.write(o.misses)
	}
	return r, nil
}

// measureSets measures the data sets one after the other, so that only one is
// in memory.
func measureSets(o options, m *measurement, r *results) error {
	names, err := choose(o)
	if err != nil {
		return err
	}
	for _, name := range names {
		var data *dataset
		if name == recurringName {
			data = recurringData()
		} else if data, err = loadDataset(o.data, name); err != nil {
			return err
		}
		set := describe(data)
		if o.all || !o.leaveOneOut && !o.feedback {
			m.set(data, set)
		}
		if o.feedback && name != recurringName {
			set.Feedback = m.feedback(data)
		}
		if o.leaveOneOut || o.all && name != recurringName { // it is asked of the corpora
			set.LeftOut = m.leaveOneOut(data, set.causes())
		}
		r.Sets = append(r.Sets, *set)
	}
	return nil
}

// choose returns the names of the data sets to measure. What is made up comes
// with the bundled corpora, or when it is asked for.
func choose(o options) ([]string, error) {
	if o.only == recurringName {
		return []string{o.only}, nil
	}
	names, err := findDatasets(o.data)
	if err != nil {
		return nil, err
	}
	if o.data == bundled {
		names = append(names, recurringName)
	}
	if o.only == "" {
		return names, nil
	}
	if !slices.Contains(names, o.only) {
		return nil, fmt.Errorf("cannot measure %q: want one of %s", o.only, strings.Join(names, ", "))
	}
	return []string{o.only}, nil
}

// keep writes the report with its date and the time it took.
func keep(o options, text string, took time.Duration) error {
	date := time.Now().UTC().Format(time.DateOnly)
	name := "accuracy-"
	if o.feedback && !o.all {
		name = "feedback-" // it holds nothing else
	}
	file := filepath.Join(o.results, name+date+".md")
	if err := os.WriteFile(file, fmt.Appendf(nil, "# Accuracy, %s\n\nMeasured in %v, %d replays at a time. %s",
		date, took, parallel, text), 0o644); err != nil {
		return fmt.Errorf("cannot keep the report: %w", err)
	}
	fmt.Fprintln(os.Stderr, "kept in", file)
	return nil
}
