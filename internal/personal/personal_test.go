package personal_test

import (
	"testing"

	"recoup/internal/personal"
)

// B10: the patterns must find what they look for, and leave alone what is none.
func TestIn(t *testing.T) {
	const mail, phone = "an e-mail address", "a phone number"
	for text, want := range map[string]string{"ask ann.lee@example.com": mail, "+33 6 12 34 56 78": phone,
		"call 06 12 34 56 78 now": phone, "+44 20 7946 0958": phone, "2026-11-12T08:00:00+01:00": "",
		"F-2026-000417": "", "553879": "", "0e1d5f60-3f0c-5b39-8f57-0d5a0c8f4a77": "", "0.0000": "", "+1.50": "",
		"billing clerk": "", "promotion @ till 5": ""} {
		if got := personal.In(text); got != want {
			t.Errorf("%q holds %q, want %q", text, got, want)
		}
	}
}
