package csvinvoice

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"recoup/invoice"
)

// What accountants write, and what the contract makes of it (G11).
func TestNumbers(t *testing.T) {
	french := numbers{decimal: ",", thousands: " ", signs: []string{"€", "EUR"}}
	german := numbers{decimal: ",", thousands: "."}
	swiss := numbers{decimal: ".", thousands: "'", signs: []string{"CHF"}}
	english := numbers{decimal: ".", thousands: ","}
	for _, c := range []struct {
		form    *numbers
		cell    string
		perCent bool
		want    string // "" for an error
	}{
		{&german, "1.234,56", false, "1234.56"},
		{&german, "1234,56", false, "1234.56"},
		{&german, "-1.234.567,8900", false, "-1234567.8900"},
		{&german, "(1.234,56)", false, "-1234.56"},
		{&german, "1.234,56-", false, "-1234.56"},
		{&german, "1.234", false, "1234"},
		{&german, "12.50", false, ""}, // a point decimal, not 1250
		{&german, "1.23.456", false, ""},
		{&german, ".234", false, ""},
		{&german, "1,2,3", false, ""},
		{&french, "1 234,56 €", false, "1234.56"},
		{&french, "1\u202f234,56\u00a0€", false, "1234.56"},
		{&french, "EUR -1 234,56", false, "-1234.56"},
		{&french, "−5,00", false, "-5.00"},
		{&french, "$ 5", false, ""},
		{&swiss, "CHF 1’234.50", false, "1234.50"},
		{&swiss, "1'234.5'0", false, ""},
		{&english, "1,234.5", false, "1234.5"},
		{&english, "0.0000", false, "0.0000"},
		{&english, "-0", false, "-0"},
		{&english, ".5", false, "0.5"},
		{&english, "000", false, "0"},
		{&english, "20", true, "0.20"},
		{&english, "5.5", true, "0.055"},
		{&english, "5.5 %", true, "0.055"},
		{&english, "5.5%", false, "0.055"},
		{&english, "100", true, "1.00"},
		{&english, "-12.5%", false, "-0.125"},
		{&english, "", false, ""},
		{&english, "%", false, ""},
		{&english, "+5", false, ""},
		{&english, "0x10", false, ""},
		{&english, "٣", false, ""},
		{&english, "1_000", false, ""},
		{&english, "- -5", false, ""},
	} {
		got, err := c.form.plain(c.cell, c.perCent)
		if (err == nil) != (c.want != "") || got != c.want {
			t.Errorf("plain(%q) = %q, %v; want %q", c.cell, got, err, c.want)
		}
	}
}

// A number that is read is exactly the number that was written, or an error.
func FuzzNumber(f *testing.F) {
	for _, cell := range []string{"1.234,56", "(1,5)", "5 %", "-0", "€ 12", "1,2,3", "0,00000001"} {
		f.Add(cell, false)
	}
	form := numbers{decimal: ",", thousands: ".", signs: []string{"€"}}
	f.Fuzz(func(t *testing.T, cell string, perCent bool) {
		got, err := form.plain(cell, perCent)
		if err != nil {
			return
		}
		if _, err := invoice.ParseFixed(got); err != nil && !strings.Contains(err.Error(), "range") {
			t.Fatalf("%q became %q: %v", cell, got, err)
		}
		// What is left of the cell without everything that is no digit.
		text := strings.Map(func(r rune) rune {
			if r == ',' {
				return '.'
			}
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, cell)
		want, ok := new(big.Rat).SetString("0" + text)
		if !ok {
			t.Fatalf("%q became %q", cell, got)
		}
		if perCent || strings.Contains(cell, "%") {
			want.Quo(want, big.NewRat(100, 1))
		}
		if strings.ContainsAny(cell, "-(\u2212") {
			want.Neg(want)
		}
		if have, ok := new(big.Rat).SetString(got); !ok || have.Cmp(want) != 0 {
			t.Fatalf("%q became %s, want %s", cell, got, want)
		}
	})
}

func TestDates(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		pattern, cell string
		day           bool
		want          string // "" for an error
	}{
		{"dd/MM/yyyy", "01/07/2026", false, "2026-06-30T22:00:00Z"},
		{"dd/MM/yyyy", "01/07/2026", true, "2026-07-01"},
		{"d.M.yy HH:mm", "1.7.26 09:30", false, "2026-07-01T07:30:00Z"},
		{"M/d/yyyy h:mm a", "7/1/2026 1:05 PM", false, "2026-07-01T11:05:00Z"},
		{"dd-MMM-yyyy", "24-Dec-2026", true, "2026-12-24"},
		{"yyyy-MM-dd'T'HH:mm:ssXXX", "2026-07-01T09:30:00.25+05:00", false, "2026-07-01T04:30:00.25Z"},
		{"yyyyMMdd", "20260701", true, "2026-07-01"},
		{"dd/MM/yyyy", "2026-07-01", false, ""},
		{"dd/MM/yyyy", "31/02/2026", false, ""},
		{"dd/MM/yyyy", "01/07/2026 ", false, ""},
		{"dd.MM.yyyy 'um' HH:mm", "01.07.2026 um 09:30", true, "2026-07-01T07:30:00Z"},
	} {
		p, err := parsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		got, refused := (&dates{zone: paris, patterns: []datePattern{p}}).instant(c.cell, c.day)
		if (refused == nil) != (c.want != "") || got != c.want {
			t.Errorf("%s as %s = %q, %v; want %q", c.cell, c.pattern, got, refused, c.want)
		}
	}
}
