package cluster

import (
	"context"
	"fmt"

	"recoup/pipeline"
)

// EachRecord is told the records of a partition of a topic, from its start to the end that
// it has now. It ends with the error of do.
func EachRecord(ctx context.Context, log pipeline.Log, topic string, partition int,
	do func(*pipeline.Record) error) error {
	start, end, err := log.Bounds(ctx, topic, partition)
	if err != nil {
		return err
	}
	reader := log.Open(topic, partition)
	defer func() { _ = reader.Close() }()
	for at := start; at < end; {
		fetched, err := reader.Fetch(ctx, at)
		if err != nil {
			return fmt.Errorf("cannot read %s/%d at offset %d: %w", topic, partition, at, err)
		}
		for i := range fetched.Records {
			if err := do(&fetched.Records[i]); err != nil {
				return err
			}
		}
		at = fetched.Next
	}
	return nil
}

// EachRecordOf is told those of all partitions, one partition after the other.
func EachRecordOf(ctx context.Context, log pipeline.Log, topic string,
	do func(partition int, r *pipeline.Record) error) error {
	partitions, err := log.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	for p := range partitions {
		if err := EachRecord(ctx, log, topic, p, func(r *pipeline.Record) error { return do(p, r) }); err != nil {
			return err
		}
	}
	return nil
}
