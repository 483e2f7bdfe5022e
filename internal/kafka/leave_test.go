package kafka

import (
	"errors"
	"maps"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"recoup/pipeline"
)

// metadata returns what the last commits of a group carry.
func metadata(t *testing.T, c *Client, group, topic string, partitions ...int) map[int]string {
	t.Helper()
	got, err := c.api.OffsetFetch(context30(t), &kafkago.OffsetFetchRequest{GroupID: group,
		Topics: map[string][]int{topic: partitions}})
	if err != nil {
		t.Fatal(err)
	}
	said := map[int]string{}
	for _, p := range got.Topics[topic] {
		said[p.Partition] = p.Metadata
	}
	return said
}

// Who leaves says so with each commit, the next owner's first commit does not; a commit that
// says so is fenced like any other (G3, G9).
func testSayLeaving(t *testing.T, c *Client, _ string) {
	topic := makeTopic(t, c, 2, nil)
	member := c.Group(GroupSettings{ID: topic, Topic: topic, HeartbeatInterval: 5 * time.Second})
	defer member.Close()
	commit := func(gen pipeline.Generation, offset int64, want map[int]string) {
		t.Helper()
		if err := gen.Commit(context30(t), map[int]int64{0: offset, 1: offset + 10}); err != nil {
			t.Fatal(err)
		}
		if got := metadata(t, c, topic, topic, 0, 1); !maps.Equal(got, want) {
			t.Errorf("commits carry %v, want %v", got, want)
		}
		offsets, err := c.CommittedOffsets(context30(t), topic, topic)
		if want := (map[int]int64{0: offset, 1: offset + 10}); err != nil || !maps.Equal(offsets, want) {
			t.Errorf("committed are %v, %v; want %v", offsets, err, want)
		}
	}
	gen, err := member.Next(context30(t))
	if err != nil {
		t.Fatal(err)
	}
	commit(gen, 1, map[int]string{0: "", 1: ""})
	gen.SayLeaving(1)
	commit(gen, 2, map[int]string{0: "", 1: pipeline.Leaving})
	gen.SayLeaving(0)
	commit(gen, 3, map[int]string{0: pipeline.Leaving, 1: pipeline.Leaving})
	gen.Leave()
	next, err := member.Next(context30(t))
	if err != nil {
		t.Fatal(err)
	}
	commit(next, 4, map[int]string{0: "", 1: ""})
	if err := gen.Commit(context30(t), map[int]int64{0: 9}); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("Commit of a generation that was left: %v, want ErrFenced", err)
	}
	next.SayLeaving(0)
	if !member.(*group).leaveOnce(next.(*generation)) {
		t.Fatal("the member cannot be evicted")
	}
	if err := next.Commit(context30(t), map[int]int64{0: 9}); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("Commit of an evicted member: %v, want ErrFenced", err)
	}
	select {
	case <-next.Done():
	case <-time.After(time.Second):
		t.Error("the generation is not over after a refused commit")
	}
	next.Leave()
}

// A member that leaves for good is waited for by nobody, though kafka-go begins to join again
// between Leave and Close and waits for others: not until its session has ended (G9).
func testLeaveForGood(t *testing.T, c *Client, _ string) {
	topic := makeTopic(t, c, 2, nil)
	settings := GroupSettings{ID: topic, Topic: topic, HeartbeatInterval: 100 * time.Millisecond}
	stays := c.Group(settings)
	defer stays.Close()
	got := make(chan int, 100) // partitions of each generation of who stays
	go func() {
		for {
			gen, err := stays.Next(t.Context())
			if err != nil {
				return
			}
			got <- len(gen.Assigned())
			<-gen.Done()
			time.Sleep(1500 * time.Millisecond) // it has to store its rows first
			gen.Leave()
		}
	}()
	await := func(want int, within time.Duration) {
		t.Helper()
		late := time.After(within)
		for {
			select {
			case n := <-got:
				if n == want {
					return
				}
			case <-late:
				t.Fatalf("who stays has not got %d partitions after %v", want, within)
			}
		}
	}
	await(2, 30*time.Second)
	leaves := c.Group(settings)
	for {
		gen, err := leaves.Next(context30(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(gen.Assigned()) == 1 {
			await(1, 30*time.Second)
			gen.Leave()
			break
		}
		<-gen.Done()
		gen.Leave()
	}
	time.Sleep(20 * time.Millisecond)
	if err := leaves.Close(); err != nil {
		t.Error(err)
	}
	await(2, 5*time.Second)
}
