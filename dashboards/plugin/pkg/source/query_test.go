package source

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
)

// unplugged is a source that reaches nothing, with settings of its own.
func unplugged(t *testing.T, settings string) *Source {
	t.Helper()
	made, err := New(t.Context(), backend.DataSourceInstanceSettings{UID: "uid-1", JSONData: []byte(settings)})
	if err != nil {
		t.Fatal(err)
	}
	source := made.(*Source)
	t.Cleanup(source.Dispose)
	return source
}

// What a source says whose servers are absent or silent: whose fault it is, and what to do.
func TestGoldenWithoutServers(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	down := unplugged(t, `{"clickhouse":{"address":"127.0.0.1:1"},"kafka":{"brokers":["127.0.0.1:1"]}}`)
	alone := unplugged(t, `{"clickhouse":{"address":"127.0.0.1:1"}}`)
	slow := unplugged(t, `{"clickhouse":{"address":"`+silent.Addr().String()+`"},"timeoutSeconds":1}`)
	broken := unplugged(t, `{"clickhouse":{}}`)
	const one = `{"question":"causes","filters":{"seller":"acme","currency":"EUR","invoice_id":"F-1"}}`
	for name, c := range map[string]struct {
		source *Source
		kind   string
		status backend.Status
	}{
		"down_question": {down, "question", 502}, "down_cases": {down, "cases", 502},
		"down_annotations": {down, "annotations", 502}, "down_explain": {down, "explain", 502},
		"down_lag": {down, "lag", 502}, "down_baseline": {down, "baseline", 502},
		"alone_lag": {alone, "lag", 400}, "alone_baseline": {alone, "baseline", 400},
		"slow_question": {slow, "question", 504}, "slow_cases": {slow, "cases", 504},
		"slow_annotations": {slow, "annotations", 504}, "slow_explain": {slow, "explain", 504},
		"unset_question": {broken, "question", 400},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			got := ask(t, c.source, c.kind, one)
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("it took %v: want timeoutSeconds, 1, at most, on a machine that has time", took)
			}
			if got.Status != c.status || got.ErrorSource != backend.ErrorSourceDownstream {
				t.Errorf("%d from %s, want %d from downstream", got.Status, got.ErrorSource, c.status)
			}
			if name != "slow_explain" { // says which of two timers was first
				golden(t, name, readable(got))
			}
		})
	}
}

// A mistake in the answer to one query is told to whoever asked it, and the others are answered.
func TestPanicIsOneAnswer(t *testing.T) {
	answerers["test-panics"] = func(*Source, context.Context, *query) (data.Frames, error) {
		var none []string
		return nil, refuse(http.StatusTeapot, "%s", none[0])
	}
	answerers["test-answers"] = func(*Source, context.Context, *query) (data.Frames, error) { return data.Frames{}, nil }
	t.Cleanup(func() { delete(answerers, "test-panics"); delete(answerers, "test-answers") })
	var queries []backend.DataQuery
	for _, id := range []string{"A", "B", "C", "D", "E", "F"} {
		queries = append(queries, backend.DataQuery{RefID: id, QueryType: "test-panics", JSON: json.RawMessage(`{}`)})
	}
	queries = append(queries, backend.DataQuery{RefID: "G", QueryType: "test-answers", JSON: json.RawMessage(`{}`)})
	source := unplugged(t, `{"clickhouse":{"address":"127.0.0.1:1"}}`)
	got, err := source.QueryData(t.Context(), &backend.QueryDataRequest{Queries: queries})
	if err != nil || len(got.Responses) != len(queries) {
		t.Fatalf("%d answers, %v", len(got.Responses), err)
	}
	if a := got.Responses["A"]; a.Status != http.StatusInternalServerError || a.ErrorSource != backend.ErrorSourcePlugin ||
		!strings.Contains(a.Error.Error(), "a mistake in the plugin") {
		t.Errorf("the query that panicked: %d from %s: %v", a.Status, a.ErrorSource, a.Error)
	}
	if g := got.Responses["G"]; g.Error != nil {
		t.Errorf("the query beside them: %v", g.Error)
	}
}
