package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"recoup/internal/cache"
	"recoup/internal/child"
	"recoup/internal/promtools"
)

const (
	staticcheckModule  = "honnef.co/go/tools/cmd/staticcheck"
	staticcheckVersion = "v0.8.2"

	packageTimeout = "20m" // of one package's tests
	fuzzTime       = "2s"  // of each fuzz test: what is committed is found by the tests, this looks for news
)

// fuzzed are the packages whose fuzz tests run: all that have one.
var fuzzed = []string{
	"./cases", "./detectors", "./detectors/boost", "./detectors/history", "./detectors/inject",
	"./internal/config", "./internal/csvinvoice", "./internal/kafka", "./invoice",
}

// checker runs the stages one after another.
type checker struct {
	ctx     context.Context
	scratch string   // temporary directory of everything it starts
	modules []string // directories with a go.mod
	servers *servers // nil until they run
}

// stage is one named check.
type stage struct {
	name string
	run  func(c *checker) error
}

var stages = []stage{
	{"format", (*checker).format},
	{"vet", func(c *checker) error { return c.eachModule("go", "vet", "./...") }},
	{"staticcheck", (*checker).staticcheck},
	{"house rules", func(c *checker) error { return c.command(".", "go", "test", "-count=1", "./internal/house") }},
	{"build", func(c *checker) error { return c.eachModule("go", "build", "./...") }},
	{"plugin front end", (*checker).frontEnd},
	{"alert rules", (*checker).alerts},
	{"start Kafka and ClickHouse", (*checker).start},
	{"simulation and crashes", (*checker).simulation},
	{"chaos", func(c *checker) error { return c.command(".", "go", "run", "./bench/chaos", "--short") }},
	{"tests with the race detector", (*checker).test},
	{"fuzz", (*checker).fuzz},
}

// check runs all stages and stops at the first that fails. The servers and all
// temporary files are gone when it returns.
func check(ctx context.Context) error {
	scratch, err := os.MkdirTemp("", "recoup-test-")
	if err != nil {
		return fmt.Errorf("cannot make a directory for temporary files: %w", err)
	}
	c := &checker{ctx: ctx, scratch: scratch}
	defer func() { _ = os.RemoveAll(scratch) }()
	defer func() {
		if c.servers != nil {
			c.servers.stop()
		}
	}()
	if c.modules, err = modules(ctx); err != nil {
		return err
	}
	for _, stage := range stages {
		fmt.Printf("== %s\n", stage.name)
		begin := time.Now()
		err := stage.run(c)
		took := time.Since(begin).Round(100 * time.Millisecond)
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted in stage %q after %v", stage.name, took)
		}
		if err != nil {
			return fmt.Errorf("stage %q failed after %v: %w", stage.name, took, err)
		}
		fmt.Printf("   %v\n", took)
	}
	return nil
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

// alertTests are the tests of the alerts, in promtool's form.
const alertTests = "deploy/prometheus/rules.test.yml"

// alerts tries what each fault fires and what a healthy recoup does not.
func (c *checker) alerts() error {
	tool, err := promtools.Find(c.ctx, promtools.Promtool)
	if err != nil {
		return err
	}
	return c.command(".", tool, "test", "rules", alertTests)
}

func (c *checker) start() (err error) {
	// The servers' directories belong to the scratch directory too.
	if err := os.Setenv("TMPDIR", c.scratch); err != nil {
		return fmt.Errorf("cannot set the temporary directory: %w", err)
	}
	if c.servers, err = startServers(c.ctx); err != nil {
		return err
	}
	fmt.Printf("   Kafka on %s, ClickHouse %s on %s\n",
		c.servers.kafka.Addr(), c.servers.clickhouse.Version, c.servers.clickhouse.NativeAddr)
	return nil
}

// simulated are the long tests of the simulation. Under the race detector they would come
// to a fraction of their seeds, and a replay would take another course: there the scheduler
// shuffles what is ready to run.
const simulated = "^(TestSimulation|TestMutations|TestReplay)$"

// repeated are tests in which the race detector would see nothing new and take five times as
// long: those that play a story again and again, with a crash elsewhere each time, while others
// run the same code there once; and those that drive processes of recoup, built without it.
const repeated = "CrashAnywhere$|^Test(Repartition|Reset|SameVerdictsAndBaselines|IncidentOverCrashes)$|" +
	"^Test(ThousandErrorsOfOneRelease|ForgettingIsTheSameAfterCrashes|ChanceOpensHardlyAnything)$|" +
	"^Test(CrashesChangeNothing|TrainingIsDeterministic|Controls|MembersUnderFaults|StateCommandsOnKafka)$"

func (c *checker) simulation() error {
	err := c.command(".", "go", "test", "-count=1", "-run="+simulated, "./pipeline/simulation")
	if err != nil {
		return err
	}
	return c.command(".", "go", "test", "-count=1", "-timeout="+packageTimeout, "-run="+repeated,
		"./pipeline", "./bench/auditor", "./bench/cluster", "./detectors", "./cases/incident")
}

func (c *checker) test() error {
	err := c.eachModule("go", "test", "-race", "-skip="+simulated+"|"+repeated, "-timeout="+packageTimeout, "./...")
	select {
	case <-c.servers.kafka.Done():
		err = errors.Join(err, errors.New("the Kafka server died while the tests ran"))
	case <-c.servers.clickhouse.Done():
		err = errors.Join(err, errors.New("the ClickHouse server died while the tests ran"))
	default:
	}
	return err
}

// fuzz runs each fuzz test for a short time: go test takes one at a time.
func (c *checker) fuzz() error {
	ran := 0
	for _, pkg := range fuzzed {
		output, err := exec.CommandContext(c.ctx, "go", "test", "-list", "^Fuzz", pkg).Output()
		if err != nil {
			return fmt.Errorf("cannot list the fuzz tests of %s: %w:\n%s", pkg, err, output)
		}
		for line := range strings.Lines(string(output)) {
			name := strings.TrimSpace(line)
			if !strings.HasPrefix(name, "Fuzz") {
				continue
			}
			ran++
			if err := c.command(".", "go", "test", "-run=^$", "-fuzz=^"+name+"$", "-fuzztime="+fuzzTime, pkg); err != nil {
				return err
			}
		}
	}
	if ran == 0 {
		return fmt.Errorf("there is no fuzz test in %v", fuzzed)
	}
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
	process, err := child.Start(cmd, os.Stdout)
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
