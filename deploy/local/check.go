package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"recoup/internal/cache"
	"recoup/internal/child"
)

const (
	staticcheckModule  = "honnef.co/go/tools/cmd/staticcheck"
	staticcheckVersion = "v0.8.2"

	house = "recoup/internal/house" // has a stage of its own

	packageTimeout = "20m" // of one package's tests
	fuzzTime       = "2s"  // of each fuzz test: what is committed is found by the tests, this looks for news
)

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
	{"house rules", func(c *checker) error { return c.command(".", "go", "test", "-count=1", house) }},
	{"build", func(c *checker) error { return c.eachModule("go", "build", "./...") }},
	{"plugin front end", (*checker).frontEnd},
	{"start Kafka and ClickHouse", (*checker).start},
	{"tests without the race detector", (*checker).testPlain},
	{"chaos", func(c *checker) error { return c.command(".", "go", "run", "./bench/chaos", "--short") }},
	{"tests with the race detector", (*checker).testRaces},
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

// simulation runs without the race detector: it would come to a fraction of its seeds, and a
// replay would take another course, for the scheduler shuffles there what is ready to run.
const simulation = "recoup/pipeline/simulation"

// repeated are tests in which the race detector would see nothing new and take five times as
// long: those that play a story again and again, with a crash elsewhere each time or another
// ending, while others run the same code there once; those that compute for long what other
// tests have computed there; and those that drive processes of recoup, built without it, or
// play the demo as others of its tests do. All are in repeatedIn.
const repeated = "CrashAnywhere$|^Test(Repartition|Reset|SameVerdictsAndBaselines|IncidentOverCrashes)$|" +
	"^Test(ThousandErrorsOfOneRelease|ForgettingIsTheSameAfterCrashes|CrashesChangeNothing|TrainingIsDeterministic)$|" +
	"^Test(RunsOfSuspectsComeBack|UsualIsRarelyWrong|ExpectedPrecisionMeetsSimulation|SlipsAgainstAllTexts)$|" +
	"^(FuzzScore|Test(TrainedFindsASlip|TrainedVerdictsAreNumbers|CrashesWithoutOffsetsAreSeen))$|" +
	"^Test(StateRecordsBelowAFifth|UnrelatedErrors|RateOverOwners|RestartBlindsNobody|ModelGoneBelowAnother)$|" +
	"^Test(Controls|MembersUnderFaults|StateCommandsOnKafka)$|" +
	"^Test(DemoStartsFast|DemoOnGivenClickHouse|EvidenceIsWhollyFrench)$"

var repeatedIn = []string{"recoup/pipeline", "recoup/bench/auditor", "recoup/bench/cluster", "recoup/internal/demo",
	"recoup/detectors", "recoup/cases"}

// serial are packages that do one thing at a time, and so do their tests, which TestSerial
// reads: there is nothing for the race detector to see.
var serial = []string{"recoup/internal/e2e", "recoup/cases/incident", "recoup/cases/desk", "recoup/dashboards"}

// longest are the packages whose tests take longest. They go first: the last ones would
// otherwise have one core for themselves while the other rests.
var longest = []string{"recoup/pipeline", "recoup/sinks", "recoup/internal/demo", "recoup/cmd/recoup"}

// testPlain runs what the race detector is no use for.
func (c *checker) testPlain() error {
	for _, args := range [][]string{
		{simulation},
		append([]string{"-run=" + repeated}, repeatedIn...),
		serial,
	} {
		args = append([]string{"test", "-count=1", "-vet=off", "-timeout=" + packageTimeout}, args...)
		if err := c.command(".", "go", args...); err != nil {
			return err
		}
	}
	return nil
}

// testRaces runs all other tests under the race detector, the modules beside each other.
func (c *checker) testRaces() error {
	packages, failed := make([][]string, len(c.modules)), make([]error, len(c.modules))
	for i, dir := range c.modules {
		var err error
		if packages[i], err = c.raced(dir); err != nil {
			return err
		}
	}
	var modules sync.WaitGroup
	for i, dir := range c.modules {
		modules.Go(func() {
			args := []string{"test", "-race", "-vet=off", "-skip=" + repeated, "-timeout=" + packageTimeout}
			failed[i] = c.command(dir, "go", append(args, packages[i]...)...)
		})
	}
	modules.Wait()
	err := errors.Join(failed...)
	select {
	case <-c.servers.kafka.Done():
		err = errors.Join(err, errors.New("the Kafka server died while the tests ran"))
	case <-c.servers.clickhouse.Done():
		err = errors.Join(err, errors.New("the ClickHouse server died while the tests ran"))
	default:
	}
	return err
}

// raced lists the packages of a module for the race detector, the longest first.
func (c *checker) raced(dir string) ([]string, error) {
	list := exec.CommandContext(c.ctx, "go", "list", "./...")
	list.Dir = dir
	output, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("cannot list the packages in %s: %w", dir, err)
	}
	var first, others []string
	for _, name := range strings.Fields(string(output)) {
		switch {
		case slices.Contains(longest, name):
			first = append(first, name)
		case !slices.Contains(serial, name) && name != house && name != simulation:
			others = append(others, name)
		}
	}
	slices.SortFunc(first, func(a, b string) int { return slices.Index(longest, a) - slices.Index(longest, b) })
	return append(first, others...), nil
}

// fuzzName finds the fuzz tests of a file.
var fuzzName = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// fuzz runs each fuzz test for a short time: go test takes one at a time.
func (c *checker) fuzz() error {
	files, err := tracked(c.ctx, "*_test.go")
	if err != nil {
		return err
	}
	ran := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("cannot look for fuzz tests: %w", err)
		}
		for _, found := range fuzzName.FindAllSubmatch(content, -1) {
			ran++
			look := func() error {
				return c.command(filepath.Dir(file), "go", "test", "-vet=off", "-run=^$", "-fuzz=^"+string(found[1])+"$",
					"-fuzztime="+fuzzTime)
			}
			// On a busy machine go test may take the end of its time for a failure ("context
			// deadline exceeded"). What was really found is kept, and found again.
			if look() != nil {
				if err := look(); err != nil {
					return err
				}
			}
		}
	}
	if ran == 0 {
		return errors.New("cannot find a fuzz test")
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
