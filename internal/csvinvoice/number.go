package csvinvoice

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"recoup/invoice"
)

// numbers says how a file writes them.
type numbers struct {
	decimal   string   // between units and decimals: "." or ","
	thousands string   // between groups of three digits; "" for none
	signs     []string // texts that may stand before or behind, such as "€"
	assumed   bool     // nobody said which is which: decimals stand behind the point
}

// spaces are all written as one: exports put the unbreakable ones into numbers.
var spaces = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2009", " ", "’", "'", "\u2212", "-")

// plain returns a number as the contract writes it: "1.234,56" with these
// separators is "1234.56". A minus may stand in front or behind, or be a pair of
// parentheses. The digits are carried over one by one, so that nothing is
// rounded and no float is involved. perCent divides by 100, as does a % behind
// the number.
func (n *numbers) plain(cell string, perCent bool) (string, *invoice.DecodeError) {
	text, negative, err := n.strip(cell)
	if err != nil {
		return "", err
	}
	if rest, found := strings.CutSuffix(text, "%"); found {
		text, perCent = strings.TrimSpace(rest), true
	}
	whole, decimals, err := n.digits(cell, text)
	if err != nil {
		return "", err
	}
	if perCent {
		whole = "00" + whole
		decimals = whole[len(whole)-2:] + decimals
		whole = whole[:len(whole)-2]
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if decimals != "" {
		whole += "." + decimals
	}
	if negative {
		whole = "-" + whole
	}
	return whole, nil
}

// unclear refuses a price or an amount such as "1.223", where nobody said what
// decimals stand behind: it may be one or a thousand. Amounts of a currency with
// three decimals look like that.
func (n *numbers) unclear(cell, currency string) *invoice.DecodeError {
	text, _, err := n.strip(cell)
	if err != nil || !n.assumed {
		return err
	}
	whole, group, _ := strings.Cut(text, ".")
	if len(whole) < 1 || len(whole) > 3 || whole[0] == '0' || len(group) != 3 || notDigit(whole+group) >= 0 {
		return nil
	}
	if decimals, ok := invoice.Exponent(currency); ok && decimals >= len(group) {
		return nil
	}
	return badNumber(cell, fmt.Sprintf(`it may be %s%s or %s with three decimals; set decimal to "," and `+
		`thousands to ".", or decimal to ".", in the mapping`, whole, group, text))
}

// strip takes signs, minus and parentheses off a number.
func (n *numbers) strip(cell string) (text string, negative bool, err *invoice.DecodeError) {
	text = strings.TrimSpace(spaces.Replace(cell))
	minuses := 0
	for again := true; again; {
		again = false
		for _, sign := range n.signs {
			cut := strings.TrimSuffix(strings.TrimPrefix(text, sign), sign)
			if cut != text {
				text, again = strings.TrimSpace(cut), true
			}
		}
		switch {
		case strings.HasPrefix(text, "(") && strings.HasSuffix(text, ")"):
			text = text[1 : len(text)-1]
		case strings.HasPrefix(text, "-"):
			text = text[1:]
		case strings.HasSuffix(text, "-"):
			text = text[:len(text)-1]
		default:
			continue
		}
		text, again = strings.TrimSpace(text), true
		minuses++
	}
	if minuses > 1 {
		return "", false, badNumber(cell, "want one minus")
	}
	return text, minuses == 1, nil
}

// digits splits a number without its sign into the digits before and behind the
// decimal separator.
func (n *numbers) digits(cell, text string) (whole, decimals string, err *invoice.DecodeError) {
	whole, decimals, found := strings.Cut(text, n.decimal)
	if n.thousands != "" && strings.Contains(whole, n.thousands) {
		groups := strings.Split(whole, n.thousands)
		for i, group := range groups {
			if len(group) != 3 && (i > 0 || group == "" || len(group) > 3) {
				return "", "", badNumber(cell, fmt.Sprintf("want groups of three digits between %q", n.thousands))
			}
		}
		whole = strings.Join(groups, "")
	}
	if whole == "" && decimals == "" {
		return "", "", badNumber(cell, "want digits")
	}
	if i := notDigit(whole + decimals); i >= 0 {
		r, _ := utf8.DecodeRuneInString((whole + decimals)[i:])
		return "", "", n.explain(cell, r)
	}
	if found && decimals == "" {
		return "", "", badNumber(cell, fmt.Sprintf("want digits behind %q", n.decimal))
	}
	return whole, decimals, nil
}

// explain says what to do about a character that is no part of a number.
func (n *numbers) explain(cell string, r rune) *invoice.DecodeError {
	switch {
	case r == '.' || r == ',':
		return badNumber(cell, fmt.Sprintf("decimals stand behind %q here; set decimal and thousands in the mapping",
			n.decimal))
	case r == ' ' || r == '\'':
		return badNumber(cell, fmt.Sprintf("%q stands in it; set thousands in the mapping", r))
	case r == 'e' || r == 'E':
		return badNumber(cell, "want plain digits; an exponent may have lost some")
	case unicode.IsLetter(r) || unicode.Is(unicode.Sc, r):
		return badNumber(cell, fmt.Sprintf("%q is no digit; list what may stand there in the mapping's currency_signs", r))
	}
	return badNumber(cell, fmt.Sprintf("%q is no digit", r))
}

// notDigit returns where the first byte stands that is no digit, or -1.
func notDigit(s string) int {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

func badNumber(cell, want string) *invoice.DecodeError {
	return refused(invoice.ReasonBadDecimal, fmt.Sprintf("%q is not a number: %s", short(cell), want))
}

// short cuts what a message repeats of a cell that may be huge.
func short(cell string) string {
	const most = 60
	if runes := []rune(cell[:min(len(cell), 8*most)]); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return cell
}
