// Package frenchtest finds English in texts that should be French, for tests.
package frenchtest

import (
	"regexp"
	"strings"
)

// quoted are names that stand in a sentence as they are: in quotation marks, or in brackets
// behind the number of a line.
var quoted = regexp.MustCompile(`«[^»]*»|\bligne \d+ \([^)]*\)`)

// english are words that sentences about invoices have in English and never in French.
var english = func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq("about above add " +
		"added again agree all amount amounts and any appears are at because been before " +
		"begins below beyond bills billed billing but by came come comes costs counted customer customers " +
		"customer's day days delivered delivery differs digit discount discounted discounts does due each " +
		"early earlier ended evidence every expected far first for from gave given gives goods had hardly has " +
		"have higher holds in instead invoice invoices is it its known last late latest leave less likely " +
		"line lines list lost lower many missing more mostly names never new newest no nobody none not " +
		"nothing of often one only order other others our paid price prices probability probably product " +
		"products quantity rate read repair release repaired repairs right rule same says seller seller's " +
		"share shipment since so some stand stands state such taken team than that the their there they this " +
		"to too took twice under unit units unknown unusual up usual usually was were what when where which " +
		"who whose will with without wrong would") {
		words[word] = true
	}
	return words
}()

// English returns the first English word of a text, "" if there is none. Names in
// quotation marks, and what has a capital, a digit, or a sign within, is no word.
func English(text string) string {
	for word := range strings.FieldsSeq(quoted.ReplaceAllString(text, "")) {
		if word = strings.Trim(word, ".,;:()?!%"); english[word] {
			return word
		}
	}
	return ""
}
