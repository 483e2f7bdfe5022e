package invoice

import (
	"encoding/binary"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Identity hashes what makes a record this invoice and no other: seller,
// invoice id, revision and stage.
func (inv *Invoice) Identity() uint64 {
	h := newHasher()
	h.string(inv.Seller)
	h.string(inv.ID)
	h.uint64(uint64(inv.Revision))
	h.uint64(uint64(inv.Stage))
	return h.sum()
}

// ContentHash hashes every field but the event id and the trace context: two
// records of one identity with the same ContentHash are one invoice delivered
// twice. Spelling does not matter: order of the fields, zeros behind a decimal,
// offset of a time, a default written out. The value is kept in recoup.state,
// so it stays the same from release to release.
func (inv *Invoice) ContentHash() uint64 {
	h := newHasher()
	hashObject(&h, invoiceFields, inv)
	return h.sum()
}

// Missing tells which of the fields that belong on every invoice are absent.
func (inv *Invoice) Missing() (customerRef, customerType, productFamily bool) {
	return inv.CustomerRef == "", inv.CustomerType == "", inv.ProductFamily == ""
}

// hashObject hashes the fields that are present, each behind its number, so
// that a field added later does not change the hash of invoices without it.
func hashObject[T any](h *hasher, o *object[T], v *T) {
	for i := range o.fields {
		f := &o.fields[i]
		if f.format == envelope || f.format == carried {
			continue
		}
		h.field(byte(i+1), f.at(v))
	}
	h.byte(0)
}

// field hashes nothing for a value that is absent or the default.
func (h *hasher) field(number byte, value any) {
	switch v := value.(type) {
	case *string:
		if *v != "" {
			h.byte(number)
			h.string(*v)
		}
	case *Amount:
		h.number(number, int64(*v), true)
	case *OptionalAmount:
		h.number(number, int64(v.Value), v.Set)
	case *OptionalFixed:
		h.number(number, int64(v.Value), v.Set)
	case *time.Time:
		h.number(number, v.UnixNano(), !v.IsZero())
	case *Stage:
		h.number(number, int64(*v), *v != Issued)
	case *Type:
		h.number(number, int64(*v), *v != Standard)
	case *int64:
		h.number(number, *v, *v != 0)
	case *bool:
		h.number(number, 1, *v)
	case *CRM:
		if *v != (CRM{}) {
			h.byte(number)
			hashObject(h, crmFields, v)
		}
	case *[]string:
		h.number(number, int64(len(*v)), len(*v) > 0)
		for _, s := range *v {
			h.string(s)
		}
	case *[]Line:
		h.number(number, int64(len(*v)), len(*v) > 0)
		for i := range *v {
			hashObject(h, lineFields, &(*v)[i])
		}
	}
}

// hasher collects small values, because xxhash is fast on whole blocks only.
type hasher struct {
	digest xxhash.Digest
	used   int
	block  [512]byte
}

func newHasher() (h hasher) {
	h.digest.Reset()
	return h
}

func (h *hasher) room(n int) []byte {
	if h.used+n > len(h.block) {
		h.flush()
	}
	h.used += n
	return h.block[h.used-n : h.used]
}

func (h *hasher) flush() {
	h.digest.Write(h.block[:h.used]) // a Digest never fails
	h.used = 0
}

func (h *hasher) byte(b byte) { h.room(1)[0] = b }

func (h *hasher) uint64(v uint64) { binary.LittleEndian.PutUint64(h.room(8), v) }

func (h *hasher) number(field byte, v int64, present bool) {
	if present {
		h.byte(field)
		h.uint64(uint64(v))
	}
}

// string hashes the length first: "ab","c" must differ from "a","bc".
func (h *hasher) string(s string) {
	h.uint64(uint64(len(s)))
	if len(s) > len(h.block)-h.used {
		h.flush()
		h.digest.WriteString(s)
		return
	}
	h.used += copy(h.block[h.used:], s)
}

func (h *hasher) sum() uint64 {
	h.flush()
	return h.digest.Sum64()
}
