package history

import (
	"math"

	"recoup/invoice"
)

// Points is how many prices of a product are remembered. Their places are filled in
// order, so that behind a free one there are only free ones.
const Points = 8

// Point is one price at which a product was sold.
type Point struct {
	Price invoice.Fixed // currency units per unit of quantity
	// MinQuantity is the second smallest quantity that was sold at this price:
	// price breaks allow a low price only from some quantity on, and one wrong
	// invoice must not move it.
	MinQuantity float32
	Count       uint16  // lines at this price; 0: free
	Types       uint16  // one bit per customer type that paid it, by TypeBit
	Hour        int32   // event time of the newest line, hours since 1970
	Least       float32 // smallest quantity that was sold at this price
}

// Allows tells whether a line of this quantity may have this price.
func (p *Point) Allows(quantity float64) bool {
	return p.Count > 0 && quantity >= float64(p.MinQuantity)*0.999
}

// TypeBit is the bit of a customer type in Point.Types; types may share one.
func TypeBit(hash uint32) uint16 { return 1 << (hash & 15) }

// Product is how one product of one seller in one currency is sold.
type Product struct {
	Hour  int32  // event time of the newest line, hours since 1970
	Lines uint32 // lines that taught it
	Known Share  // lines whose price had been met before: how stable its prices are
	Full  Share  // lines without a discount
	// NetKnown is lines that came to a net price that had been met before.
	NetKnown Share
	List     [Points]Point    // unit prices
	Net      [Points]Point    // what a unit came to after the line's discount
	Rates    [rates]Rate      // discounts given most often
	Log      Moments          // natural logarithm of the quantity
	Counts   [Points]Quantity // quantities sold most often
	Next     [pending]Pending // prices that suspects agree on
	Shift    Shift            // by what factor its prices move
}

// Pending is a price that only suspects brought so far. It becomes usual when
// agreeLines of them, over agreeDays days and two releases, batches or (where an
// invoice names neither) days, agree on it without a line at the most frequent
// price between them: that price is still in use.
type Pending struct {
	Price  invoice.Fixed // unit price
	Net    invoice.Fixed // what a unit came to
	Count  uint16        // lines, 0: none
	Mixed  bool          // more than one release or batch brought it
	Day    int32         // of the first, days since 1970
	Batch  uint32        // release and batch of the first
	Least  float32       // smallest quantity
	Buyers uint32        // who was billed it, a bit each by hash
}

// pending is how many such prices are counted at a time.
const pending = 3

// Agree returns how many lines of suspects brought a price so far, 0 where none of them
// is another customer's, from another release, batch or day than the invoice.
func (p *Product) Agree(price invoice.Fixed, f *Facts) int {
	for i := range p.Next {
		n := &p.Next[i]
		if n.Price == price && (n.Mixed || n.Batch != f.Batch) && n.Buyers&^f.buyer() != 0 {
			return int(n.Count)
		}
	}
	return 0
}

const (
	agreeLines = 5
	agreeDays  = 3
)

// suspect notes a line of an invoice that is withheld from learning.
func (p *Product) suspect(l *Line, f *Facts) {
	if !l.Priced || Find(&p.List, l.Price) != nil {
		return
	}
	n := &p.Next[0]
	for i := range p.Next {
		if q := &p.Next[i]; q.Count > 0 && q.Price == l.Price {
			n = q
			break
		} else if q.Count < n.Count {
			n = q
		}
	}
	if n.Count == 0 || n.Price != l.Price {
		*n = Pending{Price: l.Price, Net: l.NetPrice, Count: 1, Day: f.Day, Batch: f.Batch, Least: l.Quantity,
			Buyers: f.buyer()}
		return
	}
	n.Count = min(n.Count, 65534) + 1
	n.Least = min(n.Least, l.Quantity)
	n.Buyers |= f.buyer()
	n.Mixed = n.Mixed || n.Batch != f.Batch
	if n.Count >= agreeLines && n.Mixed && f.Day-n.Day >= agreeDays-1 {
		for range 2 {
			note(&p.List, n.Price, n.Least, l.Types, f.Hour)
			note(&p.Net, n.Net, n.Least, l.Types, f.Hour)
		}
		*n = Pending{}
	}
}

// Cheaper tells whether so much is usually sold at a lower price than this.
func (p *Product) Cheaper(price invoice.Fixed, quantity float64) bool {
	for i := range p.List {
		if q := &p.List[i]; q.Count > 1 && q.Price > 0 && q.Price < price && q.MinQuantity > 1 && q.Allows(quantity) {
			return true
		}
	}
	return false
}

// Rate is one discount that a product was given.
type Rate struct {
	Key   uint16 // rate in 1/10,000
	Count uint16 // lines with it; 0: free
}

// rates is how many discounts of a product are remembered.
const rates = 4

// Gave returns how many lines had this discount, to 1/10,000.
func (p *Product) Gave(rate invoice.Fixed) int {
	key, exact := rateOf(rate)
	for i := range p.Rates {
		if r := &p.Rates[i]; exact && r.Count > 0 && r.Key == key {
			return int(r.Count)
		}
	}
	return 0
}

func rateOf(rate invoice.Fixed) (key uint16, exact bool) {
	const step = invoice.One / 10_000
	return uint16(max(0, min(rate, invoice.One)) / step), rate%step == 0
}

func (p *Product) noteRate(rate invoice.Fixed) {
	key, _ := rateOf(rate)
	least := 0
	for i := range p.Rates {
		r := &p.Rates[i]
		if r.Count > 0 && r.Key == key {
			r.Count = min(r.Count, 65534) + 1
			return
		}
		if r.Count < p.Rates[least].Count {
			least = i
		}
	}
	p.Rates[least] = Rate{Key: key, Count: 1}
}

// Quantity is one quantity in which a product was sold.
type Quantity struct {
	Value float32 // the quantity
	Count uint16  // lines with it; 0: free
}

// Find returns the point of a price, nil for one never met.
func Find(points *[Points]Point, price invoice.Fixed) *Point {
	for i := range points {
		switch p := &points[i]; {
		case p.Count == 0:
			return nil
		case p.Price == price:
			return p
		}
	}
	return nil
}

// Best returns the price met most often among those that a quantity allows,
// the newer of two; nil without any.
func Best(points *[Points]Point, quantity float64) *Point {
	var best *Point
	for i := range points {
		p := &points[i]
		if p.Count == 0 {
			break
		}
		if !p.Allows(quantity) {
			continue
		}
		if best == nil || p.Count > best.Count || (p.Count == best.Count && p.Hour > best.Hour) {
			best = p
		}
	}
	return best
}

// note counts a price and tells whether it had been met before. The place of the
// price met least often, of several the one not met for longest, is given to a
// new one.
func note(points *[Points]Point, price invoice.Fixed, quantity float32, types uint16, hour int32) bool {
	least := 0
	for i := range points {
		p := &points[i]
		if p.Price == price && p.Count > 0 {
			p.Count = min(p.Count, 65534) + 1
			if quantity <= p.Least {
				p.MinQuantity, p.Least = p.Least, quantity
			} else {
				p.MinQuantity = min(p.MinQuantity, quantity)
			}
			p.Types |= types
			p.Hour = max(p.Hour, hour)
			return true
		}
		l := &points[least]
		if p.Count < l.Count || (p.Count == l.Count && p.Hour < l.Hour) {
			least = i
		}
		if p.Count == 0 {
			break
		}
	}
	points[least] = Point{Price: price, MinQuantity: quantity, Least: quantity, Count: 1, Types: types, Hour: hour}
	return false
}

// Sold returns how many lines had exactly this quantity.
func (p *Product) Sold(quantity float32) int {
	for i := range p.Counts {
		if c := &p.Counts[i]; c.Value == quantity || c.Count == 0 {
			return int(c.Count)
		}
	}
	return 0
}

func (p *Product) noteQuantity(quantity float32) {
	least := 0
	for i := range p.Counts {
		c := &p.Counts[i]
		if c.Value == quantity && c.Count > 0 {
			c.Count = min(c.Count, 65534) + 1
			return
		}
		if c.Count < p.Counts[least].Count {
			least = i
		}
		if c.Count == 0 {
			break
		}
	}
	p.Counts[least] = Quantity{Value: quantity, Count: 1}
}

func (p *Product) teach(l *Line, hour int32) {
	p.Hour = max(p.Hour, hour)
	p.Lines = min(p.Lines, 1<<31) + 1
	if l.Priced {
		if p.Next[0].Count|p.Next[1].Count|p.Next[2].Count != 0 {
			if best := Best(&p.List, float64(l.Quantity)); best != nil && best.Price == l.Price {
				p.Next = [pending]Pending{}
			}
		}
		known := note(&p.List, l.Price, l.Quantity, l.Types, hour)
		if p.Lines > 1 {
			p.Known.teach(known)
		}
		known = note(&p.Net, l.NetPrice, l.Quantity, l.Types, hour)
		if p.Lines > 1 {
			p.NetKnown.teach(known)
		}
		p.Full.teach(!l.Discounted)
		if l.Rate > 0 {
			p.noteRate(invoice.Fixed(math.Round(float64(l.Rate)*10_000)) * (invoice.One / 10_000))
		}
	}
	if l.Quantity > 0 {
		p.Log.teach(l.LogQuantity)
		p.noteQuantity(l.Quantity)
	}
}

// Pair is how one customer buys one product.
type Pair struct {
	Hour  int32         // event time of the newest line, hours since 1970
	Lines uint16        // lines that taught it
	Held  uint16        // how many of them had the price of the one before
	Price invoice.Fixed // unit price of the newest line
	Net   invoice.Fixed // what a unit came to, after its discount
	Log   Moments       // natural logarithm of the quantity
	Last  float32       // quantity of the newest line
	Same  uint16        // lines that had the quantity of the one before
}

func (p *Pair) teach(l *Line, hour int32) {
	p.Hour = max(p.Hour, hour)
	if p.Lines > 0 {
		if p.Price == l.Price {
			p.Held = min(p.Held, 65534) + 1
		}
		if p.Last == l.Quantity {
			p.Same = min(p.Same, 65534) + 1
		}
	}
	p.Lines = min(p.Lines, 65534) + 1
	if l.Priced {
		p.Price, p.Net = l.Price, l.NetPrice
	}
	if l.Quantity > 0 {
		p.Log.teach(l.LogQuantity)
		p.Last = l.Quantity
	}
}

// Like is what goods of one description cost.
type Like struct {
	Hour  int32   // event time of the newest line, hours since 1970
	Price Moments // natural logarithm of the unit price
	Net   Moments // natural logarithm of what a unit came to
}

func (k *Like) teach(l *Line, hour int32) {
	k.Hour = max(k.Hour, hour)
	k.Price.teach(l.LogPrice)
	k.Net.teach(l.LogNet)
}
