package cluster

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
)

// stamp has the broker stamp what recoup writes when it is appended, as it does with commits:
// an audit compares the two. By default the time of a record is what its writer says, which
// may have waited, or have a clock of its own.
func (c *Cluster) stamp(ctx context.Context) error {
	t := &c.Config.Kafka.Topics
	request := kafkago.IncrementalAlterConfigsRequest{Addr: kafkago.TCP(c.Config.Kafka.Brokers...)}
	for _, topic := range []string{t.Suspects, t.Cases, t.DeadLetter, t.State} {
		request.Resources = append(request.Resources, kafkago.IncrementalAlterConfigsRequestResource{
			ResourceType: kafkago.ResourceTypeTopic, ResourceName: topic,
			Configs: []kafkago.IncrementalAlterConfigsRequestConfig{{Name: "message.timestamp.type",
				Value: "LogAppendTime", ConfigOperation: kafkago.ConfigOperationSet}},
		})
	}
	var transport kafkago.Transport
	defer transport.CloseIdleConnections()
	response, err := (&kafkago.Client{Transport: &transport}).IncrementalAlterConfigs(ctx, &request)
	if err == nil {
		for _, r := range response.Resources {
			err = errors.Join(err, r.Error)
		}
	}
	if err != nil {
		return fmt.Errorf("cannot have the broker stamp records: %w", err)
	}
	return nil
}
