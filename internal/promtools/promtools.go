// Package promtools gives tests the programs of Prometheus: promtool, alertmanager
// and amtool, from the PATH or from Debian's packages, unpacked and never installed.
package promtools

import (
	"bytes"
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

// Tool is a program.
type Tool string

// The programs that tests need.
const (
	Promtool     Tool = "promtool"
	Alertmanager Tool = "alertmanager"
	Amtool       Tool = "amtool"
)

// debian is one of Debian's packages for amd64.
type debian struct {
	entry   string // in the cache
	version string // as apt names it
	sha256  string // of the package
	program string // its path in the package
}

// Debian's alertmanager reads its templates from templates, where they are only once it
// is installed. Rewritten to as many bytes it reads them from the package, in whose
// usr folder it is started (Home).
const (
	templates     = "/usr/share/prometheus/alertmanager"
	homeTemplates = ".////share/prometheus/alertmanager"
)

const alertmanagerSHA256 = "4fb9aed15cfe8e0c32408e643ab32a1e41ee87d2cc26f18aeba928b1b0b98ae7"

var packages = map[Tool]debian{
	Promtool: {"promtool-2.42.0-5", "prometheus=2.42.0+ds-5+deb12u1",
		"81d59a24fce84f7fbe97a45a4f2914b6a5881b5cd1db2a6a0e129e515e1a5f55", "usr/bin/promtool"},
	Alertmanager: {"alertmanager-0.25.0-1-home", "prometheus-alertmanager=0.25.0-1+b4", alertmanagerSHA256,
		"usr/bin/prometheus-alertmanager"},
	Amtool: {"alertmanager-0.25.0-1-home", "prometheus-alertmanager=0.25.0-1+b4", alertmanagerSHA256, "usr/bin/amtool"},
}

// Find returns the path of a program, fetched once with Debian's own tools where there
// is none.
func Find(ctx context.Context, tool Tool) (string, error) {
	if path, err := exec.LookPath(string(tool)); err == nil {
		return path, nil
	}
	p := packages[tool]
	dir, err := cache.Entry(ctx, p.entry, p.install)
	if err != nil {
		return "", fmt.Errorf("cannot get %s (fix: put it on the PATH, as of %s or later): %w", tool, p.version, err)
	}
	return filepath.Join(dir, p.program), nil
}

// install fetches the package, checks it and unpacks it.
func (p debian) install(ctx context.Context, dir string) error {
	if runtime.GOARCH != "amd64" {
		return fmt.Errorf("only the package for amd64 is pinned, and this is %s", runtime.GOARCH)
	}
	if err := runIn(ctx, dir, "apt-get", "download", p.version); err != nil {
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
	if got := hex.EncodeToString(sum[:]); got != p.sha256 {
		return fmt.Errorf("cannot trust %s: its SHA-256 is %s, want %s", filepath.Base(files[0]), got, p.sha256)
	}
	if err := errors.Join(runIn(ctx, dir, "dpkg-deb", "-x", files[0], dir), os.Remove(files[0])); err != nil {
		return err
	}
	programs, err := filepath.Glob(filepath.Join(dir, "usr/bin/*"))
	if err != nil || len(programs) == 0 {
		return errors.Join(errors.New("cannot find a program in the package"), err)
	}
	for _, program := range programs {
		if content, err = os.ReadFile(program); err == nil {
			err = os.WriteFile(program, bytes.ReplaceAll(content, []byte(templates), []byte(homeTemplates)), 0o755)
		}
		if err != nil {
			return fmt.Errorf("cannot point a program to its templates: %w", err)
		}
	}
	return nil
}

// Home is the folder in which a program that Find returned is started.
func Home(program string) string { return filepath.Dir(filepath.Dir(program)) }

// runIn runs a program in a directory and quotes what it said when it failed.
func runIn(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %q: %w: %s", name, args, err, output)
	}
	return nil
}
