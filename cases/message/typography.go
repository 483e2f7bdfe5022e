package message

import (
	"fmt"
	"strings"
	"time"
)

// noBreak is a space at which no line is broken.
const noBreak = "\u00a0"

// frenchSpaces are those of French typography: no line begins with a mark that a space
// stands before, and none ends with an opening quotation mark.
var frenchSpaces = strings.NewReplacer(" :", noBreak+":", " ;", noBreak+";", " !", noBreak+"!", " ?", noBreak+"?",
	" %", noBreak+"%", "« ", "«"+noBreak, " »", noBreak+"»")

// typeset puts the spaces of a text as its language does.
func typeset(lang, text string) string {
	if lang == French {
		return frenchSpaces.Replace(text)
	}
	return text
}

var frenchMonths = [...]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
	"octobre", "novembre", "décembre"}

// frenchDay writes a day: 1er mars 2026, 22 novembre 2026.
func frenchDay(day time.Time) string {
	first := ""
	if day.Day() == 1 {
		first = "er"
	}
	return fmt.Sprintf("%d%s"+noBreak+"%s %d", day.Day(), first, frenchMonths[day.Month()-1], day.Year())
}
