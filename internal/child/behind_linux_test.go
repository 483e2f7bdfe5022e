package child

import (
	"bytes"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestStartBehind: the child comes behind, threads of this process do not.
func TestStartBehind(t *testing.T) {
	before, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p, err := StartBehind(exec.Command("nice"), 19, &out)
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if got := strings.TrimSpace(out.String()); got != "19" {
		t.Errorf("the child has nice value %q, want 19", got)
	}
	if after, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0); err != nil || after != before {
		t.Errorf("this thread has priority %d, %v; had %d", after, err, before)
	}
}
