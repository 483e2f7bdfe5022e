package history

import (
	"cmp"
	"math/bits"
)

// Run is a run of suspects with the same trouble from one source: a release that
// bills another currency, a job that loses lines. It begins with the first of
// them and ends when the newest invoices have the trouble as good as never.
type Run struct {
	Since     int32  // event time of the first, hours since 1970
	Invoices  uint32 // how many so far; 0: no run
	Customers uint32 // of these, a bit each by hash
	Products  uint32 // concerned, a bit each by hash
	Shared    bool   // it was recognised as one shared cause
}

const (
	// RunLeast is how many suspects make a run a shared cause. Fewer with the same
	// trouble happen by chance in a busy hour; they have cases of their own where they
	// are worth it.
	RunLeast = 4
	// runDense is the share of the newest invoices with the trouble from which a run
	// is a shared cause: about four of the newest seven.
	runDense = 0.38
	// runOver is the share below which it is over.
	runOver = 0.05
	// runCustomers and runProducts are how many it concerns at least: a price that
	// is new for one product everywhere is a new price, and what goes wrong with one
	// customer is that customer's.
	runCustomers, runProducts = 2, 3
)

// Joins returns the run of a signal that the invoice is part of, itself counted,
// given that it is suspect; ok is false as long as the run shows no shared cause.
func (s *Source) Joins(signal int, f *Facts) (r Run, ok bool) {
	r = s.Runs[signal]
	share := s.Recent[signal] + signalWeight*(f.Signals[signal]-s.Recent[signal])
	r.join(signal, f, share)
	return r, r.Shared
}

// OffPrices is the signal of invoices at unknown prices: whether a run of these is
// a shared cause depends on how many products it concerns.
const OffPrices = 5

func (r *Run) join(signal int, f *Facts, share float32) {
	if r.Invoices == 0 {
		r.Since = f.Hour
	}
	r.Invoices = min(r.Invoices, 1<<31) + 1
	r.Customers |= bitOf(cmp.Or(f.Customer, uint64(f.Print.Number))) // counter sales have none
	r.Products |= f.Odd
	r.Shared = r.Shared || (r.Invoices >= RunLeast && share >= runDense &&
		bits.OnesCount32(r.Customers) >= runCustomers &&
		(signal != OffPrices || bits.OnesCount32(r.Products) >= runProducts))
}

// TaxRate is the signal of tax rates that are new: a run of these says that the law may
// have changed, whether or not the money can still be claimed.
const TaxRate = 2

// bitOf is one of 32 bits, by the upper bits of a hash.
func bitOf(hash uint64) uint32 { return 1 << (hash * 0x9e3779b97f4a7c15 >> 59) }

// OddBit is the bit of a product in Facts.Odd.
func OddBit(product uint64) uint32 { return bitOf(product) }

func (s *Source) teach(f *Facts, suspect bool) {
	if f.Listed && f.Early >= 0 {
		s.Cut, _ = s.Cut.After(float64(f.Early), len(f.Lines))
	}
	s.Hour, s.Invoices = max(s.Hour, f.Hour), min(s.Invoices, 1<<31)+1
	for i := range s.Recent {
		if f.Signals[i] == 0 && s.Recent[i] == 0 && s.Runs[i].Invoices == 0 {
			continue // as nearly always
		}
		if s.Recent[i] += signalWeight * (f.Signals[i] - s.Recent[i]); s.Recent[i] < 1e-3 {
			s.Recent[i] = 0
		}
		switch r := &s.Runs[i]; {
		case suspect && f.Signals[i] > 0:
			if !f.TooLate || i == TaxRate {
				r.join(i, f, s.Recent[i])
			}
		case s.Recent[i] < runOver:
			*r = Run{}
		}
	}
}

func (c *coder) run(r *Run) {
	if unsigned(c, &r.Invoices); r.Invoices == 0 {
		return
	}
	signed(c, &r.Since)
	unsigned(c, &r.Customers)
	unsigned(c, &r.Products)
	c.flag(&r.Shared)
}
