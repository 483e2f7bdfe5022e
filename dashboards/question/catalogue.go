package question

import (
	"embed"
	"path"
	"regexp"
	"slices"
	"strings"
)

// files holds the SQL: sql/<name>.sql for each question, and in sql/shared what
// several of them are made of, put in for {name}.
//
//go:embed sql
var files embed.FS

// catalogue is every question, sorted by name.
var catalogue = complete(slices.Concat(overviewQuestions, causeQuestions, recoveryQuestions, alertQuestions,
	pipelineQuestions, drillQuestions, valueQuestions))

var (
	parameter = regexp.MustCompile(`\{(\w+):[^}]+\}`)
	include   = regexp.MustCompile(`\{(\w+)\}`)
)

// complete gives each question its SQL and what follows from it.
func complete(questions []Question) []Question {
	for i := range questions {
		q := &questions[i]
		q.SQL, q.Filters = statement("sql/"+q.Name+".sql"), []Filter{}
		for _, match := range parameter.FindAllStringSubmatch(q.SQL, -1) {
			switch name := Filter(match[1]); {
			case name == "from":
				q.Timed = true
			case name != "to" && name != "limit" && !q.Takes(name):
				q.Filters = append(q.Filters, name)
			}
		}
		for at := range q.Columns {
			q.Columns[at].Words = wordsOf(q.Columns[at].Name)
		}
		if q.MaxRows == 0 {
			q.MaxRows = 1000
		}
	}
	slices.SortFunc(questions, func(a, b Question) int { return strings.Compare(a.Name, b.Name) })
	return questions
}

// statement reads SQL and puts the shared parts in.
func statement(file string) string {
	text, err := files.ReadFile(file)
	if err != nil {
		panic(err) // a question without its file
	}
	return include.ReplaceAllStringFunc(strings.TrimSpace(string(text)), func(part string) string {
		return statement(path.Join("sql/shared", strings.Trim(part, "{}")+".sql"))
	})
}
