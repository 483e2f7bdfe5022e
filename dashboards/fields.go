package dashboards

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"recoup/dashboards/question"
)

// palette are the colours of lines, in their order; references are grey.
var palette = []string{"blue", "orange", "green", "purple", "red", "yellow"}

// fields is what holds for all fields of a panel.
func (r renderer) fields(p *Panel) *fieldConfig {
	empty := r.in(p.Empty)
	if empty == "" {
		empty = r.say("Nothing in this time range", "Rien dans cette période")
	}
	f := &fieldConfig{Defaults: fieldDefaults{Unit: p.Unit, NoValue: empty, Mappings: []mapping{},
		Color:      map[string]any{"mode": "palette-classic"},
		Thresholds: thresholds{Mode: "absolute", Steps: steps(p.Steps)}}, Overrides: []override{}}
	switch p.View {
	case Lines, Curve:
		f.Defaults.Custom = map[string]any{"drawStyle": "line", "lineWidth": 2, "fillOpacity": 0, "showPoints": "auto",
			"spanNulls": true, "thresholdsStyle": map[string]any{"mode": "off"}}
	case Bars:
		mode := "normal"
		if p.Share {
			mode = "percent"
		}
		f.Defaults.Custom = map[string]any{"drawStyle": "bars", "lineWidth": 1, "fillOpacity": 70,
			"stacking": map[string]any{"mode": mode, "group": "A"}}
	case Category, Funnel:
		f.Defaults.Custom = map[string]any{"lineWidth": 1, "fillOpacity": 80}
	case Grid, Matrix:
		f.Defaults.Custom = map[string]any{"align": "auto", "cellOptions": map[string]any{"type": "auto"}, "filterable": true,
			"inspect": false}
		f.Defaults.Color = map[string]any{"mode": "thresholds"}
	case Stat:
		f.Defaults.Color = map[string]any{"mode": "thresholds"}
	}
	return f
}

// steps are the colours by value; none: one colour.
func steps(all []Step) []step {
	if len(all) == 0 {
		return []step{{Color: "text"}}
	}
	drawn := make([]step, len(all))
	for i, s := range all {
		drawn[i] = step{Color: s.Color, Value: &s.From}
	}
	drawn[0].Value = nil
	return drawn
}

// options are those of the panel's kind.
func options(p *Panel) map[string]any {
	legend := map[string]any{"showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": []string{}}
	tooltip := map[string]any{"mode": "multi", "sort": "none"}
	switch p.View {
	case Stat:
		return map[string]any{"colorMode": "value", "graphMode": "none", "justifyMode": "auto", "textMode": "auto",
			"orientation": "auto", "wideLayout": true, "showPercentChange": false, "percentChangeColorMode": "standard",
			"reduceOptions": map[string]any{"calcs": []string{"firstNotNull"}, "fields": "", "values": false}}
	case Category, Funnel:
		stacking := "none"
		if p.View == Funnel {
			stacking = "normal"
		}
		return map[string]any{"legend": legend, "tooltip": tooltip, "orientation": "auto", "showValue": "auto",
			"stacking": stacking, "barWidth": 0.9, "groupWidth": 0.8, "fullHighlight": false, "xTickLabelRotation": 0,
			"xTickLabelMaxLength": 24}
	case Grid, Matrix:
		return map[string]any{"showHeader": true, "frameIndex": 0, "cellHeight": "sm"}
	}
	return map[string]any{"legend": legend, "tooltip": tooltip}
}

// overrides give columns their title, unit, words, links, and bands.
func (r renderer) overrides(p *Panel, q *question.Question, shown []question.Column) (all []override) {
	lines, titles := 0, map[string]string{}
	for _, c := range shown {
		titles[c.Name] = r.in(c.Title)
	}
	chart := p.View == Lines || p.View == Curve || p.View == Bars
	series := chart && slices.ContainsFunc(shown, func(c question.Column) bool { return c.Kind == question.Label })
	for i, c := range shown {
		if series && c.Kind == question.Label {
			continue // its values are the names of the series
		}
		o := override{Matcher: matcher{"byName", c.Name}}
		set := func(id string, value any) { o.Properties = append(o.Properties, property{id, value}) }
		title := titles[c.Name]
		switch {
		case series && c.Kind == question.Number:
			title = "${__field.labels." + shown[i-1].Name + "}"
		case c.Low, c.High:
			title = bandTitle(titles[bandOf(&c)], title)
		case isMoney(&c) && q.Takes(question.FilterCurrency):
			title += " (${currency})"
		}
		set("displayName", title)
		if c.Unit == "none" {
			set("unit", "locale") // the same with thousands apart
		} else if c.Unit != "" {
			set("unit", c.Unit)
		}
		if p.View == Grid || c.Low || c.High {
			set("noValue", "–") // of one cell; the panel's own text is for an answer without rows
		}
		if places, rounded := decimals(&c); rounded {
			set("decimals", places)
		}
		if len(c.Words) > 0 {
			set("mappings", []mapping{r.mapping(c.Words)})
		}
		if links := r.drill(&c); links != nil && p.View == Grid {
			set("links", links)
		}
		if chart && !series && c.Kind == question.Number {
			o.Properties = append(o.Properties, lineStyle(&c, lines, titles)...)
			if !c.Low && !c.High && !c.Reference {
				lines++
			}
		}
		if p.View == Stat && (c.Low || c.High || c.Reference) {
			set("color", map[string]any{"mode": "fixed", "fixedColor": "text"})
		}
		if p.View == Grid && c.IsShare() && !c.Low && !c.High {
			o.Properties = append(o.Properties, shareCell...)
		}
		if p.View == Grid && c.Name == "why" { // sentences, a line each
			set("custom.cellOptions", map[string]any{"type": "auto", "wrapText": true})
		}
		all = append(all, o)
		if series && c.Kind == question.Number {
			all = append(all, r.seriesWords(&shown[i-1])...)
		}
	}
	return all
}

// seriesWords say in words what series are named after. Mappings of values do not reach
// names, and the name ends with the code on both sources.
func (r renderer) seriesWords(c *question.Column) (all []override) {
	for _, code := range slices.Sorted(maps.Keys(c.Words)) {
		all = append(all, override{Matcher: matcher{"byRegexp", "/(^| )" + regexp.QuoteMeta(code) + "$/"},
			Properties: []property{{"displayName", r.in(c.Words[code])}}})
	}
	return all
}

// decimals are how many places a number shows; those of other units choose by
// themselves. Rates differ by less than a tenth of a percent.
func decimals(c *question.Column) (places int, rounded bool) {
	switch {
	case c.Unit == "none", strings.HasSuffix(bandOf(c), "_rate"):
		return 2, true
	case c.Unit == "percentunit":
		return 1, true
	}
	return 0, false
}

// isMoney tells money from the other numbers without a unit.
func isMoney(c *question.Column) bool {
	return c.Unit == "none" && !slices.Contains([]string{"brier", "cost_per_recovered", "mean", "quantity"}, c.Name)
}

// bandOf is the number that an end of a band belongs to.
func bandOf(end *question.Column) string {
	return strings.TrimSuffix(strings.TrimSuffix(end.Name, "_low"), "_high")
}

// bandTitle names an end of a band after its number, so that names stay unique in a
// panel: a band is filled down to a name.
func bandTitle(number, end string) string {
	if number == "" {
		return end
	}
	return number + ", " + end
}

// lineStyle draws a number as the nth line, an end of a band as the area around
// the last line, a reference as a dashed line.
func lineStyle(c *question.Column, n int, titles map[string]string) (style []property) {
	set := func(id string, value any) { style = append(style, property{id, value}) }
	color := palette[n%len(palette)]
	switch {
	case c.Reference:
		set("custom.lineStyle", map[string]any{"fill": "dash", "dash": []int{8, 8}})
		set("custom.lineWidth", 1)
		set("custom.showPoints", "never")
		color = "text"
	case c.Low, c.High:
		if n > 0 {
			color = palette[(n-1)%len(palette)]
		}
		set("custom.lineWidth", 0)
		set("custom.showPoints", "never")
		set("custom.hideFrom", map[string]any{"legend": true, "tooltip": false, "viz": false})
		if c.High {
			set("custom.fillBelowTo", bandTitle(titles[bandOf(c)], titles[bandOf(c)+"_low"]))
			set("custom.fillOpacity", 20)
		}
	}
	set("color", map[string]any{"mode": "fixed", "fixedColor": color})
	return style
}

// shareCell draws a share as a bar in its cell.
var shareCell = []property{{"min", 0}, {"max", 1},
	{"custom.cellOptions", map[string]any{"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}}}

// matrixOverrides name the column of the rows, and the columns that come of values.
func (r renderer) matrixOverrides(rows, columns question.Column) []override {
	first := override{Matcher: matcher{"byName", rows.Name + `\` + columns.Name},
		Properties: []property{{"displayName", r.in(rows.Title)}}}
	if len(rows.Words) > 0 {
		first.Properties = append(first.Properties, property{"mappings", []mapping{r.mapping(rows.Words)}})
	}
	// The plugin has each column say the title of the numbers, also one without words.
	all := []override{{Matcher: matcher{"byRegexp", "/.*/"},
		Properties: []property{{"displayName", "${__field.name}"}}}, first}
	for _, code := range slices.Sorted(maps.Keys(columns.Words)) {
		all = append(all, override{Matcher: matcher{"byName", code},
			Properties: []property{{"displayName", r.in(columns.Words[code])}}})
	}
	return all
}

// mapping says codes in words.
func (r renderer) mapping(words map[string]Text) mapping {
	m := mapping{Type: "value", Options: map[string]mapped{}}
	for i, code := range slices.Sorted(maps.Keys(words)) {
		m.Options[code] = mapped{Text: r.in(words[code]), Index: i}
	}
	return m
}
