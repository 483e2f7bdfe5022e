// Package inject puts errors into copies of invoices, so that an error model can
// be trained without anybody labelling anything: recoup takes the seller's own
// recent invoices as they came, most of them right, spoils two copies of each in a
// known way and learns to tell the copies from the originals.
//
// The distributions are those of practice, wide on purpose and not fitted to
// any data set: a model must not learn how large errors are, but what each kind
// of them leaves behind. For the same reason a spoilt invoice is made as a
// billing system would make it. What follows from the error (line_net, net, tax
// and gross amount) is calculated again with the rounding and the residues of
// the original, and what does not follow stays as it was; otherwise the model
// would learn to recognise the injector.
package inject

import (
	"math/rand/v2"
	"slices"
	"time"

	"recoup/invoice"
)

// Context is what the injector may know of the seller besides the invoice.
// Every field is optional; the zero value knows nothing.
type Context struct {
	// Promotions of the seller: announced ones, or codes seen in its history with
	// the rate that is usual for them.
	Promotions []Promotion
	// HasContract: this customer is billed under a negotiated rate.
	HasContract bool
	// ContractRate is that rate, a fraction; it counts with HasContract only.
	ContractRate float64
	// ContractCode is the promotion code that stands on lines billed under a
	// contract, "" for none.
	ContractCode string
	// ContractRates are the rates negotiated with other customers, fractions.
	ContractRates []float64
	// MaxDiscount is the highest rate the seller's policy allows, a fraction; 0 is
	// unknown, and 1 forbids nothing.
	MaxDiscount float64
	// TaxRates occur on this seller's invoices.
	TaxRates []invoice.Fixed
	// Currencies occur on this seller's invoices, or are allowed there.
	Currencies []string
	// Tiers are, line by line, the price of another tier that is lower than the
	// line's own, 0 where none is known; no element: nothing is known.
	Tiers []invoice.Fixed
	// Recent are other usual invoices of the seller. Lines, quantities and customer
	// types are borrowed from them; they are only read.
	Recent []*invoice.Invoice
}

// Promotion is a discount code that several customers may use.
type Promotion struct {
	Code     string    // as it stands on invoices
	Rate     float64   // fraction
	From     time.Time // first instant it counts; zero is always
	To       time.Time // first instant it counts no more; zero is never
	Families []string  // product families it is meant for; none is all
}

// Any makes dst a copy of src with an error of any kind that fits, as AnyOf does:
// the cause is drawn by its share, then the kind among those of the cause. A kind that does not fit gives way to
// another of its cause first, so that the shares of causes hold as well as the
// invoice allows. exclude names causes that never are drawn. ok is false when no
// kind fits.
func Any(dst, src *invoice.Invoice, rng *rand.Rand, ctx *Context, exclude ...string) (kind Kind, ok bool) {
	excluded := slices.Clone(exclude)
	for {
		k := pick(rng, func(k Kind) bool { return !slices.Contains(excluded, k.Cause()) })
		if k < 0 {
			return 0, false
		}
		cause := Kind(k).Cause()
		if kind, ok = AnyOf(dst, src, cause, rng, ctx); ok {
			return kind, true
		}
		excluded = append(excluded, cause)
	}
}

// AnyOf makes dst a copy of src with an error of this cause, of any of its kinds
// that fits, each as likely as its share. ok is false when none does; dst is of no
// use then. Only invoices fit, never credit notes and corrections. An invoice that
// was spoilt differs from src by ContentHash; a duplicate has another invoice id as
// well, so src belongs into the history before dst is judged.
//
// Nothing of src, ctx (which may be nil) or what they point to is changed. dst
// reuses its memory from call to call; its lists are its own, its texts may be
// those of src and ctx and are good as long as they are. The same arguments and
// the same state of rng give the same dst.
func AnyOf(dst, src *invoice.Invoice, cause string, rng *rand.Rand, ctx *Context) (kind Kind, ok bool) {
	var tried [kindCount]bool
	for {
		k := pick(rng, func(k Kind) bool { return !tried[k] && k.Cause() == cause })
		if k < 0 {
			return 0, false
		}
		tried[k] = true
		if put(dst, src, Kind(k), rng, ctx) {
			return Kind(k), true
		}
	}
}

// put is AnyOf for one kind, which may not fit (no promotion that could have
// expired, no reference that could be missing).
func put(dst, src *invoice.Invoice, kind Kind, rng *rand.Rand, ctx *Context) (ok bool) {
	if src.Type != invoice.Standard {
		return false
	}
	if ctx == nil {
		ctx = &Context{}
	}
	copyInvoice(dst, src)
	d := &draft{src: src, inv: dst, rng: rng, ctx: ctx}
	d.observe()
	return table[kind].spoil(d)
}

// Pick draws a kind by its Share. exclude names causes that never are drawn, for
// leaving one out of training; at least one cause is left.
func Pick(rng *rand.Rand, exclude ...string) Kind {
	return Kind(pick(rng, func(k Kind) bool { return !slices.Contains(exclude, k.Cause()) }))
}

// pick draws among the kinds that may be drawn by their shares; -1 when none may.
func pick(rng *rand.Rand, may func(Kind) bool) int {
	var total float64
	last := -1
	for _, k := range Kinds {
		if may(k) {
			total += k.Share()
			last = int(k)
		}
	}
	if last < 0 {
		return -1
	}
	point := rng.Float64() * total
	for _, k := range Kinds {
		if !may(k) {
			continue
		}
		if point -= k.Share(); point < 0 {
			return int(k)
		}
	}
	return last // the sum of the shares was rounded
}
