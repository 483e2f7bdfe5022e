package load

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// usualQuantity is the mean quantity of a line; good lines of a separated plan
// lie within 2 of it, so that an invoice lies within 2 % of its segment's mean.
const usualQuantity = 100

// hiddenQuantity is how much more a line of a sum mismatch bills than the total says.
const hiddenQuantity = 40

// segment is one customer type × product family of one seller.
type segment struct {
	seller   string
	head     string  // JSON from "seller" to "net_amount", without identity and time
	products []int64 // unit price of each line in cents, a multiple of 5
	lines    []string
}

// makeSegments lays out the segments of all sellers.
func makeSegments(plan Plan) []segment {
	segments := make([]segment, 0, plan.cells())
	types := int(math.Ceil(math.Sqrt(float64(plan.Segments))))
	for seller := range plan.Sellers {
		for s := range plan.Segments {
			customerType, family := s%types, s/types
			if plan.Separated { // one usual amount on either margin, or the margins would be wide
				customerType, family = s, s
			}
			segments = append(segments, makeSegment(plan, seller, s, customerType, family))
		}
	}
	return segments
}

// makeSegment prices one segment: usual amounts lie between 600 and 4,000.
func makeSegment(plan Plan, seller, number, customerType, family int) segment {
	usual := 60_000 + (number*7919+seller*104_729)%340_000 // cents
	s := segment{
		seller: fmt.Sprintf("seller-%02d", seller+1),
		head: fmt.Sprintf(`","customer_type":"type-%03d","product_family":"family-%03d","country":"FR",`+
			`"currency":"EUR","tax_rate":"0.2","net_amount":"`, customerType, family),
	}
	for line := range plan.Lines {
		price := int64(max(usual/(plan.Lines*usualQuantity*5), 1)) * 5
		s.products = append(s.products, price)
		text := fmt.Sprintf(`{"line_id":"%d","product_id":"P%03d-%02d","product_family":"family-%03d","unit_price":"`,
			line+1, family, line+1, family)
		text = string(appendCents([]byte(text), price))
		s.lines = append(s.lines, text+`","quantity":"`)
	}
	return s
}

// render appends an invoice as JSON and returns its net amount and its loss,
// tax included, both in cents. All prices are multiples of 5 cents, so that the
// tax of 20 % is a whole number of cents.
func (g *Generator) render(dst []byte, d draw) (_ []byte, net, loss int64) {
	s := g.segmentOf(d.customer)
	quantities := newQuantities(d, g.plan.Separated)
	lines := quantities
	for _, price := range s.products {
		quantity, hidden, missing := quantities.next()
		net += price * (quantity - hidden)
		loss += price * (hidden + missing)
	}
	switch d.kind {
	case KindZeroTotal:
		net, loss = 0, net
	case KindDuplicate:
		loss = -net
	}
	dst = append(dst, `{"schema":"invoice.v1","event_id":"e-`...)
	dst = strconv.AppendInt(dst, d.number, 10)
	dst = append(dst, `","seller":"`...)
	dst = append(dst, s.seller...)
	dst = append(dst, `","source_system":"load","invoice_type":"invoice","invoice_id":"INV`...)
	dst = strconv.AppendInt(dst, d.number, 10)
	dst = append(dst, `","issued_at":"`...)
	dst = time.UnixMilli(d.issuedAt).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
	dst = append(dst, `","delivery_ref":"D`...)
	dst = strconv.AppendInt(dst, d.delivery, 10)
	dst = append(dst, `","customer_ref":"c:`...)
	dst = strconv.AppendInt(dst, int64(d.customer), 10)
	dst = append(dst, s.head...)
	dst = appendCents(dst, net)
	dst = append(dst, `","tax_amount":"`...)
	dst = appendCents(dst, net/5)
	dst = append(dst, `","gross_amount":"`...)
	dst = appendCents(dst, net+net/5)
	dst = append(dst, `","lines":[`...)
	for i, price := range s.products {
		quantity, _, _ := lines.next()
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, s.lines[i]...)
		dst = strconv.AppendInt(dst, quantity, 10)
		dst = append(dst, `","line_net":"`...)
		dst = appendCents(dst, price*quantity)
		dst = append(dst, '"', '}')
	}
	return append(dst, ']', '}'), net, loss + loss/5
}

// quantities draws the quantities of one invoice, line by line. A copy draws
// the same ones again.
type quantities struct {
	state     uint64
	kind      string
	separated bool
}

func newQuantities(d draw, separated bool) quantities {
	return quantities{state: d.seed, kind: d.kind, separated: separated}
}

// next returns the quantity billed on the next line, how much of it the total
// does not count, and how much is missing from it.
func (q *quantities) next() (quantity, hidden, missing int64) {
	q.state += 0x9e3779b97f4a7c15 // splitmix64
	r := q.state
	r = (r ^ r>>30) * 0xbf58476d1ce4e5b9
	r = (r ^ r>>27) * 0x94d049bb133111eb
	r ^= r >> 31
	quantity = usualQuantity - 2 + int64(r%5)
	if !q.separated { // from 20 to 381, most of them small
		root := int64(r>>8) & 0xffff % 20
		quantity = 20 + root*root
	}
	switch q.kind {
	case KindLow: // 25 to 40 % below the mean, exactly so in a separated plan
		short := quantity * (60 + int64(r>>32%16)) / 100
		if q.separated {
			short = 60 + int64(r>>32%16)
		}
		return short, 0, quantity - short
	case KindSumMismatch:
		return quantity + hiddenQuantity, hiddenQuantity, 0
	}
	return quantity, 0, 0
}
