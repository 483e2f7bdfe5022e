// Command recovery measures how long recoup is away when something fails, on real Kafka
// and ClickHouse with processes of the real binary: take-over after kill -9, the pause of
// a clean leave, how fast a backlog drains, how soon an event has its case, and what
// happens when rows find no room any more. It tells each figure beside its aim, and ends
// with status 1 only if something breaks, or the audit finds invoices lost or doubled. bench/README.md says how.
//
//	go run ./bench/recovery --only takeover,latency
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"recoup/internal/clickhouse"
)

// flags are the command line.
type flags struct {
	Only       []string      `help:"Only these: ${enum}." enum:"${all}" default:"${all}"`
	Partitions int           `help:"Partitions of the topic." default:"8"`
	Segments   int           `help:"Segments, of takeover and leave." default:"3000"`
	Customers  int           `help:"Customers, of takeover and leave; each is billed four times first." default:"100000"`
	Kills      int           `help:"Members killed by takeover." default:"5"`
	Moves      int           `help:"Leaves and joins of leave, together." default:"20"`
	Live       float64       `help:"Invoices a second while members come and go." default:"1000"`
	Backlog    float64       `help:"Invoices a second of backlog." default:"5000"`
	Rate       float64       `help:"Invoices a second of latency and outage." default:"10000"`
	Warm       time.Duration `help:"How long backlog and latency run before anything counts." default:"15s"`
	Steady     time.Duration `help:"How long latency measures while nothing fails." default:"45s"`
	Away       time.Duration `help:"How long ClickHouse is away, of backlog and latency." default:"1m"`
	Write      bool          `help:"Add the report to the day's in the directory of --results."`
	Results    string        `help:"Directory of kept reports." default:"bench/results" type:"path"`
	Keep       string        `help:"Keep what members are set to and log in this directory." placeholder:"DIR" type:"path"`
}

func main() {
	clickhouse.ChildMain()
	var f flags
	kong.Parse(&f, kong.Description("Measure how recoup comes back, on real servers."), kong.Vars{"all": all()})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, f); err != nil {
		fmt.Fprintln(os.Stderr, "recovery:", err)
		os.Exit(1)
	}
}

// measurements are all that can be asked for, in the order they are taken.
var measurements = []struct {
	name string
	take func(*flags, context.Context, *rig) (section, error)
}{
	{"takeover", (*flags).takeOver},
	{"leave", (*flags).leave},
	{"backlog", (*flags).backlog},
	{"latency", (*flags).latency},
	{"outage", (*flags).outage},
}

// run takes the measurements, each on servers of its own, and tells what they found.
func run(ctx context.Context, f flags) error {
	text := ""
	for _, m := range measurements {
		if !f.wants(m.name) {
			continue
		}
		r, err := f.start(ctx, m.name)
		if err != nil {
			return err
		}
		if text == "" {
			text = heading(r.versions(ctx))
			fmt.Print(text)
		}
		began := time.Now()
		found, err := m.take(&f, ctx, r)
		r.close()
		if found.title != "" {
			found.setting += fmt.Sprintf(" Took %.0f s.", time.Since(began).Seconds())
			fmt.Print(found.text())
			text += found.text()
		}
		if err != nil {
			return fmt.Errorf("cannot measure %s: %w", m.name, err)
		}
	}
	if !f.Write {
		return nil
	}
	file := filepath.Join(f.Results, "recovery-"+time.Now().UTC().Format(time.DateOnly)+".md")
	if err := keep(file, text); err != nil {
		return err
	}
	fmt.Println("kept in", file)
	return nil
}

// keep appends a report to what a file holds already.
func keep(file, report string) error {
	before, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text := strings.TrimRight(report, "\n") + "\n"
	if len(before) > 0 {
		text = strings.TrimRight(string(before), "\n") + "\n\n" + text
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// all names every measurement, as --only does.
func all() string {
	names := make([]string, len(measurements))
	for i, m := range measurements {
		names[i] = m.name
	}
	return strings.Join(names, ",")
}

func (f *flags) wants(name string) bool {
	for _, only := range f.Only {
		if only == name {
			return true
		}
	}
	return false
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
