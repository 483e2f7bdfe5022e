package history

// Proofs is how many kinds of exact evidence a seller's habits are kept of.
const Proofs = 32

// Conduct is how often each kind of exact evidence holds for one seller.
type Conduct struct {
	Hour    int32         // event time of the newest invoice, hours since 1970
	Day     int32         // of the newest one that counts as a first one, days since 1970
	Today   uint16        // such invoices of that day
	Tallies [Proofs]Tally // by kind of evidence
}

func (c *Conduct) teach(f *Facts) {
	c.Hour = max(c.Hour, f.Hour)
	if f.Day != c.Day {
		c.Day, c.Today = f.Day, 0
	}
	first := c.Today < tallyPerDay
	if first {
		c.Today++
	}
	for kind := range c.Tallies {
		c.Tallies[kind].teach(f.Proofs&(1<<kind) != 0, f.Day, first)
	}
}

// Tally counts on how many of a seller's invoices one kind of exact evidence
// holds, those found suspect included: where it always does, it proves nothing.
//
// Only what a seller does from its first invoices on, of each of its first days as
// many as count, is a habit. What begins later is an error until somebody says
// otherwise, however long it lasts; and an outage among the first invoices is on
// too few days to be a habit. Where the evidence becomes rare later, the habit is
// over and does not come back.
type Tally struct {
	All  uint16 // first invoices, up to tallyFirst
	Yes  uint16 // of them, with the evidence
	Days uint16 // days on which these were issued
	Day  int32  // the last of these days, since 1970
	Late Share  // newest invoices
	Over bool   // the habit is over
}

const (
	tallyFirst  = 500 // invoices that make a habit
	tallyPerDay = 50  // of one day
	tallyLeast  = 200 // of them, before anything is called one
	tallyDays   = 5
	tallyShare  = 0.08
	tallyLapsed = 0.01 // share of the newest invoices below which a habit is over
	tallyNever  = 0.01 // share of the first ones up to which the seller as good as never does it
)

// Habit tells whether the seller's invoices have the evidence as a rule.
func (t *Tally) Habit() bool {
	return !t.Over && t.All >= tallyLeast && t.Days >= tallyDays && float64(t.Yes) > tallyShare*float64(t.All)
}

// Never tells whether the seller is known well enough to say that its invoices
// as good as never have the evidence.
func (t *Tally) Never() bool {
	return t.All >= tallyLeast && float64(t.Yes) <= tallyNever*float64(t.All)
}

func (t *Tally) teach(yes bool, day int32, first bool) {
	t.Late.teach(yes)
	if t.Late.All >= tallyLeast && t.Late.Of() < tallyLapsed && t.Habit() {
		t.Over = true
	}
	if t.All >= tallyFirst || !first {
		return
	}
	t.All++
	if !yes {
		return
	}
	t.Yes++
	if t.Days == 0 || t.Day != day {
		t.Days, t.Day = t.Days+1, day
	}
}

func (c *coder) conduct(s *Conduct) {
	signed(c, &s.Hour)
	signed(c, &s.Day)
	unsigned(c, &s.Today)
	filled(c, s.Tallies[:], func(c *coder, t *Tally) {
		unsigned(c, &t.All)
		unsigned(c, &t.Yes)
		unsigned(c, &t.Days)
		signed(c, &t.Day)
		c.share(&t.Late)
		c.flag(&t.Over)
		c.want(t.All <= tallyFirst)
	})
}
