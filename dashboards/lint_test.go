package dashboards

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"recoup/dashboards/question"
	"recoup/internal/promtools"
	"recoup/internal/promtools/exported"
)

// drawn returns the boards of one output as Grafana reads them.
func drawn(t *testing.T, source Source, lang question.Lang) (boards []dashboard) {
	t.Helper()
	r := renderer{source, lang}
	for _, b := range Boards() {
		d, err := r.board(&b)
		if err != nil {
			t.Fatal(err)
		}
		boards = append(boards, *d)
	}
	return boards
}

// fault is told with the place it is at.
type fault func(format string, args ...any)

// lint calls check for each panel that is no row.
func lint(t *testing.T, check func(fault fault, d *dashboard, p *panel)) {
	t.Helper()
	each(t, func(t *testing.T, source Source, lang question.Lang) {
		for _, d := range drawn(t, source, lang) {
			for i := range d.Panels {
				if p := &d.Panels[i]; p.Type != "row" {
					check(func(format string, args ...any) {
						t.Helper()
						t.Errorf("%s, panel %q: %s", d.UID, p.Title, fmt.Sprintf(format, args...))
					}, &d, p)
				}
			}
		}
	})
}

// Panels have unique ids, stay within 24 columns and cover nothing.
func TestLayout(t *testing.T) {
	each(t, func(t *testing.T, source Source, lang question.Lang) {
		for _, d := range drawn(t, source, lang) {
			ids, covered := map[int]bool{}, map[[2]int]string{}
			for _, p := range d.Panels {
				if ids[p.ID] {
					t.Errorf("%s: two panels have id %d", d.UID, p.ID)
				}
				ids[p.ID] = true
				if p.GridPos.X+p.GridPos.W > 24 {
					t.Errorf("%s: %q is wider than the board", d.UID, p.Title)
				}
				for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
					for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
						if other := covered[[2]int{x, y}]; other != "" {
							t.Fatalf("%s: %q covers %q", d.UID, p.Title, other)
						}
						covered[[2]int{x, y}] = p.Title
					}
				}
			}
		}
	})
}

// Each panel says what it is, what it means, what its figures are in and what it
// shows when there are none; its data source is a variable of the board.
func TestPanelsSpeak(t *testing.T) {
	lint(t, func(fault fault, d *dashboard, p *panel) {
		if p.Title == "" || len(p.Description) < 20 && p.Type != "text" {
			fault("wants a title and a description, not %q", p.Description)
		}
		if p.Type == "text" {
			return
		}
		if !slices.ContainsFunc(d.Templating.List, func(v variable) bool {
			return "${"+v.Name+"}" == p.Datasource.UID && v.Type == "datasource" && v.Query == p.Datasource.Type
		}) {
			fault("data source %+v is no variable of the board", p.Datasource)
		}
		if p.FieldConfig.Defaults.NoValue == "" {
			fault("says nothing when there is nothing")
		}
		if p.Datasource.Type == "prometheus" && p.FieldConfig.Defaults.Unit == "" {
			fault("has no unit")
		}
		names := map[string]bool{}
		for _, o := range p.FieldConfig.Overrides {
			for _, set := range o.Properties {
				if set.ID == "displayName" && names[set.Value.(string)] {
					fault("two columns are called %q", set.Value)
				} else if set.ID == "displayName" {
					names[set.Value.(string)] = true
				}
			}
		}
	})
}

// Every number that is asked for has a unit, every text both languages.
func TestQuestionsSpeak(t *testing.T) {
	for _, q := range question.All() {
		texts := []question.Text{q.Title, q.Help}
		for _, c := range q.Columns {
			if texts = append(texts, c.Title); c.Kind == question.Number && c.Unit == "" {
				t.Errorf("%s: column %s has no unit", q.Name, c.Name)
			}
		}
		for _, text := range texts {
			if text.EN == "" || text.FR == "" {
				t.Errorf("%s: %+v lacks a language", q.Name, text)
			}
		}
	}
}

// The number of a band comes with both ends, and the area between them is filled:
// a figure without its interval says more than is known.
func TestBandsAreDrawn(t *testing.T) {
	n := 0
	lint(t, func(fault fault, d *dashboard, p *panel) {
		if p.Type != "timeseries" || p.FieldConfig == nil {
			return
		}
		set := map[string]map[string]any{}
		for _, o := range p.FieldConfig.Overrides {
			set[o.Matcher.Options] = map[string]any{}
			for _, s := range o.Properties {
				set[o.Matcher.Options][s.ID] = s.Value
			}
		}
		for name, high := range set {
			if number, isHigh := strings.CutSuffix(name, "_high"); isHigh {
				n++
				if low := set[number+"_low"]; set[number] == nil || low == nil ||
					high["custom.fillBelowTo"] != low["displayName"] {
					fault("%s is filled down to %v", name, high["custom.fillBelowTo"])
				}
			}
		}
		if set["confirmed_rate"] != nil && (set["confirmed_rate_high"] == nil || set["claim"] == nil) {
			fault("the error rate wants its band and the line of the claim (K1)")
		}
	})
	if n == 0 {
		t.Error("no panel draws a band")
	}
}

// used finds the variables in a text: $name, ${name} and ${name:format}.
var used = regexp.MustCompile(`\$\{?(\w+)`)

// Whatever a query or a link names is a variable of its board, or Grafana's own;
// links lead to boards that exist.
func TestVariablesAndLinks(t *testing.T) {
	uids := map[string]bool{}
	for _, lang := range []question.Lang{question.English, question.French} {
		for _, d := range drawn(t, ClickHouse, lang) {
			uids[d.UID] = true
		}
	}
	boards := regexp.MustCompile(`/d/([\w-]+)`)
	links := 0
	lint(t, func(fault fault, d *dashboard, p *panel) {
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range used.FindAllStringSubmatch(string(text), -1) {
			known := strings.HasPrefix(match[1], "__") ||
				slices.ContainsFunc(d.Templating.List, func(v variable) bool { return v.Name == match[1] })
			if !known {
				fault("variable %s is none of the board", match[1])
			}
		}
		for _, match := range boards.FindAllStringSubmatch(string(text), -1) {
			if links++; !uids[match[1]] {
				fault("links to board %s, which there is not", match[1])
			} else if strings.HasSuffix(match[1], "-fr") != strings.HasSuffix(d.UID, "-fr") {
				fault("links to board %s of the other language", match[1])
			}
		}
	})
	if links < 20 {
		t.Errorf("%d links between boards", links)
	}
}

// Cases and explanations lead to the plugin's editor in Explore, with the same query; cases
// are sorted by the column that the panel names, and lead to their invoice.
func TestLivePanels(t *testing.T) {
	encoded := regexp.MustCompile(`\$\{(\w+):percentencode\}`)
	found := map[string]bool{}
	lint(t, func(fault fault, d *dashboard, p *panel) {
		if len(p.Targets) == 0 {
			return
		}
		target, live := p.Targets[0].(recoupTarget)
		if !live || len(p.Links) == 0 {
			return
		}
		found[d.UID+" "+target.QueryType] = true
		address, err := url.Parse(encoded.ReplaceAllString(p.Links[0].URL, "%24$1")) // as values that need no encoding
		if err != nil || address.Path != "/explore" {
			t.Fatalf("%s: %v", p.Links[0].URL, err)
		}
		var panes map[string]struct {
			Datasource string
			Queries    []recoupTarget
		}
		if err := json.Unmarshal([]byte(address.Query().Get("panes")), &panes); err != nil {
			t.Fatal(err)
		}
		asked := panes["recoup"].Queries[0]
		if panes["recoup"].Datasource != "$source" || asked.QueryType != target.QueryType ||
			!reflect.DeepEqual(asked.Filters, target.Filters) {
			fault("leads to %+v, want %+v", asked, target)
		}
		if target.QueryType != "cases" {
			return
		}
		text, err := json.Marshal(p)
		title := d.say("Time", "Heure")
		for _, want := range []string{`"sortBy":[{"desc":true,"displayName":"` + title + `"}]`,
			`"options":"time"},"properties":[{"id":"displayName","value":"` + title + `"}]`, `"options":"invoice_id"`} {
			if err != nil || !strings.Contains(string(text), want) {
				fault("lacks %s: %v", want, err)
			}
		}
	})
	for _, want := range []string{"recoup-overview cases", "recoup-overview-fr cases", "recoup-invoice explain",
		"recoup-invoice-fr explain"} {
		if !found[want] {
			t.Errorf("there is no panel %s", want)
		}
	}
}

// say chooses by the language of a board.
func (d *dashboard) say(en, fr string) string {
	if strings.HasSuffix(d.UID, "-fr") {
		return fr
	}
	return en
}

// expressions are the PromQL of all boards, with the panel each belongs to.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, d := range drawn(t, ClickHouse, question.English) {
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				if query, asks := target.(promTarget); asks {
					all[query.Expr] = d.UID + ", panel " + p.Title
				}
			}
		}
	}
	if len(all) < 15 {
		t.Fatalf("%d expressions", len(all))
	}
	return all
}

// Whatever a panel asks Prometheus is a metric of this binary; counters and
// histograms stand under a rate over $__rate_interval.
func TestExpressions(t *testing.T) {
	metric, names := regexp.MustCompile(`recoup_\w+`), exported.Metrics(t)
	for expr, where := range expressions(t) {
		for _, at := range metric.FindAllStringIndex(expr, -1) {
			name := expr[at[0]:at[1]]
			counts := strings.HasSuffix(name, "_total") || strings.HasSuffix(name, "_bucket")
			if !slices.Contains(names, strings.TrimSuffix(name, "_bucket")) {
				t.Errorf("%s: %s is not exported", where, name)
			}
			before, after := expr[:at[0]], expr[at[1]:]
			rated := (strings.HasSuffix(before, "rate(") || strings.HasSuffix(before, "increase(")) &&
				strings.HasPrefix(after, "[$__rate_interval])")
			if counts != rated {
				t.Errorf("%s: %s: want counters, and only them, under rate(…[$__rate_interval]): %s", where, name, expr)
			}
		}
	}
}

// A stopped recoup is not healthy: no query answers a number of its own making.
func TestSilenceIsNoAnswer(t *testing.T) {
	for expr, where := range expressions(t) {
		if strings.Contains(expr, "vector(") {
			t.Errorf("%s: answers also when nothing runs: %s", where, expr)
		}
	}
}

// Prometheus' own checker reads every expression.
func TestExpressionsParse(t *testing.T) {
	promtool, err := promtools.Find(t.Context(), promtools.Promtool)
	if err != nil {
		t.Fatal(err)
	}
	var rules strings.Builder
	rules.WriteString("groups:\n  - name: boards\n    rules:\n")
	i := 0
	for expr, where := range expressions(t) {
		text, _ := json.Marshal(strings.ReplaceAll(expr, "$__rate_interval", "1m"))
		i++
		fmt.Fprintf(&rules, "      - record: panel_%d # %s\n        expr: %s\n", i, where, text)
	}
	file := filepath.Join(t.TempDir(), "boards.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, out, rules.String())
	}
}

// Whatever can be asked stands on a board, is the value of a variable, or marks charts.
func TestEveryQuestionIsAsked(t *testing.T) {
	asked := map[string]bool{}
	for _, b := range Boards() {
		for _, row := range b.Rows {
			for _, p := range row.Panels {
				asked[p.Ask] = true
			}
		}
	}
	for _, q := range question.All() {
		if !asked[q.Name] && !strings.HasPrefix(q.Name, "value_") && !strings.HasPrefix(q.Name, "annotation_") {
			t.Errorf("no board asks %s", q.Name)
		}
	}
}

// One word for a case, for evidence, for a customer type and for a record, wherever people read
// them in French: boards, the catalogue, and explanations.
func TestFrenchHasOneWord(t *testing.T) {
	other := regexp.MustCompile(`(?i)[^"]{0,30}\b(cas|preuves?|catégories?|messages?)\b[^"]{0,30}`)
	everything := []any{drawn(t, ClickHouse, question.French), drawn(t, Recoup, question.French), question.All()}
	explained, err := filepath.Glob("../internal/explain/testdata/*.fr.txt")
	if err != nil || len(explained) == 0 {
		t.Fatal(err, "no explanations")
	}
	for _, name := range explained {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		everything = append(everything, string(text))
	}
	for _, said := range everything {
		text, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range other.FindAllString(string(text), -1) {
			t.Errorf("%q: want dossier, indices, type de client, enregistrement", found)
		}
	}
}
