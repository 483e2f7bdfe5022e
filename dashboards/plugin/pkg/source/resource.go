package source

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"recoup/dashboards/question"
)

// CallResource answers the editors and the buttons: GET questions, GET
// values/<filter>, POST cases/<case id>/<action>.
func (s *Source) CallResource(ctx context.Context, req *backend.CallResourceRequest,
	sender backend.CallResourceResponseSender) error {
	answer, err := s.resource(ctx, req)
	status := http.StatusOK
	if err != nil {
		status, _ = statusOf(err)
		answer = said{sentenceIn(err, langOf(req.Body))}
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return sender.Send(&backend.CallResourceResponse{Status: status, Body: body,
		Headers: map[string][]string{"Content-Type": {"application/json"}}})
}

// said is an answer in words.
type said struct {
	Message string `json:"message"` // a sentence for whoever asked
}

// resource finds who answers.
func (s *Source) resource(ctx context.Context, req *backend.CallResourceRequest) (any, error) {
	path := strings.Split(strings.Trim(req.Path, "/"), "/")
	method := http.MethodGet
	if path[0] == "cases" {
		method = http.MethodPost
	}
	switch {
	case req.Method != method:
		return nil, refuse(http.StatusMethodNotAllowed, "cannot %s %s: want %s", req.Method, req.Path, method)
	case s.problem != nil && path[0] != "questions":
		return nil, refuse(http.StatusBadRequest, "%w", s.problem)
	case len(path) == 1 && path[0] == "questions":
		return question.All(), nil
	case len(path) == 2 && path[0] == "values":
		return s.values(ctx, question.Filter(path[1]), req)
	case len(path) == 3 && path[0] == "cases":
		return s.act(ctx, path[1], path[2], req)
	}
	return nil, refuse(http.StatusNotFound, "cannot find %q: want questions, values/<filter> or "+
		"cases/<case id>/<action>", req.Path)
}

// valuesPrefix begins the names of the questions that ask for the values of a filter.
const valuesPrefix = "value_"

// choice is one value of a filter.
type choice struct {
	Value string `json:"value"` // what is asked with
	Text  string `json:"text"`  // what is shown
}

// valuesSince is how long ago what is chosen from may have been issued, where there
// would be too much of it: invoices.
const valuesSince = 90 * 24 * time.Hour

// values lists what a filter may be.
func (s *Source) values(ctx context.Context, filter question.Filter, req *backend.CallResourceRequest) (any, error) {
	asked, known := question.Find(valuesPrefix + string(filter))
	if !known {
		return nil, refuse(http.StatusNotFound, "cannot list values of %q: there is no such filter", filter)
	}
	address, err := url.Parse(req.URL)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "cannot read the address %q", req.URL)
	}
	seller := cmp.Or(address.Query().Get("seller"), s.settings.DefaultSeller)
	if seller == "" && asked.Takes(question.FilterSeller) {
		return []choice{}, nil // nothing is chosen yet
	}
	ctx, cancel := context.WithTimeout(ctx, s.settings.timeout())
	defer cancel()
	now := time.Now()
	answer, err := s.ask(ctx, &asked, &query{Filters: map[string]textOrMany{"seller": {seller}},
		timeRange: backend.TimeRange{From: now.Add(-valuesSince), To: now}})
	if err != nil {
		return nil, err
	}
	list := make([]choice, 0, len(answer.Rows))
	for _, row := range answer.Rows {
		if value := textOf(row[0]); value != "" && !slices.Contains(list, choice{value, value}) {
			list = append(list, choice{value, value})
		}
	}
	return list, nil
}
