package source

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

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
