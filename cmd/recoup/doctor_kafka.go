package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"recoup/internal/app"
	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/invoice"
	"recoup/pipeline"
)

const (
	// recentInvoices is how many are looked at for currencies.
	recentInvoices = 10_000
	// mostWait is how long an invoice may wait before somebody should know.
	mostWait = 5 * time.Minute
)

// kafka checks the cluster.
func (x *examination) kafka(ctx context.Context) {
	client, err := app.Kafka(x.settings, x.log)
	if err != nil {
		x.failed("kafka", err, "start Kafka; check kafka.brokers")
		return
	}
	defer client.Close()
	cluster, err := client.Ping(ctx)
	if err != nil {
		x.failed("kafka", err, "check kafka.brokers")
		return
	}
	x.ok("kafka", "%d brokers, version %s or newer, cluster %s", len(cluster.Brokers), cluster.Version, cluster.ID)
	partitions := x.topics(ctx, client, len(cluster.Brokers))
	if partitions == 0 {
		return
	}
	x.lag(ctx, client)
	x.currencies(ctx, client, partitions)
	x.models(ctx, client)
	x.stage(ctx, client)
}

// letDescribe is what to do about topics that cannot be asked.
const letDescribe = "let this user describe topics (ACL operations Describe and DescribeConfigs)"

// topics checks every topic and returns how many partitions the invoices have.
func (x *examination) topics(ctx context.Context, client *kafka.Client, brokers int) int {
	partitions, err := invoicePartitions(ctx, client, x.settings)
	if err != nil {
		x.failed("topics", err, letDescribe)
		return 0
	}
	table := x.settings.TopicTable(max(partitions, 1))
	found, err := client.Describe(ctx, topicNames(table)...)
	if err != nil {
		x.failed("topics", err, letDescribe)
		return partitions
	}
	before := len(x.findings)
	there, without := len(table), ""
	for i, t := range found {
		x.topic(table[i], t, brokers)
		if !t.Exists && table[i].Optional {
			there--
			without += fmt.Sprintf("; %s is missing and not needed, recoup topics create makes it", t.Name)
		}
	}
	if len(x.findings) == before {
		x.ok("topics", "%d topics, %d partitions of invoices%s", there, partitions, without)
	}
	return partitions
}

// topic checks one topic.
func (x *examination) topic(want config.Topic, is kafka.Topic, brokers int) {
	if !is.Exists {
		if !want.Optional {
			x.wrong("topics", fmt.Sprintf("topic %s (kafka.topics.%s) is missing", want.Name, want.Role),
				"recoup topics create")
		}
		return
	}
	problems := topicProblems(want, is)
	if wrong := wrongSettings(want, is); len(wrong) > 0 && len(problems) == len(wrong) {
		x.wrong("topics", fmt.Sprintf("topic %s %s", want.Name, strings.Join(problems, "; ")),
			alterCommand(x.settings.Kafka.Brokers[0], want.Name, wrong))
	} else if len(problems) > 0 {
		x.wrong("topics", fmt.Sprintf("topic %s %s", want.Name, strings.Join(problems, "; ")), fmt.Sprintf(
			"partition p of %s and of %s belong together: stop recoup, delete %s and run recoup topics create "+
				"(its content is lost; what invoices still hold is learned again)",
			x.settings.Kafka.Topics.Invoices, want.Name, want.Name))
	}
	if (want.Ours || want.Role == "invoices") && is.Replication == 1 && brokers >= 3 {
		x.wrong("topics", fmt.Sprintf("topic %s stands on one broker of %d: it is lost with that broker", want.Name, brokers),
			"raise its replication with kafka-reassign-partitions; recoup topics create --replication 3 makes new ones so")
	}
}

// lag checks how far the service is behind.
func (x *examination) lag(ctx context.Context, client *kafka.Client) {
	group, topic := x.settings.Kafka.Group, x.settings.Kafka.Topics.Invoices
	committed, err := client.CommittedOffsets(ctx, group, topic)
	if err != nil {
		x.failed("lag", err, "let this user read group "+group+" (ACL operation Describe)")
		return
	}
	waiting, lost, begun := int64(0), int64(0), false
	oldest := time.Time{}
	for _, p := range slices.Sorted(maps.Keys(committed)) {
		start, end, err := client.Log().Bounds(ctx, topic, p)
		if err != nil {
			x.failed("lag", err, "")
			return
		}
		offset := committed[p]
		if offset >= 0 {
			begun = true
			lost += max(0, start-offset)
		}
		offset = max(offset, start)
		waiting += max(0, end-offset)
		if at, ok := timeOf(ctx, client.Log(), topic, p, offset, end); ok && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	if lost > 0 {
		x.wrong("lag", fmt.Sprintf("%d records of %s were deleted before group %s scored them", lost, topic, group),
			"raise retention.ms of the topic, and run enough processes")
	}
	switch age := time.Since(oldest); {
	case !begun:
		x.ok("lag", "group %s has not begun; %d records wait", group, waiting)
	case waiting > 0 && age > mostWait:
		x.wrong("lag", fmt.Sprintf("%d records wait, the oldest for %s", waiting, age.Round(time.Second)),
			"start recoup run, or more of it, up to one process for each partition; look at its /readyz")
	default:
		x.ok("lag", "%d records wait", waiting)
	}
}

// timeOf returns the time of the record at an offset, or the next one.
func timeOf(ctx context.Context, log pipeline.Log, topic string, partition int, offset, end int64) (time.Time, bool) {
	var at time.Time
	err := scanFrom(ctx, log, topic, partition, offset, end, func(r *pipeline.Record) (bool, error) {
		at = r.Time
		return false, nil
	})
	return at, err == nil && !at.IsZero()
}

// currencies looks for some that have no handling cost among the last invoices.
func (x *examination) currencies(ctx context.Context, client *kafka.Client, partitions int) {
	topic := x.settings.Kafka.Topics.Invoices
	decoder := invoice.NewDecoder(x.settings.Pipeline.Limits.Invoice())
	var inv invoice.Invoice
	seen, looked := map[string]int{}, 0
	for p := range partitions {
		start, end, err := client.Log().Bounds(ctx, topic, p)
		if err == nil {
			from := max(start, end-int64(recentInvoices/partitions+1))
			err = scanFrom(ctx, client.Log(), topic, p, from, end, func(r *pipeline.Record) (bool, error) {
				if decoder.Decode(r.Value, &inv) == nil {
					looked++
					if _, ok := x.settings.Scoring.HandlingCost[inv.Currency]; !ok {
						seen[strings.Clone(inv.Currency)]++
					}
				}
				return true, nil
			})
		}
		if errors.Is(err, pipeline.ErrOutOfRange) {
			continue // retention was faster
		}
		if err != nil {
			x.failed("currencies", err, "let this user read "+topic)
			return
		}
	}
	for _, currency := range slices.Sorted(maps.Keys(seen)) {
		x.wrong("currencies", fmt.Sprintf("%d of the last %d invoices are in %s, which has no handling cost: its suspects "+
			"open no case", seen[currency], looked, currency), "set scoring.handling_cost."+currency)
	}
	if len(seen) == 0 {
		x.ok("currencies", "every currency of the last %d invoices has a handling cost", looked)
	}
}
