// Package dashboards holds recoup's Grafana boards as typed Go and writes them as
// Grafana's JSON, for one of two data sources and in one of two languages. What a
// panel asks ClickHouse stands in the catalogue of package question; what it asks
// Prometheus stands with the panel.
//
// A panel is a few lines in a board's file. After a change run
//
//	go test ./dashboards -run Golden -rewrite
package dashboards

import "recoup/dashboards/question"

// Text is something a person reads, in English and French.
type Text = question.Text

// Source is the data source that answers what is asked of ClickHouse.
type Source string

// The sources.
const (
	ClickHouse Source = "clickhouse" // grafana-clickhouse-datasource: gets SQL
	Recoup     Source = "recoup"     // recoup-datasource, the plugin of this repository: gets questions by name
)

// Board is one dashboard.
type Board struct {
	UID     string            // stable: links and alerts name it; the French one ends with -fr
	Title   Text              // in the list of boards
	Help    Text              // which question it answers
	Filters []question.Filter // variables at its top, besides the data sources
	From    string            // start of the time range, as Grafana writes it: now-30d
	Refresh string            // how often it asks again: 5m
	Rows    []Row             // from top to bottom
}

// Row is a headed row of panels; those that do not fit go below.
type Row struct {
	Title  Text    // of its header
	Height int     // of each panel, in units of 30 pixels
	Panels []Panel // from left to right
}

// View is how a panel draws an answer.
type View string

// The views. A band is drawn around the number it belongs to.
const (
	Stat     View = "stat"       // single figures
	Lines    View = "timeseries" // over time
	Bars     View = "bars"       // over time, stacked
	Category View = "barchart"   // bars by the first column
	Grid     View = "table"      // as it is
	Matrix   View = "matrix"     // rows by the first column, columns by the second
	Funnel   View = "funnel"     // bars by the first column, stacked by the second
	Curve    View = "trend"      // over the first column, a number
	Note     View = "text"       // Markdown that asks nothing
)

// Panel is one question and how its answer is drawn.
type Panel struct {
	Ask   string   // name of a question; or
	Query []Query  // of Prometheus; or
	Live  string   // query type that only the plugin has, so that the other source has no such panel; or
	Note  Text     // Markdown
	View  View     // how
	Width int      // of 24 columns
	Title Text     // by default that of the question
	Help  Text     // what it means, its formula and what to do; by default that of the question
	Show  []string // columns to show, bands aside in Lines; by default all
	Unit  string   // of what Prometheus answers
	Empty Text     // instead of an answer without rows
	Steps []Step   // colours by value, ascending
	Share bool     // stacked Bars fill 100 %

	Narrow []question.Filter // filters of Live
}

// Query is one PromQL expression.
type Query struct {
	Expr   string // with $__rate_interval where it takes a rate
	Legend Text   // of its series; {{label}} puts a label's value in
}

// Step is a colour from a value on; the first one's value stands for the lowest.
type Step struct {
	From  float64 // in the unit of the panel
	Color string  // name of Grafana's palette
}

// below colours figures that are good below one value and bad from another on.
func below(good, bad float64) []Step {
	return []Step{{0, "green"}, {good, "yellow"}, {bad, "red"}}
}

// above colours figures that are bad below one value and good from another on.
func above(bad, good float64) []Step {
	return []Step{{0, "red"}, {bad, "yellow"}, {good, "green"}}
}

// Boards returns all boards, in the order they are read.
func Boards() []Board {
	return []Board{overviewBoard, causesBoard, recoveryBoard, alertsBoard, pipelineBoard, segmentBoard, invoiceBoard}
}
