// Package cache keeps downloads (ClickHouse, Kafka) outside the repository, so
// that each is fetched once per machine and user.
package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Variable names the environment variable that overrides the cache directory.
const Variable = "RECOUP_CACHE"

// lockPoll is how often a process that waits for another one's download looks again.
const lockPoll = 200 * time.Millisecond

// Dir returns the cache directory: RECOUP_CACHE, by default "recoup" in the
// user's cache directory. It need not exist yet.
func Dir() (string, error) {
	if dir := os.Getenv(Variable); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cannot find the user's cache directory (set %s to a directory): %w", Variable, err)
	}
	return filepath.Join(dir, "recoup"), nil
}

// Entry returns the directory "name" of the cache. When it does not exist,
// build fills a new directory, which then takes its place in one step: an entry
// is whole or not there. Of several processes that want it at once, one builds
// and the others wait.
func Entry(ctx context.Context, name string, build func(ctx context.Context, dir string) error) (string, error) {
	root, err := Dir()
	if err != nil {
		return "", err
	}
	entry := filepath.Join(root, name)
	if exists(entry) {
		return entry, nil
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", fmt.Errorf("cannot make the cache directory (set %s to another one): %w", Variable, err)
	}
	unlock, err := lock(ctx, entry+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(entry) {
		return entry, nil
	}
	sweep(root, name)
	staging, err := os.MkdirTemp(root, "."+name+"-")
	if err != nil {
		return "", fmt.Errorf("cannot make a directory in the cache: %w", err)
	}
	defer func() { _ = os.RemoveAll(staging) }()
	if err := build(ctx, staging); err != nil {
		return "", err
	}
	if err := os.Chmod(staging, 0o755); err != nil {
		return "", fmt.Errorf("cannot open the cache entry for reading: %w", err)
	}
	if err := os.Rename(staging, entry); err != nil && !exists(entry) {
		return "", fmt.Errorf("cannot move the cache entry to its place: %w", err)
	}
	return entry, nil
}

// sweep removes what builds that were killed left behind. The caller holds the lock.
func sweep(root, name string) {
	left, _ := filepath.Glob(filepath.Join(root, "."+name+"-*")) // fails only on a bad pattern
	for _, dir := range left {
		_ = os.RemoveAll(dir) // the next build tries again
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
