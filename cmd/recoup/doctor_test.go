package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kfake"

	"recoup/internal/app"
	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/internal/ops"
	"recoup/internal/testservers"
	"recoup/pipeline"
)

// fakeKafka starts an embedded broker.
func fakeKafka(t *testing.T) string {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster.ListenAddrs()[0]
}

// deadAddress returns an address of this machine where nobody listens.
func deadAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// settingsFor writes a configuration that names these servers.
func settingsFor(t *testing.T, broker, clickhouse, database string) string {
	t.Helper()
	return write(t, fmt.Sprintf("kafka:\n  brokers: [%q]\n  dial_timeout: 2s\n  group: %s\n"+
		"clickhouse:\n  addresses: [%q]\n  database: %s\nhttp: {listen: %q}\n",
		broker, database, clickhouse, database, deadAddress(t)))
}

// client connects as the commands do.
func client(t *testing.T, file string) (*kafka.Client, *config.Config) {
	t.Helper()
	loaded, err := config.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &session{stderr: t.Output()}
	c, err := app.Kafka(&loaded.Config, s.logger(loaded.Log))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, &loaded.Config
}

// examine runs the doctor and returns its problems, "check: problem -> fix".
func examine(t *testing.T, file string) (problems []string, all string) {
	t.Helper()
	got := recoup(t, "", "doctor", "--json", "--config", file)
	var report struct {
		OK     bool
		Checks []finding
	}
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatalf("doctor --json: %v\n%s%s", err, got.stdout, got.stderr)
	}
	for _, f := range report.Checks {
		if f.OK {
			continue
		}
		if f.Fix == "" {
			t.Errorf("%s: %s has no fix", f.Check, f.Problem)
		}
		problems = append(problems, f.Check+": "+f.Problem+" -> "+f.Fix)
	}
	if report.OK != (len(problems) == 0) || (got.code == 0) != report.OK {
		t.Errorf("doctor says ok=%v with %d problems and ends with %d", report.OK, len(problems), got.code)
	}
	return problems, got.stdout
}

// only wants exactly these problems, each by the texts it contains.
func only(t *testing.T, problems []string, wants ...[]string) {
	t.Helper()
	if len(problems) != len(wants) {
		t.Errorf("%d problems, want %d:\n%s", len(problems), len(wants), strings.Join(problems, "\n"))
		return
	}
	for i, want := range wants {
		contains(t, problems[i], want...)
	}
}

// A broker and a database that are stopped are named, each with its fix.
func TestDoctorStoppedServers(t *testing.T) {
	broker, clickhouse := deadAddress(t), deadAddress(t)
	file := settingsFor(t, broker, clickhouse, "recoup")
	problems, _ := examine(t, file)
	only(t, problems,
		[]string{"kafka: cannot reach Kafka at " + broker, "connection refused", "-> nothing listens there: start Kafka"},
		[]string{"clickhouse: cannot reach ClickHouse", "connection refused", "-> start ClickHouse"})
	text := recoup(t, "", "doctor", "--config", file)
	contains(t, text.stdout, "ok       configuration  "+file, "PROBLEM  kafka ", "fix: nothing listens there",
		"2 problems\n")
	if text.code != exitFailed {
		t.Errorf("doctor ended with %d", text.code)
	}
}

func TestDoctorConfiguration(t *testing.T) {
	problems, _ := examine(t, write(t, "kafka: {sesion_timeout: 5s}\nlog: {level: loud}\n"))
	only(t, problems,
		[]string{"configuration: ", ":1:9: kafka.sesion_timeout: unknown key; did you mean kafka.session_timeout?"})
	problems, _ = examine(t, write(t, "clickhouse: {password_file: /nowhere}\nlog: {level: loud}\n"))
	only(t, problems, []string{"clickhouse.password_file: cannot read the secret"})
}

// A port that is taken, one where a recoup serves, whole and with a broken part,
// and a free one.
func TestDoctorPorts(t *testing.T) {
	x := &examination{settings: &config.Config{}}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	x.settings.HTTP.Listen = strings.TrimPrefix(server.URL, "http://")
	x.port(t.Context())
	health := ops.NewHealth()
	health.Set("kafka", nil)
	running, err := ops.Start(ops.Options{Listen: "127.0.0.1:0", Registry: ops.NewRegistry(health), Health: health,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Stop(context.Background())
	x.settings.HTTP.Listen = running.Address()
	x.port(t.Context())
	health.Set("clickhouse", errors.New("cannot insert into scored_invoices"))
	x.port(t.Context())
	x.settings.HTTP.Listen = deadAddress(t)
	x.port(t.Context())
	if len(x.findings) != 5 {
		t.Fatalf("findings %+v", x.findings)
	}
	for i, want := range []bool{false, true, true, false, true} {
		if x.findings[i].OK != want {
			t.Errorf("finding %d: %+v, want ok=%v", i, x.findings[i], want)
		}
	}
	contains(t, x.findings[0].Problem, "address already in use")
	contains(t, x.findings[3].Problem, "clickhouse of the recoup at "+running.Address()+
		" is broken: cannot insert into scored_invoices")
}

// Missing topics, wrong partitions and wrong settings are named, each with its fix.
func TestDoctorTopics(t *testing.T) {
	broker := fakeKafka(t)
	file := settingsFor(t, broker, deadAddress(t), "recoup")
	c, cfg := client(t, file)
	problems, _ := examine(t, file)
	if len(problems) != 12 { // 13 topics less 2 optional ones, and ClickHouse
		t.Errorf("%d problems on an empty cluster:\n%s", len(problems), strings.Join(problems, "\n"))
	}
	contains(t, strings.Join(problems, "\n"),
		"topics: topic billing.invoices (kafka.topics.invoices) is missing -> recoup topics create")

	var specs []kafka.TopicSpec
	for _, spec := range topicSpecs(cfg.TopicTable(4), 1) {
		switch spec.Name {
		case "recoup.state":
			spec.Partitions = 3
		case "recoup.baselines":
			spec.Config["cleanup.policy"] = "delete"
		case "recoup.models":
			spec.Config["max.message.bytes"] = "65536"
		case "recoup.dead-letter":
			spec.Config["max.message.bytes"] = "1048588"
		case "recoup.suspects":
			spec.Config["retention.ms"] = "-1" // longer than needed: no problem
			spec.Config["max.message.bytes"] = "9999"
		case "recoup.cases":
			continue
		}
		specs = append(specs, spec)
	}
	if _, err := c.EnsureTopics(t.Context(), specs, false); err != nil {
		t.Fatal(err)
	}
	problems, _ = examine(t, file)
	only(t, problems[:len(problems)-1],
		[]string{"topics: topic recoup.suspects has max.message.bytes=9999, should have 1048588 -> ",
			"--entity-name recoup.suspects --add-config max.message.bytes=1048588"},
		[]string{"topics: topic recoup.cases (kafka.topics.cases) is missing -> recoup topics create"},
		[]string{"topic recoup.state has 3 partitions, must have 4 -> ", "delete recoup.state and run recoup topics create"},
		[]string{"topic recoup.baselines has cleanup.policy=delete, should have compact -> ",
			"kafka-configs --bootstrap-server " + broker, "--entity-name recoup.baselines --add-config cleanup.policy=compact"},
		[]string{"topic recoup.models has max.message.bytes=65536, should have 1048588 -> "},
		[]string{"topic recoup.dead-letter has max.message.bytes=1048588, should have ", "--add-config max.message.bytes="})
	list := succeed(t, "topics", "list", "--config", file).stdout
	contains(t, list, "recoup.state", "has 3 partitions, must have 4", "missing: recoup topics create")
}

// Without the topics of references recoup works; one that the settings name must exist.
func TestDoctorReferenceTopics(t *testing.T) {
	broker := fakeKafka(t)
	file := settingsFor(t, broker, deadAddress(t), "recoup")
	c, cfg := client(t, file)
	var specs []kafka.TopicSpec
	for _, spec := range topicSpecs(cfg.TopicTable(2), 1) {
		if !strings.HasPrefix(spec.Name, "billing.") || spec.Name == cfg.Kafka.Topics.Invoices {
			specs = append(specs, spec)
		}
	}
	if _, err := c.EnsureTopics(t.Context(), specs, false); err != nil {
		t.Fatal(err)
	}
	problems, all := examine(t, file)
	only(t, problems, []string{"clickhouse: "})
	contains(t, all, "11 topics, 2 partitions of invoices; billing.reference is missing and not needed, recoup topics "+
		"create makes it; billing.deliveries is missing and not needed")
	named := fmt.Sprintf("kafka: {brokers: [%q], topics: {deliveries: warehouse}}\n"+
		"clickhouse: {addresses: [%q]}\nhttp: {listen: %q}\n", broker, deadAddress(t), deadAddress(t))
	problems, _ = examine(t, write(t, named))
	only(t, problems, []string{"topic warehouse (kafka.topics.deliveries) is missing -> recoup topics create"},
		[]string{"clickhouse: "})
}

// A lag is a problem once an invoice waits long; a currency without a handling
// cost is named.
func TestDoctorLagAndCurrencies(t *testing.T) {
	file := settingsFor(t, fakeKafka(t), deadAddress(t), "recoup")
	succeed(t, "topics", "create", "--partitions", "2", "--config", file)
	c, cfg := client(t, file)
	record := func(currency string, age time.Duration) pipeline.Record {
		value := fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":"e","seller":"acme","invoice_id":"A-1",`+
			`"issued_at":"2026-01-05T08:00:00Z","currency":%q,"net_amount":"1"}`, currency)
		return pipeline.Record{Time: time.Now().Add(-age), Value: value}
	}
	records := []pipeline.Record{record("EUR", 20*time.Minute), record("NOK", 10*time.Minute), {Value: []byte("{")}}
	if _, err := c.Log().Append(t.Context(), cfg.Kafka.Topics.Invoices, 1, records); err != nil {
		t.Fatal(err)
	}
	problems, all := examine(t, file)
	only(t, problems[:1], []string{"currencies: 1 of the last 2 invoices are in NOK, which has no handling cost",
		"-> set scoring.handling_cost.NOK"})
	contains(t, all, "group recoup has not begun; 3 records wait")

	commit(t, c, cfg, map[int]int64{1: 1})
	problems, _ = examine(t, file)
	only(t, problems[:1], []string{"lag: 2 records wait, the oldest for 10m", "-> start recoup run"})
	commit(t, c, cfg, map[int]int64{1: 3})
	_, all = examine(t, file)
	contains(t, all, "0 records wait")
}

// commit stores offsets as a member of the group.
func commit(t *testing.T, c *kafka.Client, cfg *config.Config, offsets map[int]int64) {
	t.Helper()
	group := c.Group(kafka.GroupSettings{ID: cfg.Kafka.Group, Topic: cfg.Kafka.Topics.Invoices,
		SessionTimeout: 6 * time.Second})
	generation, err := group.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := generation.Commit(t.Context(), offsets); err != nil {
		t.Fatal(err)
	}
	generation.Leave()
	if err := group.Close(); err != nil {
		t.Fatal(err)
	}
}

// On real servers: an empty database, then none of the problems, then a schema
// of another version and a table that lost its deduplication window.
func TestDoctorOnRealServers(t *testing.T) {
	name := testservers.Database(t)
	clickhouse := testservers.ClickHouse(t)
	file := write(t, topicNamesYAML(name)+fmt.Sprintf("  brokers: [%q]\n  group: %s\nclickhouse:\n  addresses: [%q]\n"+
		"  database: %s\nhttp: {listen: %q}\n", testservers.Kafka(t), name, clickhouse, name, deadAddress(t)))

	contains(t, succeed(t, "topics", "create", "--dry-run", "--config", file).stdout,
		"would be created  "+name+".invoices")
	contains(t, succeed(t, "topics", "create", "--partitions", "2", "--config", file).stdout,
		"created  "+name+".state: 2 partitions, cleanup.policy=compact", "13 of 13 topics created; next: recoup doctor")
	problems, _ := examine(t, file)
	only(t, problems, []string{"schema: database " + name + " has no tables of recoup -> recoup migrate"})

	contains(t, succeed(t, "migrate", "--dry-run", "--config", file).stdout, "would apply migration 1", "CREATE TABLE")
	contains(t, succeed(t, "migrate", "--config", file).stdout, "applied migration 1")
	contains(t, succeed(t, "migrate", "--config", file).stdout, "nothing to do: database "+name+" has schema ")
	problems, all := examine(t, file)
	only(t, problems)
	contains(t, all, "ClickHouse and this machine agree", "13 topics, 2 partitions of invoices", "has schema ",
		"ClickHouse can read all their parts", "inserts leave 1GiB free")
	contains(t, succeed(t, "topics", "create", "--config", file).stdout, "there    "+name+".state",
		"0 of 13 topics created")

	ask(t, clickhouse, "ALTER TABLE "+name+".cases RESET SETTING min_free_disk_bytes_to_perform_insert")
	problems, _ = examine(t, file)
	only(t, problems, []string{"ClickHouse may lose rows when it fills up: cases", "-> recoup migrate"})
	contains(t, succeed(t, "migrate", "--config", file).stdout,
		"applied inserts leave 1.00 GiB of a disk free (1 statements)")

	ask(t, clickhouse, "ALTER TABLE "+name+".scored_invoices MODIFY SETTING non_replicated_deduplication_window = 0")
	ask(t, clickhouse, "INSERT INTO "+name+".schema_migrations (version, name, checksum) VALUES (9999, 'future', 'x')")
	problems, _ = examine(t, file)
	only(t, problems, []string{"has schema 9999, this recoup knows ", "-> run the newer recoup that made it"})
	ask(t, clickhouse, "ALTER TABLE "+name+".schema_migrations DELETE WHERE version > 1 SETTINGS mutations_sync = 1")
	problems, _ = examine(t, file)
	only(t, problems, []string{"has schema 1, this recoup needs ", "-> recoup migrate"})
	succeed(t, "migrate", "--config", file)
	problems, _ = examine(t, file)
	only(t, problems, []string{"table " + name + ".scored_invoices does not recognise repeated inserts",
		"-> ALTER TABLE " + name + ".scored_invoices MODIFY SETTING"})
}

// A table that lost a column, has one of another type, or is gone: run would fail
// for ever. Each fix, done as it is written, mends it.
func TestDoctorWrongColumns(t *testing.T) {
	name, clickhouse := testservers.Database(t), testservers.ClickHouse(t)
	file := settingsFor(t, deadAddress(t), clickhouse, name)
	succeed(t, "migrate", "--config", file)
	ask(t, clickhouse, "ALTER TABLE "+name+".scored_invoices DROP COLUMN contract_ref, DROP COLUMN order_ref")
	ask(t, clickhouse, "ALTER TABLE "+name+".cases MODIFY COLUMN raw LowCardinality(String)")
	ask(t, clickhouse, "ALTER TABLE "+name+".scored_invoices ADD COLUMN somebody_elses String")
	ask(t, clickhouse, "DROP TABLE "+name+".disputes SYNC")
	problems, all := examine(t, file)
	only(t, problems[1:], // the first is Kafka, which is not there
		[]string{"schema: table " + name + ".scored_invoices has no column contract_ref (String) -> ALTER TABLE " + name +
			".scored_invoices ADD COLUMN contract_ref String COMMENT 'Contract the invoice is for' CODEC(ZSTD(1)) " +
			"AFTER `delivery_ref`"},
		[]string{"schema: table " + name + ".scored_invoices has no column order_ref (String) -> ALTER TABLE " + name +
			".scored_invoices ADD COLUMN order_ref String", "AFTER `contract_ref`"},
		[]string{"schema: column raw of table " + name + ".cases has type LowCardinality(String), must have String -> " +
			"ALTER TABLE " + name + ".cases MODIFY COLUMN raw String"},
		[]string{"schema: table " + name + ".disputes is missing", "then recoup migrate"})
	if strings.Contains(all, "has schema") {
		t.Errorf("a wrong schema is called ok:\n%s", all)
	}
	for _, problem := range problems[1:] {
		_, fix, _ := strings.Cut(problem, " -> ")
		fix, _, _ = strings.Cut(fix, "; then")
		ask(t, clickhouse, fix)
	}
	succeed(t, "migrate", "--config", file)
	problems, _ = examine(t, file)
	only(t, problems, []string{"kafka: "})
}

// topicNamesYAML gives every topic a name of this test.
func topicNamesYAML(name string) string {
	var b strings.Builder
	b.WriteString("kafka:\n  topics:\n")
	c := config.Default()
	for _, t := range c.TopicTable(1) {
		fmt.Fprintf(&b, "    %s: %s.%s\n", t.Role, name, t.Role)
	}
	return b.String()
}

// ask runs a statement on ClickHouse, as an administrator would.
func ask(t *testing.T, address, sql string) {
	t.Helper()
	conn, err := ch.Open(&ch.Options{Addr: []string{address}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
