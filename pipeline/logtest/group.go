package logtest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"recoup/pipeline"
)

// next waits for a generation of a member.
func next(t *testing.T, member pipeline.Group) pipeline.Generation {
	t.Helper()
	gen, err := member.Next(context30(t))
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	return gen
}

func waitOver(t *testing.T, gen pipeline.Generation) {
	t.Helper()
	select {
	case <-gen.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("the generation is not over after 30 s")
	}
}

func checkAssigned(t *testing.T, gen pipeline.Generation, want map[int]int64) {
	t.Helper()
	if got := gen.Assigned(); !maps.Equal(got, want) {
		t.Errorf("Assigned = %v, want %v", got, want)
	}
}

// What one generation commits, the next of another member resumes from (G1, G9).
func testGroupOfOne(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 2, mib)
	mustAppend(t, c, topic, 0, numbered(0, 9, 10)...)
	first := c.NewMember(t, "one-"+topic, topic)
	defer first.Close()
	gen := next(t, first)
	checkAssigned(t, gen, map[int]int64{0: -1, 1: -1})
	ctx := context30(t)
	for _, offset := range []int64{3, 5} {
		if err := gen.Commit(ctx, map[int]int64{0: offset}); err != nil {
			t.Fatalf("Commit: %v", err)
		}
	}
	select {
	case <-gen.Done():
		t.Error("the generation is over although nothing happened")
	default:
	}
	gen.Leave()
	waitOver(t, gen)
	gen = next(t, first)
	checkAssigned(t, gen, map[int]int64{0: 5, 1: -1})
	gen.Leave()
	if err := first.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}

	second := c.NewMember(t, "one-"+topic, topic)
	defer second.Close()
	gen = next(t, second)
	checkAssigned(t, gen, map[int]int64{0: 5, 1: -1})
	gen.Leave()
}

// Two members share the partitions; a member that closes leaves its share (G9).
func testGroupOfTwo(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 4, mib)
	a, b := c.NewMember(t, "two-"+topic, topic), c.NewMember(t, "two-"+topic, topic)
	defer a.Close()
	defer b.Close()
	genA := next(t, a)
	if err := genA.Commit(context30(t), map[int]int64{0: 1, 1: 2, 2: 3, 3: 4}); err != nil {
		t.Fatal(err)
	}
	gens := make(chan pipeline.Generation, 1)
	go func() { gens <- settle(b, 2) }()
	waitOver(t, genA)
	genA.Leave()
	genA = settle(a, 2)
	genB := <-gens
	if genA == nil || genB == nil {
		t.Fatal("the members never shared the partitions")
	}
	both := genA.Assigned()
	for p, offset := range genB.Assigned() {
		if _, twice := both[p]; twice {
			t.Errorf("partition %d is assigned to both members", p)
		}
		both[p] = offset
	}
	if want := (map[int]int64{0: 1, 1: 2, 2: 3, 3: 4}); !maps.Equal(both, want) {
		t.Errorf("both together are assigned %v, want %v", both, want)
	}
	genB.Leave()
	go b.Close()
	waitOver(t, genA)
	genA.Leave()
	gen := settle(a, 4)
	if gen == nil {
		t.Fatal("the member that stayed never got all partitions")
	}
	gen.Leave()
}

// settle takes generations until one has n partitions; nil if none came.
func settle(member pipeline.Group, n int) pipeline.Generation {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		gen, err := member.Next(ctx)
		if err != nil {
			return nil
		}
		if len(gen.Assigned()) == n {
			return gen
		}
		select {
		case <-gen.Done():
		case <-ctx.Done():
		}
		gen.Leave()
	}
}

// While a rebalance waits for a member nobody else owns its partitions: the last
// commit before Leave is taken, and the next owner resumes from it (G9).
func testLastCommit(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 2, mib)
	a, b := c.NewMember(t, "last-"+topic, topic), c.NewMember(t, "last-"+topic, topic)
	defer a.Close()
	defer b.Close()
	gen := next(t, a)
	gens := make(chan pipeline.Generation, 1)
	go func() { gens <- settle(b, 1) }()
	waitOver(t, gen)
	if err := gen.Commit(context30(t), map[int]int64{0: 11, 1: 12}); err != nil {
		t.Errorf("Commit before Leave during a rebalance: %v", err)
	}
	gen.Leave()
	genA, genB := settle(a, 1), <-gens
	if genA == nil || genB == nil {
		t.Fatal("the members never shared the partitions")
	}
	both := genA.Assigned()
	maps.Copy(both, genB.Assigned())
	if want := (map[int]int64{0: 11, 1: 12}); !maps.Equal(both, want) {
		t.Errorf("both together are assigned %v, want %v", both, want)
	}
	genA.Leave()
	genB.Leave()
}

// A member sees how far the partitions of others are committed, and which of them it would be
// given if their owners were gone: exactly those that it is given once they are (G9).
func testHeirs(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 6, mib)
	var members []pipeline.Group
	gens, leave := make([]pipeline.Generation, 3), make(chan struct{})
	for range gens {
		m := c.NewMember(t, "heirs-"+topic, topic)
		defer m.Close()
		members = append(members, m)
	}
	if more, err := members[0].Inherits(context30(t), []int{0}); err != nil || len(more) > 0 {
		t.Errorf("who never joined would be given %v, %v", more, err)
	}
	var joining sync.WaitGroup
	for i, m := range members {
		joining.Go(func() { gens[i] = settle(m, 2) })
	}
	joining.Wait()
	mine := [3][]int{}
	for i, gen := range gens {
		if gen == nil {
			t.Fatal("the members never shared the partitions")
		}
		mine[i] = slices.Sorted(maps.Keys(gen.Assigned()))
		if err := gen.Commit(context30(t), map[int]int64{mine[i][0]: int64(10 + i)}); err != nil {
			t.Fatal(err)
		}
	}
	gens[2].SayLeaving(mine[2][0])
	if err := gens[2].Commit(context30(t), map[int]int64{mine[2][0]: 12}); err != nil {
		t.Fatal(err)
	}
	want := map[int]pipeline.Committed{mine[0][0]: {Offset: 10}, mine[0][1]: {Offset: -1}, mine[1][0]: {Offset: 11},
		mine[1][1]: {Offset: -1}, mine[2][0]: {Offset: 12, Leaving: true}, mine[2][1]: {Offset: -1}}
	got, err := members[0].Committed(context30(t))
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("Committed = %v, %v, want %v", got, err, want)
	}
	check := func(i int, silent []int, want int) (more []int) {
		t.Helper()
		more, err := members[i].Inherits(context30(t), silent)
		if err != nil || len(more) != want && want >= 0 {
			t.Errorf("of %v, silent %v, member %d would be given %v, %v; want %d", mine, silent, i, more, err, want)
		}
		return more
	}
	check(0, nil, 0)
	check(0, mine[0][1:], 0) // its own
	check(0, []int{mine[0][0], mine[1][0], mine[2][0]}, 0)
	check(2, []int{mine[0][0], mine[1][1]}, 4)
	expected := [2][]int{check(0, mine[2][:1], -1), check(1, mine[2][:1], -1)}
	go members[2].Close()
	for i := range expected {
		joining.Go(func() {
			waitOver(t, gens[i])
			gens[i].Leave()
			if gens[i] = settle(members[i], 3); gens[i] == nil {
				return
			}
			given := slices.Sorted(maps.Keys(gens[i].Assigned()))
			given = slices.DeleteFunc(given, func(p int) bool { return slices.Contains(mine[i], p) })
			if !slices.Equal(given, expected[i]) || len(given) == 0 {
				t.Errorf("member %d of %v expected %v, was given %v", i, mine, expected[i], given)
			}
			<-leave
		})
	}
	time.AfterFunc(time.Second, func() { close(leave) })
	joining.Wait()
}

// A generation that was left cannot commit any more, and the commit of the next
// stands (G3, G9).
func testFence(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 1, mib)
	member := c.NewMember(t, "fence-"+topic, topic)
	defer member.Close()
	old := next(t, member)
	old.Leave()
	now := next(t, member)
	ctx := context30(t)
	if err := now.Commit(ctx, map[int]int64{0: 7}); err != nil {
		t.Fatal(err)
	}
	if err := old.Commit(ctx, map[int]int64{0: 1}); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("Commit by a generation that was left: %v, want ErrFenced", err)
	}
	now.Leave()
	last := next(t, member)
	checkAssigned(t, last, map[int]int64{0: 7})
	last.Leave()
	if err := member.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := last.Commit(ctx, map[int]int64{0: 1}); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("Commit after Close: %v, want ErrFenced", err)
	}
}

// A group on a missing topic must not look like one without work.
func testGroupNoTopic(t *testing.T, c Cluster) {
	topic := c.MakeTopic(t, 1, mib)
	member := c.NewMember(t, "none-"+topic, topic+"-missing")
	defer member.Close()
	if _, err := member.Next(context30(t)); !errors.Is(err, pipeline.ErrNoTopic) {
		t.Errorf("Next on a missing topic: %v, want ErrNoTopic", err)
	}
}
