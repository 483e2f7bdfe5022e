package invoice

import (
	"fmt"
	"math/bits"
	"strconv"
)

// Amount is money in 1/10,000 of the currency unit: exact, never a float.
// Every operation that may overflow says so; the zero value is no money.
type Amount int64

// Fixed is a decimal number that is not money (quantity, unit price, rate) in
// 1/100,000,000: exact, never a float.
type Fixed int64

// One unit of each type, for building values and rates in code.
const (
	Unit Amount = 10_000      // 1.00 of the currency
	One  Fixed  = 100_000_000 // the number 1; a rate of 17.5 % is One * 175 / 1000
)

const (
	amountPlaces = 4
	fixedPlaces  = 8
)

// ParseAmount reads a plain decimal such as "139.12" or "-0.0001": an optional
// minus, digits, and optionally a point with digits behind it. Decimals beyond
// the fourth must be zeros: money is never rounded on the way in.
func ParseAmount(s string) (Amount, error) {
	v, fault := parseDecimal(s, amountPlaces, false)
	if fault != decimalOK {
		return 0, fmt.Errorf("cannot read amount %q: %s", quotable(s), fault)
	}
	return Amount(v), nil
}

// ParseFixed reads a plain decimal like ParseAmount does; decimals beyond the
// eighth are rounded half-even.
func ParseFixed(s string) (Fixed, error) {
	v, fault := parseDecimal(s, fixedPlaces, true)
	if fault != decimalOK {
		return 0, fmt.Errorf("cannot read decimal %q: %s", quotable(s), fault)
	}
	return Fixed(v), nil
}

// String returns the shortest plain decimal with at least two decimals:
// "139.12", "0.0001", "-5.00".
func (a Amount) String() string { return string(a.Append(nil)) }

// Append appends the String form to dst.
func (a Amount) Append(dst []byte) []byte { return appendDecimal(dst, int64(a), amountPlaces, 2) }

// MarshalText returns the String form, so that JSON carries a string.
func (a Amount) MarshalText() ([]byte, error) { return a.Append(nil), nil }

// UnmarshalText reads what ParseAmount reads.
func (a *Amount) UnmarshalText(text []byte) error {
	v, err := ParseAmount(string(text))
	if err == nil {
		*a = v
	}
	return err
}

// String returns the shortest plain decimal: "6", "0.175", "-12.5".
func (f Fixed) String() string { return string(f.Append(nil)) }

// Append appends the String form to dst.
func (f Fixed) Append(dst []byte) []byte { return appendDecimal(dst, int64(f), fixedPlaces, 0) }

// MarshalText returns the String form, so that JSON carries a string.
func (f Fixed) MarshalText() ([]byte, error) { return f.Append(nil), nil }

// UnmarshalText reads what ParseFixed reads.
func (f *Fixed) UnmarshalText(text []byte) error {
	v, err := ParseFixed(string(text))
	if err == nil {
		*f = v
	}
	return err
}

// Add returns a + b; ok is false when the sum overflows.
func (a Amount) Add(b Amount) (sum Amount, ok bool) {
	sum = a + b
	return sum, (sum > a) == (b > 0)
}

// Sub returns a - b; ok is false when the difference overflows.
func (a Amount) Sub(b Amount) (diff Amount, ok bool) {
	diff = a - b
	return diff, (diff < a) == (b > 0)
}

// Neg returns -a; ok is false for the lowest Amount, which has no opposite.
func (a Amount) Neg() (Amount, bool) { return -a, a == 0 || -a != a }

// MulFixed returns a × f rounded half-even to 1/10,000; ok is false on overflow.
func (a Amount) MulFixed(f Fixed) (product Amount, ok bool) {
	v, ok := mulDiv(int64(a), int64(f), int64(One))
	return Amount(v), ok
}

// MulRate returns a × n/d rounded half-even to 1/10,000; ok is false on
// overflow and when d is 0. A mean is sum.MulRate(1, count).
func (a Amount) MulRate(n, d int64) (product Amount, ok bool) {
	v, ok := mulDiv(int64(a), n, d)
	return Amount(v), ok
}

// LessByBasisPoints tells whether billed lies more than bp/100 per cent below
// mean: exactly billed × 10,000 < mean × (10,000 − bp), in 128 bits, for every
// value of the three. With bp = 1500 a shortfall of 15.00 % is not less.
func LessByBasisPoints(billed, mean Amount, bp int64) bool {
	const whole = 10_000
	left := mul128(int64(billed), whole)
	right := mul128(int64(mean), whole).sub(mul128(int64(mean), bp))
	return left.less(right)
}

// LineNet returns quantity × unitPrice × (1 − discountRate), computed exactly
// and rounded half-even once, to 1/10,000; ok is false when that overflows.
func LineNet(quantity, unitPrice, discountRate Fixed) (net Amount, ok bool) {
	negative := (quantity < 0) != (unitPrice < 0)
	share := uint64(One) - uint64(discountRate)
	if discountRate > One {
		negative, share = !negative, -share
	}
	hi, lo := bits.Mul64(magnitude(int64(quantity)), magnitude(int64(unitPrice)))
	const places = 1_000_000_000_000      // from 16 decimals to 4
	if discountRate == 0 && hi < places { // most lines, and far cheaper
		q, rest := lo/places, lo%places // as nearly always; by a constant that is no division
		if hi > 0 {
			q, rest = bits.Div64(hi, lo, places)
		}
		if rest > places/2 || (rest == places/2 && q&1 == 1) {
			q++
		}
		v, ok := signed(negative, q)
		return Amount(v), ok
	}
	w1, w0 := bits.Mul64(lo, share)
	w2, mid := bits.Mul64(hi, share)
	w1, carry := bits.Add64(w1, mid, 0)
	words := words192{w2 + carry, w1, w0}

	// The product has 24 decimals, an Amount has 4. The divisor 10^20 exceeds a
	// word, so it is divided out in two steps and the rest compared in two parts.
	const step = 10_000_000_000
	low := words.divide(step)
	high := words.divide(step)
	if words[0] != 0 || words[1] != 0 || words[2] > 1<<63 {
		return 0, false
	}
	q := words[2]
	tie := high == step/2 && low == 0
	if high > step/2 || (high == step/2 && low > 0) || (tie && q&1 == 1) {
		q++
	}
	v, ok := signed(negative, q)
	return Amount(v), ok
}

// decimalFault says what is wrong with a decimal string.
type decimalFault uint8

const (
	decimalOK       decimalFault = iota
	decimalSyntax                // not a plain decimal
	decimalOverflow              // outside the range of the type
	decimalPrecise               // more decimals than the type holds
)

// String is the reason part of an error message.
func (f decimalFault) String() string {
	switch f {
	case decimalSyntax:
		return `want digits with an optional minus and point, such as "-12.50", without exponent, plus or spaces`
	case decimalOverflow:
		return "it is outside the range of 64 bits"
	case decimalPrecise:
		return "want at most 4 decimals"
	}
	return "it is well formed"
}

// parseDecimal reads a plain decimal as an integer scaled by 10^places.
// Decimals beyond places are rounded half-even, or refused unless zero.
func parseDecimal(s string, places int, round bool) (int64, decimalFault) {
	negative := len(s) > 0 && s[0] == '-'
	i := 0
	if negative {
		i = 1
	}
	first := i
	var v uint64
	fits := true
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		v, fits = appendDigit(v, s[i], fits)
	}
	if i == first {
		return 0, decimalSyntax
	}
	kept := 0
	var rest string
	if i < len(s) {
		if s[i] != '.' || i+1 == len(s) {
			return 0, decimalSyntax
		}
		for i++; i < len(s) && kept < places && s[i]-'0' <= 9; i++ {
			v, fits = appendDigit(v, s[i], fits)
			kept++
		}
		rest = s[i:]
	}
	for ; kept < places; kept++ {
		v, fits = appendDigit(v, '0', fits)
	}
	up, fault := roundRest(rest, v, round)
	if fault != decimalOK {
		return 0, fault
	}
	if up {
		v++
	}
	n, inRange := signed(negative, v)
	if !fits || !inRange {
		return 0, decimalOverflow
	}
	return n, decimalOK
}

func appendDigit(v uint64, digit byte, fits bool) (uint64, bool) {
	const most = (1<<64 - 1 - 9) / 10
	if v > most {
		return v, false
	}
	return v*10 + uint64(digit-'0'), fits
}

// roundRest decides from the decimals behind the kept ones whether v goes up.
func roundRest(rest string, v uint64, round bool) (up bool, fault decimalFault) {
	sticky := false
	for i := 0; i < len(rest); i++ {
		if rest[i]-'0' > 9 {
			return false, decimalSyntax
		}
		sticky = sticky || (i > 0 && rest[i] != '0')
	}
	if rest == "" || (rest[0] == '0' && !sticky) {
		return false, decimalOK
	}
	if !round {
		return false, decimalPrecise
	}
	return rest[0] > '5' || (rest[0] == '5' && (sticky || v&1 == 1)), decimalOK
}

// appendDecimal writes v / 10^places without trailing zeros beyond least decimals.
func appendDecimal(dst []byte, v int64, places, least int) []byte {
	u := magnitude(v)
	if v < 0 {
		dst = append(dst, '-')
	}
	scale := uint64(1)
	for range places {
		scale *= 10
	}
	dst = strconv.AppendUint(dst, u/scale, 10)
	fraction := u % scale
	if fraction == 0 && least == 0 {
		return dst
	}
	dst = append(dst, '.')
	for written := 0; fraction > 0 || written < least; written++ {
		scale /= 10
		dst = append(dst, '0'+byte(fraction/scale))
		fraction %= scale
	}
	return dst
}

// quotable cuts what an error message repeats of a value that may be huge.
func quotable(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
