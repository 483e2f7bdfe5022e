package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"recoup/internal/cache"
	"recoup/internal/child"
)

const (
	staticcheckModule  = "honnef.co/go/tools/cmd/staticcheck"
	staticcheckVersion = "v0.8.2"
)

// checker runs stages.
type checker struct {
	ctx     context.Context
	out     io.Writer
	scratch string   // temporary directory of everything it starts
	modules []string // directories with a go.mod
	servers *servers // nil until they run
}

// stage is one named check.
type stage struct {
	name string
	run  func(c *checker) error
}

// steps come one after another. The lanes of a step run beside each other, as one of them
// waits much of its time; the stages of a lane come one after another.
var steps = [][][]stage{
	{{{"format", (*checker).format}}},
	{
		{
			{"vet", func(c *checker) error { return c.eachModule("go", "vet", "./...") }},
			{"staticcheck", (*checker).staticcheck},
			{"house rules", func(c *checker) error { return c.command(".", "go", "test", "-count=1", house) }},
			{"build", func(c *checker) error { return c.eachModule("go", "build", "./...") }},
		},
		{{"plugin front end", (*checker).frontEnd}},
	},
	{{{"start Kafka and ClickHouse", (*checker).start}}},
	{
		{{"tests without the race detector", (*checker).testPlain}},
		{
			{"chaos", func(c *checker) error { return c.command(".", "go", "run", "./bench/chaos", "--short") }},
			// -v shows how many seeds were run, and in what time.
			{"simulation", func(c *checker) error { return c.goTest(".", "-count=1", "-v", "-run="+seeds, simulation) }},
			{"replays, mutations", func(c *checker) error { return c.goTest(".", "-count=1", "-skip="+seeds, simulation) }},
		},
	},
	{{{"tests with the race detector", (*checker).testRaces}}},
	{{{"fuzz", (*checker).fuzz}}},
}

// check runs all stages and stops once one fails. The servers and all temporary files are
// gone when it returns.
func check(ctx context.Context) error {
	scratch, err := os.MkdirTemp("", "recoup-test-")
	if err != nil {
		return fmt.Errorf("cannot make a directory for temporary files: %w", err)
	}
	c := &checker{ctx: ctx, out: os.Stdout, scratch: scratch}
	defer func() { _ = os.RemoveAll(scratch) }()
	defer func() {
		if c.servers != nil {
			c.servers.stop()
		}
	}()
	if c.modules, err = modules(ctx); err != nil {
		return err
	}
	var times durations
	defer times.print(os.Stdout)
	for _, lanes := range steps {
		if err := c.step(lanes, &times); err != nil {
			return err
		}
	}
	return nil
}

// step runs lanes beside each other and ends all once one fails.
func (c *checker) step(lanes [][]stage, times *durations) error {
	if len(lanes) == 1 {
		return c.lane(lanes[0], times)
	}
	all, ctx := errgroup.WithContext(c.ctx)
	for i, lane := range lanes {
		own := *c
		own.ctx = ctx
		var kept lateOutput
		if i > 0 { // what the first lane prints is shown as it comes
			own.out = &kept
		}
		all.Go(func() error {
			err := own.lane(lane, times)
			kept.show(c.out)
			return err
		})
	}
	return all.Wait()
}

// lane runs stages one after another.
func (c *checker) lane(stages []stage, times *durations) error {
	for _, stage := range stages {
		_, _ = fmt.Fprintf(c.out, "== %s\n", stage.name)
		begin := time.Now()
		err := stage.run(c)
		took := time.Since(begin).Round(100 * time.Millisecond)
		times.add(stage.name, took)
		if c.ctx.Err() != nil {
			return fmt.Errorf("interrupted in stage %q after %v", stage.name, took)
		}
		if err != nil {
			return fmt.Errorf("stage %q failed after %v: %w", stage.name, took, err)
		}
		_, _ = fmt.Fprintf(c.out, "   %v\n", took)
	}
	return nil
}

// lateOutput is kept until a lane is over: it would stand between the lines of another.
type lateOutput struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (o *lateOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *lateOutput) show(out io.Writer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = o.text.WriteTo(out)
}

// durations are how long stages took, in the order they ended.
type durations struct {
	mu   sync.Mutex // guards what follows
	rows []string
}

func (d *durations) add(name string, took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rows = append(d.rows, fmt.Sprintf("%10v  %s\n", took, name))
}

// print says them all once more, where nobody has to look for them.
func (d *durations) print(out io.Writer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, _ = fmt.Fprintf(out, "== stages\n%s", strings.Join(d.rows, ""))
}

// modules returns the directories of the repository that hold a go.mod.
func modules(ctx context.Context) ([]string, error) {
	files, err := tracked(ctx, "go.mod", "**/go.mod")
	if err != nil {
		return nil, err
	}
	for i, file := range files {
		files[i] = filepath.Dir(file)
	}
	return files, nil
}

// tracked lists the files git knows by patterns, from the repository's root.
func tracked(ctx context.Context, patterns ...string) ([]string, error) {
	args := append([]string{"ls-files", "-z", "--"}, patterns...)
	output, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("cannot list the repository's files with git: %w", err)
	}
	var files []string
	for file := range strings.SplitSeq(string(output), "\x00") {
		if _, err := os.Stat(file); file != "" && err == nil { // one that is deleted but not committed
			files = append(files, file)
		}
	}
	return files, nil
}

func (c *checker) format() error {
	files, err := tracked(c.ctx, "*.go")
	if err != nil {
		return err
	}
	output, err := exec.CommandContext(c.ctx, "gofmt", append([]string{"-l"}, files...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot run gofmt: %w:\n%s", err, output)
	}
	if list := bytes.TrimSpace(output); len(list) > 0 {
		return fmt.Errorf("not formatted, run gofmt -w on:\n%s", list)
	}
	return nil
}

func (c *checker) staticcheck() error {
	// Built by this Go: an older build cannot read newer sources.
	name := "staticcheck-" + staticcheckVersion + "-" + runtime.Version()
	dir, err := cache.Entry(c.ctx, name, func(_ context.Context, dir string) error {
		return c.commandWith([]string{"GOBIN=" + dir}, ".", "go", "install", staticcheckModule+"@"+staticcheckVersion)
	})
	if err != nil {
		return err
	}
	return c.eachModule(filepath.Join(dir, "staticcheck"), "./...")
}

func (c *checker) start() (err error) {
	// The servers' directories belong to the scratch directory too.
	if err := os.Setenv("TMPDIR", c.scratch); err != nil {
		return fmt.Errorf("cannot set the temporary directory: %w", err)
	}
	if c.servers, err = startServers(c.ctx); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(c.out, "   Kafka on %s, ClickHouse %s on %s\n",
		c.servers.kafka.Addr(), c.servers.clickhouse.Version, c.servers.clickhouse.NativeAddr)
	return nil
}

// eachModule runs a command in the directory of every module.
func (c *checker) eachModule(name string, args ...string) error {
	for _, dir := range c.modules {
		if err := c.command(dir, name, args...); err != nil {
			return fmt.Errorf("module %s: %w", dir, err)
		}
	}
	return nil
}

// command runs a program, its output shown, and ends it with all it started
// when the run is interrupted.
func (c *checker) command(dir, name string, args ...string) error {
	return c.commandWith(nil, dir, name, args...)
}

func (c *checker) commandWith(environment []string, dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+c.scratch)
	if c.servers != nil {
		cmd.Env = append(cmd.Env, c.servers.environment()...)
	}
	cmd.Env = append(cmd.Env, environment...)
	process, err := child.Start(cmd, c.out)
	if err != nil {
		return err
	}
	select {
	case <-process.Done():
	case <-c.ctx.Done():
		process.KillGroup()
	}
	if !cmd.ProcessState.Success() {
		return fmt.Errorf("%s %s: %v", filepath.Base(name), strings.Join(args, " "), cmd.ProcessState)
	}
	return nil
}
