package cluster_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"

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

// rig is an installation, and what was sent to it.
type rig struct {
	*testing.T
	*cluster.Cluster
	kafka, warehouse *fault.Proxy // nil: there is none between
	partitions       int
	ledger           *auditor.Ledger
	looks            *auditor.Watch // nil: nobody looks while members run
	sent             chan error
}

func newRig(t *testing.T, o cluster.Options) *rig {
	t.Helper()
	o.Dir, o.Adjust = t.TempDir(), func(c *config.Config) {
		c.Models.Train = false
		c.Kafka.SessionTimeout = config.Duration(10 * time.Second) // of which silence takes 3 s to be heard
		c.Pipeline.CheckpointInterval = config.Duration(time.Second)
		c.Pipeline.FlushRows = 200
	}
	c, err := cluster.Install(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &rig{T: t, Cluster: c, partitions: o.Partitions, ledger: auditor.NewLedger(), sent: make(chan error, 1)}
}

// newProxiedRig is one of four partitions behind proxies.
func newProxiedRig(t *testing.T, kafka, warehouse *fault.Proxy, name string) *rig {
	t.Helper()
	r := newRig(t, cluster.Options{Broker: kafka.Addr(), ClickHouse: warehouse.Addr(), Partitions: 4, Name: name})
	r.kafka, r.warehouse = kafka, warehouse
	return r
}

// watch begins to look at what is committed and stored while members run.
func (r *rig) watch() {
	r.Helper()
	var err error
	if r.looks, err = auditor.NewWatch(r.Config, r.Kafka, r.ledger, r.Config.ClickHouse.Addresses[0]); err != nil {
		r.Fatal(err)
	}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(r.Context())
	go func() { defer close(done); r.looks.Run(ctx) }()
	r.Cleanup(func() { cancel(); <-done; r.looks.Close() })
}

func (r *rig) join() *cluster.Member {
	r.Helper()
	m, err := r.Join()
	if err != nil {
		r.Fatal(err)
	}
	return m
}

// send begins to send; finish waits for it, for the members, and audits.
func (r *rig) send(invoices int) {
	plan := load.Plan{Invoices: invoices, Partitions: r.partitions, Segments: 5, Seed: 9, Separated: true, Injected: 0.03,
		Redelivered: 0.05, Late: 0.02, LateBy: 40 * 24 * time.Hour, Garbage: 0.01}
	go func() {
		r.sent <- load.Send(r.Context(), r.Kafka.Log(), load.New(plan), load.Sending{Rate: 600, Patience: time.Minute,
			Topic: r.Config.Kafka.Topics.Invoices, Sent: r.ledger.Add})
	}()
}

func (r *rig) finish() auditor.Report {
	r.Helper()
	if err := <-r.sent; err != nil {
		r.Fatal(err)
	}
	if err := r.Drain(r.Context(), nil); err != nil {
		r.Fatal(err)
	}
	if err := r.Settle(r.Context()); err != nil {
		r.Fatal(err)
	}
	report, err := auditor.Run(r.Context(), auditor.Input{Config: r.Config, Kafka: r.Kafka, Ledger: r.ledger, Exact: true,
		Watch: r.looks})
	if err != nil {
		r.Fatal(err)
	}
	return report
}

// ok wants an audit to find nothing wrong.
func (r *rig) ok(report auditor.Report) {
	r.Helper()
	if !report.OK() {
		var out strings.Builder
		report.Print(&out)
		r.Error("\n" + out.String())
	}
}

func TestMembersUnderFaults(t *testing.T) {
	kafka, warehouse := proxied(t)
	t.Run("nothing is lost or doubled", func(t *testing.T) { underFaults(newProxiedRig(t, kafka, warehouse, "good")) })
	t.Run("control without tokens", func(t *testing.T) { withoutTokens(newProxiedRig(t, kafka, warehouse, "control")) })
}

// says waits until a member's log holds a text.
func (r *rig) says(m *cluster.Member, what string) {
	r.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		log, err := os.ReadFile(m.LogFile(r.Cluster))
		if err != nil {
			r.Fatal(err)
		}
		if strings.Contains(string(log), what) {
			return
		}
		if time.Since(began) > 30*time.Second {
			r.Fatalf("%s does not say %q:\n%s", m.Name, what, log)
		}
	}
}

// G1–G4, G9: members that are killed, paused and cut off from the acknowledgements of
// inserts and appends lose nothing and store nothing twice; who follows one that was killed
// has prepared it.
func underFaults(t *rig) {
	kafka, warehouse := t.kafka, t.warehouse
	warehouse.Set(fault.Fault{Cut: fault.Cut{Times: 4, Request: "INSERT INTO", Turn: 1}})
	members := []*cluster.Member{t.join(), t.join()}
	for _, m := range members {
		t.says(m, "took over")
	}
	t.send(6_000)
	for warehouse.Cuts() < 4 { // who has trouble himself prepares nothing
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(3 * time.Second)
	members[0].Kill()
	if members[0].Running() || members[0].Ended() == nil {
		t.Error("a killed member runs")
	}
	t.says(members[1], "prepared=true")
	t.join()
	kafka.Set(fault.Fault{Cut: fault.Cut{Times: 2, Request: "recoup.suspects"}})
	if err := members[1].Pause(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second) // shorter than its session
	if err := members[1].Continue(); err != nil {
		t.Fatal(err)
	}
	report := t.finish()
	if warehouse.Cuts() != 4 || kafka.Cuts() != 2 {
		t.Errorf("%d and %d connections were cut, want 4 and 2", warehouse.Cuts(), kafka.Cuts())
	}
	t.ok(report)
}

// Where tables forget deduplication tokens, an insert whose acknowledgement was cut is
// stored twice, and the audit says so: the cuts above are worth something.
func withoutTokens(t *rig) {
	db := clickhousego.OpenDB(&clickhousego.Options{Addr: t.Config.ClickHouse.Addresses})
	defer func() { _ = db.Close() }()
	for _, table := range []string{"scored_invoices", "invoice_lines"} {
		_, err := db.ExecContext(t.Context(), "ALTER TABLE control."+table+
			" MODIFY SETTING non_replicated_deduplication_window = 0")
		if err != nil {
			t.Fatal(err)
		}
	}
	t.warehouse.Set(fault.Fault{Cut: fault.Cut{Times: 2, Request: "scored_invoices (", Turn: 1}})
	t.join()
	t.send(2_000)
	report := t.finish()
	if got := report.Failed(); !slices.Equal(got, []string{auditor.CheckRowsDoubled, auditor.CheckLinesDoubled}) {
		t.Errorf("failed %v, want %s and %s", got, auditor.CheckRowsDoubled, auditor.CheckLinesDoubled)
	}
}
