package history

// Steady is how often the customers of a seller that always did one thing, a few
// or many invoices long, do it again. So it is known from a customer's second
// invoice on what a VAT number that is missing means, where no customer with one
// ever lost it, and that a missing purchase order means less.
type Steady [steadyMarks][steadyRuns]Kept

// Kept is how often such customers do it again. Suspects that do not count only
// when as many agree as switch a Habit, and then little at a time: an outage that
// loses a mark must not teach that the mark is never needed, but a practice that
// ends must be learned within weeks.
type Kept struct {
	Share        // of the invoices that teach
	Broken Rival // suspects that do otherwise; its Key is 0
}

// breakWeight is which part of what is known as many suspects are worth, at most.
const breakWeight = 16

func (k *Kept) suspect(day int32, batch uint32) {
	if !k.Broken.agrees(0, day, batch) {
		return
	}
	for range max(1, min(k.Broken.Count, k.All/breakWeight)) {
		k.teach(false)
	}
	k.Broken = Rival{}
}

const (
	steadyMarks = 3 // as steadyOf numbers them
	steadyRuns  = 4 // runs of 1, 2, 3 to 4, and more invoices
	// steadyLeast is how many such invoices of the seller tell.
	steadyLeast = 30
)

// steadyOf numbers the marks looked at and says whether a steady customer has it;
// at is -1 for the others.
func steadyOf(m Mark) (at int, has bool) {
	switch m {
	case MarkPurchaseOrder:
		return 0, true
	case MarkVAT:
		return 1, true
	case MarkEarly:
		return 2, false // goods leave before the invoice
	}
	return -1, false
}

// run returns the place of a customer that always did it; ok is false for others.
func (c *Customer) run(m Mark, has bool) (at int, ok bool) {
	s := c.Marks[m]
	switch {
	case s.All == 0 || (has && s.Yes < s.All) || (!has && s.Yes > 0):
		return 0, false
	case s.All <= 2:
		return int(s.All) - 1, true
	case s.All <= 4:
		return 2, true
	}
	return 3, true
}

func (s *Steady) teach(f *Facts, suspect bool) {
	if f.Known.Customer == nil {
		return
	}
	for _, m := range [...]Mark{MarkPurchaseOrder, MarkVAT, MarkEarly} {
		at, has := steadyOf(m)
		run, ok := f.Known.Customer.run(m, has)
		kept := f.Marked.Has(m) == has
		switch {
		case ok && !suspect:
			s[at][run].teach(kept)
		case ok && !kept:
			s[at][run].suspect(f.Day, f.Batch)
		}
	}
}

// Stays returns the share of invoices that have a mark, or with MarkEarly have it
// not, among those of customers whose former invoices all did and were about as
// many as this one's. ok is false where this customer's did not, or where there
// are too few to tell.
func (c *Conduct) Stays(m Mark, u *Customer) (share float64, ok bool) {
	at, has := steadyOf(m)
	if c == nil || u == nil || at < 0 {
		return 0, false
	}
	run, ok := u.run(m, has)
	s := c.Steady[at][run]
	return s.Of(), ok && s.All >= steadyLeast
}

// endsBelow is the share below which what customers always did comes to an end.
const endsBelow = 0.8

// Ends tells whether the seller's customers give up what they always did: of those
// that did it five times and more one in five did not do it again.
func (c *Conduct) Ends(m Mark) bool {
	at, _ := steadyOf(m)
	if c == nil || at < 0 {
		return false
	}
	longest := &c.Steady[at][steadyRuns-1]
	return longest.All >= steadyLeast && longest.Of() < endsBelow
}
