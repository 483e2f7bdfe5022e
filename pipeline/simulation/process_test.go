package simulation_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"recoup/pipeline"
	"recoup/pipeline/memlog"
)

var (
	errDead  = errors.New("the process is dead")
	errFault = errors.New("connection reset")
	errAway  = errors.New("connection refused")
)

// A fault is what happens at one effect of a process.
type fault int

const (
	none        fault = iota
	dieBefore         // killed before the world hears of it
	dieAfter          // killed before it hears the answer
	dieTorn           // killed while a part was written: half of an append
	failBefore        // refused: nothing was done
	failAfter         // done, but the answer is lost
	failTorn          // a part was done
	pauseBefore       // stopped between the fence and the effect
	pauseAfter        // stopped between the effect and its answer
	pauseTorn         // stopped while the store works on an insert
	expel             // the group takes it for dead, and it does not hear of it for a while
)

func (f fault) String() string {
	return []string{"", "dies before", "dies after", "dies in between", "is refused", "loses the answer", "is torn",
		"pauses before", "pauses after", "pauses in between", "is given up"}[f]
}

// fate is what is to happen to one process.
type fate struct {
	fuses   map[fuse]fault
	flaky   float64       // share of further effects that fail
	pause   time.Duration // how long it stops
	session time.Duration // how long the group waits for it
	hear    time.Duration // how long it takes to hear that the group has given it up
	slow    time.Duration // most that an effect takes
	behind  string        // what it reads late
	late    time.Duration // by that much
}

// fuse is an effect: the n-th of a kind, from 1; of any kind if none is named, or of any since
// the process was told to leave.
type fuse struct {
	kind string
	n    int
}

// kinds are what fuses name: how the text of an effect begins.
var kinds = []string{"", "append suspects", "append cases", "append state", "append marker", "append baselines",
	"insert", "commit recoup"}

// leaving is the kind of all effects of a process that was told to leave.
const leaving = "leaving"

// process is a member and its view of the world. Each call takes some time, which
// depends on nothing but the seed and what is called: no two things happen at the same
// instant, so that a seed always takes the same course, however goroutines are scheduled.
type process struct {
	s      *run
	name   string
	fate   fate
	log    *memlog.Log
	groups map[string]*memlog.Member // by consumer group
	kill   context.CancelFunc

	mu       sync.Mutex // guards what follows
	dead     bool
	told     bool                 // to leave
	effects  map[string]int       // by kind
	until    time.Time            // paused until then
	expelled map[string]time.Time // when a consumer group gave it up, by group; none: it did not
	assigned time.Time            // when the group of the invoices assigned it partitions last
}

func (s *run) newProcess(name string, f fate) *process {
	return &process{s: s, name: name, fate: f, log: s.log, groups: map[string]*memlog.Member{},
		effects: map[string]int{}, expelled: map[string]time.Time{}}
}

// chance draws a number in [0, 1) for a call that is made now. Two readers of a topic that
// begin at the same instant draw the same: which of them is the first is nobody's choice.
func (p *process) chance(what string) float64 {
	var room [128]byte
	text := strconv.AppendUint(room[:0], p.s.seed, 10)
	for _, part := range []string{p.name, what} {
		text = append(append(text, ' '), part...)
	}
	text = strconv.AppendInt(append(text, ' '), int64(time.Since(p.s.began)), 10)
	h := fnv.New64a()
	h.Write(text)
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}

// took lets a share of a duration pass.
func took(share float64, d time.Duration) {
	time.Sleep(time.Microsecond + time.Duration(share*float64(d)))
}

// awake is how long it takes at most until all that a paused process has under way goes on.
const awake = 100 * time.Microsecond

// gate is passed before and after each call, which has drawn a chance: a dead process gets
// no further, a paused one when it goes on.
func (p *process) gate(ctx context.Context, chance float64) error {
	for {
		p.mu.Lock()
		dead, wait := p.dead, time.Until(p.until)
		p.mu.Unlock()
		if dead {
			<-ctx.Done()
			return errDead
		}
		if wait <= 0 {
			return nil
		}
		time.Sleep(wait)
		took(chance, awake)
	}
}

// next counts an effect and draws what happens at it.
func (p *process) next(what string, chance float64) fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.told {
		p.effects[leaving]++
		if f, is := p.fate.fuses[fuse{leaving, p.effects[leaving]}]; is {
			return f
		}
	}
	for _, kind := range kinds {
		if strings.HasPrefix(what, kind) {
			p.effects[kind]++
			if f, is := p.fate.fuses[fuse{kind, p.effects[kind]}]; is {
				return f
			}
		}
	}
	if chance < p.fate.flaky {
		return []fault{failBefore, failAfter, failTorn}[int(chance/p.fate.flaky*3)]
	}
	return none
}

// effect makes a call that changes the world. do makes it, or a part of it, at once.
func (p *process) effect(ctx context.Context, consumer, what string, do func(torn fault) error) error {
	e, err := p.begin(ctx, consumer, what)
	if err != nil {
		return err
	}
	return e.end(ctx, do(e.torn))
}

// effect is a call that changes the world, under way.
type effect struct {
	p      *process
	what   string
	chance float64
	fault  fault // what happens at it
	torn   fault // the same, if only a part of it is to be made
}

// begin leads up to the instant of an effect.
func (p *process) begin(ctx context.Context, consumer, what string) (*effect, error) {
	chance := p.chance(what)
	if err := p.gate(ctx, chance); err != nil {
		return nil, err
	}
	p.s.checkFenced(p, consumer, what)
	took(chance, 100*time.Microsecond) // what begins at the same instant gets an order
	f := p.next(what, p.chance("fault of "+what))
	p.s.note("%s %s %s", p.name, what, f)
	took(chance, p.fate.slow)
	switch f {
	case dieBefore:
		p.die()
	case failBefore:
		return nil, errFault
	case pauseBefore:
		p.stop()
	case expel:
		p.expel()
	}
	if err := p.gate(ctx, chance); err != nil {
		return nil, err
	}
	e := &effect{p: p, what: what, chance: chance, fault: f}
	if f == dieTorn || f == failTorn || f == pauseTorn {
		e.torn = f
	}
	return e, nil
}

// end is what follows an effect; it returns what the process hears of it.
func (e *effect) end(ctx context.Context, err error) error {
	p, f := e.p, e.fault
	p.s.note("%s %s done: %v", p.name, e.what, err)
	took(e.chance, p.fate.slow/2)
	switch f {
	case dieAfter, dieTorn:
		p.die()
	case pauseAfter:
		p.stop()
	}
	if gone := p.gate(ctx, e.chance); gone != nil {
		return gone
	}
	if err == nil && (f == failAfter || f == failTorn) {
		return errFault
	}
	return err
}

// read is a call that changes nothing.
func (p *process) read(ctx context.Context, what string, do func() error) error {
	chance := p.chance(what)
	if err := p.gate(ctx, chance); err != nil {
		return err
	}
	took(chance, 200*time.Microsecond)
	if p.fate.behind != "" && strings.HasPrefix(what, "fetch "+p.fate.behind) {
		took(chance, p.fate.late)
	}
	if chance < p.fate.flaky/4 {
		return errFault
	}
	err := do()
	took(chance, 100*time.Microsecond)
	if gone := p.gate(ctx, chance); gone != nil {
		return gone
	}
	return err
}

// leaves notes that the process is told to leave.
func (p *process) leaves() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = true
}

// die ends the process: nothing it does reaches the world any more. The groups hear of
// it when its session is over.
func (p *process) die() {
	p.mu.Lock()
	p.dead = true
	p.mu.Unlock()
	p.s.note("%s is dead", p.name)
	p.kill()
	time.AfterFunc(p.fate.session, p.leave)
}

// stop pauses the process. If that takes longer than its session it is given up
// meanwhile, and hears of it some time after it woke up.
func (p *process) stop() {
	p.mu.Lock()
	p.until = time.Now().Add(p.fate.pause)
	p.mu.Unlock()
	p.s.note("%s is paused for %v", p.name, p.fate.pause)
	if p.fate.pause > p.fate.session {
		time.AfterFunc(p.fate.session, p.leave)
		time.AfterFunc(p.fate.pause+p.fate.hear, p.wake)
	}
}

// expel has the groups give up a process that works on.
func (p *process) expel() {
	p.leave()
	time.AfterFunc(p.fate.hear, p.wake)
}

// leave has the groups give up the process.
func (p *process) leave() {
	p.s.note("%s is given up", p.name)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dead {
		p.s.mu.Lock()
		p.s.zombies = true
		p.s.mu.Unlock()
	}
	for name, g := range p.groups {
		g.Evict()
		p.expelled[name] = time.Now()
	}
}

// wake lets the process hear that it was given up.
func (p *process) wake() {
	for _, g := range p.groups {
		g.Heartbeat()
	}
}

// since is how long ago the consumer group, or each of several, gave the process up; 0:
// it did not. resumed says that the process has just gone on: what it does
// now may have passed its fence before it was paused.
func (p *process) since(consumer string) (gone time.Duration, resumed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	when := p.expelled[consumer]
	if consumer == "" {
		for name := range p.groups {
			if e := p.expelled[name]; e.IsZero() || e.After(when) {
				when = e
			}
			if when.IsZero() {
				break
			}
		}
	}
	if when.IsZero() {
		return 0, false
	}
	return time.Since(when), !p.until.IsZero() && time.Since(p.until) <= awake+time.Microsecond
}

// Open, Append, Bounds and Partitions make a process's view a pipeline.Log.

func (p *process) Open(topic string, partition int) pipeline.Reader {
	return &view{p, "fetch " + topic + "/" + strconv.Itoa(partition), p.log.Open(topic, partition)}
}

func (p *process) Append(ctx context.Context, topic string, partition int,
	records []pipeline.Record) (base int64, err error) {
	consumer := group
	if topic == topics.Cases || topic == topics.DeadLetter {
		consumer = "" // workers and the stage write them
	}
	what := topic
	if topic == topics.State && string(records[0].Key) == "marker" {
		what = "marker"
	}
	err = p.effect(ctx, consumer, fmt.Sprintf("append %s/%d", what, partition), func(torn fault) (err error) {
		list := records
		if torn == dieTorn || torn == failTorn {
			list = records[:len(records)/2]
		}
		p.s.checkAppend(p, topic, list)
		p.countTombstones(topic, list)
		base, err = p.log.Append(ctx, topic, partition, list)
		return err
	})
	return base, err
}

// tombstones are those of baselines that were sent in all seeds, lateTombstones those of
// processes that the group had given up.
var tombstones, lateTombstones atomic.Uint64

func (p *process) countTombstones(topic string, records []pipeline.Record) {
	if topic != topics.Baselines {
		return
	}
	gone, _ := p.since(group)
	for _, r := range records {
		if r.Value == nil {
			tombstones.Add(1)
			if gone > 0 {
				lateTombstones.Add(1)
			}
		}
	}
}

func (p *process) Bounds(ctx context.Context, topic string, partition int) (start, end int64, err error) {
	err = p.read(ctx, "bounds "+topic+"/"+strconv.Itoa(partition), func() (err error) {
		start, end, err = p.log.Bounds(ctx, topic, partition)
		return err
	})
	return start, end, err
}

func (p *process) Partitions(ctx context.Context, topic string) (n int, err error) {
	err = p.read(ctx, "partitions "+topic, func() (err error) {
		n, err = p.log.Partitions(ctx, topic)
		return err
	})
	return n, err
}

// view is a reader of a process.
type view struct {
	p    *process
	what string
	pipeline.Reader
}

func (v *view) Fetch(ctx context.Context, offset int64) (got pipeline.Fetched, err error) {
	err = v.p.read(ctx, v.what, func() (err error) {
		got, err = v.Reader.Fetch(ctx, offset)
		return err
	})
	return got, err
}

// member is a process's membership in a group.
type member struct {
	p        *process
	consumer string
	*memlog.Member
}

func (p *process) join(consumer, topic string) pipeline.Group {
	m := &member{p, consumer, p.log.Group(consumer, topic)}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.groups[consumer] = m.Member
	return m
}

func (m *member) Next(ctx context.Context) (pipeline.Generation, error) {
	chance := m.p.chance("next " + m.consumer)
	took(chance, time.Millisecond)
	if err := m.p.gate(ctx, chance); err != nil {
		return nil, err
	}
	gen, err := m.Member.Next(ctx)
	if err != nil {
		return nil, err
	}
	took(chance, time.Millisecond)
	if err := m.p.gate(ctx, chance); err != nil {
		return nil, err
	}
	m.p.mu.Lock()
	delete(m.p.expelled, m.consumer)
	if m.consumer == group {
		m.p.assigned = time.Now()
	}
	m.p.mu.Unlock()
	m.p.s.note("%s is assigned %v of %s", m.p.name, gen.Assigned(), m.consumer)
	return &generation{gen, m}, nil
}

func (m *member) Committed(ctx context.Context) (committed map[int]pipeline.Committed, err error) {
	err = m.p.read(ctx, "committed of "+m.consumer, func() (err error) {
		committed, err = m.Member.Committed(ctx)
		return err
	})
	return committed, err
}

func (m *member) Inherits(ctx context.Context, silent []int) (more []int, err error) {
	err = m.p.read(ctx, fmt.Sprint("inherits of ", m.consumer, silent), func() (err error) {
		more, err = m.Member.Inherits(ctx, silent)
		m.p.s.note("%s looks at %v, would be given %v", m.p.name, silent, more)
		return err
	})
	return more, err
}

func (m *member) Close() error {
	took(m.p.chance("close "+m.consumer), time.Millisecond)
	m.p.mu.Lock()
	dead := m.p.dead
	m.p.mu.Unlock()
	if dead {
		return nil
	}
	return m.Member.Close()
}

type generation struct {
	pipeline.Generation
	m *member
}

func (g *generation) Commit(ctx context.Context, offsets map[int]int64) error {
	p := g.m.p
	return p.effect(ctx, "-", fmt.Sprintf("commit %s %v", g.m.consumer, offsets), func(torn fault) error {
		if torn == dieTorn || torn == failTorn {
			return errFault
		}
		err := g.Generation.Commit(ctx, offsets)
		if err == nil && g.m.consumer == group {
			p.s.checkCommitted(p, offsets)
		}
		return err
	})
}

// SayLeaving is told to whoever replays a seed.
func (g *generation) SayLeaving(partition int) {
	g.m.p.s.note("%s says it leaves partition %d", g.m.p.name, partition)
	g.Generation.SayLeaving(partition)
}

// Leave says nothing for a dead process: its session ends by itself.
func (g *generation) Leave() {
	took(g.m.p.chance("leave "+g.m.consumer), time.Millisecond)
	g.m.p.mu.Lock()
	dead := g.m.p.dead
	g.m.p.mu.Unlock()
	if !dead {
		g.Generation.Leave()
	}
}
