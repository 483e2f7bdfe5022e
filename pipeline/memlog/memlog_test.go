package memlog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"recoup/pipeline"
	"recoup/pipeline/logtest"
)

func TestConformance(t *testing.T) {
	logtest.Run(t, func(*testing.T) logtest.Cluster {
		l, topics := New(Options{}), 0
		return logtest.Cluster{
			Log: l,
			MakeTopic: func(_ *testing.T, partitions, maxBytes int) string {
				topics++
				name := fmt.Sprintf("topic-%d", topics)
				l.CreateTopic(name, partitions, maxBytes)
				return name
			},
			NewMember: func(_ *testing.T, group, topic string) pipeline.Group { return l.Group(group, topic) },
		}
	})
}

func values(records []pipeline.Record) string {
	s := ""
	for _, r := range records {
		s += fmt.Sprintf("%d:%s=%s ", r.Offset, r.Key, r.Value)
	}
	return s
}

func rec(key, value string) pipeline.Record {
	r := pipeline.Record{Key: []byte(key), Value: []byte(value)}
	if value == "" {
		r.Value = nil
	}
	return r
}

// Each hook fails its step, and what the log then holds is what it promised.
func TestHooks(t *testing.T) {
	boom := errors.New("boom")
	var h struct{ before, after, fetch, commit, committed error }
	l := New(Options{MaxWait: -1, Hooks: Hooks{
		BeforeAppend: func(string, int, []pipeline.Record) error { return h.before },
		AfterAppend:  func(string, int, int64, []pipeline.Record) error { return h.after },
		BeforeFetch:  func(string, int, int64) error { return h.fetch },
		BeforeCommit: func(string, string, map[int]int64) error { return h.commit },
		AfterCommit:  func(string, string, map[int]int64) error { return h.committed },
	}})
	l.CreateTopic("t", 1, 0)
	ctx := context.Background()
	try := func(what string, want string) {
		t.Helper()
		if _, err := l.Append(ctx, "t", 0, []pipeline.Record{rec(what, "1"), rec(what, "2")}); !errors.Is(err, boom) {
			t.Errorf("%s: Append returned %v, want boom", what, err)
		}
		if got := values(l.Records("t", 0)); got != want {
			t.Errorf("%s: the log holds %q, want %q", what, got, want)
		}
	}
	h.before = boom
	try("a", "")
	h.before = &Torn{Records: 1, Err: boom}
	try("b", "0:b=1 ")
	h.before, h.after = nil, boom
	try("c", "0:b=1 1:c=1 2:c=2 ")
	h.fetch = boom
	if _, err := l.Open("t", 0).Fetch(ctx, 0); !errors.Is(err, boom) {
		t.Errorf("Fetch returned %v, want boom", err)
	}

	member := l.Group("g", "t")
	gen, err := member.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h.commit = boom
	if err := gen.Commit(ctx, map[int]int64{0: 1}); !errors.Is(err, boom) || len(l.Committed("g", "t")) != 0 {
		t.Errorf("refused Commit returned %v and stored %v", err, l.Committed("g", "t"))
	}
	h.commit, h.committed = nil, boom
	err = gen.Commit(ctx, map[int]int64{0: 2})
	if !errors.Is(err, boom) || !maps.Equal(l.Committed("g", "t"), map[int]int64{0: 2}) {
		t.Errorf("Commit with a lost reply returned %v and stored %v", err, l.Committed("g", "t"))
	}
}

// An evicted member does not notice until it is refused; the others go on (G9).
func TestEvict(t *testing.T) {
	l := New(Options{})
	l.CreateTopic("t", 2, 0)
	ctx := context.Background()
	asleep, awake := l.Group("g", "t"), l.Group("g", "t")
	gen, err := asleep.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	asleep.Evict()
	other, err := awake.Next(ctx)
	if err != nil || len(other.Assigned()) != 2 {
		t.Fatalf("Next of the other member = %v, %v; want both partitions", other, err)
	}
	select {
	case <-gen.Done():
		t.Error("the evicted member noticed by itself")
	default:
	}
	if err := gen.Commit(ctx, map[int]int64{0: 5}); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("Commit of an evicted member: %v, want ErrFenced", err)
	}
	select {
	case <-gen.Done():
	default:
		t.Error("a refused commit did not end the generation")
	}
}

// During a rebalance nobody else owns the partitions yet: the last commit counts.
func TestCommitDuringRebalance(t *testing.T) {
	l := New(Options{})
	l.CreateTopic("t", 2, 0)
	a, b := l.Group("g", "t"), l.Group("g", "t")
	gen, _ := a.Next(t.Context())
	go b.Next(t.Context())
	<-gen.Done()
	if err := gen.Commit(t.Context(), map[int]int64{0: 5}); err != nil {
		t.Errorf("Commit during a rebalance: %v", err)
	}
	gen.Leave()
	if err := gen.Commit(t.Context(), map[int]int64{0: 4}); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("Commit after Leave: %v, want ErrFenced", err)
	}
	gen, err := a.Next(t.Context())
	if err != nil || !maps.Equal(gen.Assigned(), map[int]int64{0: 5}) {
		t.Errorf("next assignment %v, %v; want 0 at 5", gen.Assigned(), err)
	}
}

// A member that gives up waiting does not hold up the others.
func TestNextGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{})
		l.CreateTopic("t", 2, 0)
		a, b := l.Group("g", "t"), l.Group("g", "t")
		gen, _ := a.Next(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next while the other member holds on: %v, want DeadlineExceeded", err)
		}
		gen.Leave()
		gen, err := a.Next(t.Context())
		if err != nil || len(gen.Assigned()) != 2 {
			t.Errorf("the member that stayed got %v, %v; want both partitions", gen, err)
		}
	})
}

func TestCompactTruncateSkip(t *testing.T) {
	l := New(Options{MaxWait: -1})
	l.CreateTopic("t", 1, 0)
	ctx := context.Background()
	records := []pipeline.Record{rec("a", "1"), rec("b", "1"), rec("a", "2"), rec("b", ""), rec("c", "1")}
	if _, err := l.Append(ctx, "t", 0, records); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		do    func() error
		want  string
		bound string
	}{
		{func() error { return l.Compact("t", 0, false) }, "2:a=2 3:b= 4:c=1 ", "0-5"},
		{func() error { return l.Compact("t", 0, true) }, "2:a=2 4:c=1 ", "0-5"},
		{func() error { return l.Skip("t", 0, 3) }, "2:a=2 4:c=1 ", "0-8"},
		{func() error { return l.Truncate("t", 0, 3) }, "4:c=1 ", "3-8"},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		start, end, _ := l.Bounds(ctx, "t", 0)
		got, bound := values(l.Records("t", 0)), fmt.Sprintf("%d-%d", start, end)
		if got != step.want || bound != step.bound {
			t.Errorf("got %q %s, want %q %s", got, bound, step.want, step.bound)
		}
	}
	r := l.Open("t", 0)
	if _, err := r.Fetch(ctx, 2); !errors.Is(err, pipeline.ErrOutOfRange) {
		t.Errorf("Fetch below the start: %v, want ErrOutOfRange", err)
	}
	got, err := r.Fetch(ctx, 5)
	if err != nil || len(got.Records) != 0 || got.Next != 8 {
		t.Errorf("Fetch in a gap = %d records, next %d, %v; want none and 8", len(got.Records), got.Next, err)
	}
}

// Bytes kept beyond the next Fetch are destroyed, so a test sees who keeps them.
func TestBytesAreLent(t *testing.T) {
	l := New(Options{MaxWait: -1})
	l.CreateTopic("t", 1, 0)
	if _, err := l.Append(t.Context(), "t", 0, []pipeline.Record{rec("key", "value")}); err != nil {
		t.Fatal(err)
	}
	r := l.Open("t", 0)
	got, _ := r.Fetch(t.Context(), 0)
	kept := got.Records[0].Value
	_, _ = r.Fetch(t.Context(), 1)
	if string(kept) == "value" {
		t.Error("bytes of the last Fetch are still intact")
	}
}
