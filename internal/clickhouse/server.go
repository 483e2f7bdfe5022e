// Package clickhouse runs a real ClickHouse server for the demo and the tests:
// a recent `clickhouse` of the PATH, else the library of an npm package, which
// it installs once and serves from a child process that re-executes this
// binary. main and every TestMain that starts one call ChildMain first.
package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"recoup/internal/child"
)

const (
	startTries   = 3                // a port may be taken between choosing and using it
	startTimeout = 60 * time.Second // of one try; a good start takes half a second
	stopTimeout  = 15 * time.Second // then a server that was asked to end is killed
	readyPoll    = 20 * time.Millisecond
)

// Options say how to run a server. The zero value is a server on a temporary
// directory.
type Options struct {
	// Dir holds the data and is made when missing. Only one server at a time
	// may use it. By default a temporary directory, removed by Stop and Kill.
	Dir string
	// Log receives what the server prints. By default it is dropped, except
	// for the last lines, which stand in the error of a start that failed.
	Log io.Writer
	// Progress is told how many bytes of ClickHouse have been installed, when
	// it has to be installed first. It is called by one goroutine, a few times a second.
	Progress func(done, total int64)
	// Nice is the server's nice value, 0 to 19 (Linux): where it shares a busy machine with members and a
	// broker, rows and merges can wait, cases cannot. By default 0, that of this process.
	Nice int
}

// Server is a running ClickHouse that listens on the loopback interface only,
// as user "default" without a password. It dies with this process.
type Server struct {
	// NativeAddr is the host:port of the native protocol; it stays the same over Restart.
	NativeAddr string
	// HTTPAddr is the host:port of the HTTP interface; it stays the same over Restart.
	HTTPAddr string
	// Version is what the server says: "26.7.2.1".
	Version string

	dir          string
	temporary    bool // dir is removed at the end
	log          io.Writer
	nice         int
	engine       engine
	process      *child.Process
	native, http *shield
}

// Start finds or installs ClickHouse, starts it and returns once it answers
// queries. The caller ends it with Stop or Kill.
func Start(ctx context.Context, options Options) (*Server, error) {
	engine, err := find(ctx, options.Progress)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: options.Dir, log: options.Log, nice: options.Nice, engine: engine}
	if s.dir == "" {
		s.temporary = true
		if s.dir, err = os.MkdirTemp("", "recoup-clickhouse-"); err != nil {
			return nil, fmt.Errorf("cannot make a directory for ClickHouse: %w", err)
		}
	} else if s.dir, err = filepath.Abs(s.dir); err != nil {
		return nil, fmt.Errorf("cannot find the data directory %q of ClickHouse: %w", options.Dir, err)
	}
	if err := s.listen(); err != nil {
		s.removeTemporary()
		return nil, err
	}
	if err := s.launch(ctx); err != nil {
		s.closeShields()
		s.removeTemporary()
		return nil, err
	}
	return s, nil
}

// DSN returns the address in the form clickhouse-go reads.
func (s *Server) DSN() string { return "clickhouse://default@" + s.NativeAddr + "/default" }

// Done is closed when the server has ended, by Stop, Kill or by itself.
func (s *Server) Done() <-chan struct{} { return s.process.Done() }

// Stop asks the server to end, waits, and kills it when that takes more than 15
// seconds or ctx ends. It removes a temporary data directory.
func (s *Server) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	err := s.process.Stop(ctx)
	s.closeShields()
	s.removeTemporary()
	return err
}

// Kill ends the server at once, like a power cut of the process: for fault
// tests. The data stays, a temporary directory too, until Restart and Stop.
func (s *Server) Kill() {
	s.process.Kill()
	s.closeShields()
}

// Restart starts a killed server again on the same addresses and data.
func (s *Server) Restart(ctx context.Context) error {
	if s.process.Ended() == nil {
		return errors.New("cannot restart ClickHouse: it still runs; Kill it first")
	}
	s.closeShields()
	var err error
	if s.native, err = listenShield(s.NativeAddr); err != nil {
		return err
	}
	if s.http, err = listenShield(s.HTTPAddr); err != nil {
		s.closeShields()
		return err
	}
	if err := s.launch(ctx); err != nil {
		s.closeShields()
		return err
	}
	return nil
}

// listen opens the two public ports and holds them from now on.
func (s *Server) listen() (err error) {
	if s.native, err = listenShield(""); err != nil {
		return err
	}
	if s.http, err = listenShield(""); err != nil {
		s.closeShields()
		return err
	}
	s.NativeAddr, s.HTTPAddr = s.native.addr(), s.http.addr()
	return nil
}

// launch starts the child behind the shields and waits until it answers.
func (s *Server) launch(ctx context.Context) error {
	var err error
	for range startTries {
		if err = s.launchOnce(ctx); err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("cannot start ClickHouse (%s): %w", s.engine.name(), err)
	}
	return nil
}

func (s *Server) launchOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	ports, err := choosePorts()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return fmt.Errorf("cannot make the data directory: %w", err)
	}
	cmd, err := s.engine.command(s.dir, ports)
	if err != nil {
		return err
	}
	process, err := child.StartBehind(cmd, s.nice, s.log)
	if err != nil {
		return err
	}
	if s.Version, err = waitReady(ctx, process, s.dir, ports); err != nil {
		process.Kill()
		return err
	}
	s.process = process
	s.native.serve(ports.nativeAddr(), nativeGreeter(s.native.stop, ports.httpAddr()))
	s.http.serve(ports.httpAddr(), httpGreeter)
	return nil
}

func (s *Server) closeShields() {
	for _, shield := range []*shield{s.native, s.http} {
		if shield != nil {
			shield.close()
		}
	}
}

func (s *Server) removeTemporary() {
	if s.temporary {
		_ = os.RemoveAll(s.dir) // what stays is in the system's temporary directory
	}
}

// ports are the child's own; clients meet the shields' ports.
type ports struct{ native, http int }

func choosePorts() (p ports, err error) {
	if p.native, err = child.FreePort(); err != nil {
		return p, err
	}
	for p.http == 0 || p.http == p.native {
		if p.http, err = child.FreePort(); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (p ports) nativeAddr() string { return fmt.Sprintf("127.0.0.1:%d", p.native) }
func (p ports) httpAddr() string   { return fmt.Sprintf("127.0.0.1:%d", p.http) }

// waitReady returns the server's version once both its ports answer, and makes
// sure that it is the server of this directory and not another one that got the
// port first.
func waitReady(ctx context.Context, process *child.Process, dir string, ports ports) (version string, err error) {
	const query = "SELECT version(), path FROM system.disks WHERE name = 'default' FORMAT TSVRaw"
	for {
		var answer string
		if answer, err = Ask(ctx, ports.httpAddr(), query); err == nil {
			version, path, _ := strings.Cut(answer, "\t")
			if filepath.Clean(path) != filepath.Clean(dir) {
				return "", fmt.Errorf("another ClickHouse answers on port %d: its data is in %q", ports.http, path)
			}
			if err = touch(ports.nativeAddr()); err == nil {
				return version, nil
			}
		}
		select {
		case <-process.Done():
			return "", process.Ended()
		case <-ctx.Done():
			return "", fmt.Errorf("no answer: %w; it printed last:\n%s", err, process.Output())
		case <-time.After(readyPoll):
		}
	}
}

// Ask sends one query to the HTTP interface at host:port and returns the trimmed answer.
func Ask(ctx context.Context, addr, query string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/", strings.NewReader(query))
	if err != nil {
		return "", fmt.Errorf("cannot make the request: %w", err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("cannot read the answer: %w", err)
	}
	text := strings.TrimSpace(string(body))
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("cannot run %q: %s: %s", query, response.Status, text)
	}
	return text, nil
}

// touch connects and hangs up politely.
func touch(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}
