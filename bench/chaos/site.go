package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"recoup/bench/fault"
	"recoup/internal/clickhouse"
	"recoup/internal/kafkaserver"
)

// site is what all scenes share: the servers, and proxies before them.
type site struct {
	dir         string // of programs and logs
	binary, old string // recoup as it is here, and an earlier one, "" where there is none
	noOld       error  // why there is none
	broker      *kafkaserver.Server
	server      *clickhouse.Server
	disk        string // directory of ClickHouse on a file system of its own, "" without
	kafka       *fault.Proxy
	warehouse   front
}

// open starts the servers and builds recoup. The caller ends it with close.
func open(ctx context.Context, dir, disk, old string) (s *site, err error) {
	s = &site{dir: dir, binary: filepath.Join(dir, "recoup"), disk: disk, old: old}
	began := s // what a return of nil leaves to be ended
	defer func() {
		if err != nil {
			began.close()
		}
	}()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if s.kafka, err = fault.Listen(); err != nil {
		return nil, err
	}
	built := make(chan error, 1)
	go func() { built <- build(ctx, ".", s.binary) }()
	s.broker, err = kafkaserver.Start(ctx, kafkaserver.Options{Advertise: s.kafka.Addr()})
	if err == nil {
		s.server, err = clickhouse.Start(ctx, clickhouse.Options{Dir: disk})
	}
	if err = errors.Join(err, <-built); err != nil {
		return nil, err
	}
	s.kafka.Pass(s.broker.Behind())
	s.warehouse.target = s.server.NativeAddr
	return s, nil
}

// close ends the servers.
func (s *site) close() {
	ctx := context.Background()
	if s.server != nil {
		_ = s.server.Stop(ctx)
	}
	if s.broker != nil {
		_ = s.broker.Stop(ctx)
	}
	s.warehouse.close()
	if s.kafka != nil {
		s.kafka.Close()
	}
}

// build builds the recoup of a source tree.
func build(ctx context.Context, source, binary string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/recoup")
	cmd.Dir = source
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build recoup in %s: %w\n%s", source, err, output)
	}
	return nil
}

// earlier is the commit whose members work beside those of this source.
const earlier = "1cb58c7"

// buildOld builds the earlier release from the history, once.
func (s *site) buildOld(ctx context.Context) error {
	if s.old != "" || s.noOld != nil {
		return s.noOld
	}
	source := filepath.Join(s.dir, "earlier")
	err := os.MkdirAll(source, 0o755)
	if err == nil {
		script := "git archive " + earlier + " | tar -x -C \"$0\""
		cmd := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-c", script, source)
		var output []byte
		if output, err = cmd.CombinedOutput(); err != nil {
			err = fmt.Errorf("cannot take commit %s from the history, is it there? %w\n%s", earlier, err, output)
		}
	}
	binary := filepath.Join(s.dir, "recoup-"+earlier)
	if err == nil {
		err = build(ctx, source, binary)
	}
	if s.noOld = err; err == nil {
		s.old = binary
	}
	return err
}

// calm lifts whatever is done to connections.
func (s *site) calm() {
	s.kafka.Set(fault.Fault{})
	s.warehouse.set(fault.Fault{}, nil)
}

// watcher is told what a client and a server, Kafka or ClickHouse, say to each other, and
// whether that may arrive. Requests to Kafka come one by one; of Kafka's answers the client is
// "": what it answers came on the same connection.
type watcher func(client string, piece fault.Piece) (pass bool)

// watch has what is said told to one who looks at each server.
func (s *site) watch(kafka, warehouse watcher) {
	s.kafka.Set(fault.Fault{See: func(piece fault.Piece) bool {
		if piece.Answer {
			return kafka("", piece)
		}
		for said := piece.Said; len(said) > 0; {
			request, client, rest := kafkaRequest(said)
			piece.Said = request
			if client != "" && !kafka(client, piece) {
				return false
			}
			said = rest
		}
		return true
	}})
	s.warehouse.set(fault.Fault{}, warehouse)
}

// kafkaRequest splits off what was said the first request: four bytes of length, two of
// kind, two of version, four that number it, and the client's name behind its length. Of
// a piece that does not begin with a request the client is "".
func kafkaRequest(said []byte) (request []byte, client string, rest []byte) {
	const head = 14
	if len(said) < head {
		return nil, "", nil
	}
	size := 4 + int(binary.BigEndian.Uint32(said))
	name := head + int(binary.BigEndian.Uint16(said[head-2:]))
	if name > len(said) || name > size || !bytes.HasPrefix(said[head:name], []byte(clientPrefix)) {
		return nil, "", nil
	}
	size = min(size, len(said))
	return said[:size], string(said[head:name]), said[size:]
}

// front stands before ClickHouse with a proxy for each client, so that it knows who speaks.
type front struct {
	target string

	mu      sync.Mutex // guards what follows
	fault   fault.Fault
	watcher watcher
	proxies map[string]*fault.Proxy
	cuts    int // of proxies that are closed
}

// open returns the address of a client's own proxy.
func (f *front) open(client string) (string, error) {
	p, err := fault.Listen()
	if err != nil {
		return "", err
	}
	p.Pass(f.target)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.proxies == nil {
		f.proxies = map[string]*fault.Proxy{}
	}
	f.proxies[client] = p
	p.Set(f.seenBy(client))
	return p.Addr(), nil
}

// seenBy returns the fault as a client meets it. f.mu is held.
func (f *front) seenBy(client string) fault.Fault {
	met := f.fault
	if see := f.watcher; see != nil {
		met.See = func(piece fault.Piece) bool { return see(client, piece) }
	}
	return met
}

// set puts a fault, and a watcher or nil, before all clients.
func (f *front) set(met fault.Fault, see watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.watcher = met, see
	for client, p := range f.proxies {
		p.Set(f.seenBy(client))
	}
}

// cut returns how many connections were cut so far.
func (f *front) cut() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.cuts
	for _, p := range f.proxies {
		n += p.Cuts()
	}
	return n
}

// close hangs up on all clients.
func (f *front) close() {
	f.mu.Lock()
	open := f.proxies
	f.proxies = nil
	for _, p := range open {
		f.cuts += p.Cuts()
	}
	f.mu.Unlock()
	for _, p := range open {
		p.Close()
	}
}

// ask asks ClickHouse past all proxies.
func (s *site) ask(ctx context.Context, query string) (string, error) {
	answer, err := clickhouse.Ask(ctx, s.server.HTTPAddr, query)
	return strings.TrimSpace(answer), err
}
