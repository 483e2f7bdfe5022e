package memstore

import (
	"reflect"
	"strings"

	"recoup/detectors"
	"recoup/invoice"
)

// rowBytes is what Bytes counts per invoice and per line, about what the
// ClickHouse block needs.
const rowBytes, lineBytes = 600, 160

// sealedShare is what is left of a block's size once it is sealed, in per cent.
const sealedShare = 20

// Block collects rows as deep copies. Use Store.NewBlock to make one.
type Block struct {
	rows   []Row
	bytes  int
	sealed bool
	salted bool  // salt was set by the first Insert
	salt   int64 // removals of the partition before the first Insert of this block
}

// Append adds a deep copy of the invoice and its verdict.
func (b *Block) Append(inv *invoice.Invoice, v *detectors.Verdict, received int64) {
	if b.sealed {
		panic("memstore: Append on a sealed block")
	}
	b.rows = append(b.rows, Row{Invoice: *inv.Clone(), Verdict: cloneVerdict(*v), Received: received})
	b.bytes += rowBytes + lineBytes*len(inv.Lines)
}

// Rows returns how many invoices the block holds.
func (b *Block) Rows() int { return len(b.rows) }

// Bytes returns about what the ClickHouse block would hold.
func (b *Block) Bytes() int {
	if b.sealed {
		return b.bytes * sealedShare / 100
	}
	return b.bytes
}

// Seal ends appending.
func (b *Block) Seal() { b.sealed = true }

// Drop removes the invoices at these offsets.
func (b *Block) Drop(offsets map[int64]bool) {
	kept := b.rows[:0]
	b.bytes = 0
	for _, r := range b.rows {
		if offsets[r.Verdict.Source.Offset] {
			continue
		}
		kept = append(kept, r)
		b.bytes += rowBytes + lineBytes*len(r.Invoice.Lines)
	}
	b.rows = kept
}

// Suspects returns source offset → suspect of every row.
func (b *Block) Suspects() map[int64]bool {
	suspects := make(map[int64]bool, len(b.rows))
	for i := range b.rows {
		suspects[b.rows[i].Verdict.Source.Offset] = b.rows[i].Verdict.Suspect
	}
	return suspects
}

// cloneVerdict copies a verdict with all its strings and slices.
func cloneVerdict(v detectors.Verdict) detectors.Verdict {
	deepen(reflect.ValueOf(&v).Elem())
	return v
}

// deepen replaces every string and slice within v by its own copy.
func deepen(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.Clone(v.String()))
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(own, v)
		for i := range own.Len() {
			deepen(own.Index(i))
		}
		v.Set(own)
	case reflect.Struct:
		for i := range v.NumField() {
			deepen(v.Field(i))
		}
	}
}
