// Command local runs the checks of the repository on real servers, or only the
// servers. The scripts test and up beside it build and start it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"recoup/internal/clickhouse"
)

// buildVariable names the directory of this binary, which is removed at the end.
const buildVariable = "RECOUP_LOCAL_BUILD"

func main() {
	clickhouse.ChildMain()
	begin := time.Now()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	err := run(ctx, os.Args[1:])
	if dir := os.Getenv(buildVariable); dir != "" {
		_ = os.RemoveAll(dir)
	}
	total := time.Since(begin).Round(100 * time.Millisecond)
	fmt.Println(conclusion(os.Args[1:], err, total))
	if err != nil {
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch strings.Join(args, " ") {
	case "test":
		return check(ctx)
	case "up":
		return up(ctx)
	}
	return fmt.Errorf("cannot run %q, expected test or up", args)
}

// conclusion is the last thing to say: only checks can pass.
func conclusion(args []string, err error, total time.Duration) string {
	switch {
	case err != nil:
		return fmt.Sprintf("\n%v\nFAILED after %v", err, total)
	case slices.Equal(args, []string{"up"}):
		return fmt.Sprintf("both servers are stopped and their data is removed, they ran %v", total)
	}
	return fmt.Sprintf("passed, total %v", total)
}

// up runs the servers until ctx ends.
func up(ctx context.Context) error {
	s, err := startServers(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	fmt.Printf("Kafka             %s\n", s.kafka.Addr())
	fmt.Printf("ClickHouse native %s\n", s.clickhouse.NativeAddr)
	fmt.Printf("ClickHouse HTTP   %s\n", s.clickhouse.HTTPAddr)
	fmt.Printf("\nTo let tests use them:\n  export %s\n\nCtrl-C ends both.\n", strings.Join(s.environment(), " "))
	select {
	case <-ctx.Done():
		return nil
	case <-s.died():
		return errors.New("cannot go on: a server ended by itself, see its output above")
	}
}
