package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/invoice"
)

// newestInvoices reads the newest invoices of all partitions, merged by issue
// date: of the next ones of each partition the oldest comes first.
//
// Where there are more than are to be taught, it gives out those of a sample of the
// customers and passes over the others. So what is known of a customer at an invoice
// is as much as scoring knows. Of the newest of all customers a little would be known
// of each, and a model that learned from them takes every regular for a duplicate.
type newestInvoices struct {
	heads []*head
	last  *head // given out last: goes on before the next is chosen
	cut   bool  // there are more than may be read
}

// head is the next invoice of one partition.
type head struct {
	m         *Member
	partition int
	reader    Reader
	from, to  int64 // offsets left
	fetched   []Record
	decoder   *invoice.Decoder
	sample    *sample // nil: all are given out
	turn      *turn

	inv      invoice.Invoice
	at       time.Time // issue date, or the record's time where that is not plausible
	received time.Time // the record's own time
}

func newHead(m *Member, reader Reader) *head {
	return &head{m: m, reader: reader, decoder: invoice.NewDecoder(m.opt.Limits), turn: newTurn()}
}

// sample is of which customers the invoices are given out.
type sample struct {
	below uint64 // those whose hash is not above it
	most  int    // of one customer: its further invoices count by themselves
	given map[uint64]int
}

// mostOfOne is the part of what is taught that one customer may come to whole. Who bills
// everything to some stand-in, or has few customers, would have all that is read taught else.
const mostOfOne = 10

// readPerTaught is how many records are read at most for each that is taught: three
// million by default, 400,000 a day for a week and the outliers before it.
const readPerTaught = 50

// openNewest opens the invoices issued since oldest, Training.Records of them about
// and of each partition the share it has of all.
func openNewest(ctx context.Context, m *Member, oldest time.Time, turn *turn) (*newestInvoices, error) {
	n := &newestInvoices{}
	all := int64(0)
	for p := range m.invoicePartitions {
		start, end, err := m.log.Bounds(ctx, m.opt.Topics.Invoices, p)
		if err != nil {
			n.close()
			return nil, fmt.Errorf("cannot read bounds of %s/%d: %w", m.opt.Topics.Invoices, p, err)
		}
		h := newHead(m, m.open(m.opt.Topics.Invoices, p))
		h.partition, h.from, h.to, h.turn = p, start, end, turn
		n.heads = append(n.heads, h)
		all += end - start
	}
	err := n.choose(ctx, all, oldest)
	for i := len(n.heads) - 1; i >= 0 && err == nil; i-- {
		var there bool
		if there, err = n.heads[i].advance(ctx); err == nil && !there {
			n.drop(i)
		}
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// choose says from where on each partition is read, of all records in the topic, and
// what is given out of it.
func (n *newestInvoices) choose(ctx context.Context, all int64, oldest time.Time) error {
	if len(n.heads) == 0 || all <= n.heads[0].m.opt.Training.Records {
		return nil
	}
	taught := n.heads[0].m.opt.Training.Records
	all = 0
	for _, h := range n.heads {
		if err := h.skipTo(ctx, oldest); err != nil {
			return err
		}
		all += h.to - h.from
	}
	if most := taught * readPerTaught; all > most {
		for _, h := range n.heads {
			h.from = h.to - int64(float64(h.to-h.from)*float64(most)/float64(all))
		}
		all, n.cut = most, true
	}
	if all <= taught {
		return nil
	}
	of := &sample{below: uint64(float64(taught)/float64(all)*(1<<63)) << 1, most: int(taught / mostOfOne),
		given: map[uint64]int{}}
	for _, h := range n.heads {
		h.sample = of
	}
	return nil
}

// skipTo leaves out what was issued before oldest, for the most part: invoices come
// in the order of their issue dates but for some.
func (h *head) skipTo(ctx context.Context, oldest time.Time) error {
	for from, to := h.from, h.to; to-from > fewLast; {
		middle := from + (to-from)/2
		newest, err := h.newestOf(ctx, middle, middle+fewLast)
		switch {
		case errors.Is(err, ErrOutOfRange), err == nil && !newest.IsZero() && newest.Before(oldest):
			from, h.from = middle, middle // deleted by retention, or issued before
		case err != nil:
			return fmt.Errorf("cannot read %s/%d at offset %d: %w", h.m.opt.Topics.Invoices, h.partition, middle, err)
		default:
			to = middle
		}
	}
	return nil
}

// newestOf returns the newest issue date of a few records, zero where they are no invoices.
func (h *head) newestOf(ctx context.Context, from, to int64) (newest time.Time, err error) {
	for from < to {
		got, err := h.reader.Fetch(ctx, from)
		if err != nil {
			return newest, err
		}
		for i := range got.Records {
			if r := &got.Records[i]; r.Offset < to && h.decode(r) {
				newest = later(newest, h.at)
			}
		}
		if got.Next <= from {
			return newest, nil
		}
		from = got.Next
	}
	return newest, nil
}

// next returns the next invoice, nil behind the last. It is valid until the next call.
func (n *newestInvoices) next(ctx context.Context) (*head, error) {
	if n.last != nil {
		there, err := n.last.advance(ctx)
		if err != nil {
			return nil, err
		}
		if !there {
			n.drop(slices.Index(n.heads, n.last))
		}
		n.last = nil
	}
	for _, h := range n.heads {
		if n.last == nil || h.at.Before(n.last.at) {
			n.last = h
		}
	}
	return n.last, nil
}

// drop takes out a partition that is read to its end; the others keep their order.
func (n *newestInvoices) drop(i int) {
	n.heads[i].reader.Close()
	n.heads = slices.Delete(n.heads, i, i+1)
}

func (n *newestInvoices) close() {
	for _, h := range n.heads {
		h.reader.Close()
	}
}

// advance reads the partition's next invoice and reports whether there is one.
func (h *head) advance(ctx context.Context) (bool, error) {
	for {
		for len(h.fetched) > 0 {
			r := &h.fetched[0]
			if r.Offset >= h.to {
				return false, nil
			}
			h.fetched = h.fetched[1:]
			if err := h.turn.yield(ctx); err != nil {
				return false, err
			}
			if h.decode(r) && h.sampled() {
				return true, nil
			}
		}
		if h.from >= h.to {
			return false, nil
		}
		topic := h.m.opt.Topics.Invoices
		got, err := h.reader.Fetch(ctx, h.from)
		if errors.Is(err, ErrOutOfRange) { // retention was faster
			var start int64
			if start, _, err = h.m.log.Bounds(ctx, topic, h.partition); err == nil {
				h.from = max(h.from, start)
				continue
			}
		}
		if err != nil {
			return false, fmt.Errorf("cannot read %s/%d at offset %d: %w", topic, h.partition, h.from, err)
		}
		if got.Next <= h.from && h.from >= got.End {
			return false, nil // the end moved back
		}
		h.fetched, h.from = got.Records, max(h.from, got.Next)
	}
}

// decode makes a record the head and reports whether it is an invoice.
func (h *head) decode(r *Record) bool {
	if h.decoder.Decode(r.Value, &h.inv) != nil {
		return false // a dead letter
	}
	h.received = plausible(r.Time)
	if now := h.m.opt.Now(); h.received.After(now) { // a producer's clock must not end training for years
		h.received = now
	}
	h.at = h.inv.IssuedAt
	if h.at.Sub(h.received) > h.m.opt.Scoring.FutureTolerance {
		h.at = h.received
	}
	return true
}

// sampled tells whether the invoice is of the sample. Those of nobody, as counter sales
// are, count by themselves.
func (h *head) sampled() bool {
	s, of := h.sample, h.inv.CustomerRef
	switch {
	case s == nil:
		return true
	case of == "" || of == invoice.Anonymous:
		return s.has(h.inv.ID)
	case !s.has(of):
		return false
	}
	customer := xxhash.Sum64String(of)
	s.given[customer]++
	return s.given[customer] <= s.most || s.has(h.inv.ID)
}

func (s *sample) has(of string) bool { return xxhash.Sum64String(of) <= s.below }
