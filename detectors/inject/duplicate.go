package inject

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"recoup/invoice"
)

// Latest moments a duplicate is issued after the original. Shorter is likelier:
// each doubling of the time from a minute on is as likely as the next.
const (
	exactWithin = 30 * 24 * time.Hour // a run started twice, or the month's end again
	nearWithin  = 10 * 24 * time.Hour // somebody bills by hand what is billed already
)

// spoilExactDuplicate bills the original again: same content, order and delivery,
// another id.
func spoilExactDuplicate(d *draft) bool {
	d.issueAgain(time.Duration(d.logBetween(float64(time.Minute), float64(exactWithin))))
	return true
}

// spoilPeriodAgain bills the period of the original again in a run one day to six
// weeks later; in half of the cases under another order, in a quarter with a little
// other content.
func spoilPeriodAgain(d *draft) bool {
	if d.src.PeriodStart.IsZero() || d.src.PeriodEnd.IsZero() {
		return false
	}
	d.issueAgain(time.Duration(d.logBetween(float64(24*time.Hour), float64(42*24*time.Hour))))
	if d.chance(0.5) {
		d.inv.OrderRef = d.nextRef(d.src.OrderRef)
	}
	if d.chance(0.25) {
		d.alterContent()
	}
	return true
}

// spoilNearDuplicate bills the original again with other references, other
// content, or both.
func spoilNearDuplicate(d *draft) bool {
	d.issueAgain(time.Duration(d.logBetween(float64(time.Minute), float64(nearWithin))))
	otherRefs := d.changeRefs()
	if otherRefs && d.chance(0.5) {
		return true
	}
	return d.alterContent() || otherRefs
}

// alterContent changes the content if it can; otherwise the draft is as it was.
func (d *draft) alterContent() bool {
	for range entryTries {
		if d.changeContent() {
			return true
		}
		copyLines(d.inv, d.src)
		d.total()
	}
	return false
}

// issueAgain gives the copy another identity and a later date. What is due moves
// with it; what was delivered and which period was billed does not.
func (d *draft) issueAgain(later time.Duration) {
	inv := d.inv
	later = later.Truncate(time.Second)
	inv.IssuedAt = inv.IssuedAt.Add(later)
	if !inv.DueAt.IsZero() {
		inv.DueAt = inv.DueAt.Add(later.Truncate(24 * time.Hour))
	}
	ahead := 1 + int64(d.logBetween(1, 10_000))
	inv.ID = d.laterRef(d.src.ID, ahead)
	inv.EventID = d.laterRef(d.src.EventID, ahead)
	if d.src.Number != "" {
		inv.Number = d.laterRef(d.src.Number, ahead)
	}
}

// changeRefs gives order and delivery other references; false when none changed.
func (d *draft) changeRefs() bool {
	inv, src := d.inv, d.src
	switch draw := d.rng.Float64(); {
	case draw < 0.4:
		inv.DeliveryRef = d.rewritten(src.DeliveryRef)
	case draw < 0.65:
		inv.DeliveryRef = d.nextRef(src.DeliveryRef)
	case draw < 0.8:
		inv.DeliveryRef = ""
	}
	switch draw := d.rng.Float64(); {
	case draw < 0.4:
		inv.OrderRef = d.nextRef(src.OrderRef)
	case draw < 0.6:
		inv.OrderRef = ""
	}
	return inv.DeliveryRef != src.DeliveryRef || inv.OrderRef != src.OrderRef
}

// changeContent changes a little of what is billed: a quantity by one, a line
// missing, a line added, or the discount by a few points.
func (d *draft) changeContent() bool {
	lines := d.inv.Lines
	if len(lines) == 0 {
		return false
	}
	i := d.rng.IntN(len(lines))
	switch draw := d.rng.Float64(); {
	case draw < 0.35:
		l, was := &lines[i], lines[i]
		step := invoice.One
		if d.chance(0.5) {
			step = -step
		}
		if !l.Quantity.Set || l.Quantity.Value+step <= 0 {
			return false
		}
		l.Quantity.Value += step
		return d.bill(l, &was) && d.total()
	case draw < 0.55:
		if len(lines) == 1 {
			return false
		}
		d.removeLine(i)
	case draw < 0.7:
		added, ok := d.recentLine(func(l *invoice.Line) bool { return l.Net.Set && l.DiscountAmount.Value == 0 })
		if !ok {
			return false
		}
		d.appendLine(added)
		d.numberLine(len(d.inv.Lines) - 1)
	default:
		return d.changeDiscount()
	}
	return d.total()
}

// changeDiscount moves the rate of all lines by one to ten points; a rate that
// would be below 0 is forgotten instead.
func (d *draft) changeDiscount() bool {
	by := fraction(math.Round(d.between(1, 10)) / 100)
	if d.chance(0.5) {
		by = -by
	}
	for i := range d.inv.Lines {
		l := &d.inv.Lines[i]
		was := *l
		rate := min(max(l.DiscountRate.Value+by, 0), invoice.One)
		l.DiscountRate = invoice.OptionalFixed{Value: rate, Set: l.DiscountRate.Set || rate != 0}
		if !d.bill(l, &was) {
			return false
		}
	}
	return d.total() && d.billsOtherwise()
}

// laterRef counts the last number in a reference up, far beyond what the seller
// has given so far: a reference that another invoice has would be another error.
// One without a number gets one.
func (d *draft) laterRef(ref string, ahead int64) string {
	head, digits, tail := lastNumber(ref)
	const mostDigits = 17 // ten times as much and a little still fit
	if digits == "" || len(digits) > mostDigits {
		return ref + "-" + strconv.FormatInt(ahead+1, 10)
	}
	n, _ := strconv.ParseInt(digits, 10, 64) // cannot fail: so many digits fit
	far := pow10(len(digits))
	if digits[0] == '0' {
		far -= far / 10 // within the width
	}
	return head + padded(n+far+min(ahead, far/10), len(digits)) + tail
}

// nextRef is a reference of the same form given later; "" stays "".
func (d *draft) nextRef(ref string) string {
	if ref == "" {
		return ""
	}
	return d.laterRef(ref, 1+int64(d.logBetween(1, 10_000)))
}

// rewritten is the same reference as somebody else writes it: with a separator
// before the number, without its leading zeros, in other letters, or with
// something behind it. "" stays "".
func (d *draft) rewritten(ref string) string {
	if ref == "" {
		return ""
	}
	head, digits, tail := lastNumber(ref)
	short := strings.TrimLeft(digits, "0")
	var other string
	switch d.rng.IntN(5) {
	case 0:
		other = strings.TrimRight(head, "-/ ") + "-" + short + tail
	case 1:
		other = head + short + tail
	case 2:
		other = short
	case 3:
		other = strings.ToLower(ref)
	}
	if other == ref || other == "" || other == "-" {
		other = ref + [...]string{"/1", "-2", " A", "."}[d.rng.IntN(4)]
	}
	return other
}

// lastNumber splits a reference at its last run of digits, "" when it has none.
func lastNumber(ref string) (head, digits, tail string) {
	const figures = "0123456789"
	end := strings.LastIndexAny(ref, figures) + 1
	start := end
	for start > 0 && strings.IndexByte(figures, ref[start-1]) >= 0 {
		start--
	}
	return ref[:start], ref[start:end], ref[end:]
}

// padded writes n with leading zeros up to width.
func padded(n int64, width int) string {
	var buffer [32]byte
	digits := strconv.AppendInt(buffer[:0], n, 10)
	if len(digits) >= width {
		return string(digits)
	}
	return string(bytes.Repeat([]byte{'0'}, width-len(digits))) + string(digits)
}
