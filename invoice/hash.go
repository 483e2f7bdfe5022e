package invoice

import (
	"encoding/binary"
	"math/bits"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Hashes are what an invoice and its parts are recognised by. The caller owns and
// reuses them.
type Hashes struct {
	Identity uint64 // of what makes a record this invoice and no other, as Invoice.Identity
	Content  uint64 // of all that a redelivery repeats, as Invoice.ContentHash

	// XXH64 of single fields, of "" where there is none.
	Seller, ID, Currency, CustomerRef, CustomerType, ProductFamily, SourceSystem, SourceRelease, BatchID,
	Country, DeliveryRef, OrderRef uint64

	Products []uint64 // XXH64 of each line's ProductID
}

// emptyHash is XXH64 of "".
const emptyHash = 0xef46db3751d8e999

// Hash fills h. Each field is hashed once.
func (inv *Invoice) Hash(h *Hashes) {
	h.Identity = inv.Identity()
	content := inv.hashFields(h)
	h.Products = h.Products[:0]
	for i := range inv.Lines {
		var product uint64
		content, product = content.line(i, &inv.Lines[i])
		h.Products = append(h.Products, product)
	}
	h.Content = uint64(content)
}

// Identity hashes what makes a record this invoice and no other: seller,
// invoice id, revision and stage.
func (inv *Invoice) Identity() uint64 {
	parts := make([]byte, 0, 128) // enough for most, so that it stays on the stack
	for _, s := range [...]string{inv.Seller, inv.ID} {
		parts = binary.LittleEndian.AppendUint64(parts, uint64(len(s))) // "ab","c" must differ from "a","bc"
		parts = append(parts, s...)
	}
	parts = binary.LittleEndian.AppendUint64(parts, uint64(inv.Revision))
	parts = binary.LittleEndian.AppendUint64(parts, uint64(inv.Stage))
	return xxhash.Sum64(parts)
}

// ContentHash hashes every field but the event id and the trace context: two
// records of one identity with the same ContentHash are one invoice delivered
// twice. Spelling does not matter: order of the fields, zeros behind a decimal,
// offset of a time, a default written out. The value is kept in recoup.state,
// so it stays the same from release to release: each field that is present is
// hashed with its number, and a field added later gets a new one.
func (inv *Invoice) ContentHash() uint64 {
	var unused Hashes
	h := inv.hashFields(&unused)
	for i := range inv.Lines {
		h, _ = h.line(i, &inv.Lines[i])
	}
	return uint64(h)
}

// hashFields returns the hash of all fields but the lines, and fills in those of
// single fields.
func (inv *Invoice) hashFields(of *Hashes) (h hasher) {
	h, of.Seller = h.text(1, inv.Seller)
	h, of.ID = h.text(2, inv.ID)
	h = h.number(3, inv.Revision)
	h = h.number(4, int64(inv.Stage))
	h = h.number(5, int64(inv.Type))
	h = h.time(6, inv.IssuedAt)
	h, of.Currency = h.text(7, inv.Currency)
	h = h.number(8, int64(inv.NetAmount))
	h, _ = h.text(9, inv.Number)
	h, _ = h.text(10, inv.PrecedingID)
	h, of.CustomerRef = h.text(11, inv.CustomerRef)
	h, of.CustomerType = h.text(12, inv.CustomerType)
	h, of.ProductFamily = h.text(13, inv.ProductFamily)
	h = h.amount(14, inv.GrossAmount)
	h = h.amount(15, inv.TaxAmount)
	h = h.amount(16, inv.DiscountAmount)
	h = h.amount(17, inv.PrepaidAmount)
	h = h.fixed(18, inv.TaxRate)
	h, of.SourceSystem = h.text(19, inv.SourceSystem)
	h, of.SourceRelease = h.text(20, inv.SourceRelease)
	h, of.BatchID = h.text(21, inv.BatchID)
	h, _ = h.text(22, inv.EntryChannel)
	h, _ = h.text(23, inv.OperatorRef)
	h, _ = h.text(24, inv.SalesPoint)
	h, of.Country = h.text(25, inv.Country)
	if inv.Canary {
		h = h.add(26, 1)
	}
	h = h.time(27, inv.DueAt)
	h = h.time(28, inv.PeriodStart)
	h = h.time(29, inv.PeriodEnd)
	h = h.time(30, inv.ShippedAt)
	h, of.DeliveryRef = h.text(31, inv.DeliveryRef)
	h, _ = h.text(32, inv.ContractRef)
	h, of.OrderRef = h.text(33, inv.OrderRef)
	h, _ = h.text(34, inv.PriceListVersion)
	h = h.texts(35, inv.PromoCodes)
	h = h.texts(36, inv.LegalFieldsPresent)
	h, _ = h.text(37, inv.CRM.Plan)
	h = h.fixed(38, inv.CRM.DiscountRate)
	h, _ = h.text(39, inv.CRM.ContractVersion)
	h = h.time(40, inv.CRM.SyncedAt)
	return h
}

// lineNumber is that of a line as a whole; its fields have numbers of their own.
const lineNumber = 64

// line takes in line i and returns the hash of its product.
func (h hasher) line(i int, l *Line) (_ hasher, product uint64) {
	h = h.add(lineNumber, uint64(i)) // tells where one line ends, also an empty one
	h, _ = h.text(65, l.ID)
	h, product = h.text(66, l.ProductID)
	h, _ = h.text(67, l.ProductFamily)
	h, _ = h.text(68, l.Description)
	h = h.fixed(69, l.Quantity)
	h, _ = h.text(70, l.Unit)
	h = h.fixed(71, l.UnitPrice)
	h = h.fixed(72, l.ListUnitPrice)
	h = h.fixed(73, l.DiscountRate)
	h = h.amount(74, l.DiscountAmount)
	h = h.amount(75, l.Net)
	h = h.fixed(76, l.TaxRate)
	h = h.texts(77, l.PromoCodes)
	h, _ = h.text(78, l.OrderLineRef)
	h, _ = h.text(79, l.DeliveryRef)
	return h, product
}

// Missing tells which of the fields that belong on every invoice are absent.
func (inv *Invoice) Missing() (customerRef, customerType, productFamily bool) {
	return inv.CustomerRef == "", inv.CustomerType == "", inv.ProductFamily == ""
}

// hasher is the hash of the fields so far. What is absent or the default adds
// nothing.
type hasher uint64

// add takes in one value by a multiplication to 128 bits, both halves folded (the
// mixing of Wang Yi's wyhash). What was there before is added, so that no value
// can wipe it out.
func (h hasher) add(field, v uint64) hasher {
	const odd1, odd2 = 0xa0761d6478bd642f, 0xe7037ed1a0b428db
	high, low := bits.Mul64(uint64(h)^(field*odd1), v^odd2)
	return hasher((high ^ low) + bits.RotateLeft64(uint64(h), 29))
}

// text returns the hash of the text alone, too.
func (h hasher) text(field uint64, s string) (hasher, uint64) {
	if s == "" {
		return h, emptyHash
	}
	return h.filled(field, s)
}

// filled is text of one that is not empty: apart, so that text is inlined.
func (h hasher) filled(field uint64, s string) (hasher, uint64) {
	v := textHash(s)
	return h.add(field, v), v
}

// textHash is the XXH64 of a text with seed 0. Texts of fewer than 32 bytes, as most
// are, it hashes here: what a general function prepares for longer ones takes longer
// than that. The numbers are those of the specification
// (github.com/Cyan4973/xxHash, doc/xxhash_spec.md).
func textHash(s string) uint64 {
	const (
		prime1 uint64 = 0x9e3779b185ebca87
		prime2 uint64 = 0xc2b2ae3d27d4eb4f
		prime3 uint64 = 0x165667b19e3779f9
		prime4 uint64 = 0x85ebca77c2b2ae63
		prime5 uint64 = 0x27d4eb2f165667c5
	)
	if len(s) >= 32 {
		return xxhash.Sum64String(s)
	}
	h := prime5 + uint64(len(s))
	for ; len(s) >= 8; s = s[8:] {
		lane := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		h ^= bits.RotateLeft64(lane*prime2, 31) * prime1
		h = bits.RotateLeft64(h, 27)*prime1 + prime4
	}
	if len(s) >= 4 {
		lane := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
		h = bits.RotateLeft64(h^lane*prime1, 23)*prime2 + prime3
		s = s[4:]
	}
	for i := 0; i < len(s); i++ {
		h = bits.RotateLeft64(h^uint64(s[i])*prime5, 11) * prime1
	}
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}

func (h hasher) number(field uint64, v int64) hasher {
	if v == 0 {
		return h
	}
	return h.add(field, uint64(v))
}

func (h hasher) amount(field uint64, v OptionalAmount) hasher {
	if !v.Set {
		return h
	}
	return h.add(field, uint64(v.Value))
}

func (h hasher) fixed(field uint64, v OptionalFixed) hasher {
	if !v.Set {
		return h
	}
	return h.add(field, uint64(v.Value))
}

func (h hasher) time(field uint64, t time.Time) hasher {
	if t.IsZero() {
		return h
	}
	return h.add(field, uint64(t.UnixNano()))
}

// texts takes the number of texts in first: two lists must not run together.
func (h hasher) texts(field uint64, all []string) hasher {
	if len(all) == 0 {
		return h
	}
	h = h.add(field, uint64(len(all)))
	for _, s := range all {
		h = h.add(field, textHash(s))
	}
	return h
}
