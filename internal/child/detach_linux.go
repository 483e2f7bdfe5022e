package child

import (
	"os/exec"
	"syscall"
)

func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// renice gives this thread, and the processes that it starts, a nice value unless it has as much; 0: none.
func renice(nice int) error {
	if nice == 0 {
		return nil
	}
	priority, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil || 20-priority >= nice { // the call returns 20 for nice 0, 1 for 19
		return err
	}
	return syscall.Setpriority(syscall.PRIO_PROCESS, 0, nice)
}
