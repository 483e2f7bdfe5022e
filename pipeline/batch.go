package pipeline

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/cases"
	"recoup/detectors"
)

// effects are the outside writes of one batch that come before its rows. done
// counts the steps that are acknowledged, so that a worker whose generation
// ended in the middle goes on where it stopped.
type effects struct {
	decisions []Record
	sources   []int64 // source offset of each decision
	cases     []Record
	dead      []Record
	received  time.Time // oldest record time among the cases
	done      int
}

// scoreBatch scores every record of one fetch and collects what has to be written.
func (w *Worker) scoreBatch(f Fetched) {
	if w.next == w.queuedEnd {
		w.blockSince = w.m.opt.Now()
	}
	if len(f.Records) > 0 {
		w.adoptModels(f.Records[0].Offset)
	}
	for i := range f.Records {
		w.scoreRecord(&f.Records[i])
		w.next = f.Records[i].Offset + 1
	}
	if n := len(f.Records); n > 0 {
		last := &f.Records[n-1]
		w.beforeAt, w.beforeHash = last.Offset, xxhash.Sum64(last.Value)
		w.scoredSince += int64(n)
		w.m.opt.Log.Debug("batch", "partition", w.partition, "records", n, "next", f.Next, "end", f.End)
	}
	w.next = max(w.next, f.Next)
	w.countBlock()
}

// scoreRecord decides one record. A verdict that was published before, or a row
// that stands already, is kept as it is; everything else was never visible and
// is scored now.
func (w *Worker) scoreRecord(r *Record) {
	m := w.m
	w.reachModels(r.Offset)
	r.Time = plausible(r.Time)
	if err := w.decoder.Decode(r.Value, &w.inv); err != nil {
		w.park(r, "decode", err)
		return
	}
	w.position.Offset = r.Offset
	if w.engine.Begin(&w.inv, w.position, r.Time) == detectors.Redelivery {
		m.metrics.Redelivered.Inc()
		return
	}
	rowSuspect, rowStored := w.rows.atTakeOver[r.Offset]
	kept := w.kept[r.Offset]
	switch {
	case kept != nil:
		delete(w.kept, r.Offset)
		if !rowStored {
			w.republish(kept)
			w.putsRight(r, kept.Verdict)
			w.block.Append(&w.inv, kept.Verdict, r.Time.UnixMilli())
		}
		w.note(r, kept.Verdict)
		w.engine.Recall(kept.Verdict)
		w.engine.Teach(kept.Verdict.Suspect)
	case rowStored:
		w.engine.Teach(rowSuspect)
	default:
		if err := w.decide(r); err != nil {
			w.park(r, "case", err)
			return
		}
		w.note(r, &w.verdict)
		w.engine.Teach(w.verdict.Suspect)
	}
}

// lastInstant is the last that RFC 3339 can write. A producer that sends
// microseconds for milliseconds goes beyond it.
var lastInstant = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// plausible brings a record's timestamp, which any producer may set to anything,
// into the range that can be written down.
func plausible(t time.Time) time.Time {
	switch {
	case t.After(lastInstant):
		return lastInstant
	case t.UnixMilli() < 0:
		return time.UnixMilli(0).UTC()
	}
	return t
}

// decide scores the invoice last begun and collects its decision, case and row.
func (w *Worker) decide(r *Record) error {
	v := &w.verdict
	w.engine.Score(v)
	w.putsRight(r, v)
	if v.Suspect {
		if err := w.suspect(r, v); err != nil {
			return err
		}
	}
	w.m.metrics.scored(v)
	w.block.Append(&w.inv, v, r.Time.UnixMilli())
	w.m.opt.Observe(v)
	return nil
}

// suspect collects the decision record of a suspect verdict and its case.
func (w *Worker) suspect(r *Record, v *detectors.Verdict) error {
	now := w.m.opt.Now()
	d := Decision{Schema: DecisionSchema, Kind: kindDecision, Epoch: w.epoch, Source: w.position,
		DetectedAt: now.UTC(), Verdict: v, Subject: cases.SubjectOf(&w.inv, r.Time)}
	if v.Decision == detectors.DecisionOpenCase {
		key := cases.DedupKey(w.inv.Seller, w.inv.ID, w.inv.Revision)
		v.CaseID = cases.ID(key)
		body, err := w.m.opt.Cases.Open(&w.inv, v, r.Time, now).Encode()
		if err != nil {
			return err
		}
		d.Case = body
	}
	value, err := d.encode()
	if err != nil {
		return err
	}
	if d.Case != nil {
		w.addCase(cases.DedupKey(v.Seller, v.InvoiceID, v.Revision), d.Case, r.Time)
	}
	w.log(value, r.Offset)
	return nil
}

// log collects a record of the decision log about the invoice last begun.
func (w *Worker) log(value []byte, source int64) {
	key := []byte(w.inv.Seller + "|" + w.inv.ID)
	w.pending.decisions = append(w.pending.decisions, Record{Key: key, Value: value})
	w.pending.sources = append(w.pending.sources, source)
}

// putsRight collects the record of a document that puts an invoice right, for the
// case stage. It stands before the decision on the document, so that an append that
// was torn between them leaves what the next owner writes again.
func (w *Worker) putsRight(r *Record, v *detectors.Verdict) {
	c := cases.CorrectionOf(&w.inv, v.Billed)
	if c == nil {
		return
	}
	d := Decision{Schema: DecisionSchema, Kind: kindCorrection, Epoch: w.epoch, Source: w.position,
		DetectedAt: w.m.opt.Now().UTC(), Correction: c}
	value, err := d.encode()
	if err != nil {
		panic("a record of names, times and amounts must encode: " + err.Error())
	}
	w.log(value, r.Offset)
}

// republish sends a former owner's case again, byte for byte: it may have died
// between the log and the case.
func (w *Worker) republish(d *Decision) {
	if len(d.Case) == 0 {
		return
	}
	v := d.Verdict
	w.addCase(cases.DedupKey(v.Seller, v.InvoiceID, v.Revision), d.Case, d.DetectedAt)
}

func (w *Worker) addCase(key string, body []byte, received time.Time) {
	if len(w.pending.cases) == 0 || received.Before(w.pending.received) {
		w.pending.received = received
	}
	w.pending.cases = append(w.pending.cases, Record{Key: []byte(key), Value: body})
}

// makeEffects makes the writes of steps 1 and 2 in their order, each once the
// one before is acknowledged, and forgets them.
func (w *Worker) makeEffects(ctx context.Context, c *claim) error {
	e := &w.pending
	steps := []func(context.Context, *claim) error{w.writeDecisions, w.writeCases, w.writeDeadLetters}
	for e.done < len(steps) {
		if err := steps[e.done](ctx, c); err != nil {
			return err
		}
		e.done++
	}
	*e = effects{decisions: e.decisions[:0], sources: e.sources[:0], cases: e.cases[:0], dead: e.dead[:0]}
	return nil
}

// writeDecisions is step 1.
func (w *Worker) writeDecisions(ctx context.Context, c *claim) error {
	e := &w.pending
	if len(e.decisions) == 0 {
		return nil
	}
	return w.m.persistHeld(ctx, "decision log", c.hold, func(ctx context.Context) error {
		base, err := w.decisions.append(ctx, e.decisions)
		if errors.Is(err, ErrTooLarge) {
			base, err = w.appendShortened(ctx)
		}
		if err != nil {
			return err
		}
		for i, source := range e.sources {
			w.noteLogged(logEntry{log: base + int64(i), source: source})
		}
		return nil
	})
}

// appendShortened appends the decisions one by one and shortens each that the log
// refuses for its size: what one of them says at length must not stop the others.
func (w *Worker) appendShortened(ctx context.Context) (first int64, err error) {
	e := &w.pending
	for i := range e.decisions {
		one := e.decisions[i : i+1]
		base, err := w.decisions.append(ctx, one)
		if errors.Is(err, ErrTooLarge) && e.cutDecision(i) {
			w.m.sayCut(w.m.opt.Topics.Suspects, one[0].Key, err)
			base, err = w.decisions.append(ctx, one)
		}
		if err != nil {
			return 0, err
		}
		if i == 0 {
			first = base
		}
	}
	return first, nil
}

// sayCut notes that a record was shortened.
func (m *Member) sayCut(topic string, key []byte, err error) {
	m.opt.Log.Error("a record is too large for its topic and was cut; raise the topic's max.message.bytes: "+
		"recoup doctor says how", "topic", topic, "key", string(cutKey(key)), "error", err)
}

// writeCases is step 2, the cases.
func (w *Worker) writeCases(ctx context.Context, c *claim) error {
	e := &w.pending
	if err := w.m.spread(ctx, c.hold, w.m.opt.Topics.Cases, w.m.casePartitions, e.cases, cutCase); err != nil {
		return err
	}
	if len(e.cases) > 0 {
		w.m.metrics.CasesOpened.Add(float64(len(e.cases)))
		w.m.metrics.EventToCase.Observe(w.m.opt.Now().Sub(e.received).Seconds())
	}
	return nil
}

// park sets a record aside that cannot be scored.
func (w *Worker) park(r *Record, stage string, cause error) {
	from := w.position
	from.Offset = r.Offset
	w.pending.dead = append(w.pending.dead, w.m.deadLetter(from, r, stage, cause))
}

// writeDeadLetters is step 2, the records that cannot be scored.
func (w *Worker) writeDeadLetters(ctx context.Context, c *claim) error {
	return w.m.writeDeadLetters(ctx, c.hold, w.pending.dead)
}

// writeDeadLetters appends them, and asks hold before each try.
func (m *Member) writeDeadLetters(ctx context.Context, hold func(context.Context) error, dead []Record) error {
	return m.spread(ctx, hold, m.opt.Topics.DeadLetter, m.deadPartitions, dead, cutDeadLetter)
}

// spread appends records to the partitions their keys belong to. One that the
// topic refuses for its size is cut, so that it never blocks what comes after.
func (m *Member) spread(ctx context.Context, hold func(context.Context) error, topic string, partitions int,
	records []Record, cut func(value []byte) []byte) error {
	byPartition := map[int][]Record{}
	for _, r := range records {
		p := keyPartition(r.Key, partitions)
		byPartition[p] = append(byPartition[p], r)
	}
	for p := range partitions {
		list := byPartition[p]
		err := m.appendHeld(ctx, hold, topic, p, list)
		if errors.Is(err, ErrTooLarge) {
			err = m.appendCut(ctx, hold, topic, p, list, cut)
		}
		if err != nil {
			return fmt.Errorf("cannot write to %s: %w", topic, err)
		}
	}
	return nil
}

// appendHeld appends to one partition, and asks hold before each try.
func (m *Member) appendHeld(ctx context.Context, hold func(context.Context) error, topic string, partition int,
	records []Record) error {
	if len(records) == 0 {
		return nil
	}
	return m.persistHeld(ctx, topic, hold, func(ctx context.Context) error {
		_, err := m.log.Append(ctx, topic, partition, records)
		return err
	})
}

// appendCut appends one by one and cuts what is refused.
func (m *Member) appendCut(ctx context.Context, hold func(context.Context) error, topic string, partition int,
	records []Record, cut func(value []byte) []byte) error {
	for i := range records {
		err := m.appendHeld(ctx, hold, topic, partition, records[i:i+1])
		if errors.Is(err, ErrTooLarge) {
			m.sayCut(topic, records[i].Key, err)
			records[i].Value = cut(records[i].Value)
			err = m.appendHeld(ctx, hold, topic, partition, records[i:i+1])
		}
		if errors.Is(err, ErrTooLarge) { // one record must not stop all that follow
			m.metrics.LeftOut.Inc()
			m.opt.Log.Error("a record is too large for its topic though it was cut, and is left out", "topic", topic,
				"key", string(cutKey(records[i].Key)), "bytes", len(records[i].Value), "error", err)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keyPartition spreads keys over partitions; the same key always gets the same one.
func keyPartition(key []byte, partitions int) int {
	h := fnv.New32a()
	h.Write(key)
	return int(h.Sum32() % uint32(partitions))
}

// label is a partition number as a metric label.
func label(partition int) string { return strconv.Itoa(partition) }
