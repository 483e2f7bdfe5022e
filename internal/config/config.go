// Package config reads recoup's settings: one strict YAML file over one literal
// of defaults, with an environment variable for every value. Its structs are
// the reference: docs/OPERATIONS.md and deploy/recoup.example.yaml are written
// from the comments here by this package's test.
package config

import "recoup/invoice"

// Config is everything that can be set. Durations and sizes carry their unit.
type Config struct {
	// Kafka says where the invoices come from and where alerts and state go.
	Kafka Kafka `yaml:"kafka"`
	// ClickHouse says where the results are kept.
	ClickHouse ClickHouse `yaml:"clickhouse"`
	// Scoring says what makes an invoice suspect and what a case costs. `recoup
	// score`, `recoup check` and `recoup run` read the same settings.
	Scoring Scoring `yaml:"scoring"`
	// Cases says what a case tells those who work it, and what is offered to customers.
	Cases Cases `yaml:"cases"`
	// Models says what is trained and what judges.
	Models Models `yaml:"models"`
	// Pipeline says how much is held in memory and how often it is written.
	Pipeline Pipeline `yaml:"pipeline"`
	// Bridge says whom `recoup bridge` tells of cases.
	Bridge Bridge `yaml:"bridge"`
	// HTTP serves /metrics, /livez and /readyz.
	HTTP HTTP `yaml:"http"`
	// Pprof serves Go's profiles, for somebody who looks for lost CPU or memory.
	Pprof Pprof `yaml:"pprof"`
	// Log says what is logged, to standard error.
	Log Log `yaml:"log"`
}

// Kafka reaches the cluster.
type Kafka struct {
	// Addresses, host:port, of some brokers; any one that answers is enough. By default localhost:9092.
	Brokers []string `yaml:"brokers"`
	// Names this program in the brokers' logs and quotas. By default recoup.
	ClientID string `yaml:"client_id"`
	// Encrypts the connections to the brokers.
	TLS TLS `yaml:"tls"`
	// Logs in at the brokers.
	SASL SASL `yaml:"sasl"`
	// Consumer group; all processes of one installation share it. By default recoup.
	Group string `yaml:"group"`
	// How long a silent process keeps its partitions, between 6s and 1h. By default 10s.
	SessionTimeout Duration `yaml:"session_timeout"`
	// Bounds opening a connection, TLS and login included. By default 5s.
	DialTimeout Duration `yaml:"dial_timeout"`
	// Bounds one request to a broker. By default 10s.
	RequestTimeout Duration `yaml:"request_timeout"`
	// Names of the topics; `recoup topics create` makes the missing ones.
	Topics Topics `yaml:"topics"`
	// How long `recoup topics create` lets the topics keep their records.
	Retention Retention `yaml:"retention"`
}

// TLS encrypts connections. The other side's certificate is always checked.
type TLS struct {
	// Turns encryption on. By default false.
	Enabled bool `yaml:"enabled"`
	// File of the authorities (PEM) that may sign the server's certificate. By default none: those of the
	// operating system.
	CAFile string `yaml:"ca_file"`
	// File of this client's certificate (PEM), for mutual TLS. By default none.
	CertFile string `yaml:"cert_file"`
	// File of the key (PEM) of that certificate. By default none.
	KeyFile string `yaml:"key_file"`
	// Name the server's certificate must carry. By default none: the host that is dialled.
	ServerName string `yaml:"server_name"`
}

// SASL logs in at the brokers.
type SASL struct {
	// PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. By default none: nobody logs in.
	Mechanism string `yaml:"mechanism"`
	// Name to log in with. By default none.
	Username string `yaml:"username"`
	// Password to log in with; only from the environment, or from password_file. By default none.
	Password Secret `yaml:"password,omitempty"`
	// File whose content is the password; a line end behind it is cut. By default none.
	PasswordFile string `yaml:"password_file"`
	// Permits PLAIN without TLS, which sends the password readable over the network. By default false.
	AllowPlaintext bool `yaml:"allow_plaintext"`
}

// Topics names the topics of the contract.
type Topics struct {
	// Invoices to score. By default billing.invoices.
	Invoices string `yaml:"invoices"`
	// Customers, prices, promotions and policies; a topic of that default name may be missing. By default
	// billing.reference.
	Reference string `yaml:"reference"`
	// The warehouse's count of each delivery; a topic of that default name may be missing. By default
	// billing.deliveries.
	Deliveries string `yaml:"deliveries"`
	// The decision log: every suspect verdict. By default recoup.suspects.
	Suspects string `yaml:"suspects"`
	// Its single partition's owner runs the case stage. By default recoup.lead.
	Lead string `yaml:"lead"`
	// Cases, for the case system and the pager. By default recoup.cases.
	Cases string `yaml:"cases"`
	// What people decided about cases. By default recoup.case-events.
	CaseEvents string `yaml:"case_events"`
	// What was paid back. By default recoup.recoveries.
	Recoveries string `yaml:"recoveries"`
	// Invoices that customers dispute. By default recoup.disputes.
	Disputes string `yaml:"disputes"`
	// State of each partition. By default recoup.state.
	State string `yaml:"state"`
	// Baselines shared by all partitions. By default recoup.baselines.
	Baselines string `yaml:"baselines"`
	// Trained models. By default recoup.models.
	Models string `yaml:"models"`
	// Records that cannot be read. By default recoup.dead-letter.
	DeadLetter string `yaml:"dead_letter"`
}

// Retention is how long topics keep records. Compacted topics keep the last
// record of every key for ever.
type Retention struct {
	// Invoices and deliveries; redeliveries are recognised, and deliveries known, as long. By default 35d.
	Invoices Duration `yaml:"invoices"`
	// Decisions; the longest time a case may stay open. Closed cases stay 30 days longer. By default 90d.
	OpenCases Duration `yaml:"open_cases"`
	// Case events, recoveries and disputes. By default 730d.
	Events Duration `yaml:"events"`
	// Records that could not be read. By default 14d.
	DeadLetters Duration `yaml:"dead_letters"`
}

// ClickHouse reaches the database.
type ClickHouse struct {
	// Addresses, host:port, of the native protocol; the next is tried when one fails. By default localhost:9000.
	Addresses []string `yaml:"addresses"`
	// Database that holds the tables; `recoup migrate` makes it. By default recoup.
	Database string `yaml:"database"`
	// Name to log in with. By default default.
	User string `yaml:"user"`
	// Password to log in with; only from the environment, or from password_file. By default none.
	Password Secret `yaml:"password,omitempty"`
	// File whose content is the password; a line end behind it is cut. By default none.
	PasswordFile string `yaml:"password_file"`
	// Permits a password without TLS to another host, which sends it readable over the network. By default false.
	AllowPlaintext bool `yaml:"allow_plaintext"`
	// Encrypts the connections to ClickHouse.
	TLS TLS `yaml:"tls"`
	// Bounds opening a connection. By default 5s.
	DialTimeout Duration `yaml:"dial_timeout"`
	// Bounds one query or insert. By default 30s.
	QueryTimeout Duration `yaml:"query_timeout"`
	// Inserts a second of one process, at most; those of a backlog with 1,000 invoices come on top. By default 5.
	InsertsPerSecond int64 `yaml:"inserts_per_second"`
	// How long rows are kept, counted from when they were stored; whole months are dropped. By default 1095d.
	Retention Duration `yaml:"retention"`
	// Free space of a local disk of ClickHouse below which it refuses rows, which wait; `recoup migrate` sets it. 0B:
	// it takes them until the disk is full, and may lose some then. By default 1GiB.
	MinFreeDisk Size `yaml:"min_free_disk"`
}

// Scoring says what is suspect.
type Scoring struct {
	// Shortfall against the mean of its segment that fires the deviation rule: strictly more than this. By default
	// 15%.
	Deviation Percent `yaml:"deviation"`
	// Invoices a segment needs before the rule can make an invoice suspect. By default 30.
	MinN int64 `yaml:"min_n"`
	// Coefficient of variation (standard deviation over mean) above which a segment is too spread for that. By
	// default 0.075.
	MaxCV float64 `yaml:"max_cv"`
	// Probability of an error from which on an invoice is suspect, at most 1. By default 0: what training found to be
	// right in four of five cases, and 0.5 as long as nothing is trained.
	SuspectThreshold float64 `yaml:"suspect_threshold"`
	// Age at which an invoice counts half in a mean. By default 90d.
	HalfLife Duration `yaml:"half_life"`
	// Lateness up to which an invoice still teaches the means. By default 35d.
	LearnWithin Duration `yaml:"learn_within"`
	// How long identities and deliveries are remembered, to recognise what comes twice. By default 35d.
	IdentityRetention Duration `yaml:"identity_retention"`
	// How far issued_at may lie after the record's own time before it is implausible. By default 1d.
	FutureTolerance Duration `yaml:"future_tolerance"`
	// Share of invoices that hold an error, where nothing better is known, between 0 and 1. By default 0.03.
	BaseRate float64 `yaml:"base_rate"`
	// What handling one case costs, by currency. An invoice in another currency opens no case: it is logged only.
	// By default CHF: 50.00, EUR: 50.00, GBP: 50.00, USD: 50.00.
	HandlingCost map[string]invoice.Amount `yaml:"handling_cost"`
}

// Models says how models are trained and which one judges.
type Models struct {
	// One process of the group trains each night on the newest invoices; it takes a core for some seconds and some
	// 200 MiB. By default true.
	Train bool `yaml:"train"`
	// What judges whatever is trained: prior for no model, or a version in the topic of models. By default none: the
	// newest model of each seller.
	Pin string `yaml:"pin"`
	// How long before the newest invoice the oldest was issued that is trained on. By default 35d.
	History Duration `yaml:"history"`
	// How many invoices are learned from, those of some customers where there are more; memory grows with it. Up to
	// 50 times as many are read. By default 60000.
	Invoices int64 `yaml:"invoices"`
}

// Pipeline bounds memory and paces writes.
type Pipeline struct {
	// Memory for rows that ClickHouse has not taken yet; when it is full, fetching pauses. By default 512MiB.
	RowBuffer Size `yaml:"row_buffer"`
	// Invoices of a partition after which they are stored at once, fewer if they take 32 MiB, or their
	// share of 64 MiB for all partitions of the process. By default 20000.
	FlushRows int64 `yaml:"flush_rows"`
	// Age after which rows are stored. By default 1s.
	FlushInterval Duration `yaml:"flush_interval"`
	// Shortest time between two checkpoints of a partition's state. By default 30s.
	CheckpointInterval Duration `yaml:"checkpoint_interval"`
	// Age of the last commit after which a process asks again whether a partition is still its own. By default 1.5s.
	FenceAfter Duration `yaml:"fence_after"`
	// Longest time a process that stops takes to store what it holds; who follows scores the rest again. By
	// default 500ms.
	DrainTimeout Duration `yaml:"drain_timeout"`
	// How long a process that stops goes on first, so that the others prepare to take its partitions over; half as long
	// again where it takes most of that to write what they need. Not where there are no others. 0s: not at all. By
	// default 5s.
	LeaveTimeout Duration `yaml:"leave_timeout"`
	// What is remembered of what was billed, the same in all processes: a partition takes its memory along. What was
	// billed longest ago makes room, and is counted.
	Memory Memory `yaml:"memory"`
	// What one record may cost; a larger one goes to the dead letters.
	Limits Limits `yaml:"limits"`
}

// Memory bounds what all partitions together remember, an equal share each.
type Memory struct {
	// Baselines of segments, about: from four fifths of it on some make room, as each belongs to one of 1,024 equal
	// parts of its partition. One that invoices of two partitions belong to counts twice. By default 2500000.
	Segments int64 `yaml:"segments"`
	// Customers, about, each with up to five invoices. By default 1250000.
	Customers int64 `yaml:"customers"`
	// Pairs of a customer and a product that it bought, about: by them a line is compared with what this customer paid
	// and took before. A partition has at most 2097152. By default 2500000.
	Pairs int64 `yaml:"pairs"`
	// Products, about, and as many descriptions of goods, deals and discount codes. One that invoices of two partitions
	// bill counts twice. A partition has at most 262144. By default 500000.
	Products int64 `yaml:"products"`
	// Memory of a process beyond which Go collects each time an eighth is added to what is in use, rather than once
	// that has doubled, unless the environment has a GOMEMLIMIT. It stops nothing from growing: what is remembered and
	// the row buffer get what they need. By default 1400MiB.
	Limit Size `yaml:"limit"`
}

// Limits bound one record.
type Limits struct {
	// Longest record. By default 8MiB.
	RecordBytes Size `yaml:"record_bytes"`
	// Nested objects and arrays. By default 16.
	Depth int64 `yaml:"depth"`
	// Lines of one invoice. By default 20000.
	Lines int64 `yaml:"lines"`
	// Strings in one list, such as promo_codes. By default 1000.
	Items int64 `yaml:"items"`
	// Fields of one object that the contract does not know. By default 256.
	UnknownFields int64 `yaml:"unknown_fields"`
}

// HTTP is the server of metrics and health.
type HTTP struct {
	// Address, host:port. Another host than this one must be written out, such as 0.0.0.0:8780 for all networks.
	// By default 127.0.0.1:8780.
	Listen string `yaml:"listen"`
}

// Pprof is the server of profiles.
type Pprof struct {
	// Turns the server on. By default false.
	Enabled bool `yaml:"enabled"`
	// Address, host:port, on this machine only: profiles show memory. By default 127.0.0.1:6060.
	Listen string `yaml:"listen"`
}

// Log is what is logged.
type Log struct {
	// debug, info, warn or error. By default info.
	Level string `yaml:"level"`
	// text for people, json for machines. By default text.
	Format string `yaml:"format"`
}
