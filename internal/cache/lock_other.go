//go:build !linux && !darwin

package cache

import (
	"context"
	"fmt"
	"runtime"
)

func lock(context.Context, string) (unlock func(), err error) {
	return nil, fmt.Errorf("cannot lock the cache on %s: nothing recoup downloads runs there", runtime.GOOS)
}
