package history

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// coder writes items in their stored form or reads them back: each kind says once
// what it consists of, so that both directions agree. Numbers are varints; a float's
// bytes are turned round before, as most quantities end in zeros. After the first
// fault every read gives zero and failed stays set.
type coder struct {
	bytes   []byte // what was written, or is still to be read
	reading bool
	failed  bool
}

func (c *coder) want(ok bool) { c.failed = c.failed || !ok }

func (c *coder) uvarint(v uint64) uint64 {
	if !c.reading {
		c.bytes = binary.AppendUvarint(c.bytes, v)
		return v
	}
	v, n := binary.Uvarint(c.bytes)
	if n <= 0 || c.failed {
		c.failed, c.bytes = true, nil
		return 0
	}
	c.bytes = c.bytes[n:]
	return v
}

func unsigned[T ~uint16 | ~uint32](c *coder, v *T) {
	x := c.uvarint(uint64(*v))
	*v = T(x)
	c.want(uint64(*v) == x)
}

func signed[T ~int32 | ~int64](c *coder, v *T) {
	x := uint64(int64(*v)<<1) ^ uint64(int64(*v)>>63)
	x = c.uvarint(x)
	signed := int64(x>>1) ^ -int64(x&1)
	*v = T(signed)
	c.want(int64(*v) == signed)
}

// real codes a number that is finite.
func (c *coder) real(v *float32) {
	x := c.uvarint(uint64(bits.ReverseBytes32(math.Float32bits(*v))))
	c.want(x <= math.MaxUint32)
	*v = math.Float32frombits(bits.ReverseBytes32(uint32(x)))
	c.want(!math.IsNaN(float64(*v)) && !math.IsInf(float64(*v), 0))
}

func (c *coder) flag(v *bool) {
	x := uint64(0)
	if *v {
		x = 1
	}
	x = c.uvarint(x)
	*v = x == 1
	c.want(x <= 1)
}

// filled codes the entries of an array up to the last that is in use.
func filled[T comparable](c *coder, all []T, code func(*coder, *T)) {
	var free T
	n := len(all)
	for n > 0 && all[n-1] == free {
		n--
	}
	given := c.uvarint(uint64(n))
	c.want(given <= uint64(len(all)))
	for i := range all {
		if uint64(i) >= given || c.failed {
			break
		}
		code(c, &all[i])
	}
}

// text codes a string that is padded with zeros.
func (c *coder) text(v []byte) {
	n := len(v)
	for n > 0 && v[n-1] == 0 {
		n--
	}
	given := c.uvarint(uint64(n))
	if !c.reading {
		c.bytes = append(c.bytes, v[:n]...)
		return
	}
	if given > uint64(len(v)) || given > uint64(len(c.bytes)) {
		c.failed, c.bytes = true, nil
		return
	}
	copy(v, c.bytes[:given])
	c.bytes = c.bytes[given:]
}

// write adds the items of a bucket in the order of their keys and returns how many
// there are.
func (t *table[T]) write(c *coder, number uint16) int {
	all := t.slots(number)
	slices.SortFunc(all, func(a, b uint32) int { return cmp.Compare(t.slot(a).key, t.slot(b).key) })
	c.uvarint(uint64(len(all)))
	for _, at := range all {
		s := t.slot(at)
		c.bytes = binary.BigEndian.AppendUint64(c.bytes, s.key)
		t.code(c, &s.item)
	}
	return len(all)
}

// read adds the items that write wrote to an empty bucket, those met last if there is no
// room for all.
func (t *table[T]) read(c *coder, number uint16) {
	defer t.trim(number)
	var last uint64
	for i := range c.uvarint(0) {
		if c.failed || len(c.bytes) < 8 {
			c.failed = true
			return
		}
		key := binary.BigEndian.Uint64(c.bytes)
		c.bytes = c.bytes[8:]
		if c.want(bucketOf(key) == number && (i == 0 || key > last)); c.failed {
			return
		}
		last = key
		t.code(c, t.insert(key))
	}
}

func (c *coder) share(s *Share) {
	unsigned(c, &s.All)
	unsigned(c, &s.Yes)
	c.want(s.Yes <= s.All && s.All < shareLimit)
}

func (c *coder) moments(m *Moments) {
	unsigned(c, &m.N)
	c.real(&m.Mean)
	c.real(&m.Variance)
	c.want(m.Variance >= 0)
}

func (c *coder) habit(h *Habit) {
	filled(c, h.Values[:], func(c *coder, v *HabitValue) {
		unsigned(c, &v.Key)
		unsigned(c, &v.Count)
	})
	unsigned(c, &h.Total)
	c.rival(&h.Rival)
}

func (c *coder) rival(r *Rival) {
	if unsigned(c, &r.Count); r.Count == 0 {
		return
	}
	unsigned(c, &r.Key)
	unsigned(c, &r.Days)
	signed(c, &r.Day)
	unsigned(c, &r.Batch)
	c.flag(&r.Mixed)
}

func (c *coder) point(p *Point) {
	signed(c, &p.Price)
	unsigned(c, &p.Count)
	c.want(p.Count > 0)
	c.real(&p.Least)
	c.real(&p.MinQuantity)
	unsigned(c, &p.Types)
	signed(c, &p.Hour)
}

func (c *coder) pending(p *Pending) {
	if unsigned(c, &p.Count); p.Count == 0 {
		return
	}
	signed(c, &p.Price)
	signed(c, &p.Net)
	c.flag(&p.Mixed)
	signed(c, &p.Day)
	unsigned(c, &p.Batch)
	c.real(&p.Least)
	unsigned(c, &p.Buyers)
}

func (c *coder) product(p *Product) {
	signed(c, &p.Hour)
	unsigned(c, &p.Lines)
	c.share(&p.Known)
	c.share(&p.Full)
	c.share(&p.NetKnown)
	filled(c, p.List[:], (*coder).point)
	filled(c, p.Net[:], (*coder).point)
	filled(c, p.Rates[:], func(c *coder, r *Rate) {
		unsigned(c, &r.Key)
		unsigned(c, &r.Count)
	})
	c.moments(&p.Log)
	filled(c, p.Counts[:], func(c *coder, q *Quantity) {
		c.real(&q.Value)
		unsigned(c, &q.Count)
		c.want(q.Count > 0)
	})
	filled(c, p.Next[:], (*coder).pending)
	c.shift(&p.Shift)
}

func (c *coder) pair(p *Pair) {
	signed(c, &p.Hour)
	unsigned(c, &p.Lines)
	unsigned(c, &p.Held)
	signed(c, &p.Price)
	signed(c, &p.Net)
	c.moments(&p.Log)
	c.real(&p.Last)
	unsigned(c, &p.Same)
}

func (c *coder) like(k *Like) {
	signed(c, &k.Hour)
	c.moments(&k.Price)
	c.moments(&k.Net)
}

func (c *coder) party(p *Party) {
	signed(c, &p.Hour)
	unsigned(c, &p.Invoices)
	c.habit(&p.Currency)
	c.habit(&p.Tax)
	filled(c, p.Marks[:], (*coder).share)
	c.moments(&p.Net)
}

func (c *coder) customer(u *Customer) {
	c.party(&u.Party)
	c.habit(&u.Type)
	c.moments(&u.OffPrice)
	c.moments(&u.Lines)
	filled(c, u.Agreed[:], (*coder).agreed)
}

func (c *coder) group(g *Group) {
	c.party(&g.Party)
	filled(c, g.Rates[:], unsigned[uint32])
	filled(c, g.Ends[:], unsigned[uint16])
	filled(c, g.NetEnds[:], unsigned[uint16])
	c.share(&g.Halves)
}

func (c *coder) terms(t *Terms) {
	signed(c, &t.Hour)
	signed(c, &t.First)
	unsigned(c, &t.Invoices)
	unsigned(c, &t.Families)
	unsigned(c, &t.Types)
	c.habit(&t.Rates)
	o := &t.Offer
	if unsigned(c, &o.Rate); o.Rate == 0 {
		return
	}
	unsigned(c, &o.Customers)
	unsigned(c, &o.Days)
	signed(c, &o.Day)
	unsigned(c, &o.Batch)
	c.flag(&o.Mixed)
}

func (c *coder) source(s *Source) {
	signed(c, &s.Hour)
	unsigned(c, &s.Invoices)
	for i := range s.Recent {
		c.real(&s.Recent[i])
	}
	filled(c, s.Runs[:], (*coder).run)
	c.real((*float32)(&s.Cut))
}

func (c *coder) prints(p *Prints) {
	signed(c, &p.Hour)
	unsigned(c, &p.Next)
	c.share(&p.Repeats)
	filled(c, p.Items[:], (*coder).print)
}

func (c *coder) print(p *Print) {
	signed(c, &p.Minute)
	for _, hash := range [...]*uint32{&p.Number, &p.Order, &p.Delivery, &p.Products, &p.Goods, &p.Content, &p.Lines,
		&p.Period, &p.Shipped, &p.Contract} {
		unsigned(c, hash)
	}
	signed(c, &p.Net)
	for i := range p.Sketch {
		unsigned(c, &p.Sketch[i])
	}
	c.text(p.ID[:])
}
