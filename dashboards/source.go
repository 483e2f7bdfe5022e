package dashboards

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"recoup/dashboards/question"
)

// Names of the variables that choose data sources, so that a board fits any
// Grafana; the first source of each type is taken by itself.
const (
	sourceVariable     = "source"
	prometheusVariable = "prometheus"
)

// metricsSource is where the pipeline's own metrics come from.
var metricsSource = sourceRef{Type: "prometheus", UID: "${" + prometheusVariable + "}"}

// pluginType is the id of the Grafana plugin.
func (s Source) pluginType() string {
	if s == Recoup {
		return "recoup-datasource"
	}
	return "grafana-clickhouse-datasource"
}

func (s Source) ref() sourceRef {
	return sourceRef{Type: s.pluginType(), UID: "${" + sourceVariable + "}"}
}

// target asks a question.
func (r renderer) target(q *question.Question, series bool) any {
	if r.source == Recoup {
		return recoupTarget{RefID: "A", Datasource: r.source.ref(), QueryType: "question", Question: q.Name,
			Filters: variables(q.Filters), Limit: q.MaxRows, Lang: r.lang}
	}
	t := sqlTarget{RefID: "A", Datasource: r.source.ref(), EditorType: "sql", Format: 1, QueryType: "table",
		RawSQL: stockSQL(q)}
	if series {
		t.Format, t.QueryType = 0, "timeseries"
	}
	return t
}

// variables fills filters from the board's variables.
func variables(filters []question.Filter) map[string]any {
	filled := map[string]any{}
	for _, f := range filters {
		if f.Several() {
			filled[string(f)] = []string{"$" + string(f)}
		} else {
			filled[string(f)] = "$" + string(f)
		}
	}
	return filled
}

var parameter = regexp.MustCompile(`\{(\w+):[^}]+\}`)

// stockSQL is a question's SQL for the stock source, with Grafana's macros and
// variables in place of the query parameters, which it does not have.
func stockSQL(q *question.Question) string {
	return parameter.ReplaceAllStringFunc(q.SQL, func(p string) string {
		switch name := parameter.FindStringSubmatch(p)[1]; {
		case name == "from":
			return "$__fromTime"
		case name == "to":
			return "$__toTime"
		case name == "limit":
			return strconv.Itoa(q.MaxRows)
		case question.Filter(name).Several():
			return severalSQL(name)
		default:
			return "decodeURLComponent('${" + name + ":percentencode}')"
		}
	})
}

// severalSQL is the array of a variable's values. Values come from links, too, and no
// format of Grafana for SQL escapes the backslash (sqlStringFormatter of grafana/scenes,
// formatRegistry.ts), with which ClickHouse would let one out of its quotes. Percent
// encoding leaves neither quotes nor backslashes. All is "All" or "$__all" by version.
func severalSQL(name string) string {
	value := "decodeURLComponent(substring(p, " + strconv.Itoa(len("var-"+name+"=")+1) + "))"
	return "arrayMap(p -> if(" + value + " IN ('All', concat('$', '__all')), '" + question.Everything + "', " + value +
		"), splitByChar('&', '${" + name + ":queryparam}'))"
}

// filterTitles are the labels of variables.
var filterTitles = map[question.Filter]Text{
	question.FilterSeller:        {EN: "Seller", FR: "Vendeur"},
	question.FilterCurrency:      {EN: "Currency", FR: "Devise"},
	question.FilterCustomerType:  {EN: "Customer type", FR: "Type de client"},
	question.FilterProductFamily: {EN: "Product family", FR: "Famille de produits"},
	question.FilterCause:         {EN: "Cause", FR: "Cause"},
	question.FilterInvoice:       {EN: "Invoice", FR: "Facture"},
}

// templating makes the variables of a board.
func (r renderer) templating(b *Board) templating {
	t := templating{List: []variable{
		{Name: sourceVariable, Label: r.say("Data", "Données"), Type: "datasource", Query: r.source.pluginType(),
			Refresh: 1, Options: []choice{}},
	}}
	if b.asksPrometheus() {
		t.List = append(t.List, variable{Name: prometheusVariable, Label: r.say("Metrics", "Métriques"),
			Type: "datasource", Query: "prometheus", Refresh: 1, Options: []choice{}})
	}
	for _, f := range b.Filters {
		t.List = append(t.List, r.variable(f))
	}
	return t
}

// variable lets a person choose the values of a filter.
func (r renderer) variable(f question.Filter) variable {
	v := variable{Name: string(f), Label: r.in(filterTitles[f]), Type: "textbox", Query: "", Options: []choice{}}
	if f == question.FilterInvoice { // any of millions: typed, or brought by a link
		v.Options = []choice{{Selected: true}}
		v.Current = &choice{Selected: true}
		return v
	}
	q, _ := question.Find("value_" + string(f))
	source := r.source.ref()
	v.Type, v.Datasource, v.Refresh, v.Description = "query", &source, 1, r.in(q.Help)
	if r.source == Recoup {
		v.Query = recoupTarget{RefID: "variable", Datasource: source, QueryType: "values", Filter: string(f),
			Filters: variables(q.Filters)}
	} else {
		v.Query = stockSQL(&q)
	}
	if f.Several() {
		v.Multi, v.IncludeAll, v.AllValue = true, true, question.Everything
		v.Current = &choice{Selected: true, Text: "All", Value: "$__all"}
	}
	return v
}

// annotations marks incidents and changes on every chart.
func (r renderer) annotations(b *Board) annotations {
	list := []annotation{{Name: "Annotations & Alerts", BuiltIn: 1, Enable: true, Hide: true, Type: "dashboard",
		Datasource: sourceRef{Type: "grafana", UID: "-- Grafana --"}, IconColor: "rgba(0, 211, 255, 1)"}}
	if !slices.Contains(b.Filters, question.FilterSeller) {
		return annotations{list}
	}
	for _, mark := range []struct {
		kind, ask, color string
		name             Text
	}{
		{"incident", "annotation_incidents", "red", Text{EN: "Incidents", FR: "Incidents"}},
		{"model", "annotation_changes", "blue", Text{EN: "Changes", FR: "Changements"}},
		{"release", "annotation_releases", "purple", Text{EN: "Releases", FR: "Versions"}},
	} {
		list = append(list, annotation{Name: r.in(mark.name), Enable: true, IconColor: mark.color,
			Datasource: r.source.ref(), Target: r.mark(mark.kind, mark.ask)})
	}
	return annotations{list}
}

// mark asks for annotations of a kind, which answer a question.
func (r renderer) mark(kind, ask string) any {
	if r.source == Recoup {
		return recoupTarget{RefID: "A", Datasource: r.source.ref(), QueryType: "annotations", Lang: r.lang,
			Filters: map[string]any{"seller": "$seller", "kinds": []string{kind}}}
	}
	q, _ := question.Find(ask)
	if r.lang == question.French {
		q.SQL = "SELECT * EXCEPT (title_fr, text_fr) REPLACE (title_fr AS title, text_fr AS text)\nFROM (" + q.SQL + ")"
	}
	return r.target(&q, false)
}

// asksPrometheus tells whether any panel does.
func (b *Board) asksPrometheus() bool {
	return slices.ContainsFunc(b.Rows, func(row Row) bool {
		return slices.ContainsFunc(row.Panels, func(p Panel) bool { return len(p.Query) > 0 })
	})
}

// boardPath is where a board is found.
func (r renderer) boardPath(uid string) string { return "/d/" + r.uid(uid) }

// drill links a column to the board that tells more of its value; the time range
// and the seller go along.
func (r renderer) drill(c *question.Column) []fieldLink {
	uid, filter, title := "", question.Filter(""), Text{}
	switch c.Name {
	case "invoice", "invoice_id":
		uid, filter, title = "recoup-invoice", question.FilterInvoice, Text{EN: "This invoice", FR: "Cette facture"}
	case "cause", "predicted_cause":
		uid, filter, title = "recoup-causes", question.FilterCause, Text{EN: "This cause", FR: "Cette cause"}
	case "customer_type", "product_family":
		uid, filter, title = "recoup-segment", question.Filter(c.Name), Text{EN: "This segment", FR: "Ce segment"}
	default:
		return nil
	}
	return []fieldLink{{Title: r.in(title), URL: strings.Join([]string{r.boardPath(uid) + "?${__url_time_range}",
		"${seller:queryparam}", "${currency:queryparam}", "var-" + string(filter) + "=${__value.raw:percentencode}"}, "&")}}
}

// newestFirst has rows come in at the top, each with the way to its invoice and cause. The
// plugin names its columns; that of the time is named here, since rows are sorted by the name.
func (r renderer) newestFirst(drawn *panel) {
	title := r.say("Time", "Heure")
	drawn.Options["sortBy"] = []map[string]any{{"displayName": title, "desc": true}}
	drawn.FieldConfig.Overrides = []override{{Matcher: matcher{"byName", "time"},
		Properties: []property{{"displayName", title}}}}
	for _, name := range []string{"invoice_id", "cause"} {
		drawn.FieldConfig.Overrides = append(drawn.FieldConfig.Overrides, override{Matcher: matcher{"byName", name},
			Properties: []property{{"links", r.drill(&question.Column{Name: name})}}})
	}
}

var encodedVariable = regexp.MustCompile(`%24%7B(\w+)%3Apercentencode%7D`)

// explore leads from a panel to the editor of its query, which has the buttons to act.
func (r renderer) explore(p *Panel) boardLink {
	filters := map[string]string{}
	for _, f := range p.Narrow {
		filters[string(f)] = "${" + string(f) + ":percentencode}"
	}
	const source = "${" + sourceVariable + ":percentencode}"
	panes, _ := json.Marshal(map[string]any{"recoup": map[string]any{"datasource": source,
		"queries": []any{map[string]any{"refId": "A", "datasource": sourceRef{Type: r.source.pluginType(), UID: source},
			"queryType": p.Live, "filters": filters, "lang": r.lang}},
		"range": map[string]string{"from": "now-1h", "to": "now"}}}) // texts only
	return boardLink{Icon: "external link", Tags: []string{}, Type: "link",
		Title:   r.say("Act in Explore", "Agir dans Explore"),
		Tooltip: r.say("Take a case, decide and close it", "Prendre un dossier en charge, décider et clore"),
		URL: "/explore?schemaVersion=1&panes=" +
			encodedVariable.ReplaceAllString(url.QueryEscape(string(panes)), "$${$1:percentencode}")}
}
