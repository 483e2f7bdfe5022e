//go:build !unix

package child

import "os/exec"

func detach(*exec.Cmd) {}

// killGroup can do nothing here: there are no process groups.
func killGroup(int) {}

// renice does nothing here: it would have this whole process come behind.
func renice(int) error { return nil }
