package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"recoup/detectors"
	"recoup/detectors/scenario"
	"recoup/internal/config"
)

// checkCommand is `recoup check`.
type checkCommand struct {
	Dir     string   `arg:"" help:"Directory of scenario files (*.txt), or one file."`
	Rewrite bool     `help:"Put what was found into the files, in place of what they expect."`
	Set     []string `placeholder:"KEY=VALUE" sep:"none" help:"Change a scoring setting, such as deviation=12%."`
}

// Help is the longer text of `recoup check --help`.
func (*checkCommand) Help() string {
	return `A scenario file loads usual invoices, scores one and says what to expect of it; the format stands in
detectors/scenario/README.md. Write some from invoices you know, and see what another threshold would do to them.

Examples:

    recoup check scenarios/
    recoup check scenarios/ --set deviation=12% --set handling_cost.EUR=30
    recoup check scenarios/ --rewrite && git diff scenarios/

Exit code 1: something came out differently, or a file compares nothing.`
}

// Run runs the files one by one.
func (c *checkCommand) Run(s *session) error {
	loaded, err := s.settings()
	if err != nil {
		return err
	}
	settings, err := override(&loaded.Config, c.Set)
	if err != nil {
		return err
	}
	files, err := scenarioFiles(c.Dir)
	if err != nil {
		return err
	}
	failed, scenarios := 0, 0
	for _, file := range files {
		report, err := scenario.Run(file, scenario.Options{Settings: &settings, Rewrite: c.Rewrite})
		if err == nil && report.Scores == 0 && len(report.Failures) == 0 {
			err = fmt.Errorf("%s: cannot check anything: no %q follows a load or score line", file, "----")
		}
		if err != nil || len(report.Failures) > 0 {
			failed++
		}
		scenarios += report.Scenarios
		c.report(s, file, report, err)
	}
	fmt.Fprintf(s.stdout, "%d files, %d scenarios: ", len(files), scenarios)
	if failed > 0 {
		fmt.Fprintf(s.stdout, "%d files failed\n", failed)
		return &exitError{code: exitFailed}
	}
	fmt.Fprintln(s.stdout, "all as expected")
	return nil
}

// report prints the outcome of one file.
func (c *checkCommand) report(s *session, file string, report scenario.Report, err error) {
	switch {
	case err != nil:
		fmt.Fprintf(s.stdout, "FAIL  %s\n      %v\n", file, err)
	case report.Rewritten > 0:
		fmt.Fprintf(s.stdout, "new   %s\n", file)
	case len(report.Failures) == 0:
		fmt.Fprintf(s.stdout, "ok    %s\n", file)
	default:
		fmt.Fprintf(s.stdout, "FAIL  %s\n", file)
		for _, f := range report.Failures {
			fmt.Fprintf(s.stdout, "      %s\n", f)
		}
	}
}

// override returns the scoring settings with the changes of --set.
func override(c *config.Config, changes []string) (detectors.Settings, error) {
	for _, change := range changes {
		key, value, ok := strings.Cut(change, "=")
		if !ok {
			return detectors.Settings{}, usage("cannot use --set %s: expected KEY=VALUE, such as deviation=12%%", change)
		}
		if err := c.Set("scoring."+strings.TrimPrefix(key, "scoring."), value); err != nil {
			return detectors.Settings{}, usage("%w", err)
		}
	}
	if problems := c.Validate(); len(problems) > 0 {
		return detectors.Settings{}, usage("%w", &config.Error{Problems: problems})
	}
	return c.Scoring.Settings(), nil
}

// scenarioFiles lists the files of a directory in the order of their names.
func scenarioFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot find scenarios: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read scenarios: %w", err)
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && filepath.Ext(e.Name()) == ".txt" {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, errors.New("cannot find scenarios in " + path + ": no file ends in .txt")
	}
	slices.Sort(files)
	return files, nil
}
