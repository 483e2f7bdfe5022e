package inject

import "recoup/invoice"

// Which number is typed wrong, of all cases: people type prices and quantities;
// line and net amounts only where the program does not calculate them.
const (
	shareOfPrice    = 0.50
	shareOfQuantity = 0.37
	shareOfLineNet  = 0.08 // the rest is the net amount of the invoice
)

const (
	slipTooLow  = 0.8  // of the commas that moved: a price ten times too high is seen by the customer
	slipOnTwo   = 0.1  // of the cases show on two lines
	entryTries  = 12   // numbers drawn before the kind is said not to fit
	typedByHand = 4    // weight of a line whose price no article or list gave
	farthestOff = 0.6  // largest relative error of a quantity that is "a little off"
	mostTyped   = 1e18 // largest number a key can slip in, well below where digits overflow
)

// mutation gives a number another value. value and step, a power of ten that
// divides it, count in 1/unit; ok is false when it does not apply.
type mutation func(d *draft, value, step, unit int64) (mutated int64, ok bool)

func spoilDecimalSlip10(d *draft) bool { return d.enter(moveComma(10, d.chance(slipTooLow)), true) }

func spoilDecimalSlip100(d *draft) bool { return d.enter(moveComma(100, d.chance(slipTooLow)), true) }

func spoilMissingDigit(d *draft) bool { return d.enter(typing(dropDigit), true) }

func spoilExtraDigit(d *draft) bool { return d.enter(typing(doubleDigit), true) }

// A net amount is checked against its lines by eye, and digits that are all there
// in another order pass: what is left are prices and quantities.
func spoilTransposition(d *draft) bool { return d.enter(typing(swapDigits), false) }

// moveComma divides or multiplies by 10 or 100. A field rounds what has too many
// decimals for it, but what is counted in whole pieces cannot be a part of one.
func moveComma(factor int64, tooLow bool) mutation {
	return func(_ *draft, value, step, unit int64) (int64, bool) {
		if !tooLow {
			return scaled(value, factor, 1)
		}
		return round(value/factor, step), step < unit || value%(factor*unit) == 0
	}
}

// typing applies a slip of the keys.
func typing(keys slip) mutation {
	return func(d *draft, value, step, unit int64) (int64, bool) {
		var buffer [maxDigits]byte
		n := numberOf(value, step, unit, &buffer)
		if !keys(&n, d.rng) {
			return 0, false
		}
		return n.value(unit)
	}
}

// enter types a number of the invoice wrong, rarely one of another line in the
// same way. amounts says whether it may be a line amount or the net amount.
func (d *draft) enter(mutate mutation, amounts bool) bool {
	for range entryTries {
		draw := d.rng.Float64()
		if !amounts {
			draw *= shareOfPrice + shareOfQuantity
		}
		if len(d.inv.Lines) == 0 || draw >= shareOfPrice+shareOfQuantity+shareOfLineNet {
			if amounts && d.mistypeNet(mutate) {
				return true
			}
			continue
		}
		i := d.drawLine()
		if d.mistypeLine(i, mutate, draw) {
			if other := d.drawLine(); other != i && d.chance(slipOnTwo) {
				d.mistypeLine(other, mutate, draw)
			}
			return d.billsOtherwise()
		}
	}
	return false
}

// mistypeNet types the net amount wrong; tax and gross amount follow.
func (d *draft) mistypeNet(mutate mutation) bool {
	net := d.inv.NetAmount
	return mutateNumber(d, mutate, &net, d.coin, invoice.Unit) && d.setNet(net) && d.billsOtherwise()
}

// mistypeLine types a number of line i wrong, which one says draw: the price, the
// quantity, or the amount, which they do not give then. What follows is calculated
// again. When it returns false the draft is as it was.
func (d *draft) mistypeLine(i int, mutate mutation, draw float64) bool {
	l := &d.inv.Lines[i]
	was := *l
	var ok bool
	switch {
	case draw < shareOfPrice:
		ok = mutateNumber(d, mutate, &l.UnitPrice.Value, d.priceStep, invoice.One) && d.bill(l, &was)
	case draw < shareOfPrice+shareOfQuantity:
		ok = mutateNumber(d, mutate, &l.Quantity.Value, d.pieceStep, invoice.One) && d.bill(l, &was)
	default:
		ok = mutateNumber(d, mutate, &l.Net.Value, d.lineStep, invoice.Unit)
	}
	return d.keep(l, &was, ok)
}

// keep makes the totals follow line l, or puts the line back as it was when it
// failed or when nothing of it shows in what is billed.
func (d *draft) keep(l, was *invoice.Line, ok bool) bool {
	before := d.inv.NetAmount
	if ok && d.total() && d.inv.NetAmount != before {
		return true
	}
	*l = *was
	d.total()
	return false
}

// mutateNumber changes a number when the mutation gives another one, and not 0. An
// absent number is 0 and stays.
func mutateNumber[T ~int64](d *draft, mutate mutation, v *T, step, unit T) bool {
	if *v == 0 || *v%step != 0 || *v > mostTyped || *v < -mostTyped {
		return false
	}
	mutated, ok := mutate(d, int64(*v), int64(step), int64(unit))
	if !ok || T(mutated) == *v || mutated == 0 {
		return false
	}
	*v = T(mutated)
	return true
}

// drawLine draws a line by what had to be typed for it: its digits, and more
// where no article or list gave the price. There is at least one line.
func (d *draft) drawLine() int {
	total := 0
	for i := range d.inv.Lines {
		total += keystrokes(&d.inv.Lines[i])
	}
	point := d.rng.IntN(total)
	for i := range d.inv.Lines {
		if point -= keystrokes(&d.inv.Lines[i]); point < 0 {
			return i
		}
	}
	return 0
}

// keystrokes weighs a line, at least 1.
func keystrokes(l *invoice.Line) int {
	weight := 1 + typedDigits(l.Quantity.Value) + typedDigits(l.UnitPrice.Value)
	if l.ProductID == "" || (l.ListUnitPrice.Set && l.ListUnitPrice.Value != l.UnitPrice.Value) {
		weight *= typedByHand
	}
	return weight
}

// typedDigits counts the digits of a number up to the last that is not 0.
func typedDigits(f invoice.Fixed) (n int) {
	for f != 0 && f%10 == 0 {
		f /= 10
	}
	for ; f != 0; f /= 10 {
		n++
	}
	return n
}

// packs are usual numbers of pieces in a pack.
var packs = [...]invoice.Fixed{2, 3, 4, 5, 6, 8, 10, 12, 20, 24}

// spoilWrongQuantity puts another plausible quantity on a line, rarely on two:
// that of a line nearby or of another invoice with the product, half or double,
// packs for pieces or pieces for packs, or one a little off.
func spoilWrongQuantity(d *draft) bool {
	if len(d.inv.Lines) == 0 {
		return false
	}
	done := -1
	for range entryTries {
		i := d.drawLine()
		l := &d.inv.Lines[i]
		was := *l
		q, ok := d.otherQuantity(i)
		ok = ok && q > 0 && q != was.Quantity.Value && q%d.pieceStep == 0
		if !ok || was.Quantity.Value <= 0 || i == done {
			continue
		}
		l.Quantity.Value = q
		if d.keep(l, &was, d.bill(l, &was)) {
			if done >= 0 || !d.chance(slipOnTwo) {
				break
			}
			done = i
		}
	}
	return d.billsOtherwise()
}

// otherQuantity draws a quantity for line i; it may be the same.
func (d *draft) otherQuantity(i int) (q invoice.Fixed, ok bool) {
	lines := d.inv.Lines
	is := lines[i].Quantity.Value
	pack := packs[d.rng.IntN(len(packs))]
	switch d.rng.IntN(5) {
	case 0: // the row above or below
		other := i - 1 + 2*d.rng.IntN(2)
		if other < 0 || other >= len(lines) {
			return 0, false
		}
		return lines[other].Quantity.Value, true
	case 1: // as it was another time, or as it is for other products
		product := lines[i].ProductID
		other, ok := d.recentLine(func(l *invoice.Line) bool { return l.ProductID == product && product != "" })
		if !ok {
			other, ok = d.recentLine(func(l *invoice.Line) bool { return l.Quantity.Set })
		}
		return other.Quantity.Value, ok
	case 2: // half or double
		if d.chance(0.5) {
			return scaled(is, 2, 1)
		}
		return round(is/2, d.pieceStep), true
	case 3: // packs and pieces
		if d.chance(0.5) {
			return scaled(is, pack, 1)
		}
		return is / pack, is%(pack*d.pieceStep) == 0
	}
	off := d.pieceStep * invoice.Fixed(1+float64(is/d.pieceStep)*d.between(0, farthestOff))
	if d.chance(0.5) {
		off = -off
	}
	return is + off, (is+off < is) == (off < 0) // an overflow is no quantity
}
