//go:build !linux || !amd64

package clickhouse

import (
	"fmt"
	"runtime"
)

const libraryRuns = false

func serveLibrary(path string, _ []string) error {
	return fmt.Errorf("cannot serve %s on %s/%s: the library exists for linux/amd64 only",
		path, runtime.GOOS, runtime.GOARCH)
}
