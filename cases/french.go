package cases

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// French says a sentence of a finding's evidence in French, with numbers and dates as
// French people write them. It is not ok for a sentence that no phrase fits: that one
// comes back as it is.
func French(sentence string) (said string, ok bool) {
	rest, cut := strings.CutSuffix(sentence, " …") // of a record that was too large
	if said, ok = translate(rest); !ok || cut && said == rest {
		return sentence, false
	}
	said = strings.Join(strings.Fields(said), " ")
	if cut {
		said += " …"
	}
	return said, true
}

// phrase is a sentence of evidence, or a part of one, in English as the detectors write
// it, with the verbs of fmt, and in French with $1 for what the first verb stands for.
type phrase struct{ en, fr string }

// pattern is a phrase that can be recognised.
type pattern struct {
	phrase
	fits  *regexp.Regexp
	verbs []byte // of the groups: s, v, d, q or f
}

// verb is one of fmt's in a phrase.
var verb = regexp.MustCompile(`%(?:%|(?:\.\d)?([svdqfg]))`)

// values are what a verb may have written: %s has words, or a value with its unit.
var values = map[byte]string{'s': `(.*?)`, 'v': `(-?[\d.]+(?: [A-Z]{3})?)`, 'd': `(-?\d+)`, 'f': `(-?[\d.]+)`,
	'g': `(-?[\d.]+(?:e[+-]\d+)?)`, 'q': `"(.*)"`}

// patterns are those of all phrases, the ones that say most first.
var patterns = sync.OnceValue(func() []pattern {
	all := make([]pattern, len(phrases))
	said := func(p *pattern) int { return len(verb.ReplaceAllString(p.en, "")) }
	for i, ph := range phrases {
		p := pattern{phrase: ph}
		text, from := "^", 0
		for _, at := range verb.FindAllStringSubmatchIndex(ph.en, -1) {
			text += regexp.QuoteMeta(ph.en[from:at[0]])
			if from = at[1]; at[2] < 0 {
				text += "%"
				continue
			}
			v := ph.en[at[2]]
			text += values[v]
			p.verbs = append(p.verbs, v)
		}
		p.fits = regexp.MustCompile("(?s)" + text + regexp.QuoteMeta(ph.en[from:]) + "$")
		all[i] = p
	}
	slices.SortStableFunc(all, func(a, b pattern) int { return cmp.Compare(said(&b), said(&a)) })
	return all
})

// place is where a phrase has what a verb stands for.
var place = regexp.MustCompile(`\$\d`)

// translate says words in French: a value, a phrase, or a list of both.
func translate(words string) (string, bool) {
	if said, ok := frenchValue(words); ok {
		return said, true
	}
	for _, p := range patterns() {
		found := p.fits.FindStringSubmatch(words)
		if found == nil {
			continue
		}
		return place.ReplaceAllStringFunc(p.fr, func(at string) string {
			i := int(at[1] - '0')
			switch part := found[i]; p.verbs[i-1] {
			case 'q':
				return part
			case 's':
				said, _ := translate(part)
				return said
			default:
				return FrenchNumber(part)
			}
		}), true
	}
	return translateList(words)
}

// item is a part of a list: what stands before a comma that is not in brackets.
var item = regexp.MustCompile(`^((?:[^(,]|,[^ ]|\([^)]*\))*), (.+)$`)

// translateList translates the items of a list, each by itself. What is none comes back
// as it is: it may be a name.
func translateList(words string) (string, bool) {
	found := item.FindStringSubmatch(words)
	if found == nil {
		return words, false
	}
	first, ok := translate(found[1])
	others, ok2 := translate(found[2])
	return first + ", " + others, ok && ok2
}

// value is an amount, a rate or a day.
var value = regexp.MustCompile(`^(?:-?\d+(?:\.\d+)? (?:[A-Z]{3}|%)|\d{4}-\d\d-\d\d)$`)

// frenchValue writes an amount, a rate or a day.
func frenchValue(s string) (string, bool) {
	if !value.MatchString(s) {
		return "", false
	}
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return day.Format("02/01/2006"), true
	}
	return FrenchNumber(s), true
}

// FrenchNumber writes a number as French people do, with what stands behind it: 1 234,56 EUR.
// What is no number comes back as it is.
func FrenchNumber(s string) string {
	number, unit, _ := strings.Cut(s, " ")
	if _, err := strconv.ParseFloat(number, 64); err != nil {
		return s
	}
	units, decimals, _ := strings.Cut(number, ".")
	for at := len(units) - 3; at > 0 && units[at-1] != '-'; at -= 3 {
		units = units[:at] + " " + units[at:]
	}
	if decimals != "" {
		units += "," + decimals
	}
	return strings.TrimSpace(units + " " + unit)
}
