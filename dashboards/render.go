package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"recoup/dashboards/question"
)

// renderer turns boards into Grafana's model for one source and language.
type renderer struct {
	source Source
	lang   question.Lang
}

// Files returns all boards as JSON, by file name.
func Files(source Source, lang question.Lang) (map[string][]byte, error) {
	files := map[string][]byte{}
	r := renderer{source, lang}
	for _, b := range Boards() {
		d, err := r.board(&b)
		if err != nil {
			return nil, fmt.Errorf("cannot draw board %s: %w", b.UID, err)
		}
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(d); err != nil {
			return nil, fmt.Errorf("cannot write board %s: %w", b.UID, err)
		}
		files[strings.TrimPrefix(b.UID, "recoup-")+".json"] = broken(text.Bytes())
	}
	return files, nil
}

// broken puts line ends into compact JSON: one line for each value of a board and of
// a panel, so that a change shows where it is without ten times the lines.
func broken(compact []byte) []byte {
	const deepest = 3 // board, list, panel
	var out []byte
	depth, quoted := 0, false
	end := func() {
		if depth <= deepest {
			out = append(append(out, '\n'), bytes.Repeat([]byte("  "), depth)...)
		}
	}
	for i, c := range compact {
		opens, closes := !quoted && (c == '{' || c == '['), !quoted && (c == '}' || c == ']')
		empty := opens && (compact[i+1] == '}' || compact[i+1] == ']')
		if closes {
			depth--
			if before := compact[i-1]; before != '{' && before != '[' && depth < deepest {
				end()
			}
		}
		out = append(out, c)
		switch {
		case c == '"' && (!quoted || !escaped(compact[:i])):
			quoted = !quoted
		case opens:
			if depth++; !empty {
				end()
			}
		case !quoted && c == ',':
			end()
		case !quoted && c == ':':
			out = append(out, ' ')
		}
	}
	return out
}

// escaped tells whether the byte behind a text is escaped: an odd number of
// backslashes stands before it.
func escaped(text []byte) bool {
	return (len(text)-len(bytes.TrimRight(text, `\`)))%2 == 1
}

func (r renderer) in(t Text) string { return t.In(r.lang) }

// say chooses between two short texts.
func (r renderer) say(en, fr string) string { return r.in(Text{EN: en, FR: fr}) }

// uid is that of a board in this language.
func (r renderer) uid(uid string) string {
	if r.lang == question.French {
		return uid + "-fr"
	}
	return uid
}

// board lays the rows out: panels from left to right, 24 columns wide.
func (r renderer) board(b *Board) (*dashboard, error) {
	tag := "recoup-" + string(r.lang)
	d := &dashboard{UID: r.uid(b.UID), Title: "recoup: " + r.in(b.Title), Description: r.in(b.Help),
		Tags: []string{"recoup", tag}, GraphTooltip: 1, SchemaVersion: schemaVersion, Version: 1,
		Timezone: "utc", Refresh: b.Refresh,
		Time: timeRange{From: b.From, To: "now"}, Templating: r.templating(b), Annotations: r.annotations(b),
		Links: []boardLink{{Icon: "external link", IncludeVars: true, KeepTime: true, Tags: []string{tag},
			Title: r.say("Boards", "Tableaux"), Tooltip: r.say("The other boards", "Les autres tableaux"), Type: "dashboards"}}}
	y := 0
	for _, row := range b.Rows {
		open := false
		d.Panels = append(d.Panels, panel{ID: len(d.Panels) + 1, Type: "row", Title: r.in(row.Title), Collapsed: &open,
			Panels: []panel{}, GridPos: gridPos{H: 1, W: 24, X: 0, Y: y}})
		y++
		x := 0
		for i := range row.Panels {
			p := &row.Panels[i]
			if p.Live != "" && r.source != Recoup {
				continue
			}
			if x+p.Width > 24 {
				x, y = 0, y+row.Height
			}
			drawn, err := r.panel(p, b.Filters)
			if err != nil {
				return nil, err
			}
			drawn.ID = len(d.Panels) + 1
			drawn.GridPos = gridPos{H: row.Height, W: p.Width, X: x, Y: y}
			d.Panels = append(d.Panels, *drawn)
			x += p.Width
		}
		y += row.Height
	}
	return d, nil
}

// panel draws one panel of a board with these filters.
func (r renderer) panel(p *Panel, filters []question.Filter) (*panel, error) {
	drawn := &panel{Type: string(p.View), Title: r.in(p.Title), Description: r.in(p.Help)}
	switch p.View {
	case Bars:
		drawn.Type = string(Lines)
	case Matrix:
		drawn.Type = string(Grid)
	case Funnel:
		drawn.Type = string(Category)
	case Note:
		drawn.Options = map[string]any{"mode": "markdown", "content": r.in(p.Note)}
		return drawn, nil
	}
	drawn.FieldConfig = r.fields(p)
	drawn.Options = options(p)
	switch {
	case p.Ask != "":
		q, found := question.Find(p.Ask)
		if !found {
			return nil, fmt.Errorf("cannot ask %q: no such question", p.Ask)
		}
		if err := r.answer(drawn, p, &q); err != nil {
			return nil, err
		}
		drawn.Description += r.notNarrowed(&q, filters)
		return drawn, nil
	case p.Live != "":
		source := r.source.ref()
		drawn.Datasource = &source
		drawn.Targets = []any{recoupTarget{RefID: "A", Datasource: source, QueryType: p.Live,
			Filters: variables(p.Narrow), Lang: r.lang}}
		if p.Live == "cases" {
			r.newestFirst(drawn)
		}
		if p.Live == "cases" || p.Live == "explain" { // whose editors have the buttons
			drawn.Links = []boardLink{r.explore(p)}
		}
	default:
		drawn.Datasource = &metricsSource
		for i, query := range p.Query {
			drawn.Targets = append(drawn.Targets, promTarget{RefID: string(rune('A' + i)), Datasource: metricsSource,
				EditorMode: "code", Expr: query.Expr, LegendFormat: r.in(query.Legend),
				Range: p.View != Stat, Instant: p.View == Stat})
		}
	}
	return drawn, nil
}

// notNarrowed names the filters of a board that a question does not take: whoever sets
// one would else believe the figure to follow. One invoice is what it is.
func (r renderer) notNarrowed(q *question.Question, filters []question.Filter) string {
	var names []string
	for _, f := range filters {
		if !q.Takes(f) && f != question.FilterInvoice {
			names = append(names, r.in(filterTitles[f]))
		}
	}
	if len(names) == 0 || q.Takes(question.FilterInvoice) {
		return ""
	}
	return "\n\n" + r.say("Not narrowed by: ", "Non filtré par : ") + strings.Join(names, ", ") + "."
}

// answer draws what a question answers.
func (r renderer) answer(drawn *panel, p *Panel, q *question.Question) error {
	if drawn.Title == "" {
		drawn.Title = r.in(q.Title)
	}
	if drawn.Description == "" {
		drawn.Description = r.in(q.Help)
	}
	source := r.source.ref()
	drawn.Datasource = &source
	drawn.Targets = []any{r.target(q, p.View == Lines || p.View == Bars)}
	shown, err := r.shownColumns(p, q)
	if err != nil {
		return err
	}
	if len(shown) < len(q.Columns) {
		names := make([]string, len(shown))
		for i, c := range shown {
			names[i] = c.Name
		}
		drawn.Transformations = append(drawn.Transformations, transformation{ID: "filterFieldsByName",
			Options: map[string]any{"include": map[string]any{"names": names}}})
	}
	if p.View == Matrix || p.View == Funnel {
		drawn.Transformations = append(drawn.Transformations, transformation{ID: "groupingToMatrix",
			Options: map[string]any{"rowField": shown[0].Name, "columnField": shown[1].Name,
				"valueField": shown[2].Name, "emptyValue": "zero"}})
		drawn.FieldConfig.Defaults.Unit = shown[2].Unit
		drawn.FieldConfig.Overrides = r.matrixOverrides(shown[0], shown[1])
		return nil
	}
	drawn.FieldConfig.Overrides = r.overrides(p, q, shown)
	return nil
}

var otherLang = map[question.Lang]string{question.English: "fr", question.French: "en"}

// shownColumns are the columns of an answer that a panel shows. Bands and the time
// come along where there is a line to draw them to.
func (r renderer) shownColumns(p *Panel, q *question.Question) (shown []question.Column, err error) {
	if len(p.Show) == 0 {
		for _, c := range q.Columns { // one language of what stands in both
			if c.Name != "summary_"+otherLang[r.lang] {
				shown = append(shown, c)
			}
		}
		return shown, nil
	}
	for _, name := range p.Show {
		if !slices.ContainsFunc(q.Columns, func(c question.Column) bool { return c.Name == name }) {
			return nil, fmt.Errorf("cannot show column %q of question %s: it has none", name, q.Name)
		}
	}
	for _, c := range q.Columns {
		along := p.View == Lines && (c.Kind == question.Time ||
			(c.Low || c.High) && slices.Contains(p.Show, bandOf(&c)))
		if along || slices.Contains(p.Show, c.Name) {
			shown = append(shown, c)
		}
	}
	return shown, nil
}
