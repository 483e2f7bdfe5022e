package clickhouse

import (
	"fmt"
	"os"
)

// childVariable holds the path of the library in the environment of a child
// that is to serve it.
const childVariable = "RECOUP_CLICKHOUSE_CHILD"

// childMainCalled guards against a binary that would run itself again and again.
var childMainCalled bool

// ChildMain must be the first call of main, and of TestMain in packages whose
// tests start a server. In a child that Start made it serves ClickHouse and
// never returns; anywhere else it does nothing.
func ChildMain() {
	path := os.Getenv(childVariable)
	if path == "" {
		childMainCalled = true
		return
	}
	if err := serveLibrary(path, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(1) // a server that returns was not asked to
}
