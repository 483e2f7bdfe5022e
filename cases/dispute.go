package cases

import (
	"time"

	"recoup/invoice"
)

// DisputeSchema is the "schema" of every record in recoup.disputes.
const DisputeSchema = "dispute.v1"

// Reason is what a customer who disputes an invoice says.
type Reason string

// The reasons of the contract.
const (
	ReasonWrongAmount     Reason = "wrong_amount"     // the sum
	ReasonPrice           Reason = "price"            // not the one agreed
	ReasonDuplicate       Reason = "duplicate"        // billed before
	ReasonNotDelivered    Reason = "not_delivered"    // nothing came
	ReasonQuality         Reason = "quality"          // what came is not good
	ReasonMissingDocument Reason = "missing_document" // an order number, a delivery note
	ReasonOther           Reason = "other"            // anything else
)

var reasons = []Reason{ReasonWrongAmount, ReasonPrice, ReasonDuplicate, ReasonNotDelivered, ReasonQuality,
	ReasonMissingDocument, ReasonOther}

// Dispute is dispute.v1: a customer says that something is wrong with an invoice.
type Dispute struct {
	EventID   string    // unique; a repeat is ignored
	Seller    string    // the company that bills
	InvoiceID string    // the disputed invoice
	Reason    Reason    // what the customer says
	At        time.Time // when the customer said so, UTC
}

var disputeTable = invoice.NewTable(DisputeSchema, []invoice.Column[Dispute]{
	{Name: "event_id", Form: invoice.Identity, Required: true, At: func(d *Dispute) any { return &d.EventID }},
	{Name: "seller", Form: invoice.Identity, Required: true, At: func(d *Dispute) any { return &d.Seller }},
	{Name: "invoice_id", Form: invoice.Identity, Required: true, At: func(d *Dispute) any { return &d.InvoiceID }},
	{Name: "reason", Required: true, At: func(d *Dispute) any { return oneOf(&d.Reason, reasons) }},
	{Name: "at", Form: invoice.Instant, Required: true, At: func(d *Dispute) any { return &d.At }},
})

// DecodeDispute reads one record of recoup.disputes. The error is always an
// *invoice.DecodeError; the dispute shares no memory with data.
func DecodeDispute(data []byte) (*Dispute, error) {
	return decode(disputeTable, data, func(*Dispute) *invoice.DecodeError { return nil })
}

// Encode returns the record that DecodeDispute reads back to the same dispute.
// The error is that of a dispute which DecodeDispute would refuse.
func (d *Dispute) Encode() ([]byte, error) { return encode(disputeTable, d, DecodeDispute) }
