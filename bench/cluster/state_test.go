package cluster_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"

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

// rowsOf counts the rows of an invoice by the first cause of their verdict.
func rowsOf(t *testing.T, c *cluster.Cluster, id string) (n uint64, cause string) {
	t.Helper()
	db := clickhousego.OpenDB(&clickhousego.Options{Addr: c.Config.ClickHouse.Addresses})
	defer func() { _ = db.Close() }()
	err := db.QueryRowContext(t.Context(), "SELECT count(), max(if(empty(causes.code), '', causes.code[1])) FROM "+
		c.Config.ClickHouse.Database+".scored_invoices WHERE invoice_id = ?", id).Scan(&n, &cause)
	if err != nil {
		t.Fatal(err)
	}
	return n, cause
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

// design.md §4, guards, on real servers: 8 partitions become 16, and a duplicate across
// the change is found.
func TestRepartitionOnKafka(t *testing.T) {
	c, err := cluster.Install(t.Context(), cluster.Options{Dir: t.TempDir(), Broker: testservers.Kafka(t),
		ClickHouse: testservers.ClickHouse(t), Partitions: 8, Name: testservers.Name(t), Adjust: func(c *config.Config) {
			c.Models.Train = false
			c.Kafka.SessionTimeout = config.Duration(6 * time.Second)
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	topic := c.Config.Kafka.Topics.Invoices
	bill(t, c, 3, "first", "d1")
	succeeds(t, c, "run", "--until-caught-up")
	succeeds(t, c, "state", "repartition", "--yes") // nothing is to be done
	if err := c.Kafka.Grow(t.Context(), topic, 16); err != nil {
		t.Fatal(err)
	}
	fails(t, c, "recoup state repartition", "run", "--until-caught-up")
	succeeds(t, c, "state", "repartition")
	fails(t, c, "recoup state repartition", "run", "--until-caught-up")
	succeeds(t, c, "state", "repartition", "--yes")
	bill(t, c, 11, "second", "d1")
	bill(t, c, 11, "first", "d1")
	m, err := c.Join()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Drain(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, cause := rowsOf(t, c, "second"); n != 1 || cause != "duplicate" {
		t.Errorf("%d rows of the second invoice, cause %q; want one, a duplicate", n, cause)
	}
	succeeds(t, c, "state", "reset")
}
