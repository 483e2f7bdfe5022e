package load

import (
	"strconv"

	"recoup/invoice"
)

// Truth is what is known about one record; as JSON it is one line of the ledger.
type Truth struct {
	Seq       int64          `json:"seq"`                  // 0 for the first record of the stream
	Partition int            `json:"partition"`            // it was sent to
	Offset    int64          `json:"offset"`               // in that partition, as on an empty topic until it is sent
	Key       string         `json:"key"`                  // customer_ref
	Seller    string         `json:"seller,omitempty"`     // "" for garbage
	InvoiceID string         `json:"invoice_id,omitempty"` // "" for garbage
	Net       invoice.Amount `json:"net"`                  // as billed, before tax; 0 for garbage
	// Loss is what the error costs, tax included: what should have been billed less
	// what was billed. Negative for a duplicate.
	Loss        invoice.Amount `json:"loss"`
	WarmUp      bool           `json:"warm_up,omitempty"`      // right, and sent first to fill the baselines
	Injected    bool           `json:"injected,omitempty"`     // holds an error of Kind
	Kind        string         `json:"kind,omitempty"`         // one of Kinds()
	Redelivery  bool           `json:"redelivery,omitempty"`   // the same bytes came before on this partition
	Late        bool           `json:"late,omitempty"`         // issued at least an hour before its neighbours
	Skewed      bool           `json:"skewed,omitempty"`       // issued by a clock that is ahead
	GarbageKind string         `json:"garbage_kind,omitempty"` // one of GarbageKinds(); cannot be decoded
}

// HasRow tells whether the record becomes a row of scored_invoices.
func (t *Truth) HasRow() bool { return t.GarbageKind == "" && !t.Redelivery }

// WantsCase tells whether the record is the first delivery of an invoice with an error.
func (t *Truth) WantsCase() bool { return t.Injected && t.HasRow() }

// AppendJSON appends the truth as one line of the ledger, its line end included.
func (t *Truth) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"seq":`...)
	dst = strconv.AppendInt(dst, t.Seq, 10)
	dst = append(dst, `,"partition":`...)
	dst = strconv.AppendInt(dst, int64(t.Partition), 10)
	dst = append(dst, `,"offset":`...)
	dst = strconv.AppendInt(dst, t.Offset, 10)
	dst = appendText(dst, "key", t.Key)
	dst = appendText(dst, "seller", t.Seller)
	dst = appendText(dst, "invoice_id", t.InvoiceID)
	dst = append(dst, `,"net":"`...)
	dst = appendCents(dst, int64(t.Net)/unitsPerCent)
	dst = append(dst, `","loss":"`...)
	dst = appendCents(dst, int64(t.Loss)/unitsPerCent)
	dst = append(dst, '"')
	dst = appendFlag(dst, "warm_up", t.WarmUp)
	dst = appendFlag(dst, "injected", t.Injected)
	dst = appendText(dst, "kind", t.Kind)
	dst = appendFlag(dst, "redelivery", t.Redelivery)
	dst = appendFlag(dst, "late", t.Late)
	dst = appendFlag(dst, "skewed", t.Skewed)
	dst = appendText(dst, "garbage_kind", t.GarbageKind)
	return append(dst, '}', '\n')
}

// appendText appends a member unless it is empty. Values of this package need no escapes.
func appendText(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':', '"')
	dst = append(dst, value...)
	return append(dst, '"')
}

// appendFlag appends a true member, and nothing for false.
func appendFlag(dst []byte, name string, value bool) []byte {
	if !value {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	return append(dst, `":true`...)
}

// appendCents appends an amount given in cents with two decimals.
func appendCents(dst []byte, cents int64) []byte {
	if cents < 0 {
		dst, cents = append(dst, '-'), -cents
	}
	dst = strconv.AppendInt(dst, cents/100, 10)
	return append(dst, '.', byte('0'+cents/10%10), byte('0'+cents%10))
}
