package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"recoup/internal/kafka"
	"recoup/pipeline"
	"recoup/sinks"
)

// refusal is an answer that is no: an HTTP status and a sentence for a person.
type refusal struct {
	status int
	error
}

// Unwrap returns what caused it.
func (r *refusal) Unwrap() error { return r.error }

// refuse makes a refusal.
func refuse(status int, format string, args ...any) error {
	return &refusal{status, fmt.Errorf(format, args...)}
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

// sentence is an error as a person reads it here.
func sentence(err error) string { return fieldNames.Replace(err.Error()) }

// failed is the answer to a query that cannot be answered.
func failed(err error) backend.DataResponse {
	status, from := statusOf(err)
	return backend.ErrDataResponseWithSource(backend.Status(status), from, sentence(err))
}
