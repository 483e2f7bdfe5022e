package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// fuzzTime is how long each fuzz test looks, on one core: what is committed is found by the
// tests, this looks for news.
const fuzzTime = "4s"

// fuzzName finds the fuzz tests of a file.
var fuzzName = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// fuzz runs each fuzz test for a short time, as many at a time as there are cores: they share
// nothing, and each builds a program of its own first.
func (c *checker) fuzz() error {
	files, err := tracked(c.ctx, "*_test.go")
	if err != nil {
		return err
	}
	var dirs []string // in the order of the files
	names := map[string][]string{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("cannot look for fuzz tests: %w", err)
		}
		for _, found := range fuzzName.FindAllSubmatch(content, -1) {
			dir := filepath.Dir(file)
			if names[dir] == nil {
				dirs = append(dirs, dir)
			}
			names[dir] = append(names[dir], string(found[1]))
		}
	}
	if len(dirs) == 0 {
		return errors.New("cannot find a fuzz test")
	}
	all, ctx := errgroup.WithContext(c.ctx)
	all.SetLimit(runtime.NumCPU())
	own := *c
	own.ctx = ctx
	for _, dir := range dirs {
		all.Go(func() error { return own.fuzzIn(dir, names[dir]) })
	}
	return all.Wait()
}

// fuzzIn runs the fuzz tests of one package, built once.
func (c *checker) fuzzIn(dir string, names []string) error {
	program := filepath.Join(c.scratch, "fuzz-"+strings.ReplaceAll(dir, string(filepath.Separator), "-"))
	if err := c.command(dir, "go", "test", "-c", "-vet=off", "-fuzz=.", "-o="+program); err != nil {
		return err
	}
	for _, name := range names {
		look := func() error {
			return c.command(dir, program, "-test.run=^$", "-test.fuzz=^"+name+"$", "-test.fuzztime="+fuzzTime,
				"-test.parallel=1", "-test.fuzzcachedir="+program+".corpus")
		}
		// On a busy machine the end of its time may be taken for a failure ("context deadline
		// exceeded"). What was really found is kept, and found again.
		if look() != nil {
			if err := look(); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return os.Remove(program)
}
