package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"recoup/internal/cache"
)

// Where promtool comes from when there is none on the PATH: Debian's package, unpacked and never installed.
const (
	promtoolPackage = "prometheus=2.42.0+ds-5+deb12u1"
	promtoolSHA256  = "81d59a24fce84f7fbe97a45a4f2914b6a5881b5cd1db2a6a0e129e515e1a5f55" // of the package for amd64
)

// alertTests are the tests of the alerts, in promtool's form.
const alertTests = "deploy/prometheus/recoup.rules.test.yml"

// alerts tries what each fault fires and what a healthy recoup does not.
func (c *checker) alerts() error {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		if tool, err = installPromtool(c.ctx); err != nil {
			return fmt.Errorf("cannot get promtool (fix: put one of Prometheus 2.42 or later on the PATH): %w", err)
		}
	}
	return c.command(".", tool, "test", "rules", alertTests)
}

// installPromtool returns the pinned promtool, fetched once with Debian's own tools.
func installPromtool(ctx context.Context) (string, error) {
	if runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("only the package for amd64 is pinned, and this is %s", runtime.GOARCH)
	}
	dir, err := cache.Entry(ctx, "promtool-2.42.0-5", func(ctx context.Context, dir string) error {
		if err := runIn(ctx, dir, "apt-get", "download", promtoolPackage); err != nil {
			return err
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.deb"))
		if err != nil || len(files) != 1 {
			return errors.Join(fmt.Errorf("cannot find the package: apt-get left %q", files), err)
		}
		content, err := os.ReadFile(files[0])
		if err != nil {
			return fmt.Errorf("cannot read the package: %w", err)
		}
		sum := sha256.Sum256(content)
		if got := hex.EncodeToString(sum[:]); got != promtoolSHA256 {
			return fmt.Errorf("cannot trust %s: its SHA-256 is %s, want %s", filepath.Base(files[0]), got, promtoolSHA256)
		}
		return errors.Join(runIn(ctx, dir, "dpkg-deb", "-x", files[0], dir), os.Remove(files[0]))
	})
	return filepath.Join(dir, "usr", "bin", "promtool"), err
}

// runIn runs a program in a directory and quotes what it said when it failed.
func runIn(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %q: %w: %s", name, args, err, output)
	}
	return nil
}
