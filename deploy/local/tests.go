package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

const (
	house = "recoup/internal/house" // has a stage of its own

	packageTimeout = "20m" // of one package's tests
)

// simulation runs without the race detector: it would come to a fraction of its seeds, and a
// replay would take another course, for the scheduler shuffles there what is ready to run.
const simulation = "recoup/pipeline/simulation"

// seeds is the test of simulation that runs its 10,000 seeds.
const seeds = "^TestSimulation$"

// repeated are tests in which the race detector would see nothing new and take five times as
// long: those that play a story again and again, with a crash elsewhere each time or another
// ending, while others run the same code there once; those that compute for long what other
// tests have computed there; and those that drive processes of recoup, built without it, or
// play the demo as others of its tests do.
const repeated = "CrashAnywhere$|^Test(Repartition|Reset|SameVerdictsAndBaselines|IncidentOverCrashes)$|" +
	"^Test(ThousandErrorsOfOneRelease|ForgettingIsTheSameAfterCrashes|CrashesChangeNothing|TrainingIsDeterministic)$|" +
	"^Test(RunsOfSuspectsComeBack|UsualIsRarelyWrong|ExpectedPrecisionMeetsSimulation|SlipsAgainstAllTexts)$|" +
	"^(FuzzScore|Test(TrainedFindsASlip|TrainedVerdictsAreNumbers|CrashesWithoutOffsetsAreSeen))$|" +
	"^Test(StateRecordsBelowAFifth|UnrelatedErrors|RateOverOwners|RestartBlindsNobody|ModelGoneBelowAnother)$|" +
	"^Test(SilentSource|MissedCanaries|TrainingIsDuePerSeller|ArenaAgainstMap)$|" +
	"^Test(OnePart|KPIsEqualLedger|IntervalsCoverTruth)$|" +
	"^Test(Controls|MembersUnderFaults|MembersShareBaselines|StateCommandsOnKafka)$|" +
	"^Test(DemoStartsFast|DemoOnGivenClickHouse|DemoStaysUntilCancelled|BundledDatesAreRecent|EvidenceIsWhollyFrench)$"

// seeded are tests of many seeds in which goroutines meet each time in another way: those
// below ten run under the race detector, all without it.
const seeded = "^Test(PausedOwner|StagePaused|DecisionsOutliveTwoOwners|HalfReset)$"

// repeatedIn are the packages of both.
var repeatedIn = []string{"recoup/pipeline", "recoup/bench/auditor", "recoup/bench/cluster", "recoup/internal/demo",
	"recoup/detectors", "recoup/detectors/arena", "recoup/cases", "recoup/sinks"}

// longest are the packages whose tests take longest. They go first: the last ones would
// otherwise have one core for themselves while the other rests.
var longest = []string{"recoup/pipeline", "recoup/sinks", "recoup/internal/demo", "recoup/cmd/recoup"}

// packages are those of a module that have tests.
type packages struct {
	serial []string // do one thing at a time, and so do their tests: there the race detector has nothing to see
	raced  []string // all others, the longest first
}

// testPlain runs what the race detector is no use for.
func (c *checker) testPlain() error {
	args := []string{"-count=1", "-run=" + repeated + "|" + seeded}
	if err := c.goTest(".", append(args, repeatedIn...)...); err != nil {
		return err
	}
	return c.inModules(func(of packages) []string { return of.serial }, "-count=1")
}

// testRaces runs all other tests under the race detector.
func (c *checker) testRaces() error {
	skip := repeated + "|" + seeded + "/[0-9][0-9]$"
	err := c.inModules(func(of packages) []string { return of.raced }, "-race", "-skip="+skip)
	select {
	case <-c.servers.kafka.Done():
		err = errors.Join(err, errors.New("the Kafka server died while the tests ran"))
	case <-c.servers.clickhouse.Done():
		err = errors.Join(err, errors.New("the ClickHouse server died while the tests ran"))
	default:
	}
	return err
}

// goTest tests one package more at a time than there are cores: some wait for a server.
func (c *checker) goTest(dir string, args ...string) error {
	atOnce := fmt.Sprint("-p=", runtime.NumCPU()+1)
	return c.command(dir, "go", append([]string{"test", "-vet=off", atOnce, "-timeout=" + packageTimeout}, args...)...)
}

// inModules tests what is chosen of each module, the modules beside each other.
func (c *checker) inModules(chosen func(of packages) []string, args ...string) error {
	all := make([][]string, len(c.modules))
	for i, dir := range c.modules {
		of, err := c.packagesOf(dir)
		if err != nil {
			return err
		}
		all[i] = chosen(of)
	}
	failed := make([]error, len(c.modules))
	var modules sync.WaitGroup
	for i, dir := range c.modules {
		if len(all[i]) > 0 {
			modules.Go(func() { failed[i] = c.goTest(dir, slices.Concat(args, all[i])...) })
		}
	}
	modules.Wait()
	return errors.Join(failed...)
}

// packagesOf lists the packages of a module that have tests, but for those with a stage of their own.
func (c *checker) packagesOf(dir string) (of packages, err error) {
	list := exec.CommandContext(c.ctx, "go", "list", "-f",
		"{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}", "./...")
	list.Dir = dir
	output, err := list.Output()
	if err != nil {
		return of, fmt.Errorf("cannot list the packages in %s: %w", dir, err)
	}
	var first []string
	for line := range strings.Lines(string(output)) {
		name, folder, _ := strings.Cut(strings.TrimSpace(line), " ")
		found, err := beside(folder)
		switch {
		case err != nil:
			return of, err
		case name == house || name == simulation:
		case len(found) == 0:
			of.serial = append(of.serial, name)
		case slices.Contains(longest, name):
			first = append(first, name)
		default:
			of.raced = append(of.raced, name)
		}
	}
	slices.SortFunc(first, func(a, b string) int { return slices.Index(longest, a) - slices.Index(longest, b) })
	of.raced = append(first, of.raced...)
	return of, nil
}

// beside says where a package or its tests start something beside themselves, or mean to.
func beside(folder string) (found []token.Position, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, fmt.Errorf("cannot look into %s: %w", folder, err)
	}
	for _, file := range files {
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", file, err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			is := false
			switch n := n.(type) {
			case *ast.GoStmt:
				is = true
			case *ast.SelectorExpr: // sync.WaitGroup.Go, testing.T.Parallel, time.AfterFunc
				is = slices.Contains([]string{"Go", "Parallel", "AfterFunc"}, n.Sel.Name)
			case *ast.ImportSpec:
				is = slices.Contains([]string{`"sync"`, `"sync/atomic"`, `"net/http/httptest"`}, n.Path.Value)
			}
			if is {
				found = append(found, set.Position(n.Pos()))
			}
			return true
		})
	}
	return found, nil
}
