package report

import (
	"math/big"
	"strconv"
	"strings"
	"time"

	"recoup/internal/explain"
	"recoup/invoice"
)

// tongue writes figures as a language does.
type tongue struct{ explain.Lang }

// whole writes a count with its thousands apart.
func (t tongue) whole(n int64) string { return t.apart(strconv.FormatInt(n, 10)) }

// counted writes how many there are of something, in the singular of each language.
func (t tongue) counted(n int64, en, fr string) string {
	if n != 1 {
		en += "s"
	}
	if n > 1 {
		fr += "s"
	}
	return t.whole(n) + " " + t.Pick(en, fr)
}

// money writes a sum of amounts, in 1/10,000, without its sign.
func (t tongue) money(sum *big.Int, currency string) string {
	units, rest := new(big.Int).QuoRem(new(big.Int).Abs(sum), big.NewInt(int64(invoice.Unit)), new(big.Int))
	// A whole amount writes its decimals as every amount does.
	decimals := strings.TrimPrefix(invoice.Amount(rest.Int64()).String(), "0.")
	return t.apart(units.String()) + t.mark() + decimals + " " + currency
}

// amount writes one amount, with its sign.
func (t tongue) amount(a invoice.Amount, currency string) string {
	sign := ""
	if a < 0 {
		sign = "−"
	}
	return sign + t.money(big.NewInt(int64(a)), currency)
}

// mark stands before decimals.
func (t tongue) mark() string { return t.Say(".", ",") }

// apart puts a mark, in French a space that breaks no line, before every third digit
// from the right.
func (t tongue) apart(digits string) string {
	sign := ""
	if rest, found := strings.CutPrefix(digits, "-"); found {
		sign, digits = "-", rest
	}
	mark := t.Say(",", "\u00a0")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + mark + digits[i:]
	}
	return sign + digits
}

// share writes a part of a whole as per cent; a part is never all of it.
func (t tongue) share(part, of int64) string {
	if of == 0 {
		return "–"
	}
	per := 100 * float64(part) / float64(of)
	if part < of && per > 99.9 {
		return ">99" + t.mark() + "9 %"
	}
	decimals := 1
	if part > 0 && per < 0.1 {
		decimals = 2
	}
	return t.Figures(strconv.FormatFloat(per, 'f', decimals, 64)) + " %"
}

// short writes a figure that a person has set with the digits it was set with.
func (t tongue) short(x float64) string { return t.Figures(strconv.FormatFloat(x, 'g', 6, 64)) }

// chart is a bar chart of invoices and suspects over time, in per cent of its
// width and height.
type chart struct {
	Bars                     []bar
	Unit                     string // what one bar is: day, week, month or year, in the language
	MostScored, MostSuspects int64  // of the bars with the most: the scales
	From, To                 string // dates
}

// bar is one stretch of time.
type bar struct {
	Title                string  // shown on hovering, read aloud
	X, Width             float64 // from the left
	Scored, Suspects     float64 // heights
	ScoredY, SuspectsTop float64 // where they begin, from above
}

// mostBars is how many bars can still be told apart, on a telephone too.
const mostBars = 62

// units are the stretches of time a bar may stand for; start returns the first
// day of the one that a day lies in.
var units = []struct {
	en, fr string
	start  func(time.Time) time.Time
	next   func(time.Time) time.Time
}{
	{"day", "jour", func(t time.Time) time.Time { return t }, func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
	{"week", "semaine", func(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) },
		func(t time.Time) time.Time { return t.AddDate(0, 0, 7) }},
	{"month", "mois", func(t time.Time) time.Time { return t.AddDate(0, 0, 1-t.Day()) },
		func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	{"year", "année", func(t time.Time) time.Time { return t.AddDate(0, 0, 1-t.YearDay()) },
		func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
}

// draw makes the chart of the days.
func (r *Report) draw() chart {
	if len(r.days) == 0 {
		return chart{}
	}
	day := func(t time.Time) time.Time { return time.Unix(t.Unix()/86400*86400, 0).UTC() }
	first, last := day(r.first), day(r.last)
	c := chart{From: r.in.Day(first), To: r.in.Day(last)}
	for i, unit := range units {
		coarsest := i == len(units)-1
		var starts []time.Time
		for at := unit.start(first); !at.After(last) && (coarsest || len(starts) <= mostBars); at = unit.next(at) {
			starts = append(starts, at)
		}
		if coarsest || len(starts) <= mostBars {
			c.Unit = r.in.Pick(unit.en, unit.fr)
			r.fill(&c, starts, unit.start)
			break
		}
	}
	return c
}

// fill adds up the days and gives the bars their places.
func (r *Report) fill(c *chart, starts []time.Time, start func(time.Time) time.Time) {
	sums := map[time.Time]day{}
	for number, d := range r.days {
		at := start(time.Unix(number*86400, 0).UTC())
		sum := sums[at]
		sums[at] = day{sum.scored + d.scored, sum.suspects + d.suspects}
	}
	for _, sum := range sums {
		c.MostScored, c.MostSuspects = max(c.MostScored, sum.scored), max(c.MostSuspects, sum.suspects)
	}
	step := 100 / float64(len(starts))
	for i, at := range starts {
		sum := sums[at]
		b := bar{X: float64(i) * step, Width: step * 0.8,
			Title: r.in.Say("%s %s: %s, %s", "%s, %s : %s, %s", c.Unit, r.in.Day(at),
				r.in.counted(sum.scored, "invoice", "facture"), r.in.counted(sum.suspects, "suspect", "suspecte")),
			Scored:   60 * float64(sum.scored) / float64(max(c.MostScored, 1)),
			Suspects: 36 * float64(sum.suspects) / float64(max(c.MostSuspects, 1)), SuspectsTop: 64}
		b.ScoredY = 60 - b.Scored
		c.Bars = append(c.Bars, b)
	}
}

// scale is the picture of one suspect: where it lies to what was expected, in
// per cent of the width.
type scale struct {
	Low, Width                 float64 // the band of what is usual
	Billed, Expected, Repaired float64
	HasExpected, HasRepaired   bool
}

// scaleOf draws amounts on one line; ok is false when there is nothing to compare.
func scaleOf(billed, expected, low, high, repaired invoice.Amount, hasExpected, hasRepaired bool) (s scale, ok bool) {
	values := []invoice.Amount{billed}
	if hasExpected {
		values = append(values, expected, low, high)
	}
	if hasRepaired {
		values = append(values, repaired)
	}
	least, most := float64(billed), float64(billed)
	for _, v := range values {
		least, most = min(least, float64(v)), max(most, float64(v))
	}
	if least == most {
		return scale{}, false
	}
	place := func(a invoice.Amount) float64 { return 2 + 96*(float64(a)-least)/(most-least) }
	s = scale{Billed: place(billed), HasExpected: hasExpected, HasRepaired: hasRepaired}
	if hasExpected {
		s.Expected, s.Low = place(expected), place(low)
		s.Width = max(place(high)-s.Low, 0.5)
	}
	if hasRepaired {
		s.Repaired = place(repaired)
	}
	return s, true
}
