package pipeline_test

import (
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"recoup/pipeline"
	"recoup/pipeline/memlog"
)

// leaver is a world in which a member that owns partitions 0 and 1 of 4 is to leave, and
// invoices come all the time.
type leaver struct {
	*world
	t    *testing.T
	each int         // invoices of each partition so far
	full atomic.Bool // state finds no room
	said atomic.Bool // a commit said that its owner leaves
	stop func()
}

func newLeaver(t *testing.T, change func(*pipeline.Options)) *leaver {
	t.Helper()
	w := newWorld(4)
	w.opt.CheckpointInterval = time.Hour
	l := &leaver{world: w, t: t}
	w.log = memlog.New(memlog.Options{Hooks: memlog.Hooks{
		BeforeAppend: func(topic string, _ int, _ []pipeline.Record) error {
			if topic == w.opt.Topics.State && l.full.Load() {
				return pipeline.ErrTooLarge
			}
			return nil
		},
		AfterCommit: func(string, string, map[int]int64) error {
			l.said.Store(l.said.Load() || len(l.leaving()) > 0)
			return nil
		}}})
	w.createTopics(4)
	_, l.stop = w.start("leaves", change)
	time.Sleep(100 * time.Millisecond)
	_, stop := w.start("stays", nil)
	t.Cleanup(stop)
	l.goesOn(5 * time.Second)
	return l
}

// goesOn lets time pass, in which invoices come.
func (l *leaver) goesOn(d time.Duration) {
	for range d / (100 * time.Millisecond) {
		l.fillMore(l.t, 4, l.each, l.each+1)
		l.each++
		time.Sleep(100 * time.Millisecond)
	}
}

// leaves tells the member to stop; it returns what tells how long that took, 0: it has not ended.
func (l *leaver) leaves() (ended func() time.Duration) {
	began := time.Now()
	var took atomic.Int64
	go func() {
		l.stop()
		took.Store(int64(time.Since(began)) + 1)
	}()
	return func() time.Duration { return time.Duration(took.Load()) }
}

// leaving are the partitions whose last commit says that their owner leaves.
func (l *leaver) leaving() []int {
	said := l.log.Metadata(l.opt.Group, l.opt.Topics.Invoices)
	maps.DeleteFunc(said, func(_ int, metadata string) bool { return metadata != pipeline.Leaving })
	return slices.Sorted(maps.Keys(said))
}

// states counts the records of state of a partition.
func (l *leaver) states(partition int) int { return len(l.log.Records(l.opt.Topics.State, partition)) }

func (l *leaver) committed() map[int]int64 {
	return l.log.Committed(l.opt.Group, l.opt.Topics.Invoices)
}

// G9: a member that stops writes its state while it scores on, says so with each further
// commit, and writes no other behind it: the next owner may have read it by then.
func TestLeavesWhatIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeaver(t, nil)
		before := []int{l.states(0), l.states(1)}
		stays := l.states(2)
		ended := l.leaves()
		l.goesOn(1500 * time.Millisecond)
		if got := l.leaving(); !slices.Equal(got, []int{0, 1}) {
			t.Errorf("partitions %v are said to be left, want 0 and 1", got)
		}
		written := []int{l.states(0), l.states(1), l.states(2), l.states(3)}
		if written[0] <= before[0] || written[1] <= before[1] || l.states(2) != stays {
			t.Errorf("%v records of state before and %v behind the checkpoints of who leaves", before, written)
		}
		at := l.committed()
		l.goesOn(3 * time.Second)
		if now := l.committed(); now[0] < at[0]+20 || now[1] < at[1]+20 || !slices.Equal(l.leaving(), []int{0, 1}) {
			t.Errorf("committed up to %v, 3 s later to %v, and %v are left", at, now, l.leaving())
		}
		if ended() != 0 {
			t.Errorf("it ended after %v", ended())
		}
		l.goesOn(time.Second)
		if took := ended(); took < 5*time.Second || took > 5600*time.Millisecond {
			t.Errorf("it ended after %v, want 5 s and what draining takes", took)
		}
		for p, want := range written {
			for _, r := range l.log.Records(l.opt.Topics.State, p)[want:] {
				t.Errorf("state of partition %d is written again, by who leaves, stays or follows within an hour: %s", p, r.Key)
			}
		}
		l.goesOn(3 * time.Second)
		if got := l.leaving(); len(got) > 0 {
			t.Errorf("partitions %v are still said to be left", got)
		}
		time.Sleep(2 * time.Second) // so that the last rows are stored
		l.wantEach(t)
	})
}

// At a rebalance that somebody else brings about who stays writes its state: its partitions may go.
func TestWritesStateForWhoJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeaver(t, nil)
		before := []int{l.states(0), l.states(1), l.states(2), l.states(3)}
		_, stop := l.start("joins", nil)
		l.goesOn(2 * time.Second)
		for p, n := range before {
			if l.states(p) <= n {
				t.Errorf("%d records of state of partition %d before and %d behind the joining", n, p, l.states(p))
			}
		}
		l.stop()
		stop()
	})
}

// Nobody waits for what does not come, or for nobody.
func TestLeavesAtOnce(t *testing.T) {
	late := 5 * time.Second
	for name, c := range map[string]struct {
		with   func(*pipeline.Options) // how the member is set
		before func(*leaver)           // what happens before it is to stop
		while  func(*leaver)           // what happens half a second after
		most   time.Duration           // it may take
	}{
		"when it is told to": {with: func(o *pipeline.Options) { o.LeaveTimeout = 0 }, most: 500 * time.Millisecond},
		"while the store is away": {before: func(l *leaver) {
			var down atomic.Bool
			down.Store(true)
			l.away(&down)
			l.goesOn(5 * time.Second)
			l.t.Cleanup(func() { down.Store(false) })
		}, most: 600 * time.Millisecond},
		"though its state finds no room": {before: func(l *leaver) { l.full.Store(true) }, most: 600 * time.Millisecond},
		"when another joins": {while: func(l *leaver) {
			_, stop := l.start("joins", nil)
			l.t.Cleanup(stop)
		}, most: 1100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLeaver(t, c.with)
				if c.before != nil {
					c.before(l)
				}
				ended := l.leaves()
				l.goesOn(500 * time.Millisecond)
				if l.said.Load() && c.while == nil {
					t.Error("it says that it leaves, though what others need is not written")
				}
				if c.while != nil {
					c.while(l)
				}
				l.goesOn(late)
				if took := ended(); took == 0 || took > c.most {
					t.Errorf("it ended after %v, want %v at most", took, c.most)
				}
			})
		})
	}
}

// Who has all partitions leaves them to nobody.
func TestTheLastLeavesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		_, stop := w.start("only", nil)
		w.fill(t, 2, 50)
		time.Sleep(2 * time.Second)
		began := time.Now()
		stop()
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		if said := w.log.Metadata(w.opt.Group, w.opt.Topics.Invoices); len(said) > 0 {
			t.Errorf("it says %v", said)
		}
	})
}
