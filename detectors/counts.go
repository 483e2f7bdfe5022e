package detectors

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"recoup/invoice"
)

const (
	// mostValues bounds the values of a dimension that a partition counts.
	mostValues = 10_000
	// mostOfAll bounds those of all dimensions: a value takes some 2.3 kB where it was
	// billed in 24 buckets and 5 weeks. Each dimension may have fewValues whatever the
	// others have: 27,000 at worst, 62 MB a partition.
	mostOfAll = 20_000
	fewValues = 1000
	// idleBuckets is how long a value was not met before it makes room for another.
	idleBuckets = int64(24 * time.Hour / BucketLength)
	// forgetBuckets is how long a value is kept that is not met any more.
	forgetBuckets = 4 * bucketsAWeek
)

// Counts are what one source partition counted of the values of all dimensions, by
// buckets of event time. Noting an invoice takes no memory once its values are known.
// They are advisory: what is lost with a crash or counted twice changes no verdict.
// Not safe for concurrent use.
type Counts struct {
	tolerance time.Duration // of event times in the future
	tables    [Dimensions]countTable
	dirty     []*counted // to be published, in the order of their first change
	forget    []Value    // to be tombstoned
	promos    []string
	name      []byte
	urgent    int   // values that suspects were noted of since they were published
	swept     int64 // day of event time of the last look for forgotten values
	others    uint64
}

// countTable holds the values of one dimension.
type countTable struct {
	byName map[countName]*counted
	last   *counted // met last: most invoices have the values of the one before
	newest int64    // bucket
	full   int64    // newest when nothing could make room
}

// countName is a value within its dimension.
type countName struct{ seller, name string }

// counted is one value.
type counted struct {
	value        Value
	typ, family  string // of a segment
	count        Count
	cell         *Cell // of the bucket met last
	dirty        bool  // in Counts.dirty
	suspect      bool  // a suspect was noted since it was published
	lastOfRecent int64 // newest bucket
}

// NewCounts returns counts of nothing. Settings say which event times are plausible.
func NewCounts(s Settings) *Counts {
	c := &Counts{tolerance: s.FutureTolerance}
	for d := range c.tables {
		c.tables[d].byName = map[countName]*counted{}
	}
	return c
}

// Note counts a scored invoice. Of a canary it notes whether it was found, drafts and
// documents that correct an invoice are passed over. received is its record's time.
func (c *Counts) Note(inv *invoice.Invoice, v *Verdict, received time.Time) {
	ms := received.UnixMilli()
	if inv.Canary {
		if e := c.find(DimensionSource, inv.Seller, inv.SourceSystem, c.bucket(inv, received)); e != nil {
			e.arrivals().sawCanary(ms, v.Suspect)
			c.change(e, true)
		}
		return
	}
	if inv.Stage != invoice.Issued || inv.Type != invoice.Standard {
		return
	}
	n := note{at: c.bucket(inv, received), p: uint64(math.Round(v.PError * 1e6)), suspect: v.Suspect}
	if v.Suspect {
		n.direction = v.Direction
		n.cause = Causes - 1
		if len(v.Causes) > 0 {
			n.cause = CauseIndex(v.Causes[0].Code)
		}
	}
	c.add(DimensionSeller, inv.Seller, "", &n)
	for _, d := range singleValued {
		if name := valueOf(d, inv); name != "" {
			c.add(d, inv.Seller, name, &n)
		}
	}
	if e := c.find(DimensionSource, inv.Seller, inv.SourceSystem, n.at); e != nil {
		e.arrivals().saw(ms)
		c.addTo(e, &n)
	}
	c.promos = promotionsOf(c.promos[:0], inv)
	for _, code := range c.promos {
		c.add(DimensionPromotion, inv.Seller, code, &n)
	}
	if inv.CustomerType != "" || inv.ProductFamily != "" {
		c.addTo(c.segment(inv, n.at), &n)
	}
}

// singleValued are the dimensions of which an invoice has one value, but for its
// source, which an invoice always has, if it is not named.
var singleValued = [...]Dimension{DimensionRelease, DimensionBatch, DimensionOperator, DimensionPriceList,
	DimensionCRMVersion}

// note is what one invoice adds.
type note struct {
	at        int64 // bucket
	p         uint64
	cause     int
	suspect   bool
	direction Direction
}

// bucket is the one an invoice's event time falls into.
func (c *Counts) bucket(inv *invoice.Invoice, received time.Time) int64 {
	ms, _ := eventTime(inv, received, c.tolerance)
	return bucketOf(ms)
}

func bucketOf(ms int64) int64 {
	length := BucketLength.Milliseconds()
	if ms < 0 {
		return (ms - length + 1) / length
	}
	return ms / length
}

func (c *Counts) add(d Dimension, seller, name string, n *note) {
	c.addTo(c.find(d, seller, name, n.at), n)
}

func (c *Counts) addTo(e *counted, n *note) {
	if e == nil {
		c.others++
		return
	}
	cell := e.cell
	if cell == nil || cell.At != n.at {
		if cell = e.count.cell(n.at); cell == nil {
			return // of months ago
		}
		if cell.At != n.at {
			e.cell = nil // of a week
		} else {
			t := &c.tables[e.value.Dimension]
			e.cell, e.lastOfRecent, t.newest = cell, max(e.lastOfRecent, n.at), max(t.newest, n.at)
		}
	}
	cell.Invoices++
	cell.PError += n.p
	if n.suspect {
		cell.Suspects[n.cause]++
		switch n.direction {
		case DirectionCustomerFavour:
			cell.TooLow++
		case DirectionSellerFavour:
			cell.TooHigh++
		}
	}
	c.change(e, n.suspect)
}

// change has the next Publish write a value.
func (c *Counts) change(e *counted, suspect bool) {
	if !e.dirty {
		e.dirty = true
		c.dirty = append(c.dirty, e)
	}
	if suspect && !e.suspect {
		e.suspect = true
		c.urgent++
	}
}

// find returns what is counted of a value, nil when there is no room for it.
func (c *Counts) find(d Dimension, seller, name string, at int64) *counted {
	t := &c.tables[d]
	if e := t.last; e != nil && e.value.Name == name && e.value.Seller == seller {
		return e
	}
	e := t.byName[countName{seller, name}]
	if e == nil {
		e = c.insert(Value{strings.Clone(seller), d, strings.Clone(name)}, at)
	}
	if e != nil {
		t.last = e
	}
	return e
}

// segment returns what is counted of the invoice's segment.
func (c *Counts) segment(inv *invoice.Invoice, at int64) *counted {
	t := &c.tables[DimensionSegment]
	if e := t.last; e != nil && e.typ == inv.CustomerType && e.family == inv.ProductFamily &&
		e.value.Seller == inv.Seller {
		return e
	}
	c.name = append(append(append(c.name[:0], inv.CustomerType...), '/'), inv.ProductFamily...)
	e := t.byName[countName{inv.Seller, string(c.name)}]
	if e == nil {
		e = c.insert(Value{strings.Clone(inv.Seller), DimensionSegment, string(c.name)}, at)
	}
	if e != nil {
		if e.typ != inv.CustomerType || e.family != inv.ProductFamily {
			e.typ, e.family = strings.Clone(inv.CustomerType), strings.Clone(inv.ProductFamily)
		}
		t.last = e
	}
	return e
}

// insert makes a value known, if there is or can be made room.
func (c *Counts) insert(v Value, at int64) *counted {
	t := &c.tables[v.Dimension]
	t.newest = max(t.newest, at)
	full := len(t.byName) >= mostValues || len(t.byName) >= fewValues && c.values() >= mostOfAll
	if full && !c.makeRoom(t) {
		return nil
	}
	e := &counted{value: v, lastOfRecent: at}
	t.byName[countName{v.Seller, v.Name}] = e
	return e
}

// values is how many are known of all dimensions.
func (c *Counts) values() (n int) {
	for d := range c.tables {
		n += len(c.tables[d].byName)
	}
	return n
}

// makeRoom forgets an eighth of a full table, what was met longest ago first, but
// nothing of the last day: a run that names every invoice a batch of its own must not
// drive out those that are billed now.
func (c *Counts) makeRoom(t *countTable) bool {
	if t.full == t.newest {
		return false // nothing has aged since
	}
	var idle []*counted
	for _, e := range t.byName {
		if e.lastOfRecent <= t.newest-idleBuckets {
			idle = append(idle, e)
		}
	}
	if len(idle) == 0 {
		t.full = t.newest
		return false
	}
	slices.SortFunc(idle, func(a, b *counted) int {
		return cmp.Or(cmp.Compare(a.lastOfRecent, b.lastOfRecent), compareValues(a.value, b.value))
	})
	for _, e := range idle[:min(len(idle), mostValues/8)] {
		c.drop(t, e)
	}
	return true
}

func compareValues(a, b Value) int {
	return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Seller, b.Seller), cmp.Compare(a.Name, b.Name))
}

// drop forgets a value.
func (c *Counts) drop(t *countTable, e *counted) {
	delete(t.byName, countName{e.value.Seller, e.value.Name})
	if t.last == e {
		t.last = nil
	}
	if e.suspect {
		e.suspect = false
		c.urgent--
	}
	c.forget = append(c.forget, e.value)
}

// arrivals returns the arrivals of a source.
func (e *counted) arrivals() *Arrivals {
	if e.count.Arrivals == nil {
		e.count.Arrivals = &Arrivals{}
	}
	return e.count.Arrivals
}

// placeOf returns where a time belongs in cells by time, and its cell if it has one.
// Most invoices belong to the newest.
func placeOf(cells []Cell, at int64) (int, *Cell) {
	i := len(cells)
	for i > 0 && cells[i-1].At > at {
		i--
	}
	if i > 0 && cells[i-1].At == at {
		return i, &cells[i-1]
	}
	return i, nil
}

// cell returns the cell that an event time's bucket is counted in, nil when that is
// too long ago. It may move the others.
func (c *Count) cell(at int64) *Cell {
	i, cell := placeOf(c.Recent, at)
	if cell != nil {
		return cell
	}
	if len(c.Recent) == mostRecent {
		if i == 0 {
			return c.week(at / bucketsAWeek)
		}
		oldest := &c.Recent[0]
		if week := c.week(oldest.At / bucketsAWeek); week != nil {
			week.Add(&oldest.Tally)
		}
		c.Recent = append(c.Recent[:0], c.Recent[1:]...)
		i--
	}
	c.Recent = slices.Insert(withRoom(c.Recent, mostRecent), i, Cell{At: at})
	return &c.Recent[i]
}

func (c *Count) week(at int64) *Cell {
	i, cell := placeOf(c.Weeks, at)
	if cell != nil {
		return cell
	}
	if len(c.Weeks) == mostWeeks {
		if i == 0 {
			return nil
		}
		c.Weeks = append(c.Weeks[:0], c.Weeks[1:]...)
		i--
	}
	c.Weeks = slices.Insert(withRoom(c.Weeks, mostWeeks), i, Cell{At: at})
	return &c.Weeks[i]
}

// withRoom has room for one cell more, and never for more than there may be: append alone
// would take a quarter more for a value that fills its cells.
func withRoom(cells []Cell, most int) []Cell {
	if len(cells) < cap(cells) {
		return cells
	}
	return append(make([]Cell, 0, min(most, max(1, 2*len(cells)))), cells...)
}
