package history

import (
	"cmp"
	"math"

	"recoup/detectors/index"
	"recoup/invoice"
)

// Deal is one price less its discount, given on goods of one description: shops mark
// down a product with all its flavours and sizes, for everybody and for some time, so
// that one of them may have an offer that it never had but the others have just now.
// Only usual invoices teach it.
type Deal struct {
	Hour      int32  // event time of the newest line, hours since 1970
	Customers uint32 // who had it, a bit each by hash; a counter sale counts by its goods
}

// dealLasts is for how many hours a deal is taken to be on: most end within two weeks.
const dealLasts = 14 * 24

// on tells whether another customer had the deal not long ago.
func (d *Deal) on(f *Facts) bool {
	return d != nil && f.Hour-d.Hour <= dealLasts && d.Customers&^f.buyer() != 0
}

// buyer is the bit of the customer, of a counter sale that of its goods.
func (f *Facts) buyer() uint32 { return bitOf(cmp.Or(f.Customer, f.Content)) }

func (d *Deal) teach(f *Facts) {
	if f.Hour-d.Hour > dealLasts {
		d.Customers = 0 // another time
	}
	d.Hour = max(d.Hour, f.Hour)
	d.Customers |= f.buyer()
}

func (c *coder) deal(d *Deal) {
	signed(c, &d.Hour)
	unsigned(c, &d.Customers)
}

// dealKey is the key of a deal with what a unit comes to, in cents.
func (l *Line) dealKey(cents int64) uint64 {
	return index.Mix(index.Mix(cmp.Or(l.Like, l.Product), uint64(l.Price)), uint64(cents))
}

// netCents is what a unit comes to after the discount, in cents.
func (l *Line) netCents() int64 {
	return int64(math.Round(float64(l.NetPrice) / float64(invoice.One/100)))
}

// findDeal looks up the deal that a line is part of, up to the cent that rounding a
// line of several units may take: the newest that another customer had.
func (s *Store) findDeal(l *Line, f *Facts) *Deal {
	cents := l.netCents()
	var best *Deal
	for by := int64(-1); by <= 1; by++ {
		if d := s.deals.find(l.dealKey(cents + by)); d.on(f) && (best == nil || d.Hour > best.Hour) {
			best = d
		}
	}
	return best
}
