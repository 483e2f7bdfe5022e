//go:build !static

package clickhouse

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

const libraryRuns = true

// serveLibrary runs clickhouse local with args, the name first, until its
// queries end.
func serveLibrary(path string, args []string) error {
	runtime.LockOSThread()
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("cannot open the ClickHouse library: %w", err)
	}
	var run func(argc int32, argv unsafe.Pointer) (result uintptr)
	var message func(result uintptr) string
	purego.RegisterLibFunc(&run, handle, "chdb_query_cmdline")
	purego.RegisterLibFunc(&message, handle, "chdb_result_error")

	argv := make([]*byte, len(args)+1) // the last stays nil, as C wants it
	for i, arg := range args {
		argv[i] = &append([]byte(arg), 0)[0]
	}
	result := run(int32(len(args)), unsafe.Pointer(&argv[0]))
	runtime.KeepAlive(argv)
	if result != 0 {
		if text := message(result); text != "" {
			return errors.New(text)
		}
	}
	return errors.New("cannot go on serving ClickHouse: its query ended")
}
