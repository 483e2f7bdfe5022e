// Package load generates invoice.v1 records of which the truth is known: which
// hold an error, which are delivered twice, which are late, and which are
// garbage. The same plan gives the same bytes on every machine.
package load

import "time"

// Kinds of injected errors. Each is visible to one check of its own.
const (
	KindLow         = "low"                // every quantity 25 to 40 % too small
	KindZeroTotal   = "zero_total"         // lines as usual, net and gross zero
	KindSumMismatch = "sum_mismatch"       // usual net, but lines that add up to 40 % more
	KindDuplicate   = "duplicate_delivery" // an earlier delivery of that customer under another number
)

// Kinds returns all kinds of injected errors.
func Kinds() []string { return []string{KindLow, KindZeroTotal, KindSumMismatch, KindDuplicate} }

// Plan says what to generate. The zero value is a plan: every count and
// duration that is zero takes its default, every share that is zero means none.
type Plan struct {
	// Invoices is how many distinct invoices come, warm-up included; redeliveries
	// and garbage come on top. By default 100,000.
	Invoices int
	// Partitions is how many partitions the records are spread over. By default 8.
	Partitions int
	// Sellers is how many companies bill. By default 1.
	Sellers int
	// Segments is how many segments (customer type × product family) a seller has.
	// By default 20.
	Segments int
	// Customers is how many customers there are, each of one seller and segment and
	// always on the same partition. By default 5,000; at least one for each segment
	// on each partition.
	Customers int
	// Lines is how many lines an invoice has. By default 3.
	Lines int
	// Seed chooses the stream: another seed, another stream.
	Seed uint64
	// Injected is the share of invoices after the warm-up that hold an error, 0 to 1.
	Injected float64
	// Kinds are the errors to inject, in equal parts. By default all of Kinds().
	Kinds []string
	// Redelivered is the number of redeliveries (same bytes again, later) per invoice.
	Redelivered float64
	// Late is the share of invoices that carry an event time one hour to ten days
	// before their neighbours', at most LateBy.
	Late float64
	// LateBy is how late the latest are, more than one hour. By default ten days.
	LateBy time.Duration
	// Skewed is the share of invoices whose issuer's clock is up to twelve hours ahead
	// of their neighbours'.
	Skewed float64
	// Garbage is the number of undecodable records per invoice; GarbageKinds come in turn.
	Garbage float64
	// LargestGarbage leaves out kinds of garbage with records of more bytes. By
	// default 1,000,000, which any broker takes; all come with 20,000,000.
	LargestGarbage int
	// Separated keeps every amount far from any threshold, so that the truth does
	// not depend on the order of arrival over partitions: each customer type and
	// each product family has one usual amount, good invoices lie within 2 % of
	// it (coefficient of variation at most 2 %), low ones 25 to 40 % below.
	// Without it amounts vary widely, as real ones do.
	Separated bool
	// WarmUp is how many good invoices each segment gets on each partition before
	// anything else comes. By default 60; below zero none.
	WarmUp int
	// Start is the event time of the first invoice. By default 2025-01-01 UTC.
	Start time.Time
	// Step is the event time between two invoices. By default 1 s.
	Step time.Duration
}

// withDefaults fills what the plan leaves open.
func (p Plan) withDefaults() Plan {
	for field, value := range map[*int]int{
		&p.Invoices: 100_000, &p.Partitions: 8, &p.Sellers: 1, &p.Segments: 20,
		&p.Customers: 5_000, &p.Lines: 3, &p.WarmUp: 60,
	} {
		if *field == 0 || (*field < 0 && field != &p.WarmUp) {
			*field = value
		}
	}
	p.WarmUp = max(p.WarmUp, 0)
	if len(p.Kinds) == 0 {
		p.Kinds = Kinds()
	}
	if p.Start.IsZero() {
		p.Start = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	if p.Step <= 0 {
		p.Step = time.Second
	}
	if p.LateBy <= time.Hour {
		p.LateBy = 10 * 24 * time.Hour
	}
	if p.LargestGarbage <= 0 {
		p.LargestGarbage = 1_000_000
	}
	p.Customers = max(p.Customers, p.Partitions*p.cells())
	return p
}

// cells returns how many segments all sellers have together.
func (p Plan) cells() int { return p.Sellers * p.Segments }

// WarmUpInvoices returns how many invoices of the plan are warm-up.
func (p Plan) WarmUpInvoices() int {
	p = p.withDefaults()
	return min(p.Invoices, p.WarmUp*p.Partitions*p.cells())
}
