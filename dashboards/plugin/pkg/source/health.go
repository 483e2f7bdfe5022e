package source

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"recoup/sinks"
)

const (
	// mostSkew is how far ClickHouse's clock may be from this machine's: what is live
	// is compared with what is stored.
	mostSkew = 5 * time.Second
	// mostHealth bounds the whole check.
	mostHealth = 20 * time.Second
)

// finding is what one part of the check found.
type finding struct {
	Part  string `json:"part"`            // clickhouse, schema, clock, kafka or lag
	OK    bool   `json:"ok"`              // it works
	Said  string `json:"said"`            // what was found
	Fix   string `json:"fix,omitempty"`   // what to do; "": nothing
	Value any    `json:"value,omitempty"` // the figure behind it
}

// CheckHealth tries everything that the source needs and names each failure with
// its field and its fix; the findings are the details.
func (s *Source) CheckHealth(ctx context.Context, _ *backend.CheckHealthRequest) (*backend.CheckHealthResult, error) {
	ctx, cancel := context.WithTimeout(ctx, mostHealth)
	defer cancel()
	var findings []finding
	if s.problem != nil {
		findings = append(findings, finding{Part: "settings", Said: sentence(s.problem)})
	} else {
		findings = append(s.checkClickHouse(ctx), s.checkKafka(ctx)...)
	}
	result := &backend.CheckHealthResult{Status: backend.HealthStatusOk}
	var bad, good []string
	for _, f := range findings {
		if f.OK {
			good = append(good, f.Said)
			continue
		}
		result.Status = backend.HealthStatusError
		said := f.Said
		if f.Fix != "" {
			said += "; fix: " + f.Fix
		}
		bad = append(bad, said)
	}
	result.Message = strings.Join(good, "; ")
	if len(bad) > 0 {
		result.Message = strings.Join(bad, ". ")
	}
	var err error
	result.JSONDetails, err = json.Marshal(map[string]any{"findings": findings})
	return result, err
}

// checkClickHouse tries the database, its schema and its clock.
func (s *Source) checkClickHouse(ctx context.Context) []finding {
	settings := s.settings.clickHouse()
	settings.QueryTimeout = min(settings.QueryTimeout, mostHealth/2)
	asked := time.Now()
	server, err := sinks.Inspect(ctx, settings)
	if err != nil {
		return []finding{{Part: "clickhouse", Said: sentence(err), Fix: "check clickhouse.address (the native protocol: " +
			"port 9000, with TLS 9440), clickhouse.tls, clickhouse.username and clickhousePassword"}}
	}
	found := []finding{{Part: "clickhouse", OK: true, Said: "ClickHouse " + server.Version, Value: server.Version}}
	// The answer was made somewhere between asking and now.
	apart := max(time.Until(server.Now), asked.Sub(server.Now), 0)
	clock := finding{Part: "clock", OK: apart <= mostSkew, Said: "clocks agree", Value: apart.Seconds()}
	if !clock.OK {
		clock.Said = fmt.Sprintf("ClickHouse's clock is %s from Grafana's", apart.Round(time.Second))
		clock.Fix = "synchronise both machines with NTP"
	}
	return append(found, s.checkSchema(ctx, settings), clock)
}

// checkSchema tells whether the tables are those that this build asks.
func (s *Source) checkSchema(ctx context.Context, settings sinks.Settings) finding {
	have, want, err := sinks.SchemaVersion(ctx, settings)
	f := finding{Part: "schema", OK: err == nil && have == want, Said: fmt.Sprintf("schema %d", have), Value: have}
	switch {
	case err != nil:
		f.Said, f.Fix = sentence(err), "let clickhouse.username read system.tables and the database of clickhouse.database"
	case have == 0:
		f.Said = "there are no tables of recoup in the database of clickhouse.database"
		f.Fix = "recoup migrate, or the name of the database that has them"
	case have < want:
		f.Said = fmt.Sprintf("the database has schema %d, this plugin asks schema %d", have, want)
		f.Fix = "recoup migrate of the same version as the plugin"
	case have > want:
		f.Said = fmt.Sprintf("the database has schema %d, this plugin knows %d at most", have, want)
		f.Fix = "a plugin of the same version as recoup"
	}
	return f
}

// checkKafka tries the cluster and tells how far recoup is behind.
func (s *Source) checkKafka(ctx context.Context) []finding {
	if len(s.settings.Kafka.Brokers) == 0 {
		return []finding{{Part: "kafka", OK: true,
			Said: "no Kafka: no live cases, baselines, lag or actions (kafka.brokers is empty)"}}
	}
	client, err := s.kafka(ctx)
	if err != nil {
		return []finding{{Part: "kafka", Said: sentence(err)}}
	}
	cluster, err := client.Ping(ctx)
	if err != nil {
		return []finding{{Part: "kafka", Said: sentence(err)}}
	}
	found := []finding{{Part: "kafka", OK: true, Said: "Kafka " + cluster.Version + " or newer", Value: cluster.Version}}
	group, topic := s.settings.Kafka.Group, s.settings.topics().Invoices
	lag, err := client.Lag(ctx, group, topic)
	if err != nil {
		return append(found, finding{Part: "lag", Said: sentence(err), Fix: "check kafka.topicPrefix and kafka.group, and " +
			"let this user read topic " + topic + " and group " + group})
	}
	var waiting int64
	for _, n := range lag {
		waiting += n
	}
	return append(found, finding{Part: "lag", OK: true, Said: fmt.Sprintf("%d invoices wait", waiting), Value: waiting})
}
