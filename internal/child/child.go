// Package child starts server processes that cannot outlive the process that
// started them, and finds ports for them.
package child

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// tailBytes is how much of a child's last output is kept for error messages.
const tailBytes = 4096

// Process is a started child. Its methods may be called concurrently.
type Process struct {
	cmd  *exec.Cmd
	tail tail
	done chan struct{}
	err  error // how it ended; read it only after done is closed
}

// Start runs cmd in its own process group, so that Ctrl-C in the terminal
// reaches only the parent, and has the kernel kill it when the parent dies
// (Linux). What the child prints goes to log, which may be nil.
func Start(cmd *exec.Cmd, log io.Writer) (*Process, error) { return StartBehind(cmd, 0, log) }

// StartBehind is Start for a child whose work comes behind that of others while the processors are
// busy: it has at least the nice value, 0 to 19, on Linux. 0 is that of this process.
func StartBehind(cmd *exec.Cmd, nice int, log io.Writer) (*Process, error) {
	p := &Process{cmd: cmd, done: make(chan struct{})}
	var out io.Writer = &p.tail
	if log != nil {
		out = io.MultiWriter(&p.tail, log)
	}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = 5 * time.Second // a grandchild that keeps the pipe open
	detach(cmd)

	started := make(chan error)
	go func() {
		// The kernel sends the death signal when the thread that forked ends,
		// not when the process does: this thread lives as long as the child.
		// It stays locked, and ends with this function: others must not get its nice value.
		runtime.LockOSThread()
		if err := renice(nice); err != nil {
			started <- err
			return
		}
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended says how the process ended and what it printed last. It is nil while
// the process runs.
func (p *Process) Ended() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	how := "exit status 0"
	if p.err != nil {
		how = p.err.Error()
	}
	if said := p.tail.String(); said != "" {
		return fmt.Errorf("process %d ended: %s; it printed last:\n%s", p.PID(), how, said)
	}
	return fmt.Errorf("process %d ended: %s", p.PID(), how)
}

// Output returns the last 4 KiB the process printed.
func (p *Process) Output() string { return p.tail.String() }

// Kill ends the process at once (SIGKILL) and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // fails only when it is gone already
	<-p.done
}

// KillGroup ends the process and those it started in its group at once, and
// waits.
func (p *Process) KillGroup() {
	if p.Ended() == nil {
		killGroup(p.PID())
	}
	p.Kill()
}

// Stop asks the process to end (SIGTERM) and waits. When ctx ends first it
// kills the process and says so.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && p.Ended() == nil {
		p.Kill()
		return nil
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("cannot stop process %d in time, killed it: %w", p.PID(), ctx.Err())
	}
}

// Ports of servers lie below the range the kernel takes ports of outgoing
// connections from: a server that is down for a while finds its port free.
const (
	firstPort = 20000
	lastPort  = 32000
)

// FreePort returns a loopback port that nobody listens on just now. Whoever
// uses it must be ready to try another one.
func FreePort() (int, error) {
	listener, err := Listen()
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// Listen returns a listener on a loopback port of the same range as FreePort's.
func Listen() (net.Listener, error) {
	var err error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		var listener net.Listener
		if listener, err = net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return listener, nil
		}
	}
	return nil, fmt.Errorf("cannot find a free port between %d and %d: %w", firstPort, lastPort, err)
}

// tail keeps the last bytes written to it.
type tail struct {
	mu  sync.Mutex // guards buf: the child's writer and readers of the message
	buf []byte
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailBytes; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.buf))
}
