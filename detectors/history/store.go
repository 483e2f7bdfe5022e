package history

import "recoup/invoice"

// Facts are what one invoice says, in the form that the history keeps. The
// owner fills them, has the store look them up and reuses them.
type Facts struct {
	Seller   uint64 // hash of the seller; it is part of every key below
	Customer uint64 // key of the customer, 0: none, or a counter sale
	Group    uint64 // key of seller and customer type
	Country  uint64 // key of seller and country
	Source   uint64 // key of the billing system, release and batch
	Content  uint64 // key of the goods, for counter sales

	Hour, Day   int32            // event time since 1970
	Batch       uint32           // hash of the release, without one of the batch, without either the day
	Type        uint32           // hash of customer_type
	Currency    uint32           // hash of the currency
	Version     uint32           // hash of the price list's version, 0: none
	Tax         uint32           // tax rate in 1/10,000, plus 1; 0: none
	Marked      Marked           // what is filled
	LogNet      float32          // natural logarithm of the net amount
	OffPrice    float32          // share of lines at unknown prices
	LogLines    float32          // natural logarithm of the number of lines
	Signals     [Signals]float32 // 1 where the invoice shows a trouble, see Source
	Proofs      uint32           // kinds of exact evidence that hold, one bit each
	Listed      bool             // the next four are known
	Sorted      bool             // lines stand in the order of product numbers
	FirstNumber uint64           // product number of the first line, in an order that is kept
	LastNumber  uint64           // that of the last
	SomeNumber  uint64           // of one line, drawn by the invoice's number
	Early       float32          // how early the list of lines ends, as Conduct.Early says; -1: not known
	Odd         uint32           // OddBit of products at unknown prices
	TooLate     bool             // a suspect whose money can no longer be claimed
	Print       Print            // what the next invoices compare themselves with
	Lines       []Line           // one per invoice line, in their order
	Codes       []Code           // one per discount code
	Known       Known            // filled by Look

	customer Customer // what Known says of it
	prints   Prints   // what Known says of them
}

// Reset empties the facts and keeps the memory of lines and codes.
func (f *Facts) Reset() { *f = Facts{Lines: f.Lines[:0], Codes: f.Codes[:0]} }

// Line is one line of Facts.
type Line struct {
	Product, Pair uint64        // keys; Pair 0: no customer
	Like          uint64        // key of the description, 0: none
	LogPrice      float32       // natural logarithm of Price; 0 without Like
	LogNet        float32       // natural logarithm of NetPrice; 0 without Like
	Price         invoice.Fixed // unit price
	NetPrice      invoice.Fixed // what a unit came to after the discount
	Quantity      float32       // units; negative on returns
	LogQuantity   float32       // natural logarithm of it
	Rate          float32       // discount, a fraction
	End           uint8         // last two digits of the unit price, in cents
	NetEnd        uint8         // last two digits of the line's net amount, in cents
	Types         uint16        // TypeBit of the invoice's customer type
	Priced        bool          // it has a positive price and quantity
	Discounted    bool          // it has a discount
	Half          bool          // every second unit is free: half price for an even quantity
	rateStep      uint8         // of Rate, filled by Teach

	OfProduct *Product // filled by Look, nil: unknown
	OfPair    *Pair    // filled by Look, nil: unknown
	OfLike    *Like    // filled by Look where the product is hardly known, nil: unknown
	OfDeal    *Deal    // filled by Look where the product never had the net price, nil: nobody else has it
}

// Code is one discount code of Facts.
type Code struct {
	Seller, Customer uint64 // keys of the code with the seller, with the customer
	Rate             uint32 // usual rate of its lines in 1/10,000, plus 1
	Families         uint32 // FamilyBit of its lines
	OfSeller         *Terms // filled by Look, nil: unknown
	OfCustomer       *Terms // filled by Look, nil: unknown
}

// Known is what the history knows of an invoice's parties; nil: nothing.
type Known struct {
	Customer *Customer // the invoice's customer
	Seller   *Group    // all of the seller's customers
	Group    *Group    // those of the same type
	Country  *Group    // those of the same country
	Source   *Source   // the billing system and release it came from
	Prints   *Prints   // the customer's recent invoices
	Conduct  *Conduct  // what the seller always does
}

// Store is the history of one partition.
type Store struct {
	shelf           // of all kinds but met
	segments  shelf // of met
	products  *table[Product]
	pairs     *table[Pair]
	customers *packed[Customer]
	groups    *table[Group]
	terms     *table[Terms]
	sources   *table[Source]
	prints    *packed[Prints]
	likes     *table[Like]
	conducts  *table[Conduct]
	deals     *table[Deal]
	met       *table[Met]
	before    lookedUp // of the last Look
}

// bucketed is a table of any kind.
type bucketed interface {
	// clear forgets the items of a bucket.
	clear(number uint16)
	// write appends the items of a bucket and returns how many there are.
	write(c *coder, number uint16) int
	// read adds the items that write wrote to an empty bucket.
	read(c *coder, number uint16)
}

// lookedUp is what an invoice shares with most: the next one need not look it up.
type lookedUp struct {
	seller, group, country, source uint64
	known                          Known
	removed                        uint64 // items of these kinds ever forgotten, by then
}

// Limits are how many items of each kind a store remembers, at most; the one
// not met for longest is forgotten first.
type Limits struct {
	Products  int // products, and as many descriptions of goods and deals
	Pairs     int // pairs of customer and product
	Customers int // customers, and as many with recent invoices
	Groups    int // sellers, customer types and countries
	Terms     int // discount codes, of sellers and of customers
	Sources   int // billing systems and releases
	Segments  int // segments that were met
}

// DefaultLimits take at most 0.8 GB of memory in each partition, and as much again in
// the state topic. Most sellers need a small part of it.
func DefaultLimits() Limits {
	return Limits{Products: 1 << 18, Pairs: 1 << 21, Customers: 1 << 19, Groups: 1 << 14, Terms: 1 << 18, Sources: 1 << 14,
		Segments: 1 << 20}
}

// New returns an empty store.
func New(l Limits) *Store {
	s := &Store{shelf: shelf{prefix: KeyPrefix, format: format}, segments: shelf{prefix: MetPrefix, format: metFormat}}
	m := &s.marks
	s.products = newTable(m, l.Products, func(p *Product) int32 { return p.Hour }, (*coder).product)
	s.pairs = newTable(m, l.Pairs, func(p *Pair) int32 { return p.Hour }, (*coder).pair)
	s.customers = newPacked(m, l.Customers, func(c *Customer) int32 { return c.Hour }, (*coder).customer)
	s.groups = newTable(m, l.Groups, func(g *Group) int32 { return g.Hour }, (*coder).group)
	s.terms = newTable(m, l.Terms, func(t *Terms) int32 { return t.Hour }, (*coder).terms)
	s.sources = newTable(m, l.Sources, func(s *Source) int32 { return s.Hour }, (*coder).source)
	s.prints = newPacked(m, l.Customers, func(p *Prints) int32 { return p.Hour }, (*coder).prints)
	s.likes = newTable(m, l.Products, func(k *Like) int32 { return k.Hour }, (*coder).like)
	s.conducts = newTable(m, l.Groups, func(c *Conduct) int32 { return c.Hour }, (*coder).conduct)
	s.deals = newTable(m, l.Products, func(d *Deal) int32 { return d.Hour }, (*coder).deal)
	s.met = newTable(&s.segments.marks, l.Segments, func(m *Met) int32 { return m.Hour }, (*coder).met)
	s.tables = []bucketed{s.products, s.pairs, s.customers, s.groups, s.terms, s.sources, s.prints, s.likes, s.conducts,
		s.deals}
	s.segments.tables = []bucketed{s.met}
	return s
}

// Forgotten are how many items of a kind were driven out by others since the store was made.
type Forgotten struct {
	Kind  string // "customer", "product", …
	Items uint64 // how many
}

// Forgotten returns how many items of each kind were driven out, always in the same order.
func (s *Store) Forgotten() [11]Forgotten {
	return [...]Forgotten{{"product", s.products.driven}, {"customer_product", s.pairs.driven},
		{"customer", s.customers.driven}, {"group", s.groups.driven}, {"discount_code", s.terms.driven},
		{"source", s.sources.driven}, {"recent_invoices", s.prints.driven}, {"description", s.likes.driven},
		{"conduct", s.conducts.driven}, {"deal", s.deals.driven}, {"segment", s.met.driven}}
}

// hardly is how many lines a product needs to be known by itself.
const hardly = 5

// Look fills in what is known of the invoice. The pointers are right until the
// next Teach, and are only to be read.
func (s *Store) Look(f *Facts) {
	b, k := &s.before, &f.Known
	if removed := s.groups.removed + s.sources.removed + s.conducts.removed; removed != b.removed {
		*b = lookedUp{removed: removed} // the place of an item may be another's by now
	}
	*k = Known{Seller: s.groups.again(f.Seller, b.seller, b.known.Seller),
		Group:   s.groups.again(f.Group, b.group, b.known.Group),
		Country: s.groups.again(f.Country, b.country, b.known.Country),
		Source:  s.sources.again(f.Source, b.source, b.known.Source),
		Conduct: s.conducts.again(f.Seller, b.seller, b.known.Conduct)}
	b.seller, b.group, b.country, b.source, b.known = f.Seller, f.Group, f.Country, f.Source, *k
	if f.Customer != 0 {
		f.Known.Customer = s.customers.load(f.Customer, &f.customer)
	}
	f.Known.Prints = s.prints.load(s.printsKey(f), &f.prints)
	for i := range f.Lines {
		l := &f.Lines[i]
		l.OfProduct, l.OfPair, l.OfLike, l.OfDeal = s.products.find(l.Product), nil, nil, nil
		if l.Like != 0 && (l.OfProduct == nil || l.OfProduct.Lines < hardly) {
			l.OfLike = s.likes.find(l.Like)
		}
		if l.Pair != 0 && l.OfProduct != nil {
			l.OfPair = s.pairs.find(l.Pair)
		}
		if l.Discounted && l.Priced && (l.OfProduct == nil || Find(&l.OfProduct.Net, l.NetPrice) == nil) {
			l.OfDeal = s.findDeal(l, f)
		}
	}
	for i := range f.Codes {
		c := &f.Codes[i]
		c.OfSeller, c.OfCustomer = s.terms.find(c.Seller), nil
		if c.OfSeller != nil && c.OfSeller.Invoices == 0 {
			c.OfSeller = nil // only suspects had it
		}
		if c.Customer != 0 {
			c.OfCustomer = s.terms.find(c.Customer)
		}
	}
}

// Teach learns the invoice that was last looked up. A suspect teaches no amount,
// price or line: only that it was there, what its source suffers from, and which
// category it would switch to.
func (s *Store) Teach(f *Facts, suspect bool) {
	s.sources.touch(f.Source, f.Known.Source).teach(f, suspect)
	s.conducts.touch(f.Seller, f.Known.Conduct).teach(f, suspect)
	if f.Print.Number != 0 {
		s.prints.change(s.printsKey(f), func(p *Prints) { p.teach(&f.Print, suspect) })
	}
	s.teachCustomer(f, suspect)
	s.teachGroups(f, suspect)
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.Product == 0 {
			continue
		}
		p := s.products.touch(l.Product, l.OfProduct)
		p.shift(l, f)
		if suspect {
			p.suspect(l, f)
			continue
		}
		p.teach(l, f.Hour)
		if l.Like != 0 && l.Priced {
			s.likes.touch(l.Like, nil).teach(l, f.Hour)
		}
		if l.Discounted && l.Priced {
			s.deals.touch(l.dealKey(l.netCents()), nil).teach(f)
		}
		if l.Pair != 0 {
			s.pairs.touch(l.Pair, l.OfPair).teach(l, f.Hour)
		}
	}
	for i := range f.Codes {
		c := &f.Codes[i]
		if suspect {
			s.terms.touch(c.Seller, c.OfSeller).suspect(c, f)
			continue
		}
		s.terms.touch(c.Seller, c.OfSeller).teach(c, f, 1)
		if c.Customer != 0 {
			s.terms.touch(c.Customer, c.OfCustomer).teach(c, f, 1)
		}
	}
}

func (s *Store) teachCustomer(f *Facts, suspect bool) {
	if f.Customer == 0 {
		return
	}
	s.customers.change(f.Customer, func(c *Customer) {
		if suspect {
			c.suspect(f)
			c.Type.suspect(f.Type, f.Day, f.Batch)
			return
		}
		c.teach(f)
		c.Type.teach(f.Type, 1)
		c.Lines.teach(f.LogLines)
		c.OffPrice.teach(f.OffPrice)
	})
}

func (s *Store) teachGroups(f *Facts, suspect bool) {
	for i := range f.Lines {
		f.Lines[i].rateStep = uint8(rateStep(float64(f.Lines[i].Rate)))
	}
	s.teachGroup(f.Seller, f.Known.Seller, f, suspect)
	s.teachGroup(f.Group, f.Known.Group, f, suspect)
	s.teachGroup(f.Country, f.Known.Country, f, suspect)
}

func (s *Store) teachGroup(key uint64, known *Group, f *Facts, suspect bool) {
	if key == 0 {
		return
	}
	g := s.groups.touch(key, known)
	if suspect {
		g.suspect(f)
		return
	}
	g.teach(f)
	if key == f.Seller {
		for i := range f.Lines {
			if l := &f.Lines[i]; l.Priced {
				noteEnd(g.Ends[:], l.End)
				if l.Discounted {
					noteEnd(g.NetEnds[:], l.NetEnd)
				}
				if l.Rate == 0.5 {
					g.Halves.teach(l.Half)
				}
			}
		}
	}
	for i := range f.Lines {
		step := f.Lines[i].rateStep
		g.Rates[step]++
		if g.Rates[step] == 1<<30 {
			for j := range g.Rates {
				g.Rates[j] /= 2
			}
		}
	}
}
