package main

import (
	"fmt"
	"runtime/debug"

	"recoup/detectors"
	"recoup/invoice"
	"recoup/sinks"
)

// versionCommand is `recoup version`.
type versionCommand struct{}

// Run prints what this program was built from and what it writes.
func (*versionCommand) Run(s *session) error {
	version, revision, modified, goVersion := "unknown", "unknown", "", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version, goVersion = info.Main.Version, info.GoVersion
		for _, setting := range info.Settings {
			switch {
			case setting.Key == "vcs.revision":
				revision = setting.Value
			case setting.Key == "vcs.modified" && setting.Value == "true":
				modified = " (modified)"
			}
		}
	}
	_, err := fmt.Fprintf(s.stdout, "recoup %s\nrevision %s%s\n%s\nreads %s, writes %s\nmodel %s\ntables %d\n", version,
		revision, modified, goVersion, invoice.Schema, detectors.VerdictSchema, detectors.ModelVersion, sinks.LatestSchema())
	return err
}
