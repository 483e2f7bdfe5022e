package deploy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"recoup/dashboards/question"
	chserver "recoup/internal/clickhouse"
	"recoup/sinks"
)

func TestMain(m *testing.M) {
	chserver.ChildMain()
	os.Exit(m.Run())
}

// refusal is how ClickHouse says that a user may not.
var refusal = regexp.MustCompile(`\((ACCESS_DENIED|READONLY|SETTING_CONSTRAINT_VIOLATION)\)`)

// reader asks a ClickHouse as the user grafana.
type reader struct{ address, password string }

// ask sends one statement with settings of it or parameters.
func (r reader) ask(t *testing.T, sql string, settings url.Values) (answer string, err error) {
	t.Helper()
	address := "http://" + r.address + "/?database=recoup&" + settings.Encode()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(sql))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("grafana", r.password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return string(body), err
}

// grafanaUser runs a ClickHouse with clickhouse/grafana.xml beside its users, as compose
// mounts it, and recoup's tables.
func grafanaUser(t *testing.T) reader {
	t.Helper()
	content, err := os.ReadFile("clickhouse/grafana.xml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for file, text := range map[string]string{
		"config.xml": "<clickhouse><users_config>users.xml</users_config></clickhouse>",
		"users.xml": "<clickhouse><users><default><password/><networks><ip>127.0.0.1</ip></networks>" +
			"<profile>default</profile><quota>default</quota></default></users>" +
			"<profiles><default/></profiles><quotas><default/></quotas></clickhouse>",
		"users.d/grafana.xml":  string(content), // of the library
		"config.d/grafana.xml": string(content), // of a binary, which has all in one file
	} {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("RECOUP_GRAFANA_PASSWORD", "a secret")
	server, err := chserver.Start(t.Context(), chserver.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	if _, err := sinks.Migrate(t.Context(), sinks.Settings{Addresses: []string{server.NativeAddr}}, false); err != nil {
		t.Fatal(err)
	}
	return reader{server.HTTPAddr, "a secret"}
}

// B10: whoever may query Grafana's data source can read what boards show, and nothing
// else: not what came in unreadable records, not without bounds; nothing is changed.
func TestGrafanaUser(t *testing.T) {
	r := grafanaUser(t)
	// What Grafana's plugins send with a query, ours and the stock one (clickhouse-go, by its deadline).
	sent := url.Values{"readonly": {"2"}, "max_execution_time": {"65"}, "max_result_bytes": {"67108864"}}
	values := question.Values{From: time.Now().AddDate(0, -1, 0), To: time.Now(), Filters: map[question.Filter][]string{
		question.FilterSeller: {"acme"}, question.FilterCurrency: {"EUR"}, question.FilterInvoice: {"1"}}}
	for _, q := range question.All() {
		parameters, err := q.Parameters(values)
		if err != nil {
			t.Fatal(err)
		}
		with := url.Values{}
		for name, value := range parameters {
			with.Set("param_"+name, value)
		}
		for name, value := range sent {
			with[name] = value
		}
		if _, err := r.ask(t, q.SQL, with); err != nil {
			t.Errorf("%s: %v", q.Name, err)
		}
	}
	for sql, settings := range map[string]url.Values{
		"SELECT value FROM dead_letters":                        nil,
		"SELECT key, raw FROM dead_letters":                     nil,
		"SELECT * FROM dead_letters":                            nil,
		"INSERT INTO schema_migrations (version) VALUES (99)":   nil,
		"DROP TABLE cases":                                      nil,
		"CREATE TABLE mine (a Int8) ENGINE = Memory":            nil,
		"SELECT * FROM url('http://127.0.0.1:1', LineAsString)": nil,
		"SELECT * FROM file('/etc/passwd', LineAsString)":       nil,
		"SET readonly = 0":                                      nil,
		"SELECT 1":                                              {"max_execution_time": {"0"}},
		"SELECT 2":                                              {"max_execution_time": {"121"}},
		"SELECT 3":                                              {"max_bytes_to_read": {"0"}},
		"SELECT 4 SETTINGS max_memory_usage = 0":                nil,
	} {
		if got, err := r.ask(t, sql, settings); err == nil || !refusal.MatchString(err.Error()) {
			t.Errorf("%s %v is not refused for its rights: %s, %v", sql, settings, got, err)
		}
	}
	r.password = "another"
	if _, err := r.ask(t, "SELECT 1", nil); err == nil || !strings.Contains(err.Error(), "AUTHENTICATION_FAILED") {
		t.Errorf("any password will do: %v", err)
	}
}
