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

	SourceSystem  string // billing system that made the invoice
	SourceRelease string // its release; errors that share one are found together
	BatchID       string // billing run
	EntryChannel  string // manual, import, api or recurring
	OperatorRef   string // pseudonym of the person who typed it
	SalesPoint    string // shop or branch
	Country       string // of the customer
	Canary        bool   // produced by recoup itself to prove that it sees

	DueAt       time.Time // when payment is due; a date means its midnight UTC
	PeriodStart time.Time // first day of the billed period
	PeriodEnd   time.Time // last day of the billed period
	ShippedAt   time.Time // when the goods left

	DeliveryRef        string   // delivery note; finds one delivery billed twice
	ContractRef        string   // contract it is billed under
	OrderRef           string   // order it answers
	PriceListVersion   string   // price list the prices came from
	PromoCodes         []string // promotions applied to the invoice
	LegalFieldsPresent []string // names of the administrative fields that are filled
	CRM                CRM      // what the customer system held when the invoice was made
	Lines              []Line   // in the order of the record; at most Limits.Lines
	TraceParent        string   // W3C trace context, carried through unchanged

	unescaped []byte // what strings with JSON escapes point into; reused by Decode
}

// CRM is what the customer system held when the invoice was made.
type CRM struct {
	Plan            string        // tariff of the customer
	DiscountRate    OptionalFixed // fraction
	ContractVersion string        // of the contract, as that system knew it
	SyncedAt        time.Time     // when billing last read the customer system
}

// Line is one line of an invoice.
type Line struct {
	ID             string         // line_id: number or id within the invoice
	ProductID      string         // key of unit prices
	ProductFamily  string         // of the product; may differ from the invoice's
	Description    string         // cut to 200 characters
	Quantity       OptionalFixed  // in Unit; negative on returns
	Unit           string         // what Quantity counts, free text
	UnitPrice      OptionalFixed  // currency units per Unit, before the line's discount
	ListUnitPrice  OptionalFixed  // the same as the price list says
	DiscountRate   OptionalFixed  // fraction
	DiscountAmount OptionalAmount // taken off the line, positive
	Net            OptionalAmount // line_net, after the line's discount
	TaxRate        OptionalFixed  // fraction
	PromoCodes     []string       // promotions applied to this line
	OrderLineRef   string         // line of the order it answers
	DeliveryRef    string         // delivery of this line, where it differs from the invoice's
}

// OptionalAmount is an Amount that may be absent; the zero value is absent.
type OptionalAmount struct {
	Value Amount // 0 when absent
	Set   bool   // the record has it
}

// OptionalFixed is a Fixed that may be absent; the zero value is absent.
type OptionalFixed struct {
	Value Fixed // 0 when absent
	Set   bool  // the record has it
}

// Position is where a record stands: the source of a verdict and the unit of
// every "exactly once" promise.
type Position struct {
	Topic       string `json:"topic"`       // name in Kafka
	Incarnation int64  `json:"incarnation"` // raised when the topic was recreated; 0 at first
	Partition   int    `json:"partition"`   // from 0
	Offset      int64  `json:"offset"`      // from 0; never used twice in one incarnation
}
