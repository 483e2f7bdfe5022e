package invoice

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// Form says how the text of a column is checked, beyond what its Go type says.
type Form uint8

// The forms of the contract.
const (
	Plain    = Form(plain)    // nothing more
	Identity = Form(identity) // 1 to 256 bytes without control characters, never cut
	Text     = Form(text)     // cut to 200 characters
	Currency = Form(currency) // an ISO 4217 code
	Instant  = Form(instant)  // RFC 3339 date and time
	Day      = Form(day)      // the same, or a date alone (midnight UTC)
)

// Column is one field of a record that another package reads with a Table.
type Column[T any] struct {
	// Name is the field's name in JSON.
	Name string
	// Form of its text.
	Form Form
	// Required: it may be neither absent nor null, and text not "".
	Required bool
	// At returns where the value is kept: a pointer to a string, Amount,
	// OptionalAmount, time.Time, bool, int64 or []string; to a pointer to bool, int
	// or float64 (nil: absent; a number is not negative); a Value, a Count, or what
	// Inside returns.
	At func(*T) any
}

// Value is a text with a form of its own, such as one of a few words.
type Value interface {
	// Read takes the text, or refuses it with Refuse.
	Read(text string) *DecodeError
	// Text returns what Read reads; "": absent.
	Text() string
}

// Count is a whole number from 1 on, kept at At; 0: absent.
type Count struct {
	At *int // where it is kept
}

// Table reads and writes the records of one schema, as strictly as a Decoder
// reads invoices. It may be used concurrently.
type Table[T any] struct {
	schema string
	object *object[T]
}

// NewTable returns the table of a record, or with schema "" of an object inside
// one. Of a record the first column is its schema: it is read and written by
// itself and not among columns, of which there are at most 63.
func NewTable[T any](schema string, columns []Column[T]) *Table[T] {
	var fields []field[T]
	if schema != "" {
		fields = append(fields, field[T]{"schema", plain, true, func(*T) any { return schemaName(schema) }})
	}
	for _, c := range columns {
		fields = append(fields, field[T]{c.Name, format(c.Form), c.Required, c.At})
	}
	if len(fields) > maxFields {
		panic(fmt.Sprintf("cannot make a table of %d columns: want at most %d", len(fields), maxFields))
	}
	return &Table[T]{schema: schema, object: newObject(tableObject, fields)}
}

// Decode reads one record into dst, which must be zero and shares no memory with
// data. The error is always a *DecodeError; dst is then filled in part.
func (t *Table[T]) Decode(data []byte, limits Limits, dst *T) error {
	d := NewDecoder(limits)
	err := d.begin(bytes.Clone(data), nil)
	if err == nil {
		err = record(d, t.object, dst)
	}
	if err != nil {
		return t.Named(err)
	}
	return nil
}

// Append appends a record that Decode reads back to the same value; what is
// absent is left out.
func (t *Table[T]) Append(dst []byte, v *T) []byte { return appendObject(dst, t.object, v) }

// Named makes an error one of this table's records.
func (t *Table[T]) Named(err *DecodeError) error {
	err.schema = t.schema
	return err
}

// Inside is an object inside a record, kept at dst; nil: absent.
func (t *Table[T]) Inside(dst **T) any { return inside[T]{t, dst} }

// Refuse says why a record is refused: the path of a field, "" for the record as
// a whole, one of the Reason constants, and a sentence for a person with the bad
// value and what was expected.
func Refuse(field, reason, sentence string, args ...any) *DecodeError {
	err := refuse(reason, sentence, args...)
	err.Field = field
	return err
}

// nested is an object of any table.
type nested interface {
	decode(d *Decoder) *DecodeError
	append(dst []byte) []byte
}

type inside[T any] struct {
	table *Table[T]
	dst   **T
}

func (i inside[T]) decode(d *Decoder) *DecodeError {
	if d.peek() != '{' {
		return d.wrongType("an object")
	}
	*i.dst = new(T)
	return decodeObject(d, i.table.object, *i.dst)
}

func (i inside[T]) append(dst []byte) []byte {
	if *i.dst == nil {
		return dst
	}
	return appendObject(dst, i.table.object, *i.dst)
}

// schemaName is the column that names the record.
type schemaName string

// Read accepts the schema alone.
func (s schemaName) Read(name string) *DecodeError {
	if name != string(s) {
		return refuse(ReasonSchema, "schema %q is not known, this release reads %q", quotable(name), string(s))
	}
	return nil
}

// Text returns the schema.
func (s schemaName) Text() string { return string(s) }

// column reads what only tables of other packages have.
func (d *Decoder) column(required bool, dst any) *DecodeError {
	switch dst := dst.(type) {
	case Value:
		s, err := d.quoted()
		if err == nil && s == "" && required {
			err = refuse(ReasonEmptyField, "a required field is empty")
		}
		if err == nil {
			err = dst.Read(s)
		}
		return err
	case nested:
		return dst.decode(d)
	case **bool:
		*dst = new(bool)
		return d.boolean(*dst)
	case **int:
		*dst = new(int)
		return d.small(*dst)
	case Count:
		err := d.small(dst.At)
		if err == nil && *dst.At == 0 {
			err = refuse(ReasonOutOfRange, "0, want 1 or more")
		}
		return err
	case **float64:
		*dst = new(float64)
		return d.float(*dst)
	}
	return d.checkSchema()
}

// small reads a whole number that is not negative into an int.
func (d *Decoder) small(dst *int) *DecodeError {
	var v int64
	err := d.integer(&v)
	if *dst = int(v); err == nil && int64(*dst) != v {
		err = refuse(ReasonOverflow, "%d is outside the range of an integer", v)
	}
	return err
}

// float reads a number that is not negative.
func (d *Decoder) float(dst *float64) *DecodeError {
	if c := d.peek(); c != '-' && c-'0' > 9 {
		return d.wrongType("a number")
	}
	raw, err := d.number()
	if err != nil {
		return err
	}
	v, parseErr := strconv.ParseFloat(raw, 64)
	if parseErr != nil {
		return refuse(ReasonOverflow, "%s is outside the range of a number", quotable(raw))
	}
	if v < 0 {
		return refuse(ReasonOutOfRange, "%s is negative, want 0 or more", quotable(raw))
	}
	*dst = v
	return nil
}

// appendColumn appends what only tables of other packages have.
func appendColumn(dst []byte, value any) []byte {
	switch v := value.(type) {
	case Value:
		if s := v.Text(); s != "" {
			return appendQuoted(dst, s)
		}
	case nested:
		return v.append(dst)
	case **bool:
		if *v != nil {
			return strconv.AppendBool(dst, **v)
		}
	case **int:
		if *v != nil {
			return strconv.AppendInt(dst, int64(**v), 10)
		}
	case Count:
		if *v.At != 0 {
			return strconv.AppendInt(dst, int64(*v.At), 10)
		}
	case **float64:
		if *v != nil {
			return strconv.AppendFloat(dst, **v, 'g', -1, 64)
		}
	}
	return dst
}

// ParseDay reads a date such as "2026-03-01" as its midnight in UTC.
func ParseDay(s string) (time.Time, error) {
	t, ok := parseDay(s)
	if !ok {
		return time.Time{}, fmt.Errorf("cannot read date %q: want one such as \"2026-03-01\"", quotable(s))
	}
	return t, nil
}
