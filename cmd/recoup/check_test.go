package main

import (
	"os"
	"path/filepath"
	"testing"
)

const scenarioText = `# −15.00 % is silent, −15.01 % fires
scenario fibre
load 30 invoices type=B2C family=fibre net=1000.00 every=1h

score net=850.00 type=B2C family=fibre
----
suspect: no

score net=849.90 type=B2C family=fibre
----
suspect: yes
decision: open_case
`

// scenarios makes a directory with one good file.
func scenarios(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fibre.txt"), []byte(scenarioText), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A user tries a threshold without Go: the same file passes at 15 % and fails
// at 12 % and at 20 %, and says where.
func TestCheck(t *testing.T) {
	dir := scenarios(t)
	file := filepath.Join(dir, "fibre.txt")
	contains(t, succeed(t, "check", dir).stdout, "ok    "+file, "1 files, 1 scenarios: all as expected")
	got := recoup(t, "", "check", dir, "--set", "deviation=12%")
	if got.code != exitFailed {
		t.Errorf("check at 12 %% ended with %d", got.code)
	}
	contains(t, got.stdout, "FAIL  "+file, file+":7: fibre: suspect: want no, got yes", "1 files failed")
	got = recoup(t, "", "check", dir, "--config", write(t, "scoring: {deviation: 20%}\n"))
	contains(t, got.stdout, file+":11: fibre: suspect: want yes, got no")
	got = recoup(t, "", "check", dir, "--set", "handling_cost.EUR=500")
	contains(t, got.stdout, "decision: want open_case, got log_only")
}

func TestCheckRewrite(t *testing.T) {
	dir := scenarios(t)
	contains(t, succeed(t, "check", dir, "--rewrite", "--set", "deviation=20%").stdout, "new   ")
	contains(t, succeed(t, "check", dir, "--set", "deviation=20%").stdout, "all as expected")
	if got := recoup(t, "", "check", dir); got.code != exitFailed {
		t.Errorf("check of a file rewritten at 20 %% ended with %d at 15 %%", got.code)
	}
}

func TestCheckBadFiles(t *testing.T) {
	dir := scenarios(t)
	if err := os.WriteFile(filepath.Join(dir, "bad.txt"), []byte("scenario x\nlaod 1 invoices\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := recoup(t, "", "check", dir)
	if got.code != exitFailed {
		t.Errorf("check of a bad file ended with %d", got.code)
	}
	contains(t, got.stdout, "FAIL  "+filepath.Join(dir, "bad.txt"), "bad.txt:2", "ok    "+filepath.Join(dir, "fibre.txt"))
	for _, path := range []string{t.TempDir(), filepath.Join(dir, "nowhere")} {
		if got := recoup(t, "", "check", path); got.code != exitFailed {
			t.Errorf("check %s ended with %d", path, got.code)
		}
	}
}

// A file that compares nothing has not been checked: one of another kind, an empty
// one, or one that only loads.
func TestCheckNothing(t *testing.T) {
	for _, text := range []string{"", "# only a comment\n", "scenario empty\n", "load 3 invoices net=10.00\n"} {
		file := write(t, text)
		got := recoup(t, "", "check", file)
		if got.code != exitFailed {
			t.Errorf("check of %q ended with %d", text, got.code)
		}
		contains(t, got.stdout, "FAIL  "+file, "cannot check anything", "1 files failed")
	}
}
