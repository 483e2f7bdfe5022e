package pipeline

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

// Standby says when a member prepares to follow another one. A group finds out that a member
// was killed when its session is over; in that time the state of its partitions can be read. A
// member that leaves says so before.
type Standby struct {
	Every  time.Duration // how often it is looked who leaves; 0: never, nor who has fallen silent
	Silent time.Duration // how long nothing has been committed of a partition whose owner is silent
	Keep   time.Duration // longest time that what was prepared waits for the group; longer than its session
}

// preparedAtOnce is how many partitions are prepared at the same time: scoring goes on beside.
const preparedAtOnce = 2

// mostSilence bounds the silence that makes a partition prepared again whose owner was slow.
const mostSilence = time.Minute

// errStuck: what stops this member may stop the others, too.
var errStuck = errors.New("this member gets nowhere either")

// standby prepares workers for partitions whose owners leave or are silent: those that this
// member would be given if these were gone, so that no two members prepare one, and none holds
// more than it will have to.
type standby struct {
	m         *Member
	room      chan struct{}  // holds one element for each partition that is being prepared
	preparing sync.WaitGroup // of all that have begun

	// Of who looks:
	sight  map[int]*sight // by partition
	seen   int            // the turn that sight is of
	listen time.Time      // when it was looked last who is silent

	mu    sync.Mutex // guards what follows
	turn  int        // counts generations
	mine  map[int]int64
	left  bool              // others are about to leave partitions
	ready map[int]*prepared // by partition
}

// sight is what was seen of a partition.
type sight struct {
	Committed
	since  time.Time     // of which it is known to have stood there
	enough time.Duration // silence after which it is prepared: more for who was only slow before
	leaves bool          // its present owner says so: a former one's last commit stands until the next
	tried  bool          // since it left or fell silent
}

// prepared is a worker that may take its partition over.
type prepared struct {
	worker *Worker
	seen   Committed // before: while it stands there a silent owner is silent
	since  time.Time
	cancel context.CancelFunc
	done   chan struct{} // closed once it has come to an end
	err    error         // why the worker is of no use; set before done is closed
}

// owner says what was seen of the partition's owner.
func (r *prepared) owner() string {
	if r.seen.Leaving {
		return "leaving"
	}
	return "silent"
}

func newStandby(m *Member) *standby {
	return &standby{m: m, room: make(chan struct{}, preparedAtOnce), ready: map[int]*prepared{}}
}

// run looks until ctx ends, and then gives back what nobody has taken.
func (s *standby) run(ctx context.Context) {
	every := s.m.opt.Standby.Every
	for every > 0 && pause(ctx, every) == nil {
		if err := s.look(ctx); err != nil {
			s.hearAnew()
			s.m.opt.Log.Debug("cannot tell who leaves or has fallen silent", "error", err)
		}
	}
	s.keep(func(int, *prepared) bool { return false })
	s.preparing.Wait()
}

// look begins to prepare what is left or has fallen silent, and gives back what goes on.
func (s *standby) look(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, s.m.opt.FetchTimeout)
	defer cancel()
	s.mu.Lock() // before it is asked: what is committed belongs to this turn or to a later one
	turn, mine := s.turn, s.mine
	s.mu.Unlock()
	committed, err := s.m.group.Committed(within)
	if err != nil {
		return err
	}
	s.watch(committed, turn)
	if s.m.amiss() {
		return errStuck
	}
	leaving := s.leaving(mine)
	s.mu.Lock()
	s.left = s.turn == turn && len(leaving) > 0
	s.mu.Unlock()
	if err := s.expect(ctx, within, leaving, leaving); err != nil {
		return err
	}
	now, opt := s.m.opt.Now(), s.m.opt.Standby
	if now.Sub(s.listen) < opt.Silent/3 {
		return nil
	}
	s.listen = now
	silent, err := s.silent(within, mine)
	if err != nil {
		return err
	}
	return s.expect(ctx, within, silent, append(leaving, silent...))
}

// watch notes what is committed, in a turn of the group.
func (s *standby) watch(committed map[int]Committed, turn int) {
	now, opt := s.m.opt.Now(), s.m.opt.Standby
	if s.sight == nil || s.seen != turn { // while the group rebalances everybody is silent
		s.sight, s.seen = map[int]*sight{}, turn
	}
	for p, is := range committed {
		at := s.sight[p]
		switch {
		case at == nil:
			s.sight[p] = &sight{Committed: is, since: now, enough: opt.Silent}
			continue
		case at.Committed == is:
			continue
		case at.tried && !at.leaves:
			at.enough = min(2*at.enough, mostSilence)
		}
		at.tried = at.tried && at.leaves && is.Leaving // who leaves commits until it has left
		at.Committed, at.since, at.leaves = is, now, is.Leaving
	}
	s.keep(func(p int, r *prepared) bool {
		is := committed[p]
		stands := is.Leaving == r.seen.Leaving && (is.Leaving || is.Offset == r.seen.Offset)
		return stands && now.Sub(r.since) < opt.Keep
	})
}

// hearAnew forgets who was silent.
func (s *standby) hearAnew() {
	for _, at := range s.sight {
		if !at.leaves {
			at.since, at.enough, at.tried = s.m.opt.Now(), s.m.opt.Standby.Silent, false
		}
	}
}

// leaving returns, ascending, the partitions that others are about to leave.
func (s *standby) leaving(mine map[int]int64) (list []int) {
	for p, at := range s.sight {
		if _, own := mine[p]; at.leaves && !own {
			list = append(list, p)
		}
	}
	slices.Sort(list)
	return list
}

// silent returns, ascending, of which partitions nothing is committed though records wait. It
// fails if this member owns one of them.
func (s *standby) silent(ctx context.Context, mine map[int]int64) (list []int, err error) {
	now := s.m.opt.Now()
	var waited []int
	for p, at := range s.sight {
		if !at.leaves && now.Sub(at.since) >= at.enough {
			waited = append(waited, p)
		}
	}
	slices.Sort(waited)
	for _, p := range waited {
		at := s.sight[p]
		start, end, err := s.m.log.Bounds(ctx, s.m.opt.Topics.Invoices, p)
		if err != nil {
			return nil, err
		}
		if end <= max(start, at.Offset) {
			continue
		}
		if _, own := mine[p]; own {
			return nil, errStuck
		}
		list = append(list, p)
	}
	return list, nil
}

// expect begins to prepare what this member would be given of some partitions if the owners
// of them, and of others, were gone.
func (s *standby) expect(ctx, within context.Context, partitions, owned []int) error {
	partitions = slices.DeleteFunc(slices.Clone(partitions), func(p int) bool { return s.sight[p].tried })
	if len(partitions) == 0 {
		return nil
	}
	expected, err := s.m.group.Inherits(within, owned)
	for _, p := range expected {
		if slices.Contains(partitions, p) {
			s.sight[p].tried = true
			s.begin(ctx, p, s.sight[p].Committed, s.seen)
		}
	}
	return err
}

// begin begins to prepare one partition, unless the group has shared out anew since the turn.
func (s *standby) begin(ctx context.Context, partition int, seen Committed, turn int) {
	ctx, cancel := context.WithCancel(ctx)
	r := &prepared{worker: newWorker(s.m, partition), seen: seen, since: s.m.opt.Now(), cancel: cancel,
		done: make(chan struct{})}
	s.mu.Lock()
	over := s.turn != turn || s.ready[partition] != nil
	if !over {
		s.ready[partition] = r
		s.m.metrics.Prepared.Set(float64(len(s.ready)))
	}
	s.mu.Unlock()
	if over {
		cancel()
		r.worker.discard()
		return
	}
	s.preparing.Go(func() { s.prepare(ctx, r) })
}

// prepare prepares one partition when there is room.
func (s *standby) prepare(ctx context.Context, r *prepared) {
	defer r.cancel()
	opt, w := s.m.opt, r.worker
	select {
	case s.room <- struct{}{}:
		r.err = w.readAhead(ctx)
		<-s.room
	case <-ctx.Done():
		r.err = ctx.Err()
	}
	told := []any{"partition", w.partition, "owner", r.owner(), "took", opt.Now().Sub(r.since)}
	if r.err == nil {
		told = append(told, "offset", w.read.invoices, "replayed", w.scoredSince) // who takes it goes on with them
	}
	close(r.done)
	switch {
	case r.err == nil:
		opt.Log.Info("prepared a partition", told...)
	case ctx.Err() == nil:
		opt.Log.Info("cannot prepare a partition", append(told, "error", r.err)...)
		s.keep(func(_ int, other *prepared) bool { return other != r })
	}
}

// assigned is told of each generation: what went to others is given back, beside what follows.
func (s *standby) assigned(mine map[int]int64, dropping *sync.WaitGroup) {
	s.mu.Lock()
	s.turn++
	s.mine, s.left = mine, false
	s.mu.Unlock()
	for _, r := range s.pick(func(p int, _ *prepared) bool { _, is := mine[p]; return is }) {
		dropping.Go(func() { s.release(r) })
	}
}

// keeps reports whether this member keeps what it has when the group shares out next, as far as one
// can tell: others leave, or it has prepared to follow who is silent.
func (s *standby) keeps() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left || len(s.ready) > 0
}

// keep gives back all but some of what is prepared.
func (s *standby) keep(stays func(partition int, r *prepared) bool) {
	for _, r := range s.pick(stays) {
		s.release(r)
	}
}

// pick takes out all but some of what is prepared.
func (s *standby) pick(stays func(partition int, r *prepared) bool) (others []*prepared) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range slices.Sorted(maps.Keys(s.ready)) {
		if r := s.ready[p]; !stays(p, r) {
			delete(s.ready, p)
			others = append(others, r)
		}
	}
	s.m.metrics.Prepared.Set(float64(len(s.ready)))
	return others
}

// release ends a preparation that nobody needs.
func (s *standby) release(r *prepared) {
	r.cancel()
	<-r.done
	result := "released"
	if r.err != nil && !errors.Is(r.err, context.Canceled) {
		result = "failed"
	}
	s.m.metrics.Preparations.WithLabelValues(r.owner(), result).Inc()
	r.worker.discard()
}

// take returns what is prepared of a partition, once it is, or nil.
func (s *standby) take(ctx context.Context, partition int) *prepared {
	picked := s.pick(func(p int, _ *prepared) bool { return p != partition })
	if len(picked) == 0 {
		return nil
	}
	r := picked[0]
	select {
	case <-r.done:
	case <-ctx.Done():
	}
	if ctx.Err() != nil || r.err != nil {
		s.release(r)
		return nil
	}
	r.worker.stepped()
	return r
}

// used is told what became of a prepared take-over.
func (s *standby) used(r *prepared, err error) {
	result := "used"
	switch {
	case errors.Is(err, errMoved):
		result = "moved"
	case err != nil:
		result = "failed"
	}
	s.m.metrics.Preparations.WithLabelValues(r.owner(), result).Inc()
}

// What waits for a member to be calm looks so often, and so long at most.
const (
	calmEvery = 100 * time.Millisecond
	mostCalm  = 5 * time.Second
)

// calm returns when this member takes no partition over, and has prepared for none, or after some
// seconds: a member that dies or leaves leaves other work, too, which nobody waits for as long as
// for its invoices. It returns an error when ctx ends.
func (m *Member) calm(ctx context.Context) error {
	for last := m.opt.Now().Add(mostCalm); m.takesOver() && m.opt.Now().Before(last); {
		if err := pause(ctx, calmEvery); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// takesOver reports whether this member takes a partition over, or has prepared for it.
func (m *Member) takesOver() bool {
	m.standby.mu.Lock()
	busy := len(m.standby.ready) > 0
	m.standby.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.workers {
		busy = busy || w.lag.Load() == takingOver
	}
	return busy
}
