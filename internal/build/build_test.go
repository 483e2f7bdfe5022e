package build

import "testing"

// What is built in goes before what the Go tools know, and nothing is empty.
func TestRead(t *testing.T) {
	known := Read()
	if known.Version == "" || known.Revision == "" || known.Go == "" {
		t.Errorf("something is empty: %+v", known)
	}
	t.Cleanup(func() { version, revision = "", "" })
	version, revision = "v1.2.3", "abc"
	if got := Read(); got != (Info{Version: "v1.2.3", Revision: "abc", Go: known.Go}) {
		t.Errorf("built in: %+v", got)
	}
}
