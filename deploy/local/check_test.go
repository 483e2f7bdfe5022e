package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/internal/promtools"
)

// Servers that somebody stopped have passed nothing.
func TestConclusion(t *testing.T) {
	if said := conclusion([]string{"up"}, nil, time.Second); strings.Contains(said, "passed") ||
		!strings.Contains(said, "stopped") {
		t.Errorf("up ends with %q", said)
	}
	if said := conclusion([]string{"test"}, nil, time.Second); said != "passed, total 1s" {
		t.Errorf("test ends with %q", said)
	}
	for _, command := range []string{"up", "test"} {
		said := conclusion([]string{command}, errors.New("no disk"), time.Second)
		if !strings.Contains(said, "no disk\nFAILED after 1s") {
			t.Errorf("%s that failed ends with %q", command, said)
		}
	}
}

// Lanes run beside each other, what the second prints stays together, and one that fails ends
// the others; the times of all are told.
func TestLanes(t *testing.T) {
	var out lateOutput
	c := &checker{ctx: t.Context(), out: &out}
	met := make(chan string)
	says := func(text string, meet func()) func(c *checker) error {
		return func(c *checker) error {
			for range 2 {
				_, _ = fmt.Fprintln(c.out, text)
				meet()
			}
			return nil
		}
	}
	var times durations
	err := c.step([][]stage{
		{{"one", says("first", func() { met <- "" })}, {"three", says("third", func() {})}},
		{{"two", says("second", func() { <-met })}},
	}, &times)
	if said := out.text.String(); err != nil || !strings.Contains(said, "== two\nsecond\nsecond\n   ") ||
		strings.Count(said, "\n") != 12 || len(times.rows) != 3 {
		t.Errorf("%v, times of %q, and said:\n%s", err, times.rows, said)
	}

	err = c.step([][]stage{
		{{"waits", func(c *checker) error { <-c.ctx.Done(); return nil }}},
		{{"fails", func(*checker) error { return errors.New("broken") }}, {"never", says("never", func() {})}},
	}, &times)
	said := out.text.String()
	if err == nil || !strings.Contains(err.Error(), `"fails" failed after`) || strings.Contains(said, "never") {
		t.Errorf("%v, and said:\n%s", err, said)
	}
}

// What runs without the race detector starts nothing beside itself, neither do its tests.
func TestSerial(t *testing.T) {
	t.Chdir("../..")
	c := &checker{ctx: t.Context()}
	of, err := c.packagesOf(".")
	if err != nil {
		t.Fatal(err)
	}
	for name, serial := range map[string]bool{
		"recoup/pipeline": false, "recoup/detectors/arena": false, "recoup/deploy/local": false, // each in its own way
		"recoup/cases/incident": true, "recoup/invoice": true,
	} {
		if slices.Contains(of.serial, name) != serial || slices.Contains(of.raced, name) == serial {
			t.Errorf("%s: want it without the race detector: %v", name, serial)
		}
	}
	if !slices.Equal(of.raced[:len(longest)], longest) {
		t.Errorf("%v come first, want %v", of.raced[:len(longest)], longest)
	}
}

// A test whose name is skipped under the race detector runs without it: no package loses one to
// a test of the same name elsewhere.
func TestNothingIsLost(t *testing.T) {
	t.Chdir("../..")
	files, err := tracked(t.Context(), "*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	skipped, found := regexp.MustCompile(repeated+"|"+seeded), map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		folder := path.Join("recoup", path.Dir(file))
		for _, test := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(content, -1) {
			if name := string(test[1]); skipped.MatchString(name) {
				found[folder] = true
				if !slices.Contains(repeatedIn, folder) {
					t.Errorf("%s of %s never runs: add the package to repeatedIn, or give it another name", name, folder)
				}
			}
		}
	}
	if len(found) != len(repeatedIn) {
		t.Errorf("tests of %v are skipped, those of %v run", found, repeatedIn)
	}
}

// The rules fire in promtool's tests, and one of these sees a rule that fires too late: a
// control that must fail.
func TestAlertRules(t *testing.T) {
	tool, err := promtools.Find(t.Context(), promtools.Promtool)
	if err != nil {
		t.Fatal(err)
	}
	const rules, tests = "../prometheus", "rules.test.yml"
	if said, err := exec.Command(tool, "test", "rules", filepath.Join(rules, tests)).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "rules"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rules/alerts.yml", "rules/records.yml", tests} {
		content, err := os.ReadFile(filepath.Join(rules, name))
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.Replace(content, []byte("[90s])\n          or"), []byte("[10m])\n          or"), 1)
		if name == tests { // the first one is of that rule
			content = bytes.Join(bytes.SplitN(content, []byte("\n  - name: "), 3)[:2], []byte("\n  - name: "))
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said, err := exec.Command(tool, "test", "rules", filepath.Join(dir, tests)).CombinedOutput()
	if err == nil || !bytes.Contains(said, []byte("RecoupBlind")) {
		t.Errorf("a rule that waits ten minutes passes the test of one that waits two: %v\n%s", err, said)
	}
}
