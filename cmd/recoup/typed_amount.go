package main

import (
	"fmt"
	"regexp"
	"strings"

	"recoup/invoice"
)

// typedAmount is an amount as people type it, or as `recoup case` writes it in their
// language: 1964.53, 1964,53, 1,964.53 or 1 964,53.
type typedAmount invoice.Amount

var (
	// commaDecimal has groups of three before a comma and its decimals, or none.
	commaDecimal = regexp.MustCompile(`^-?(?:\d+|\d{1,3}(?:[ \x{a0}\x{202f}]\d{3})+)(?:,\d+)?$`)
	// commaGroups has commas between thousands and a point.
	commaGroups = regexp.MustCompile(`^-?\d{1,3}(?:,\d{3})+\.\d+$`)
	// eitherComma has one comma and three digits behind it, which may be decimals or not.
	eitherComma = regexp.MustCompile(`^-?\d{1,3},\d{3}$`)
)

var noSpaces = strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", ",", ".")

// UnmarshalText reads it.
func (a *typedAmount) UnmarshalText(text []byte) error {
	s := string(text)
	switch {
	case eitherComma.MatchString(s):
		return fmt.Errorf("cannot tell whether %s has thousands or decimals: want %s or %s", s,
			strings.Replace(s, ",", "", 1), strings.Replace(s, ",", ".", 1))
	case commaDecimal.MatchString(s):
		s = noSpaces.Replace(s)
	case commaGroups.MatchString(s):
		s = strings.ReplaceAll(s, ",", "")
	}
	return (*invoice.Amount)(a).UnmarshalText([]byte(s))
}
