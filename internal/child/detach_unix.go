//go:build unix && !linux

package child

import (
	"os/exec"
	"syscall"
)

// detach cannot tie the child's life to the parent's here: only Linux can.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// renice does nothing here: it would have this whole process come behind.
func renice(int) error { return nil }
