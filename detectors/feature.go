package detectors

// feature numbers one figure of the evidence that the model reads.
type feature uint8

// The features. 0 always is "nothing unusual, or nothing known". Logarithms are
// natural; shares are 0 to 1; "rare" is 1 - the share of the past that was so.
const (
	fSumOff         feature = iota // net amount against the sum of lines, relative
	fLineOff                       // worst line: net against quantity × price × (1 - discount), relative
	fLineOffShare                  // lines that are off
	fLineWhole                     // lines that are off and whole currency units
	fTaxOff                        // tax amount against net × rate, relative to net
	fGrossOff                      // gross against net + tax, relative
	fZero                          // net amount 0 with lines
	fZeroPrice                     // lines without a price
	fRepeated                      // lines that stand twice
	fCurrencyRare                  // currency, for the customer
	fCurrencySeller                // currency, for the seller
	fCurrencyPolicy                // currency is not the seller's by policy
	fTaxRare                       // tax rate, for the customer
	fTaxCountry                    // tax rate, for the country
	fTaxKnown                      // logarithm of invoices behind fTaxRare
	fTypeRare                      // customer type, for the customer
	fTypeKnown                     // logarithm of invoices behind it
	fNoOrderNumber                 // no purchase order, share of the customer's invoices with one
	fNoOrderGroup                  // the same of customer's type
	fNoVAT                         // no VAT number, the same
	fNoVATGroup
	fNoDelivery // no delivery_ref
	fNoShipped  // no shipped_at
	fNoCustomer // no customer_ref
	fNoType     // no customer_type
	fNoFamily   // no product_family
	fEarly      // hours from invoice to shipping, logarithm
	fEarlyHabit // share of the customer's invoices that are early, if this one is
	fPrepays    // the customer prepays by reference, if this one is early
	fLines      // logarithm of lines
	fNew        // share of lines whose product is not known
	fOff        // lines with an unknown price, of those whose product is known
	fOffMoney   // their share of the money
	fWorst      // worst line: stability × |logarithm of price over nearest known price|
	fWorstLog   // its logarithm, with sign
	fWorstStable
	fWorstPair  // its price differs from the customer's last: 1 + logarithm of times bought
	fWorstMoney // what it moves, over the net amount
	fSlip       // a price with its comma moved: stability of the line
	fSlipNear   // the same, of the expected price itself
	fBreak      // lines at a price that is given for larger quantities
	fBelow      // lines below the expected price, of those whose product is known
	fAbove      // lines above it
	fLevel      // logarithm of all known lines' value over the expected
	fPairBelow  // lines below the customer's last price, of those it bought before
	fOffCount   // logarithm of lines with an unknown price
	fSecond     // second worst line, as fWorst
	fKnownLines // logarithm of lines whose product is known
	fAgree      // other suspects bring the worst line's price too: logarithm of lines
	fAlike2     // share of products in common with the most like recent invoice, estimated
	fLike       // worst line of a hardly known product: price against goods of its description, in standard deviations
	fLikeSign   // its sign
	fLikeNet    // the same of the net price, where it is too low
	fEnds       // how rare the last two digits of unknown prices are
	fNetEnd     // how rare those of the lowest net price are
	fRateRound  // how round the discount there is
	fOffHabit   // usual share of lines with unknown prices of this customer
	fCodeTwice  // a code stands twice on a line
	fSlipDigit  // a price with another slip: stability of the line
	fScale      // usual |logarithm of price over expected| when most lines share one
	fScaleSign
	fScaleShare // lines that share it
	fScaleLines // logarithm of lines it is known from
	fPairOff    // lines whose price differs from the customer's last
	fTypeOff    // lines at a price this customer type never paid
	fQuantity   // worst line: |logarithm of quantity over the usual| in standard deviations
	fQuantityMoney
	fQuantitySlip  // a quantity that is a slip of the usual: share of the money
	fQuantityNew   // lines with a quantity never sold before
	fUnitsOff      // delivered units against billed, relative
	fLinesOff      // delivered lines less billed lines, over delivered
	fDelivered     // a delivery count is known
	fDeliverySlip  // one line's slip explains the difference
	fRate          // highest discount
	fRateRare      // how rare so much is with the seller, - logarithm
	fOverCap       // above the policy's cap
	fNetBelow      // worst line: logarithm of lowest known net price over net price × stability
	fNetNew        // lines at a net price never met
	fContract      // discount less contract rate, where a reference says it
	fContractNone  // contract rate not given
	fTermsRare     // rate of the customer's code, for the customer
	fTermsKnown    // logarithm of invoices behind it
	fTermsOff      // rate less the customer's usual one
	fPromoOff      // rate less the promotion's
	fPromoExpired  // logarithm of hours past its end or before its beginning
	fPromoUnknown  // code is not published
	fPromoFamily   // lines that the promotion is not for
	fCodeRare      // rate of a code, for the seller
	fCodeStale     // logarithm of hours since the seller last used the code, where it is not in use any more
	fCodeNew       // code never met
	fCodeFamily    // the code was never used for one of the lines' families
	fCodes         // most codes on one line, less 1
	fCodesAll      // different codes on the invoice, less 1
	fRateNoCode    // discount without a code
	fAllowedOff    // discount less all that references allow on the line
	fNotCounted    // the warehouse has not counted the delivery
	fExempt        // customer is tax exempt by reference
	fDelivery2     // delivery was invoiced before
	fOrder2        // order was invoiced before
	fProducts2     // the same products were invoiced lately
	fGoods2        // and the same quantities
	fContent2      // and the same amounts
	fNear2         // nearly all of the same products
	fHours2        // hours since, logarithm
	fRepeatHabit   // share of the customer's invoices that repeat
	fPeriod2       // the period was invoiced before
	fNetZ          // net amount, in the customer's standard deviations
	fNetGroupZ     // the same of customer's type
	fLinesZ        // lines, the same
	fKnown         // logarithm of the customer's invoices
	fDeviation     // probability by the 15 % rule
	fShipped2      // goods left at the very moment an earlier invoice's did
	fSlipOdds      // worst price: logarithm of how much likelier it is a slip of a known one than a new one
	fQuantityOdds  // the same of quantities
	fRange         // price beyond all known ones of its product, in widths of their range
	fRangeSign     // the same as a logarithm, with sign
	fFlat          // one whole and high discount on all that is discounted
	fNetOff        // discounted lines at a net price never met, weighted by how stable their product's are
	fNetOffCount   // logarithm of these lines
	fTenfold       // a discount is ten times one that its product often had, and never was given
	fTenth         // a tenth of a discount would give a known net price: how stable that product's are
	fNetScale      // usual logarithm of the newest net price over these lines' own
	fNetScaleShare // of these lines, those that share it
	fNetScaleLines // logarithm of how many do
	fBurst         // fBurst + i: recent share of the source's invoices with signal i
	features       = fBurst + 8
)
