package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"recoup/invoice"
)

// records are the invoices of one file, in its order.
type records interface {
	// next reads the next record into inv and returns the number of its first
	// line, counted from 1. It returns io.EOF behind the last record, a
	// *badRecord for one that cannot be read while those behind it can, and any
	// other error when reading cannot go on. inv is valid until the next call.
	next(inv *invoice.Invoice) (line int64, err error)
}

// badRecord is a record that cannot be read.
type badRecord struct {
	place  string // where it stands: "file:line"
	field  string // path of the field, or what else is at fault
	reason string // one of the Reason constants of package invoice
	text   string // for a person: the bad value and what was expected
}

// Error returns all of it in one line.
func (e *badRecord) Error() string {
	return fmt.Sprintf("%s: %s: %s (%s)", e.place, e.field, e.text, e.reason)
}

// mostNamed is how many bad records of one reason are named: a wrong file has as
// many as it has lines.
const mostNamed = 3

// refusals names the bad records of one file, the first of each reason one by one.
type refusals struct {
	in       *input
	stderr   io.Writer
	invoices bool // the file was given as one of invoices
	hinted   bool // that it is none
	byReason map[string]int64
}

// name names a record unless there were enough like it.
func (r *refusals) name(bad *badRecord) {
	if r.byReason == nil {
		r.byReason = map[string]int64{}
	}
	if r.byReason[bad.reason]++; r.byReason[bad.reason] <= mostNamed {
		r.in.hush()
		fmt.Fprintln(r.stderr, bad)
	}
	if r.invoices && !r.hinted && bad.reason == invoice.ReasonSchema && strings.Contains(bad.text, `"reference.`) {
		r.hinted = true
		fmt.Fprintf(r.stderr, "%s: it holds references: give it by --reference, beside a file of invoices\n", r.in.name)
	}
}

// rest counts those that were not named.
func (r *refusals) rest() {
	var counts []string
	all := int64(0)
	for _, reason := range slices.Sorted(maps.Keys(r.byReason)) {
		if more := r.byReason[reason] - mostNamed; more > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", more, reason))
			all += more
		}
	}
	if all > 0 {
		r.in.hush()
		fmt.Fprintf(r.stderr, "%s: and %d more that cannot be read: %s\n", r.in.name, all, strings.Join(counts, ", "))
	}
}

// jsonLines are records of invoice.v1, one a line. Blank lines are none; they
// keep their numbers.
type jsonLines struct {
	in      *input
	decoder *invoice.Decoder
	limit   int // most bytes of a line
	number  int64
}

func (l *jsonLines) next(inv *invoice.Invoice) (int64, error) {
	return l.each(func(line []byte) error { return l.decoder.Decode(line, inv) })
}

// each decodes the next line that is not blank and returns its number, as next does.
func (l *jsonLines) each(decode func(line []byte) error) (int64, error) {
	for {
		line, length, err := l.in.next()
		if err != nil {
			return 0, err
		}
		l.number++
		if length > l.limit {
			return l.number, l.bad(&invoice.DecodeError{Reason: invoice.ReasonTooLarge, Message: fmt.Sprintf(
				"the line has %d bytes, the limit is %d (pipeline.limits.record_bytes)", length, l.limit)})
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		return l.number, l.bad(decode(line))
	}
}

// bad says where a record stands that the decoder refused; nil stays nil.
func (l *jsonLines) bad(err error) error {
	if err == nil {
		return nil
	}
	refused := err.(*invoice.DecodeError) // the decoder has no other
	field := refused.Field
	if field == "" {
		field = "record"
	}
	return &badRecord{place: fmt.Sprintf("%s:%d", l.in.name, l.number), field: field, reason: refused.Reason,
		text: refused.Message}
}
