package config

import (
	"strings"
	"testing"
)

// Every rule names the field, the bad value and the fix.
func TestValidate(t *testing.T) {
	for _, test := range []struct{ path, value, want string }{
		{"kafka.brokers", "localhost", `cannot use "localhost": expected host:port, such as localhost:9092`},
		{"kafka.brokers", "", `cannot use "": expected at least one address`},
		{"kafka.group", "a b", `cannot use "a b": expected 1 to 249 letters, digits`},
		{"kafka.session_timeout", "1s", `cannot use "1s": expected 6s to 1h`},
		{"kafka.dial_timeout", "1ms", `expected 100ms to 5m`},
		{"kafka.request_timeout", "1ms", `expected 1s to 5m`},
		{"kafka.topics.state", "recoup.suspects", "kafka.topics.suspects has this name already: give each topic its own"},
		{"kafka.topics.lead", "", "expected 1 to 249 letters"},
		{"kafka.retention.invoices", "1h", `cannot use "1h": expected 1d to 3650d`},
		{"kafka.retention.open_cases", "0s", `expected 1d to 3650d`},
		{"kafka.retention.events", "0s", `expected 1d to 36500d`},
		{"kafka.retention.dead_letters", "0s", `expected 1d to 3650d`},
		{"kafka.tls.ca_file", "ca.pem", "without effect while kafka.tls.enabled is false: set that to true"},
		{"clickhouse.tls.server_name", "x", "without effect while clickhouse.tls.enabled is false"},
		{"clickhouse.addresses", "9000", "expected host:port"},
		{"clickhouse.database", "my-db", "expected a name of letters, digits and underscores"},
		{"clickhouse.user", "", "expected a name"},
		{"clickhouse.dial_timeout", "1ms", "expected 100ms to 5m"},
		{"clickhouse.query_timeout", "1ms", "expected 1s to 1h"},
		{"clickhouse.inserts_per_second", "0", "expected 1 to 1000"},
		{"clickhouse.retention", "1d", "expected 31d to 36500d"},
		{"scoring.deviation", "100%", `cannot use "100%": expected 0% to 99.99%`},
		{"scoring.min_n", "0", "expected 1 to"},
		{"scoring.max_cv", "NaN", "expected 0 to 10"},
		{"scoring.suspect_threshold", "-0.1", "expected 0 (as trained) or a probability, at most 1"},
		{"scoring.half_life", "1s", "expected 1h to 36500d"},
		{"scoring.identity_retention", "1s", "expected 1h to 3650d"},
		{"scoring.learn_within", "4000d", "expected 0s to 3650d"},
		{"scoring.future_tolerance", "4000d", "expected 0s to 3650d"},
		{"scoring.base_rate", "1", "expected a share between 0 and 1"},
		{"scoring.handling_cost.EUX", "5", "expected an ISO 4217 currency code"},
		{"scoring.handling_cost.EUR", "-5", `cannot use "-5.00": expected 0 or more`},
		{"models.pin", "trained-1", "expected prior, or a version such as trained-8c6f471bf8ba6328"},
		{"models.history", "1d", "expected 7d to 3650d"},
		{"models.invoices", "10", "expected 1000 to 1000000"},
		{"pipeline.row_buffer", "1MiB", "expected 16MiB to 1024GiB"},
		{"pipeline.flush_rows", "0", "expected 1 to 1000000"},
		{"pipeline.flush_interval", "0s", "expected 10ms to 1m"},
		{"pipeline.checkpoint_interval", "0s", "expected 1s to 1h"},
		{"pipeline.fence_after", "0s", "expected 100ms to 1m"},
		{"pipeline.drain_timeout", "0s", "expected 100ms to 1m"},
		{"pipeline.leave_timeout", "2m", "expected 0s to 1m"},
		{"pipeline.limits.record_bytes", "1GiB", "expected 1KiB to 64MiB"},
		{"pipeline.limits.depth", "1", "expected 4 to 1000"},
		{"pipeline.limits.lines", "0", "expected 1 to"},
		{"pipeline.limits.items", "0", "expected 1 to"},
		{"pipeline.limits.unknown_fields", "0", "expected 1 to"},
		{"http.listen", ":8780", "no host means every network: write 127.0.0.1:8780 for this machine only"},
		{"http.listen", "localhost", "expected host:port"},
		{"pprof.listen", "0.0.0.0:6060", "profiles show memory, customers included"},
		{"pprof.listen", ":6060", "no host means every network"},
		{"log.level", "loud", "expected debug, info, warn or error"},
		{"log.format", "xml", "expected text or json"},
	} {
		wantRefused(t, test.path, test.value, test.want)
	}
}

func TestValidateMemory(t *testing.T) {
	for _, kind := range []string{"segments", "customers", "pairs", "products"} {
		for _, value := range []string{"0", "-1", "1073741825"} {
			wantRefused(t, "pipeline.memory."+kind, value, "expected 1 to 1073741824")
		}
	}
}

func wantRefused(t *testing.T, path, value, want string) {
	t.Helper()
	c := Default()
	if err := c.Set(path, value); err != nil {
		t.Errorf("Set(%s, %q): %v", path, value, err)
		return
	}
	problems := c.Validate()
	if len(problems) != 1 || problems[0].Field != path || !strings.Contains(problems[0].Text, want) {
		t.Errorf("%s = %q: problems %v, want one with %q", path, value, problems, want)
	}
}

// A listener beyond this machine is allowed where it is written out.
func TestValidateWrittenOutListener(t *testing.T) {
	for _, address := range []string{"0.0.0.0:8780", "[::1]:8780", "localhost:0", "10.1.2.3:80"} {
		c := Default()
		c.HTTP.Listen = address
		if problems := c.Validate(); len(problems) > 0 {
			t.Errorf("http.listen %q: %v", address, problems)
		}
	}
}

// A password never crosses the network readable unless somebody says so (B10).
func TestValidateSASL(t *testing.T) {
	for _, test := range []struct {
		sasl    SASL
		tls     bool
		brokers []string
		want    []string // fields with a problem
	}{
		{SASL{Mechanism: "SCRAM-SHA-512", Username: "u", Password: "p"}, false, []string{"far:9092"}, nil},
		{SASL{Mechanism: "PLAIN", Username: "u", Password: "p"}, true, []string{"far:9092"}, nil},
		{SASL{Mechanism: "PLAIN", Username: "u", Password: "p"}, false, []string{"127.0.0.1:9092"}, nil},
		{SASL{Mechanism: "PLAIN", Username: "u", Password: "p", AllowPlaintext: true}, false, []string{"far:1"}, nil},
		{SASL{Mechanism: "PLAIN", Username: "u", Password: "p"}, false, []string{"far:1"}, []string{"kafka.sasl.mechanism"}},
		{SASL{Mechanism: "LDAP", Username: "u", Password: "p"}, false, []string{"a:1"}, []string{"kafka.sasl.mechanism"}},
		{SASL{Username: "u"}, false, []string{"a:1"}, []string{"kafka.sasl.mechanism"}},
		{SASL{Mechanism: "SCRAM-SHA-256"}, false, []string{"a:1"}, []string{"kafka.sasl.username", "kafka.sasl.password"}},
	} {
		c := Default()
		c.Kafka.SASL, c.Kafka.TLS.Enabled, c.Kafka.Brokers = test.sasl, test.tls, test.brokers
		var got []string
		for _, p := range c.Validate() {
			got = append(got, p.Field)
		}
		if strings.Join(got, " ") != strings.Join(test.want, " ") {
			t.Errorf("%+v with TLS %v to %v: problems in %v, want %v", test.sasl, test.tls, test.brokers, got, test.want)
		}
	}
}

// The same for ClickHouse, whose protocol sends the password as it is (B10).
func TestValidateClickHousePassword(t *testing.T) {
	for _, test := range []struct {
		password       Secret
		tls, plaintext bool
		addresses      []string
		want           int
	}{
		{"p", false, false, []string{"far:9000"}, 1},
		{"p", false, false, []string{"127.0.0.1:9000", "far:9000", "10.0.0.2:9000"}, 2},
		{"p", false, true, []string{"far:9000"}, 0},
		{"p", true, false, []string{"far:9440"}, 0},
		{"p", false, false, []string{"localhost:9000", "[::1]:9000"}, 0},
		{"", false, false, []string{"far:9000"}, 0},
	} {
		c := Default()
		c.ClickHouse.Password, c.ClickHouse.TLS.Enabled = test.password, test.tls
		c.ClickHouse.Addresses, c.ClickHouse.AllowPlaintext = test.addresses, test.plaintext
		problems := c.Validate()
		if len(problems) != test.want {
			t.Errorf("%+v: problems %v, want %d", test, problems, test.want)
		}
		for _, p := range problems {
			if p.Field != "clickhouse.addresses" || !strings.Contains(p.Text, "set clickhouse.tls.enabled") ||
				!strings.Contains(p.Text, "or set clickhouse.allow_plaintext") {
				t.Errorf("problem %v", p)
			}
		}
	}
}

func TestValidateMutualTLS(t *testing.T) {
	c := Default()
	c.Kafka.TLS = TLS{Enabled: true, CertFile: "c.pem"}
	c.ClickHouse.TLS = TLS{Enabled: true, KeyFile: "k.pem"}
	problems := c.Validate()
	if len(problems) != 2 || problems[0].Field != "kafka.tls.key_file" || problems[1].Field != "clickhouse.tls.cert_file" {
		t.Errorf("half a key pair: %v", problems)
	}
}

// State and decisions have as many partitions as the invoices, a dead letter of
// the largest record fits, and compaction waits a day where the pager reads.
func TestTopicTable(t *testing.T) {
	c := Default()
	byRole := map[string]Topic{}
	for _, topic := range c.TopicTable(24) {
		byRole[topic.Role] = topic
	}
	for _, role := range []string{"invoices", "suspects", "state", "baselines"} {
		if byRole[role].Partitions != 24 {
			t.Errorf("%s has %d partitions, want 24", role, byRole[role].Partitions)
		}
	}
	if byRole["lead"].Partitions != 1 {
		t.Errorf("lead has %d partitions, want 1", byRole["lead"].Partitions)
	}
	for _, want := range []struct{ role, setting, value string }{
		{"invoices", "cleanup.policy", "delete"}, {"invoices", "retention.ms", "3024000000"},
		{"reference", "cleanup.policy", "compact"}, {"suspects", "retention.ms", "7776000000"},
		{"cases", "cleanup.policy", "compact,delete"}, {"cases", "min.compaction.lag.ms", "86400000"},
		{"cases", "retention.ms", "10368000000"}, {"state", "cleanup.policy", "compact"}, {"state", "segment.ms", "600000"},
		{"baselines", "segment.bytes", "8388608"}, {"baselines", "min.cleanable.dirty.ratio", "0.2"},
		{"dead_letter", "retention.ms", "1209600000"},
	} {
		if got := byRole[want.role].Settings[want.setting]; got != want.value {
			t.Errorf("%s has %s=%s, want %s", want.role, want.setting, got, want.value)
		}
	}
	// Base64 makes four bytes of three.
	if largest := int64(c.Pipeline.Limits.RecordBytes); DeadLetterBytes(largest) < largest*4/3 {
		t.Errorf("a dead letter of %d bytes does not fit into %d", largest, DeadLetterBytes(largest))
	}
}
