package detectors

import (
	"fmt"

	"recoup/invoice"
)

// Detector looks for one cause of errors, on one standard invoice at a time. It
// is pure: the same subject gives the same finding. A detector is one file with
// its test; allDetectors lists them in the order their codes stand in a verdict.
type Detector interface {
	// Detect answers "which single change would make this invoice usual?"; ok is
	// false when it has no answer. The subject is valid during the call only. An
	// invoice without a finding must cost no allocation.
	Detect(s *Subject) (f Finding, ok bool)
}

// DetectorFunc is a function as a Detector.
type DetectorFunc func(s *Subject) (Finding, bool)

// Detect calls the function.
func (f DetectorFunc) Detect(s *Subject) (Finding, bool) { return f(s) }

// Subject is an invoice with everything detectors may know of it.
type Subject struct {
	Invoice *invoice.Invoice // only to be read, and only during Detect
	// Changed: an invoice of the same identity with other content came before.
	Changed bool
	// FirstForDelivery is the id of the invoice that the same delivery was
	// invoiced with before, "" for none.
	FirstForDelivery string
	// Expected is what the customer usually pays, 0 without any history.
	Expected invoice.Amount

	pays payable
	ev   *evidence // all that is unusual about the invoice
}

// Pays returns what the customer pays for a net amount of this invoice, rounded
// half-even to the currency's coin and held at the limits of Amount.
func (s *Subject) Pays(net invoice.Amount) invoice.Amount { return s.pays.of(net) }

// Money writes an amount with its currency, for evidence.
func (s *Subject) Money(a invoice.Amount) string {
	return fmt.Sprintf("%v %s", a, s.Invoice.Currency)
}

// allDetectors are the detectors in use.
var allDetectors = []Detector{
	DetectorFunc(detectZeroNet),
	DetectorFunc(detectLineSum),
	DetectorFunc(detectLineNet),
	DetectorFunc(detectLineCount),
	DetectorFunc(detectCutList),
	DetectorFunc(detectTax),
	DetectorFunc(detectCurrency),
	DetectorFunc(detectNetSlip),
	DetectorFunc(detectLineSlip),
	DetectorFunc(detectPriceSlip),
	DetectorFunc(detectPrice),
	DetectorFunc(detectQuantityDelivered),
	DetectorFunc(detectQuantitySlip),
	DetectorFunc(detectQuantity),
	DetectorFunc(detectPromotion),
	DetectorFunc(detectPriceScale),
	DetectorFunc(detectPriceTier),
	DetectorFunc(detectContract),
	DetectorFunc(detectTerms),
	DetectorFunc(detectFreshContract),
	DetectorFunc(detectCustomerType),
	DetectorFunc(detectCRMFields),
	DetectorFunc(detectListPrice),
	DetectorFunc(detectNewPrice),
	DetectorFunc(detectStaleList),
	DetectorFunc(detectSecondInvoiceForDelivery),
	DetectorFunc(detectNearDuplicate),
	DetectorFunc(detectBeforeShipment),
	DetectorFunc(detectMissingAdminData),
	DetectorFunc(detectSameIDChanged),
}
