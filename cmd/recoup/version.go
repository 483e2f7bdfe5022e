package main

import (
	"fmt"

	"github.com/alecthomas/kong"

	"recoup/detectors"
	"recoup/internal/build"
	"recoup/invoice"
	"recoup/sinks"
)

// versionCommand is `recoup version`.
type versionCommand struct{}

// Run prints what this program was built from and what it writes.
func (*versionCommand) Run(s *session) error {
	_, err := fmt.Fprint(s.stdout, versionText())
	return err
}

// versionFlag is `recoup --version`, which says the same.
type versionFlag bool

// BeforeReset prints and ends the program before anything else is asked for.
func (versionFlag) BeforeReset(app *kong.Kong) error {
	_, err := fmt.Fprint(app.Stdout, versionText())
	app.Exit(0)
	return err
}

func versionText() string {
	b := build.Read()
	return fmt.Sprintf("recoup %s\nrevision %s\n%s\nreads %s, writes %s\nmodel %s\ntables %d\n",
		b.Version, b.Revision, b.Go, invoice.Schema, detectors.VerdictSchema, detectors.ModelVersion, sinks.LatestSchema())
}
