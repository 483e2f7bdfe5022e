package pipeline_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"testing"
	"testing/synctest"

	"recoup/pipeline"
)

// stampOf returns the stamp of a record of state, of a value or of a tombstone.
func stampOf(t *testing.T, r *pipeline.Record) (epoch, applied int64) {
	t.Helper()
	stamp := r.Value
	if len(stamp) == 0 {
		stamp = r.Stamp
	}
	if len(stamp) == 0 {
		t.Fatalf("%s at offset %d has no stamp", r.Key, r.Offset)
	}
	epoch, n := binary.Varint(stamp[1:])
	applied, _ = binary.Varint(stamp[1+n:])
	return epoch, applied
}

// stampedBy is a stamp as records of state have it.
func stampedBy(epoch, applied int64) []byte {
	return binary.AppendVarint(binary.AppendVarint([]byte{2}, epoch), applied)
}

// lateState is a log on which a paused owner wakes up once a new partition is claimed.
type lateState struct {
	pipeline.Log
	topic string
	from  int // partitions from here on are new
	wake  func()
}

func (l *lateState) Append(ctx context.Context, topic string, p int, r []pipeline.Record) (int64, error) {
	if wake := l.wake; topic == l.topic && p >= l.from && wake != nil {
		l.wake = nil
		wake()
	}
	return l.Log.Append(ctx, topic, p, r)
}

// G9, design.md §4: a new partition gets what its origin knows by the highest stamp, and not
// what a paused owner writes or deletes there meanwhile.
func TestRepartitionPassesOverLateState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const forgotten = "seen|4096"
		w := newWorld(1)
		w.sell(t, 1, 0, 40)
		w.caught(t, "paused")
		state := w.opt.Topics.State
		late := map[string]pipeline.Record{} // what the paused owner knows of each key
		for _, r := range w.log.Records(state, 0) {
			late[string(r.Key)] = r
		}
		w.sell(t, 1, 40, 45)
		w.caught(t, "newer")
		w.log.Grow(w.opt.Topics.Invoices, 2)
		view := &lateState{Log: w.log, topic: w.opt.Topics.Suspects, from: 1, wake: func() {
			seen := late["seen|0"]
			epoch, applied := stampOf(t, &seen)
			w.put(t, state, 0, pipeline.Record{Key: seen.Key, Stamp: stampedBy(epoch, applied-1)})
			w.put(t, state, 0, pipeline.Record{Key: []byte(forgotten), Stamp: stampedBy(epoch+1, applied)})
			w.put(t, state, 0, pipeline.Record{Key: []byte(forgotten), Value: seen.Value})
		}}
		m := w.keeper(view)
		plan, err := m.PlanRepartition(t.Context())
		if err == nil {
			err = m.Repartition(t.Context(), plan, w.grow, func() {})
		}
		if err != nil || view.wake != nil {
			t.Fatalf("repartition: %v; the paused owner slept on: %v", err, view.wake != nil)
		}
		blocks := 0
		for _, r := range w.log.Records(state, 1) {
			if strings.HasPrefix(string(r.Key), "seen|") {
				blocks++
			}
		}
		if blocks != 2 {
			t.Errorf("%d blocks of invoices seen were copied, want the two that count", blocks)
		}
		before := len(w.store.Rows())
		w.billed(t, 2, 1, 5, 400+float64((5*7+1)%9)) // a redelivery, in its customer's new partition
		w.caught(t, "after")
		if got := len(w.store.Rows()) - before; got != 0 {
			t.Errorf("%d rows of what was seen before the repartition, want none", got)
		}
	})
}

// E2, design.md §4: what a paused owner sends once a reset has ended neither counts nor
// makes an invoice that comes again a redelivery: all tombstones of the reset are stamped.
func TestLateStateAfterReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.fill(t, 1, 100)
		_ = w.faultFree(t)
		topics := []string{w.opt.Topics.State, w.opt.Topics.Baselines}
		kept, ends := map[string]map[string]pipeline.Record{}, map[string]int{}
		for _, topic := range topics {
			kept[topic] = map[string]pipeline.Record{}
			records := w.log.Records(topic, 0)
			for _, r := range records {
				kept[topic][string(r.Key)] = r
			}
			ends[topic] = len(records)
		}
		w.log.CreateTopic(w.opt.Topics.Invoices, 1, 0)
		w.put(t, w.opt.Topics.Invoices, 0, pipeline.Record{Value: []byte("garbage"), Time: start})
		w.fill(t, 1, 40) // each behind its offset of before
		if err := w.reset(t, 1000); err != nil {
			t.Fatal(err)
		}
		for _, topic := range topics {
			tombstones := 0
			for _, r := range w.log.Records(topic, 0)[ends[topic]:] {
				if epoch, _ := stampOf(t, &r); len(r.Value) == 0 && epoch > 0 {
					tombstones++
				}
			}
			if tombstones < 3 {
				t.Errorf("%d tombstones in %s, want one for each key of before", tombstones, topic)
			}
			for key, r := range kept[topic] {
				if !bytes.HasPrefix(r.Key, []byte("count|")) && key != "marker" && len(r.Value) > 0 {
					w.put(t, topic, 0, r)
				}
			}
		}
		w.caught(t, "after")
		again := 0
		for _, r := range w.store.Rows() {
			if r.Verdict.Source.Incarnation == 1 {
				again++
			}
		}
		if learned := w.learnedInvoices(t, everyone, 1)[0]; again != 40 || learned != 40 {
			t.Errorf("%d of 40 invoices have a row, the segment holds %d", again, learned)
		}
	})
}

// A reset that died once it was announced is to be ended, also where the new log has grown
// meanwhile to where the old one was, and lost its start: nothing else tells of it then.
func TestAnnouncedResetIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		w.fill(t, 2, 100)
		_ = w.faultFree(t)
		w.log.CreateTopic(w.opt.Topics.Invoices, 2, 0)
		announced := func() bool {
			records := w.log.Records(w.opt.Topics.State, 0)
			return bytes.Contains(records[len(records)-1].Value, []byte(`"reset_to":1`))
		}
		for lives := 0; !announced(); lives++ {
			if err := w.reset(t, lives); err == nil {
				t.Fatalf("the reset ended after %d writes, and was never announced", lives)
			}
		}
		w.fill(t, 2, 150)
		for p := range 2 {
			if err := w.log.Truncate(w.opt.Topics.Invoices, p, 130); err != nil {
				t.Fatal(err)
			}
		}
		if plan, err := w.planReset(t); err != nil || !plan.Due() || plan.Incarnation != 1 {
			t.Fatalf("%+v, %v; want the reset to incarnation 1 to be ended", plan, err)
		}
		if err := w.reset(t, 1000); err != nil {
			t.Fatal(err)
		}
		if plan, err := w.planReset(t); err != nil || plan.Due() {
			t.Errorf("%+v, %v is still to be done", plan, err)
		}
	})
}
