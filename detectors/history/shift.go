package history

import (
	"math"
	"math/bits"

	"recoup/invoice"
)

// Shift is by what factor prices move at present: a new price list moves those of
// all customers, one after the other. Suspects count too, as the first ones are;
// a customer who still pays the price of before takes half of the count back, so
// that an outage on a part of the invoices never becomes a shift.
type Shift struct {
	Log       float32 // natural logarithm of a price over the customer's last one
	Count     uint16  // prices that moved by it, at most shiftMost; 0: none did
	Since     int32   // event time of the first, hours since 1970
	Hour      int32   // of the newest
	Customers uint32  // whose prices moved, a bit each by hash
}

const (
	shiftMost  = 8
	shiftOver  = 60 * 24 // hours after which another one begins at once
	shiftNear  = 0.0015  // that rounding may change a logarithm by, beside the coin
	shiftLimit = 0.25    // no price list moves more
)

// By tells whether a price is another one moved by the shift, as exactly as
// rounding allows.
func (s *Shift) By(from, to invoice.Fixed) bool {
	return s.Count > 0 && math.Abs(moved(from, to)-float64(s.Log)) <= shiftSlack(from)
}

// Of returns how many customers' prices moved, and within how many hours.
func (s *Shift) Of() (customers, hours int) {
	if s.Count < 2 {
		return int(s.Count), 0
	}
	return bits.OnesCount32(s.Customers), int(s.Hour - s.Since)
}

func shiftSlack(price invoice.Fixed) float64 {
	const cent = invoice.One / 100
	return shiftNear + min(0.01, 0.6*float64(cent)/float64(max(1, price)))
}

// moved is the logarithm of a price over the one before.
func moved(from, to invoice.Fixed) float64 {
	if from == to || from <= 0 || to <= 0 {
		return 0
	}
	return math.Log(float64(to) / float64(from))
}

// move counts a customer's price that moved by a logarithm, within a slack.
func (s *Shift) move(by, slack float64, f *Facts) {
	if math.Abs(by) > shiftLimit {
		return
	}
	if s.Count > 0 && math.Abs(by-float64(s.Log)) > slack {
		if s.Count--; s.Count > 0 && f.Hour-s.Hour < shiftOver {
			return
		}
		s.Count = 0
	}
	if s.Count == 0 {
		*s = Shift{Log: float32(by), Since: f.Hour}
	}
	s.Count, s.Hour = min(s.Count, shiftMost-1)+1, max(s.Hour, f.Hour)
	s.Customers |= bitOf(f.Customer)
}

// stay counts a customer whose price, known from before the shift, did not move.
func (s *Shift) stay(known int32) {
	if s.Count > 0 && known < s.Since {
		s.Count /= 2
	}
}

// shift notes whether the customer's price of a line moved.
func (p *Product) shift(l *Line, f *Facts) {
	if l.OfPair == nil || l.OfPair.Price <= 0 || !l.Priced {
		return
	}
	if by := moved(l.OfPair.Price, l.Price); by != 0 {
		p.Shift.move(by, shiftSlack(l.OfPair.Price), f)
	} else {
		p.Shift.stay(l.OfPair.Hour)
	}
}

// Revision is the price list that a seller's invoices name. A new one is in force
// when invoices of listCustomers customers named it and none the one before between
// them; one that was in force before needs listAgain.
type Revision struct {
	Version, Before uint32 // hashes of the list in force, of the one before; 0: none
	Since           int32  // event time of the first invoice with it, hours since 1970
	Count, Late     uint16 // invoices since then that name it, that name the one before; halved together
	Rival           uint32 // hash of a list that others name
	RivalCount      uint16 // invoices that do
	RivalSince      int32  // event time of the first of them
	RivalCustomers  uint32 // whose, a bit each by hash
}

const (
	listCustomers = 3
	listAgain     = 30
	listLimit     = 1 << 12
	listKnown     = 30   // invoices from which the list before is known to be over
	listLate      = 0.05 // share of invoices with it up to which it is
)

// Fresh tells whether an invoice names the list in force and what is known of an
// hour is of a list before it.
func (r *Revision) Fresh(version uint32, known int32) bool {
	return version != 0 && version == r.Version && r.Before != 0 && known < r.Since
}

// Stale tells whether an invoice names a list that as good as no other does any more.
func (r *Revision) Stale(version uint32) bool {
	return version != 0 && version == r.Before && r.Count >= listKnown &&
		float64(r.Late) <= listLate*float64(r.Count)+1
}

func (r *Revision) teach(f *Facts) {
	v := f.Version
	if v == 0 {
		return
	}
	if r.Version == 0 {
		r.Version, r.Since = v, f.Hour
	}
	switch v {
	case r.Version:
		r.Count++
		r.RivalCount /= 2
	case r.Before:
		r.Late++
	}
	if r.Count >= listLimit || r.Late >= listLimit {
		r.Count, r.Late = r.Count/2, r.Late/2
	}
	if v == r.Version {
		return
	}
	if v != r.Rival || r.RivalCount == 0 {
		r.Rival, r.RivalCount, r.RivalSince, r.RivalCustomers = v, 0, f.Hour, 0
	}
	r.RivalCount = min(r.RivalCount, listAgain) + 1
	r.RivalCustomers |= bitOf(f.Customer)
	least := uint16(listCustomers)
	if v == r.Before {
		least = listAgain
	}
	if r.RivalCount >= least && bits.OnesCount32(r.RivalCustomers) >= listCustomers {
		*r = Revision{Version: v, Before: r.Version, Since: r.RivalSince, Count: r.RivalCount}
	}
}

// shift notes whether the prices of an invoice moved as a whole.
func (c *Conduct) shift(f *Facts) {
	movedUp, movedDown, stayed, known := 0, 0, 0, int32(math.MaxInt32)
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.OfPair == nil || l.OfPair.Price <= 0 || !l.Priced {
			continue
		}
		known = min(known, l.OfPair.Hour)
		switch by := moved(l.OfPair.Price, l.Price); {
		case by > 0 && by <= shiftLimit:
			movedUp++
		case by < 0 && by >= -shiftLimit:
			movedDown++
		default:
			stayed++
		}
	}
	switch {
	case movedUp > stayed && movedDown == 0:
		c.Shift.move(shiftLimit/2, shiftLimit/2, f)
	case movedDown > stayed && movedUp == 0:
		c.Shift.move(-shiftLimit/2, shiftLimit/2, f)
	case stayed > 0 && movedUp+movedDown == 0:
		c.Shift.stay(known)
	}
}

func (c *coder) shift(s *Shift) {
	if unsigned(c, &s.Count); s.Count == 0 {
		return
	}
	c.real(&s.Log)
	signed(c, &s.Since)
	signed(c, &s.Hour)
	unsigned(c, &s.Customers)
}

func (c *coder) revision(r *Revision) {
	if unsigned(c, &r.Version); r.Version == 0 {
		return
	}
	unsigned(c, &r.Before)
	signed(c, &r.Since)
	unsigned(c, &r.Count)
	unsigned(c, &r.Late)
	unsigned(c, &r.Rival)
	unsigned(c, &r.RivalCount)
	signed(c, &r.RivalSince)
	unsigned(c, &r.RivalCustomers)
}
