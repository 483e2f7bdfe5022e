package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// Members returns how many members a group has now. One that was killed counts until
// its session has timed out.
func (c *Client) Members(ctx context.Context, group string) (n int, err error) {
	got, err := c.api.DescribeGroups(ctx, &kafkago.DescribeGroupsRequest{GroupIDs: []string{group}})
	if err == nil && len(got.Groups) > 0 && !errors.Is(got.Groups[0].Error, kafkago.GroupIdNotFound) {
		n, err = len(got.Groups[0].Members), got.Groups[0].Error
	}
	if err != nil {
		return 0, fmt.Errorf("cannot count the members of group %q: %w", group, c.explain(ctx, err))
	}
	return n, nil
}

// Grow adds partitions to a topic until it has so many; one that has them is left alone.
func (c *Client) Grow(ctx context.Context, topic string, partitions int) error {
	has, err := c.Log().Partitions(ctx, topic)
	if err != nil || has >= partitions {
		return err
	}
	got, err := c.api.CreatePartitions(ctx, &kafkago.CreatePartitionsRequest{
		Topics: []kafkago.TopicPartitionsConfig{{Name: topic, Count: int32(partitions)}}})
	if err == nil {
		err = got.Errors[topic]
	}
	if err != nil {
		return fmt.Errorf("cannot add partitions to topic %q, which has %d, up to %d: %w", topic, has, partitions,
			c.explain(ctx, err))
	}
	return c.awaitPartitions(ctx, topic, partitions)
}

// awaitPartitions waits until the cluster tells of so many partitions: what it has
// acknowledged, a broker may not know yet.
func (c *Client) awaitPartitions(ctx context.Context, topic string, partitions int) error {
	for began := time.Now(); ; {
		has, err := c.Log().Partitions(ctx, topic)
		if err != nil || has >= partitions {
			return err
		}
		if time.Since(began) > c.patience {
			return fmt.Errorf("cannot see the new partitions of topic %q: it has %d, want %d; try again", topic, has, partitions)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(leaderPause):
		}
	}
}
