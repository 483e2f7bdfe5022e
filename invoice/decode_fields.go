package invoice

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxIdentity = 256 // bytes
	maxText     = 200 // characters
)

// value reads one field into its destination; the type says what is expected.
func (d *Decoder) value(f format, required bool, dst any) *DecodeError {
	switch dst := dst.(type) {
	case *string:
		return d.text(f, required, dst)
	case *OptionalAmount:
		dst.Set = true
		return d.decimal(amountPlaces, false, (*int64)(&dst.Value))
	case *OptionalFixed:
		dst.Set = true
		return d.decimal(fixedPlaces, true, (*int64)(&dst.Value))
	case *time.Time:
		return d.time(f, dst)
	case *[]string:
		return d.list(f, dst)
	case *[]Line:
		return d.lines(dst)
	case *CRM:
		if d.peek() != '{' {
			return d.wrongType("an object")
		}
		return decodeObject(d, crmFields, dst)
	case *Amount:
		return d.decimal(amountPlaces, false, (*int64)(dst))
	case *Stage:
		return d.enum(stageNames, (*uint8)(dst))
	case *Type:
		return d.enum(typeNames, (*uint8)(dst))
	case *int64:
		return d.integer(dst)
	case *bool:
		return d.boolean(dst)
	case *Fixed:
		return d.decimal(fixedPlaces, true, (*int64)(dst))
	case *OptionalBool:
		dst.Set = true
		return d.boolean(&dst.Value)
	case *OptionalInt:
		dst.Set = true
		return d.integer(&dst.Value)
	}
	return d.column(required, dst)
}

// wrongType refuses the value at pos, unless it is not even JSON.
func (d *Decoder) wrongType(want string) *DecodeError {
	start := d.pos
	kind := "a number"
	switch d.peek() {
	case '"':
		kind = "a string"
	case '{':
		kind = "an object"
	case '[':
		kind = "an array"
	case 't', 'f':
		kind = "a boolean"
	case 'n':
		kind = "null"
	}
	if err := d.skip(); err != nil {
		return err
	}
	return refuse(ReasonWrongType, "%s at byte %d, want %s", kind, start, want)
}

func (d *Decoder) quoted() (string, *DecodeError) {
	if d.peek() != '"' {
		return "", d.wrongType("a string")
	}
	return d.str()
}

func (d *Decoder) checkSchema() *DecodeError {
	name, err := d.quoted()
	if err == nil && name != d.schema {
		return refuse(ReasonSchema, "schema %q is not known, this release reads %q", quotable(name), d.schema)
	}
	return err
}

func (d *Decoder) text(f format, required bool, dst *string) *DecodeError {
	s, err := d.quoted()
	if err != nil {
		return err
	}
	if s == "" && required {
		return refuse(ReasonEmptyField, "a required field is empty")
	}
	switch f {
	case identity, envelope:
		err = d.checkIdentity(s)
	case lookup:
		err = d.checkIdentity(s)
		s = cut(s)
	case text, carried:
		s = cut(s)
	case currency:
		if _, ok := Exponent(s); !ok {
			err = refuse(ReasonUnknownCurrency, "currency %q is not a code of ISO 4217, such as \"EUR\"", quotable(s))
		}
	case channel:
		if !slices.Contains(entryChannels, s) {
			err = refuse(ReasonUnknownValue, "%q is not known, want one of %q", quotable(s), entryChannels)
		}
	}
	*dst = s
	return err
}

// checkIdentity looks at the string that was read last.
func (d *Decoder) checkIdentity(s string) *DecodeError {
	if len(s) > maxIdentity {
		return refuse(ReasonTooLong, "%q has %d bytes, an identity has at most %d", quotable(s), len(s), maxIdentity)
	}
	if d.clean {
		return nil
	}
	if i := strings.IndexFunc(s, unicode.IsControl); i >= 0 {
		return refuse(ReasonControlCharacter, "%q has a control character at byte %d", quotable(s), i)
	}
	return nil
}

// cut keeps the first 200 characters.
func cut(s string) string {
	if len(s) <= maxText || utf8.RuneCountInString(s) <= maxText {
		return s
	}
	n := 0
	for i := range s {
		if n == maxText {
			return s[:i]
		}
		n++
	}
	return s
}

func (d *Decoder) decimal(places int, round bool, dst *int64) *DecodeError {
	if c := d.peek(); c == '-' || c-'0' <= 9 {
		raw, err := d.number()
		if err == nil {
			err = refuse(ReasonNumberInDecimal, "%s is a JSON number, want a decimal string such as \"12.50\"", quotable(raw))
		}
		return err
	}
	s, err := d.quoted()
	if err != nil {
		return err
	}
	v, fault := parseDecimal(s, places, round)
	switch fault {
	case decimalOK:
		*dst = v
		return nil
	case decimalOverflow:
		return refuse(ReasonOverflow, "%q: %s", quotable(s), fault)
	}
	return refuse(ReasonBadDecimal, "%q: %s", quotable(s), fault)
}

func (d *Decoder) enum(names []string, dst *uint8) *DecodeError {
	s, err := d.quoted()
	if err != nil {
		return err
	}
	i := slices.Index(names, s)
	if i < 0 {
		return refuse(ReasonUnknownValue, "%q is not known, want one of %q", quotable(s), names)
	}
	*dst = uint8(i)
	return nil
}

// integer reads a whole number that is not negative, written without point
// and exponent.
func (d *Decoder) integer(dst *int64) *DecodeError {
	if c := d.peek(); c != '-' && c-'0' > 9 {
		return d.wrongType("a whole number")
	}
	raw, err := d.number()
	if err != nil {
		return err
	}
	if strings.ContainsAny(raw, ".eE") {
		return refuse(ReasonBadInteger, "%s has a point or an exponent, want a whole number", quotable(raw))
	}
	v, parseErr := strconv.ParseInt(raw, 10, 64)
	if v < 0 {
		return refuse(ReasonBadInteger, "%s is negative, want 0 or more", quotable(raw))
	}
	if parseErr != nil {
		return refuse(ReasonOverflow, "%s is outside the range of 64 bits", quotable(raw))
	}
	*dst = v
	return nil
}

func (d *Decoder) boolean(dst *bool) *DecodeError {
	switch d.peek() {
	case 't':
		*dst = true
		return d.literal("true")
	case 'f':
		return d.literal("false")
	}
	return d.wrongType("true or false")
}

// list reads an array of strings.
func (d *Decoder) list(f format, dst *[]string) *DecodeError {
	if d.peek() != '[' {
		return d.wrongType("an array of strings")
	}
	if err := d.enter(); err != nil || d.empty(']') {
		return err
	}
	for {
		if len(*dst) >= d.limits.Items {
			return refuse(ReasonTooManyItems, "more than %d strings", d.limits.Items)
		}
		var s string
		if err := d.text(f, false, &s); err != nil {
			return err.in(index(len(*dst)))
		}
		*dst = append(*dst, s)
		if more, err := d.more(']'); !more {
			return err
		}
	}
}

func (d *Decoder) lines(dst *[]Line) *DecodeError {
	if d.peek() != '[' {
		return d.wrongType("an array of objects")
	}
	if err := d.enter(); err != nil || d.empty(']') {
		return err
	}
	for {
		n := len(*dst)
		if n >= d.limits.Lines {
			return refuse(ReasonTooManyLines, "more than %d lines", d.limits.Lines)
		}
		err := (*DecodeError)(nil)
		if d.peek() != '{' {
			err = d.wrongType("an object")
		} else {
			err = decodeObject(d, lineFields, nextLine(dst))
		}
		if err != nil {
			return err.in(index(n))
		}
		if more, err := d.more(']'); !more {
			return err
		}
	}
}

// nextLine makes the list one longer and returns the new line, empty but for
// the memory it owned before.
func nextLine(list *[]Line) *Line {
	n := len(*list)
	if n == cap(*list) {
		*list = append(*list, Line{})
		return &(*list)[n]
	}
	*list = (*list)[:n+1]
	line := &(*list)[n]
	*line = Line{PromoCodes: line.PromoCodes[:0]}
	return line
}

func missingField[T any](o *object[T], missing uint64) *DecodeError {
	name := o.fields[bits.TrailingZeros64(missing)].name
	return refuse(ReasonMissingField, "a required field is absent").in(name)
}

func (d *Decoder) time(f format, dst *time.Time) *DecodeError {
	s, err := d.quoted()
	if err != nil {
		return err
	}
	t, ok := parseInstant(s)
	if !ok && f == day {
		t, ok = parseDay(s)
	}
	if !ok {
		want := `an RFC 3339 time such as "2026-03-01T09:30:00Z"`
		if f == day {
			want += ` or a date such as "2026-03-01"`
		}
		return refuse(ReasonBadTime, "%q is not a time, want %s", quotable(s), want)
	}
	if year := t.Year(); year < firstYear || year > lastYear {
		return refuse(ReasonTimeOutOfRange, "%q is not in the years %d to %d (UTC)", s, firstYear, lastYear)
	}
	*dst = t
	return nil
}
