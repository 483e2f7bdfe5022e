//go:build !linux || !amd64 || static

package clickhouse

import (
	"fmt"
	"runtime"
)

const libraryRuns = false

func serveLibrary(path string, _ []string) error {
	return fmt.Errorf("cannot serve %s on %s/%s: the library exists for linux/amd64 only, and not in a static build",
		path, runtime.GOOS, runtime.GOARCH)
}
