package detectors

// proofEnough is the probability from which evidence counts as proved: training
// has nothing to add to it.
const proofEnough = 0.85

// proof is the highest probability that exact evidence gives by itself, whatever
// was learned: 0 without any.
func (e *evidence) proof() (p float64) {
	x := &e.x
	at := func(on bool, q float64) {
		if on && q > p {
			p = q
		}
	}
	at(x[fSumOff] > 0.0001, 0.985)
	at(x[fLineOff] > 0, 0.975)
	at(x[fTaxOff] > 0.002, 0.95)
	at(x[fGrossOff] > 0.0005, 0.95)
	at(x[fZero] > 0, 0.99)
	at(x[fCurrencyPolicy] > 0, 0.97)
	at(x[fCurrencyRare] > 0.8, 0.9)
	at(x[fCodeTwice] > 0, 0.95)
	at(x[fOverCap] > 0.001, 0.95)
	at(x[fPromoExpired] > 0, 0.9)
	at(x[fUnitsOff] != 0 || x[fLinesOff] != 0, 0.98)
	at(x[fDelivery2] > 0, 0.97)
	at(x[fNoDelivery] > 0.98, 0.9)
	at(x[fNoCustomer] > 0.97, 0.9)
	at(x[fNoType] > 0.98, 0.9)
	at(x[fNoFamily] > 0.98, 0.9)
	at(x[fNoShipped] > 0.98, 0.9)
	at(x[fNoOrderNumber] > 0.93, 0.85)
	at(x[fNoVAT] > 0.93, 0.85)
	at(x[fTypeRare] > 0.8, 0.85)
	at(x[fTaxRare] > 0.8 && x[fTaxCountry] > 0.9, 0.9)
	return p
}
