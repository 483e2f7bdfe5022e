package config

import (
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"recoup/internal/address"
	"recoup/invoice"
)

// Validate returns everything that is wrong with the values, each with its fix.
// It dials nothing and reads no file: `recoup doctor` does.
func (c *Config) Validate() []Problem {
	v := &validator{}
	v.kafka(&c.Kafka)
	v.topics(c.TopicTable(1))
	v.clickHouse(&c.ClickHouse)
	v.scoring(&c.Scoring)
	v.cases(&c.Cases)
	v.models(&c.Models)
	v.pipeline(&c.Pipeline)
	v.bridge(&c.Bridge)
	v.listener("http.listen", c.HTTP.Listen)
	v.listener("pprof.listen", c.Pprof.Listen)
	if host, _, err := net.SplitHostPort(c.Pprof.Listen); err == nil && host != "" && !address.IsLoopback(host) {
		v.wrong("pprof.listen", c.Pprof.Listen, "profiles show memory, customers included: "+
			"listen on 127.0.0.1 and reach it through an SSH tunnel or kubectl port-forward")
	}
	v.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	v.oneOf("log.format", c.Log.Format, "text", "json")
	return v.problems
}

type validator struct{ problems []Problem }

// wrong notes a bad value and its fix. A login in the value is hidden.
func (v *validator) wrong(path string, value any, fix string) {
	v.problems = append(v.problems, Problem{Field: path, Text: fmt.Sprintf("cannot use %q: %s",
		address.Mask(fmt.Sprint(value)), fix)})
}

func (v *validator) oneOf(path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		v.wrong(path, value, "expected "+strings.Join(allowed[:len(allowed)-1], ", ")+" or "+allowed[len(allowed)-1])
	}
}

// between checks a number; both ends are allowed.
func between[T ~int64](v *validator, path string, value, low, high T) {
	if value < low || value > high {
		v.wrong(path, value, fmt.Sprintf("expected %v to %v", low, high))
	}
}

func (v *validator) addresses(path string, list []string, example string) {
	if len(list) == 0 {
		v.wrong(path, "", "expected at least one address such as "+example)
	}
	for _, a := range list {
		if err := address.Check(a, example); err != nil {
			v.problems = append(v.problems, Problem{Field: path, Text: err.Error()})
		}
	}
}

func (v *validator) listener(path, listen string) {
	host, port, err := net.SplitHostPort(listen)
	switch {
	case err != nil || port == "" || strings.Contains(listen, "@"):
		v.wrong(path, listen, "expected host:port, such as 127.0.0.1:8780")
	case host == "":
		v.wrong(path, listen, "no host means every network: write 127.0.0.1"+listen+" for this machine only, "+
			"or 0.0.0.0"+listen+" if everybody may read it")
	}
}

func (v *validator) kafka(k *Kafka) {
	v.addresses("kafka.brokers", k.Brokers, "localhost:9092")
	v.name("kafka.group", k.Group)
	between(v, "kafka.session_timeout", k.SessionTimeout, Duration(6*time.Second), Duration(time.Hour))
	between(v, "kafka.dial_timeout", k.DialTimeout, Duration(100*time.Millisecond), Duration(5*time.Minute))
	between(v, "kafka.request_timeout", k.RequestTimeout, Duration(time.Second), Duration(5*time.Minute))
	v.tls("kafka.tls", k.TLS)
	v.sasl(k)
	r := &k.Retention
	between(v, "kafka.retention.invoices", r.Invoices, Day, 3650*Day)
	between(v, "kafka.retention.open_cases", r.OpenCases, Day, 3650*Day)
	between(v, "kafka.retention.events", r.Events, Day, 36500*Day)
	between(v, "kafka.retention.dead_letters", r.DeadLetters, Day, 3650*Day)
}

var kafkaName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

func (v *validator) name(path, name string) {
	if !kafkaName.MatchString(name) || name == "." || name == ".." {
		v.wrong(path, name, "expected 1 to 249 letters, digits, dots, dashes or underscores")
	}
}

// topics checks the names; two roles on one topic would read each other's records.
func (v *validator) topics(table []Topic) {
	taken := map[string]string{}
	for _, t := range table {
		path := "kafka.topics." + t.Role
		v.name(path, t.Name)
		if other, ok := taken[t.Name]; ok {
			v.wrong(path, t.Name, other+" has this name already: give each topic its own")
		}
		taken[t.Name] = path
	}
}

func (v *validator) tls(path string, t TLS) {
	for _, file := range [][2]string{
		{"ca_file", t.CAFile}, {"cert_file", t.CertFile}, {"key_file", t.KeyFile}, {"server_name", t.ServerName},
	} {
		if !t.Enabled && file[1] != "" {
			v.wrong(path+"."+file[0], file[1], "without effect while "+path+".enabled is false: set that to true")
		}
	}
	if t.CertFile != "" && t.KeyFile == "" {
		v.wrong(path+".key_file", "", "expected the key of "+path+".cert_file")
	}
	if t.KeyFile != "" && t.CertFile == "" {
		v.wrong(path+".cert_file", "", "expected the certificate of "+path+".key_file")
	}
}

func (v *validator) sasl(k *Kafka) {
	s := k.SASL
	if s.Mechanism == "" {
		if s.Username != "" || s.Password != "" || s.PasswordFile != "" {
			v.wrong("kafka.sasl.mechanism", "", "a username or password is set: expected PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
		}
		return
	}
	v.oneOf("kafka.sasl.mechanism", s.Mechanism, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
	if s.Username == "" {
		v.wrong("kafka.sasl.username", "", "expected a name, since kafka.sasl.mechanism is set")
	}
	if s.Password == "" {
		v.wrong("kafka.sasl.password", "", "set kafka.sasl.password_file or RECOUP_KAFKA_SASL_PASSWORD")
	}
	if s.Mechanism != "PLAIN" || k.TLS.Enabled || s.AllowPlaintext {
		return
	}
	for _, broker := range k.Brokers {
		if address.Check(broker, "") == nil && !address.IsLoopback(broker) {
			v.wrong("kafka.sasl.mechanism", "PLAIN", "the password would cross the network readable to "+broker+
				": set kafka.tls.enabled, use SCRAM-SHA-512, or set kafka.sasl.allow_plaintext")
		}
	}
}

var databaseName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

func (v *validator) clickHouse(c *ClickHouse) {
	v.addresses("clickhouse.addresses", c.Addresses, "localhost:9000")
	if !databaseName.MatchString(c.Database) {
		v.wrong("clickhouse.database", c.Database, "expected a name of letters, digits and underscores")
	}
	if c.User == "" {
		v.wrong("clickhouse.user", "", "expected a name; ClickHouse's own is default")
	}
	v.tls("clickhouse.tls", c.TLS)
	for _, a := range c.Addresses {
		if c.Password != "" && !c.TLS.Enabled && !c.AllowPlaintext && address.Check(a, "") == nil && !address.IsLoopback(a) {
			v.wrong("clickhouse.addresses", a, "the password would cross the network readable: set clickhouse.tls.enabled "+
				"(its port is usually 9440), or set clickhouse.allow_plaintext")
		}
	}
	between(v, "clickhouse.dial_timeout", c.DialTimeout, Duration(100*time.Millisecond), Duration(5*time.Minute))
	between(v, "clickhouse.query_timeout", c.QueryTimeout, Duration(time.Second), Duration(time.Hour))
	between(v, "clickhouse.inserts_per_second", c.InsertsPerSecond, 1, 1000)
	between(v, "clickhouse.retention", c.Retention, 31*Day, 36500*Day)
	between(v, "clickhouse.min_free_disk", c.MinFreeDisk, 0, 1<<50)
}

func (v *validator) scoring(s *Scoring) {
	between(v, "scoring.deviation", s.Deviation, 0, 9999)
	between(v, "scoring.min_n", s.MinN, 1, 1<<40)
	if !(s.MaxCV >= 0 && s.MaxCV <= 10) {
		v.wrong("scoring.max_cv", s.MaxCV, "expected 0 to 10")
	}
	if !(s.SuspectThreshold >= 0 && s.SuspectThreshold <= 1) {
		v.wrong("scoring.suspect_threshold", s.SuspectThreshold, "expected 0 (as trained) or a probability, at most 1")
	}
	between(v, "scoring.half_life", s.HalfLife, Duration(time.Hour), 36500*Day)
	between(v, "scoring.learn_within", s.LearnWithin, 0, 3650*Day)
	between(v, "scoring.identity_retention", s.IdentityRetention, Duration(time.Hour), 3650*Day)
	between(v, "scoring.future_tolerance", s.FutureTolerance, 0, 3650*Day)
	if !(s.BaseRate > 0 && s.BaseRate < 1) {
		v.wrong("scoring.base_rate", s.BaseRate, "expected a share between 0 and 1")
	}
	for _, currency := range slices.Sorted(maps.Keys(s.HandlingCost)) {
		path := "scoring.handling_cost." + currency
		if _, known := invoice.Exponent(currency); !known {
			v.wrong(path, currency, "expected an ISO 4217 currency code such as EUR")
		}
		if cost := s.HandlingCost[currency]; cost < 0 {
			v.wrong(path, cost, "expected 0 or more")
		}
	}
}

func (v *validator) models(m *Models) {
	if m.Pin != "" && m.Pin != "prior" && !modelVersion.MatchString(m.Pin) {
		v.wrong("models.pin", m.Pin, "expected prior, or a version such as trained-8c6f471bf8ba6328")
	}
	between(v, "models.history", m.History, 7*Day, 3650*Day)
	between(v, "models.invoices", m.Invoices, 1000, 1_000_000)
}

var modelVersion = regexp.MustCompile(`^trained-[0-9a-f]{16}$`)

func (v *validator) pipeline(p *Pipeline) {
	between(v, "pipeline.row_buffer", p.RowBuffer, 16<<20, 1<<40)
	between(v, "pipeline.flush_rows", p.FlushRows, 1, 1_000_000)
	between(v, "pipeline.memory.segments", p.Memory.Segments, 1, 1<<30)
	between(v, "pipeline.memory.customers", p.Memory.Customers, 1, 1<<30)
	between(v, "pipeline.memory.pairs", p.Memory.Pairs, 1, 1<<30)
	between(v, "pipeline.memory.products", p.Memory.Products, 1, 1<<30)
	between(v, "pipeline.memory.limit", p.Memory.Limit, 64<<20, 1<<40)
	between(v, "pipeline.flush_interval", p.FlushInterval, Duration(10*time.Millisecond), Duration(time.Minute))
	between(v, "pipeline.checkpoint_interval", p.CheckpointInterval, Duration(time.Second), Duration(time.Hour))
	between(v, "pipeline.fence_after", p.FenceAfter, Duration(100*time.Millisecond), Duration(time.Minute))
	between(v, "pipeline.drain_timeout", p.DrainTimeout, Duration(100*time.Millisecond), Duration(time.Minute))
	between(v, "pipeline.leave_timeout", p.LeaveTimeout, 0, Duration(time.Minute))
	l := &p.Limits
	between(v, "pipeline.limits.record_bytes", l.RecordBytes, 1<<10, 64<<20)
	between(v, "pipeline.limits.depth", l.Depth, 4, 1000)
	between(v, "pipeline.limits.lines", l.Lines, 1, 1_000_000)
	between(v, "pipeline.limits.items", l.Items, 1, 1_000_000)
	between(v, "pipeline.limits.unknown_fields", l.UnknownFields, 1, 1_000_000)
}
