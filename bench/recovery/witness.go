package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"recoup/bench/cluster"
)

// takeover is what a member says when it has taken a partition over: the group has
// accepted a commit of it behind all that it had to read, and it scores on.
type takeover struct {
	member    *cluster.Member
	partition int
	at        time.Time
	took      time.Duration // of its own work, from the claim on
	prepared  bool          // it had read ahead
}

// takeovers reads them off the members' logs.
func (r *rig) takeovers() (all []takeover, err error) {
	for _, m := range r.Members() {
		file, err := os.Open(m.LogFile(r.Cluster))
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			var line struct {
				Time      time.Time     `json:"time"`
				Msg       string        `json:"msg"`
				Partition int           `json:"partition"`
				Took      time.Duration `json:"took"`
				Prepared  bool          `json:"prepared"`
			}
			// What is not JSON is the end of a line that is just being written.
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "took over" {
				all = append(all, takeover{m, line.Partition, line.Time, line.Took, line.Prepared})
			}
		}
		_ = file.Close()
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("cannot read the log of %s: %w", m.Name, err)
		}
	}
	return all, nil
}

// prepared counts those that had been prepared.
func prepared(taken []takeover) (n int) {
	for _, t := range taken {
		if t.prepared {
			n++
		}
	}
	return n
}

// owners returns who took each partition over last, nil where nobody did yet.
func (r *rig) owners() ([]*cluster.Member, error) {
	all, err := r.takeovers()
	partitions := r.stream.Plan().Partitions
	owners, since := make([]*cluster.Member, partitions), make([]time.Time, partitions)
	for _, t := range all {
		if t.at.After(since[t.partition]) {
			owners[t.partition], since[t.partition] = t.member, t.at
		}
	}
	return owners, err
}

// owned returns the partitions of a member.
func (r *rig) owned(m *cluster.Member) (partitions []int, err error) {
	owners, err := r.owners()
	for p, owner := range owners {
		if owner == m {
			partitions = append(partitions, p)
		}
	}
	return partitions, err
}

// awaitTakeovers waits until others than one member have taken its partitions over behind
// an instant, and returns when each was.
func (r *rig) awaitTakeovers(ctx context.Context, of *cluster.Member, partitions []int,
	since time.Time) ([]takeover, error) {
	var found map[int]takeover
	err := r.await(ctx, time.Minute, fmt.Sprintf("partitions %v to be taken over", partitions), func() (bool, error) {
		all, err := r.takeovers()
		found = map[int]takeover{}
		for _, t := range all {
			if t.member != of && t.at.After(since) {
				found[t.partition] = t
			}
		}
		for _, p := range partitions {
			if _, is := found[p]; !is {
				return false, err
			}
		}
		return true, err
	})
	var list []takeover
	for _, p := range partitions {
		list = append(list, found[p])
	}
	return list, err
}

// progress notes when committed offsets move, as one sees who asks every 25 ms.
type progress struct {
	mu      sync.Mutex // guards moved and offsets
	moved   [][]time.Time
	offsets map[int]int64
}

// watchProgress watches until what it returns is called.
func (r *rig) watchProgress(ctx context.Context) (w *progress, stop func()) {
	w = &progress{moved: make([][]time.Time, r.stream.Plan().Partitions), offsets: map[int]int64{}}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sleep(ctx, poll) == nil {
			offsets, err := r.Kafka.CommittedOffsets(ctx, r.Config.Kafka.Group, r.Config.Kafka.Topics.Invoices)
			if err == nil { // else a later look sees it
				w.see(offsets, time.Now())
			}
		}
	}()
	return w, func() { cancel(); <-done }
}

func (w *progress) see(offsets map[int]int64, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for p, offset := range offsets {
		if offset > w.offsets[p] {
			w.offsets[p], w.moved[p] = offset, append(w.moved[p], at)
		}
	}
}

// around returns when a partition's offset moved last before an instant and first after
// it; zero: it has not.
func (w *progress) around(partition int, at time.Time) (before, after time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, moved := range w.moved[partition] {
		if moved.After(at) {
			return before, moved
		}
		before = moved
	}
	return before, after
}

// ask gets a page of a member.
func ask(ctx context.Context, m *cluster.Member, path string) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.HTTP+path, nil)
	if err != nil {
		return 0, "", err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// metric returns a member's metric, summed over its labels.
func metric(ctx context.Context, m *cluster.Member, name string) (sum float64, err error) {
	_, body, err := ask(ctx, m, "/metrics")
	for line := range strings.Lines(body) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if i := strings.LastIndexByte(line, '}'); i >= 0 {
			series, value = line[:i], strings.TrimSpace(line[i+1:])
		}
		if series, _, _ = strings.Cut(series, "{"); series != name {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("cannot read metric %s of %s: %w", name, m.Name, err)
		}
		sum += n
	}
	return sum, err
}
