package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"recoup/bench/auditor"
	"recoup/bench/cluster"
	"recoup/bench/load"
	"recoup/internal/clickhouse"
	"recoup/internal/config"
	"recoup/internal/kafkaserver"
)

// rig is one installation under measurement: servers of its own, members, and a stream of
// invoices that never ends by itself.
type rig struct {
	*cluster.Cluster
	broker    *kafkaserver.Server
	warehouse *clickhouse.Server
	dir       string
	temporary bool

	stream *load.Generator
	ledger *auditor.Ledger // nil: nobody needs it
	sent   atomic.Int64    // records that stand in the topic
}

// start starts servers and installs recoup with its default settings. Every topic has
// the broker's time, so that times of different writers can be compared.
func (f *flags) start(ctx context.Context, name string) (*rig, error) {
	say("%s: starting Kafka and ClickHouse, installing recoup", name)
	r := &rig{}
	if err := r.install(ctx, f, name); err != nil {
		r.close()
		return nil, fmt.Errorf("cannot start what %s needs: %w", name, err)
	}
	return r, nil
}

func (r *rig) install(ctx context.Context, f *flags, name string) (err error) {
	if f.Keep != "" {
		r.dir = filepath.Join(f.Keep, name)
		err = os.MkdirAll(r.dir, 0o755)
	} else {
		r.temporary = true
		r.dir, err = os.MkdirTemp("", "recoup-recovery-")
	}
	if err != nil {
		return err
	}
	r.broker, err = kafkaserver.Start(ctx, kafkaserver.Options{Config: map[string]string{
		"log.message.timestamp.type": "LogAppendTime"}})
	if err != nil {
		return err
	}
	if r.warehouse, err = clickhouse.Start(ctx, clickhouse.Options{Nice: 10}); err != nil {
		return err
	}
	r.Cluster, err = cluster.Install(ctx, cluster.Options{Dir: r.dir, Broker: r.broker.Addr(),
		ClickHouse: r.warehouse.NativeAddr, Partitions: f.Partitions, Adjust: func(c *config.Config) {
			c.Log.Format = "json"
			if name == "outage" {
				c.Models.Train = false // so that the auditor knows what is suspect
				c.Pipeline.RowBuffer = smallBuffer
			}
		}})
	return err
}

// close ends members and servers, and removes what is not to be kept.
func (r *rig) close() {
	stop := context.Background()
	if r.Cluster != nil {
		r.Cluster.Close()
	}
	if r.broker != nil {
		_ = r.broker.Stop(stop)
	}
	if r.warehouse != nil {
		_ = r.warehouse.Stop(stop)
	}
	if r.temporary {
		_ = os.RemoveAll(r.dir)
	}
}

// versions names the servers.
func (r *rig) versions(ctx context.Context) string {
	found, err := r.Kafka.Ping(ctx)
	if err != nil {
		return "Kafka, ClickHouse " + r.warehouse.Version
	}
	return "Kafka " + found.Version + ", ClickHouse " + r.warehouse.Version
}

// join starts so many members.
func (r *rig) join(members int) error {
	for range members {
		if _, err := r.Join(); err != nil {
			return err
		}
	}
	return nil
}

// plan is the traffic of all measurements: three lines, 3 % errors, some redelivered, some late.
func (f *flags) plan(segments, customers int) load.Plan {
	return load.Plan{Invoices: math.MaxInt, Partitions: f.Partitions, Segments: segments, Customers: customers, Lines: 3,
		Seed: 1, Separated: true, Injected: 0.03, Redelivered: 0.001, Late: 0.01, WarmUp: 60}
}

// prepare makes the stream of a plan.
func (r *rig) prepare(plan load.Plan) { r.stream = load.New(plan) }

// feed sends the stream on, at a rate or, of 0, as fast as the broker takes it. What it
// returns ends that and waits until all that was made stands in the topic.
func (r *rig) feed(ctx context.Context, rate float64) (stop func() error) {
	until, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- load.Send(ctx, r.Kafka.Log(), r.stream, load.Sending{Topic: r.Config.Kafka.Topics.Invoices, Rate: rate,
			Until: until, Sent: func(truths []load.Truth) {
				r.sent.Add(int64(len(truths)))
				if r.ledger != nil {
					r.ledger.Add(truths)
				}
			}})
	}()
	return func() error {
		close(until)
		return <-done
	}
}

// rate begins to count what is sent; what it returns tells how many records a second it was.
func (r *rig) rate() func() float64 {
	began, sent := time.Now(), r.sent.Load()
	return func() float64 { return float64(r.sent.Load()-sent) / time.Since(began).Seconds() }
}

// fill sends so many records as fast as possible and waits until members have worked them off.
func (r *rig) fill(ctx context.Context, records int64) error {
	say("filling: %d records", records)
	stop := r.feed(ctx, 0)
	err := r.await(ctx, 5*time.Minute, "the topic to be filled", func() (bool, error) {
		return r.sent.Load() >= records, nil
	})
	if err = errors.Join(err, stop()); err != nil {
		return err
	}
	return r.Drain(ctx, nil)
}

// checkpointed waits, while invoices come, until every partition has made the checkpoint that
// is due after the filling: that it replays half a minute of the fastest filling says nothing
// about a take-over.
func (r *rig) checkpointed(ctx context.Context) error {
	say("waiting for a checkpoint of every partition")
	return sleep(ctx, r.Config.Pipeline.CheckpointInterval.Std()+5*time.Second)
}

// poll is how often a wait looks.
const poll = 25 * time.Millisecond

// await waits until something is so.
func (r *rig) await(ctx context.Context, patience time.Duration, what string, so func() (bool, error)) error {
	began := time.Now()
	for {
		is, err := so()
		if is || err != nil {
			return err
		}
		if time.Since(began) > patience {
			return errors.Join(append(r.Ended(), fmt.Errorf("waited %v for %s", patience, what))...)
		}
		if err := sleep(ctx, poll); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// lag is how many records of the topic are not committed.
func (r *rig) lag(ctx context.Context) (left int64, err error) {
	lags, err := r.Kafka.Lag(ctx, r.Config.Kafka.Group, r.Config.Kafka.Topics.Invoices)
	for _, n := range lags {
		left += n
	}
	return left, err
}

// usualLag is how many seconds' worth of invoices is not committed while all is well: a
// member makes two inserts for each partition, and five a second at most.
const usualLag = 6

// settled waits until every partition has an owner that runs, each member that runs has
// taken over its share of them, and no more waits than usual.
func (r *rig) settled(ctx context.Context, rate float64) error {
	return r.await(ctx, 2*time.Minute, "members to have caught up", func() (bool, error) {
		owners, err := r.owners()
		if err != nil {
			return false, err
		}
		owning, running := map[*cluster.Member]int{}, 0
		for _, m := range owners {
			if m == nil || !m.Running() {
				return false, nil
			}
			owning[m]++
		}
		for _, m := range r.Members() {
			if m.Running() {
				running++
			}
		}
		for _, m := range r.Members() {
			if m.Running() && owning[m] < len(owners)/running {
				return false, nil
			}
		}
		left, err := r.lag(ctx)
		return float64(left) < usualLag*rate, err
	})
}
