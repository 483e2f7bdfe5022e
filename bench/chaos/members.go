package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"recoup/internal/config"
)

// Kinds of requests to Kafka.
const (
	produce      = 0
	offsetCommit = 8
)

// point is a step of the protocol, known by the request that makes it.
type point struct {
	name string
	// api is the kind of a request to Kafka, -1 for a query to ClickHouse.
	api int
	// says returns what the request contains.
	says func(t *config.Topics) string
	// moved: somebody comes there only when partitions move.
	moved bool
	// done: the request arrives, though whoever sent it does not live to hear. Else it
	// does not arrive.
	done bool
}

// points are where members are killed and paused, in the order of the protocol.
var points = []point{
	{"before the decision", produce, func(t *config.Topics) string { return t.Suspects }, false, false},
	{"inside the decision", produce, func(t *config.Topics) string { return t.Suspects }, false, true},
	{"between decision and alert", produce, func(t *config.Topics) string { return t.Cases }, false, false},
	{"inside the alert", produce, func(t *config.Topics) string { return t.Cases }, false, true},
	{"between alert and insert", -1, says("invoice_lines"), false, false},
	{"between lines and rows", -1, says("scored_invoices"), false, false},
	{"inside the insert", -1, says("scored_invoices"), false, true},
	{"between insert and commit", offsetCommit, func(t *config.Topics) string { return t.Invoices }, false, false},
	{"inside the commit", offsetCommit, func(t *config.Topics) string { return t.Invoices }, false, true},
	{"before the checkpoint", produce, func(t *config.Topics) string { return t.State }, false, false},
	{"inside the checkpoint", produce, func(t *config.Topics) string { return t.State }, false, true},
	{"before a contribution", produce, func(t *config.Topics) string { return t.Baselines }, false, false},
	{"inside a copy", -1, says("cases"), false, true},
	{"inside the take-over", -1, func(*config.Topics) string { return "KILL QUERY WHERE /* take-over */" }, true, false},
}

// says is the start of an insert.
func says(table string) func(*config.Topics) string {
	return func(*config.Topics) string { return "." + table + " (" }
}

// trap waits for members to come to a point.
type trap struct {
	*point
	play *play
	says []byte
	act  func(m *member) error

	mu   sync.Mutex // guards what follows
	left int
	err  error
	done chan struct{} // closed when none is left
}

// set has the next members that come to a point met by act. It waits until as many came,
// or for a while.
func (p *play) set(ctx context.Context, at *point, times int, act func(m *member) error) error {
	t := &trap{point: at, play: p, says: []byte(at.says(&p.Config.Kafka.Topics)), act: act, left: times,
		done: make(chan struct{})}
	p.site.watch(t.kafka, t.warehouse)
	if there := p.atWork(); at.moved && len(there) > 1 {
		p.kill(there[0], "killed at random")
		if err := p.refill(); err != nil {
			return err
		}
	}
	const longest = 30 * time.Second
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.done:
	case <-time.After(longest):
	}
	p.site.calm()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left == times && t.err == nil {
		return errNobody
	}
	return t.err
}

func (t *trap) kafka(client string, request []byte) bool {
	return t.api < 0 || int(binary.BigEndian.Uint16(request[4:])) != t.api || t.meet(client, request)
}

func (t *trap) warehouse(client string, said []byte) bool {
	return t.api >= 0 || t.meet(client, said)
}

// meet acts if a member is there, and tells whether what it says may arrive. Whoever is
// paused hears the answer later.
func (t *trap) meet(client string, said []byte) bool {
	if !bytes.Contains(said, t.says) {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left == 0 {
		return true
	}
	for _, m := range t.play.atWork() {
		if m.client != client {
			continue
		}
		if err := t.act(m); err != nil {
			t.err = err
		}
		if t.left--; t.left == 0 {
			close(t.done)
		}
		return t.point.done || m.Running()
	}
	return true
}

// killings are all ways to kill members.
func killings() []kind {
	kinds := []kind{
		{"killed at random", func(_ context.Context, p *play, rng *rand.Rand, name string) error {
			return kill(p, rng, 1, name)
		}},
		{"several killed at once", func(_ context.Context, p *play, rng *rand.Rand, name string) error {
			return kill(p, rng, 2+rng.IntN(4), name)
		}},
	}
	for i := range points {
		at := &points[i]
		kinds = append(kinds, kind{"killed " + at.name,
			func(ctx context.Context, p *play, rng *rand.Rand, name string) error {
				return p.set(ctx, at, 1+rng.IntN(3), func(m *member) error {
					p.kill(m, name)
					return nil
				})
			}})
	}
	return kinds
}

// kill kills some of the members at work.
func kill(p *play, rng *rand.Rand, n int, name string) error {
	there := p.atWork()
	if len(there) == 0 {
		return errNobody
	}
	for _, i := range rng.Perm(len(there))[:min(n, len(there))] {
		p.kill(there[i], name)
	}
	return nil
}

// pausings are all ways to pause members: some for less than a session, most for more.
func pausings() []kind {
	kinds := []kind{
		{"paused for less than a session",
			func(_ context.Context, p *play, rng *rand.Rand, name string) error {
				return pause(p, rng, time.Second+upTo(rng, 3*time.Second), name)
			}},
		{"paused for longer than a session",
			func(_ context.Context, p *play, rng *rand.Rand, name string) error {
				return pause(p, rng, session+2*time.Second+upTo(rng, 6*time.Second), name)
			}},
	}
	for i := range points {
		at := &points[i]
		if !at.done { // what a paused member sent arrives in any case
			kinds = append(kinds, kind{fmt.Sprintf("paused %s, longer than a session", at.name),
				func(ctx context.Context, p *play, rng *rand.Rand, name string) error {
					length := session + 2*time.Second + upTo(rng, 6*time.Second)
					return p.set(ctx, at, 1, func(m *member) error { return p.pause(m, length, name) })
				}})
		}
	}
	return kinds
}

// pause pauses one or two members at work; another one stays.
func pause(p *play, rng *rand.Rand, length time.Duration, name string) error {
	there := p.atWork()
	n := min(1+rng.IntN(2), len(there)-1)
	if n < 1 {
		return errNobody
	}
	for _, i := range rng.Perm(len(there))[:n] {
		if err := p.pause(there[i], length, name); err != nil {
			return err
		}
	}
	return nil
}

// upTo draws a duration.
func upTo(rng *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(most)))
}

// leave asks members to go, all at once, and waits until they have.
func (p *play) leave(ctx context.Context, leaving []*member, name string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	errs := make(chan error)
	for _, m := range leaving {
		p.mu.Lock()
		m.gone = true
		p.mu.Unlock()
		p.note(name, other)
		go func() { errs <- m.Stop(ctx) }()
	}
	var err error
	for range leaving {
		err = errors.Join(err, <-errs)
	}
	return err
}

// scalings change how many members there are, as operators and autoscalers do.
func scalings() []kind {
	return []kind{{"from 1 to 8, 3, 8 and 1 members",
		func(ctx context.Context, p *play, rng *rand.Rand, _ string) error {
			for _, n := range []int{8, 3, 8, 1} {
				if err := p.scale(ctx, rng, n); err != nil {
					return err
				}
				if err := p.flow(ctx); err != nil {
					return err
				}
			}
			return nil
		}}}
}

// scale lets members join or go until n are there; of those that go some are killed.
func (p *play) scale(ctx context.Context, rng *rand.Rand, n int) error {
	there := p.atWork()
	for range n - len(there) {
		p.note(fmt.Sprintf("joined up to %d", n), other)
	}
	p.want = n
	var leaving []*member
	for _, i := range rng.Perm(len(there))[:max(len(there)-n, 0)] {
		if rng.IntN(4) == 0 {
			p.kill(there[i], fmt.Sprintf("killed down to %d", n))
		} else {
			leaving = append(leaving, there[i])
		}
	}
	return errors.Join(p.leave(ctx, leaving, fmt.Sprintf("left down to %d", n)), p.refill())
}
