package detectors

import (
	"math"
	"math/bits"
)

// gates say from which value on a feature is worth a closer look: detectors and
// classifier are asked about invoices only that pass one of them. Nearly all
// short invoices pass none. The values are so low that what passes none is as
// likely wrong as any other: with the gates the average precision on the retail
// and grocery corpora is the same within 0.002.
var gates = [features]float32{
	fSumOff: always, fLineOff: always, fTaxOff: always, fGrossOff: always, fZero: always, fZeroPrice: always,
	fRepeated: always, fCurrencyRare: 0.2, fCurrencySeller: 0.2, fCurrencyPolicy: always, fTaxRare: 0.5,
	fTaxCountry: 0.5, fTypeRare: 0.5, fNoOrderNumber: 0.6, fNoVAT: 0.6, fNoDelivery: 0.5, fNoShipped: 0.5,
	fNoCustomer: 0.5, fNoType: 0.5, fNoFamily: 0.5, fEarly: always, fNew: always, fOff: always, fScale: always,
	fPairOff: always, fQuantity: 2.5, fQuantitySlip: always, fUnitsOff: always, fLinesOff: always, fNetBelow: always,
	fNetNew: always, fOverCap: always, fContract: always, fContractNone: always, fTermsRare: 0.5, fPromoOff: always,
	fPromoExpired: always, fPromoUnknown: always, fPromoFamily: always, fAllowedOff: 0.0005, fCodeNew: always,
	fCodeRare: 0.9, fCodeFamily: always, fCodes: always, fCodesAll: always, fRateNoCode: always, fCodeTwice: always,
	fNotCounted: always, fDelivery2: always, fOrder2: always, fProducts2: always, fGoods2: always, fContent2: always,
	fPeriod2: always, fAlike2: 0.5, fNetZ: 3, fLinesZ: 2, fLike: 3, fLikeNet: 3, fRate: 0.5, fFlat: always,
	fShipped2: always, fTenfold: always,
	fBurst: 0.25, fBurst + 1: 0.25, fBurst + 2: 0.25, fBurst + 3: 0.25, fBurst + 4: 0.25, fBurst + 7: 0.25,
}

// always is a value that everything but 0 is above.
const always = 1e-9

// gateBits are the bits of the gates: of positive floats they have the same order.
var gateBits = func() (list [features]uint32) {
	for f, from := range gates {
		list[f] = math.Float32bits(from)
	}
	return list
}()

// gated are the features with a gate.
var gated = func() (set featureSet) {
	for f, from := range gates {
		if from > 0 {
			set.add(feature(f))
		}
	}
	return set
}()

// featureSet is a set of features, a bit each.
type featureSet [(features + 63) / 64]uint64

func (s *featureSet) add(f feature) { s[f/64] |= 1 << (f % 64) }

func (s *featureSet) none() bool { return *s == featureSet{} }

// meets tells whether two sets have a feature in common.
func (s *featureSet) meets(o *featureSet) bool {
	for i := range s {
		if s[i]&o[i] != 0 {
			return true
		}
	}
	return false
}

// sign is the bit of a float32 that tells negative numbers.
const sign = 1 << 31

// usual tells whether the evidence passes no gate. It then proves nothing either, but
// for the kinds of belowGates.
func (e *evidence) usual() bool {
	if e.cut >= leastCut || e.staleList() {
		return false
	}
	for i, set := range e.shown {
		for set &= gated[i]; set != 0; set &= set - 1 {
			f := 64*i + bits.TrailingZeros64(set)
			if math.Float32bits(e.x[f])&^sign >= gateBits[f] {
				return false
			}
		}
	}
	return true
}
