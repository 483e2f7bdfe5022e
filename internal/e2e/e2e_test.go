// Package e2e runs the recoup binary against real Kafka and real ClickHouse and
// compares what comes out with what is known to have gone in.
package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"recoup/bench/cluster"
	"recoup/bench/load"
	"recoup/cases"
	"recoup/detectors"
	"recoup/internal/kafka"
	"recoup/internal/testservers"
	"recoup/pipeline"
)

// rig is one installation of recoup on real servers, with names of its own.
type rig struct {
	t          *testing.T
	binary     string
	config     string
	broker     string
	clickhouse string
	prefix     string
	kafka      *kafka.Client
	log        pipeline.Log
	db         *sql.DB
}

func newRig(t *testing.T, partitions int) *rig {
	t.Helper()
	r := &rig{t: t, broker: testservers.Kafka(t), clickhouse: testservers.ClickHouse(t), prefix: testservers.Database(t)}
	r.binary = filepath.Join(t.TempDir(), "recoup")
	build := exec.Command("go", "build", "-o", r.binary, "recoup/cmd/recoup")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build recoup: %v\n%s", err, out)
	}
	r.config = filepath.Join(t.TempDir(), "recoup.yaml")
	if err := os.WriteFile(r.config, []byte(r.yaml()), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := kafka.Connect(kafka.Settings{Brokers: []string{r.broker}, ClientID: "e2e"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	r.kafka, r.log = client, client.Log()
	r.db = clickhouse.OpenDB(&clickhouse.Options{Addr: []string{r.clickhouse}})
	t.Cleanup(func() { r.db.Close() })
	r.command("topics", "create", "--partitions", fmt.Sprint(partitions), "--replication", "1")
	r.command("migrate")
	return r
}

func (r *rig) topic(name string) string { return r.prefix + "." + name }

func (r *rig) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "kafka:\n  brokers: [%q]\n  group: %q\n  session_timeout: 6s\n  topics:\n", r.broker, r.prefix)
	for key, name := range map[string]string{"invoices": "invoices", "reference": "reference",
		"deliveries": "deliveries", "suspects": "suspects", "lead": "lead", "cases": "cases",
		"case_events": "case-events", "recoveries": "recoveries", "disputes": "disputes", "state": "state",
		"baselines": "baselines", "models": "models", "dead_letter": "dead-letter"} {
		fmt.Fprintf(&b, "    %s: %q\n", key, r.topic(name))
	}
	fmt.Fprintf(&b, "clickhouse:\n  addresses: [%q]\n  database: %q\n", r.clickhouse, r.prefix)
	b.WriteString("models:\n  train: false\npipeline:\n  checkpoint_interval: 2s\nhttp:\n  listen: \"127.0.0.1:0\"\n")
	return b.String()
}

// command runs recoup to its end and fails the test if it fails.
func (r *rig) command(args ...string) string {
	r.t.Helper()
	cmd := exec.Command(r.binary, append([]string{"--config", r.config}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("recoup %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// process is a running `recoup run`.
type process struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

func (r *rig) start(args ...string) *process {
	r.t.Helper()
	p := &process{cmd: exec.Command(r.binary, append([]string{"--config", r.config, "run"}, args...)...)}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		if r.t.Failed() {
			r.t.Logf("recoup run (pid %d):\n%s", p.cmd.Process.Pid, tail(p.out.String(), 40))
		}
	})
	return p
}

// stop asks for a clean end and expects exit status 0.
func (r *rig) stop(p *process) {
	r.t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		r.t.Errorf("recoup run did not end cleanly on SIGTERM: %v", err)
	}
}

func tail(s string, lines int) string {
	all := strings.Split(s, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// truth is what must come out.
type truth struct {
	rows, redelivered int
	cases             map[string]bool
	garbage           map[string]bool // partition/offset
	ends              map[int]int64
}

// send writes the plan's records and returns what must come out of them.
func (r *rig) send(plan load.Plan) truth {
	r.t.Helper()
	want := truth{cases: map[string]bool{}, garbage: map[string]bool{}, ends: map[int]int64{}}
	gen := load.New(plan)
	partitions := gen.Plan().Partitions
	waiting := make([][]pipeline.Record, partitions)
	flush := func(p int) {
		base, err := r.log.Append(r.t.Context(), r.topic("invoices"), p, waiting[p])
		if err != nil {
			r.t.Fatal(err)
		}
		if base != want.ends[p] {
			r.t.Fatalf("partition %d: records went to offset %d, expected %d", p, base, want.ends[p])
		}
		want.ends[p] += int64(len(waiting[p]))
		waiting[p] = waiting[p][:0]
	}
	for rec, truth := range gen.All() {
		p := rec.Partition
		switch {
		case truth.GarbageKind != "":
			want.garbage[fmt.Sprintf("%d/%d", p, want.ends[p]+int64(len(waiting[p])))] = true
		case truth.Redelivery:
			want.redelivered++
		default:
			want.rows++
		}
		if truth.WantsCase() {
			want.cases[cases.ID(cases.DedupKey(truth.Seller, truth.InvoiceID, 0))] = true
		}
		waiting[p] = append(waiting[p], pipeline.Record{Key: bytes.Clone(rec.Key), Value: bytes.Clone(rec.Value)})
		if len(waiting[p]) >= 500 {
			flush(p)
		}
	}
	for p := range waiting {
		if len(waiting[p]) > 0 {
			flush(p)
		}
	}
	return want
}

// count runs a query that returns one number.
func (r *rig) count(query string) int {
	r.t.Helper()
	var n uint64
	if err := r.db.QueryRow(strings.ReplaceAll(query, "DB", r.prefix)).Scan(&n); err != nil {
		r.t.Fatalf("%s: %v", query, err)
	}
	return int(n)
}

// waitFor polls until done says so.
func (r *rig) waitFor(what string, limit time.Duration, done func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if done() {
			return
		}
	}
	r.t.Fatalf("%s: not within %s", what, limit)
}

// drained reports whether all of the log is committed.
func (r *rig) drained() bool {
	lag, err := r.kafka.Lag(r.t.Context(), r.prefix, r.topic("invoices"))
	if err != nil {
		return false
	}
	for _, n := range lag {
		if n != 0 {
			return false
		}
	}
	return len(lag) > 0
}

// check compares everything that came out with the truth.
func (r *rig) check(want truth) {
	r.t.Helper()
	if n := r.count("SELECT count() FROM DB.scored_invoices"); n != want.rows {
		r.t.Errorf("%d rows, want %d", n, want.rows)
	}
	if n := r.count("SELECT uniqExact(source_partition, source_offset) FROM DB.scored_invoices"); n != want.rows {
		r.t.Errorf("%d distinct rows, want %d", n, want.rows)
	}
	const lines = "SELECT count() - uniqExact(source_partition, source_offset, line_id) FROM DB.invoice_lines"
	if n := r.count(lines); n != 0 {
		r.t.Errorf("%d invoice lines stand twice", n)
	}
	committed, err := r.kafka.CommittedOffsets(r.t.Context(), r.prefix, r.topic("invoices"))
	if err != nil {
		r.t.Fatal(err)
	}
	for p, end := range want.ends {
		if committed[p] != end {
			r.t.Errorf("partition %d: committed %d, log ends at %d", p, committed[p], end)
		}
	}
	all, got := map[string]bool{}, map[string]bool{}
	r.each("cases", func(rec pipeline.Record) {
		var c cases.Case
		if err := json.Unmarshal(rec.Value, &c); err != nil {
			r.t.Fatal(err)
		}
		all[c.CaseID] = true
		if c.Kind == cases.KindInvoice {
			got[c.CaseID] = true
		}
	})
	for id := range r.bundled() {
		if got[id] {
			r.t.Errorf("case %s is open and part of an incident", id)
		}
		got[id] = true
	}
	r.compare("case", got, want.cases)
	dead := map[string]bool{}
	r.each("dead-letter", func(rec pipeline.Record) {
		var d pipeline.DeadLetter
		if err := json.Unmarshal(rec.Value, &d); err != nil {
			r.t.Fatal(err)
		}
		dead[fmt.Sprintf("%d/%d", d.Partition, d.Offset)] = true
	})
	r.compare("dead letter", dead, want.garbage)
	r.checkCopies(len(all), len(want.garbage))
}

// bundled returns the cases that suspects would have had if they were not part of
// an incident.
func (r *rig) bundled() map[string]bool {
	ids := map[string]bool{}
	r.each("suspects", func(rec pipeline.Record) {
		var d pipeline.Decision
		if err := json.Unmarshal(rec.Value, &d); err != nil {
			r.t.Fatal(err)
		}
		if v := d.Verdict; v != nil && v.Decision == detectors.DecisionBundle {
			if v.IncidentID == "" {
				r.t.Errorf("invoice %s is bundled without an incident", v.InvoiceID)
			}
			ids[cases.ID(cases.DedupKey(v.Seller, v.InvoiceID, v.Revision))] = true
		}
	})
	return ids
}

// checkCopies waits for the copy task: each record of the topics once.
func (r *rig) checkCopies(cases, dead int) {
	r.t.Helper()
	for table, want := range map[string]struct {
		key, topic string
		n          int
	}{"cases": {"case_id", "cases", cases}, "dead_letters": {"(partition, offset)", "dead-letter", dead}} {
		records := 0
		r.each(want.topic, func(pipeline.Record) { records++ })
		r.waitFor("the copy of "+table, time.Minute, func() bool {
			return r.count("SELECT count() FROM DB."+table) >= records
		})
		if n := r.count("SELECT count() FROM DB." + table); n != records {
			r.t.Errorf("%s: %d rows of %d records", table, n, records)
		}
		if n := r.count("SELECT uniqExact(" + want.key + ") FROM DB." + table); n != want.n {
			r.t.Errorf("%s: %d distinct, want %d", table, n, want.n)
		}
	}
}

func (r *rig) compare(what string, got, want map[string]bool) {
	r.t.Helper()
	missing, extra := 0, 0
	for id := range want {
		if !got[id] {
			missing++
		}
	}
	for id := range got {
		if !want[id] {
			extra++
		}
	}
	if missing+extra > 0 {
		r.t.Errorf("%s: %d missing, %d too many of %d", what, missing, extra, len(want))
	}
}

// each reads a whole topic.
func (r *rig) each(name string, do func(pipeline.Record)) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	err := cluster.EachRecordOf(ctx, r.log, r.topic(name), func(_ int, rec *pipeline.Record) error {
		do(*rec)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func testPlan() load.Plan {
	return load.Plan{Invoices: 100_000, Partitions: 8, Segments: 20, Seed: 11, Injected: 0.03,
		Redelivered: 0.02, Garbage: 0.003, Separated: true}
}

// G1–G4, G6, G9: two processes, one killed with −9 midway, a third joins.
func TestKillAndJoin(t *testing.T) {
	r := newRig(t, 8)
	want := r.send(testPlan())
	first, second := r.start(), r.start()
	r.waitFor("a third of the rows", 2*time.Minute, func() bool {
		return r.count("SELECT count() FROM DB.scored_invoices") > want.rows/3
	})
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	third := r.start()
	r.waitFor("all offsets committed", 3*time.Minute, r.drained)
	r.stop(second)
	r.stop(third)
	// Who is stopped leaves the last cases to be copied to the next one.
	if err := r.start("--until-caught-up").cmd.Wait(); err != nil {
		t.Errorf("recoup run --until-caught-up: %v", err)
	}
	r.check(want)
}

// G1–G4, G6: the same without faults, ended by recoup itself.
func TestTwoProcesses(t *testing.T) {
	r := newRig(t, 8)
	want := r.send(testPlan())
	first, second := r.start("--until-caught-up"), r.start("--until-caught-up")
	for _, p := range []*process{first, second} {
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("recoup run --until-caught-up: %v", err)
		}
	}
	r.check(want)
}

func TestMain(m *testing.M) { os.Exit(testservers.Main(m)) }
