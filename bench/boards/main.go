// Command boards measures what Grafana's boards ask of ClickHouse: it fills a real server with
// scored invoices and what people did with them, asks every question of the catalogue for
// the last 30 days, and says how long each took and how much it read. It ends with
// status 1 when one is too slow or reads too much. bench/README.md says how.
//
//	go run ./bench/boards --rows 10000000
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/schollz/progressbar/v3"

	"recoup/bench/machine"
	chserver "recoup/internal/clickhouse"
)

// flags are the command line.
type flags struct {
	Rows    int    `help:"Scored invoices." default:"10000000"`
	Rounds  int    `help:"How often each question is asked." default:"5"`
	Write   bool   `help:"Keep the report in the directory of --results."`
	Results string `help:"Directory of kept reports." default:"bench/results" type:"path"`
	Dir     string `help:"Keep ClickHouse's data here, or use what as many rows left." placeholder:"DIR"`
}

func main() {
	chserver.ChildMain()
	var f flags
	kong.Parse(&f, kong.Description("Measure what every question of the boards costs ClickHouse."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, f); err != nil {
		fmt.Fprintln(os.Stderr, "boards:", err)
		os.Exit(1)
	}
}

// errMissed says that a question missed its bounds; the table tells which.
var errMissed = errors.New("a question is slower or reads more than it may")

// run fills a server, measures, and tells.
func run(ctx context.Context, f flags) error {
	if f.Rows < 1000 || f.Rounds < 1 {
		return fmt.Errorf("cannot measure %d rows in %d rounds: want at least 1000 and 1", f.Rows, f.Rounds)
	}
	server, err := chserver.Start(ctx, chserver.Options{Dir: f.Dir})
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop(context.WithoutCancel(ctx)) }()
	w, err := open(ctx, server.NativeAddr, "recoup_boards")
	if err != nil {
		return err
	}
	defer w.close()
	filled := time.Now()
	if err := w.fill(ctx, f.Rows, bar("filling", fillSteps(f.Rows))); err != nil {
		return err
	}
	if err := w.refresh(ctx); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d rows, filled and refreshed in %v\n", f.Rows, time.Since(filled).Round(time.Second))
	busy := machine.LoadAverage()
	figures, err := w.measure(ctx, f.Rounds, bar("asking", f.Rounds*len(asked)))
	if err != nil {
		return err
	}
	counts, err := w.counts(ctx)
	if err != nil {
		return err
	}
	r := report{figures: figures, counts: counts, rounds: f.Rounds, server: server.Version, busy: busy,
		commit: machine.Commit()}
	fmt.Print(r.text())
	if f.Write {
		file := filepath.Join(f.Results, "boards-"+time.Now().UTC().Format(time.DateOnly)+".md")
		if err := os.WriteFile(file, []byte(r.text()), 0o644); err != nil {
			return err
		}
		fmt.Println("kept in", file)
	}
	if r.missed() > 0 {
		return errMissed
	}
	return nil
}

// bar shows how far a step is.
func bar(step string, of int) func() {
	b := progressbar.NewOptions(of, progressbar.OptionSetDescription(step), progressbar.OptionSetWriter(os.Stderr),
		progressbar.OptionThrottle(time.Second), progressbar.OptionOnCompletion(func() { fmt.Fprintln(os.Stderr) }))
	return func() { _ = b.Add(1) }
}
