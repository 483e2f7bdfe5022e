package sinks

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"recoup/pipeline"
	"recoup/pipeline/memlog"
	"recoup/sinks/sinktest"
)

// pausedGroup stops its member at one answer of the group, as SIGSTOP does: the group
// said yes, and what follows happens when another has long taken over.
type pausedGroup struct {
	pipeline.Group
	armed           atomic.Bool
	stopped, resume chan struct{}
}

func newPausedGroup(g pipeline.Group) *pausedGroup {
	return &pausedGroup{Group: g, stopped: make(chan struct{}), resume: make(chan struct{})}
}

func (g *pausedGroup) Next(ctx context.Context) (pipeline.Generation, error) {
	gen, err := g.Group.Next(ctx)
	return pausedGeneration{gen, g}, err
}

type pausedGeneration struct {
	pipeline.Generation
	group *pausedGroup
}

func (g pausedGeneration) Commit(ctx context.Context, offsets map[int]int64) error {
	err := g.Generation.Commit(ctx, offsets)
	if err == nil && g.group.armed.CompareAndSwap(true, false) {
		close(g.group.stopped)
		<-g.group.resume
	}
	return err
}

// TestCopyPaused is G2 for the copied topics: a member that is paused for as long as it
// likes behind the question whether it may insert, of records with or without parts,
// stores nothing when it wakes up: its successor has stored them.
func TestCopyPaused(t *testing.T) {
	for topic, record := range map[string]string{
		"recoup.disputes": caseEvent(1),
		"recoup.cases": asJSON(t, map[string]any{"schema": "case.v1", "case_id": "i", "seq": 1, "kind": "incident",
			"members_joined": []any{map[string]any{"seller": "acme", "invoice_id": "F1", "revision": 1, "currency": "EUR",
				"loss": band(50_0000), "issued_at": "2026-11-12T08:00:00Z"}}}),
	} {
		t.Run(topic, func(t *testing.T) {
			w := newCopyWorld(t, openStore(t))
			w.opt.Topics, w.opt.FenceAfter = CopyTopics{Disputes: "recoup.disputes"}, time.Nanosecond
			if topic == "recoup.cases" {
				w.opt.Topics = CopyTopics{Cases: topic}
			}
			w.send(t, topic, 0, record)
			member := w.log.Group(w.opt.Group, copyLead)
			paused, end := w.startIn(t, newPausedGroup(member))
			w.send(t, topic, 0, record, record)
			paused.armed.Store(true)
			<-paused.stopped
			w.send(t, topic, 1, record) // its successor batches differently
			member.Evict()
			w.copyAll(t)
			close(paused.resume)
			end()
			w.check(t)
			members := count(t, w.store, "SELECT count() FROM "+w.store.client.in("incident_members"))
			if want := w.sent["recoup.cases"]; members != want {
				t.Errorf("%d members stand in incident_members, want %d", members, want)
			}
		})
	}
}

// startIn copies as a member of a group, until what the topics hold is stored. The copy
// that end waits for ends by itself: the group gives it up.
func (w *copyWorld) startIn(t *testing.T, group *pausedGroup) (paused *pausedGroup, end func()) {
	t.Helper()
	c, done := NewCopy(w.store, w.opt), make(chan struct{})
	gen, err := group.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		c.runGeneration(t.Context(), gen, w.log)
		close(done)
	}()
	if err := c.WaitCaughtUp(t.Context(), w.log); err != nil {
		t.Fatal(err)
	}
	return group, func() { <-done }
}

// TestHoldOutdated is the control of hold and Fence together, for the rows of invoices:
// an owner that was paused behind the answer of the group finds its insert ended by its
// successor, which has stored the rows meanwhile.
func TestHoldOutdated(t *testing.T) {
	s := openTables(t)
	next := testOwner
	next.Epoch++
	asked := 0
	err := s.Insert(t.Context(), testOwner, 0, sampleBlock(s, 1, 1, 2, 3), func(context.Context) error {
		if asked++; asked == 1 {
			return nil // the lines
		}
		if err := s.Fence(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		stored, err := s.Stored(t.Context(), next, 0)
		if err != nil || len(stored) != 0 {
			t.Fatal(stored, err)
		}
		for offset := range int64(3) {
			if err := s.Insert(t.Context(), next, offset, sampleBlock(s, 1, offset+1), sinktest.Owned); err != nil {
				t.Fatal(err)
			}
		}
		return nil // what the group said before the pause
	})
	if err == nil || errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("insert of an owner that was paused: %v, want that the server ended it", err)
	}
	for table, want := range map[string]int{tableInvoices: 3, tableLines: 6} {
		if n := count(t, s, fmt.Sprintf("SELECT count() FROM %s", s.client.in(table))); n != want {
			t.Errorf("%s: %d rows, want %d", table, n, want)
		}
	}
}

// The proof that a member still copies is as old as its question: an answer that was
// under way for long proves nothing any more.
func TestCopyProofAges(t *testing.T) {
	log := memlog.New(memlog.Options{Hooks: memlog.Hooks{AfterCommit: func(string, string, map[int]int64) error {
		time.Sleep(30 * time.Millisecond)
		return nil
	}}})
	log.CreateTopic(copyLead, 1, 0)
	member := log.Group("g", copyLead)
	gen, err := member.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	turn := &turn{copy: &Copy{opt: CopyOptions{FenceAfter: 20 * time.Millisecond}}, gen: gen,
		assigned: gen.Assigned()}
	if err := turn.hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	member.Evict()
	if err := turn.hold(t.Context()); !errors.Is(err, pipeline.ErrFenced) {
		t.Errorf("the group was not asked again 30 ms after a question that proves for 20 ms: %v", err)
	}
}
