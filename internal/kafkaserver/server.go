// Package kafkaserver runs a real Apache Kafka broker, a single KRaft node on
// the loopback interface, for tests and benchmarks. The jars come from Maven
// once, pinned by pom.xml, and stay in the user's cache.
package kafkaserver

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"

	"recoup/internal/child"
)

const (
	startTries   = 3                // a port may be taken between choosing and using it
	startTimeout = 90 * time.Second // of one try; a good start takes three seconds
	stopTimeout  = 30 * time.Second // then a broker that was asked to end is killed
	readyPoll    = 50 * time.Millisecond
)

// Options say how to run a broker. The zero value is a broker on a temporary
// directory.
type Options struct {
	// Dir holds logs and configuration and is made when missing. By default a
	// temporary directory, removed by Stop.
	Dir string
	// Log receives what the broker prints (warnings and errors). By default it
	// is dropped, except for the last lines, which stand in the error of a
	// start that failed.
	Log io.Writer
	// Config sets broker settings on top of this package's, by Kafka's names.
	Config map[string]string
	// Heap is the JVM's largest heap. By default "512m".
	Heap string
	// Advertise is the host:port of a proxy that passes clients on to Behind: a broker
	// sends its clients to the address it advertises, past a proxy that it does not
	// know of. By default there is none.
	Advertise string
}

// Server is a running broker. It dies with this process.
type Server struct {
	options   Options
	jars      string // directory of the jars
	temporary bool   // options.Dir is removed at the end
	port      int    // clients'
	control   int    // controller's
	behind    int    // of clients that come through a proxy, 0: there is none
	process   *child.Process
}

// Start installs Kafka when needed, starts a broker and returns once it serves.
// Topics are not made by themselves. The caller ends it with Stop.
func Start(ctx context.Context, options Options) (*Server, error) {
	jars, err := install(ctx)
	if err != nil {
		return nil, err
	}
	if options.Heap == "" {
		options.Heap = "512m"
	}
	s := &Server{options: options, jars: jars, temporary: options.Dir == ""}
	if s.temporary {
		if s.options.Dir, err = os.MkdirTemp("", "recoup-kafka-"); err != nil {
			return nil, fmt.Errorf("cannot make a directory for Kafka: %w", err)
		}
	} else if s.options.Dir, err = filepath.Abs(options.Dir); err != nil {
		return nil, fmt.Errorf("cannot find the directory %q of Kafka: %w", options.Dir, err)
	}
	for range startTries {
		if err = s.choosePorts(); err != nil {
			break
		}
		if err = s.launch(ctx); err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	s.removeTemporary()
	return nil, err
}

// Addr returns the host:port clients connect to; it stays the same over Restart.
func (s *Server) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// Behind returns the host:port to which the proxy of Options.Advertise passes clients on.
func (s *Server) Behind() string { return fmt.Sprintf("127.0.0.1:%d", s.behind) }

// Done is closed when the broker has ended, by Stop, Kill or by itself.
func (s *Server) Done() <-chan struct{} { return s.process.Done() }

// Stop asks the broker to end, waits, and kills it when that takes more than 30
// seconds or ctx ends. It removes a temporary directory.
func (s *Server) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	err := s.process.Stop(ctx)
	s.removeTemporary()
	return err
}

// Kill ends the broker at once, like a power cut of the process: for fault
// tests. The data stays, a temporary directory too, until Restart and Stop.
func (s *Server) Kill() { s.process.Kill() }

// Restart starts a killed broker again on the same address and data. Partitions
// may be without their leader for some seconds more.
func (s *Server) Restart(ctx context.Context) error {
	if s.process.Ended() == nil {
		return errors.New("cannot restart Kafka: it still runs; Kill it first")
	}
	return s.launch(ctx)
}

func (s *Server) choosePorts() (err error) {
	if s.port, err = child.FreePort(); err != nil {
		return err
	}
	for s.control = s.port; s.control == s.port; {
		if s.control, err = child.FreePort(); err != nil {
			return err
		}
	}
	if s.options.Advertise == "" {
		return nil
	}
	for s.behind = s.port; s.behind == s.port || s.behind == s.control; {
		if s.behind, err = child.FreePort(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) removeTemporary() {
	if s.temporary {
		_ = os.RemoveAll(s.options.Dir) // what stays is in the system's temporary directory
	}
}

// launch formats the directory when it is new, starts the broker and waits
// until it serves.
func (s *Server) launch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	file, err := s.configure()
	if err != nil {
		return fmt.Errorf("cannot configure Kafka: %w", err)
	}
	clusterID, err := s.format(ctx, file)
	if err != nil {
		return fmt.Errorf("cannot format Kafka's directory: %w", err)
	}
	// Not bound to ctx: that is for the start only.
	process, err := child.Start(s.java(context.Background(), "kafka.Kafka", file), s.options.Log)
	if err != nil {
		return err
	}
	if err := waitReady(ctx, process, s.Addr(), clusterID); err != nil {
		process.Kill()
		return fmt.Errorf("cannot start Kafka: %w", err)
	}
	s.process = process
	return nil
}

// format makes the data directory when it is new and returns the cluster's id.
func (s *Server) format(ctx context.Context, file string) (clusterID string, err error) {
	meta := filepath.Join(s.dataDir(), "meta.properties")
	if _, err := os.Stat(meta); errors.Is(err, fs.ErrNotExist) {
		id := uuid.New()
		cmd := s.java(ctx, "kafka.tools.StorageTool", "format",
			"-t", base64.RawURLEncoding.EncodeToString(id[:]), "-c", file)
		if output, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w:\n%s", err, strings.TrimSpace(string(output)))
		}
	}
	text, err := os.ReadFile(meta)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if id, found := strings.CutPrefix(strings.TrimSpace(line), "cluster.id="); found {
			return id, nil
		}
	}
	return "", fmt.Errorf("%s has no cluster.id; delete the directory", meta)
}

// java returns the command that runs a class of Kafka.
func (s *Server) java(ctx context.Context, class string, args ...string) *exec.Cmd {
	all := append([]string{
		"-Xmx" + s.options.Heap, "-Xms64m", "-XX:+UseSerialGC", "-Djava.awt.headless=true",
		"-Dlog4j2.configurationFile=" + filepath.Join(s.options.Dir, "log4j2.properties"),
		"-cp", filepath.Join(s.jars, "*"), class,
	}, args...)
	cmd := exec.CommandContext(ctx, "java", all...)
	cmd.Dir = s.options.Dir
	return cmd
}

func (s *Server) dataDir() string { return filepath.Join(s.options.Dir, "data") }

// configure writes the broker's settings and returns their file.
func (s *Server) configure() (string, error) {
	if err := os.MkdirAll(s.options.Dir, 0o755); err != nil {
		return "", err
	}
	settings := map[string]string{
		"process.roles":                  "broker,controller",
		"node.id":                        "1",
		"controller.quorum.voters":       "1@127.0.0.1:" + strconv.Itoa(s.control),
		"listeners":                      fmt.Sprintf("PLAINTEXT://%s,CONTROLLER://127.0.0.1:%d", s.Addr(), s.control),
		"advertised.listeners":           "PLAINTEXT://" + s.Addr(),
		"listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"controller.listener.names":      "CONTROLLER",
		"inter.broker.listener.name":     "PLAINTEXT",
		"log.dirs":                       s.dataDir(),

		// One node holds everything once.
		"offsets.topic.replication.factor":                 "1",
		"transaction.state.log.replication.factor":         "1",
		"transaction.state.log.min.isr":                    "1",
		"share.coordinator.state.topic.replication.factor": "1",
		"share.coordinator.state.topic.min.isr":            "1",

		// A test's broker is small and does not wait.
		"offsets.topic.num.partitions":         "4",
		"transaction.state.log.num.partitions": "2",
		"group.initial.rebalance.delay.ms":     "0",
		"num.network.threads":                  "2",
		"num.io.threads":                       "4",
		"log.cleaner.dedupe.buffer.size":       "8388608",
		// Tests send invoices of years ago: retention must not take them before they are read.
		"log.initial.task.delay.ms":       "86400000", // of the first check
		"log.retention.check.interval.ms": "86400000",

		// A topic that is missing is a finding, not a wish.
		"auto.create.topics.enable": "false",
	}
	if s.options.Advertise != "" {
		settings["listeners"] += ",BEHIND://" + s.Behind()
		settings["advertised.listeners"] += ",BEHIND://" + s.options.Advertise
		settings["listener.security.protocol.map"] += ",BEHIND:PLAINTEXT"
	}
	maps.Copy(settings, s.options.Config)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s=%s\n", name, settings[name])
	}
	file := filepath.Join(s.options.Dir, "server.properties")
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		return "", err
	}
	return file, os.WriteFile(filepath.Join(s.options.Dir, "log4j2.properties"), loggingConfig, 0o644)
}

// waitReady returns once the broker serves, and makes sure that it is the one
// of this directory and not another one that got the port first.
func waitReady(ctx context.Context, process *child.Process, addr, clusterID string) error {
	for {
		got, err := askClusterID(ctx, addr)
		if err == nil && got == clusterID {
			return nil
		}
		if err == nil && got != "" {
			return fmt.Errorf("another Kafka answers on %s: cluster %q", addr, got)
		}
		select {
		case <-process.Done():
			return process.Ended()
		case <-ctx.Done():
			return fmt.Errorf("no answer: %w (%v); it printed last:\n%s", ctx.Err(), err, process.Output())
		case <-time.After(readyPoll):
		}
	}
}

// askClusterID returns the id of the cluster behind addr once it has a broker,
// "" before.
func askClusterID(ctx context.Context, addr string) (string, error) {
	if err := touch(addr); err != nil { // the client would retry a refused connection for long
		return "", err
	}
	transport := &kafka.Transport{} // a new one each time: it answers from memory
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(addr), Transport: transport, Timeout: 5 * time.Second}
	answer, err := client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil || len(answer.Brokers) == 0 {
		return "", err
	}
	return answer.ClusterID, nil
}

func touch(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}
