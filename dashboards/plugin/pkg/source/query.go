package source

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"recoup/dashboards/question"
	"recoup/sinks"
)

// query is one query as the editor saves it.
type query struct {
	Question string                `json:"question"` // name in the catalogue, for queryType question
	Filters  map[string]textOrMany `json:"filters"`  // by name
	Limit    int                   `json:"limit"`    // rows at most; 0: as many as the settings allow
	Lang     question.Lang         `json:"lang"`     // of titles: en, or fr; by default en

	timeRange backend.TimeRange
}

// textOrMany is one value of a filter, or several.
type textOrMany []string

// UnmarshalJSON reads either.
func (t *textOrMany) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*t = textOrMany{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(t))
}

// one is the value of a filter that takes one; "" when nothing is chosen.
func (q *query) one(filter question.Filter) string {
	for _, value := range q.Filters[string(filter)] {
		if value != "" {
			return value
		}
	}
	return ""
}

// required is the value of a filter without which there is no answer.
func (q *query) required(filter question.Filter) (string, error) {
	if value := q.one(filter); value != "" {
		return value, nil
	}
	return "", decline(http.StatusBadRequest, question.Text{EN: "cannot ask without filter %s: choose one",
		FR: "impossible de répondre sans le filtre %s : choisissez-en un"}, filter)
}

// answerers answer queries, by queryType.
var answerers = map[string]func(s *Source, ctx context.Context, q *query) (data.Frames, error){
	"":            (*Source).question,
	"question":    (*Source).question,
	"explain":     (*Source).explain,
	"baseline":    (*Source).baseline,
	"lag":         (*Source).lag,
	"cases":       (*Source).cases,
	"annotations": (*Source).annotations,
}

// mostAtOnce bounds how many queries of one request run at the same time.
const mostAtOnce = 4

// QueryData answers the queries of a panel or of an alert rule. Each has an answer
// or an error of its own.
func (s *Source) QueryData(ctx context.Context, req *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
	response := backend.NewQueryDataResponse()
	var mu sync.Mutex // guards the responses
	var running sync.WaitGroup
	places := make(chan struct{}, mostAtOnce)
	for _, one := range req.Queries {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			answer := s.answer(ctx, one)
			mu.Lock()
			defer mu.Unlock()
			response.Responses[one.RefID] = answer
		})
	}
	running.Wait()
	return response, nil
}

// answer answers one query. A panic is the answer to that query alone: it runs beside
// others, where nothing else stops it from ending the plugin for all data sources.
func (s *Source) answer(ctx context.Context, asked backend.DataQuery) (answered backend.DataResponse) {
	q := query{timeRange: asked.TimeRange}
	defer func() {
		if panicked := recover(); panicked != nil {
			backend.Logger.Error("a query panicked", "queryType", asked.QueryType, "panic", panicked, "stack",
				string(debug.Stack()))
			answered = failed(fmt.Errorf("cannot answer: a mistake in the plugin (%v); its log says where", panicked), q.Lang)
		}
	}()
	if s.problem != nil {
		return failed(refuse(http.StatusBadRequest, "%w", s.problem), q.Lang)
	}
	if err := json.Unmarshal(asked.JSON, &q); err != nil {
		return failed(refuse(http.StatusBadRequest, "cannot read the query: %v; choose it again in its editor", err), q.Lang)
	}
	answer := answerers[asked.QueryType]
	if answer == nil {
		return failed(refuse(http.StatusBadRequest, "cannot answer a query of type %q: want question, explain, baseline, "+
			"lag, cases or annotations", asked.QueryType), q.Lang)
	}
	if seller := string(question.FilterSeller); q.one(question.FilterSeller) == "" && s.settings.DefaultSeller != "" {
		if q.Filters == nil {
			q.Filters = map[string]textOrMany{}
		}
		q.Filters[seller] = textOrMany{s.settings.DefaultSeller}
	}
	ctx, cancel := context.WithTimeout(ctx, s.settings.timeout())
	defer cancel()
	frames, err := answer(s, ctx, &q)
	if err != nil {
		return failed(err, q.Lang)
	}
	return backend.DataResponse{Frames: frames, Status: backend.StatusOK}
}

// evidence is the column of the catalogue that has sentences as scoring wrote them, in
// English, a line each.
const evidence = "why"

// question answers a question of the catalogue.
func (s *Source) question(ctx context.Context, q *query) (data.Frames, error) {
	if q.Question == "" {
		return nil, refuse(http.StatusBadRequest, "cannot ask nothing: choose a question")
	}
	asked, known := question.Find(q.Question)
	if !known {
		return nil, refuse(http.StatusBadRequest, "cannot ask %q: there is no such question; choose one of the list",
			q.Question)
	}
	answer, err := s.ask(ctx, &asked, q)
	if err != nil {
		return nil, err
	}
	if at := slices.Index(answer.Columns, evidence); at >= 0 {
		for _, row := range answer.Rows {
			row[at] = sentences(q.Lang, strings.Split(textOf(row[at]), "\n"))
		}
	}
	frame, err := frameOf(&asked, &answer, q)
	if err != nil {
		return nil, err
	}
	return data.Frames{frame}, nil
}

// ask asks ClickHouse a question of the catalogue, for one row more than may be
// shown, so that it is seen when some are missing.
func (s *Source) ask(ctx context.Context, asked *question.Question, q *query) (sinks.Answer, error) {
	filters := map[question.Filter][]string{}
	for name, values := range q.Filters {
		filters[question.Filter(name)] = values
	}
	limit := min(cmp.Or(q.Limit, s.settings.RowLimit), s.settings.RowLimit)
	parameters, err := asked.Parameters(question.Values{From: q.timeRange.From, To: q.timeRange.To, Filters: filters,
		Limit: limit})
	if err != nil {
		return sinks.Answer{}, refuse(http.StatusBadRequest, "%v", err)
	}
	parameters["limit"] = strconv.Itoa(limit + 1)
	answer, err := s.reader.Ask(ctx, sinks.Ask{SQL: asked.SQL, Parameters: parameters, MaxRows: limit})
	if err != nil {
		return sinks.Answer{}, decline(http.StatusBadGateway, question.Text{EN: "cannot answer %s: %w",
			FR: "impossible de répondre à %s : %w"}, asked.Name, err)
	}
	return answer, nil
}
