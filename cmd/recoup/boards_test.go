package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The binary writes the boards it was built with, in the language and for the source
// that is asked for.
func TestBoards(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	got := succeed(t, "boards", "--out", dir, "--source", "recoup", "--lang", "fr")
	if strings.Count(got.stdout, dir) != 7 {
		t.Fatalf("printed %q, want 7 files", got.stdout)
	}
	text, err := os.ReadFile(filepath.Join(dir, "overview.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct{ UID, Title string }
	if err := json.Unmarshal(text, &board); err != nil || board.UID != "recoup-overview-fr" ||
		!strings.Contains(string(text), `"recoup-datasource"`) {
		t.Errorf("%+v, %v", board, err)
	}
	for _, wrong := range [][]string{{"boards"}, {"boards", "--out", dir, "--lang", "de"},
		{"boards", "--out", dir, "--source", "sqlite"}} {
		if got := recoup(t, "", wrong...); got.code != exitUsage {
			t.Errorf("%v: exit code %d: %s", wrong, got.code, got.stderr)
		}
	}
	contains(t, succeed(t, "boards", "--help").stdout, "Examples:\n", "recoup boards --out")
}
