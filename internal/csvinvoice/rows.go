package csvinvoice

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"recoup/invoice"
)

// Lines gives the lines of a file, one a call, without their ends: the first
// bytes of a line, at most one more than the limit of a record, and its full
// length. It returns io.EOF behind the last one. The bytes are valid until the
// next call.
type Lines func() (text []byte, length int, err error)

// rows puts lines together to rows: a quoted value may hold line ends. A quote
// that is never closed costs one row, not the rest of the file: when nothing
// closes it within the limit, the lines behind the first are read again.
type rows struct {
	lines     Lines
	limit     int  // most bytes of a row
	separator rune // between two columns; 0: the one that stands most often in the first line
	number    int64
	again     []line // to be read again, in their order
	buffer    []byte // the row being put together
	text      bytes.Reader
	buffered  *bufio.Reader
}

// line is one line that was read ahead.
type line struct {
	text   []byte
	length int
}

func newRows(lines Lines, limit int, separator rune) *rows {
	return &rows{lines: lines, limit: limit, separator: separator, buffered: bufio.NewReaderSize(nil, 4<<10)}
}

// line returns the next line and its number.
func (r *rows) line() (line, error) {
	if len(r.again) > 0 {
		next := r.again[0]
		r.again = r.again[1:]
		r.number++
		return next, nil
	}
	text, length, err := r.lines()
	if err == nil {
		r.number++
	}
	return line{text, length}, err
}

// next returns the columns of the next row that is not blank and the number of
// its first line. A *RowError is a row that cannot be read; those behind it can.
func (r *rows) next() (columns []string, number int64, err error) {
	for {
		first, err := r.line()
		if err != nil {
			return nil, 0, err
		}
		number := r.number
		if first.length > r.limit {
			return nil, number, rowError(number, invoice.ReasonTooLarge, "the line has %d bytes, the limit is %d "+
				"(pipeline.limits.record_bytes)", first.length, r.limit)
		}
		if len(bytes.TrimSpace(first.text)) == 0 {
			continue
		}
		if r.separator == 0 {
			var skip bool
			if r.separator, skip = separatorOf(first.text); skip {
				continue
			}
		}
		r.buffer = append(r.buffer[:0], first.text...)
		if r.open(first.text, false) {
			if err := r.close(number); err != nil {
				return nil, number, err
			}
		}
		columns, err := r.parse(number)
		return columns, number, err
	}
}

// close appends lines until the quote that is open in the buffer is closed.
func (r *rows) close(number int64) error {
	var ahead []line
	for quoted := true; quoted; {
		next, err := r.line()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err == nil {
			ahead = append(ahead, line{bytes.Clone(next.text), next.length})
		}
		if err != nil || len(r.buffer)+1+next.length > r.limit {
			r.again = append(ahead, r.again...)
			r.number = number
			return rowError(number, invoice.ReasonSyntax, "a value begins with a quote that nothing closes within %d bytes",
				len(r.buffer))
		}
		r.buffer = append(append(r.buffer, '\n'), next.text...)
		quoted = r.open(next.text, true)
	}
	return nil
}

// open tells whether a line ends inside a quoted value. It reads quotes as
// encoding/csv does; where that would refuse the line, the row ends here too.
func (r *rows) open(text []byte, quoted bool) bool {
	separator := []byte(string(r.separator))
	text = bytes.TrimSuffix(text, []byte("\r"))
	for {
		if !quoted {
			if !bytes.HasPrefix(text, []byte{'"'}) {
				i := bytes.Index(text, separator)
				if i < 0 {
					return false
				}
				text = text[i+len(separator):]
				continue
			}
			text, quoted = text[1:], true
		}
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			return true
		}
		text = text[i+1:]
		switch {
		case bytes.HasPrefix(text, []byte{'"'}):
			text = text[1:]
		case bytes.HasPrefix(text, separator):
			text, quoted = text[len(separator):], false
		default: // the end of the line, or a quote where none may stand
			return false
		}
	}
}

// parse splits the buffer, which holds one row, into columns.
func (r *rows) parse(number int64) ([]string, error) {
	r.text.Reset(r.buffer)
	r.buffered.Reset(&r.text)
	parser := csv.NewReader(r.buffered)
	parser.Comma, parser.FieldsPerRecord = r.separator, -1
	columns, err := parser.Read()
	var syntax *csv.ParseError
	if errors.As(err, &syntax) {
		return nil, rowError(number, invoice.ReasonSyntax,
			"a quote stands inside a value: write it twice and put the value in quotes (line %d, byte %d)",
			number+int64(syntax.Line-1), syntax.Column)
	}
	return columns, err
}

// RowError is a row or an invoice that cannot be read, while those behind it can.
type RowError struct {
	Line   int64  // of the file, from 1
	Column string // what is at fault, such as column "Netto" (net_amount)
	Reason string // one of the Reason constants of package invoice
	Text   string // for a person: the bad value and what was expected
}

// Error returns all of it in one line.
func (e *RowError) Error() string {
	return fmt.Sprintf("line %d: %s: %s (%s)", e.Line, e.Column, e.Text, e.Reason)
}

func rowError(line int64, reason, format string, args ...any) *RowError {
	return &RowError{Line: line, Column: "row", Reason: reason, Text: fmt.Sprintf(format, args...)}
}
