package cluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"recoup/bench/machine"
	"recoup/internal/child"
)

// Member is a process of `recoup run`. It dies with this process.
type Member struct {
	// Name is its place in the order of joining: "member-1".
	Name string
	// HTTP is the host:port of /metrics and /readyz.
	HTTP string

	process *child.Process
	log     *os.File
	pprof   string     // host:port where it has garbage collected
	mu      sync.Mutex // guards what follows
	usage   Usage
	growth  growth
}

// Usage is what a member took, as the kernel and it itself told.
type Usage struct {
	// Member is the member's name.
	Member string `json:"member"`
	// Resident is the most memory it ever had by the last look, in bytes, as the kernel keeps it;
	// 0: it was never seen.
	Resident int64 `json:"resident_bytes"`
	// Goroutines is how many it had when it was seen last.
	Goroutines int `json:"goroutines"`
	// GrowthMeasured says that MeasureGrowth found what follows; else GrowthError says why
	// not, "" where the member did not run.
	GrowthMeasured bool `json:"growth_measured"`
	// GrowthError says why growth was not measured.
	GrowthError string `json:"growth_error,omitempty"`
	// GoroutinesGrown is how many more it had at MeasureGrowth than when it first owned as
	// many partitions.
	GoroutinesGrown int `json:"goroutines_grown"`
	// HeapGrown is how many bytes what it keeps in memory grew by, likewise.
	HeapGrown int64 `json:"heap_grown_bytes"`
}

// Join starts a further member; extra are variables for its environment (NAME=value), among
// which RECOUP_CONFIG names another configuration.
// It does not wait until the group has given it partitions.
func (c *Cluster) Join(extra ...string) (*Member, error) { return c.JoinAs(c.binary, extra...) }

// JoinAs starts a further member that runs another build of recoup.
func (c *Cluster) JoinAs(binary string, extra ...string) (*Member, error) {
	port, err := child.FreePort()
	if err != nil {
		return nil, err
	}
	profiles, err := child.FreePort()
	if err != nil {
		return nil, err
	}
	m := &Member{Name: fmt.Sprintf("member-%d", len(c.members)+1), HTTP: fmt.Sprintf("127.0.0.1:%d", port),
		pprof: fmt.Sprintf("127.0.0.1:%d", profiles)}
	if m.log, err = os.Create(m.LogFile(c)); err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "run")
	cmd.Env = append(append(os.Environ(), "RECOUP_CONFIG="+c.file, "RECOUP_HTTP_LISTEN="+m.HTTP,
		"RECOUP_PPROF_ENABLED=true", "RECOUP_PPROF_LISTEN="+m.pprof), extra...)
	if m.process, err = child.Start(cmd, m.log); err != nil {
		_ = m.log.Close()
		return nil, err
	}
	m.usage.Member = m.Name
	c.members = append(c.members, m)
	go m.watch()
	return m, nil
}

// LogFile names the file that holds what the member printed.
func (m *Member) LogFile(c *Cluster) string { return filepath.Join(c.dir, m.Name+".log") }

// Running tells whether the process has not ended; one that is paused runs.
func (m *Member) Running() bool { return m.process.Ended() == nil }

// Ended says how the process ended, nil while it runs.
func (m *Member) Ended() error { return m.process.Ended() }

// Kill ends the member at once, as kill -9 does, paused or not.
func (m *Member) Kill() {
	if m.Running() {
		m.process.Kill()
	}
}

// Pause stops the process where it stands, inside a write too, until Continue.
func (m *Member) Pause() error { return syscall.Kill(m.process.PID(), syscall.SIGSTOP) }

// Continue lets a paused process go on.
func (m *Member) Continue() error { return syscall.Kill(m.process.PID(), syscall.SIGCONT) }

// Stop asks the member to leave and waits; it is killed when ctx ends.
func (m *Member) Stop(ctx context.Context) error { return m.process.Stop(ctx) }

// Usage returns what the member took so far.
func (m *Member) Usage() Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.usage
}

// CPU is the time that the member has used so far, as it tells itself.
func (m *Member) CPU() (time.Duration, error) {
	client := &http.Client{Timeout: lookTime}
	defer client.CloseIdleConnections()
	got, err := metrics(client, m.HTTP, "process_cpu_seconds_total")
	if err != nil {
		return 0, err
	}
	return time.Duration(got[0] * float64(time.Second)), nil
}

// lookTime is how long a member may take to say what it takes, and how often it is asked.
const lookTime = time.Second

// collectTime is how long a member may take to collect garbage when nothing else is to do.
const collectTime = 2 * time.Minute

// watch asks until the process ends; a member that does not answer is asked again.
func (m *Member) watch() {
	defer func() { _ = m.log.Close() }()
	client := &http.Client{Timeout: lookTime}
	defer client.CloseIdleConnections()
	for {
		select {
		case <-m.process.Done():
			return
		case <-time.After(lookTime):
		}
		m.look(client)
		m.lookBack()
	}
}

// lookBack notes the most memory that a member ever had which has answered: between two looks
// it may have had more.
func (m *Member) lookBack() {
	most := machine.Peak(m.process.PID())
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.usage.Resident > 0 {
		m.usage.Resident = max(m.usage.Resident, most)
	}
}

// look asks the member once what it takes.
func (m *Member) look(client *http.Client) {
	got, err := metrics(client, m.HTTP, "process_resident_memory_bytes", "go_goroutines",
		"recoup_partitions_assigned", "recoup_stage_owner")
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.usage.Resident = max(m.usage.Resident, int64(got[0]))
	m.usage.Goroutines = int(got[1])
	// Whoever cannot tell what it keeps is asked again after ten further looks.
	has := duties{partitions: int(got[2]), stage: got[3] > 0}
	_ = m.growth.see(has, int(got[1]), func() (int64, error) { return m.collected(client, has.String()) })
}

// metrics asks for metrics without labels, by name.
func metrics(client *http.Client, addr string, names ...string) ([]float64, error) {
	response, err := client.Get("http://" + addr + "/metrics")
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(names))
	for line := range strings.Lines(string(body)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		for i, want := range names {
			if name == want {
				if values[i], err = strconv.ParseFloat(text, 64); err != nil {
					return nil, err
				}
			}
		}
	}
	return values, nil
}
