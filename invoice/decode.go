package invoice

// Limits bound what one record may cost. A zero field takes its default.
type Limits struct {
	Bytes         int // longest record. By default 8 MiB
	Depth         int // nested objects and arrays, the record itself included. By default 16
	Lines         int // lines of one invoice. By default 20,000
	Items         int // strings in one list, such as promo_codes. By default 1,000
	UnknownFields int // fields of one object that the contract does not know. By default 256
}

// DefaultLimits returns every limit with its default.
func DefaultLimits() Limits { return Limits{}.orDefault() }

// orDefault fills the fields that are zero.
func (l Limits) orDefault() Limits {
	for _, limit := range []struct {
		value    *int
		fallback int
	}{{&l.Bytes, 8 << 20}, {&l.Depth, 16}, {&l.Lines, 20_000}, {&l.Items, 1_000}, {&l.UnknownFields, 256}} {
		if *limit.value <= 0 {
			*limit.value = limit.fallback
		}
	}
	return l
}

// What an Invoice keeps for the next Decode is bounded: after a record larger
// than this its memory goes back.
const (
	keptLines     = 2_048
	keptUnescaped = 64 << 10
)

// Decoder reads invoice.v1 records: strictly, in one pass, without allocating
// in the steady state; and the references they are compared with. It is used by
// one goroutine at a time.
//
// Refused are, beside all that is not JSON: a name twice in one object (also
// one the contract does not know, at any depth), text that is not Unicode, a
// JSON number where a decimal string belongs, and whatever breaks a rule of
// docs/contract. A field that is null counts as absent. Unknown fields are
// checked for syntax and left out. Names are compared exactly: "Seller" is an
// unknown field.
type Decoder struct {
	limits Limits
	schema string // what the record's schema must be
	scanner

	// What followed each field the last time (1 + its position for the one
	// before, 0 for the start of the object): producers keep their order, so most
	// names need one comparison. A wrong guess costs time, never truth.
	follows [objectKinds][maxFields + 1]uint8
}

// NewDecoder returns a decoder with these limits.
func NewDecoder(limits Limits) *Decoder {
	d := &Decoder{limits: limits.orDefault()}
	d.maxDepth, d.maxNames = d.limits.Depth, d.limits.UnknownFields
	return d
}

// Decode reads one record into inv and sets every field of it. Strings of inv
// point into data, which must not change while inv is in use; the slices and
// the text buffer of inv are reused. The error is always a *DecodeError; inv is
// then filled in part and must not be used.
func (d *Decoder) Decode(data []byte, inv *Invoice) error {
	reset(inv)
	if err := d.begin(data, inv.unescaped); err != nil {
		return err
	}
	d.schema = Schema
	err := record(d, invoiceFields, inv)
	inv.unescaped = d.arena
	// The decoder must not keep the record alive while it waits for the next.
	d.start(nil, nil)
	if err != nil {
		return err
	}
	return nil
}

// begin sets out to read a record of this size.
func (d *Decoder) begin(data, arena []byte) *DecodeError {
	if len(data) == 0 {
		return refuse(ReasonEmptyRecord, "the record has no bytes, want a JSON object")
	}
	if len(data) > d.limits.Bytes {
		return refuse(ReasonTooLarge, "the record has %d bytes, the limit is %d", len(data), d.limits.Bytes)
	}
	d.start(data, arena)
	return nil
}

// record reads the object that is the whole record.
func record[T any](d *Decoder, o *object[T], dst *T) *DecodeError {
	if d.peek() != '{' {
		return d.notObject()
	}
	if err := decodeObject(d, o, dst); err != nil {
		return err
	}
	if d.peek(); d.pos < len(d.src) {
		return refuse(ReasonTrailingData, "%d bytes follow the object", len(d.src)-d.pos)
	}
	return nil
}

func (d *Decoder) notObject() *DecodeError {
	if err := d.skip(); err != nil {
		return err
	}
	return refuse(ReasonNotObject, "want a JSON object")
}

// reset makes inv as good as new but for the memory it owns.
func reset(inv *Invoice) {
	lines, unescaped := inv.Lines[:0], inv.unescaped[:0]
	if cap(lines) > keptLines {
		lines = nil
	}
	if cap(unescaped) > keptUnescaped {
		unescaped = nil
	}
	*inv = Invoice{
		PromoCodes:         inv.PromoCodes[:0],
		LegalFieldsPresent: inv.LegalFieldsPresent[:0],
		Lines:              lines,
		unescaped:          unescaped,
	}
}

// decodeObject reads the object at pos into dst by its table.
func decodeObject[T any](d *Decoder, o *object[T], dst *T) *DecodeError {
	if err := d.enter(); err != nil {
		return err
	}
	base := len(d.names)
	var seen, present uint64
	follows, last := &d.follows[o.kind], 0
	more := !d.empty('}')
	for more {
		i := int(follows[last])
		name := o.fields[i].name
		var err *DecodeError
		if !d.guessed(o.keys[i]) {
			if name, err = d.name(); err != nil {
				return err
			}
			if i = o.find(name); i >= 0 && o.kind != tableObject {
				follows[last] = uint8(i)
			}
		}
		last = i + 1
		if i < 0 {
			if err = d.unknown(name, base); err == nil {
				err = d.skip()
			}
		} else if bit := uint64(1) << i; seen&bit != 0 {
			err = refuse(ReasonDuplicateKey, "the name stands twice in one object")
		} else if seen |= bit; d.peek() == 'n' {
			err = d.literal("null")
		} else {
			present |= bit
			f := &o.fields[i]
			err = d.value(f.format, f.required, f.at(dst))
		}
		if err != nil {
			return err.in(name)
		}
		if more, err = d.more('}'); err != nil {
			return err
		}
	}
	d.names = d.names[:base]
	if missing := o.required &^ present; missing != 0 {
		return missingField(o, missing)
	}
	return nil
}
