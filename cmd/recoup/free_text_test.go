package main

import (
	"strings"
	"testing"
)

// B10: what people write in their own words goes into topics and tables, so whom one can
// reach is refused before anything is sent.
func TestFreeTextHoldsNobody(t *testing.T) {
	for _, c := range []struct{ args, text, want string }{
		{"case ack F-17 --role", "ann.lee@example.com", "holds an e-mail address"},
		{"case decide F-17 not_an_error --role", "clerk, 06 12 34 56 78", "holds a phone number"},
		{"case close F-17 --action", "told ann.lee@example.com", "holds an e-mail address"},
		{"case recover F-17 immediate_payment offered --channel", "+33 6 12 34 56 78", "holds a phone number"},
		{"hold --batch B-771 --role", "ann.lee@example.com", "holds an e-mail address"},
		{"audit-sample --role", "ann.lee@example.com", "holds an e-mail address"},
	} {
		fails(t, exitUsage, append(strings.Fields(c.args), c.text), c.want, "say it without")
	}
	for _, said := range []string{"billing clerk", "cap is 25 % since 2026-03-01", "F-2026-000417 is credited"} {
		var f freeText
		if err := f.UnmarshalText([]byte(said)); err != nil || string(f) != said {
			t.Errorf("%q: %v", said, err)
		}
	}
}
