package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
of clickhouse.retention. It may run at any time and as often as wanted; what is done already is left alone. A dry run
that cannot reach the server prints all there is.

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
	steps, err := sinks.Migrate(ctx, app.ClickHouse(&loaded.Config, s.logger(loaded.Log)), c.DryRun)
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
	return nil
}
