package clickhouse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recoup/internal/cache"
)

// A file that is not the pinned one must never be run.
func TestRefusesAnotherLibrary(t *testing.T) {
	path := filepath.Join(t.TempDir(), libraryFile)
	if err := os.WriteFile(path, []byte("something else"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := checkHash(path); err == nil || !strings.Contains(err.Error(), librarySHA256) {
		t.Errorf("error = %v", err)
	}
	root := t.TempDir()
	t.Setenv(cache.Variable, root)
	dir := filepath.Join(root, "clickhouse-"+libraryVersion)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, libraryFile), []byte("torn"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := installLibrary(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "not whole") {
		t.Errorf("a torn library was taken: %v", err)
	}
}

// The version stands in three files; npm checks the hash of the one it installs.
func TestPinsAgree(t *testing.T) {
	for name, content := range map[string][]byte{"package.json": npmPackage, "package-lock.json": npmLock} {
		if !strings.Contains(string(content), `"`+libraryPackage+`": "`+libraryVersion+`"`) {
			t.Errorf("npm/%s does not pin %s %s", name, libraryPackage, libraryVersion)
		}
	}
	if !strings.Contains(string(npmLock), `"integrity": "sha512-`) {
		t.Error("npm/package-lock.json pins no hash")
	}
}

// Progress runs from little to the whole and never backwards at the end: the
// demo draws a bar from it.
func TestInstallReportsProgress(t *testing.T) {
	t.Setenv(cache.Variable, t.TempDir())
	var last, total int64
	calls := 0
	_, err := installLibrary(t.Context(), func(done, all int64) { last, total, calls = done, all, calls+1 })
	if err != nil {
		t.Fatal(err)
	}
	if last != librarySize || total != librarySize || calls < 3 {
		t.Errorf("%d reports, the last one %d of %d, want several and %d", calls, last, total, librarySize)
	}
}
