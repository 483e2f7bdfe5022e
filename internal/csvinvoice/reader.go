package csvinvoice

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"recoup/invoice"
)

// Reader reads the invoices of one file. It holds one invoice, the row behind
// it, and the hashes of the last invoices' identities: 200,000 at least, 400,000
// at most.
type Reader struct {
	layout  *layout
	rows    *rows
	decoder *invoice.Decoder
	record  record

	ahead row  // behind the invoice read last; without cells when there is none
	torn  bool // the row before ahead cannot be read: it may belong to the same invoice
	held  error
	ended recent
}

// row is one row of the file.
type row struct {
	cells  []string
	number int64 // of its first line
}

// NewReader reads the header, finds the columns and returns a reader of the
// invoices behind it. m nil reads by the names of the columns.
func NewReader(lines Lines, m *Mapping, limits invoice.Limits) (*Reader, error) {
	mapping := Mapping{}
	if m != nil {
		mapping = *m
	}
	if err := mapping.orDefault(); err != nil {
		return nil, err
	}
	most := cmp.Or(limits.Bytes, invoice.DefaultLimits().Bytes)
	r := &Reader{rows: newRows(lines, most, mapping.separator), decoder: invoice.NewDecoder(limits),
		ended: recent{most: 200_000}}
	header, number, err := r.rows.next()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty, want a line with the names of the columns")
	case err != nil:
		return nil, err
	case slices.ContainsFunc(header, otherEncoding):
		return nil, errors.New("the names of the columns are not UTF-8; save the file as CSV in UTF-8")
	}
	if r.layout, err = mapping.lay(header); err != nil {
		return nil, err
	}
	if mapping.noHeader {
		r.ahead = row{header, number}
	}
	r.record = record{mapping: &mapping, layout: r.layout, most: most, head: make([]taken, len(r.layout.head))}
	return r, nil
}

// otherEncoding tells names that are not UTF-8; UTF-16 has zeros between letters.
func otherEncoding(name string) bool { return !utf8.ValidString(name) || strings.ContainsRune(name, 0) }

// orDefault fills what the mapping leaves open.
func (m *Mapping) orDefault() error {
	m.numbers.assumed = m.numbers.decimal == "" && m.numbers.thousands == ""
	m.numbers.decimal = cmp.Or(m.numbers.decimal, ".")
	m.listBetween = cmp.Or(m.listBetween, "|")
	m.dates.zone = cmp.Or(m.dates.zone, time.UTC)
	if m.dates.patterns != nil {
		return nil
	}
	for _, text := range defaultPatterns {
		p, err := parsePattern(text)
		if err != nil {
			return err
		}
		m.dates.patterns = append(m.dates.patterns, p)
	}
	return nil
}

// Separator is what stands between two columns.
func (r *Reader) Separator() rune { return r.rows.separator }

// Unused returns the names of the columns that fill no field.
func (r *Reader) Unused() []string { return slices.Clone(r.layout.unused) }

// Next reads the next invoice into inv and returns the number of its first line.
// It returns io.EOF behind the last one, and a *RowError for a row or an invoice
// that cannot be read; those behind it can. inv is valid until the next call.
func (r *Reader) Next(inv *invoice.Invoice) (int64, error) {
	if r.ahead.cells == nil {
		err := r.held
		if r.held = nil; err == nil {
			err = r.read()
		}
		if err != nil {
			_, r.torn = errors.AsType[*RowError](err)
			return 0, err
		}
	}
	first := r.ahead
	r.record.begin(first.number)
	if r.torn && len(r.layout.lines) > 0 {
		r.record.refuse(rowError(first.number, invoice.ReasonTruncated,
			"the row before it cannot be read and may belong to the same invoice, which is left out"))
	}
	r.torn = false
	r.gather()
	if refused := r.record.finish(first.number); refused != nil {
		return refused.Line, refused
	}
	err := r.decoder.Decode(r.record.bytes, inv)
	if refused, ok := errors.AsType[*invoice.DecodeError](err); ok {
		return first.number, r.record.locate(refused)
	}
	return first.number, err
}

// gather adds the row ahead and those behind it that belong to the same invoice.
func (r *Reader) gather() {
	for {
		current := r.ahead
		r.record.add(current)
		err := r.read()
		switch {
		case err == nil && len(r.layout.lines) > 0 && r.same(current, r.ahead):
			continue
		case err != nil:
			r.held = err
		}
		r.end(current, err)
		return
	}
}

// end notes that an invoice ends with a row and refuses it when it had ended
// before, or when the row behind it cannot be read.
func (r *Reader) end(last row, behind error) {
	if len(r.layout.lines) == 0 {
		return
	}
	hash := xxhash.New()
	var size [8]byte
	for _, at := range r.layout.identity {
		binary.LittleEndian.PutUint64(size[:], uint64(len(last.cells[at])))
		_, _ = hash.Write(size[:]) // a hash takes everything
		_, _ = hash.WriteString(last.cells[at])
	}
	if before, again := r.ended.put(hash.Sum64(), last.number); again {
		r.record.refuse(&RowError{Line: r.record.first, Column: r.layout.label("invoice_id"),
			Reason: invoice.ReasonDuplicateKey, Text: fmt.Sprintf("this invoice ended at line %d already; "+
				"the rows of one invoice must stand together: sort the file by it", before)})
	}
	if torn, ok := errors.AsType[*RowError](behind); ok {
		r.record.refuse(rowError(r.record.first, invoice.ReasonTruncated,
			"line %d cannot be read and may belong to the same invoice, which is left out", torn.Line))
	}
}

// same tells whether two rows belong to one invoice.
func (r *Reader) same(a, b row) bool {
	for _, at := range r.layout.identity {
		if a.cells[at] != b.cells[at] {
			return false
		}
	}
	return len(r.layout.identity) > 0
}

// read reads the next row that has a cell into ahead; after an error there is none.
func (r *Reader) read() error {
	r.ahead = row{}
	for {
		cells, number, err := r.rows.next()
		if err != nil {
			return err
		}
		blank := true
		for i, cell := range cells {
			cells[i] = strings.TrimSpace(cell)
			blank = blank && cells[i] == ""
		}
		if blank {
			continue
		}
		if len(cells) != r.layout.width {
			return rowError(number, invoice.ReasonSyntax, "it has %d columns, the first row %d; a value that holds %q must "+
				"stand in quotes", len(cells), r.layout.width, r.rows.separator)
		}
		r.ahead = row{cells, number}
		return nil
	}
}

// recent remembers the last keys, at least most and at most twice as many.
type recent struct {
	most     int
	new, old map[uint64]int64
}

// put stores a key with its line and returns the line it had before.
func (s *recent) put(key uint64, line int64) (before int64, again bool) {
	if before, again = s.new[key]; !again {
		before, again = s.old[key]
	}
	if len(s.new) >= s.most || s.new == nil {
		s.old, s.new = s.new, make(map[uint64]int64)
	}
	s.new[key] = line
	return before, again
}
