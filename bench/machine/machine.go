// Package machine says what was measured, and beside what: it stands above figures.
package machine

import (
	"os"
	"os/exec"
	"strings"
)

// LoadAverage is how busy the machine is with other work, over the last minute; empty where
// the system does not say.
func LoadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	oneMinute, _, _ := strings.Cut(string(text), " ")
	return oneMinute
}

// Commit names the state of the repository, "-dirty" behind it where files differ; empty
// outside of one.
func Commit() string {
	name, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}
