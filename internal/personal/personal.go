// Package personal tells texts that look like personal data, which no record may hold (B10).
package personal

import "regexp"

// Data is one kind of it.
type Data struct {
	Kind    string // such as "an e-mail address"
	Pattern string // in the syntax that Go and ClickHouse share (RE2)

	looks *regexp.Regexp
}

func data(kind, pattern string) Data { return Data{kind, pattern, regexp.MustCompile(pattern)} }

// Kinds are those that a pattern can tell: a person's name is not.
var Kinds = []Data{
	data("an e-mail address", `[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}`),
	data("a phone number",
		`(^|[^0-9A-Za-z])(\+[1-9][0-9]{0,2}[ .-]?\(?[0-9][0-9 .()-]{6,}[0-9]|0[1-9]([ .-][0-9]{2}){4})($|[^0-9])`),
}

// In returns the kind of personal data that a text seems to hold, "": none.
func In(text string) string {
	for i := range Kinds {
		if Kinds[i].looks.MatchString(text) {
			return Kinds[i].Kind
		}
	}
	return ""
}
