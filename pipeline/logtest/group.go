package logtest

import (
	"context"
	"errors"
	"maps"
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
