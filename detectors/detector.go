package detectors

import (
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

	pays  payable
	prose *prose    // where sentences are written
	ev    *evidence // all that is unusual about the invoice
}

// Pays returns what the customer pays for a net amount of this invoice, rounded
// half-even to the currency's coin and held at the limits of Amount.
func (s *Subject) Pays(net invoice.Amount) invoice.Amount { return s.pays.of(net) }

// Money writes an amount with its currency, for evidence.
func (s *Subject) Money(a invoice.Amount) string {
	return s.say("%v %s", a, s.Invoice.Currency)
}

// check is a detector with what it looks at: it is asked only about invoices that
// show one of these features, without any about all that pass a gate.
type check struct {
	Detector
	of featureSet
}

func asked(detect DetectorFunc, about ...feature) check {
	c := check{Detector: detect}
	for _, f := range about {
		c.of.add(f)
	}
	return c
}

// allDetectors are the detectors in use.
var allDetectors = []check{
	asked(detectZeroNet, fZero),
	asked(detectLineSum, fSumOff),
	asked(detectLineNet, fLineOff),
	asked(detectLineCount, fLinesOff, fRepeated),
	asked(detectCutList),
	asked(detectTax, fTaxOff, fGrossOff, fTaxRare, fTaxCountry),
	asked(detectCurrency, fCurrencyPolicy, fCurrencyRare, fCurrencySeller),
	asked(detectNetSlip, fSumOff),
	asked(detectLineSlip, fLineOff),
	asked(detectPriceSlip, fSlip, fSlipDigit),
	asked(detectPrice, fWorst),
	asked(detectQuantityDelivered, fUnitsOff),
	asked(detectQuantitySlip, fQuantitySlip),
	asked(detectQuantity, fQuantity),
	asked(detectPromotion, fRate),
	asked(detectPriceScale, fScale),
	asked(detectPriceTier, fOff),
	asked(detectContract, fContract, fContractNone),
	asked(detectTerms, fTermsRare),
	asked(detectFreshContract, fRate),
	asked(detectCustomerType),
	asked(detectCRMFields),
	asked(detectListPrice, fOff),
	asked(detectNewPrice, fAgree),
	asked(detectStaleList),
	asked(detectSecondInvoiceForDelivery, fDelivery2),
	asked(detectNearDuplicate),
	asked(detectBeforeShipment, fNoShipped, fEarly),
	asked(detectMissingAdminData, absentFeatures...),
	asked(detectSameIDChanged),
}
