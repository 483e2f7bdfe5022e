// Package source answers Grafana: queries by meaning, live cases, actions on
// cases, and whether the servers behind it work. One Source is one configured
// data source; the SDK makes and disposes it.
package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/instancemgmt"

	"recoup/internal/kafka"
	"recoup/pipeline"
	"recoup/sinks"
)

// Source is one configured data source. Its methods may be called concurrently.
type Source struct {
	uid      string // Grafana's name of the data source, in channels
	settings *settings
	problem  error // what is wrong with the settings; nil: nothing

	reader *sinks.Reader // nil with a problem

	ended context.Context // ends when the source is disposed
	end   context.CancelFunc

	mu         sync.Mutex          // guards what follows; nobody holds it over the network
	connection *attempt            // to Kafka; nil before it is needed
	folded     *pipeline.Baselines // nil before they are asked for
	follower   *follower           // of live cases; nil while nobody watches

	clicks clicks // actions that are under way or were written
}

var (
	_ backend.QueryDataHandler      = (*Source)(nil)
	_ backend.CheckHealthHandler    = (*Source)(nil)
	_ backend.CallResourceHandler   = (*Source)(nil)
	_ backend.StreamHandler         = (*Source)(nil)
	_ instancemgmt.InstanceDisposer = (*Source)(nil)
)

// New makes a source. It dials nothing; what is wrong with the settings is the
// answer to everything that is asked.
func New(_ context.Context, in backend.DataSourceInstanceSettings) (instancemgmt.Instance, error) {
	s := &Source{uid: in.UID}
	s.ended, s.end = context.WithCancel(context.Background())
	if s.settings, s.problem = parseSettings(in); s.problem == nil {
		s.reader, s.problem = sinks.OpenReader(s.settings.clickHouse())
	}
	return s, nil
}

// Dispose ends the streams and closes all connections.
func (s *Source) Dispose() {
	s.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.connection != nil {
		select {
		case <-s.connection.over:
			_ = s.connection.client.Close() // nothing is left to be done with it
		default: // it closes itself
		}
	}
	if s.reader != nil {
		_ = s.reader.Close()
	}
}

// errChanged is the answer to what was asked of settings that hold no more.
var errChanged = errors.New("cannot reach Kafka: the settings of the data source have just changed; try again")

// attempt is one try to connect to Kafka, for all who wait for it.
type attempt struct {
	over   chan struct{} // closed when the rest is set
	client *kafka.Client // nil with an error
	err    error
}

// kafka returns the connection to the cluster, made when it is first needed. Connecting
// runs beside those who wait, so that each waits no longer than it may.
func (s *Source) kafka(ctx context.Context) (*kafka.Client, error) {
	if s.problem != nil {
		return nil, s.problem
	}
	if len(s.settings.Kafka.Brokers) == 0 {
		return nil, refuse(http.StatusBadRequest, "cannot reach Kafka: kafka.brokers is empty; give host:port of some "+
			"brokers on the page of the data source")
	}
	s.mu.Lock()
	if s.connection == nil && s.ended.Err() == nil {
		s.connection = &attempt{over: make(chan struct{})}
		go s.connect(s.connection)
	}
	try := s.connection
	s.mu.Unlock()
	if s.ended.Err() != nil {
		return nil, errChanged
	}
	select {
	case <-s.ended.Done():
		return nil, errChanged
	case <-ctx.Done():
		return nil, fmt.Errorf("cannot reach Kafka at %s: %w", strings.Join(s.settings.Kafka.Brokers, ", "), ctx.Err())
	case <-try.over:
		return try.client, try.err
	}
}

// connect makes an attempt. One that fails is not kept: the next who asks tries again.
func (s *Source) connect(try *attempt) {
	try.client, try.err = kafka.Connect(s.settings.kafka())
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case try.err != nil:
		s.connection = nil
	case s.ended.Err() != nil: // while it ran
		_ = try.client.Close()
		try.client, try.err = nil, errChanged
	}
	close(try.over)
}
