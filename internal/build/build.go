// Package build says what this program was built from.
package build

import (
	"cmp"
	"runtime/debug"
)

// version and revision are set with -ldflags "-X recoup/internal/build.version=…"
// where the repository is not at hand while building, as in a container image.
var version, revision string

// Info names one build. No field is empty: what nobody knows is "unknown".
type Info struct {
	// Version such as v1.2.3, or (devel).
	Version string
	// Revision is the commit; " (modified)" stands behind it when files differed from that.
	Revision string
	// Go is the version of the compiler.
	Go string
}

// Read returns what was built in, or else what the Go tools know.
func Read() Info {
	found := Info{Version: version, Revision: revision}
	known, ok := debug.ReadBuildInfo()
	if !ok {
		known = &debug.BuildInfo{}
	}
	commit, modified := "", ""
	for _, setting := range known.Settings {
		switch {
		case setting.Key == "vcs.revision":
			commit = setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			modified = " (modified)"
		}
	}
	if commit != "" {
		commit += modified
	}
	found.Version = cmp.Or(found.Version, known.Main.Version, "unknown")
	found.Revision = cmp.Or(found.Revision, commit, "unknown")
	found.Go = cmp.Or(known.GoVersion, "unknown")
	return found
}
