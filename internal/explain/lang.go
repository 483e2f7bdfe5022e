package explain

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"recoup/cases"
	"recoup/invoice"
)

// Lang is a language in which verdicts are told.
type Lang string

// The languages. Whatever is said stands in both at one place (Say), so that neither can
// say less than the other.
const (
	English Lang = "en"
	French  Lang = "fr"
)

// words are a text in both languages.
type words struct{ en, fr string }

// Pick returns the text of a language.
func (l Lang) Pick(en, fr string) string {
	if l == French {
		return fr
	}
	return en
}

// Say writes a text in a language, with the same arguments in either.
func (l Lang) Say(en, fr string, args ...any) string {
	if l == French {
		return fmt.Sprintf(fr, args...)
	}
	return fmt.Sprintf(en, args...)
}

// Sentence says a sentence of evidence, which scoring stores in English. One that has no
// French stays as it is.
func (l Lang) Sentence(english string) string {
	if l != French {
		return english
	}
	said, _ := cases.French(english)
	return said
}

// Code says a code of the contract, such as a state, an outcome or a team.
func (l Lang) Code(code string) string { return l.Pick(cases.InWords(code)) }

// Figures writes digits as the language does: 1234.5, 1 234,5. A sign may stand before them.
func (l Lang) Figures(digits string) string {
	if l != French {
		return digits
	}
	number := strings.TrimLeft(digits, "+-")
	return strings.TrimSuffix(digits, number) + cases.FrenchNumber(number)
}

// whole writes a whole number.
func (l Lang) whole(n int64) string { return l.Figures(strconv.FormatInt(n, 10)) }

// decimal writes a number in the format of a verb of fmt.
func (l Lang) decimal(format string, value float64) string {
	return l.Figures(fmt.Sprintf(format, value))
}

// perCent writes per cent with as many decimals as matter.
func (l Lang) perCent(value float64) string {
	if math.Abs(value) >= 100 {
		return l.decimal("%.0f", value) + " %"
	}
	return l.decimal("%.1f", value) + " %"
}

// amount writes an amount with its sign.
func (l Lang) amount(a invoice.Amount) string { return l.Figures(a.String()) }

// money writes an amount without its sign, with its currency.
func (l Lang) money(a invoice.Amount, currency string) string {
	return l.Figures(strings.TrimPrefix(a.String(), "-")) + " " + currency
}

// Day writes a date, UTC.
func (l Lang) Day(at time.Time) string {
	return at.UTC().Format(l.Pick(time.DateOnly, "02/01/2006"))
}

// instant writes a time to the second.
func (l Lang) instant(at time.Time) string {
	return l.Day(at) + at.UTC().Format(" 15:04:05 UTC")
}

// stamp writes a time that is stored as RFC 3339.
func (l Lang) stamp(stored string) string {
	at, err := time.Parse(time.RFC3339, stored)
	if err != nil {
		return stored
	}
	return l.instant(at)
}

// span writes how long something took, in whole days, hours or minutes.
func (l Lang) span(d time.Duration) string {
	switch hours := int64(d / time.Hour); {
	case hours >= 48:
		return l.Say("%s days", "%s jours", l.whole(hours/24))
	case hours >= 1:
		return l.Say("%s h", "%s h", l.whole(hours))
	}
	return l.Say("%s min", "%s min", l.whole(int64(d/time.Minute)))
}
