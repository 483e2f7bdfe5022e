// Package machine says what was measured, and beside what: it stands above figures.
package machine

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Heading is the title of a report with today's date, and beneath it the machine, how busy
// it is at this moment with other work, and the commit. versions names the servers, "" where
// there are none.
func Heading(title, versions string) string {
	if versions != "" {
		versions += ", "
	}
	return fmt.Sprintf("# %s, %s\n\n%d cores, load average before %s, %s, %s/%s, %scommit %s. "+
		"Method: bench/README.md.\n\n", title, time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), LoadAverage(),
		runtime.Version(), runtime.GOOS, runtime.GOARCH, versions, Commit())
}

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

// Peak is the most memory that a process ever had resident, in bytes, as the kernel keeps it; 0 where
// the system does not say. Who looks at what is resident each second misses what lies between.
func Peak(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	return 0
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
