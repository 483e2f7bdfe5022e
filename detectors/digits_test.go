package detectors

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"recoup/invoice"
)

// A8: one wrong digit or a misplaced comma, by example.
func TestSlipOf(t *testing.T) {
	const cents = cent
	for _, c := range []struct {
		meant, written string
		coin           invoice.Fixed
		want           slip
	}{
		{"12.50", "1.25", cents, slipTen},
		{"12.50", "125", cents, slipTen},
		{"12.55", "1.26", cents, slipTen}, // a price is rounded to its coin
		{"12.55", "1.25", cents, slipTen}, // or cut
		{"12.55", "1.24", cents, noSlip},
		{"12.55", "1.255", 0, slipTen},
		{"12.50", "0.13", cents, slipHundred},
		{"1250", "1.25", cents, slipThousand},
		{"24", "240", 0, slipTen},
		{"12.75", "2.75", cents, slipMissing},
		{"12.75", "12.7", cents, slipOtherDigit}, // 12.70: digits are compared place by place
		{"12.75", "112.75", cents, slipExtra},
		{"1275", "12175", 0, slipExtra},
		{"12.75", "21.75", cents, slipSwapped},
		{"12.75", "12.57", cents, slipSwapped},
		{"10.75", "1.75", cents, slipMissing}, // also 01.75, but a lost key is simpler
		{"12.75", "12.95", cents, slipOtherDigit},
		{"12.75", "13.95", cents, noSlip},
		{"12.75", "12.75", cents, noSlip},
		{"12.75", "0", cents, noSlip},
		{"-12.75", "-1.275", 0, noSlip},
	} {
		t.Run(c.meant+" as "+c.written, func(t *testing.T) {
			meant, err := invoice.ParseFixed(c.meant)
			if err != nil {
				t.Fatal(err)
			}
			written, err := invoice.ParseFixed(c.written)
			if err != nil {
				t.Fatal(err)
			}
			if got := slipOf(meant, written, c.coin); got != c.want {
				t.Errorf("got %q, want %q", slipWords[got], slipWords[c.want])
			}
		})
	}
}

// A moved comma is told from all others by division; every other slip must be one
// of the texts that a single slip of the keys makes, and every such text is a slip.
func TestSlipsAgainstAllTexts(t *testing.T) {
	for meant := int64(1); meant < 1200; meant++ {
		for written := int64(1); written < 1200; written++ {
			compareSlip(t, meant, written)
		}
	}
}

func FuzzSlipOf(f *testing.F) {
	f.Add(int64(1275), int64(275))
	f.Add(int64(10), int64(1))
	f.Add(int64(9_007_199_254_740_993), int64(9_007_199_254_740_939))
	f.Fuzz(func(t *testing.T, meant, written int64) {
		const most = 1 << 55
		compareSlip(t, meant%most, written%most)
		// A text made by a slip is found again.
		rng := rand.New(rand.NewPCG(uint64(meant), uint64(written)))
		if made, ok := mistype(rng, meant%most); ok {
			compareSlip(t, meant%most, made)
		}
	})
}

// mistype makes one slip of the keys.
func mistype(rng *rand.Rand, meant int64) (int64, bool) {
	if meant <= 0 {
		return 0, false
	}
	s := strconv.FormatInt(meant, 10)
	texts := mistyped(s)
	made, err := strconv.ParseInt(texts[rng.IntN(len(texts))], 10, 64)
	return made, err == nil
}

// mistyped are all texts that one missing, extra or other digit, or two swapped,
// make of s; the order and repetitions mean nothing.
func mistyped(s string) (all []string) {
	for i := range s {
		all = append(all, s[:i]+s[i+1:])
		if i+1 < len(s) {
			all = append(all, s[:i]+s[i+1:i+2]+s[i:i+1]+s[i+2:])
		}
	}
	for i := range len(s) + 1 {
		for d := '0'; d <= '9'; d++ {
			all = append(all, s[:i]+string(d)+s[i:])
			if i < len(s) {
				all = append(all, s[:i]+string(d)+s[i+1:])
			}
		}
	}
	return all
}

// compareSlip compares slipOf, without rounding, with what texts say.
func compareSlip(t *testing.T, meant, written int64) {
	t.Helper()
	got := slipOf(invoice.Fixed(meant), invoice.Fixed(written), 0)
	if want := slipByText(meant, written); got != want {
		t.Fatalf("%d written as %d: got %q, want %q", meant, written, slipWords[got], slipWords[want])
	}
}

// slipByText says what slipOf should: first the comma, then texts of the digits
// without the zeros that both end in.
func slipByText(meant, written int64) slip {
	if meant <= 0 || written <= 0 || meant == written {
		return noSlip
	}
	for i, factor := range []int64{10, 100, 1000} {
		// Below half a unit the comma's place is rounded, as it is for people.
		if written/factor == meant && written >= 2*meant || meant/factor == written && meant >= 2*written {
			return slipTen + slip(i)
		}
	}
	a, b := fmt.Sprint(meant), fmt.Sprint(written)
	for strings.HasSuffix(a, "0") && strings.HasSuffix(b, "0") {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	found := noSlip
	better := func(s slip) {
		if found == noSlip || s < found {
			found = s
		}
	}
	for i := range a {
		if i+1 < len(a) && strings.TrimLeft(a[:i]+a[i+1:i+2]+a[i:i+1]+a[i+2:], "0") == b && a[i] != a[i+1] {
			better(slipSwapped)
		}
		if a[:i]+a[i+1:] == b {
			better(slipMissing)
		}
		if len(a) == len(b) && a[:i] == b[:i] && a[i+1:] == b[i+1:] {
			better(slipOtherDigit)
		}
	}
	for i := range b {
		if b[:i]+b[i+1:] == a {
			better(slipExtra)
		}
	}
	return found
}
