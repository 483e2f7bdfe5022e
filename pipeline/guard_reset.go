package pipeline

import (
	"context"
	"fmt"

	"recoup/invoice"
)

// Reset is what has to be done after the topic of the invoices was recreated: its
// incarnation rises, and with it recoup scores the topic from its start and learns anew.
// Rows and cases of before stay; those of an invoice that is sent again are told apart
// by the incarnation, and its case is the same one.
type Reset struct {
	Incarnation int64             // the topic's from now on
	Partitions  []PartitionStatus // in their order
}

// PartitionStatus says what is known of one partition's state.
type PartitionStatus struct {
	Incarnation int64  // of its state; 0 without any
	Offset      int64  // up to which the state reaches
	Why         string // it cannot be gone on with; "": it can

	mark marker
}

// Due tells whether any partition needs it.
func (r Reset) Due() bool {
	for _, p := range r.Partitions {
		if p.Why != "" {
			return true
		}
	}
	return false
}

// PlanReset looks at the topics and changes nothing. committed are the group's offsets,
// stored is the highest incarnation that has rows, -1 without any.
func (m *Member) PlanReset(ctx context.Context, committed map[int]int64, stored int64) (r Reset, err error) {
	count, err := m.countPartitions(ctx)
	if err != nil {
		return r, err
	}
	t := m.opt.Topics
	n := count[t.Invoices]
	r.Incarnation = -1 // highest of the markers
	for p := range n {
		s := PartitionStatus{mark: marker{BeforeAt: -1}}
		if p < count[t.State] {
			if s.mark, err = m.lastMarker(ctx, t.State, p); err != nil {
				return r, err
			}
		}
		s.Incarnation, s.Offset = s.mark.Incarnation, s.mark.Offset
		if s.Why, err = m.misfit(ctx, p, max(committed[p], s.mark.Offset, 0), s.mark); err != nil {
			return r, err
		}
		if s.mark.Partitions != 0 {
			r.Incarnation = max(r.Incarnation, s.mark.Incarnation, s.mark.ResetTo)
		}
		r.Partitions = append(r.Partitions, s)
	}
	for _, topic := range t.likeInvoices() {
		if count[topic] > n {
			return r, fmt.Errorf("cannot reset: %w", t.evenCounts(count))
		}
	}
	r.judge(stored)
	return r, nil
}

// judge says which partitions need a reset, and to which incarnation: one that was begun
// and did not end is ended.
func (r *Reset) judge(stored int64) {
	raise := stored > r.Incarnation // rows whose state is gone
	r.Incarnation = max(r.Incarnation, stored)
	for p := range r.Partitions {
		s := &r.Partitions[p]
		switch {
		case s.Why != "":
			raise = raise || s.Incarnation == r.Incarnation || r.Incarnation < 0
		case s.mark.Partitions != 0 && s.mark.Incarnation < r.Incarnation:
			s.Why = fmt.Sprintf("its state is of incarnation %d, others' or rows are of %d", s.Incarnation, r.Incarnation)
		case s.mark.Partitions == 0 && (r.Incarnation > 0 || raise):
			s.Why = "it has no state, though others have or rows stand"
		case s.mark.Partitions != 0 && s.mark.Partitions != len(r.Partitions):
			s.Why = fmt.Sprintf("its state was made with %d partitions, now there are %d; where they were only added, "+
				"use recoup state repartition", s.mark.Partitions, len(r.Partitions))
			raise = true
		}
	}
	if r.Incarnation = max(r.Incarnation, 0); raise {
		r.Incarnation++
	}
	for p := range r.Partitions {
		if s := &r.Partitions[p]; s.Why == "" && raise {
			s.Why = "other partitions begin anew"
		}
	}
}

// Reset carries the plan out. grow adds partitions to one of recoup's topics, step is told
// of each partition that is ready. After a crash it is planned and run again.
func (m *Member) Reset(ctx context.Context, r Reset,
	grow func(ctx context.Context, topic string, partitions int) error, step func()) error {
	t := m.opt.Topics
	gen, err := m.alone(ctx, len(r.Partitions))
	if err != nil {
		return err
	}
	defer func() { gen.Leave(); _ = m.group.Close() }()
	for _, topic := range t.likeInvoices() {
		if err := grow(ctx, topic, len(r.Partitions)); err != nil {
			return err
		}
	}
	begin := map[int]int64{} // with the first invoices that there are: those before are not lost by it
	for p, s := range r.Partitions {
		if s.Why == "" {
			continue
		}
		if begin[p], _, err = m.log.Bounds(ctx, t.Invoices, p); err != nil {
			return fmt.Errorf("cannot read bounds of %s/%d: %w", t.Invoices, p, err)
		}
	}
	if err := m.announceReset(ctx, gen, r); err != nil {
		return err
	}
	if err := gen.Commit(ctx, begin); err != nil {
		return err
	}
	for p := len(r.Partitions) - 1; p >= 0; p-- {
		if s := r.Partitions[p]; s.Why != "" {
			s.mark.Incarnation, s.mark.Partitions = r.Incarnation, len(r.Partitions)
			if err := m.resetPartition(ctx, newClaim(m, gen, p, begin[p]), s.mark); err != nil {
				return err
			}
		}
		step()
	}
	return nil
}

// announceReset has everybody refuse, see sameLayout, until the marker of partition 0 is
// replaced. First it takes all partitions from those who still know them and wake up later.
func (m *Member) announceReset(ctx context.Context, gen Generation, r Reset) error {
	committed := gen.Assigned()
	for p := len(r.Partitions) - 1; p >= 0; p-- {
		s := r.Partitions[p]
		if s.Why == "" {
			continue
		}
		c := newClaim(m, gen, p, committed[p])
		source := invoice.Position{Topic: m.opt.Topics.Invoices, Incarnation: s.Incarnation, Partition: p}
		epoch, err := m.seize(ctx, c, source)
		if err == nil && p == 0 {
			s.mark.Epoch, s.mark.Partitions, s.mark.ResetTo = epoch, len(r.Partitions), r.Incarnation
			err = m.writeMarker(ctx, c, s.mark)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// resetPartition forgets what was learned of a partition.
func (m *Member) resetPartition(ctx context.Context, c *claim, mark marker) error {
	t := m.opt.Topics
	source := invoice.Position{Topic: t.Invoices, Incarnation: mark.Incarnation, Partition: c.partition}
	epoch, err := m.seize(ctx, c, source)
	if err != nil {
		return err
	}
	if err := m.replaceState(ctx, c, t.Baselines, epoch, nil); err != nil {
		return err
	}
	return m.beginWith(ctx, c, firstMarker(epoch, mark), nil)
}
