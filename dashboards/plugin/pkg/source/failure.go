package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"recoup/dashboards/question"
	"recoup/internal/kafka"
	"recoup/pipeline"
	"recoup/sinks"
)

// refusal is an answer that is no: an HTTP status and a sentence for a person.
type refusal struct {
	status int
	error
	french string // the same in French, "" where it is for those who set up or write programs
}

// Unwrap returns what caused it.
func (r *refusal) Unwrap() error { return r.error }

// refuse makes a refusal of what no reader of a board does.
func refuse(status int, format string, args ...any) error {
	return &refusal{status, fmt.Errorf(format, args...), ""}
}

// decline makes a refusal of what a reader of a board does. Of args that are texts each
// language says its own; an error that is wrapped (%w) stays English, as it is ClickHouse's or
// Kafka's, to be looked for as it stands.
func decline(status int, format question.Text, args ...any) error {
	english, french := slices.Clone(args), slices.Clone(args)
	for i, arg := range args {
		if text, is := arg.(question.Text); is {
			english[i], french[i] = text.EN, text.FR
		}
	}
	return &refusal{status, fmt.Errorf(format.EN, english...),
		fmt.Sprintf(strings.ReplaceAll(format.FR, "%w", "%v"), french...)}
}

// statusOf tells the HTTP status of an error, and whose fault it is: of whoever
// asks or of a server behind this one (downstream), or of the plugin itself.
func statusOf(err error) (int, backend.ErrorSource) {
	var said *refusal
	switch {
	case errors.Is(err, context.Canceled):
		return 499, backend.ErrorSourceDownstream // nobody waits any more; the number is nginx's
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.Is(err, sinks.ErrTooSlow):
		return http.StatusGatewayTimeout, backend.ErrorSourceDownstream
	case errors.As(err, &said):
		return said.status, backend.ErrorSourceDownstream
	case errors.Is(err, kafka.ErrUnreachable), errors.Is(err, pipeline.ErrNoTopic):
		return http.StatusBadGateway, backend.ErrorSourceDownstream
	}
	return http.StatusInternalServerError, backend.ErrorSourcePlugin
}

// sentence is an error as who sets up reads it.
func sentence(err error) string { return sentenceIn(err, question.English) }

// sentenceIn is an error as a person reads it here.
func sentenceIn(err error, lang question.Lang) string {
	text := err.Error()
	if said, is := errors.AsType[*refusal](err); is && said.french != "" && lang == question.French {
		text = said.french
	}
	return fieldNames.Replace(text)
}

// failed is the answer to a query that cannot be answered.
func failed(err error, lang question.Lang) backend.DataResponse {
	status, from := statusOf(err)
	return backend.ErrDataResponseWithSource(backend.Status(status), from, sentenceIn(err, lang))
}
