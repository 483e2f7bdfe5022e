package detectors

import (
	"slices"

	"recoup/invoice"
)

// Dimension is what invoices may have in common and what a shared error may come from.
type Dimension uint8

// The dimensions that are counted. The first is all a seller bills.
const (
	DimensionSeller     Dimension = iota // every invoice; its one value is ""
	DimensionRelease                     // source_release
	DimensionBatch                       // batch_id
	DimensionPromotion                   // each code of the invoice and its lines
	DimensionOperator                    // operator_ref
	DimensionPriceList                   // price_list_version
	DimensionCRMVersion                  // crm.contract_version
	DimensionSource                      // source_system
	DimensionSegment                     // "customer_type/product_family"
	Dimensions          = 9              // how many there are
)

var dimensionNames = [Dimensions]string{"seller", "release", "batch", "promotion", "operator", "price_list",
	"crm_version", "source", "segment"}

// String returns the name that stands in keys, such as "price_list".
func (d Dimension) String() string { return dimensionNames[d] }

// ParseDimension returns the dimension of a name; ok is false when there is none.
func ParseDimension(name string) (d Dimension, ok bool) {
	at := slices.Index(dimensionNames[:], name)
	return Dimension(max(at, 0)), at >= 0
}

// mostPromotions is how many codes of one invoice are counted: what more of them
// have in common is nothing.
const mostPromotions = 20

// SegmentValue is the value of DimensionSegment.
func SegmentValue(customerType, productFamily string) string {
	return customerType + "/" + productFamily
}

// promotionsOf appends the codes of an invoice and its lines to dst, each once.
func promotionsOf(dst []string, inv *invoice.Invoice) []string {
	for _, code := range inv.PromoCodes {
		dst = addPromotion(dst, code)
	}
	for i := range inv.Lines {
		for _, code := range inv.Lines[i].PromoCodes {
			dst = addPromotion(dst, code)
		}
	}
	return dst
}

func addPromotion(codes []string, code string) []string {
	if code == "" || len(codes) == mostPromotions || slices.Contains(codes, code) {
		return codes
	}
	return append(codes, code)
}

// valueOf returns the invoice's one value of a dimension, "" for none. Promotions
// and segments are not asked for here: an invoice has several, or it takes memory.
func valueOf(d Dimension, inv *invoice.Invoice) string {
	switch d {
	case DimensionRelease:
		return inv.SourceRelease
	case DimensionBatch:
		return inv.BatchID
	case DimensionOperator:
		return inv.OperatorRef
	case DimensionPriceList:
		return inv.PriceListVersion
	case DimensionCRMVersion:
		return inv.CRM.ContractVersion
	case DimensionSource:
		return inv.SourceSystem
	}
	return ""
}
