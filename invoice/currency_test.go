package invoice

import (
	"strings"
	"testing"
)

func TestExponent(t *testing.T) {
	for code, want := range map[string]int{
		"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "KRW": 0, "ISK": 0, "HUF": 2, "BHD": 3, "TND": 3, "CLF": 4, "UYW": 4,
		"UYI": 0, "XOF": 0, "ZWG": 2, "XCG": 2, "SLE": 2, "HRK": 2,
	} {
		if got, ok := Exponent(code); !ok || got != want {
			t.Errorf("Exponent(%s) = %d, %v; want %d", code, got, ok, want)
		}
	}
	for _, code := range []string{
		"", "EU", "EURO", "eur", "Eur", "XXX", "XTS", "XAU", "DEM", "AAA", "ZZZ", "€uR", "E\x00R",
	} {
		if got, ok := Exponent(code); ok {
			t.Errorf("Exponent(%q) = %d, want it unknown", code, got)
		}
	}
}

// The list of 2026-01-01 has 178 codes, 13 of them without a minor unit.
func TestCoin(t *testing.T) {
	for code, want := range map[string]Amount{"EUR": 100, "JPY": Unit, "KWD": 10, "CLF": 1, "XXX": 1, "": 1} {
		if got := Coin(code); got != want {
			t.Errorf("the coin of %q is %d, want %d", code, got, want)
		}
	}
}

func TestCurrencyListIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, list := range []string{currencies0, currencies2, currencies3, currencies4, currenciesWithdrawn2} {
		for code := range strings.FieldsSeq(list) {
			if seen[code] {
				t.Errorf("%s is listed twice", code)
			}
			seen[code] = true
			if _, ok := Exponent(code); !ok {
				t.Errorf("%s is listed but unknown", code)
			}
		}
	}
	if active := len(seen) - len(strings.Fields(currenciesWithdrawn2)); active != 178-13 {
		t.Errorf("%d active currencies, want 165", active)
	}
}
