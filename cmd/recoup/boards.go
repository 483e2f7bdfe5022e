package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"recoup/dashboards"
	"recoup/dashboards/question"
)

// boardsCommand is `recoup boards`.
type boardsCommand struct {
	Out    string `required:"" placeholder:"DIR" help:"Directory to write to; made when missing."`
	Source string `enum:"clickhouse,recoup" default:"clickhouse" help:"clickhouse: the stock source; recoup: the plugin."`
	Lang   string `enum:"en,fr" default:"en" help:"Language of titles and texts: en or fr."`
}

// Help is the longer text of `recoup boards --help`.
func (*boardsCommand) Help() string {
	return `Writes the Grafana boards that fit this program, one JSON file each: overview, causes, recovery, alert quality,
pipeline, segment and invoice. Files of these names are written anew, others are left alone. A Grafana of 11.6 or
later reads the directory through a dashboard provider, or imports the files one by one.

With --source clickhouse they ask grafana-clickhouse-datasource with SQL, with --source recoup the plugin of this
repository; both need a Prometheus source for the pipeline. deploy/grafana holds all of them, docs/GRAFANA.md says
how to point a Grafana there.

Examples:

    recoup boards --out /var/lib/grafana/dashboards
    recoup boards --out boards --source recoup --lang fr`
}

// Run writes the boards.
func (c *boardsCommand) Run(s *session) error {
	files, err := dashboards.Files(dashboards.Source(c.Source), question.Lang(c.Lang))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return fmt.Errorf("cannot make the directory for boards: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file := filepath.Join(c.Out, name)
		if err := os.WriteFile(file, files[name], 0o644); err != nil {
			return fmt.Errorf("cannot write a board: %w", err)
		}
		fmt.Fprintln(s.stdout, file)
	}
	return nil
}
