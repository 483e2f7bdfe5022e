package clickhouse

import (
	"context"
	"crypto/sha256"
	_ "embed" // the npm files
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"recoup/internal/cache"
)

// The library that is installed. npm/package-lock.json pins the package by its
// hash too; a new version means to change both.
const (
	libraryPackage = "@chdb/lib-linux-x64-gnu"
	libraryVersion = "26.7.3-stable.1"
	libraryFile    = "libchdb.so"
	librarySize    = 566330096
	librarySHA256  = "36ad4e999882821ef13cf2d0f52c93f48e6ee1b4498b35a201c23ce4b8d15bf5"
)

// progressPoll is how often an installation's progress is measured.
const progressPoll = 100 * time.Millisecond

//go:embed npm/package.json
var npmPackage []byte

//go:embed npm/package-lock.json
var npmLock []byte

// library is ClickHouse as a shared library, served by a child process that is
// this same binary.
type library struct{ path string }

func (l library) name() string { return "libchdb " + libraryVersion }

func (l library) command(dir string, ports ports) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find the running binary: %w", err)
	}
	// The library is "clickhouse local": it listens on request, and only while
	// its query runs, so the last query never ends.
	const query = "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP; " +
		"SELECT sleepEachRow(3) FROM system.numbers " +
		"SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null"
	cmd := exec.Command(self,
		"--path", dir,
		"--listen_host", "127.0.0.1",
		"--tcp_port", fmt.Sprint(ports.native),
		"--http_port", fmt.Sprint(ports.http),
		"--query", query,
		"--log-level", "warning", "--", "--logger.console=1")
	cmd.Args[0] = "clickhouse"
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), childVariable+"="+l.path)
	return cmd, nil
}

// installLibrary returns the path of the library, installed and checked.
func installLibrary(ctx context.Context, progress func(done, total int64)) (string, error) {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	dir, err := cache.Entry(ctx, "clickhouse-"+libraryVersion, func(ctx context.Context, dir string) error {
		return npmInstall(ctx, dir, progress)
	})
	if err != nil {
		return "", fmt.Errorf("cannot install ClickHouse "+
			"(give the address of a running server instead, or mend this and try again): %w", err)
	}
	path := filepath.Join(dir, libraryFile)
	info, err := os.Stat(path)
	if err != nil || info.Size() != librarySize {
		return "", fmt.Errorf("cannot use %s: it is not whole; delete the directory and start again", path)
	}
	return path, nil
}

// npmInstall has npm install the package into dir and leaves only the library there.
func npmInstall(ctx context.Context, dir string, progress func(done, total int64)) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return fmt.Errorf("cannot find npm, which downloads it: install Node.js 20 or later: %w", err)
	}
	for name, content := range map[string][]byte{"package.json": npmPackage, "package-lock.json": npmLock} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return fmt.Errorf("cannot write for npm: %w", err)
		}
	}
	stop := watchSize(dir, progress)
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = dir
	output, err := cmd.CombinedOutput()
	stop()
	if err != nil {
		return fmt.Errorf("cannot install %s with npm: %w:\n%s", libraryPackage, err, strings.TrimSpace(string(output)))
	}
	path := filepath.Join(dir, libraryFile)
	installed := filepath.Join(dir, "node_modules", filepath.FromSlash(libraryPackage), libraryFile)
	if err := os.Rename(installed, path); err != nil {
		return fmt.Errorf("cannot find the library in what npm installed: %w", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "node_modules")); err != nil {
		return fmt.Errorf("cannot tidy up behind npm: %w", err)
	}
	if err := checkHash(path); err != nil {
		return err
	}
	progress(librarySize, librarySize)
	return nil
}

// watchSize reports the size of all files below dir until the returned function
// is called, which waits for the last report.
func watchSize(dir string, progress func(done, total int64)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			progress(min(sizeBelow(dir), librarySize), librarySize)
			select {
			case <-ctx.Done():
				return
			case <-time.After(progressPoll):
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// sizeBelow adds up the files below dir, as far as they can be read: npm is
// moving them about meanwhile.
func sizeBelow(dir string) int64 {
	var size int64
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			if info, err := entry.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil
	})
	return size
}

func checkHash(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot check the library: %w", err)
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return fmt.Errorf("cannot check the library: %w", err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != librarySHA256 {
		return fmt.Errorf("cannot use the library: its SHA-256 is %s, expected %s", got, librarySHA256)
	}
	return nil
}
