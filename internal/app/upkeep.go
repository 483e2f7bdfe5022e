package app

import (
	"context"

	"recoup/internal/kafka"
	"recoup/pipeline"
	"recoup/sinks"
)

// Upkeep is an installation that is looked at or changed while its members are stopped.
type Upkeep struct {
	// Member plans and changes.
	Member *pipeline.Member
	// Kafka reaches the cluster.
	Kafka *kafka.Client

	store *sinks.Store
}

// OpenUpkeep connects to Kafka. The caller closes what it returns.
func OpenUpkeep(ctx context.Context, o Options) (*Upkeep, error) {
	client, err := Kafka(o.Config, o.Log)
	if err != nil {
		return nil, err
	}
	u := &Upkeep{Kafka: client}
	if u.store, err = sinks.Open(ClickHouse(o.Config, o.Log)); err != nil {
		u.Close()
		return nil, err
	}
	opt := member(o.Config)
	opt.Member = memberName()
	opt.Log = o.Log
	opt.Metrics = pipeline.NewMetrics(o.Registry)
	opt.Report = o.Health.Set
	if err := keepReferences(ctx, o, client.Log(), &opt.Topics); err != nil {
		u.Close()
		return nil, err
	}
	u.Member = pipeline.NewMember(opt, client.Log(), client.Group(group(o.Config)), u.store)
	return u, nil
}

// Close ends the connections.
func (u *Upkeep) Close() {
	if u.store != nil {
		_ = u.store.Close()
	}
	_ = u.Kafka.Close()
}
