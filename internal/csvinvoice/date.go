package csvinvoice

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // time zones must be there in an image without an operating system

	"recoup/invoice"
)

// defaultPatterns read what the contract and databases write.
var defaultPatterns = []string{"yyyy-MM-dd'T'HH:mm:ssXXX", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm:ss",
	"yyyy-MM-dd HH:mm", "yyyy-MM-dd"}

// dates says how a file writes dates and times.
type dates struct {
	zone     *time.Location
	patterns []datePattern // tried in this order
}

// datePattern is one way to write a date.
type datePattern struct {
	text   string // in the letters of Unicode: "dd/MM/yyyy HH:mm"
	layout string // the same for package time
	timed  bool   // it has an hour
}

// letters are the pattern's letters (Unicode Technical Standard 35) and what
// package time calls them, longest first.
var letters = []struct{ pattern, layout string }{
	{"yyyy", "2006"}, {"yy", "06"}, {"MMMM", "January"}, {"MMM", "Jan"}, {"MM", "01"}, {"M", "1"}, {"dd", "02"},
	{"d", "2"}, {"HH", "15"}, {"H", "15"}, {"hh", "03"}, {"h", "3"}, {"mm", "04"}, {"m", "4"}, {"ss", "05"},
	{"s", "5"}, {"a", "PM"}, {"XXX", "Z07:00"}, {"XX", "Z0700"},
}

// parsePattern reads a pattern; letters that stand for themselves are in single
// quotes.
func parsePattern(pattern string) (datePattern, error) {
	p := datePattern{text: pattern}
	fail := func(why string) (datePattern, error) {
		return p, fmt.Errorf("%s; want such as dd/MM/yyyy or yyyy-MM-dd'T'HH:mm:ss", why)
	}
	for rest := pattern; rest != ""; {
		if literal, found := strings.CutPrefix(rest, "'"); found {
			end := strings.IndexByte(literal, '\'')
			if end < 0 || !stands(literal[:end]) {
				return fail("what stands in single quotes cannot be used")
			}
			p.layout += literal[:end]
			rest = literal[end+1:]
			continue
		}
		if n, layout := letterAt(rest); n > 0 {
			p.layout += layout
			rest = rest[n:]
			continue
		}
		if !strings.ContainsRune("-/.:, _", rune(rest[0])) {
			return fail(fmt.Sprintf("%q means nothing in a date", []rune(rest)[0]))
		}
		p.layout += rest[:1]
		rest = rest[1:]
	}
	for _, must := range []string{"y", "M", "d"} {
		if !strings.Contains(pattern, must) {
			return fail("year, month or day is missing")
		}
	}
	p.timed = strings.ContainsAny(pattern, "Hh")
	// What cannot read its own writing has letters that clash, such as a day next
	// to an hour of one digit.
	at := time.Date(2026, time.November, 24, 13, 0, 0, 0, time.UTC)
	if back, err := time.Parse(p.layout, at.Format(p.layout)); err != nil || back.YearDay() != at.YearDay() {
		return fail("it cannot be read back")
	}
	return p, nil
}

// letterAt returns the letters that stand first and their layout.
func letterAt(pattern string) (n int, layout string) {
	for _, l := range letters {
		if strings.HasPrefix(pattern, l.pattern) {
			return len(l.pattern), l.layout
		}
	}
	return 0, ""
}

// stands tells whether a text means itself to package time.
func stands(literal string) bool {
	a := time.Date(2026, time.November, 24, 13, 14, 15, 0, time.UTC)
	b := time.Date(2031, time.March, 5, 8, 9, 10, 0, time.FixedZone("", 3600))
	return a.Format(literal) == literal && b.Format(literal) == literal
}

// instant returns a cell as the contract writes instants; of a day field one
// that is a date alone stays one.
func (d *dates) instant(cell string, day bool) (string, *invoice.DecodeError) {
	for _, p := range d.patterns {
		at, err := time.ParseInLocation(p.layout, cell, d.zone)
		switch {
		case err != nil:
		case at.Year() < 1:
			return "", refused(invoice.ReasonTimeOutOfRange, fmt.Sprintf("%q has no year", short(cell)))
		case day && !p.timed:
			return at.Format(time.DateOnly), nil
		default:
			return at.UTC().Format(time.RFC3339Nano), nil
		}
	}
	texts := make([]string, len(d.patterns))
	for i, p := range d.patterns {
		texts[i] = p.text
	}
	return "", refused(invoice.ReasonBadTime, fmt.Sprintf("%q is not a date written as %s; list other ways in the "+
		"mapping's dates", short(cell), strings.Join(texts, ", or as ")))
}
