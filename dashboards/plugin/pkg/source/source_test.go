package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"recoup/cases"
	"recoup/cases/frenchtest"
	"recoup/dashboards/question"
)

// One installation serves all tests that need one.
func TestSource(t *testing.T) {
	s := newSite(t)
	s.tell()
	for _, part := range []struct {
		name string
		run  func(t *testing.T, s *site)
	}{
		{"Golden", testGolden}, {"Values", testValues}, {"Health", testHealth},
		{"Cancel", testCancel}, {"French", testRefusals}, {"Actions", testActions}, {"Binary", testBinary},
	} {
		t.Run(part.name, func(t *testing.T) {
			own := *s
			own.t = t
			part.run(t, &own)
		})
	}
}

// query asks one query of March 2026.
func ask(t *testing.T, source *Source, kind, text string) backend.DataResponse {
	t.Helper()
	got, err := source.QueryData(t.Context(), &backend.QueryDataRequest{Queries: []backend.DataQuery{{RefID: "A",
		QueryType: kind, JSON: json.RawMessage(text),
		TimeRange: backend.TimeRange{From: begun.AddDate(0, 0, -1), To: begun.AddDate(0, 1, 0)}}}})
	if err != nil {
		t.Fatal(err)
	}
	return got.Responses["A"]
}

var (
	storedAt = regexp.MustCompile(`(?m)(^  record|^  stored|^  model|opened|until|` +
		`^  lu dans|^  stocké|^  modèle|ouvert le|jusqu'au) .*$`)
	anyName = regexp.MustCompile(`testsource_[0-9a-f]+`)
)

// Each type of query gives these frames, each mistake this sentence.
func testGolden(t *testing.T, s *site) {
	source := s.source(t)
	all := `"filters":{"seller":"acme","currency":"EUR","customer_type":["*"],"invoice_id":"F-121"}`
	for name, q := range map[string]struct{ kind, text string }{
		"error_rate":        {"question", `{"question":"error_rate",` + all + `}`},
		"error_rate_french": {"question", `{"question":"error_rate","lang":"fr","limit":1,` + all + `}`},
		"loss":              {"", `{"question":"loss",` + all + `}`},
		"recoveries":        {"question", `{"question":"recoveries",` + all + `}`},
		"causes":            {"question", `{"question":"causes",` + all + `}`},
		"causes_by_day":     {"question", `{"question":"causes_by_day",` + all + `}`},
		"precision":         {"question", `{"question":"precision",` + all + `}`},
		"nothing":           {"question", `{"question":"causes_by_day","filters":{"seller":"nobody","currency":"EUR"}}`},
		"baseline": {"baseline", `{"filters":{"seller":"acme",` +
			`"segment":"product_family=fibre|customer_type=B2C"}}`},
		"explain":             {"explain", `{` + all + `}`},
		"explain_french":      {"explain", `{"lang":"fr",` + all + `}`},
		"causes_french":       {"question", `{"question":"invoice_causes","lang":"fr",` + all + `}`},
		"lag":                 {"lag", `{}`},
		"cases":               {"cases", `{` + all + `}`},
		"annotations":         {"annotations", `{"filters":{"seller":"acme","kinds":["incident","release"]}}`},
		"bad_question":        {"question", `{"question":"eror_rate",` + all + `}`},
		"bad_no_question":     {"question", `{}`},
		"bad_no_seller":       {"question", `{"question":"error_rate"}`},
		"bad_two_sellers":     {"question", `{"question":"error_rate","filters":{"seller":["a","b"]}}`},
		"bad_limit":           {"question", `{"question":"error_rate","limit":-3,` + all + `}`},
		"bad_limit_cases":     {"cases", `{"limit":-3,` + all + `}`},
		"bad_type":            {"sql", `{}`},
		"bad_json":            {"question", `{"filters":{"seller":7}}`},
		"bad_cases_nobody":    {"cases", `{}`},
		"bad_notes_nobody":    {"annotations", `{}`},
		"bad_usual_nobody":    {"baseline", `{}`},
		"bad_invoice":         {"explain", `{"filters":{"seller":"acme","invoice_id":"F-9999"}}`},
		"bad_explain_nothing": {"explain", `{"filters":{"seller":"acme"}}`},
		"bad_segment":         {"baseline", `{"filters":{"seller":"acme","segment":"B2C"}}`},
		"bad_kind":            {"annotations", `{"filters":{"seller":"acme","kinds":["weather"]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			answer := ask(t, source, q.kind, q.text)
			inWords(t, answer.Frames)
			if strings.HasSuffix(name, "_french") {
				inFrench(t, answer.Frames)
			}
			text := readable(answer)
			text = anyName.ReplaceAllString(storedAt.ReplaceAllString(text, "$1 …"), "TEST")
			golden(t, name, text)
		})
	}
}

// code is what programs write, ownWords are fields of what the seller or people wrote.
var (
	code     = regexp.MustCompile(`^[a-z][a-z0-9]*([_:][a-z0-9]+)*$`)
	ownWords = strings.Fields("seller customer_type product_family tags")
)

// inWords wants words for each code in frames.
func inWords(t *testing.T, frames data.Frames) {
	t.Helper()
	for _, frame := range frames {
		eachText(frame, func(field *data.Field, text string) {
			parts := strings.Split(strings.ReplaceAll(text, " ", ""), ";")
			if text != strings.Join(parts, "; ") && text != strings.Join(parts, " ; ") {
				return // a sentence, no list
			}
			for _, part := range parts {
				if code.MatchString(part) && !slices.Contains(ownWords, field.Name) && !hasWords(field, part) {
					t.Errorf("%s of frame %s is the code %s: want words for it", field.Name, frame.Name, part)
				}
			}
		})
	}
}

// inFrench wants no English in titles, words and texts.
func inFrench(t *testing.T, frames data.Frames) {
	t.Helper()
	for _, frame := range frames {
		for _, field := range frame.Fields {
			if word := frenchtest.English(field.Config.DisplayNameFromDS); word != "" {
				t.Errorf("the English %q in the title of %s", word, field.Name)
			}
		}
		eachText(frame, func(field *data.Field, text string) {
			if word := frenchtest.English(text); word != "" && !hasWords(field, text) {
				t.Errorf("the English %q in %s: %s", word, field.Name, text)
			}
		})
	}
}

// eachText visits the texts of a frame.
func eachText(frame *data.Frame, visit func(field *data.Field, text string)) {
	for _, field := range frame.Fields {
		for row := range field.Len() {
			if text, ok := field.At(row).(string); ok {
				visit(field, text)
			}
		}
	}
}

// hasWords tells whether a field has words for a code.
func hasWords(field *data.Field, code string) bool {
	if field.Config == nil {
		return false
	}
	return slices.ContainsFunc(field.Config.Mappings, func(m data.ValueMapping) bool {
		mapper, ok := m.(data.ValueMapper)
		return ok && mapper[code].Text != ""
	})
}

// call calls a resource as somebody of a role and returns the status and the body.
func call(t *testing.T, source *Source, role, method, path, body string, headers map[string][]string) (int, string) {
	t.Helper()
	var got *backend.CallResourceResponse
	route, _, _ := strings.Cut(path, "?")
	req := &backend.CallResourceRequest{Method: method, Path: route, URL: path, Body: []byte(body), Headers: headers}
	if role != "" {
		req.PluginContext.User = &backend.User{Login: "jane.doe", Email: "jane@example.com", Role: role}
	}
	err := source.CallResource(t.Context(), req, backend.CallResourceResponseSenderFunc(
		func(r *backend.CallResourceResponse) error { got = r; return nil }))
	if err != nil {
		t.Fatal(err)
	}
	return got.Status, string(got.Body)
}

// The editors find the catalogue, and the values of filters.
func testValues(t *testing.T, s *site) {
	source := s.source(t)
	status, body := call(t, source, "Viewer", "GET", "questions", "", nil)
	var list []question.Question
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != 200 || len(list) != len(question.All()) {
		t.Fatalf("%d, %d questions, %v", status, len(list), err)
	}
	if strings.Contains(body, "SELECT") {
		t.Error("the catalogue tells its SQL")
	}
	for path, want := range map[string]string{
		"values/seller":                    `[{"value":"acme","text":"acme"}]`,
		"values/currency?seller=acme":      `[{"value":"EUR","text":"EUR"}]`,
		"values/customer_type?seller=acme": `[{"value":"B2C","text":"B2C"},{"value":"B2B","text":"B2B"}]`,
		"values/customer_type":             `[]`,
		"values/invoice_id?seller=acme":    `[]`, // all are older than what is chosen from
		"values/weather":                   `404 {"message":"cannot list values of \"weather\": there is no such filter"}`,
		"secrets": `404 {"message":"cannot find \"secrets\": want questions, values/\u003cfilter\u003e or ` +
			`cases/\u003ccase id\u003e/\u003caction\u003e"}`,
	} {
		status, body := call(t, source, "Viewer", "GET", path, "", nil)
		if status != 200 {
			body = fmt.Sprint(status, " ", body)
		}
		if body != want {
			t.Errorf("%s: %s, want %s", path, body, want)
		}
	}
}

// What is wrong is named with its field and its fix; a password is in no message.
func testHealth(t *testing.T, s *site) {
	health := func(change func(in *backend.DataSourceInstanceSettings)) (backend.HealthStatus, string) {
		in := s.instance()
		in.DecryptedSecureJSONData = map[string]string{"kafkaPassword": secret, "clickhousePassword": ""}
		change(&in)
		made, err := New(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		defer made.(*Source).Dispose()
		got, err := made.(*Source).CheckHealth(t.Context(), &backend.CheckHealthRequest{})
		if err != nil || !json.Valid(got.JSONDetails) {
			t.Fatalf("%v, details %s", err, got.JSONDetails)
		}
		if text := got.Message + string(got.JSONDetails); strings.Contains(text, secret) {
			t.Errorf("the secret is told: %s", text)
		}
		return got.Status, got.Message
	}
	replace := func(old, with string) func(in *backend.DataSourceInstanceSettings) {
		return func(in *backend.DataSourceInstanceSettings) {
			in.JSONData = []byte(strings.Replace(string(in.JSONData), old, with, 1))
		}
	}
	in := s.instance()
	in.DecryptedSecureJSONData = nil
	made, _ := New(t.Context(), in)
	defer made.(*Source).Dispose()
	well, err := made.(*Source).CheckHealth(t.Context(), &backend.CheckHealthRequest{})
	if err != nil || well.Status != backend.HealthStatusOk || !strings.Contains(well.Message, "0 invoices wait") {
		t.Errorf("a working source: %+v, %v", well, err)
	}
	address := s.config.ClickHouse.Addresses[0]
	for name, c := range map[string]struct {
		change func(in *backend.DataSourceInstanceSettings)
		want   []string
	}{
		"no address":    {replace(address, ""), []string{"clickhouse.address is empty", "host:port"}},
		"no port":       {replace(address, "localhost"), []string{`"localhost"`, "host:port"}},
		"nothing there": {replace(address, "127.0.0.1:1"), []string{"clickhouse.address", "9440"}},
		"no tables":     {replace(s.config.ClickHouse.Database, "nowhere"), []string{"clickhouse.database", "migrate"}},
		"no broker":     {replace(s.config.Kafka.Brokers[0], "127.0.0.1:1"), []string{"cannot reach Kafka", "127.0.0.1:1"}},
		"password without a mechanism": {func(*backend.DataSourceInstanceSettings) {},
			[]string{"kafka.sasl.mechanism is empty", "SCRAM-SHA-512"}},
		"no topics": {replace(`"topicPrefix":"`, `"topicPrefix":"x`), []string{"kafka.topicPrefix"}},
		"unchecked": {replace(`"rowLimit"`, `"kafka":{"tls":{"skipVerify":true}},"rowLimit"`),
			[]string{"tls.skipVerify", "tlsCa"}},
		"too slow":   {replace(`"timeoutSeconds":30`, `"timeoutSeconds":3000`), []string{"timeoutSeconds 3000", "300"}},
		"broken":     {replace(`{`, `[`), []string{"cannot read the settings"}},
		"wrong cert": {replace(`"address"`, `"tls":{"enabled":true},"address"`), []string{"clickhouse.tls"}},
	} {
		status, message := health(func(in *backend.DataSourceInstanceSettings) {
			if name != "password without a mechanism" {
				delete(in.DecryptedSecureJSONData, "kafkaPassword")
			}
			c.change(in)
		})
		for _, part := range c.want {
			if status != backend.HealthStatusError || !strings.Contains(message, part) {
				t.Errorf("%s: %s %q, want %q in it", name, status, message, part)
			}
		}
	}
}

// Whoever stops waiting stops the query on the server, and is told so in time.
func testCancel(t *testing.T, s *site) {
	in := s.instance()
	in.JSONData = patient(t, in.JSONData)
	made, err := New(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	source := made.(*Source)
	defer source.Dispose()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	slow := &question.Question{Name: "slow", SQL: "SELECT sum(sleepEachRow(0.1)) AS n FROM numbers(600) " +
		"SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 /* slow */"}
	began := time.Now()
	_, err = source.ask(ctx, slow, &query{})
	if status, from := statusOf(err); status != http.StatusGatewayTimeout || from != backend.ErrorSourceDownstream {
		t.Errorf("a query that takes too long: %d %s %v", status, from, err)
	}
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > mostStop {
		t.Errorf("it ended after %v with %v", time.Since(began), err)
	}
	took := s.await("the server stops", "SELECT count() = 0 FROM system.processes WHERE query LIKE '%sleepEachRow(0.1)%' "+
		"AND query NOT LIKE '%system.processes%'")
	if t.Logf("the server stopped %v after the query was given up", took.Round(time.Millisecond)); took > mostStop {
		t.Errorf("the server stopped after %v: want %v at most", took, mostStop)
	}
}

// refusedInFrench wants an action of a French board to be refused in French.
func refusedInFrench(t *testing.T, source *Source, name, role, path string, status int, want string) {
	t.Helper()
	got, body := call(t, source, role, "POST", path, `{"seller":"acme","lang":"fr"}`,
		map[string][]string{"Content-Type": {"application/json"}})
	if got != status || !strings.Contains(body, want) {
		t.Errorf("%s, in French: %d %s, want %d and %q", name, got, body, status, want)
	}
}

// testRefusals asks for what cannot be, on a French board, of a case that nobody decided.
func testRefusals(t *testing.T, s *site) {
	source, path := s.source(t), "cases/"+idOfCase(openOne)+"/"
	refusedInFrench(t, source, "viewer", "Viewer", path+"acknowledge", 403, "le rôle Éditeur")
	refusedInFrench(t, source, "money first", "Editor", path+"recovered", 409, "confirmez d'abord")
	refusedInFrench(t, source, "no amount", "Editor", path+"confirm", 400, "au lieu de 270,00 EUR")
	refusedInFrench(t, source, "no case", "Editor", "cases/00000000-0000-0000-0000-000000000000/acknowledge", 404,
		"introuvable")
}

// Actions are what recoup case writes, for editors only, from this site only, and once
// however often somebody clicks (E2).
func testActions(t *testing.T, s *site) {
	source := s.source(t)
	asJSON := map[string][]string{"Content-Type": {"application/json; charset=utf-8"}}
	path := "cases/" + idOfCase(openOne) + "/"
	for _, c := range []struct {
		name, role, method, path, body string
		headers                        map[string][]string
		status                         int
		want                           string
	}{
		{"viewer", "Viewer", "POST", path + "acknowledge", `{"seller":"acme"}`, asJSON, 403, "Editor or Admin"},
		{"nobody", "", "POST", path + "acknowledge", `{"seller":"acme"}`, asJSON, 403, "Editor or Admin"},
		{"link", "Editor", "GET", path + "acknowledge", "", asJSON, 405, "want POST"},
		{"form of another site", "Editor", "POST", path + "acknowledge", `{"seller":"acme"}`,
			map[string][]string{"Content-Type": {"text/plain"}}, 415, "application/json"},
		{"flood", "Editor", "POST", path + "acknowledge", strings.Repeat(" ", mostBody+1), asJSON, 413, "at most"},
		{"garbage", "Editor", "POST", path + "acknowledge", `[`, asJSON, 400, "cannot read the body"},
		{"number as money", "Editor", "POST", path + "confirm", `{"seller":"acme","correct_amount":400}`, asJSON,
			400, "body"},
		{"other action", "Editor", "POST", path + "delete", `{}`, asJSON, 404, "false_alarm"},
		{"no seller", "Editor", "POST", path + "acknowledge", `{}`, asJSON, 400, "seller is absent"},
		{"no case", "Editor", "POST", "cases/00000000-0000-0000-0000-000000000000/acknowledge", `{"seller":"acme"}`, asJSON,
			404, "cannot find case"},
		{"other seller", "Editor", "POST", path + "acknowledge", `{"seller":"bolt"}`, asJSON, 404, "cannot find case"},
		{"money first", "Editor", "POST", path + "recovered", `{"seller":"acme"}`, asJSON, 409, "confirm it first"},
		{"no amount", "Editor", "POST", path + "confirm", `{"seller":"acme"}`, asJSON, 400, "correct_amount"},
		{"no such cause", "Editor", "POST", path + "confirm", `{"seller":"acme","correct_amount":"403","true_cause":"x"}`,
			asJSON, 400, "true_cause"},
		{"confirmed", "Editor", "POST", path + "confirm", `{"seller":"acme","correct_amount":"403.00","event_id":"click-1"}`,
			asJSON, 200, "Confirmed"},
		{"clicked twice", "Editor", "POST", path + "confirm", `{"seller":"acme","correct_amount":"403.00",` +
			`"event_id":"click-1"}`, asJSON, 200, "already"},
		{"clicked twice in French", "Editor", "POST", path + "confirm", `{"seller":"acme","correct_amount":"403.00",` +
			`"event_id":"click-1","lang":"fr"}`, asJSON, 200, "Déjà noté."},
	} {
		status, body := call(t, source, c.role, c.method, c.path, c.body, c.headers)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s, want %d and %q", c.name, status, body, c.status, c.want)
		}
	}
	s.await("the confirmation is stored", "SELECT count() = 1 FROM case_events WHERE event_id = 'click-1'")
	fresh := s.source(t) // remembers no click
	if status, body := call(t, fresh, "Admin", "POST", path+"confirm", `{"seller":"acme","correct_amount":"403.00",`+
		`"event_id":"click-1"}`, asJSON); status != 200 || !strings.Contains(body, "already") {
		t.Errorf("clicked again after a restart: %d %s", status, body)
	}
	if status, body := call(t, fresh, "Admin", "POST", path+"acknowledge", `{"seller":"acme"}`, asJSON); status != 409 ||
		!strings.Contains(body, "further than that") {
		t.Errorf("a step back: %d %s", status, body)
	}
	refusedInFrench(t, fresh, "a step back", "Editor", path+"acknowledge", 409, "est déjà plus avancé")
	status, body := call(t, fresh, "Admin", "POST", path+"recovered", `{"seller":"acme","event_id":"click-2","lang":"fr"}`,
		asJSON)
	if status != 200 || !strings.Contains(body, "Noté : 133,00 EUR encaissés.") {
		t.Errorf("money came in: %d %s", status, body)
	}
	s.await("the money is stored", "SELECT count() = 1 FROM recoveries WHERE event_id = 'click-2'")
	life, err := fresh.reader.Life(t.Context(), idOfCase(openOne))
	if err != nil {
		t.Fatal(err)
	}
	state := life.StateOf(cases.OriginDetector)
	if len(state.Flags) > 0 || state.Owed() != 0 || life.Events()[0].DecidedByRole != "Editor" {
		t.Errorf("the case stands at %+v, by %q", state, life.Events()[0].DecidedByRole)
	}
	s.await("no event holds a login", "SELECT count() = 0 FROM case_events WHERE raw LIKE '%jane%'")
}
