package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"recoup/bench/cluster"
	"recoup/bench/machine"
	"recoup/internal/clickhouse"
	"recoup/internal/kafkaserver"
	"recoup/invoice"
	"recoup/pipeline"
)

const (
	// rounds is in how many parts each half of the stream is sent: both sides take turns, so
	// that whatever else the machine does meets both.
	rounds = 4
	// aimResident and aimSlower are what a process with a million segments is to keep to: so
	// much memory, and so much of the rate with few segments.
	aimResident, aimSlower = 1536 << 20, 0.7
	// injected is one invoice in so many that comes to half of what it should.
	injected = 33
	// drainPatience bounds the wait for one part.
	drainPatience = 15 * time.Minute
)

// side is one installation and what its only member took.
type side struct {
	*cluster.Cluster
	plan   plan
	member *cluster.Member
	halves [2]took
}

// took is what one half of a stream took.
type took struct {
	invoices int
	wall     time.Duration // from the first append until all is committed
	cpu      time.Duration // of the member
	most     int64         // resident bytes, at most so far
}

func (t took) rate() float64 { return float64(t.invoices) / t.wall.Seconds() }

func (t took) each() time.Duration { return t.cpu / time.Duration(max(1, t.invoices)) }

// process compares two members of the real binary, with default settings, on real servers. Where
// there is nothing to compare with beside is 0: that measures memory in half the time.
func (p plan) process(ctx context.Context, beside int) (text string, err error) {
	dir, err := os.MkdirTemp("", "recoup-memory-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	broker, err := kafkaserver.Start(ctx, kafkaserver.Options{})
	if err != nil {
		return "", err
	}
	defer func() { _ = broker.Stop(context.WithoutCancel(ctx)) }()
	warehouse, err := clickhouse.Start(ctx, clickhouse.Options{})
	if err != nil {
		return "", err
	}
	defer func() { _ = warehouse.Stop(context.WithoutCancel(ctx)) }()
	var sides []*side
	for i, segments := range []int{p.Segments, beside} {
		if segments == 0 {
			continue
		}
		s := &side{plan: p}
		s.plan.Segments = segments
		sides = append(sides, s)
		own := filepath.Join(dir, strconv.Itoa(i))
		if err := os.Mkdir(own, 0o755); err != nil {
			return "", err
		}
		s.Cluster, err = cluster.Install(ctx, cluster.Options{Dir: own, Broker: broker.Addr(),
			ClickHouse: warehouse.NativeAddr, Name: fmt.Sprintf("side-%d", i), Partitions: p.Partitions})
		if err != nil {
			return "", err
		}
		defer s.Close()
		if s.member, err = s.Join(); err != nil {
			return "", err
		}
	}
	kafka, err := sides[0].Kafka.Ping(ctx)
	if err != nil {
		return "", err
	}
	heading := machine.Heading("A process with very many segments",
		"Kafka "+kafka.Version+", ClickHouse "+warehouse.Version)
	if err := takeTurns(ctx, sides); err != nil {
		return "", err
	}
	return heading + p.processReport(sides), nil
}

// takeTurns sends all sides their streams, part by part.
func takeTurns(ctx context.Context, sides []*side) error {
	for part := range 2 * rounds {
		for _, s := range sides {
			if err := s.take(ctx, part); err != nil {
				return errors.Join(append(s.Ended(), err)...)
			}
			h := s.halves[part/rounds]
			fmt.Fprintf(os.Stderr, "part %d of %d, %d segments: %.0f invoices/s, %v of CPU each, %d MiB at most\n",
				part+1, 2*rounds, s.plan.Segments, h.rate(), h.each(), h.most>>20)
		}
	}
	return nil
}

// take sends one part of the stream and waits until it is worked off.
func (s *side) take(ctx context.Context, part int) error {
	ctx, cancel := context.WithTimeout(ctx, drainPatience)
	defer cancel()
	used, err := s.used(ctx)
	if err != nil {
		return err
	}
	began, total := time.Now(), s.plan.total()
	from, to := part*total/(2*rounds), (part+1)*total/(2*rounds)
	if err := s.send(ctx, from, to); err != nil {
		return err
	}
	if err := s.Drain(ctx, nil); err != nil {
		return err
	}
	now, err := s.used(ctx)
	if err != nil {
		return err
	}
	half := &s.halves[part/rounds]
	half.invoices, half.wall, half.cpu = half.invoices+to-from, half.wall+time.Since(began), half.cpu+now-used
	half.most = s.member.Usage().Resident
	return nil
}

// used asks the member until it answers what CPU time it has used.
func (s *side) used(ctx context.Context) (time.Duration, error) {
	for {
		used, err := s.member.CPU()
		if err == nil {
			return used, nil
		}
		select {
		case <-ctx.Done():
			return 0, err
		case <-time.After(time.Second):
		}
	}
}

// appendRecords is how many invoices are appended at once.
const appendRecords = 1000

// send appends invoices from..to to their partitions.
func (s *side) send(ctx context.Context, from, to int) error {
	m, topic := newMaker(s.plan), s.Config.Kafka.Topics.Invoices
	waiting := make([][]pipeline.Record, s.plan.Partitions)
	flush := func(partition int) error {
		if len(waiting[partition]) == 0 {
			return nil
		}
		_, err := s.Kafka.Log().Append(ctx, topic, partition, waiting[partition])
		waiting[partition] = waiting[partition][:0]
		return err
	}
	var inv invoice.Invoice
	for i := from; i < to; i++ {
		d := s.plan.steady(i)
		if i%injected == injected-1 {
			d.units /= 2
		}
		partition, _ := m.make(&inv, d)
		waiting[partition] = append(waiting[partition], pipeline.Record{Key: []byte(inv.CustomerRef),
			Value: render(&inv, i)})
		if len(waiting[partition]) == appendRecords {
			if err := flush(partition); err != nil {
				return err
			}
		}
	}
	for partition := range waiting {
		if err := flush(partition); err != nil {
			return err
		}
	}
	return nil
}

// render writes an invoice as a producer does: its one line three times, and a delivery of its own.
func render(inv *invoice.Invoice, number int) []byte {
	const lines = 3
	line := &inv.Lines[0]
	net := line.Net.Value * lines
	b := make([]byte, 0, 900)
	text := func(name, value string) {
		b = append(append(append(append(append(b, '"'), name...), `":"`...), value...), `",`...)
	}
	b = append(b, '{')
	text("schema", "invoice.v1")
	text("event_id", "e-"+strconv.Itoa(number))
	text("seller", inv.Seller)
	text("source_system", inv.SourceSystem)
	text("invoice_type", "invoice")
	text("invoice_id", inv.ID)
	text("issued_at", inv.IssuedAt.Format(time.RFC3339))
	text("delivery_ref", "D"+strconv.Itoa(number))
	text("customer_ref", inv.CustomerRef)
	text("customer_type", inv.CustomerType)
	text("product_family", inv.ProductFamily)
	text("country", inv.Country)
	text("currency", inv.Currency)
	text("tax_rate", "0.2")
	text("net_amount", net.String())
	text("tax_amount", (net / 5).String())
	text("gross_amount", (net + net/5).String())
	b = append(b, `"lines":[`...)
	for i := range lines {
		b = append(b, '{')
		text("line_id", strconv.Itoa(i+1))
		text("product_id", line.ProductID+strconv.Itoa(i))
		text("unit_price", line.UnitPrice.Value.String())
		text("quantity", line.Quantity.Value.String())
		text("line_net", line.Net.Value.String())
		b = append(b[:len(b)-1], '}', ',')
	}
	return append(b[:len(b)-1], ']', '}')
}

// processReport tells what the sides took, the first one beside what is aimed at.
func (p plan) processReport(sides []*side) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Two members of the real binary with default settings, each alone in a group of its own, "+
		"on one Kafka and one ClickHouse: %d partitions, %d customers, %d invoices of 3 lines, one in %d of half the "+
		"amount. A segment is met on 2 partitions at most. Each got an eighth of its invoices by turns, as fast as Kafka "+
		"takes them; the rate is from the first append until all are committed. Resident is the most that the kernel ever "+
		"saw, `VmHWM`.\n\n", p.Partitions, p.Customers, p.total(), injected)
	b.WriteString("| segments | half | invoices/s | CPU of the member, each | resident, most so far |\n" +
		"|---|---|---|---|---|\n")
	for _, s := range sides {
		for i, h := range s.halves {
			fmt.Fprintf(&b, "| %d | %s | %.0f | %v | %d MiB |\n", s.plan.Segments, []string{"first", "second"}[i], h.rate(),
				h.each().Round(100*time.Nanosecond), h.most>>20)
		}
	}
	b.WriteString("\n| figure | measured | aim | |\n|---|---|---|---|\n")
	verdict := func(ok bool) string { return map[bool]string{true: "ok", false: "short"}[ok] }
	most := sides[0].halves[1].most
	fmt.Fprintf(&b, "| resident, %d segments | %d MiB | at most %d MiB | %s |\n", p.Segments, most>>20, aimResident>>20,
		verdict(most <= aimResident))
	if len(sides) == 1 {
		return b.String()
	}
	for i, half := range []string{"first half", "second half"} {
		ratio := sides[0].halves[i].rate() / sides[1].halves[i].rate()
		fmt.Fprintf(&b, "| rate, of that with %d segments, %s | %.2f | at least %.2f | %s |\n", sides[1].plan.Segments, half,
			ratio, aimSlower, verdict(ratio >= aimSlower))
	}
	return b.String()
}
