// Package scenario runs text files that say what recoup should find: usual
// invoices are loaded, one is scored, and the verdict is compared with what the
// file expects. `recoup check DIR` runs a user's files, the tests of package
// detectors run the ones in detectors/testdata/scenarios. README.md describes
// the format.
package scenario

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"recoup/detectors"
)

// Options say how to run.
type Options struct {
	// Settings the scenarios start from; `set` lines change a copy. By default
	// detectors.DefaultSettings.
	Settings *detectors.Settings
	// Rewrite puts what was found into the files, in place of what they expect.
	// By default files are only read.
	Rewrite bool
}

// Report is what a run came to.
type Report struct {
	Files     int       // files run
	Scenarios int       // scenarios in them
	Scores    int       // invoices compared with an expectation
	Rewritten int       // files changed by Options.Rewrite
	Failures  []Failure // in the order of the files and lines
	// Found is how many invoices, loaded or scored, had each code among their rules
	// or causes ("<code>:<kind>"); nil before the first.
	Found map[string]int
}

// Failure is one expectation that was not met.
type Failure struct {
	File      string // as found under the directory given
	Line      int    // of the expectation, from 1
	Scenario  string // title, "" before the first
	Key       string // what was compared, such as "rules"
	Want, Got string // expected and actual value, as the file writes them
}

// String returns "file:line: title: key: want …, got …".
func (f Failure) String() string {
	title := f.Scenario
	if title != "" {
		title += ": "
	}
	return fmt.Sprintf("%s:%d: %s%s: want %s, got %s", f.File, f.Line, title, f.Key, f.Want, f.Got)
}

// WriteTo writes the failures, one a line, and a line that sums up.
func (r Report) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	for _, f := range r.Failures {
		fmt.Fprintln(&b, f)
	}
	fmt.Fprintf(&b, "%d files, %d scenarios, %d invoices compared: ", r.Files, r.Scenarios, r.Scores)
	switch {
	case len(r.Failures) > 0:
		fmt.Fprintf(&b, "%d differences\n", len(r.Failures))
	case r.Rewritten > 0:
		fmt.Fprintf(&b, "%d files rewritten\n", r.Rewritten)
	default:
		fmt.Fprintln(&b, "all as expected")
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

// Run runs one file, or all *.txt files of a directory in the order of their
// names. An error means that something could not be run, a file that cannot be
// read or a line that is not of the format; it names all of them. Expectations
// that were not met are in the report.
func Run(path string, o Options) (Report, error) {
	files, err := list(path)
	if err != nil {
		return Report{}, err
	}
	settings := detectors.DefaultSettings()
	if o.Settings != nil {
		settings = *o.Settings
	}
	var report Report
	var problems []error
	for _, name := range files {
		if err := runFile(name, settings, o.Rewrite, &report); err != nil {
			problems = append(problems, err)
		}
	}
	return report, errors.Join(problems...)
}

// list returns the scenario files under a path.
func list(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot find scenarios: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	files, err := filepath.Glob(filepath.Join(escapeGlob(path), "*.txt"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("cannot find scenarios in %q: want files that end in .txt", path)
	}
	slices.Sort(files)
	return files, nil
}

// escapeGlob keeps a directory name from being read as a pattern.
func escapeGlob(path string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func runFile(name string, settings detectors.Settings, rewrite bool, report *Report) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("cannot read scenarios: %w", err)
	}
	f, err := parse(name, string(text))
	if err != nil {
		return err
	}
	r := newRunner(settings, report)
	if err := r.run(f); err != nil {
		return err
	}
	report.Files++
	if !rewrite {
		report.Failures = append(report.Failures, r.failures...)
		return nil
	}
	if len(r.failures) == 0 && !r.filled {
		return nil
	}
	report.Rewritten++
	if err := os.WriteFile(name, []byte(f.text()), 0o644); err != nil {
		return fmt.Errorf("cannot rewrite scenarios: %w", err)
	}
	return nil
}
