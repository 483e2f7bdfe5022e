package detectors

import "recoup/invoice"

// slip is what happened to the digits of a number when it was typed.
type slip uint8

// The slips, the ones easiest to prove first.
const (
	noSlip         slip = iota
	slipTen             // the comma moved one place
	slipHundred         // it moved two places
	slipThousand        // it moved three places
	slipMissing         // a digit is missing
	slipExtra           // there is a digit too many
	slipSwapped         // two neighbours changed places
	slipOtherDigit      // one digit is another
)

// slipWords say in evidence how a number was written.
var slipWords = [...]string{"", "with the comma moved by one place", "with the comma moved by two places",
	"with the comma moved by three places", "with a digit missing", "with a digit too many",
	"with two digits swapped", "with another digit"}

// inWords says the slip that made written of meant: "without its first digit".
func (s slip) inWords(meant, written int64) string {
	if s != slipMissing {
		return slipWords[s]
	}
	for meant%10 == 0 && written%10 == 0 {
		meant, written = meant/10, written/10
	}
	var a, b [20]byte
	long, short := digitsOf(meant, &a), digitsOf(written, &b)
	at := 0
	for at < len(short) && long[at] == short[at] {
		at++
	}
	places := [...]string{"without its first digit", "without its second digit", "without its third digit"}
	switch {
	case at == len(long)-1:
		return "without its last digit"
	case at < len(places):
		return places[at]
	}
	return slipWords[s]
}

// slipOf finds the single slip that makes written of meant, both positive and
// in the same unit; coin is the unit to which prices are rounded, 0 for none. It
// works on decimal digits, exactly.
func slipOf(meant, written, coin invoice.Fixed) slip {
	if meant <= 0 || written <= 0 || meant == written {
		return noSlip
	}
	if kind := commaSlip(max(meant, written), min(meant, written), coin); kind != noSlip {
		return kind
	}
	m, w := int64(meant), int64(written)
	for m%10 == 0 && w%10 == 0 {
		m, w = m/10, w/10
	}
	var a, b [20]byte
	return digitSlip(digitsOf(m, &a), digitsOf(w, &b))
}

// commaSlip tells by how many places the comma of large was moved to give small,
// rounded to a coin. The factors are constants: dividing by them is no division.
func commaSlip(large, small, coin invoice.Fixed) slip {
	if small > large/2 {
		return noSlip
	}
	switch {
	case apart(large/10, small, coin):
		return slipTen
	case apart(large/100, small, coin):
		return slipHundred
	case apart(large/1000, small, coin):
		return slipThousand
	}
	return noSlip
}

// apart tells whether rounding to a coin may make one number of another.
func apart(a, b, coin invoice.Fixed) bool {
	off := a - b
	return off <= coin/2 && off >= -coin/2
}

func digitsOf(v int64, buf *[20]byte) []byte {
	i := len(buf)
	for v > 0 {
		i--
		buf[i] = byte(v % 10)
		v /= 10
	}
	return buf[i:]
}

func digitSlip(meant, written []byte) slip {
	switch len(written) - len(meant) {
	case -1:
		if without(meant, written) {
			return slipMissing
		}
		// A first digit that became 0 by a swap is not written.
		if len(meant) > 1 && meant[1] == 0 && meant[0] == written[0] && equalDigits(meant[2:], written[1:]) {
			return slipSwapped
		}
	case 1:
		if without(written, meant) {
			return slipExtra
		}
	case 0:
		return sameLengthSlip(meant, written)
	}
	return noSlip
}

func sameLengthSlip(meant, written []byte) slip {
	first := -1
	for i := range meant {
		if meant[i] != written[i] {
			first = i
			break
		}
	}
	if first < 0 {
		return noSlip
	}
	if equalDigits(meant[first+1:], written[first+1:]) {
		return slipOtherDigit
	}
	if first+1 < len(meant) && meant[first] == written[first+1] && meant[first+1] == written[first] &&
		equalDigits(meant[first+2:], written[first+2:]) {
		return slipSwapped
	}
	return noSlip
}

// without tells whether dropping one digit of long gives short.
func without(long, short []byte) bool {
	i := 0
	for i < len(short) && long[i] == short[i] {
		i++
	}
	return equalDigits(long[i+1:], short[i:])
}

func equalDigits(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
