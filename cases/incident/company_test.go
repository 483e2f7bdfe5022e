package incident

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// company bills: its invoices are counted by as many workers as there are partitions,
// and a Board is told what they publish and which suspects they found.
type company struct {
	t       *testing.T
	board   *Board
	counts  []*detectors.Counts
	offsets []int64
	now     time.Time
	arrived time.Time     // in a replay, when what was issued now arrives; zero: now
	behind  time.Duration // by which the clock of its producers is late
	rng     *rand.Rand
	n       int
	changes []Change
	verdict detectors.Verdict
}

var monday = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func newCompany(t *testing.T, partitions int, seed uint64) *company {
	c := &company{t: t, board: New(DefaultSettings()), now: monday, rng: rand.New(rand.NewPCG(seed, 5)),
		offsets: make([]int64, partitions)}
	for range partitions {
		c.counts = append(c.counts, detectors.NewCounts(detectors.DefaultSettings()))
	}
	return c
}

// plain is an invoice of the company's everyday: one of 2 systems, 2 releases each, a
// batch per quarter of an hour, 8 operators, 3 price lists, 6 segments, now and then a code.
func (c *company) plain() *invoice.Invoice {
	c.n++
	system := c.rng.IntN(2)
	inv := &invoice.Invoice{Seller: "acme", ID: fmt.Sprint("i", c.n), Currency: "EUR", IssuedAt: c.now,
		NetAmount: 100 * invoice.Unit, CustomerRef: fmt.Sprint("c", c.rng.IntN(500)),
		CustomerType:     []string{"B2C", "B2B"}[c.rng.IntN(2)],
		ProductFamily:    []string{"fibre", "mobile", "tv"}[c.rng.IntN(3)],
		SourceSystem:     fmt.Sprint("erp", system),
		SourceRelease:    fmt.Sprintf("r%d.%d", system, c.rng.IntN(2)),
		BatchID:          fmt.Sprintf("B-%d-%d", system, c.now.Unix()/900),
		OperatorRef:      fmt.Sprint("o", c.rng.IntN(8)),
		PriceListVersion: fmt.Sprint("p", c.rng.IntN(3)),
	}
	if c.rng.IntN(5) == 0 {
		inv.PromoCodes = []string{fmt.Sprint("PROMO", c.rng.IntN(10))}
	}
	return inv
}

// bad says what an invoice was found to be: suspect for a cause, and what is lost.
type bad struct {
	cause, kind string
	loss        invoice.Amount
	incident    string
	late        bool    // nothing can be claimed any more
	rate        float64 // share that comes back, by 40 closed cases; 0: not known
}

// chance is an error of nothing in common: three in a hundred invoices, of any cause.
func (c *company) chance() *bad {
	if c.rng.Float64() >= 0.03 {
		return nil
	}
	return c.any()
}

func (c *company) any() *bad {
	cause := detectors.CauseAt(c.rng.IntN(detectors.Causes))
	return &bad{cause: cause, kind: "some", loss: invoice.Amount(c.rng.IntN(60)-20) * invoice.Unit}
}

// clock is the time by which the stage works.
func (c *company) clock() time.Time {
	if c.arrived.IsZero() {
		return c.now
	}
	return c.arrived
}

// bills has an invoice scored, counted and, if it is suspect, logged.
func (c *company) bills(inv *invoice.Invoice, found *bad) {
	p := c.n % len(c.counts)
	v := &c.verdict
	*v = detectors.Verdict{Seller: inv.Seller, InvoiceID: inv.ID, Currency: inv.Currency, PError: 0.01,
		Billed: inv.NetAmount, Decision: detectors.DecisionNone}
	if found != nil {
		v.Suspect, v.PError, v.IncidentID = true, 0.8, found.incident
		v.Loss = detectors.Loss{Point: found.loss, Low: found.loss, High: found.loss}
		if found.late {
			v.Rules = []string{detectors.RuleTooLate}
		}
		if found.rate > 0 {
			v.Model.Recovery = detectors.RecoveryRate{Rate: found.rate, Cases: 40}
		}
		v.Direction = detectors.DirectionNone
		switch {
		case found.loss > 0:
			v.Direction = detectors.DirectionCustomerFavour
		case found.loss < 0:
			v.Direction = detectors.DirectionSellerFavour
		}
		v.Causes = []detectors.Finding{{Code: found.cause, Kind: found.kind, P: 0.8, Repaired: v.Billed + found.loss}}
	}
	c.counts[p].Note(inv, v, c.clock().Add(-c.behind))
	if v.Suspect {
		at := invoice.Position{Topic: "recoup.suspects", Partition: p, Offset: c.offsets[p]}
		c.offsets[p]++
		c.board.Suspect(at, v.Clone(), cases.SubjectOf(inv, c.clock()), c.clock())
	}
}

// tick publishes what was counted and has the board look at it.
func (c *company) tick() []Change {
	c.t.Helper()
	for p, counts := range c.counts {
		mark := detectors.ReadMark{Until: c.clock(), At: c.clock()}
		for _, r := range append(counts.Publish(detectors.PublishAll), mark.Record()) {
			if err := c.board.Count(r.Key, r.Value, p); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	out := c.board.Tick(c.clock())
	c.changes = append(c.changes, out...)
	return out
}

// quietly lets so much time pass with so many invoices an hour, and looks every minute.
func (c *company) quietly(d time.Duration, perHour int, make func() (*invoice.Invoice, *bad)) {
	c.t.Helper()
	step := time.Hour / time.Duration(perHour)
	looked := c.now
	for end := c.now.Add(d); c.now.Before(end); c.now = c.now.Add(step) {
		c.bills(make())
		if c.now.Sub(looked) >= time.Minute {
			c.tick()
			looked = c.now
		}
	}
	c.tick()
}

func (c *company) everyday() (*invoice.Invoice, *bad) { return c.plain(), c.chance() }

// incidents returns the changes that opened one.
func (c *company) opened() (list []Change) {
	for _, ch := range c.changes {
		if ch.Incident != nil && ch.Action == cases.ActionOpen {
			list = append(list, ch)
		}
	}
	return list
}

// only returns the one incident that was opened.
func (c *company) only(dimension, value string) *cases.Incident {
	c.t.Helper()
	list := c.opened()
	for _, ch := range list {
		c.t.Logf("opened %s=%s: %d members, causes %v, p %.2g", ch.Incident.Dimension, ch.Incident.Value,
			ch.Incident.Members, ch.Incident.Causes, ch.Incident.P)
	}
	if len(list) != 1 || list[0].Incident.Dimension != dimension || list[0].Incident.Value != value {
		c.t.Fatalf("%d incidents, want one of %s %s", len(list), dimension, value)
	}
	for _, i := range c.board.Incidents() {
		if i.ID == list[0].Incident.ID {
			return i
		}
	}
	return list[0].Incident
}

// joined counts the members that were listed, each once.
func (c *company) joined() int {
	c.t.Helper()
	seen := map[string]bool{}
	for _, ch := range c.changes {
		for _, m := range ch.Joined {
			if seen[m.InvoiceID] {
				c.t.Errorf("member %s is listed twice", m.InvoiceID)
			}
			seen[m.InvoiceID] = true
		}
	}
	return len(seen)
}
