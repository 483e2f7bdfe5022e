package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sync/errgroup"

	"recoup/detectors"
)

// storeAnswersWithin is how long a take-over waits for the row store. If it does
// not answer, scoring and alerts go on with the decision log alone and rows are
// held until the skip-set has been read.
const storeAnswersWithin = 3 * time.Second

// takeOver makes this worker the owner of its partition and brings its state to
// the offset to score next. The order of the steps matters:
//
//  1. ownership record: from here on older epochs' decisions are void
//  2. end inserts of older epochs, so that no row appears after step 5
//  3. marker, local state, then all shared state, counts and models, each to the end seen
//  4. decision log from the marker's position to our own ownership record
//  5. skip-set: offsets that have rows
//  6. replay from the marker's offset to the committed one, for learning only
//  7. score on (Run)
//
// What waits for different servers is done at once: within step 3, and 2 and 5 beside 4
// and 6. Before step 6 it is looked whether the log is the one that the state was learned from.
func (w *Worker) takeOver(ctx context.Context, c *claim) error {
	m := w.m
	began := m.opt.Now()
	if err := w.sameOwners(ctx); err != nil {
		return err
	}
	if err := w.own(ctx, c); err != nil {
		return err
	}
	mark, err := w.readState(ctx)
	if err != nil {
		return err
	}
	start := max(c.position(), mark.Offset, 0)
	w.rows.from, w.rows.inherited = start, &mark
	w.rows.sweepFrom.Store(sweepFrom(mark))
	var replayed int64
	both, actx := errgroup.WithContext(ctx)
	both.Go(func() error { w.readSkipSet(actx); return nil })
	both.Go(func() (err error) {
		logs, lctx := errgroup.WithContext(actx)
		logs.Go(func() error { return w.sameLog(lctx, start, mark) })
		logs.Go(func() error { return w.readDecisions(lctx, mark) })
		if err := logs.Wait(); err != nil {
			return err
		}
		replayed, err = w.replay(actx, mark.Offset, start)
		return err
	})
	if err := both.Wait(); err != nil {
		return err
	}
	w.next, w.queuedEnd, w.decided = start, start, keptUntil(w.kept)
	w.restoreModels(mark)
	w.applyInbox()
	w.lastCheckpoint, w.markedAt = w.checkpointBefore(mark), mark.writtenAt
	// A member that was evicted meanwhile has claimed the partition of an owner that stores
	// rows behind this skip-set until it finds out. It must not keep what it knows.
	if err := m.persist(ctx, "committing", func(ctx context.Context) error { return c.verify(ctx, start) }); err != nil {
		return err
	}
	m.opt.Log.Info("took over", "partition", w.partition, "epoch", w.epoch, "offset", start, "replayed", replayed,
		"kept_decisions", len(w.kept), "stored_rows", len(w.rows.atTakeOver), "took", m.opt.Now().Sub(began))
	return nil
}

// readRange reads a topic that has the worker's partitions. Each record is a step forward.
func (w *Worker) readRange(ctx context.Context, topic string, from, to int64, each func(Record) error) error {
	return w.m.readRange(ctx, topic, w.partition, from, to, func(r Record) error {
		w.stepped()
		return each(r)
	})
}

// own is step 1. The claim is fenced first: a member that was evicted while it
// waited must not void the decisions of the one that followed it.
func (w *Worker) own(ctx context.Context, c *claim) error {
	m := w.m
	if w.epoch >= 0 {
		return nil
	}
	source := w.position
	source.Offset = max(c.position(), 0)
	epoch, err := m.seize(ctx, c, source)
	if err != nil {
		return err
	}
	w.epoch, w.decisions.next = epoch, epoch+1
	return nil
}

// readState is step 3. It returns the marker of an empty log when there is none. Where the
// shared state ends is asked behind where the local state ends: an owner that goes on beside
// this one writes a marker behind the shared state that it promises.
func (w *Worker) readState(ctx context.Context) (mark marker, err error) {
	m := w.m
	topic := m.opt.Topics.State
	_, end, err := m.log.Bounds(ctx, topic, w.partition)
	if err != nil {
		return marker{}, fmt.Errorf("cannot read bounds of %s/%d: %w", topic, w.partition, err)
	}
	whole, first := false, marker{}
	all, actx := errgroup.WithContext(ctx)
	all.Go(func() (err error) { first, err = m.layout.marker(actx, m); return err })
	all.Go(func() (err error) { mark, whole, err = w.restore(actx, end); return err })
	all.Go(func() error { return w.restoreCounts(actx) })
	all.Go(func() error { return m.models.catchUpSeen(actx, w.stepped) })
	all.Go(func() error { return m.follow.catchUpSeen(actx, w.stepped) })
	if err := all.Wait(); err != nil {
		return marker{}, err
	}
	if err := m.sameLayout(w.partition, first, mark); err != nil {
		return marker{}, err
	}
	w.compareBudget(mark)
	m.follow.own(w.partition, w.epoch)
	w.engine.AdoptShared()
	if err := w.engine.Adopt(mark.Offset, whole && mark.Met); err != nil {
		m.metrics.Foreign.Inc()
		m.opt.Log.Error("passed over state that cannot be read", "topic", topic, "partition", w.partition, "error", err)
	}
	w.countTrimmed()
	w.overwritten = w.engine.Changed() > 0 // what was written late, or ahead of the marker, is written over
	err = errors.Join(w.engine.RestoreHighMarks(mark.HighMarks), w.engine.RestoreRuns(mark.Runs),
		w.engine.RestoreOutcomes(mark.Outcomes))
	if err != nil {
		return marker{}, err
	}
	w.incarnation = mark.Incarnation
	w.position.Incarnation = mark.Incarnation
	w.beforeAt, w.beforeHash = mark.BeforeAt, mark.BeforeHash
	return mark, nil
}

// restore reads the local state up to an end and returns the newest marker in it, and
// whether all of it could be read.
func (w *Worker) restore(ctx context.Context, end int64) (mark marker, whole bool, err error) {
	mark, whole = marker{BeforeAt: -1}, true
	var best stamp
	seen := map[string]stamp{}
	topic := w.m.opt.Topics.State
	err = w.readRange(ctx, topic, 0, end, func(r Record) error {
		at, payload, err := r.stamped()
		if errors.Is(err, errRefused) {
			return fmt.Errorf("%s/%d offset %d: %w", topic, w.partition, r.Offset, err)
		}
		if err != nil {
			w.foreign(topic, r.Offset, err)
			return nil
		}
		if string(r.Key) == markerKey {
			if w.outdates(r.Key, at, best) {
				return nil
			}
			best = at
			mark, err = decodeMarker(payload)
			mark.writtenAt = r.Time
			return err
		}
		if old, was := seen[string(r.Key)]; was && at != unstamped && w.outdates(r.Key, at, old) {
			return nil
		}
		seen[string(r.Key)] = at
		if err := w.engine.Restore(r.Key, bytes.Clone(payload), at.applied); err != nil {
			whole = false
			w.foreign(topic, r.Offset, err)
		}
		return nil
	})
	w.rows.state.next = end
	return mark, whole, err
}

// outdates reports whether a state record is older than one that stands before it. Of a
// former owner it is written over: compaction would keep it.
func (w *Worker) outdates(key []byte, at, before stamp) bool {
	if at.epoch < before.epoch {
		w.markDirty(string(key))
	}
	return !at.supersedes(before)
}

// readDecisions is step 4: verdicts and changes of models of former owners at or
// above the marker's offset. Of two verdicts on one invoice the first counts; a
// record of an epoch below an ownership record before it is void.
func (w *Worker) readDecisions(ctx context.Context, mark marker) error {
	m := w.m
	topic := m.opt.Topics.Suspects
	// The marker's owner may have kept decisions of an older one that stand before
	// its own ownership record: then what counts is found on the way.
	highest := int64(-1)
	if mark.Epoch < mark.LogPosition {
		highest = mark.Epoch
	}
	err := w.readRange(ctx, topic, mark.LogPosition, w.epoch, func(r Record) error {
		d, err := decodeDecision(r.Value)
		if errors.Is(err, errRefused) {
			return fmt.Errorf("%s/%d offset %d: %w", topic, w.partition, r.Offset, err)
		}
		if err != nil {
			w.foreign(topic, r.Offset, err)
			return nil
		}
		if d.Kind == kindOwnership {
			highest = max(highest, r.Offset)
			return nil
		}
		void := d.Epoch < highest
		highest = max(highest, d.Epoch) // its ownership record stands before it
		if void || d.Source.Offset < mark.Offset || d.Source.Incarnation != w.incarnation {
			return nil
		}
		if d.Kind == kindModel && d.Model != nil {
			w.ahead = append(w.ahead, modelSwitch{d.Source.Offset, d.Model.Seller, d.Model.Version})
			w.logged = append(w.logged, logEntry{log: r.Offset, source: d.Source.Offset})
		}
		if d.Kind != kindDecision || d.Verdict == nil {
			return nil
		}
		if _, was := w.kept[d.Source.Offset]; !was {
			w.kept[d.Source.Offset] = d
			w.logged = append(w.logged, logEntry{log: r.Offset, source: d.Source.Offset})
		}
		return nil
	})
	// An owner that lacks a version names the prior below changes that stand in the
	// log already. Of changes at one offset the last is the newest owner's: it counts.
	slices.SortStableFunc(w.ahead, func(a, b modelSwitch) int { return cmp.Compare(a.offset, b.offset) })
	return err
}

// sweepFrom is where doubled rows may stand: a paused predecessor held offsets at
// or above its successor's start, which is not below the marker of the one before.
func sweepFrom(mark marker) int64 {
	if mark.SweepFrom < 0 {
		return mark.Offset
	}
	return min(mark.Offset, mark.SweepFrom)
}

// readSkipSet is steps 2 and 5. A store that does not answer is met later, by
// the row writer before its first insert.
func (w *Worker) readSkipSet(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, storeAnswersWithin)
	defer cancel()
	stored, err := w.rows.readStored(within)
	if ctx.Err() != nil {
		return // the take-over ends
	}
	if err != nil {
		w.m.opt.Log.Warn("ClickHouse does not answer: scoring goes on, rows are held", "partition", w.partition, "error", err)
		return
	}
	w.rows.atTakeOver = stored
	w.rows.mayInsert(stored)
}

// replay is step 6: it teaches what lies between the checkpoint and the
// committed offset, without scoring. What the log names as suspect teaches only
// the shadow, as it did before.
func (w *Worker) replay(ctx context.Context, from, to int64) (int64, error) {
	var replayed int64
	topic := w.m.opt.Topics.Invoices
	err := w.readRange(ctx, topic, from, to, func(r Record) error {
		w.beforeAt, w.beforeHash = r.Offset, xxhash.Sum64(r.Value)
		kept := w.kept[r.Offset]
		delete(w.kept, r.Offset)
		if err := w.decoder.Decode(r.Value, &w.inv); err != nil {
			return nil // it went to the dead letters when it was first met
		}
		replayed++
		w.position.Offset = r.Offset
		if w.engine.Begin(&w.inv, w.position, plausible(r.Time)) == detectors.Redelivery {
			return nil
		}
		if kept != nil {
			w.engine.Recall(kept.Verdict)
		}
		w.engine.Teach(kept != nil)
		return nil
	})
	w.scoredSince = replayed
	return replayed, err
}

// stillOwner reports whether a worker kept from an earlier generation may go on:
// nobody else claimed its partition since, and the committed offset is one it knows.
func (w *Worker) stillOwner(ctx context.Context, c *claim) (bool, error) {
	topic := w.m.opt.Topics.Suspects
	_, end, err := w.m.log.Bounds(ctx, topic, w.partition)
	if err != nil {
		return false, fmt.Errorf("cannot read bounds of %s/%d: %w", topic, w.partition, err)
	}
	err = w.readRange(ctx, topic, w.decisions.next, end, w.seeDecisionGap)
	if errors.Is(err, ErrFenced) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return c.position() <= w.queuedEnd, w.sameLog(ctx, w.next, marker{BeforeAt: w.beforeAt, BeforeHash: w.beforeHash})
}
