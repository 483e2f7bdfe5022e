package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"recoup/internal/app"
	"recoup/sinks"
)

// migrateCommand is `recoup migrate`.
type migrateCommand struct {
	DryRun bool `help:"Print the SQL, change nothing."`
}

// Help is the longer text of `recoup migrate --help`.
func (*migrateCommand) Help() string {
	return `Makes the database and its tables, or brings them to what this version of recoup needs, and sets the retention
of clickhouse.retention and the free space of clickhouse.min_free_disk. It may run at any time and as often as wanted;
what is done already is left alone. It ends when ClickHouse has rewritten the parts that this concerns, so that a
rolling restart may follow; interrupted, ClickHouse goes on, and running it again waits for the rest. A dry run that
cannot reach the server prints all there is.

Examples:

    recoup migrate --dry-run
    recoup migrate && recoup doctor`
}

// Run migrates.
func (c *migrateCommand) Run(ctx context.Context, s *session) error {
	loaded, err := s.settings()
	if err != nil {
		return err
	}
	settings := app.ClickHouse(&loaded.Config, s.logger(loaded.Log))
	steps, err := sinks.Migrate(ctx, settings, c.DryRun)
	did := "applied"
	if c.DryRun {
		did = "would apply"
	}
	for _, step := range steps {
		name := step.Name
		if step.Version > 0 {
			name = fmt.Sprintf("migration %d, %s", step.Version, step.Name)
		}
		fmt.Fprintf(s.stdout, "%s %s (%d statements)\n", did, name, len(step.Statements))
		if c.DryRun {
			fmt.Fprintf(s.stdout, "\n%s;\n\n", strings.Join(step.Statements, ";\n\n"))
		}
	}
	switch unseen := errors.Is(err, sinks.ErrUnseen); {
	case unseen && c.DryRun:
		fmt.Fprintf(s.stderr, "recoup: the above is all that an empty server needs: %v; fix: %s\n", err, reachClickHouse)
		return nil
	case unseen:
		return fmt.Errorf("%w; fix: %s", err, reachClickHouse)
	case err != nil:
		return err
	}
	if len(steps) == 0 {
		fmt.Fprintf(s.stdout, "nothing to do: database %s has schema %d\n", loaded.ClickHouse.Database, sinks.LatestSchema())
	}
	if c.DryRun {
		return nil
	}
	return s.awaitRewritten(ctx, settings)
}

// rewritingLine is how often a line says how far ClickHouse is, where no terminal shows it.
const rewritingLine = 10 * time.Second

// awaitRewritten waits until ClickHouse has rewritten the parts that a migration concerns, and
// shows how far it is.
func (s *session) awaitRewritten(ctx context.Context, settings sinks.Settings) error {
	var bar *progressbar.ProgressBar
	var all int64
	var said time.Time
	err := sinks.AwaitMutations(ctx, settings, func(left int64) {
		if bar == nil {
			all = left
			bar = progressbar.NewOptions64(all, progressbar.OptionSetWriter(s.stderr),
				progressbar.OptionSetVisibility(isTerminal(s.stderr)), progressbar.OptionSetDescription("parts"),
				progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		}
		_ = bar.Set64(all - left)
		if !isTerminal(s.stderr) && time.Since(said) >= rewritingLine {
			fmt.Fprintf(s.stderr, "ClickHouse rewrites parts: %d of %d left\n", left, all)
			said = time.Now()
		}
	})
	if bar != nil {
		_ = bar.Finish()
	}
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted while ClickHouse rewrites parts; it goes on, and `recoup migrate` waits for the " +
			"rest: restart no member before")
	case err == nil && bar != nil:
		fmt.Fprintf(s.stdout, "ClickHouse has rewritten all parts (%d)\n", all)
	}
	return err
}
