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

	"recoup/bench/fault"
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
	// turn is which piece is meant: 0 is the request itself, 1 what its sender says next, once
	// the server has answered: of an insert the rows.
	turn int
	// moved: somebody comes there only when partitions move.
	moved bool
	// done: the server has done and answered it, and whoever asked does not live to hear.
	// Else it has not arrived when its sender is met: it never does, or not before the
	// sender, paused, goes on.
	done bool
}

// points are where members are killed and paused, in the order of the protocol.
var points = []point{
	{"before the decision", produce, func(t *config.Topics) string { return t.Suspects }, 0, false, false},
	{"inside the decision", produce, func(t *config.Topics) string { return t.Suspects }, 0, false, true},
	{"between decision and alert", produce, func(t *config.Topics) string { return t.Cases }, 0, false, false},
	{"inside the alert", produce, func(t *config.Topics) string { return t.Cases }, 0, false, true},
	{"between alert and insert", -1, says("invoice_lines"), 0, false, false},
	{"between lines and rows", -1, says("scored_invoices"), 0, false, false},
	{"with rows under way", -1, says("scored_invoices"), 1, false, false},
	{"inside the insert", -1, says("scored_invoices"), 1, false, true},
	{"between insert and commit", offsetCommit, func(t *config.Topics) string { return t.Invoices }, 0, false, false},
	{"inside the commit", offsetCommit, func(t *config.Topics) string { return t.Invoices }, 0, false, true},
	{"before the checkpoint", produce, func(t *config.Topics) string { return t.State }, 0, false, false},
	{"inside the checkpoint", produce, func(t *config.Topics) string { return t.State }, 0, false, true},
	{"before a contribution", produce, func(t *config.Topics) string { return t.Baselines }, 0, false, false},
	{"inside a copy", -1, says("cases"), 1, false, true},
	{"inside the take-over", -1, func(*config.Topics) string { return takeOver }, 0, true, false},
}

// takeOver is how the query begins by which an owner looks for inserts of those before.
const takeOver = "SELECT count() FROM system.processes WHERE /* take-over */"

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

	mu    sync.Mutex // guards what follows
	left  int
	armed map[int64]arming // by connection
	err   error
	done  chan struct{} // closed when none is left
}

// arming is a member that has asked for what the point is about.
type arming struct {
	client string
	turn   int // at which it is met
}

// set has the next members that come to a point met by act. It waits until as many came,
// or for a while.
func (p *play) set(ctx context.Context, at *point, times int, act func(m *member) error) error {
	t := &trap{point: at, play: p, says: []byte(at.says(&p.Config.Kafka.Topics)), act: act, left: times,
		armed: map[int64]arming{}, done: make(chan struct{})}
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

func (t *trap) kafka(client string, piece fault.Piece) bool {
	if t.api < 0 || !piece.Answer && int(binary.BigEndian.Uint16(piece.Said[4:])) != t.api {
		return true
	}
	return t.meet(client, piece)
}

func (t *trap) warehouse(client string, piece fault.Piece) bool {
	return t.api >= 0 || t.meet(client, piece)
}

// meet acts if a member is there, and tells whether what is said may arrive: not if the member
// is dead. What a paused one has said is under way until it goes on: nobody else waits for that.
func (t *trap) meet(client string, piece fault.Piece) bool {
	m, awake := t.comes(client, piece)
	if m == nil {
		return true
	}
	<-awake
	return m.Running()
}

// comes acts if a member is there, and returns it then, and what is closed when it goes on.
func (t *trap) comes(client string, piece fault.Piece) (*member, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left == 0 {
		return nil, nil
	}
	if !piece.Answer && bytes.Contains(piece.Said, t.says) {
		t.armed[piece.Link] = arming{client, piece.Turn + t.turn}
	}
	here, is := t.armed[piece.Link]
	if !is || piece.Turn < here.turn || piece.Answer != t.point.done {
		return nil, nil
	}
	delete(t.armed, piece.Link)
	for _, m := range t.play.atWork() {
		if m.client != here.client {
			continue
		}
		if err := t.act(m); err != nil {
			t.err = err
		}
		if t.left--; t.left == 0 {
			close(t.done)
		}
		return m, t.play.awake(m)
	}
	return nil, nil
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
		if !at.done { // what is done is not late
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
