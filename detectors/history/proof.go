package history

// Proofs is how many kinds of exact evidence a seller's habits are kept of.
const Proofs = 32

// Conduct is how often each kind of exact evidence holds on one seller's
// invoices, those found suspect included: where it always does, it proves nothing.
//
// Only what a seller does from its first invoices on, of each of its first days as
// many as count, is a habit. What begins later is an error until somebody says
// otherwise, however long it lasts; and an outage among the first invoices is on
// too few days to be a habit. Where the evidence becomes rare later, the habit is
// over and does not come back.
type Conduct struct {
	Hour    int32         // event time of the newest invoice, hours since 1970
	Day     int32         // of the newest one that counts as a first one, days since 1970
	Today   uint16        // such invoices of that day
	All     uint16        // such invoices, up to conductFirst
	Habits  uint32        // kinds of evidence that are habits, a bit each
	Tallies [Proofs]Tally // by kind of evidence
	Steady  Steady        // what its customers keep to
	Lists   Lists         // in which order its lines stand
	Prices  Revision      // price list that it bills by
	Shift   Shift         // which way the prices of whole invoices move
}

// Tally counts one kind of exact evidence.
type Tally struct {
	Yes  uint16 // first invoices with it
	Days uint16 // days on which these were issued
	Day  int32  // the last of these days, since 1970
	Late Share  // newest invoices, since it is a habit
	Over bool   // the habit is over
}

const (
	conductFirst  = 500 // invoices that make a habit
	conductPerDay = 50  // of one day
	conductLeast  = 200 // of them, before anything is called one
	habitDays     = 5
	habitShare    = 0.08
	habitLapsed   = 0.01 // share of the newest invoices below which a habit is over
	habitNever    = 0.01 // share of the first ones up to which the seller as good as never does it
)

// Habit tells whether the seller's invoices have this kind of evidence as a rule.
func (c *Conduct) Habit(kind int) bool { return c.Habits&(1<<kind) != 0 }

// Never tells whether the seller is known well enough to say that its invoices
// as good as never have this kind of evidence.
func (c *Conduct) Never(kind int) bool {
	return c.All >= conductLeast && float64(c.Tallies[kind].Yes) <= habitNever*float64(c.All)
}

func (c *Conduct) teach(f *Facts, suspect bool) {
	if !suspect {
		c.Lists.teach(f)
	}
	c.Hour = max(c.Hour, f.Hour)
	first := c.countsAsFirst(f.Day)
	c.Steady.teach(f, suspect)
	c.Prices.teach(f)
	c.shift(f)
	if !first && c.Habits == 0 {
		return
	}
	for kind := range c.Tallies {
		t := &c.Tallies[kind]
		yes := f.Proofs&(1<<kind) != 0
		if first && yes {
			t.Yes++
			if t.Days == 0 || t.Day != f.Day {
				t.Days, t.Day = t.Days+1, f.Day
			}
		}
		if c.Habit(kind) {
			t.Late.teach(yes)
			t.Over = t.Late.All >= conductLeast && t.Late.Of() < habitLapsed
		}
		c.Habits &^= 1 << kind
		if c.All >= conductLeast && t.Days >= habitDays && float64(t.Yes) > habitShare*float64(c.All) && !t.Over {
			c.Habits |= 1 << kind
		}
	}
}

// countsAsFirst counts an invoice of a day among the seller's first ones, if it is.
func (c *Conduct) countsAsFirst(day int32) bool {
	if c.All >= conductFirst {
		return false
	}
	if day != c.Day {
		c.Day, c.Today = day, 0
	}
	if c.Today >= conductPerDay {
		return false
	}
	c.Today++
	c.All++
	return true
}

func (c *coder) conduct(s *Conduct) {
	signed(c, &s.Hour)
	signed(c, &s.Day)
	unsigned(c, &s.Today)
	unsigned(c, &s.All)
	unsigned(c, &s.Habits)
	filled(c, s.Tallies[:], func(c *coder, t *Tally) {
		unsigned(c, &t.Yes)
		unsigned(c, &t.Days)
		signed(c, &t.Day)
		c.share(&t.Late)
		c.flag(&t.Over)
	})
	c.lists(&s.Lists)
	c.revision(&s.Prices)
	c.shift(&s.Shift)
	for i := range s.Steady {
		for k := range s.Steady[i] {
			c.share(&s.Steady[i][k].Share)
			c.rival(&s.Steady[i][k].Broken)
		}
	}
}
