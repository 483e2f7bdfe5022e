package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"recoup/invoice"
)

// newestInvoices reads the newest invoices of all partitions, merged by issue
// date: of the next ones of each partition the oldest comes first.
type newestInvoices struct {
	heads []*head
	last  *head // given out last: goes on before the next is chosen
}

// head is the next invoice of one partition.
type head struct {
	m         *Member
	partition int
	reader    Reader
	from, to  int64 // offsets left
	fetched   []Record
	decoder   *invoice.Decoder

	inv      invoice.Invoice
	at       time.Time // issue date, or the record's time where that is not plausible
	received time.Time // the record's own time
}

func newHead(m *Member, reader Reader) *head {
	return &head{m: m, reader: reader, decoder: invoice.NewDecoder(m.opt.Limits)}
}

// openNewest opens the newest Training.Records invoices, of each partition the
// share it has of all.
func openNewest(ctx context.Context, m *Member) (*newestInvoices, error) {
	topic := m.opt.Topics.Invoices
	var heads []*head
	all := int64(0)
	for p := range m.invoicePartitions {
		start, end, err := m.log.Bounds(ctx, topic, p)
		if err != nil {
			return nil, fmt.Errorf("cannot read bounds of %s/%d: %w", topic, p, err)
		}
		h := newHead(m, nil)
		h.partition, h.from, h.to = p, start, end
		heads = append(heads, h)
		all += end - start
	}
	n := &newestInvoices{}
	for _, h := range heads {
		if all > m.opt.Training.Records {
			share := float64(m.opt.Training.Records) / float64(all)
			h.from = h.to - int64(share*float64(h.to-h.from))
		}
		h.reader = m.open(topic, h.partition)
		n.heads = append(n.heads, h)
		there, err := h.advance(ctx)
		if err != nil {
			n.close()
			return nil, err
		}
		if !there {
			n.drop(len(n.heads) - 1)
		}
	}
	return n, nil
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
			if h.decode(r) {
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
