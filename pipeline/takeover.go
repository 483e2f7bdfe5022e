package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sync/errgroup"

	"recoup/detectors"
)

// storeAnswersWithin is how long a take-over waits for the row store. If it does
// not answer, scoring and alerts go on with the decision log alone and rows are
// held until the skip-set has been read.
const storeAnswersWithin = 3 * time.Second

// errMoved: what a take-over was prepared from is not what stands there now.
var errMoved = errors.New("the state is not the one that the take-over was prepared from")

// reading is how far the reading of a take-over has come. It may begin before this member
// owns the partition (readAhead), and goes on from there.
type reading struct {
	mark      marker                // the newest, an empty log's when there is none
	whole     bool                  // all of the local state could be read
	amiss     atomic.Bool           // something could not, and nobody was told: there was no owner yet
	trimmed   []detectors.Forgotten // restored, without room
	state     int64                 // recoup.state was read up to here
	baselines int64                 // recoup.baselines likewise; -1: it was not
	outdated  bool                  // more than counts stands behind
	decisions int64                 // the decision log
	highest   int64                 // epoch below which what follows there is void
	invoices  int64                 // replayed up to here
}

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
// What waits for different servers is done at once: within step 3, and 2 and 5 beside 3, 4
// and 6. Before step 6 it is looked whether the log is the one that the state was learned from.
//
// What was prepared of 3, 4 and 6 counts if nobody has written to the state since: then 3 is
// a look at where it ends, 4 and 6 go on where they stood. Else it returns errMoved.
func (w *Worker) takeOver(ctx context.Context, c *claim) error {
	m := w.m
	began, prepared := m.opt.Now(), w.read != nil
	last, err := w.sameOwners(ctx)
	if err != nil {
		return err
	}
	if err := w.begin(ctx, c, last); err != nil {
		return err
	}
	if err := w.own(ctx, c); err != nil {
		return err
	}
	owner := w.rows.owner()
	owner.Incarnation, w.rows.from = last.Incarnation, max(c.position(), last.Offset, 0)
	var start, replayed int64
	both, actx := errgroup.WithContext(ctx)
	both.Go(func() error { w.readSkipSet(actx, owner); return nil })
	both.Go(func() (err error) { start, replayed, err = w.learnAgain(actx, c, prepared); return err })
	if err := both.Wait(); err != nil {
		return err
	}
	mark := w.read.mark
	// A command may have changed the state meanwhile, or a marker that came late stood last.
	if w.incarnation != owner.Incarnation || w.rows.from > start {
		w.rows.forgetStored(start)
		w.readSkipSet(ctx, w.rows.owner())
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
	m.opt.Log.Info("took over", "partition", w.partition, "epoch", w.epoch, "offset", start, "prepared", prepared,
		"replayed", replayed, "kept_decisions", len(w.kept), "stored_rows", len(w.rows.atTakeOver),
		"took", m.opt.Now().Sub(began))
	return nil
}

// learnAgain is steps 3, 4 and 6 of an owner. It returns the offset to score next, and how many
// invoices were replayed.
func (w *Worker) learnAgain(ctx context.Context, c *claim, prepared bool) (start, replayed int64, err error) {
	if err := w.inherit(ctx, prepared); err != nil {
		return 0, 0, err
	}
	mark := w.read.mark
	start = max(c.position(), mark.Offset, 0)
	if start < w.read.invoices {
		return 0, 0, errMoved // somebody has set the offset back
	}
	w.rows.inherited = &mark
	w.rows.sweepFrom.Store(sweepFrom(mark))
	logs, lctx := errgroup.WithContext(ctx)
	logs.Go(func() error { return w.sameLog(lctx, start, w.before()) })
	logs.Go(func() error { return w.readDecisions(lctx, w.epoch) })
	if err := logs.Wait(); err != nil {
		return 0, 0, err
	}
	replayed, err = w.replay(ctx, start)
	return start, replayed, err
}

// readAhead does what a take-over does without owning the partition, while it still has an
// owner that may be alive: nothing of it is seen outside. What is committed is asked for before
// where the decision log ends: so all that was decided below it stands in the log by then.
func (w *Worker) readAhead(ctx context.Context) error {
	m, topic := w.m, w.m.opt.Topics.Suspects
	committed, err := m.group.Committed(ctx)
	if err != nil {
		return err
	}
	_, end, err := m.log.Bounds(ctx, topic, w.partition)
	if err != nil {
		return fmt.Errorf("cannot read bounds of %s/%d: %w", topic, w.partition, err)
	}
	if err := w.readState(ctx); err != nil {
		return err
	}
	mark := w.read.mark
	if err := m.sameLayout(w.partition, mark, mark); err != nil {
		return err
	}
	if err := w.adopt(); err != nil {
		return err
	}
	to := max(committed[w.partition].Offset, mark.Offset)
	why, err := m.misfit(ctx, w.partition, to, w.before())
	if err == nil && why != "" {
		err = w.recreated(why)
	}
	if err != nil {
		return err
	}
	if err := w.readDecisions(ctx, end); err != nil {
		return err
	}
	if _, err := w.replay(ctx, to); err != nil {
		return err
	}
	if w.read.amiss.Load() {
		return errors.New("some of its state cannot be read: who takes it over says what")
	}
	return nil
}

// before tells of the last record that was scored or replayed, as a marker does.
func (w *Worker) before() marker { return marker{BeforeAt: w.beforeAt, BeforeHash: w.beforeHash} }

// readRange reads a topic that has the worker's partitions. Each record is a step forward.
func (w *Worker) readRange(ctx context.Context, topic string, from, to int64, each func(Record) error) error {
	return w.m.readRange(ctx, topic, w.partition, from, to, func(r Record) error {
		w.stepped()
		return each(r)
	})
}

// begin has the very first owner of a partition begin with the first invoice that there is: what
// retention deleted before there was a recoup is not lost to it. From the commit on, it is.
func (w *Worker) begin(ctx context.Context, c *claim, last marker) error {
	if c.position() >= 0 || last.Partitions != 0 {
		return nil
	}
	first, _, err := w.m.log.Bounds(ctx, w.m.opt.Topics.Invoices, w.partition)
	if err != nil {
		return fmt.Errorf("cannot read bounds of partition %d: %w", w.partition, err)
	}
	if first == 0 {
		return nil
	}
	w.m.opt.Log.Info("nothing of the partition was scored before: begins with the first invoice that is still there",
		"partition", w.partition, "offset", first)
	return c.verify(ctx, first)
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

// inherit is step 3 of an owner.
func (w *Worker) inherit(ctx context.Context, prepared bool) error {
	m := w.m
	if prepared { // before the look: what comes behind is asked for
		m.follow.own(w.partition, w.epoch)
	}
	var first marker
	err := w.readState(ctx,
		func(ctx context.Context) (err error) { first, err = m.layout.marker(ctx, m); return err },
		func(ctx context.Context) error { return m.models.catchUpSeen(ctx, w.stepped) })
	if err != nil {
		return err
	}
	if err := m.sameLayout(w.partition, first, w.read.mark); err != nil {
		return err
	}
	w.compareBudget(w.read.mark)
	if !prepared {
		m.follow.own(w.partition, w.epoch)
		if err := w.adopt(); err != nil {
			return err
		}
	}
	w.countTrimmed()
	return nil
}

// readState reads the state, or looks whether it is still the one that was read, and more
// at the same time. Where the shared state ends is asked behind where the local state
// ends: an owner that goes on beside this one writes a marker behind the shared state that it promises.
func (w *Worker) readState(ctx context.Context, more ...func(context.Context) error) error {
	m := w.m
	topic := m.opt.Topics.State
	_, end, err := m.log.Bounds(ctx, topic, w.partition)
	if err != nil {
		return fmt.Errorf("cannot read bounds of %s/%d: %w", topic, w.partition, err)
	}
	all, actx := errgroup.WithContext(ctx)
	if w.read == nil {
		w.read = &reading{state: end, baselines: -1}
		all.Go(func() error { return w.restore(actx, end) })
	}
	all.Go(func() error { return w.restoreCounts(actx) })
	all.Go(func() error { return m.follow.catchUpSeen(actx, w.stepped) })
	for _, read := range more {
		all.Go(func() error { return read(actx) })
	}
	if err := all.Wait(); err != nil {
		return err
	}
	if w.read.state != end || w.read.outdated {
		return errMoved
	}
	return nil
}

// adopt makes what was read the worker's state, at the marker's offset.
func (w *Worker) adopt() error {
	r := w.read
	w.engine.AdoptShared()
	if err := w.engine.Adopt(r.mark.Offset, r.whole && r.mark.Met); err != nil {
		w.amiss("passed over state that cannot be read", "topic", w.m.opt.Topics.State, "partition", w.partition,
			"error", err)
	}
	r.trimmed = w.engine.Forgotten()
	w.overwritten = w.engine.Changed() > 0 // what was written late, or ahead of the marker, is written over
	err := errors.Join(w.engine.RestoreHighMarks(r.mark.HighMarks), w.engine.RestoreRuns(r.mark.Runs),
		w.engine.RestoreOutcomes(r.mark.Outcomes))
	if err != nil {
		return err
	}
	w.incarnation = r.mark.Incarnation
	w.position.Incarnation = r.mark.Incarnation
	w.beforeAt, w.beforeHash = r.mark.BeforeAt, r.mark.BeforeHash
	r.decisions, r.invoices, r.highest = r.mark.LogPosition, r.mark.Offset, -1
	// The marker's owner may have kept decisions of an older one that stand before
	// its own ownership record: then what counts is found on the way.
	if r.mark.Epoch < r.mark.LogPosition {
		r.highest = r.mark.Epoch
	}
	return nil
}

// restore reads the local state up to an end, and the newest marker in it.
func (w *Worker) restore(ctx context.Context, end int64) error {
	mark, whole := &w.read.mark, true
	mark.BeforeAt = -1
	var best stamp
	seen := map[string]stamp{}
	topic := w.m.opt.Topics.State
	err := w.readRange(ctx, topic, 0, end, func(r Record) error {
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
			*mark, err = decodeMarker(payload)
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
	w.rows.state.next, w.read.whole = end, whole
	return err
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
// above the marker's offset, up to an offset of the log. Of two verdicts on one invoice the
// first counts; a record of an epoch below an ownership record before it is void.
func (w *Worker) readDecisions(ctx context.Context, to int64) error {
	topic, read := w.m.opt.Topics.Suspects, w.read
	err := w.readRange(ctx, topic, read.decisions, to, func(r Record) error {
		d, err := decodeDecision(r.Value)
		if errors.Is(err, errRefused) {
			return fmt.Errorf("%s/%d offset %d: %w", topic, w.partition, r.Offset, err)
		}
		if err != nil {
			w.foreign(topic, r.Offset, err)
			return nil
		}
		if d.Kind == kindOwnership {
			read.highest = max(read.highest, r.Offset)
			return nil
		}
		void := d.Epoch < read.highest
		read.highest = max(read.highest, d.Epoch) // its ownership record stands before it
		if void || d.Source.Offset < read.mark.Offset || d.Source.Incarnation != w.incarnation {
			return nil
		}
		if d.Kind == kindModel && d.Model != nil {
			w.ahead = append(w.ahead, modelSwitch{d.Source.Offset, d.Model.Seller, d.Model.Version})
			w.logged = append(w.logged, logEntry{log: r.Offset, source: d.Source.Offset})
		}
		if d.Kind != kindDecision || d.Verdict == nil || d.Source.Offset < read.invoices {
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
	read.decisions = to
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
func (w *Worker) readSkipSet(ctx context.Context, owner Owner) {
	within, cancel := context.WithTimeout(ctx, storeAnswersWithin)
	defer cancel()
	stored, err := w.rows.readStored(within, owner)
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
func (w *Worker) replay(ctx context.Context, to int64) (int64, error) {
	var replayed int64
	topic := w.m.opt.Topics.Invoices
	err := w.readRange(ctx, topic, w.read.invoices, to, func(r Record) error {
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
	w.scoredSince += replayed
	w.read.invoices = to
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
	return c.position() <= w.queuedEnd, w.sameLog(ctx, w.next, w.before())
}
