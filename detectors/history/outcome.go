package history

import "recoup/invoice"

// What people decide of a suspect is taught here, after Look as of now. Teach noted
// already that the invoice was there; each of these adds what it withheld then.

// Learn teaches an invoice that was found suspect and is right.
func (s *Store) Learn(f *Facts) {
	if f.Print.Number != 0 && f.Known.Prints != nil {
		s.prints.change(s.printsKey(f), func(p *Prints) { p.Repeats.teach(p.repeated(&f.Print)) })
	}
	c := s.conducts.touch(f.Seller, f.Known.Conduct)
	c.Lists.teach(f)
	c.Steady.teach(f, false)
	s.teachCustomer(f, false)
	s.teachGroups(f, false)
	for i := range f.Lines {
		s.learnLine(&f.Lines[i], f)
	}
	for i := range f.Codes {
		c := &f.Codes[i]
		s.terms.touch(c.Seller, c.OfSeller).teach(c, f, 1)
		if c.Customer != 0 {
			s.terms.touch(c.Customer, c.OfCustomer).teach(c, f, 1)
		}
	}
}

func (s *Store) learnLine(l *Line, f *Facts) {
	if l.Product == 0 {
		return
	}
	s.products.touch(l.Product, l.OfProduct).teach(l, f.Hour)
	if l.Like != 0 && l.Priced {
		s.likes.touch(l.Like, nil).teach(l, f.Hour)
	}
	if l.Pair == 0 {
		return
	}
	p := s.pairs.touch(l.Pair, nil)
	newest := *p
	p.teach(l, f.Hour)
	if newest.Hour > f.Hour { // the customer bought again meanwhile
		p.Price, p.Net, p.Last = newest.Price, newest.Net, newest.Last
	}
}

// Correct teaches what a wrong invoice should have come to, given as the natural
// logarithm of the net amount: nothing else of it is known to be right.
func (s *Store) Correct(f *Facts, logNet float32) {
	party := func(p *Party) {
		if f.Currency == p.Currency.Usual() {
			p.Net.teach(logNet)
		}
	}
	if f.Customer != 0 {
		s.customers.change(f.Customer, func(c *Customer) { party(&c.Party) })
	}
	for _, key := range [...]uint64{f.Seller, f.Group, f.Country} {
		if key != 0 {
			party(&s.groups.touch(key, nil).Party)
		}
	}
}

// Accept makes usual from now on what is new about an invoice. It comes after Learn in
// the partition of the invoice; in others, where its customer is not known, ours is
// false, and only what is known there of products, codes and groups changes.
func (s *Store) Accept(f *Facts, net invoice.Amount, ours bool) {
	for i := range f.Lines {
		s.acceptLine(&f.Lines[i], f, ours)
	}
	for i := range f.Codes {
		s.acceptCode(&f.Codes[i], f, ours)
	}
	for _, key := range [...]uint64{f.Seller, f.Group, f.Country} {
		if g := s.groups.find(key); g != nil {
			g = s.groups.touch(key, g)
			g.switchCurrency(func(h *Habit) { h.include(f.Currency) })
			g.Tax.include(f.Tax)
		}
	}
	if !ours {
		return
	}
	if s.customers.find(f.Customer) != nil {
		s.customers.change(f.Customer, func(u *Customer) { u.accept(f, net) })
	}
	if p := s.prints.load(s.printsKey(f), &f.prints); p != nil && p.repeated(&f.Print) {
		s.prints.change(s.printsKey(f), func(p *Prints) {
			for range acceptedRepeats {
				p.Repeats.teach(true)
			}
		})
	}
}

// acceptedRepeats is how many repeated invoices one stands for whose repetition was
// found to be meant.
const acceptedRepeats = 4

func (s *Store) acceptLine(l *Line, f *Facts, ours bool) {
	p := s.products.find(l.Product)
	if l.Product == 0 || p == nil || !l.Priced {
		return
	}
	p = s.products.touch(l.Product, p)
	for i := range p.Next {
		if n := &p.Next[i]; n.Count > 0 && n.Price == l.Price {
			*n = Pending{}
		}
	}
	// As often as suspects that agree on a price note it.
	if known := Find(&p.List, l.Price); known == nil || known.Count <= 2 {
		for range 2 {
			note(&p.List, l.Price, l.Quantity, l.Types, f.Hour)
			note(&p.Net, l.NetPrice, l.Quantity, l.Types, f.Hour)
		}
	}
	if q := s.pairs.find(l.Pair); ours && l.Pair != 0 && q != nil {
		q = s.pairs.touch(l.Pair, q)
		q.Price, q.Net = l.Price, l.NetPrice
	}
}

func (s *Store) acceptCode(c *Code, f *Facts, ours bool) {
	if t := s.terms.find(c.Seller); t != nil || ours {
		s.terms.touch(c.Seller, t).teach(c, f, offerCustomers)
	}
	if t := s.terms.find(c.Customer); ours && c.Customer != 0 && t != nil && c.Rate != 0 {
		s.terms.touch(c.Customer, t).Rates.replace(c.Rate)
	}
}

// printsKey is the key of the recent invoices that an invoice is compared with.
func (s *Store) printsKey(f *Facts) uint64 {
	if f.Customer != 0 {
		return f.Customer
	}
	return f.Content
}

// accept makes what is new about an invoice usual for its customer.
func (u *Customer) accept(f *Facts, net invoice.Amount) {
	u.switchCurrency(func(h *Habit) { h.replace(f.Currency) })
	u.Tax.replace(f.Tax)
	u.Type.replace(f.Type)
	if off := f.LogNet - u.Net.Mean; off*off > 4*u.Net.Variance { // the amount itself is new
		u.Net = Moments{}
		u.Net.teach(f.LogNet)
	}
	for m := range u.Marks {
		has := f.Marked.Has(Mark(m))
		if known := u.Marks[m].Of(); has != (known > 0.5) {
			u.Marks[m] = Share{}
			u.Marks[m].teach(has)
		}
	}
	u.agree(Agreed{Net: net, Currency: f.Currency})
}

// Agreed is an amount of a customer that people found to be right although it is far
// from what others pay.
type Agreed struct {
	Net      invoice.Amount // net amount of one invoice
	Currency uint32         // hash of its currency
}

// agreements is how many such amounts of a customer are remembered, the newest first.
const agreements = 2

func (u *Customer) agree(a Agreed) {
	if u.Agreed[0] != a {
		u.Agreed[1], u.Agreed[0] = u.Agreed[0], a
	}
}

func (c *coder) agreed(a *Agreed) {
	signed(c, &a.Net)
	unsigned(c, &a.Currency)
}

// include makes a value one of the usual ones.
func (h *Habit) include(key uint32) {
	if n := h.count(key); n < switchAfter {
		h.teach(key, switchAfter-n)
	}
}

// replace makes a value the usual one and forgets the others: they are over.
func (h *Habit) replace(key uint32) {
	if h.Usual() != key || h.Total == 0 {
		*h = Habit{}
		h.teach(key, switchAfter)
	}
}
