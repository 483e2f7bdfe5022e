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
		h.Products = append(h.Products, content.line(i, &inv.Lines[i]))
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
		h.line(i, &inv.Lines[i])
	}
	return uint64(h)
}

// hashFields returns the hash of all fields but the lines, and fills in those of
// single fields.
func (inv *Invoice) hashFields(of *Hashes) (h hasher) {
	of.Seller = h.text(1, inv.Seller)
	of.ID = h.text(2, inv.ID)
	h.number(3, inv.Revision)
	h.number(4, int64(inv.Stage))
	h.number(5, int64(inv.Type))
	h.time(6, inv.IssuedAt)
	of.Currency = h.text(7, inv.Currency)
	h.number(8, int64(inv.NetAmount))
	h.text(9, inv.Number)
	h.text(10, inv.PrecedingID)
	of.CustomerRef = h.text(11, inv.CustomerRef)
	of.CustomerType = h.text(12, inv.CustomerType)
	of.ProductFamily = h.text(13, inv.ProductFamily)
	h.amount(14, inv.GrossAmount)
	h.amount(15, inv.TaxAmount)
	h.amount(16, inv.DiscountAmount)
	h.amount(17, inv.PrepaidAmount)
	h.fixed(18, inv.TaxRate)
	of.SourceSystem = h.text(19, inv.SourceSystem)
	of.SourceRelease = h.text(20, inv.SourceRelease)
	of.BatchID = h.text(21, inv.BatchID)
	h.text(22, inv.EntryChannel)
	h.text(23, inv.OperatorRef)
	h.text(24, inv.SalesPoint)
	of.Country = h.text(25, inv.Country)
	if inv.Canary {
		h.add(26, 1)
	}
	h.time(27, inv.DueAt)
	h.time(28, inv.PeriodStart)
	h.time(29, inv.PeriodEnd)
	h.time(30, inv.ShippedAt)
	of.DeliveryRef = h.text(31, inv.DeliveryRef)
	h.text(32, inv.ContractRef)
	of.OrderRef = h.text(33, inv.OrderRef)
	h.text(34, inv.PriceListVersion)
	h.texts(35, inv.PromoCodes)
	h.texts(36, inv.LegalFieldsPresent)
	h.text(37, inv.CRM.Plan)
	h.fixed(38, inv.CRM.DiscountRate)
	h.text(39, inv.CRM.ContractVersion)
	h.time(40, inv.CRM.SyncedAt)
	return h
}

// lineNumber is that of a line as a whole; its fields have numbers of their own.
const lineNumber = 64

// line takes in line i and returns the hash of its product.
func (h *hasher) line(i int, l *Line) (product uint64) {
	h.add(lineNumber, uint64(i)) // tells where one line ends, also an empty one
	h.text(65, l.ID)
	product = h.text(66, l.ProductID)
	h.text(67, l.ProductFamily)
	h.text(68, l.Description)
	h.fixed(69, l.Quantity)
	h.text(70, l.Unit)
	h.fixed(71, l.UnitPrice)
	h.fixed(72, l.ListUnitPrice)
	h.fixed(73, l.DiscountRate)
	h.amount(74, l.DiscountAmount)
	h.amount(75, l.Net)
	h.fixed(76, l.TaxRate)
	h.texts(77, l.PromoCodes)
	h.text(78, l.OrderLineRef)
	h.text(79, l.DeliveryRef)
	return product
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
func (h *hasher) add(field, v uint64) {
	const odd1, odd2 = 0xa0761d6478bd642f, 0xe7037ed1a0b428db
	high, low := bits.Mul64(uint64(*h)^(field*odd1), v^odd2)
	*h = hasher((high ^ low) + bits.RotateLeft64(uint64(*h), 29))
}

// text returns the hash of the text alone.
func (h *hasher) text(field uint64, s string) uint64 {
	if s == "" {
		return emptyHash
	}
	v := xxhash.Sum64String(s)
	h.add(field, v)
	return v
}

func (h *hasher) number(field uint64, v int64) {
	if v != 0 {
		h.add(field, uint64(v))
	}
}

func (h *hasher) amount(field uint64, v OptionalAmount) {
	if v.Set {
		h.add(field, uint64(v.Value))
	}
}

func (h *hasher) fixed(field uint64, v OptionalFixed) {
	if v.Set {
		h.add(field, uint64(v.Value))
	}
}

func (h *hasher) time(field uint64, t time.Time) {
	if !t.IsZero() {
		h.add(field, uint64(t.UnixNano()))
	}
}

// texts takes the number of texts in first: two lists must not run together.
func (h *hasher) texts(field uint64, all []string) {
	if len(all) == 0 {
		return
	}
	h.add(field, uint64(len(all)))
	for _, s := range all {
		h.add(field, xxhash.Sum64String(s))
	}
}
