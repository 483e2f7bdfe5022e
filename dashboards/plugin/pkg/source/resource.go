package source

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"recoup/dashboards/question"
)

// CallResource answers the editors: GET questions, GET values/<filter>.
func (s *Source) CallResource(ctx context.Context, req *backend.CallResourceRequest,
	sender backend.CallResourceResponseSender) error {
	answer, err := s.resource(ctx, req)
	status := http.StatusOK
	if err != nil {
		status, _ = statusOf(err)
		answer = said{sentence(err)}
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
	switch {
	case req.Method != http.MethodGet:
		return nil, refuse(http.StatusMethodNotAllowed, "cannot %s %s: want GET", req.Method, req.Path)
	case s.problem != nil && path[0] != "questions":
		return nil, refuse(http.StatusBadRequest, "%w", s.problem)
	case len(path) == 1 && path[0] == "questions":
		return catalogue(), nil
	case len(path) == 2 && path[0] == "values":
		return s.values(ctx, question.Filter(path[1]), req)
	}
	return nil, refuse(http.StatusNotFound, "cannot find %q: want questions or values/<filter>", req.Path)
}

// The catalogue as the editor reads it.
type (
	listed struct {
		Name    string            `json:"name"`
		Title   map[string]string `json:"title"`
		Help    map[string]string `json:"help"`
		Shape   question.Shape    `json:"shape"`
		Filters []question.Filter `json:"filters"`
		Timed   bool              `json:"timed"`
		MaxRows int               `json:"maxRows"`
		Columns []listedColumn    `json:"columns"`
	}
	listedColumn struct {
		Name  string            `json:"name"`
		Kind  question.Kind     `json:"kind"`
		Unit  string            `json:"unit"`
		Title map[string]string `json:"title"`
		Low   bool              `json:"low"`
		High  bool              `json:"high"`
	}
)

// valuesPrefix begins the names of the questions that ask for the values of a filter.
const valuesPrefix = "value_"

// catalogue lists every question that a person may choose.
func catalogue() []listed {
	both := func(t question.Text) map[string]string { return map[string]string{"en": t.EN, "fr": t.FR} }
	list := []listed{}
	for _, q := range question.All() {
		if strings.HasPrefix(q.Name, valuesPrefix) {
			continue
		}
		one := listed{Name: q.Name, Title: both(q.Title), Help: both(q.Help), Shape: q.Shape, Timed: q.Timed,
			Filters: append([]question.Filter{}, q.Filters...), MaxRows: q.MaxRows}
		for _, c := range q.Columns {
			one.Columns = append(one.Columns, listedColumn{c.Name, c.Kind, c.Unit, both(c.Title), c.Low, c.High})
		}
		list = append(list, one)
	}
	return list
}

// choice is one value of a filter.
type choice struct {
	Value string `json:"value"` // what is asked with
	Text  string `json:"text"`  // what is shown
}

// values lists what a filter may be.
func (s *Source) values(ctx context.Context, filter question.Filter, req *backend.CallResourceRequest) (any, error) {
	asked, known := question.Find(valuesPrefix + string(filter))
	if !known {
		return nil, refuse(http.StatusNotFound, "cannot list values of %q: there is no such filter", filter)
	}
	parameters, err := queryOf(req)
	if err != nil {
		return nil, err
	}
	seller := parameters.Get("seller")
	if seller == "" {
		seller = s.settings.DefaultSeller
	}
	if seller == "" && asked.Takes(question.FilterSeller) {
		return []choice{}, nil // nothing is chosen yet
	}
	ctx, cancel := context.WithTimeout(ctx, s.settings.timeout())
	defer cancel()
	answer, err := s.ask(ctx, &asked, &query{Filters: map[string]textOrMany{"seller": {seller}}})
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
