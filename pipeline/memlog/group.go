package memlog

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"recoup/pipeline"
)

// group is a consumer group on one topic. Log.mu guards it.
type group struct {
	id, topic string
	members   []*Member     // in the order of joining: the same history gives the same assignment
	changed   chan struct{} // closed and replaced when a generation is handed out
	committed map[int]int64
	metadata  map[int]string // of the last commit, by partition; none: empty
}

// Member is one member of a consumer group. A rebalance starts when a member
// joins, leaves or is evicted: the generations of the others are over at once,
// and the next is handed out when all members wait in Next. There is no session
// timeout: a test evicts a member by Evict.
type Member struct {
	log   *Log
	group *group

	gen     *generation // the generation handed out last; nil before the first
	waiting bool        // in Next
	closed  bool
}

// generation is one assignment. Its fields but done are guarded by Log.mu.
type generation struct {
	member   *Member
	assigned map[int]int64
	leaving  map[int]bool // partitions whose commits say so
	done     chan struct{}
	over     bool // done is closed
	fenced   bool // commits are refused
	left     bool
}

var (
	_ pipeline.Group      = (*Member)(nil)
	_ pipeline.Generation = (*generation)(nil)
)

// Group returns a new member of group id, which follows one topic. It joins at
// its first Next.
func (l *Log) Group(id, topic string) *Member {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := id + "\x00" + topic
	g := l.groups[key]
	if g == nil {
		g = &group{id: id, topic: topic, changed: make(chan struct{}), committed: map[int]int64{},
			metadata: map[int]string{}}
		l.groups[key] = g
	}
	return &Member{log: l, group: g}
}

// Committed returns a copy of the offsets the group has committed.
func (l *Log) Committed(id, topic string) map[int]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := l.groups[id+"\x00"+topic]; g != nil {
		return maps.Clone(g.committed)
	}
	return map[int]int64{}
}

// Metadata returns a copy of what the last commits of the group carried, by partition; those
// that carried nothing are left out.
func (l *Log) Metadata(id, topic string) map[int]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := l.groups[id+"\x00"+topic]; g != nil {
		return maps.Clone(g.metadata)
	}
	return map[int]string{}
}

// Next joins the group if needed and blocks until all members wait in Next. A
// member that gives up waiting (ctx) leaves the group.
func (m *Member) Next(ctx context.Context) (pipeline.Generation, error) {
	if _, err := m.log.Partitions(ctx, m.group.topic); err != nil {
		return nil, fmt.Errorf("cannot join group %q: %w", m.group.id, err)
	}
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	if m.closed {
		return nil, fmt.Errorf("cannot join group %q: this member is closed", m.group.id)
	}
	before := m.gen
	m.join()
	for m.gen == before {
		changed := m.group.changed
		m.log.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		m.log.mu.Lock()
		if m.gen == before && m.closed {
			return nil, fmt.Errorf("cannot join group %q: this member is closed", m.group.id)
		}
		if m.gen == before && ctx.Err() != nil {
			m.remove()
			return nil, fmt.Errorf("cannot join group %q: %w", m.group.id, ctx.Err())
		}
	}
	return m.gen, nil
}

// join makes m wait for a generation and starts a rebalance if the others do
// not know that it does.
func (m *Member) join() {
	g := m.group
	if i := g.index(m); i < 0 {
		g.members = append(g.members, m)
		g.endAll()
	} else if m.gen != nil && !m.gen.over {
		g.endAll()
	}
	if m.gen != nil {
		m.gen.left, m.gen.fenced = true, true
		m.gen.end()
	}
	m.waiting = true
	m.log.assignIfReady(g)
}

// assignIfReady hands out the next generation once every member waits.
func (l *Log) assignIfReady(g *group) {
	for _, m := range g.members {
		if !m.waiting {
			return
		}
	}
	t := l.topics[g.topic]
	if t == nil || len(g.members) == 0 {
		return
	}
	for i, m := range g.members {
		m.gen = &generation{member: m, assigned: map[int]int64{}, leaving: map[int]bool{},
			done: make(chan struct{})}
		from, to := share(i, len(g.members), len(t.partitions))
		for p := from; p < to; p++ {
			m.gen.assigned[p] = g.resumes(p)
		}
		m.waiting = false
	}
	close(g.changed)
	g.changed = make(chan struct{})
}

// share is what the i-th of some members gets, from one partition up to before another.
func share(i, members, partitions int) (from, to int) {
	return i * partitions / members, (i + 1) * partitions / members
}

// resumes is the committed offset of a partition, -1 without one.
func (g *group) resumes(p int) int64 {
	if offset, ok := g.committed[p]; ok {
		return offset
	}
	return -1
}

// Committed returns the committed offsets, see pipeline.Group.
func (m *Member) Committed(ctx context.Context) (map[int]pipeline.Committed, error) {
	n, err := m.log.Partitions(ctx, m.group.topic)
	if err != nil {
		return nil, fmt.Errorf("cannot read the offsets of group %q: %w", m.group.id, err)
	}
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	committed := map[int]pipeline.Committed{}
	for p := range n {
		committed[p] = pipeline.Committed{Offset: m.group.resumes(p), Leaving: m.group.metadata[p] == pipeline.Leaving}
	}
	return committed, nil
}

// Inherits tells what a rebalance without some owners would bring, see pipeline.Group.
func (m *Member) Inherits(ctx context.Context, owned []int) ([]int, error) {
	n, err := m.log.Partitions(ctx, m.group.topic)
	if err != nil {
		return nil, fmt.Errorf("cannot ask for the members of group %q: %w", m.group.id, err)
	}
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	var left []*Member
	for _, other := range m.group.members {
		if other.gen == nil || other.gen.over {
			return nil, nil
		}
		if !slices.ContainsFunc(owned, func(p int) bool { _, is := other.gen.assigned[p]; return is }) {
			left = append(left, other)
		}
	}
	i := slices.Index(left, m)
	if i < 0 {
		return nil, nil
	}
	var more []int
	from, to := share(i, len(left), n)
	for p := from; p < to; p++ {
		if _, has := m.gen.assigned[p]; !has {
			more = append(more, p)
		}
	}
	return more, nil
}

func (g *group) index(m *Member) int {
	for i, x := range g.members {
		if x == m {
			return i
		}
	}
	return -1
}

// endAll tells all members that a rebalance began. Until they wait in Next their
// commits are still accepted, as Kafka does it: nobody else owns the partitions.
func (g *group) endAll() {
	for _, m := range g.members {
		if m.gen != nil {
			m.gen.end()
		}
	}
}

// remove takes m out of the group and lets the others go on.
func (m *Member) remove() {
	g := m.group
	m.waiting = false
	i := g.index(m)
	if i < 0 {
		return
	}
	g.members = append(g.members[:i], g.members[i+1:]...)
	if m.gen != nil {
		m.gen.fenced = true
	}
	g.endAll()
	m.log.assignIfReady(g)
}

// Evict removes the member from the group as a session timeout does: it does not
// notice until its next commit is refused, or at Heartbeat. A later Next joins
// the group again.
func (m *Member) Evict() {
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	m.remove()
}

// Heartbeat lets an evicted member notice: its generation is over.
func (m *Member) Heartbeat() {
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	if m.gen != nil && m.gen.fenced {
		m.gen.end()
	}
}

// Close leaves the group; the last generation counts as left.
func (m *Member) Close() error {
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	m.remove()
	if m.gen != nil {
		m.gen.end()
	}
	close(m.group.changed) // a Next that waits elsewhere gives up
	m.group.changed = make(chan struct{})
	return nil
}

// Assigned returns a copy of the assignment, see pipeline.Generation.
func (g *generation) Assigned() map[int]int64 { return maps.Clone(g.assigned) }

// Commit stores offsets unless another generation may have begun.
func (g *generation) Commit(ctx context.Context, offsets map[int]int64) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("cannot commit: %w", err)
	}
	m := g.member
	hooks := m.log.opt.Hooks
	if hooks.BeforeCommit != nil {
		if err := hooks.BeforeCommit(m.group.id, m.group.topic, offsets); err != nil {
			return err
		}
	}
	if err := g.store(offsets); err != nil {
		return err
	}
	if hooks.AfterCommit != nil {
		return hooks.AfterCommit(m.group.id, m.group.topic, offsets)
	}
	return nil
}

func (g *generation) store(offsets map[int]int64) error {
	m := g.member
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	if g.fenced {
		g.end()
		return fmt.Errorf("cannot commit for group %q: %w", m.group.id, pipeline.ErrFenced)
	}
	maps.Copy(m.group.committed, offsets)
	for p := range offsets {
		delete(m.group.metadata, p)
		if g.leaving[p] {
			m.group.metadata[p] = pipeline.Leaving
		}
	}
	return nil
}

// SayLeaving has later commits of the partition carry pipeline.Leaving.
func (g *generation) SayLeaving(partition int) {
	g.member.log.mu.Lock()
	defer g.member.log.mu.Unlock()
	g.leaving[partition] = true
}

// Done is closed when the generation is over.
func (g *generation) Done() <-chan struct{} { return g.done }

// Leave ends the generation: a later commit is refused. A generation that was
// not over makes the group rebalance.
func (g *generation) Leave() {
	g.member.log.mu.Lock()
	defer g.member.log.mu.Unlock()
	if g.left {
		return
	}
	g.left, g.fenced = true, true
	if !g.over {
		g.member.group.endAll()
	}
	g.end()
}

// end closes done once; Log.mu is held.
func (g *generation) end() {
	if !g.over {
		g.over = true
		close(g.done)
	}
}
