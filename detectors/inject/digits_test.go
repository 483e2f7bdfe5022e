package inject

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"recoup/invoice"
)

// Everything a slip can make of a number, written with the decimals of its field.
func TestSlips(t *testing.T) {
	const cents, pieces = invoice.One / 100, invoice.One
	for _, c := range []struct {
		name   string
		keys   slip
		number string
		step   invoice.Fixed
		want   string // all that may come out, sorted
	}{
		{"missing", dropDigit, "12.75", cents, "1.25 1.27 1.75 12.5 12.7 2.75"},
		{"missing", dropDigit, "0.85", cents, "0.05 0.08 0.5 0.8"},
		{"missing", dropDigit, "5.25", cents, "0.25 0.52 0.55 5.2 5.5"},
		{"missing", dropDigit, "120", pieces, "10 12 20"},
		{"missing", dropDigit, "7", pieces, ""},
		{"missing", dropDigit, "-48", pieces, "-4 -8"},
		{"swapped", swapDigits, "12.75", cents, "12.57 17.25 21.75"},
		{"swapped", swapDigits, "0.85", cents, "0.58"},
		{"swapped", swapDigits, "120", pieces, "102 210"},
		{"swapped", swapDigits, "11", pieces, ""},
		{"swapped", swapDigits, "10", pieces, "1"},
		{"swapped", swapDigits, "-48", pieces, "-84"},
	} {
		t.Run(c.name+" "+c.number, func(t *testing.T) {
			value, err := invoice.ParseFixed(c.number)
			if err != nil {
				t.Fatal(err)
			}
			if got := reach(c.keys, value, c.step); got != c.want {
				t.Errorf("%s may become %q, want %q", c.number, got, c.want)
			}
		})
	}
}

// A digit too many lands anywhere before the comma, or moves the number up.
func TestExtraDigit(t *testing.T) {
	got := strings.Fields(reach(doubleDigit, 85*invoice.One/100, invoice.One/100))
	for _, want := range []string{"8.85", "8.55", "50.85", "10.85"} {
		if !slices.Contains(got, want) {
			t.Errorf("0.85 never becomes %s, only %q", want, got)
		}
	}
	for _, other := range got {
		if v, err := invoice.ParseFixed(other); err != nil || v < 85*invoice.One/100 {
			t.Errorf("0.85 became %s, which is less", other)
		}
	}
	if got := reach(doubleDigit, 12*invoice.One, invoice.One); !strings.Contains(got, "112") ||
		!strings.Contains(got, "122") {
		t.Errorf("12 never gets a digit twice, only %q", got)
	}
}

// reach returns all results of a slip that differ from the value.
func reach(keys slip, value, step invoice.Fixed) string {
	var results []string
	rng := rand.New(rand.NewPCG(1, 2))
	d := &draft{rng: rng}
	for range 2_000 {
		v := value
		if mutateNumber(d, typing(keys), &v, step, invoice.One) {
			if s := v.String(); !slices.Contains(results, s) {
				results = append(results, s)
			}
		}
	}
	slices.Sort(results)
	return strings.Join(results, " ")
}

// The comma moves; what is too fine for the field is rounded, a piece is not cut.
func TestMoveComma(t *testing.T) {
	const cents, pieces = invoice.One / 100, invoice.One
	for _, c := range []struct {
		number string
		step   invoice.Fixed
		factor int64
		tooLow bool
		want   string // "" when it does not apply
	}{
		{"19.9", cents, 10, true, "1.99"},
		{"2.55", cents, 10, true, "0.26"}, // 0.255, ties to even
		{"2.55", cents, 100, true, "0.03"},
		{"0.04", cents, 100, true, ""}, // nothing would be left
		{"2.55", cents, 100, false, "255"},
		{"120", pieces, 10, true, "12"},
		{"12", pieces, 10, true, ""},
		{"2.5", invoice.One / 10, 10, true, "0.2"},
		{"12", pieces, 10, false, "120"},
	} {
		v, err := invoice.ParseFixed(c.number)
		if err != nil {
			t.Fatal(err)
		}
		ok := mutateNumber(nil, moveComma(c.factor, c.tooLow), &v, c.step, invoice.One)
		if got := v.String(); ok != (c.want != "") || (ok && got != c.want) {
			t.Errorf("%s by %d became %s (%v), want %q", c.number, c.factor, got, ok, c.want)
		}
	}
}
