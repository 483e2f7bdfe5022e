package cluster_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"recoup/bench/auditor"
	"recoup/bench/cluster"
	"recoup/bench/fault"
	"recoup/bench/load"
	"recoup/internal/clickhouse"
	"recoup/internal/config"
	"recoup/internal/kafkaserver"
	"recoup/internal/testservers"
)

func TestMain(m *testing.M) { os.Exit(testservers.Main(m)) }

// proxied starts both servers behind proxies.
func proxied(t *testing.T) (kafka, warehouse *fault.Proxy) {
	t.Helper()
	var proxies [2]*fault.Proxy
	for i := range proxies {
		var err error
		if proxies[i], err = fault.Listen(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(proxies[i].Close)
	}
	stop := context.WithoutCancel(t.Context())
	broker, err := kafkaserver.Start(t.Context(), kafkaserver.Options{Advertise: proxies[0].Addr()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop(stop) })
	server, err := clickhouse.Start(t.Context(), clickhouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(stop) })
	proxies[0].Pass(broker.Behind())
	proxies[1].Pass(server.NativeAddr)
	return proxies[0], proxies[1]
}

// G1–G4, G9: members that are killed, paused and cut off from the acknowledgements of
// inserts and appends lose nothing and store nothing twice.
func TestMembersUnderFaults(t *testing.T) {
	kafka, warehouse := proxied(t)
	c, err := cluster.Install(t.Context(), cluster.Options{Dir: t.TempDir(), Broker: kafka.Addr(),
		ClickHouse: warehouse.Addr(), Partitions: 4, Adjust: func(c *config.Config) {
			c.Models.Train = false
			c.Kafka.SessionTimeout = config.Duration(6 * time.Second)
			c.Pipeline.CheckpointInterval = config.Duration(time.Second)
			c.Pipeline.FlushRows = 200
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ledger := auditor.NewLedger()
	plan := load.Plan{Invoices: 6_000, Partitions: 4, Segments: 5, Seed: 9, Separated: true, Injected: 0.03,
		Redelivered: 0.05, Late: 0.02, LateBy: 40 * 24 * time.Hour, Garbage: 0.01}
	sent := make(chan error, 1)
	warehouse.Set(fault.Fault{Cut: fault.Cut{Times: 4, Request: "INSERT INTO", Turn: 1}})
	members := []*cluster.Member{join(t, c), join(t, c)}
	go func() {
		sent <- load.Send(t.Context(), c.Kafka.Log(), load.New(plan), load.Sending{Rate: 600, Patience: time.Minute,
			Topic: c.Config.Kafka.Topics.Invoices, Sent: ledger.Add})
	}()
	time.Sleep(3 * time.Second)
	members[0].Kill()
	if members[0].Running() || members[0].Ended() == nil {
		t.Error("a killed member runs")
	}
	join(t, c)
	kafka.Set(fault.Fault{Cut: fault.Cut{Times: 2, Request: "recoup.suspects"}})
	if err := members[1].Pause(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(7 * time.Second) // longer than its session
	if err := members[1].Continue(); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if err := c.Drain(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if warehouse.Cuts() != 4 || kafka.Cuts() != 2 {
		t.Errorf("%d and %d connections were cut, want 4 and 2", warehouse.Cuts(), kafka.Cuts())
	}
	report, err := auditor.Run(t.Context(), auditor.Input{Config: c.Config, Kafka: c.Kafka, Ledger: ledger, Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK() {
		var out strings.Builder
		report.Print(&out)
		t.Error("\n" + out.String())
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
