// Package question is the catalogue of everything a board or the Grafana plugin
// asks ClickHouse: each question once, with its SQL on recoup's views, what may be
// filtered, and what its columns mean in English and French. It knows no driver:
// whoever asks binds the parameters.
//
// SQL holds ClickHouse query parameters, {seller:String}. A filter of several
// values is an array; the value "*" stands for no filter.
package question

import (
	"slices"
	"strings"
	"time"
)

// Lang is a language of titles and texts.
type Lang string

// The languages of the catalogue.
const (
	English Lang = "en"
	French  Lang = "fr"
)

// Text is something a person reads.
type Text struct {
	EN string `json:"en"` // English
	FR string `json:"fr"` // French
}

// In returns the text in a language, in English if it is none of the two.
func (t Text) In(lang Lang) string {
	if lang == French {
		return t.FR
	}
	return t.EN
}

// Filter is what a question may be narrowed to. It is also the name of the query
// parameter and of the board's variable.
type Filter string

// The filters. Those of one value are required by the questions that have them.
const (
	FilterSeller        Filter = "seller"         // one
	FilterCurrency      Filter = "currency"       // one, ISO 4217
	FilterCustomerType  Filter = "customer_type"  // several
	FilterProductFamily Filter = "product_family" // several
	FilterCause         Filter = "cause"          // several; predicted cause until a person told another
	FilterInvoice       Filter = "invoice_id"     // one
)

// Everything is the value of a filter of several values that leaves nothing out.
const Everything = "*"

// Several tells whether the filter takes any number of values; none means all.
func (f Filter) Several() bool {
	return f == FilterCustomerType || f == FilterProductFamily || f == FilterCause
}

// Kind is what a column holds.
type Kind string

// The kinds of columns.
const (
	Time   Kind = "time"   // instant, UTC; ascending in a Series
	Label  Kind = "label"  // text
	Number Kind = "number" // integer or decimal; may be NULL
)

// Column is one column of an answer, in the order of the SELECT.
type Column struct {
	Name      string          `json:"name"`            // in SQL
	Kind      Kind            `json:"kind"`            // of its values
	Unit      string          `json:"unit"`            // id of Grafana; money has none: its currency is a filter
	Title     Text            `json:"title"`           // over it
	Low       bool            `json:"low"`             // lower end of a band; Name is that of its number and _low
	High      bool            `json:"high"`            // upper end of that band; … and _high
	Reference bool            `json:"reference"`       // a constant to compare with
	Words     map[string]Text `json:"words,omitempty"` // what values mean to a person; those it lacks speak for themselves
}

// Shape is how rows are meant.
type Shape string

// The shapes.
const (
	Series Shape = "series" // first column is time, ascending; a label makes one series per value
	Table  Shape = "table"  // rows in the order that SQL gives
)

// Question is something that can be asked of recoup's tables.
type Question struct {
	Name    string   `json:"name"`    // stable, as saved queries name it: lower case, "_" between words
	Title   Text     `json:"title"`   // the question in a few words
	Help    Text     `json:"help"`    // what the answer means, and its formula
	Shape   Shape    `json:"shape"`   // of the answer
	SQL     string   `json:"-"`       // one SELECT on the views, of at most {limit:UInt32} rows
	Filters []Filter `json:"filters"` // that SQL takes
	Timed   bool     `json:"timed"`   // SQL takes {from:…} and {to:…}
	Columns []Column `json:"columns"` // exactly what SQL returns
	MaxRows int      `json:"maxRows"` // limit that suffices for a board; above 0
}

// Takes tells whether a filter narrows the question.
func (q *Question) Takes(f Filter) bool { return slices.Contains(q.Filters, f) }

// Values is what a question is asked with.
type Values struct {
	From    time.Time           // of Timed questions
	To      time.Time           // of Timed questions, not before From
	Filters map[Filter][]string // those the question does not take are left aside
	Limit   int                 // rows at most; 0: MaxRows of the question
}

// All returns every question, sorted by name.
func All() []Question { return slices.Clone(catalogue) }

// Find returns the question of a name.
func Find(name string) (Question, bool) {
	at, found := slices.BinarySearchFunc(catalogue, name, func(q Question, name string) int {
		return strings.Compare(q.Name, name)
	})
	if !found {
		return Question{}, false
	}
	return catalogue[at], true
}
