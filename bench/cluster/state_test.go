package cluster_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	kafkago "github.com/segmentio/kafka-go"

	"recoup/bench/cluster"
	"recoup/internal/config"
	"recoup/internal/testservers"
	"recoup/pipeline"
)

// bill sends one invoice of a delivery to a partition.
func bill(t *testing.T, c *cluster.Cluster, partition int, id, delivery string) {
	t.Helper()
	at := time.Now().UTC().Truncate(time.Second)
	value := fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":%q,"seller":"acme","invoice_id":%[1]q,"issued_at":%q,`+
		`"currency":"EUR","net_amount":"400.00","customer_ref":"c1","customer_type":"B2C","product_family":"fibre",`+
		`"delivery_ref":%q}`, id, at.Format(time.RFC3339), delivery)
	_, err := c.Kafka.Log().Append(t.Context(), c.Config.Kafka.Topics.Invoices, partition,
		[]pipeline.Record{{Key: []byte("c1"), Value: value, Time: at}})
	if err != nil {
		t.Fatal(err)
	}
}

// rows are what is stored of an invoice.
type rows struct {
	count, incarnations, cases uint64
	cause                      string // the first one
}

func rowsOf(t *testing.T, c *cluster.Cluster, id string) (r rows) {
	t.Helper()
	db := clickhousego.OpenDB(&clickhousego.Options{Addr: c.Config.ClickHouse.Addresses})
	defer func() { _ = db.Close() }()
	err := db.QueryRowContext(t.Context(), "SELECT count(), uniqExact(source_incarnation), "+
		"uniqExactIf(case_id, case_id != ''), "+
		"max(if(empty(causes.code), '', causes.code[1])) FROM "+c.Config.ClickHouse.Database+
		".scored_invoices WHERE invoice_id = ?", id).Scan(&r.count, &r.incarnations, &r.cases, &r.cause)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fails wants a command to end with an error that says what to do.
func fails(t *testing.T, c *cluster.Cluster, want string, command ...string) {
	t.Helper()
	if err := c.Command(t.Context(), command...); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("recoup %s: %v, want %q", strings.Join(command, " "), err, want)
	}
}

func succeeds(t *testing.T, c *cluster.Cluster, command ...string) {
	t.Helper()
	if err := c.Command(t.Context(), command...); err != nil {
		t.Fatal(err)
	}
}

func join(t *testing.T, c *cluster.Cluster) *cluster.Member {
	t.Helper()
	m, err := c.Join()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func leave(t *testing.T, m *cluster.Member) {
	t.Helper()
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func drain(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	if err := c.Drain(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

// design.md §4, guards, on real servers.
func TestStateCommandsOnKafka(t *testing.T) {
	c, err := cluster.Install(t.Context(), cluster.Options{Dir: t.TempDir(), Broker: testservers.Kafka(t),
		ClickHouse: testservers.ClickHouse(t), Partitions: 8, Name: testservers.Database(t), Adjust: func(c *config.Config) {
			c.Models.Train = false
			c.Kafka.SessionTimeout = config.Duration(6 * time.Second)
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	t.Run("8 partitions become 16", func(t *testing.T) { moreOnKafka(t, c) })
	t.Run("a topic is recreated", func(t *testing.T) { recreatedOnKafka(t, c) })
}

// The time of what recoup writes is the broker's, whatever its writer says: that of commits
// is, too, and an audit compares the two.
func TestBrokerStamps(t *testing.T) {
	c, err := cluster.Install(t.Context(), cluster.Options{Dir: t.TempDir(), Broker: testservers.Kafka(t),
		ClickHouse: testservers.ClickHouse(t), Partitions: 1, Name: testservers.Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	log, topics := c.Kafka.Log(), &c.Config.Kafka.Topics
	for _, topic := range []string{topics.Suspects, topics.Cases, topics.DeadLetter, topics.State} {
		began := time.Now()
		old := pipeline.Record{Key: []byte("clock"), Value: []byte("{}"), Time: began.Add(-time.Hour)}
		offset, err := log.Append(t.Context(), topic, 0, []pipeline.Record{old})
		if err != nil {
			t.Fatal(err)
		}
		reader := log.Open(topic, 0)
		fetched, err := reader.Fetch(t.Context(), offset)
		if err != nil || len(fetched.Records) != 1 {
			t.Fatalf("%s: %d records, %v", topic, len(fetched.Records), err)
		}
		if got := fetched.Records[0].Time; got.Before(began.Truncate(time.Millisecond)) {
			t.Errorf("%s: a record of %v is one of %v", topic, began, got)
		}
		_ = reader.Close()
	}
}

// moreOnKafka wants a duplicate across the change to be found.
func moreOnKafka(t *testing.T, c *cluster.Cluster) {
	bill(t, c, 3, "first", "d1")
	m := join(t, c)
	drain(t, c)
	succeeds(t, c, "state", "repartition", "--yes") // nothing is to be done
	if err := c.Kafka.Grow(t.Context(), c.Config.Kafka.Topics.Invoices, 16); err != nil {
		t.Fatal(err)
	}
	fails(t, c, "has 1 members; stop them first", "state", "repartition", "--yes")
	leave(t, m)
	fails(t, c, "recoup state repartition", "run", "--until-caught-up")
	succeeds(t, c, "state", "repartition")
	fails(t, c, "recoup state repartition", "run", "--until-caught-up")
	succeeds(t, c, "state", "repartition", "--yes")
	bill(t, c, 11, "second", "d1")
	bill(t, c, 11, "first", "d1")
	m = join(t, c)
	drain(t, c)
	leave(t, m)
	if got, want := rowsOf(t, c, "second"), (rows{1, 1, 1, "duplicate"}); got != want {
		t.Errorf("rows of the second invoice: %v, want %v", got, want)
	}
	succeeds(t, c, "state", "reset") // nothing is to be done
}

// recreatedOnKafka goes on from there with a topic that holds other records. It wants
// that to be refused and, after the command, scored under the cases of before.
func recreatedOnKafka(t *testing.T, c *cluster.Cluster) {
	recreate(t, c.Config.Kafka.Brokers[0], c.Config.Kafka.Topics.Invoices, 16)
	bill(t, c, 11, "first", "d1")
	bill(t, c, 11, "second", "d1")
	m := join(t, c)
	fix := "recoup state reset --topic " + c.Config.Kafka.Topics.Invoices
	says(t, "/readyz", fix, func() string { return page(t, m, "/readyz") })
	says(t, "/metrics", `recoup_part_ready{part="partition 11"} 0`, func() string { return page(t, m, "/metrics") })
	says(t, "log", fix, func() string {
		log, err := os.ReadFile(m.LogFile(c))
		if err != nil {
			t.Fatal(err)
		}
		return string(log)
	})
	fails(t, c, "has 1 members; stop them first", "state", "reset", "--yes")
	leave(t, m)
	succeeds(t, c, "state", "reset")
	fails(t, c, fix, "run", "--until-caught-up")
	succeeds(t, c, "state", "reset", "--yes")
	succeeds(t, c, "run", "--until-caught-up")
	if got, want := rowsOf(t, c, "second"), (rows{2, 2, 1, "duplicate"}); got != want {
		t.Errorf("rows of the second invoice: %v, want %v", got, want)
	}
	if got, want := rowsOf(t, c, "first"), (rows{3, 2, 1, "duplicate"}); got != want {
		t.Errorf("rows of the first invoice, which came twice before: %v, want %v", got, want)
	}
}

// recreate deletes a topic and makes it again.
func recreate(t *testing.T, broker, topic string, partitions int) {
	t.Helper()
	client := &kafkago.Client{Addr: kafkago.TCP(broker)}
	got, err := client.DeleteTopics(t.Context(), &kafkago.DeleteTopicsRequest{Topics: []string{topic}})
	if err == nil {
		err = got.Errors[topic]
	}
	for begun := time.Now(); err == nil; time.Sleep(100 * time.Millisecond) {
		var made *kafkago.CreateTopicsResponse
		made, err = client.CreateTopics(t.Context(), &kafkago.CreateTopicsRequest{Topics: []kafkago.TopicConfig{
			{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}}})
		if err == nil && made.Errors[topic] == nil {
			return
		}
		if err == nil && time.Since(begun) > 20*time.Second { // till then the old one may not be gone
			err = made.Errors[topic]
		}
	}
	t.Fatal(err)
}

// page returns what a member answers, "" while it does not.
func page(t *testing.T, m *cluster.Member, path string) string {
	t.Helper()
	response, err := http.Get("http://" + m.HTTP + path)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// says waits until something says what is wanted.
func says(t *testing.T, what, want string, read func() string) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		got := read()
		if strings.Contains(got, want) {
			return
		}
		if time.Since(begun) > 30*time.Second { // G12
			t.Fatalf("%s says %q, want %q", what, got, want)
		}
	}
}
