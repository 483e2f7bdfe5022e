package pipeline

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"recoup/cases"
	"recoup/cases/desk"
	"recoup/invoice"
)

// takeCase takes a record of recoup.cases, the shift's own included.
func (s *shift) takeCase(at desk.At, r *Record) error {
	if len(r.Value) == 0 {
		return nil // a tombstone: somebody deleted a case
	}
	return s.desk.Restore(at, r.Value)
}

// takeEvent takes what people do with cases. One that cannot be read is parked.
func (s *shift) takeEvent(at desk.At, r *Record) error {
	if e, err := cases.DecodeEvent(r.Value); err == nil {
		s.desk.Event(at, e)
	}
	return nil
}

// takeRecovery takes a step of getting money back. One that cannot be read is parked.
func (s *shift) takeRecovery(at desk.At, r *Record) error {
	if e, err := cases.DecodeRecovery(r.Value); err == nil {
		s.desk.Recovery(at, e)
	}
	return nil
}

// takeDispute takes what a customer says. One that cannot be read is parked.
func (s *shift) takeDispute(at desk.At, r *Record) error {
	if e, err := cases.DecodeDispute(r.Value); err == nil {
		s.desk.Dispute(at, e)
	}
	return nil
}

// takeDecision takes a record of the decision log.
func (s *shift) takeDecision(at desk.At, r *Record) error {
	return judge(s.desk, at, r, &s.void[at.Partition], false)
}

// judge gives a record of the decision log to the desk. highest is the epoch below
// which a record of this partition is void; searched says that it was met before.
func judge(d *desk.Desk, at desk.At, r *Record, highest *int64, searched bool) error {
	record, err := decodeDecision(r.Value)
	if err != nil {
		return err
	}
	if record.Kind == kindOwnership {
		*highest = max(*highest, r.Offset)
		return nil
	}
	void := record.Epoch < *highest
	*highest = max(*highest, record.Epoch) // its ownership record stands before it
	switch {
	case record.Kind == kindDecision && record.Verdict != nil:
		d.Decision(at, &desk.Suspect{Verdict: record.Verdict, Subject: record.Subject, Case: record.Case,
			DetectedAt: record.DetectedAt, Void: void, Searched: searched})
	case record.Kind == kindCorrection && record.Correction != nil && !void:
		d.Correction(at, record.Correction, record.DetectedAt)
	}
	return nil
}

// takeCount takes what a worker counted; partitions are read at the same time.
func (s *shift) takeCount(key, value []byte, partition int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.desk.Count(key, value, partition)
}

// before returns the first offset whose record is not older than a margin before the
// one at from.
func before(ctx context.Context, log Log, topic string, partition int, from int64,
	margin time.Duration) (int64, error) {
	start, end, err := log.Bounds(ctx, topic, partition)
	if err != nil {
		return 0, fmt.Errorf("cannot read bounds of %s/%d: %w", topic, partition, err)
	}
	reader := log.Open(topic, partition)
	defer reader.Close()
	timeAt := func(offset int64) (time.Time, error) {
		for offset < end {
			got, err := reader.Fetch(ctx, offset)
			if err != nil {
				return time.Time{}, fmt.Errorf("cannot read %s/%d at offset %d: %w", topic, partition, offset, err)
			}
			if len(got.Records) > 0 {
				return plausible(got.Records[0].Time), nil
			}
			if got.Next <= offset {
				break
			}
			offset = got.Next
		}
		return lastInstant, nil
	}
	last, err := timeAt(max(start, min(from, end-1)))
	if err != nil {
		return 0, err
	}
	oldest := last.Add(-margin)
	low, high := start, max(start, min(from, end))
	for low < high {
		middle := low + (high-low)/2
		at, err := timeAt(middle)
		if err != nil {
			return 0, err
		}
		if at.Before(oldest) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

// lookUp finds in the decision log, beside the other work, what people speak of and that
// has no case: recoup may have found it suspect and opened none. What this shift has not
// read of the log is read once, when somebody asks first; after that the desk knows
// where each suspect stands.
func (s *shift) lookUp(ctx context.Context, working *sync.WaitGroup) {
	s.mu.Lock()
	wanted := s.desk.Wanted()
	s.mu.Unlock()
	if len(wanted) == 0 {
		return
	}
	select {
	case s.search <- struct{}{}:
	default:
		return // one at a time
	}
	working.Go(func() {
		defer func() { <-s.search; s.wakeUp() }()
		for p := range s.past {
			if err := s.m.persist(ctx, stagePart, func(ctx context.Context) error { return s.readPast(ctx, p) }); err != nil {
				return // ctx ended
			}
		}
		s.mu.Lock()
		places, lost := s.desk.Places(wanted)
		s.mu.Unlock()
		if s.readPlaces(ctx, places) != nil {
			return
		}
		now := s.m.opt.Now()
		switch {
		case len(lost) == 0:
		case now.Sub(s.scanned) < scanEvery: // they wait for the next one
			wanted = slices.DeleteFunc(wanted, func(name string) bool { return slices.Contains(lost, name) })
		case s.scan(ctx, lost) != nil:
			return
		default:
			s.scanned = now
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.desk.Answered(wanted)
	})
}

// scanEvery is how often the whole decision log is searched at most.
const scanEvery = time.Minute

// readPlaces gives the desk single records of the decision log again. An error says that
// ctx ended.
func (s *shift) readPlaces(ctx context.Context, places []invoice.Position) error {
	offsets := map[int][]int64{}
	for _, at := range places {
		offsets[at.Partition] = append(offsets[at.Partition], at.Offset)
	}
	for _, p := range slices.Sorted(maps.Keys(offsets)) {
		slices.Sort(offsets[p])
		list := slices.Compact(offsets[p])
		err := s.m.persist(ctx, stagePart, func(ctx context.Context) error {
			return s.m.readSome(ctx, s.m.opt.Topics.Suspects, p, list, s.again(p))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readSome calls each for the records at offsets, which rise. What the log does not hold
// is passed over.
func (m *Member) readSome(ctx context.Context, topic string, partition int, offsets []int64,
	each func(Record) error) error {
	start, end, err := m.log.Bounds(ctx, topic, partition)
	if err != nil {
		return fmt.Errorf("cannot read bounds of %s/%d: %w", topic, partition, err)
	}
	reader := m.open(topic, partition)
	defer reader.Close()
	low, _ := slices.BinarySearch(offsets, start)
	high, _ := slices.BinarySearch(offsets, end)
	offsets = offsets[low:max(low, high)]
	for len(offsets) > 0 {
		got, err := reader.Fetch(ctx, offsets[0])
		if err != nil {
			return fmt.Errorf("cannot read %s/%d at offset %d: %w", topic, partition, offsets[0], err)
		}
		for _, r := range got.Records {
			i, found := slices.BinarySearch(offsets, r.Offset)
			if offsets = offsets[i:]; !found {
				continue
			}
			if err := each(r); err != nil {
				return err
			}
			offsets = offsets[1:]
		}
		passed, _ := slices.BinarySearch(offsets, got.Next)
		if offsets = offsets[passed:]; len(offsets) > 0 && offsets[0] >= got.End {
			return fmt.Errorf("cannot read %s/%d at offset %d: it ends at %d now and reached %d before", topic, partition,
				offsets[0], got.End, end)
		}
	}
	return nil
}

// scan searches the whole decision log for names whose places the desk may have forgotten,
// and decodes few records. An error says that ctx ended.
func (s *shift) scan(ctx context.Context, lost []string) error {
	names := map[string]bool{}
	for _, name := range lost {
		names[name] = true
	}
	topic := s.m.opt.Topics.Suspects
	for p := range s.m.invoicePartitions {
		err := s.m.persist(ctx, stagePart, func(ctx context.Context) error {
			_, end, err := s.m.log.Bounds(ctx, topic, p)
			if err != nil {
				return fmt.Errorf("cannot read bounds of %s/%d: %w", topic, p, err)
			}
			take := s.again(p)
			return s.m.readRange(ctx, topic, p, 0, end, func(r Record) error {
				if string(r.Key) != kindOwnership && !desk.Stands(names, r.Key, r.Value) {
					return nil
				}
				return take(r)
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readPast has the desk note what stands in a partition of the decision log before the
// offset at which this shift began to read it, the first time it is called.
func (s *shift) readPast(ctx context.Context, partition int) error {
	if err := s.readAgain(ctx, partition, 0, s.past[partition]); err != nil {
		return err
	}
	s.past[partition] = 0
	return nil
}

// readAgain gives the desk a part of the decision log.
func (s *shift) readAgain(ctx context.Context, partition int, from, to int64) error {
	if from >= to {
		return nil
	}
	return s.m.readRange(ctx, s.m.opt.Topics.Suspects, partition, from, to, s.again(partition))
}

// again gives the desk what a reader of a partition of the decision log brings, once more.
func (s *shift) again(partition int) func(Record) error {
	highest := int64(-1)
	return func(r Record) error {
		at := desk.At{Time: plausible(r.Time)}
		at.Topic, at.Partition, at.Offset = s.m.opt.Topics.Suspects, partition, r.Offset
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = judge(s.desk, at, &r, &highest, true) // what cannot be read was noted when it was met
		return nil
	}
}

// park writes to the dead letters what the desk has put aside.
func (s *shift) park(ctx context.Context) error {
	for {
		s.mu.Lock()
		list := s.desk.Parked()
		records, disputes := s.desk.Waiting()
		s.mu.Unlock()
		s.m.metrics.Stage.Waiting.WithLabelValues("record").Set(float64(records))
		s.m.metrics.Stage.Waiting.WithLabelValues("dispute").Set(float64(disputes))
		if len(list) == 0 {
			return nil
		}
		var dead []Record
		err := s.m.persist(ctx, stagePart, func(ctx context.Context) (err error) {
			dead, err = s.letters(ctx, list)
			return err
		})
		if err == nil {
			err = s.m.writeDeadLetters(ctx, s.claim.hold, dead)
		}
		if err != nil {
			return err
		}
		s.m.opt.Log.Warn("records about cases or invoices that recoup does not know are parked, see recoup dead-letters ls",
			"parked", len(dead), "first", list[0].Position, "reason", list[0].Reason, "most", s.m.opt.Stage.Desk.MostUnknown,
			"setting", "cases.most_unknown")
	}
}

// letters makes dead letters of those of the records that their topics still hold.
func (s *shift) letters(ctx context.Context, list []desk.Parked) (dead []Record, err error) {
	t := s.m.opt.Topics
	for _, of := range []struct{ topic, stage, field string }{
		{t.CaseEvents, "case_event", "case_id"}, {t.Recoveries, "recovery", "case_id"}, {t.Disputes, "dispute", "invoice_id"},
	} {
		for p := range s.m.partitionsOf[of.topic] {
			wanted := map[int64]string{} // reasons by offset
			from, to := int64(math.MaxInt64), int64(0)
			for _, one := range list {
				if one.Topic == of.topic && one.Partition == p {
					wanted[one.Offset] = one.Reason
					from, to = min(from, one.Offset), max(to, one.Offset+1)
				}
			}
			if len(wanted) == 0 {
				continue
			}
			err := s.m.readRange(ctx, of.topic, p, from, to, func(r Record) error {
				if reason, is := wanted[r.Offset]; is {
					at := invoice.Position{Topic: of.topic, Partition: p, Offset: r.Offset}
					r.Time = plausible(r.Time)
					dead = append(dead, s.m.deadLetter(at, &r, of.stage, unknown(of.field, reason)))
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return dead, nil
}

// unknown says why a record was put aside.
func unknown(field, reason string) error {
	if reason == desk.ReasonUnknownInvoice {
		return invoice.Refuse(field, reason, "recoup has no case of it, and cases.most_unknown invoices are open already of "+
			"which only a dispute is known; close some, or raise it, and send the dispute again")
	}
	return invoice.Refuse(field, reason, "recoup has no such case, and it did not come while the record waited; send it "+
		"again once the case is there")
}
