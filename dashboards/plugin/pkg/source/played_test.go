package source

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"recoup/cases"
	"recoup/cases/frenchtest"
	"recoup/dashboards/question"
	"recoup/internal/testservers/played"
)

// mayBeEmpty are the answers that may hold no row though a demo was played, and why.
var mayBeEmpty = map[string]string{
	"baseline":         "it is written down with the first checkpoint, for which its test waits",
	"another currency": "nobody bills in it",
}

// past is a data source on what a demo left, and what a person looks at there.
type past struct {
	t                        *testing.T
	source                   *Source
	from, to                 time.Time
	first                    time.Time             // issue of the demo's first invoice
	seller, currency, number string                // a case of the last is paid
	invoices                 map[time.Time]float64 // that were issued, by the Monday of their week
}

// Everything that can be asked of the plugin is answered with rows once recoup has run
// for a while: figures that can be, times between the demo's first invoice and now, and words.
func TestPlayed(t *testing.T) {
	site := played.Demo(t)
	settings, err := json.Marshal(map[string]any{"kafka": map[string]any{"brokers": []string{site.Kafka}},
		"clickhouse": map[string]any{"address": site.ClickHouse, "database": site.Database}})
	if err != nil {
		t.Fatal(err)
	}
	p := &past{t: t, source: unplugged(t, string(settings)), from: time.Now().AddDate(0, -3, 0),
		to: time.Now().Add(time.Hour)}
	db, err := clickhouse.Open(&clickhouse.Options{Addr: []string{site.ClickHouse},
		Auth: clickhouse.Auth{Database: site.Database}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRow(t.Context(), "SELECT seller, currency, invoice_id FROM case_current WHERE kind = 'invoice' "+
		"AND paid > 0 ORDER BY paid DESC LIMIT 1").Scan(&p.seller, &p.currency, &p.number); err != nil {
		t.Fatalf("no paid case: %v", err)
	}
	if err := db.QueryRow(t.Context(), "SELECT min(issued_at) FROM scored_invoices").Scan(&p.first); err != nil {
		t.Fatal(err)
	}
	p.invoices = countInvoices(t, db, p.seller)
	t.Run("French", func(t *testing.T) { allInFrench(t, db) })
	for _, q := range question.All() {
		t.Run(q.Name, func(t *testing.T) { p.checkQuestion(t, &q) })
	}
	t.Run("another currency", p.otherCurrency)
	t.Run("specials", p.specials)
	t.Run("annotations", p.annotations)
	t.Run("values", p.values)
	t.Run("baseline", p.baseline)
}

// countInvoices counts the rows of invoices by week, in all currencies as rates do.
func countInvoices(t *testing.T, db driver.Conn, seller string) map[time.Time]float64 {
	t.Helper()
	rows, err := db.Query(t.Context(), "SELECT toDateTime(toMonday(issued_at), 'UTC') AS week, count() "+
		"FROM scored_invoices WHERE seller = ? AND NOT canary AND stage = 'issued' AND invoice_type = 'invoice' "+
		"GROUP BY week", seller)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	weeks := map[time.Time]float64{}
	for rows.Next() {
		var week time.Time
		var n uint64
		if err := rows.Scan(&week, &n); err != nil {
			t.Fatal(err)
		}
		weeks[week.UTC()] = float64(n)
	}
	return weeks
}

// allInFrench: no sentence of evidence that scoring stored stays in English, nor a part of it.
func allInFrench(t *testing.T, db driver.Conn) {
	var sentences []string
	if err := db.QueryRow(t.Context(),
		"SELECT groupUniqArray(arrayJoin(arrayFlatten(causes.evidence))) FROM scored_invoices").
		Scan(&sentences); err != nil || len(sentences) < 20 {
		t.Fatalf("%d sentences, %v", len(sentences), err)
	}
	for _, english := range sentences {
		if french, ok := cases.French(english); !ok || frenchtest.English(french) != "" {
			t.Errorf("%q has the English %q: %q", english, frenchtest.English(french), french)
		}
	}
}

// ask asks over the three months and wants rows of the first frame.
func (p *past) ask(t *testing.T, name, kind string, filters map[string]any, more string) data.Frames {
	t.Helper()
	for filter, value := range map[string]any{"seller": p.seller, "currency": p.currency, "invoice_id": p.number} {
		if filters[filter] == nil {
			filters[filter] = value
		}
	}
	text, err := json.Marshal(filters)
	if err != nil {
		t.Fatal(err)
	}
	answered, err := p.source.QueryData(t.Context(), &backend.QueryDataRequest{Queries: []backend.DataQuery{{RefID: "A",
		QueryType: kind, JSON: fmt.Appendf(nil, `{"filters":%s%s}`, text, more),
		TimeRange: backend.TimeRange{From: p.from, To: p.to}}}})
	if err != nil {
		t.Fatal(err)
	}
	got := answered.Responses["A"]
	if got.Error != nil {
		t.Fatal(got.Error)
	}
	if reason := mayBeEmpty[name]; got.Frames[0].Rows() == 0 && reason == "" {
		t.Fatal("no rows")
	}
	for _, frame := range got.Frames {
		if _, err := frame.MarshalArrow(); err != nil {
			t.Error(err)
		}
	}
	return got.Frames
}

// checkQuestion asks one of the catalogue and looks at what its columns say.
func (p *past) checkQuestion(t *testing.T, q *question.Question) {
	frame := p.ask(t, q.Name, "question", map[string]any{}, fmt.Sprintf(`,"question":%q`, q.Name))[0]
	if q.Shape == question.Series && frame.TimeSeriesSchema().Type != data.TimeSeriesTypeWide {
		t.Errorf("no wide series: %v", frame.TimeSeriesSchema())
	}
	said := 0
	for _, field := range frame.Fields {
		at := slices.IndexFunc(q.Columns, func(c question.Column) bool { return c.Name == field.Name })
		if at < 0 || field.Config == nil || field.Config.DisplayNameFromDS == "" {
			t.Fatalf("field %s is no column, or has no title", field.Name)
		}
		for row := range field.Len() {
			if p.sensible(t, &q.Columns[at], field, row) && row == 0 {
				said++
			}
		}
	}
	if said < (len(frame.Fields)+1)/2 {
		t.Errorf("the first row says %d things of %d", said, len(frame.Fields))
	}
	if q.Name == "error_rate" {
		weeks := map[time.Time]float64{}
		counts, _ := frame.FieldByName("invoices")
		for row := range frame.Rows() {
			n, _ := counts.ConcreteAt(row)
			week, _ := frame.Fields[0].ConcreteAt(row)
			weeks[week.(time.Time).UTC()] = n.(float64)
		}
		if !maps.Equal(weeks, p.invoices) {
			t.Errorf("the error rate is of %v invoices, want %v", weeks, p.invoices)
		}
	}
}

// otherCurrency: amounts of one currency do not show under another one.
func (p *past) otherCurrency(t *testing.T) {
	const other = "EUR"
	if p.currency == other {
		t.Fatalf("the demo bills in %s, too", other)
	}
	for _, name := range []string{"suspects", "money_by_day", "recoveries"} {
		frame := p.ask(t, "another currency", "question", map[string]any{"currency": other},
			fmt.Sprintf(`,"question":%q`, name))[0]
		if frame.Rows() > 0 {
			t.Errorf("%s has %d rows in %s", name, frame.Rows(), other)
		}
	}
}

// ahead are the columns of what is still to come.
var ahead = []string{"respond_by", "limitation_date", "due_date"}

// earliest is when something can have been at first: nothing was before the demo's first
// invoice, but for the month or the week that it was in.
func (p *past) earliest(column string) time.Time {
	day := p.first.UTC().Truncate(24 * time.Hour)
	if column == "month" {
		return day.AddDate(0, 0, 1-day.Day())
	}
	return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
}

// sensible tells whether a cell says something, which it may not deny.
func (p *past) sensible(t *testing.T, c *question.Column, field *data.Field, row int) bool {
	value, there := field.ConcreteAt(row)
	if !there {
		return false
	}
	switch v := value.(type) {
	case time.Time:
		early := v.Before(p.earliest(c.Name))
		if early || v.After(time.Now()) && !slices.Contains(ahead, c.Name) {
			t.Errorf("%s, row %d: %v is not from %v to now", c.Name, row, v, p.earliest(c.Name))
		}
	case float64:
		if c.IsShare() && (v < 0 || v > 1) {
			t.Errorf("%s, row %d: a share of %v", c.Name, row, v)
		}
	case string:
		return v != ""
	}
	return true
}

// sum adds up a column.
func sum(t *testing.T, frame *data.Frame, name string) (total float64) {
	t.Helper()
	field, _ := frame.FieldByName(name)
	if field == nil {
		t.Fatalf("there is no column %s", name)
	}
	for row := range field.Len() {
		if value, there := field.ConcreteAt(row); there {
			total += value.(float64)
		}
	}
	return total
}

// first is the first value of a column, as text.
func first(t *testing.T, frame *data.Frame, name string) string {
	t.Helper()
	field, _ := frame.FieldByName(name)
	if field == nil || field.Len() == 0 {
		t.Fatalf("frame %s has no %s", frame.Name, name)
	}
	value, _ := field.ConcreteAt(0)
	return fmt.Sprint(value)
}

// specials: what is no question of the catalogue.
func (p *past) specials(t *testing.T) {
	explained := p.ask(t, "explain", "explain", map[string]any{}, "")
	for i, name := range []string{"invoice", "causes", "case", "text"} {
		if explained[i].Name != name || explained[i].Rows() == 0 {
			t.Fatalf("frame %d is %s with %d rows, want some of %s", i, explained[i].Name, explained[i].Rows(), name)
		}
	}
	inWords(t, explained)
	if id, paid := first(t, explained[0], "invoice_id"), sum(t, explained[2], "paid"); id != p.number || paid <= 0 {
		t.Errorf("explained %s, %v paid", id, paid)
	}
	// The demo has been read to its end; canaries and the like may wait for some milliseconds.
	lag := p.ask(t, "lag", "lag", map[string]any{}, "")[0]
	if first(t, lag, "partition") != "0" || sum(t, lag, "lag") > 10 {
		t.Errorf("%v invoices wait", sum(t, lag, "lag"))
	}
	open := p.ask(t, "cases", "cases", map[string]any{}, "")[0]
	inWords(t, data.Frames{open})
	if first(t, open, "seller") != p.seller || first(t, open, "action") == "resolve" || first(t, open, "summary") == "" {
		t.Errorf("an open case of %s: %s", first(t, open, "seller"), first(t, open, "summary"))
	}
}

// baseline: what is usual is written down with a checkpoint, the first of which comes half
// a minute after the start.
func (p *past) baseline(t *testing.T) {
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(200 * time.Millisecond) {
		usual := p.ask(t, "baseline", "baseline", map[string]any{}, "")[0]
		if usual.Rows() == 0 {
			continue
		}
		inWords(t, data.Frames{usual})
		if first(t, usual, "currency") != p.currency || sum(t, usual, "n") <= 0 || sum(t, usual, "mean") <= 0 {
			t.Errorf("usual of %d segments: %v", usual.Rows(), sum(t, usual, "mean"))
		}
		return
	}
	t.Error("nothing is usual")
}

// annotations of each kind, and all together.
func (p *past) annotations(t *testing.T) {
	all := 0
	for _, kind := range []string{"incident", "model", "release"} {
		frame := p.ask(t, "annotations "+kind, "annotations", map[string]any{"kinds": []string{kind}}, "")[0]
		at := frame.Fields[0].At(0).(time.Time)
		if at.Before(p.earliest("time")) || at.After(time.Now()) || first(t, frame, "title") == "" {
			t.Errorf("%s at %v: %q", kind, at, first(t, frame, "title"))
		}
		all += frame.Rows()
	}
	french := p.ask(t, "annotations", "annotations", map[string]any{}, `,"lang":"fr"`)[0]
	titles, _ := french.FieldByName("title")
	said := false
	for row := range french.Rows() {
		said = said || strings.HasPrefix(titles.At(row).(string), "Version ")
	}
	if french.Rows() != all || !said {
		t.Errorf("%d French annotations of all kinds, want %d, one of a version", french.Rows(), all)
	}
}

// values of each filter that can be listed.
func (p *past) values(t *testing.T) {
	for _, q := range question.All() {
		filter, lists := strings.CutPrefix(q.Name, valuesPrefix)
		if !lists {
			continue
		}
		status, body := call(t, p.source, "Viewer", "GET", "values/"+filter+"?seller="+p.seller, "", nil)
		var list []choice
		if err := json.Unmarshal([]byte(body), &list); err != nil || status != 200 {
			t.Fatalf("%s: %d %s", filter, status, body)
		}
		chosen := map[string]string{"seller": p.seller, "currency": p.currency}[filter]
		if len(list) == 0 || chosen != "" && !slices.Contains(list, choice{chosen, chosen}) {
			t.Errorf("values of %s: %v, want %q among them", filter, list, chosen)
		}
	}
}
