package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"recoup/bench/cluster"
	"recoup/cases"
	"recoup/pipeline"
)

// mostLatency is how long after its event a case may come, p99.
const mostLatency = 250 * time.Millisecond

// noise is by how much p99 may differ between two spans of one run without that anything changed:
// a tenth of what it may be at all.
const noise = mostLatency / 10

// leastCases is how many cases p99 has to be of: of fewer it is their worst, and says little of those
// that are not among them.
const leastCases = 100

// latency measures from an event to its case, while all works and while ClickHouse is away.
func (f *flags) latency(ctx context.Context, r *rig) (s section, err error) {
	r.prepare(f.plan(fewSegments, newcomers))
	if err := r.join(1); err != nil {
		return s, err
	}
	stop := r.feed(ctx, f.Rate)
	if err := r.warm(ctx, f.Rate, f.Warm); err != nil {
		return s, err
	}
	say("measuring for %v", f.Steady)
	began, rate := time.Now(), r.rate()
	if err := sleep(ctx, f.Steady); err != nil {
		return s, err
	}
	gone, came, rate := time.Now(), rate(), r.rate()
	if err := r.clickHouseAway(ctx, f.Away); err != nil {
		return s, err
	}
	back, cameAway := time.Now(), rate()
	if err := stop(); err != nil {
		return s, err
	}
	if err := r.Drain(ctx, nil); err != nil {
		return s, err
	}
	all, err := r.eventsToCases(ctx)
	if err != nil {
		return s, err
	}
	s.title = "From an event to its case"
	s.setting = fmt.Sprintf("One member, %d partitions, %.0f invoices a second of 3 lines, 3 %% with an error. From the "+
		"append of the event to the append of its case, both by the broker's clock; events count by when they came.",
		f.Partitions, f.Rate)
	s.loaded(f.Rate, min(came, cameAway))
	s.compare(between(all, began, gone), between(all, gone, back))
	return s, nil
}

// compare tells how soon cases came with ClickHouse and without it.
func (s *section) compare(steady, away []time.Duration) {
	enough := min(len(steady), len(away)) >= leastCases
	s.unloaded = s.unloaded || !enough
	s.aimed("cases that were timed, and of them while ClickHouse was away", fmt.Sprintf("≥ %d each", leastCases), enough,
		"%d, %d", len(steady)+len(away), len(away))
	s.atMost("event to case, p99", steady, 0.99, mostLatency, milliseconds, "")
	s.tell("event to case, median and worst", "%s, %s", milliseconds(quantile(steady, 0.5)),
		milliseconds(quantile(steady, 1)))
	s.atMost("event to case while ClickHouse is away, p99", away, 0.99, mostLatency, milliseconds, "")
	s.atMost(fmt.Sprintf("the same, beside the p99 before and %s for noise", milliseconds(noise)), away, 0.99,
		quantile(steady, 0.99)+noise, milliseconds, "")
	s.tell("event to case while ClickHouse is away, median and worst", "%s, %s", milliseconds(quantile(away, 0.5)),
		milliseconds(quantile(away, 1)))
}

// arrival is how long behind its event a case came.
type arrival struct {
	event time.Time
	after time.Duration
}

// between returns how long cases took whose event came between two instants.
func between(all []arrival, from, to time.Time) (took []time.Duration) {
	for _, a := range all {
		if !a.event.Before(from) && a.event.Before(to) {
			took = append(took, a.after)
		}
	}
	return took
}

// eventsToCases compares the times of events with those of their cases' first records.
// Which event a case is of stands in the decision log.
func (r *rig) eventsToCases(ctx context.Context) (all []arrival, err error) {
	opened, err := r.firstCases(ctx)
	if err != nil {
		return nil, err
	}
	t := r.Config.Kafka.Topics
	for p := range r.stream.Plan().Partitions {
		came := map[int64]time.Time{}
		err := cluster.EachRecord(ctx, r.Kafka.Log(), t.Invoices, p, func(record *pipeline.Record) error {
			came[record.Offset] = record.Time
			return nil
		})
		if err != nil {
			return nil, err
		}
		err = cluster.EachRecord(ctx, r.Kafka.Log(), t.Suspects, p, func(record *pipeline.Record) error {
			var d pipeline.Decision
			if err := json.Unmarshal(record.Value, &d); err != nil {
				return fmt.Errorf("cannot read record %d of %s/%d: %w", record.Offset, t.Suspects, p, err)
			}
			if d.Case == nil || d.Verdict == nil {
				return nil
			}
			key := cases.DedupKey(d.Verdict.Seller, d.Verdict.InvoiceID, d.Verdict.Revision)
			event, at := came[d.Source.Offset], opened[key]
			if at.IsZero() {
				return fmt.Errorf("case %s of offset %d of partition %d was never published", key, d.Source.Offset, p)
			}
			all = append(all, arrival{event, at.Sub(event)})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// firstCases returns when the first record of each case came to stand.
func (r *rig) firstCases(ctx context.Context) (map[string]time.Time, error) {
	first := map[string]time.Time{}
	topic := r.Config.Kafka.Topics.Cases
	return first, cluster.EachRecordOf(ctx, r.Kafka.Log(), topic, func(_ int, record *pipeline.Record) error {
		if _, is := first[string(record.Key)]; !is {
			first[string(record.Key)] = record.Time
		}
		return nil
	})
}
