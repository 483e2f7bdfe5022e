package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/pipeline"
)

// keepReferences leaves out of t the topics of references that do not exist:
// recoup works without them. One that the configuration names is an error.
func keepReferences(ctx context.Context, o Options, log pipeline.Log, t *pipeline.Topics) error {
	topics := map[string]*string{"reference": &t.Reference, "deliveries": &t.Deliveries}
	for _, row := range o.Config.TopicTable(1) {
		topic := topics[row.Role]
		if topic == nil {
			continue
		}
		there, err := exists(ctx, o, log, row.Name)
		switch {
		case err != nil:
			return err
		case there:
		case !row.Optional:
			return fmt.Errorf("cannot read references: topic %q (kafka.topics.%s) does not exist; create it with: "+
				"recoup topics create, or take the setting out", row.Name, row.Role)
		default:
			o.Log.Warn("topic is missing: invoices are scored without it; to use it, create it with "+
				"\"recoup topics create\" and start recoup again", "topic", row.Name)
			*topic = ""
		}
	}
	return nil
}

// exists asks until Kafka answers.
func exists(ctx context.Context, o Options, log pipeline.Log, topic string) (bool, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		_, err := log.Partitions(ctx, topic)
		if errors.Is(err, pipeline.ErrNoTopic) {
			return false, nil
		}
		o.Health.Set("kafka", err)
		if err == nil {
			return true, nil
		}
		o.Log.Warn("Kafka does not answer, trying again", "in", pause, "error", err)
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("cannot look for topic %q: %w", topic, err)
		case <-time.After(pause):
		}
	}
}

// parkingGroup names the group whose members share the parking of what cannot be read
// in a topic that is followed without one.
func parkingGroup(c *config.Config, topic string) string {
	t := &c.Kafka.Topics
	names := map[string]string{t.Reference: "reference", t.Deliveries: "deliveries", t.CaseEvents: "case-events",
		t.Recoveries: "recoveries", t.Disputes: "disputes"}
	return c.Kafka.Group + "-" + names[topic]
}

// parkingMember joins that group.
func parkingMember(c *config.Config, client *kafka.Client, topic string) pipeline.Group {
	return client.Group(kafka.GroupSettings{ID: parkingGroup(c, topic), Topic: topic,
		SessionTimeout: c.Kafka.SessionTimeout.Std()})
}
