package cases

import (
	"slices"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// Subject is what the decision log says of a suspect invoice beside its verdict:
// whatever suspects may have in common, and what a case needs that is opened later
// than the verdict was made. What the invoice does not name is left out.
type Subject struct {
	SourceSystem     string    `json:"source_system,omitempty"`      // billing system that made it
	SourceRelease    string    `json:"source_release,omitempty"`     // its release
	BatchID          string    `json:"batch_id,omitempty"`           // billing run
	OperatorRef      string    `json:"operator_ref,omitempty"`       // pseudonym of who typed it
	PriceListVersion string    `json:"price_list_version,omitempty"` // where its prices came from
	CRMVersion       string    `json:"crm_version,omitempty"`        // of the contract, as the customer system knew it
	PromoCodes       []string  `json:"promo_codes,omitempty"`        // of the invoice and its lines, each once, sorted
	CustomerRef      string    `json:"customer_ref,omitempty"`       // pseudonym
	CustomerType     string    `json:"customer_type,omitempty"`      // segment margin
	ProductFamily    string    `json:"product_family,omitempty"`     // segment margin
	Country          string    `json:"country,omitempty"`            // of the customer
	InvoiceNumber    string    `json:"invoice_number,omitempty"`     // what the customer reads
	DeliveryRef      string    `json:"delivery_ref,omitempty"`       // delivery note
	IssuedAt         time.Time `json:"issued_at"`                    // as the invoice claims, UTC
	ReceivedAt       time.Time `json:"received_at"`                  // timestamp of its record, UTC
	Canary           bool      `json:"canary,omitempty"`             // produced by recoup to prove that it sees
}

// OpenDecided builds the case of a suspect of which the decision log alone is left. The
// verdict need not name a case.
func (o Opener) OpenDecided(v *detectors.Verdict, s *Subject, detected time.Time) *Case {
	inv := &invoice.Invoice{Seller: v.Seller, ID: v.InvoiceID, Revision: v.Revision, Stage: v.Stage,
		IssuedAt: s.IssuedAt, Currency: v.Currency, Number: s.InvoiceNumber, CustomerRef: s.CustomerRef,
		CustomerType: s.CustomerType, ProductFamily: s.ProductFamily, SourceSystem: s.SourceSystem,
		SourceRelease: s.SourceRelease, BatchID: s.BatchID, OperatorRef: s.OperatorRef, Country: s.Country,
		DeliveryRef: s.DeliveryRef, PriceListVersion: s.PriceListVersion, PromoCodes: s.PromoCodes}
	named := *v
	named.CaseID = ID(DedupKey(v.Seller, v.InvoiceID, v.Revision))
	c := o.Open(inv, &named, s.ReceivedAt, detected)
	c.IncidentID = v.IncidentID
	return c
}

// mostPromoCodes bounds what a subject names: more codes than these on one invoice
// have nothing in common with another's.
const mostPromoCodes = 20

// SubjectOf copies what a subject holds of an invoice. received is the time of its record.
func SubjectOf(inv *invoice.Invoice, received time.Time) *Subject {
	s := &Subject{
		SourceSystem: inv.SourceSystem, SourceRelease: inv.SourceRelease, BatchID: inv.BatchID,
		OperatorRef: inv.OperatorRef, PriceListVersion: inv.PriceListVersion, CRMVersion: inv.CRM.ContractVersion,
		CustomerRef: inv.CustomerRef, CustomerType: inv.CustomerType, ProductFamily: inv.ProductFamily,
		Country: inv.Country, InvoiceNumber: inv.Number, DeliveryRef: inv.DeliveryRef,
		IssuedAt: inv.IssuedAt.UTC(), ReceivedAt: received.UTC(), Canary: inv.Canary,
	}
	for _, text := range []*string{&s.SourceSystem, &s.SourceRelease, &s.BatchID, &s.OperatorRef, &s.PriceListVersion,
		&s.CRMVersion, &s.CustomerRef, &s.CustomerType, &s.ProductFamily, &s.Country, &s.InvoiceNumber, &s.DeliveryRef} {
		*text = strings.Clone(*text)
	}
	s.PromoCodes = promoCodes(inv)
	return s
}

// promoCodes returns the codes of an invoice and its lines.
func promoCodes(inv *invoice.Invoice) (codes []string) {
	add := func(list []string) {
		for _, code := range list {
			if code != "" && len(codes) < mostPromoCodes && !slices.Contains(codes, code) {
				codes = append(codes, strings.Clone(code))
			}
		}
	}
	add(inv.PromoCodes)
	for i := range inv.Lines {
		add(inv.Lines[i].PromoCodes)
	}
	slices.Sort(codes)
	return codes
}

// Correction is a document that puts an invoice right: a credit note or correction
// that names the invoice, or a later revision of it. It settles that invoice's case.
type Correction struct {
	Seller string `json:"seller"` // whose invoices
	// PrecedingNumber is the number of the invoice that is put right; "" for a later
	// revision, which puts right what has its InvoiceID and a lower revision.
	PrecedingNumber string         `json:"preceding_number,omitempty"`
	InvoiceID       string         `json:"invoice_id"`               // of the document
	InvoiceNumber   string         `json:"invoice_number,omitempty"` // of the document
	Revision        int64          `json:"revision"`                 // of the document
	Type            string         `json:"type"`                     // credit_note, correction; invoice: a revision
	Net             invoice.Amount `json:"net_amount"`               // of the document, before tax
	Billed          invoice.Amount `json:"billed"`                   // of the document, what the customer pays by it
	Currency        string         `json:"currency"`                 // of both amounts
	IssuedAt        time.Time      `json:"issued_at"`                // of the document, UTC
}

// CorrectionOf returns what a document puts right, nil when that is nothing. billed is
// what the customer pays by it. Drafts and recoup's own canaries put nothing right.
func CorrectionOf(inv *invoice.Invoice, billed invoice.Amount) *Correction {
	preceding := inv.PrecedingID
	says := preceding != ""
	if inv.Type == invoice.Standard {
		preceding, says = "", inv.Revision > 0
	}
	if !says || inv.Stage != invoice.Issued || inv.Canary {
		return nil
	}
	return &Correction{Seller: strings.Clone(inv.Seller), PrecedingNumber: strings.Clone(preceding),
		InvoiceID: strings.Clone(inv.ID), InvoiceNumber: strings.Clone(inv.Number), Revision: inv.Revision,
		Type: inv.Type.String(), Net: inv.NetAmount, Billed: billed, Currency: strings.Clone(inv.Currency),
		IssuedAt: inv.IssuedAt.UTC()}
}
