package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"recoup/bench/load"
	"recoup/bench/machine"
)

// loadAverage returns how busy the machine is with other work, as a sentence;
// empty where the system does not say.
func loadAverage() string {
	oneMinute := machine.LoadAverage()
	if oneMinute == "" {
		return ""
	}
	return "Load average of the machine before: " + oneMinute + ". "
}

// figures are what one process took.
type figures struct {
	wall, cpu time.Duration
	output    string
}

// timed runs a process and takes its figures from the kernel's own account.
func timed(ctx context.Context, env []string, name string, args ...string) (figures, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Env = append(os.Environ(), env...)
	started := time.Now()
	output, err := cmd.CombinedOutput()
	f := figures{wall: time.Since(started), output: string(output)}
	if err != nil {
		return f, fmt.Errorf("cannot run %s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, output)
	}
	f.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return f, nil
}

// checkRows makes sure that every invoice is stored once: figures of a run that
// lost some would be worthless.
func checkRows(ctx context.Context, addr string, invoices int) error {
	const query = "SELECT+count(),uniqExact(invoice_id)+FROM+recoup.scored_invoices"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/?query="+query, nil)
	if err != nil {
		return err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if want := fmt.Sprintf("%d\t%d", invoices, invoices); strings.TrimSpace(string(body)) != want {
		return fmt.Errorf("cannot use the figures: rows and distinct invoices are %q, want %q", body, want)
	}
	return nil
}

// report writes the result as Markdown, without anything that names the machine's paths.
func report(plan load.Plan, records int64, recoup, peer figures, versions, busy string) string {
	row := func(name string, f figures) string {
		return fmt.Sprintf("| %s | %.1f | %.0f | %.1f | %.2f |\n", name, f.wall.Seconds(),
			float64(records)/f.wall.Seconds(), f.cpu.Seconds(), f.cpu.Seconds()*1e6/float64(records))
	}
	var out strings.Builder
	fmt.Fprintf(&out, "# Throughput, %s\n\n", time.Now().UTC().Format(time.DateOnly))
	fmt.Fprintf(&out, "%d records: %d distinct invoices of %d lines, %d partitions, %d segments, %d customers, "+
		"%.1f %% errors.\n", records, plan.Invoices, plan.Lines, plan.Partitions, plan.Segments,
		plan.Customers, 100*plan.Injected)
	fmt.Fprintf(&out, "%d cores, %s, %s/%s, %s; both servers and the measured process share the machine.\n",
		runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, versions)
	fmt.Fprint(&out, busy+"Method: bench/README.md.\n\n"+
		"| process | wall, s | invoices/s | CPU, s | CPU-s per million |\n|---|---|---|---|---|\n",
		row("recoup run --until-caught-up", recoup), row("peer: fetch and decode, discard", peer))
	fmt.Fprintf(&out, "\nrecoup reaches %.0f %% of the peer's rate and takes %.1f times its CPU.\n",
		100*peer.wall.Seconds()/recoup.wall.Seconds(), recoup.cpu.Seconds()/peer.cpu.Seconds())
	return out.String()
}
