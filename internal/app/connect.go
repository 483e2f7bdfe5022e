package app

import (
	"log/slog"
	"time"

	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/internal/tlsfile"
	"recoup/pipeline"
	"recoup/sinks"
)

// Kafka connects to the cluster of a configuration.
func Kafka(c *config.Config, log *slog.Logger) (*kafka.Client, error) {
	k := &c.Kafka
	return kafka.Connect(kafka.Settings{
		Brokers:  k.Brokers,
		ClientID: k.ClientID,
		TLS:      tlsFiles(k.TLS),
		SASL: kafka.SASL{Mechanism: k.SASL.Mechanism, Username: k.SASL.Username,
			Password: k.SASL.Password.Reveal(), AllowPlaintext: k.SASL.AllowPlaintext},
		DialTimeout:    k.DialTimeout.Std(),
		RequestTimeout: k.RequestTimeout.Std(),
		Logger:         log,
	})
}

// ClickHouse returns the settings of a configuration's database.
func ClickHouse(c *config.Config, log *slog.Logger) sinks.Settings {
	s := &c.ClickHouse
	return sinks.Settings{
		Addresses:        s.Addresses,
		Database:         s.Database,
		User:             s.User,
		Password:         s.Password.Reveal(),
		TLS:              tlsFiles(s.TLS),
		DialTimeout:      s.DialTimeout.Std(),
		QueryTimeout:     s.QueryTimeout.Std(),
		InsertsPerSecond: s.InsertsPerSecond,
		Retention:        s.Retention.Std(),
		MinFreeDisk:      int64(s.MinFreeDisk),
		Logger:           log,
	}
}

func tlsFiles(t config.TLS) tlsfile.Settings {
	return tlsfile.Settings{Enabled: t.Enabled, CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile,
		ServerName: t.ServerName}
}

// member returns the pipeline's options of a configuration.
func member(c *config.Config) pipeline.Options {
	o := pipeline.DefaultOptions()
	t, p := &c.Kafka.Topics, &c.Pipeline
	o.Group = c.Kafka.Group
	o.Topics = pipeline.Topics{Invoices: t.Invoices, Suspects: t.Suspects, State: t.State, Baselines: t.Baselines,
		Cases: t.Cases, CaseEvents: t.CaseEvents, Recoveries: t.Recoveries, Disputes: t.Disputes, DeadLetter: t.DeadLetter,
		Reference: t.Reference, Deliveries: t.Deliveries, Models: t.Models}
	o.Scoring = c.Scoring.Settings()
	o.Budget = c.Pipeline.Memory.Budget()
	o.Limits = p.Limits.Invoice()
	o.Stage.Desk.Keep = c.Kafka.Retention.OpenCases.Std() + closedCasesFor
	o.Stage.Desk.MostUnknown = int(c.Cases.MostUnknown)
	o.Stage.Desk.Incidents.HandlingCost = c.Scoring.HandlingCost
	o.PinModel = c.Models.Pin
	o.Training.Records = c.Models.Invoices
	o.Training.History = c.Models.History.Std()
	o.FlushRows = int(p.FlushRows)
	o.FlushInterval = p.FlushInterval.Std()
	o.ReferenceRetention = c.Kafka.Retention.Invoices.Std()
	o.RowBuffer = int64(p.RowBuffer)
	o.CheckpointInterval = p.CheckpointInterval.Std()
	o.FenceAfter = p.FenceAfter.Std()
	o.Standby.Keep = c.Kafka.SessionTimeout.Std() + keptBeyondSession
	o.DrainTimeout = p.DrainTimeout.Std()
	o.LeaveTimeout = p.LeaveTimeout.Std()
	o.FetchTimeout = max(o.FetchTimeout, c.Kafka.RequestTimeout.Std()+time.Second) // a request times out by itself first
	return o
}

// keptBeyondSession is how much longer than the group waits for a silent member what others
// have prepared of its partitions is kept.
const keptBeyondSession = 30 * time.Second

// closedCasesFor is how much longer than an open case a closed one is known: as long as
// the topic of the cases holds it (config.TopicTable).
const closedCasesFor = 30 * 24 * time.Hour

// heartbeat is how soon a member that scores hears of a rebalance: till then the
// partitions of who left or died rest.
const heartbeat = 150 * time.Millisecond

// group returns the settings of the consumer group that scores.
func group(c *config.Config) kafka.GroupSettings {
	return kafka.GroupSettings{ID: c.Kafka.Group, Topic: c.Kafka.Topics.Invoices,
		SessionTimeout: c.Kafka.SessionTimeout.Std(), HeartbeatInterval: heartbeat}
}

// StageGroup names the group whose one member runs the case stage.
func StageGroup(c *config.Config) string { return c.Kafka.Group + "-stage" }

// stageMember joins that group: on the topic of a single partition.
func stageMember(c *config.Config, client *kafka.Client) pipeline.Group {
	return client.Group(kafka.GroupSettings{ID: StageGroup(c), Topic: c.Kafka.Topics.Lead,
		SessionTimeout: c.Kafka.SessionTimeout.Std()})
}

// trainingMember joins the group whose one member trains models: on the topic of
// a single partition.
func trainingMember(c *config.Config, client *kafka.Client) pipeline.Group {
	return client.Group(kafka.GroupSettings{ID: c.Kafka.Group + "-models", Topic: c.Kafka.Topics.Lead,
		SessionTimeout: c.Kafka.SessionTimeout.Std()})
}
