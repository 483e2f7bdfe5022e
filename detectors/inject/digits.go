package inject

import (
	"math/rand/v2"

	"recoup/invoice"
)

// number is a decimal as a person types it: digits, with a comma before the last
// places of them.
type number struct {
	negative bool
	digits   []byte // '0' to '9'
	places   int    // how many of them are behind the comma
}

// maxDigits is what a 64-bit decimal and one more key press need, and some.
const maxDigits = 24

// numberOf writes value, a multiple of step, with as many decimals as step has:
// a field for prices takes cents even where they are 0. unit is the 1 of the
// value's type. It writes into buffer.
func numberOf(value, step, unit int64, buffer *[maxDigits]byte) number {
	n := number{negative: value < 0}
	for ; step < unit; step *= 10 {
		n.places++
	}
	v := value / (unit / pow10(n.places))
	if v < 0 {
		v = -v
	}
	end := len(buffer) - 1 // one place for a key too many
	i := end
	for digits := 0; v > 0 || digits <= n.places; digits++ {
		i--
		buffer[i] = '0' + byte(v%10)
		v /= 10
	}
	n.digits = buffer[i:end]
	return n
}

// value is the opposite of numberOf; ok is false when it overflows.
func (n *number) value(unit int64) (v int64, ok bool) {
	scale := unit / pow10(n.places)
	for _, digit := range n.digits {
		product, ok1 := invoice.Amount(v).MulRate(10, 1)
		sum, ok2 := product.Add(invoice.Amount(digit - '0'))
		if !ok1 || !ok2 {
			return 0, false
		}
		v = int64(sum)
	}
	if n.negative {
		v = -v
	}
	product, ok := invoice.Amount(v).MulRate(scale, 1)
	return int64(product), ok
}

// pow10 returns 10^n, n from 0 to 18.
func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// leading returns the position of the first digit that was typed: a lonely 0
// before the comma mostly was not.
func (n *number) leading() int {
	if len(n.digits) == n.places+1 && n.digits[0] == '0' && n.places > 0 {
		return 1
	}
	return 0
}

// A slip of the keys changes a number; false when it cannot, or when nothing of
// it would show. Half of the typists put the comma where they see it, so that
// digits on its other side keep their place; the other half type the digits and
// the field puts the comma before the last places, as a till does.
type slip func(n *number, rng *rand.Rand) bool

// dropDigit misses one key.
func dropDigit(n *number, rng *rand.Rand) bool {
	first := n.leading()
	if len(n.digits)-first < 2 {
		return false
	}
	i := first + rng.IntN(len(n.digits)-first)
	implied := rng.IntN(2) == 0
	whole := len(n.digits) - n.places
	if i < whole || implied {
		n.digits = append(n.digits[:i], n.digits[i+1:]...)
		return true
	}
	copy(n.digits[i:], n.digits[i+1:])
	n.digits[len(n.digits)-1] = '0'
	return true
}

// doubleDigit presses one key twice, or a wrong one between two.
func doubleDigit(n *number, rng *rand.Rand) bool {
	first, whole := n.leading(), len(n.digits)-n.places
	end := whole
	if rng.IntN(2) == 0 {
		end = len(n.digits) // behind the comma too: what was before moves up
	}
	if first >= end {
		first, end = 0, whole
	}
	i := first + rng.IntN(end-first)
	digit := n.digits[i]
	if rng.IntN(10) < 3 {
		digit = '0' + byte(rng.IntN(10))
	}
	n.digits = append(n.digits, 0)
	copy(n.digits[i+1:], n.digits[i:])
	n.digits[i+rng.IntN(2)] = digit
	return true
}

// swapDigits swaps two neighbours.
func swapDigits(n *number, rng *rand.Rand) bool {
	first := n.leading()
	pairs := 0
	chosen := -1
	for i := first; i+1 < len(n.digits); i++ {
		if n.digits[i] == n.digits[i+1] {
			continue
		}
		pairs++
		if rng.IntN(pairs) == 0 {
			chosen = i
		}
	}
	if chosen < 0 {
		return false
	}
	n.digits[chosen], n.digits[chosen+1] = n.digits[chosen+1], n.digits[chosen]
	return true
}
