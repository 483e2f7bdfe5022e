package pipeline

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Standby says when a member prepares to follow another one. A group finds out that a member
// was killed when its session is over; in that time the state of its partitions can be read.
type Standby struct {
	Every  time.Duration // how often it is looked who has fallen silent; 0: never
	Silent time.Duration // how long nothing has been committed of a partition whose owner is silent
	Keep   time.Duration // longest time that what was prepared waits for the group; longer than its session
}

// preparedAtOnce is how many partitions are prepared at the same time: scoring goes on beside.
const preparedAtOnce = 2

// mostSilence bounds the silence that makes a partition prepared again whose owner was slow.
const mostSilence = time.Minute

// standby prepares workers for partitions of silent owners: those that this member would be
// given if these were evicted, so that no two members prepare one, and none holds more than it
// will have to.
type standby struct {
	m     *Member
	sight map[int]*sight // by partition; of who looks
	seen  int            // the turn that sight is of

	mu    sync.Mutex // guards what follows
	turn  int        // counts generations
	mine  map[int]int64
	ready map[int]*prepared // by partition
}

// sight is what was seen of a partition.
type sight struct {
	committed int64
	since     time.Time     // of which it is known to have stood there
	enough    time.Duration // silence after which it is prepared: more for who was only slow before
	tried     bool          // in this silence
}

// prepared is a worker that may take its partition over.
type prepared struct {
	worker    *Worker
	committed int64 // as seen before: while it stands there the owner is silent
	since     time.Time
	cancel    context.CancelFunc
	done      chan struct{} // closed once it has come to an end
	err       error         // why the worker is of no use; set before done is closed
}

func newStandby(m *Member) *standby { return &standby{m: m, ready: map[int]*prepared{}} }

// run looks until ctx ends, and then gives back what nobody has taken.
func (s *standby) run(ctx context.Context) {
	every := s.m.opt.Standby.Every
	for every > 0 && pause(ctx, every) == nil {
		if err := s.look(ctx); err != nil {
			s.sight = nil // what stops this member may stop the others, too
			s.m.opt.Log.Debug("cannot tell who has fallen silent", "error", err)
		}
	}
	s.keep(func(int, *prepared) bool { return false })
}

// look prepares what has fallen silent, and gives back what goes on.
func (s *standby) look(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, s.m.opt.FetchTimeout)
	defer cancel()
	committed, err := s.m.group.Committed(within)
	if err != nil {
		return err
	}
	s.mu.Lock()
	turn, mine := s.turn, s.mine
	s.mu.Unlock()
	s.watch(committed, turn)
	silent, stuck, err := s.silent(within, mine)
	if stuck || s.m.amiss() {
		return errors.New("this member gets nowhere either")
	}
	if err != nil || len(silent) == 0 {
		return err
	}
	expected, err := s.m.group.Inherits(within, silent)
	if err != nil {
		return err
	}
	var all errgroup.Group
	all.SetLimit(preparedAtOnce)
	for _, p := range expected {
		if at := s.sight[p]; slices.Contains(silent, p) && !at.tried {
			at.tried = true
			all.Go(func() error { s.prepare(ctx, p, at.committed, turn); return nil })
		}
	}
	return all.Wait()
}

// watch notes how far partitions are committed, in a turn of the group.
func (s *standby) watch(committed map[int]int64, turn int) {
	now, opt := s.m.opt.Now(), s.m.opt.Standby
	if s.sight == nil || s.seen != turn { // while the group rebalances everybody is silent
		s.sight, s.seen = map[int]*sight{}, turn
	}
	for p, offset := range committed {
		switch at := s.sight[p]; {
		case at == nil:
			s.sight[p] = &sight{committed: offset, since: now, enough: opt.Silent}
		case at.committed != offset:
			if at.tried {
				at.enough = min(2*at.enough, mostSilence)
			}
			at.committed, at.since, at.tried = offset, now, false
		}
	}
	s.keep(func(p int, r *prepared) bool { return r.committed == committed[p] && now.Sub(r.since) < opt.Keep })
}

// silent returns, ascending, of which partitions nothing is committed though records wait. stuck
// says that this member owns one of them.
func (s *standby) silent(ctx context.Context, mine map[int]int64) (list []int, stuck bool, err error) {
	now := s.m.opt.Now()
	for _, p := range slices.Sorted(maps.Keys(s.sight)) {
		at := s.sight[p]
		if now.Sub(at.since) < at.enough {
			continue
		}
		start, end, err := s.m.log.Bounds(ctx, s.m.opt.Topics.Invoices, p)
		if err != nil {
			return nil, false, err
		}
		if end <= max(start, at.committed) {
			continue
		}
		list = append(list, p)
		_, own := mine[p]
		stuck = stuck || own
	}
	return list, stuck, nil
}

// prepare prepares one partition, unless the group has shared out anew since the turn.
func (s *standby) prepare(ctx context.Context, partition int, committed int64, turn int) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m, began := s.m, s.m.opt.Now()
	r := &prepared{worker: newWorker(m, partition), committed: committed, since: began, cancel: cancel,
		done: make(chan struct{})}
	s.mu.Lock()
	over := s.turn != turn || s.ready[partition] != nil
	if !over {
		s.ready[partition] = r
		m.metrics.Prepared.Set(float64(len(s.ready)))
	}
	s.mu.Unlock()
	if over {
		r.worker.discard()
		return
	}
	r.err = r.worker.readAhead(ctx)
	close(r.done)
	if r.err == nil {
		m.opt.Log.Info("prepared a partition whose owner is silent", "partition", partition,
			"offset", r.worker.read.invoices, "replayed", r.worker.scoredSince, "took", m.opt.Now().Sub(began))
		return
	}
	if ctx.Err() == nil {
		m.opt.Log.Info("cannot prepare a partition whose owner is silent", "partition", partition, "error", r.err)
	}
	s.keep(func(_ int, other *prepared) bool { return other != r })
}

// assigned is told of each generation: what went to others is given back, beside what follows.
func (s *standby) assigned(mine map[int]int64, dropping *sync.WaitGroup) {
	s.mu.Lock()
	s.turn++
	s.mine = mine
	s.mu.Unlock()
	for _, r := range s.pick(func(p int, _ *prepared) bool { _, is := mine[p]; return is }) {
		dropping.Go(func() { s.release(r) })
	}
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
	s.m.metrics.Preparations.WithLabelValues(result).Inc()
	r.worker.discard()
}

// take returns the worker that is prepared for a partition, once it is, or nil.
func (s *standby) take(ctx context.Context, partition int) *Worker {
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
	return r.worker
}

// used is told what became of the take-over of a prepared worker.
func (s *standby) used(err error) {
	result := "used"
	switch {
	case errors.Is(err, errMoved):
		result = "moved"
	case err != nil:
		result = "failed"
	}
	s.m.metrics.Preparations.WithLabelValues(result).Inc()
}
