package main

import (
	"testing"

	"recoup/invoice"
)

// What recoup writes in either language it also reads; what may mean two amounts it refuses.
func TestTypedAmount(t *testing.T) {
	for typed, want := range map[string]string{"2022.77": "2022.77", "2022,77": "2022.77", "1 964,53": "1964.53",
		"1\u202f964,5": "1964.50", "-1 234 567,00": "-1234567.00", "46,764.00": "46764.00", "0,0005": "0.0005", "12": "12.00",
		"1234,567": "1234.567", "1 234": "1234.00", "1,234": "", "-1,234": "", "1,23,4": "",
		"1.234,56": "", "12 34": "", "": ""} {
		var got typedAmount
		err := got.UnmarshalText([]byte(typed))
		if (err == nil) != (want != "") || err == nil && invoice.Amount(got).String() != want {
			t.Errorf("%q is %v (%v), want %q", typed, invoice.Amount(got), err, want)
		}
	}
}
