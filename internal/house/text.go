package house

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// forbiddenNames say nothing about what they hold.
var forbiddenNames = []string{"util", "utils", "common", "helper", "helpers", "misc"}

// checkName finds packages and files with a name that says nothing.
func checkName(name string) (found []Violation) {
	add := func(part string) {
		found = append(found, Violation{name, 1, "name",
			fmt.Sprintf("%q says nothing about its content: name it after what it holds", part)})
	}
	if path.Base(name) == "types.go" {
		add("types.go")
	}
	base := strings.TrimSuffix(strings.TrimSuffix(path.Base(name), path.Ext(name)), "_test")
	for _, part := range append(strings.Split(path.Dir(name), "/"), base) {
		for _, forbidden := range forbiddenNames {
			if part == forbidden {
				add(part)
			}
		}
	}
	return found
}

// phrase is a forbidden text. The patterns are put together from pieces, so
// that this file does not break them.
type phrase struct {
	rule    string
	pattern *regexp.Regexp
	fix     string
}

var phrases = []phrase{
	{"unfinished", regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b|\bXX` + `X[:(]`), // bare, it is ISO 4217's "no currency"
		"finish it, or open an issue and remove the note"},
	{"unfinished", regexp.MustCompile(`(?i)\b(for no` + `w\b|in pro` + `duction (we|this|you) (would|should))`),
		"build it as it is to be, or say what is missing in docs/"},
	{"machine path", regexp.MustCompile(`(^|[\s"'=:(` + "`" + `])/(wo` + `rk|ro` + `ot|` +
		`ho` + `me/[a-z]+|Us` + `ers/[A-Za-z]+)(/|\b)`),
		"a path of one machine: use a path of the repository or a setting"},
	{"registry host", regexp.MustCompile(`(proxy\.gol` + `ang\.org|sum\.gol` + `ang\.org|registry\.npm` +
		`js\.|repo1?\.mav` + `en\.|repo\.maven\.apa` + `che|deb\.deb` + `ian\.|pypi\.o` + `rg)`),
		"the user's own settings say where packages come from: remove the host"},
}

func checkText(file File) (found []Violation) {
	if path.Base(file.Path) == "LICENSE" {
		return nil
	}
	for i, line := range lines(file.Content) {
		for _, phrase := range phrases {
			if match := phrase.pattern.FindString(line); match != "" {
				found = append(found, Violation{file.Path, i + 1, phrase.rule,
					fmt.Sprintf("%q: %s", strings.TrimSpace(match), phrase.fix)})
			}
		}
	}
	return found
}
