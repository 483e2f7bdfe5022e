package auditor

import (
	"os"
	"strings"
	"testing"
	"time"

	"recoup/bench/cluster"
	"recoup/bench/load"
	"recoup/internal/config"
	"recoup/internal/testservers"
)

func TestMain(m *testing.M) { os.Exit(testservers.Main(m)) }

// run sends a small plan through two members, of which one is killed, and returns
// what an audit needs.
func run(t *testing.T) Input {
	t.Helper()
	c, err := cluster.Install(t.Context(), cluster.Options{Dir: t.TempDir(), Broker: testservers.Kafka(t),
		ClickHouse: testservers.ClickHouse(t), Name: testservers.Name(t), Partitions: 4,
		Adjust: func(c *config.Config) {
			c.Models.Train = false
			c.Pipeline.CheckpointInterval = config.Duration(time.Second)
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ledger := NewLedger()
	plan := load.Plan{Invoices: 8_000, Partitions: 4, Segments: 10, Seed: 3, Separated: true, Injected: 0.03,
		Redelivered: 0.05, Late: 0.02, LateBy: 40 * 24 * time.Hour, Garbage: 0.01}
	err = load.Send(t.Context(), c.Kafka.Log(), load.New(plan), load.Sending{Topic: c.Config.Kafka.Topics.Invoices,
		Sent: ledger.Add})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := c.Join(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Drain(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	in := Input{Config: c.Config, Kafka: c.Kafka, Ledger: ledger, Exact: true, Patience: 10 * time.Second}
	for _, m := range c.Members() {
		in.Members = append(in.Members, m.Usage())
	}
	return in
}

func TestAuditor(t *testing.T) {
	in := run(t)
	report, err := Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	report.Print(&out)
	t.Log("\n" + out.String())
	if !report.OK() {
		t.Fatal("a good run is not ok")
	}
}
