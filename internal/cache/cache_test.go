package cache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// emptyCache points the cache at a directory that does not exist yet.
func emptyCache(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cache")
	t.Setenv(Variable, dir)
	return dir
}

// fill is a build that writes one file.
func fill(_ context.Context, dir string) error {
	return os.WriteFile(filepath.Join(dir, "file"), []byte("whole"), 0o644)
}

// Of many that want an entry at once, one builds it and all get it whole.
func TestBuildsOnce(t *testing.T) {
	emptyCache(t)
	var builds atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			dir, err := Entry(t.Context(), "entry", func(ctx context.Context, dir string) error {
				builds.Add(1)
				time.Sleep(50 * time.Millisecond)
				return fill(ctx, dir)
			})
			if err != nil {
				t.Error(err)
				return
			}
			if text, err := os.ReadFile(filepath.Join(dir, "file")); string(text) != "whole" {
				t.Errorf("entry holds %q, %v", text, err)
			}
		})
	}
	all.Wait()
	if builds.Load() != 1 {
		t.Errorf("built %d times, want once", builds.Load())
	}
}

func TestFailedBuildLeavesNothing(t *testing.T) {
	root := emptyCache(t)
	broken := errors.New("broken")
	_, err := Entry(t.Context(), "entry", func(ctx context.Context, dir string) error {
		_ = fill(ctx, dir)
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error = %v, want the build's", err)
	}
	left, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		if entry.IsDir() {
			t.Errorf("%s is left behind", entry.Name())
		}
	}
	if _, err := Entry(t.Context(), "entry", fill); err != nil {
		t.Errorf("the next build fails: %v", err)
	}
}

// A build that was killed leaves its directory; the next one clears it away.
func TestSweepsAbandonedBuilds(t *testing.T) {
	root := emptyCache(t)
	abandoned := filepath.Join(root, ".entry-123")
	if err := os.MkdirAll(abandoned, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Entry(t.Context(), "entry", fill); err != nil {
		t.Fatal(err)
	}
	if exists(abandoned) {
		t.Error("the abandoned build is still there")
	}
}

func TestWaitingForTheLockEnds(t *testing.T) {
	root := emptyCache(t)
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	unlock, err := lock(t.Context(), filepath.Join(root, "entry.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = Entry(ctx, "entry", fill)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("error = %v", err)
	}
}
