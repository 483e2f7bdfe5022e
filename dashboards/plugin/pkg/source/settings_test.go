package source

import (
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// Settings as a provisioning file may have them: what is misspelt is named, what is
// Grafana's own is left alone, and brokers may stand in one variable.
func TestSettings(t *testing.T) {
	with := func(kafka string) string { return `{"clickhouse":{"address":"c:9000"},"kafka":` + kafka + `}` }
	for name, c := range map[string]struct {
		text    string
		brokers []string
		problem string // "": none
	}{
		"minimal":             {`{"clickhouse":{"address":"c:9000"}}`, nil, ""},
		"Grafana's own":       {`{"clickhouse":{"address":"c:9000"},"httpMethod":"POST"}`, nil, ""},
		"list":                {with(`{"brokers":["a:9092","b:9092"]}`), []string{"a:9092", "b:9092"}, ""},
		"variable":            {with(`{"brokers":["a:9092, b:9092,"]}`), []string{"a:9092", "b:9092"}, ""},
		"variable is not set": {with(`{"brokers":[""]}`), nil, ""},
		"misspelt address": {`{"clickhouse":{"adress":"c:9000"}}`, nil,
			`cannot read clickhouse of the settings of the data source: json: unknown field "adress"`},
		"misspelt prefix": {with(`{"topicprefiks":"x."}`), nil, `unknown field "topicprefiks"`},
		"misspelt deep":   {with(`{"tls":{"on":true}}`), nil, `unknown field "on"`},
		"null":            {with(`null`), nil, ""},
	} {
		s, err := parseSettings(backend.DataSourceInstanceSettings{JSONData: []byte(c.text)})
		if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%s: %v, want %q", name, err, c.problem)
		}
		if !slices.Equal(s.Kafka.Brokers, c.brokers) {
			t.Errorf("%s: brokers %q, want %q", name, s.Kafka.Brokers, c.brokers)
		}
	}
}
