// Package invoice is the vocabulary every other package speaks: the invoice
// and its lines, exact amounts, the strict decoder of the invoice.v1 contract,
// and the position of a record in its log. It knows neither Kafka nor
// ClickHouse.
package invoice

import "time"

// Schema is the value of the "schema" field of every record this package decodes.
const Schema = "invoice.v1"

// Anonymous is the customer_ref of counter sales, which have no customer.
const Anonymous = "anonymous"

// Stage tells whether an invoice was already sent to its customer.
type Stage uint8

// The stages of the contract; a record without a stage is Issued.
const (
	Issued   Stage = iota // sent to the customer
	PreIssue              // asked about before it is sent: at most held, never a case, teaches nothing
)

// Type tells an invoice from the documents that correct one.
type Type uint8

// The document types of the contract; a record without a type is Standard.
const (
	Standard   Type = iota // "invoice"
	CreditNote             // "credit_note"
	Correction             // "correction"
)

// Invoice is one decoded invoice.v1 record.
//
// Its strings point into the buffer that was decoded and its slices are reused
// by the next Decode into the same Invoice: whoever keeps any of it longer
// copies it. An absent optional string is "", an absent time is the zero Time,
// an absent number has Set == false.
type Invoice struct {
	EventID       string    // unique per emitted event
	Seller        string    // the company that bills; baselines never cross sellers
	ID            string    // invoice_id: technical identity within the seller
	Revision      int64     // 0 for the first form; counts up with every change, never negative
	Stage         Stage     // issued or pre_issue
	Type          Type      // invoice, credit note or correction
	IssuedAt      time.Time // event time, UTC
	Currency      string    // ISO 4217 code, known to this package
	NetAmount     Amount    // before tax; the amount the 15 % rule compares
	Number        string    // invoice_number: what the customer reads
	PrecedingID   string    // preceding_invoice_number: what a correction corrects
	CustomerRef   string    // pseudonym, or Anonymous
	CustomerType  string    // segment margin
	ProductFamily string    // segment margin

	GrossAmount    OptionalAmount // after tax
	TaxAmount      OptionalAmount // tax in currency units
	DiscountAmount OptionalAmount // taken off the sum of the lines, positive
	PrepaidAmount  OptionalAmount // already paid, not part of net or gross
	TaxRate        OptionalFixed  // fraction: 0.175 is 17.5 %

	SourceSystem, SourceRelease, BatchID string
	EntryChannel                         string // manual, import, api or recurring
	OperatorRef, SalesPoint, Country     string
	Canary                               bool // produced by recoup itself to prove that it sees

	DueAt, PeriodStart, PeriodEnd, ShippedAt time.Time

	DeliveryRef, ContractRef, OrderRef, PriceListVersion string
	PromoCodes                                           []string
	LegalFieldsPresent                                   []string // names of the administrative fields that are filled
	CRM                                                  CRM
	Lines                                                []Line
	TraceParent                                          string // W3C trace context, carried through unchanged

	unescaped []byte // what strings with JSON escapes point into; reused by Decode
}

// CRM is what the customer system held when the invoice was made.
type CRM struct {
	Plan            string
	DiscountRate    OptionalFixed // fraction
	ContractVersion string
	SyncedAt        time.Time
}

// Line is one line of an invoice.
type Line struct {
	ID, ProductID, ProductFamily string
	Description                  string        // cut to 200 characters
	Quantity                     OptionalFixed // in Unit; negative on returns
	Unit                         string
	UnitPrice, ListUnitPrice     OptionalFixed // currency units per Unit
	DiscountRate                 OptionalFixed // fraction
	DiscountAmount               OptionalAmount
	Net                          OptionalAmount // line_net, after the line's discount
	TaxRate                      OptionalFixed
	PromoCodes                   []string
	OrderLineRef, DeliveryRef    string
}

// OptionalAmount is an Amount that may be absent; the zero value is absent.
type OptionalAmount struct {
	Value Amount
	Set   bool
}

// OptionalFixed is a Fixed that may be absent; the zero value is absent.
type OptionalFixed struct {
	Value Fixed
	Set   bool
}

// Position is where a record stands: the source of a verdict and the unit of
// every "exactly once" promise.
type Position struct {
	Topic       string `json:"topic"`
	Incarnation int64  `json:"incarnation"` // raised when the topic was recreated; 0 at first
	Partition   int    `json:"partition"`
	Offset      int64  `json:"offset"`
}
