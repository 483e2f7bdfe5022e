package dashboards

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"recoup/dashboards/question"
	"recoup/internal/testservers/played"
)

// warehouse is a ClickHouse with what a demo run left there: invoices, cases, payments,
// disputes, audits, a canary and a dead letter.
type warehouse struct {
	http, native, database string
}

// story runs the demo once, for all that is asked.
func story(t *testing.T) *warehouse {
	t.Helper()
	site := played.Demo(t)
	return &warehouse{http: site.ClickHouseHTTP, native: site.ClickHouse, database: site.Database}
}

// answer is what ClickHouse says.
type answer struct {
	Meta []struct{ Name, Type string }
	Data [][]any
	Rows int
	read int // rows
}

// ask sends one statement over HTTP.
func (w *warehouse) ask(ctx context.Context, sql string, parameters map[string]string) (*answer, error) {
	query := url.Values{"database": {w.database}, "default_format": {"JSONCompact"}, "wait_end_of_query": {"1"},
		"max_execution_time": {"10"}}
	for name, value := range parameters {
		query.Set("param_"+name, value)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.http+"/?"+query.Encode(),
		strings.NewReader(sql))
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s %w\n%s", response.Status, body, err, sql)
	}
	var a answer
	if len(body) > 0 && strings.HasPrefix(string(body), "{") {
		if err := json.Unmarshal(body, &a); err != nil {
			return nil, fmt.Errorf("%w: %s", err, body)
		}
	}
	var summary struct {
		ReadRows string `json:"read_rows"`
	}
	if err := json.Unmarshal([]byte(response.Header.Get("X-ClickHouse-Summary")), &summary); err == nil {
		a.read, _ = strconv.Atoi(summary.ReadRows)
	}
	return &a, nil
}

// chosen are the values that a person chose; the invoice is one with a case.
type chosen map[question.Filter][]string

// interpolate puts values into SQL as Grafana and the stock source do.
func interpolate(t *testing.T, sql string, from, to time.Time, values chosen) string {
	t.Helper()
	sql = strings.NewReplacer("$__fromTime", fmt.Sprintf("toDateTime(%d)", from.Unix()),
		"$__toTime", fmt.Sprintf("toDateTime(%d)", to.Unix())).Replace(sql)
	encode := func(value string) string { return strings.ReplaceAll(url.QueryEscape(value), "+", "%20") }
	return regexp.MustCompile(`\$\{(\w+):(\w+)\}`).ReplaceAllStringFunc(sql, func(variable string) string {
		name, format, _ := strings.Cut(strings.Trim(variable, "${}"), ":")
		list := values[question.Filter(name)]
		switch {
		case format == "percentencode" && len(list) == 1:
			return encode(list[0])
		case format == "queryparam" && len(list) == 0:
			return "var-" + name + "=All" // for the value that stands for all of them
		case format == "queryparam":
			encoded := make([]string, len(list))
			for i, value := range list {
				encoded[i] = "var-" + name + "=" + encode(value)
			}
			return strings.Join(encoded, "&")
		}
		t.Errorf("%s with %d values: want the formats percentencode of one, or queryparam", variable, len(list))
		return ""
	})
}

// kindOf is the kind of a type of ClickHouse.
func kindOf(name string) question.Kind {
	switch {
	case strings.Contains(name, "Array") || strings.Contains(name, "Tuple") || strings.Contains(name, "Bool"):
		return ""
	case strings.Contains(name, "Date"):
		return question.Time
	case strings.Contains(name, "String") || strings.Contains(name, "Enum"):
		return question.Label
	}
	return question.Number
}

// Everything a board or the plugin asks is answered over the story of a demo: with the
// columns that the catalogue tells, bounded, with rows, without reading all invoices,
// and the same however it is sent.
func TestAnswers(t *testing.T) {
	w := story(t)
	from, to := time.Now().AddDate(0, -3, 0), time.Now().Add(time.Hour)
	found, err := w.ask(t.Context(), "SELECT seller, currency, invoice_id FROM case_current WHERE kind = 'invoice' "+
		"AND paid > 0 ORDER BY paid DESC LIMIT 1", nil)
	if err != nil || found.Rows != 1 {
		t.Fatalf("no paid case: %v", err)
	}
	of := func(i int) []string { return []string{found.Data[0][i].(string)} }
	values := chosen{question.FilterSeller: of(0), question.FilterCurrency: of(1), question.FilterInvoice: of(2)}
	for _, q := range question.All() {
		t.Run(q.Name, func(t *testing.T) {
			p, err := q.Parameters(question.Values{From: from, To: to, Filters: values})
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.ask(t.Context(), q.SQL, p)
			if err != nil {
				t.Fatal(err)
			}
			checkAnswer(t, &q, got)
			stock, err := w.ask(t.Context(), interpolate(t, stockSQL(&q), from, to, values), nil)
			if err != nil {
				t.Fatal(err)
			}
			if stock.Rows != got.Rows || len(stock.Meta) != len(got.Meta) {
				t.Errorf("the stock source gets %d rows of %d columns, the plugin %d of %d", stock.Rows, len(stock.Meta),
					got.Rows, len(got.Meta))
			}
			if plan, err := w.ask(t.Context(), "EXPLAIN "+q.SQL, p); err != nil {
				t.Error(err)
			} else if text := fmt.Sprint(plan.Data); !strings.HasPrefix(q.Name, "invoice") &&
				strings.Contains(text, "ReadFromMergeTree ("+w.database+".scored_invoices)") {
				t.Errorf("it reads every invoice instead of a roll-up:\n%s", strings.ReplaceAll(text, "] [", "\n"))
			}
		})
	}
	t.Run("boards", func(t *testing.T) { w.boards(t, from, to, values) })
	t.Run("views", func(t *testing.T) { w.views(t, values) })
	t.Run("values", func(t *testing.T) { w.values(t, from, to, values) })
	t.Run("marks", func(t *testing.T) { w.marks(t, from, to, values) })
}

// mostRead bounds what one question may read of the demo's 4,400 invoices and what
// people did with them. Its views are small; what is read twice shows.
const mostRead = 30_000

func checkAnswer(t *testing.T, q *question.Question, got *answer) {
	t.Helper()
	if got.Rows == 0 {
		t.Error("no rows")
	}
	if got.Rows > q.MaxRows || got.read > mostRead {
		t.Errorf("%d rows, %d rows read: want at most %d and %d", got.Rows, got.read, q.MaxRows, mostRead)
	}
	if len(got.Meta) != len(q.Columns) {
		t.Fatalf("columns %v, want %v", got.Meta, q.Columns)
	}
	for i, c := range q.Columns {
		if m := got.Meta[i]; m.Name != c.Name || kindOf(m.Type) != c.Kind {
			t.Errorf("column %d is %s %s, want %s, a %s", i, m.Name, m.Type, c.Name, c.Kind)
		}
	}
	checkCodes(t, q, got)
	if q.Shape != question.Series {
		return
	}
	if q.Columns[0].Kind != question.Time {
		t.Errorf("the first column of a series is %s", q.Columns[0].Name)
	}
	for i := 1; i < len(got.Data); i++ {
		if cmp.Less(got.Data[i][0].(string), got.Data[i-1][0].(string)) {
			t.Fatalf("row %d is before the row before it", i)
		}
	}
}

// code is what programs write; ownWords are columns of what the seller or people wrote,
// and of what operators find by the same code in commands, metrics and runbooks.
var (
	code     = regexp.MustCompile(`^[a-z][a-z0-9]*([_:][a-z0-9]+)*$`)
	ownWords = strings.Fields("seller source_system customer customer_type product_family product unit shared " +
		"model_version tags view code step_code field note example")
)

// checkCodes wants words for each code of an answer.
func checkCodes(t *testing.T, q *question.Question, got *answer) {
	t.Helper()
	for i, c := range q.Columns {
		for _, row := range got.Data {
			value, _ := row[i].(string)
			if _, said := c.Words[value]; !said && code.MatchString(value) && c.Kind == question.Label &&
				!slices.Contains(ownWords, c.Name) {
				t.Errorf("column %s answers the code %s: want words for it", c.Name, value)
				break
			}
		}
	}
}

// boards sends every query of the generated boards for the stock source as it stands
// in the files: panels, variables and annotations.
func (w *warehouse) boards(t *testing.T, from, to time.Time, values chosen) {
	n := 0
	for _, d := range drawn(t, ClickHouse, question.French) {
		var all []string
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				if query, asks := target.(sqlTarget); asks {
					all = append(all, query.RawSQL)
				}
			}
		}
		for _, v := range d.Templating.List {
			if v.Type == "query" {
				all = append(all, v.Query.(string))
			}
		}
		for _, a := range d.Annotations.List {
			if query, asks := a.Target.(sqlTarget); asks {
				all = append(all, query.RawSQL)
			}
		}
		for _, sql := range all {
			n++
			if got, err := w.ask(t.Context(), interpolate(t, sql, from, to, values), nil); err != nil || got.Rows == 0 {
				t.Errorf("%s: no rows, %v\n%s", d.UID, err, sql)
			}
		}
	}
	if n < 100 {
		t.Errorf("%d queries", n)
	}
}

// marks on charts say when a release came, in the language of the board: of the two the
// second one, since nobody knows when the first one did.
func (w *warehouse) marks(t *testing.T, from, to time.Time, values chosen) {
	first, err := w.ask(t.Context(), "SELECT min(issued_at), count() FROM scored_invoices WHERE source_release = '4.2' "+
		"AND NOT canary AND invoice_type = 'invoice' AND revision = 0", nil)
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[question.Lang]string{
		question.English: "[%v Release billing-1 4.2 first of %v invoices",
		question.French:  "[%v Version billing-1 4.2 première de %v factures",
	} {
		asked := renderer{ClickHouse, lang}.mark("release", "annotation_releases").(sqlTarget).RawSQL
		got, err := w.ask(t.Context(), interpolate(t, asked, from, to, values), nil)
		if want := fmt.Sprintf(want, first.Data[0]...); err != nil || got.Rows != 1 ||
			!strings.HasPrefix(fmt.Sprint(got.Data[0]), want) {
			t.Errorf("%v, %v: want %s", got, err, want)
		}
	}
}

// values reach ClickHouse as they are, whatever they hold, by either protocol; filters
// of several values narrow, and the one for everything does not.
func (w *warehouse) values(t *testing.T, from, to time.Time, values chosen) {
	db, err := clickhouse.Open(&clickhouse.Options{Addr: []string{w.native}, Auth: clickhouse.Auth{Database: w.database}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	odd := `o'r\n "x" ` + "\t\n" + `{a:b} $__toTime ü`
	const seller, cause = question.FilterSeller, question.FilterCause
	echo := question.Question{Name: "echo", MaxRows: 1, Filters: []question.Filter{seller, cause},
		SQL: `SELECT {seller:String} AS one, {cause:Array(String)}[2] AS two`}
	p, err := echo.Parameters(question.Values{Filters: chosen{seller: {odd}, cause: {"a", odd}}})
	if err != nil {
		t.Fatal(err)
	}
	var one, two string
	ctx := clickhouse.Context(t.Context(), clickhouse.WithParameters(p))
	if err := db.QueryRow(ctx, echo.SQL).Scan(&one, &two); err != nil || one != odd || two != odd {
		t.Errorf("natively %q and %q arrived, want %q: %v", one, two, odd, err)
	}
	if got, err := w.ask(t.Context(), echo.SQL, p); err != nil || got.Data[0][0] != odd || got.Data[0][1] != odd {
		t.Errorf("over HTTP %v arrived, want %q: %v", got, odd, err)
	}
	echo.SQL = `SELECT {seller:String}, {cause:Array(String)}`
	for _, hostile := range []string{odd, `\' OR 1 = 1 --`, `'], [version()`, `\`, `All'`} {
		sql := interpolate(t, stockSQL(&echo), from, to, chosen{seller: {hostile}, cause: {"a", hostile}})
		got, err := w.ask(t.Context(), sql, nil)
		if err != nil || got.Data[0][0] != hostile || !reflect.DeepEqual(got.Data[0][1], []any{"a", hostile}) {
			t.Errorf("from a board %v arrived, want %q: %v", got, hostile, err)
		}
	}
	for _, all := range []string{"All", "$__all"} { // as versions of Grafana write it
		sql := interpolate(t, stockSQL(&echo), from, to, chosen{seller: {"a"}, cause: {all}})
		if got, err := w.ask(t.Context(), sql, nil); err != nil || !reflect.DeepEqual(got.Data[0][1], []any{"*"}) {
			t.Errorf("%s arrived as %v: %v", all, got, err)
		}
	}
	q, _ := question.Find("causes")
	rows := func(causes ...string) int {
		v := chosen{cause: causes}
		for f, value := range values {
			v[f] = value
		}
		p, err := q.Parameters(question.Values{From: from, To: to, Filters: v})
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.ask(t.Context(), q.SQL, p)
		if err != nil {
			t.Fatal(err)
		}
		return got.Rows
	}
	if all, two, none := rows(question.Everything), rows("billing_system", "duplicate"), rows("'"); all < 3 || two != 2 ||
		none != 0 || rows() != all {
		t.Errorf("%d causes, %d of two, %d of none", all, two, none)
	}
}
