package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every package with a fuzz test is in the list: what reads bytes from outside
// must not lose its fuzzing unseen.
func TestEveryFuzzTestRuns(t *testing.T) {
	t.Chdir("../..")
	files, err := tracked(t.Context(), "*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte("\nfunc Fuzz")) {
			found = append(found, "./"+filepath.ToSlash(filepath.Dir(file)))
		}
	}
	slices.Sort(found)
	if found = slices.Compact(found); !slices.Equal(found, fuzzed) {
		t.Errorf("packages with fuzz tests %v, the check runs those of %v", found, fuzzed)
	}
}

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

// The rules fire in promtool's test, and the test sees one that fires too late: a control that must fail.
func TestAlertRules(t *testing.T) {
	t.Chdir("../..")
	c := &checker{ctx: t.Context(), scratch: t.TempDir()}
	if err := c.alerts(); err != nil {
		t.Error(err)
	}
	dir := filepath.Join(t.TempDir(), "deploy", "prometheus")
	if err := os.MkdirAll(filepath.Join(dir, "rules"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rules/alerts.yml", "rules/records.yml", "rules.test.yml"} {
		content, err := os.ReadFile(filepath.Join("deploy/prometheus", name))
		if err != nil {
			t.Fatal(err)
		}
		late := bytes.Replace(content, []byte("[90s])\n          or"), []byte("[10m])\n          or"), 1)
		if err := os.WriteFile(filepath.Join(dir, name), late, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(dir, "../.."))
	if err := c.alerts(); err == nil {
		t.Error("a rule that waits ten minutes passes the test of one that waits two")
	}
}
