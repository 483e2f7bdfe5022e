package source

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"recoup/cases"
	"recoup/internal/app"
	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/internal/ops"
	"recoup/internal/testservers"
	"recoup/invoice"
	"recoup/pipeline"
	"recoup/sinks"
)

func TestMain(m *testing.M) { os.Exit(testservers.Main(m)) }

// site is an installation of recoup on real servers that runs during a test, and what
// happened there: usual invoices, and two that are a third too low; the second was
// confirmed, and paid for.
type site struct {
	t      *testing.T
	config *config.Config
	log    pipeline.Log
	db     driver.Conn
}

// The story.
const (
	seller   = "acme"
	openOne  = "F-121" // its case waits
	closedIn = "F-122" // its case was confirmed and its money came back
)

// begun is when the first invoice was issued.
var begun = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// caseOf is the id of the case of an invoice.
func idOfCase(invoiceID string) string { return cases.ID(cases.DedupKey(seller, invoiceID, 0)) }

func newSite(t *testing.T) *site {
	t.Helper()
	name := testservers.Database(t)
	c := config.Default()
	c.Kafka.Brokers, c.Kafka.Group = []string{testservers.Kafka(t)}, name
	c.Kafka.SessionTimeout = config.Duration(6 * time.Second)
	c.Kafka.Retention.Invoices = 10_000 * config.Day
	c.ClickHouse.Addresses, c.ClickHouse.Database = []string{testservers.ClickHouse(t)}, name
	c.Pipeline.CheckpointInterval = config.Duration(time.Second)
	c.Models.Train = false
	for _, topic := range []*string{&c.Kafka.Topics.Invoices, &c.Kafka.Topics.Reference, &c.Kafka.Topics.Deliveries,
		&c.Kafka.Topics.Suspects, &c.Kafka.Topics.Lead, &c.Kafka.Topics.Cases, &c.Kafka.Topics.CaseEvents,
		&c.Kafka.Topics.Recoveries, &c.Kafka.Topics.Disputes, &c.Kafka.Topics.State, &c.Kafka.Topics.Baselines,
		&c.Kafka.Topics.Models, &c.Kafka.Topics.DeadLetter} {
		*topic = name + "." + *topic
	}
	quiet := slog.New(slog.DiscardHandler)
	client, err := app.Kafka(&c, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	var specs []kafka.TopicSpec
	for _, topic := range c.TopicTable(2) {
		specs = append(specs, kafka.TopicSpec{Name: topic.Name, Partitions: topic.Partitions, Replication: 1,
			Config: topic.Settings})
	}
	if _, err := client.EnsureTopics(t.Context(), specs, false); err != nil {
		t.Fatal(err)
	}
	if _, err := sinks.Migrate(t.Context(), app.ClickHouse(&c, quiet), false); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, config: &c, log: client.Log()}
	s.db, err = clickhouse.Open(&clickhouse.Options{Addr: c.ClickHouse.Addresses, Auth: clickhouse.Auth{Database: name}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	return s
}

// run runs recoup until ctx ends, or until it has caught up, which ends with a checkpoint.
func (s *site) run(ctx context.Context, untilCaughtUp bool) error {
	health := ops.NewHealth()
	_, err := app.Run(ctx, app.Options{Config: s.config, Log: slog.New(slog.DiscardHandler),
		Registry: ops.NewRegistry(health), Health: health, UntilCaughtUp: untilCaughtUp})
	return err
}

// keepRunning runs recoup until the test ends.
func (s *site) keepRunning() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.run(ctx, false) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("recoup: %v", err)
		}
	})
}

// bill sends an invoice.
func (s *site) bill(number int, net string, issued time.Time) {
	s.t.Helper()
	release := ""
	if number <= 120 { // the usual ones: suspects of one release would share an incident
		release = `,"source_system":"till","source_release":"7.1"`
	}
	kind := []string{"B2C", "B2C", "B2B"}[number%3]
	value := fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":"e%[1]d","seller":%[2]q,"invoice_id":"F-%[1]d",`+
		`"issued_at":%[3]q,"currency":"EUR","net_amount":%[4]q,"customer_ref":"c%[1]d","customer_type":%[5]q,`+
		`"product_family":"fibre"%[6]s}`, number, seller, issued.Format(time.RFC3339), net, kind, release)
	s.send(s.config.Kafka.Topics.Invoices, fmt.Sprint("c", number), issued.Add(2*time.Second), value)
}

// send appends a record.
func (s *site) send(topic, key string, at time.Time, value []byte) {
	s.t.Helper()
	_, err := s.log.Append(s.t.Context(), topic, 0, []pipeline.Record{{Key: []byte(key), Value: value, Time: at}})
	if err != nil {
		s.t.Fatal(err)
	}
}

// tell plays the story and waits until all of it is in ClickHouse.
func (s *site) tell() {
	s.t.Helper()
	for i := range 120 {
		s.bill(i+1, fmt.Sprintf("%d.00", 400+i%7), begun.Add(time.Duration(i)*time.Hour))
	}
	s.bill(121, "270.00", begun.Add(121*time.Hour))
	s.bill(122, "250.00", begun.Add(122*time.Hour))
	if err := s.run(s.t.Context(), true); err != nil {
		s.t.Fatal(err)
	}
	s.keepRunning()
	s.await("both cases are stored", "SELECT uniqExact(case_id) = 2 FROM cases")
	k := &knownCase{Case: &cases.Case{CaseID: idOfCase(closedIn), InvoiceID: closedIn, Origin: cases.OriginDetector}}
	e := k.begin(&order{EventID: "told-1"}, "Editor", cases.StatusDecided, cases.OutcomeConfirmed)
	e.Confirm("promotion", 400*invoice.Unit, 250*invoice.Unit, "EUR")
	r := &cases.Recovery{EventID: "told-2", RecoveryID: "plan-1", CaseID: k.CaseID, Option: cases.OptionImmediate,
		Event: cases.StepPaid, Amount: 150 * invoice.Unit, Currency: "EUR", At: now()}
	event, err := e.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	recovery, err := r.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	s.send(s.config.Kafka.Topics.CaseEvents, k.CaseID, now(), event)
	s.send(s.config.Kafka.Topics.Recoveries, k.CaseID, now(), recovery)
	s.await("what people did is stored", "SELECT count() = 1 FROM recoveries WHERE (SELECT count() FROM case_events) = 1")
	s.await("the case follows", "SELECT count() > 0 FROM cases WHERE case_id = '"+k.CaseID+"' AND action = 'update'")
	for _, sql := range sinks.RefreshStatements(s.config.ClickHouse.Database) {
		if err := s.db.Exec(s.t.Context(), sql); err != nil {
			s.t.Fatal(err)
		}
	}
}

// await waits until a condition on the tables holds, and returns how long that took.
func (s *site) await(what, condition string) time.Duration {
	s.t.Helper()
	began := time.Now()
	for ; time.Since(began) < 60*time.Second; time.Sleep(20 * time.Millisecond) {
		var holds uint8
		if err := s.db.QueryRow(s.t.Context(), condition).Scan(&holds); err == nil && holds == 1 {
			return time.Since(began)
		}
	}
	s.t.Fatalf("not in time: %s", what)
	return 0
}

// The secrets of the data source, which must show nowhere.
const secret = "hunter2-of-kafka"

// instance are the settings of a data source on this site.
func (s *site) instance() backend.DataSourceInstanceSettings {
	s.t.Helper()
	c := s.config
	text, err := json.Marshal(map[string]any{
		"clickhouse": map[string]any{"address": c.ClickHouse.Addresses[0], "database": c.ClickHouse.Database},
		"kafka": map[string]any{"brokers": c.Kafka.Brokers, "group": c.Kafka.Group,
			"topicPrefix": c.Kafka.Group + "."},
		"rowLimit": 5000, "timeoutSeconds": 30,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return backend.DataSourceInstanceSettings{UID: "uid-1", Name: "recoup", JSONData: text,
		DecryptedSecureJSONData: map[string]string{}}
}

// source is a data source on this site.
func (s *site) source(t *testing.T) *Source {
	t.Helper()
	made, err := New(t.Context(), s.instance())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(made.(*Source).Dispose)
	return made.(*Source)
}
