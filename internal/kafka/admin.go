package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	kafkago "github.com/segmentio/kafka-go"

	"recoup/pipeline"
)

// TopicSpec says how a topic should be.
type TopicSpec struct {
	// Name is the topic's name.
	Name string
	// Partitions is how many partitions it should have; 0: what the broker gives.
	Partitions int
	// Replication is how many brokers hold each partition; 0: what the broker gives.
	Replication int
	// Config are topic settings by their Kafka names, such as cleanup.policy.
	Config map[string]string
}

// Topic is how a topic is.
type Topic struct {
	// Name is the topic's name.
	Name string
	// Exists is false where the cluster has no such topic; the rest is then empty.
	Exists bool
	// Partitions is how many partitions it has.
	Partitions int
	// Replication is how many brokers hold its first partition.
	Replication int
	// Config are its settings in force, defaults included.
	Config map[string]string
}

// TopicReport says what EnsureTopics did, or found, about one topic.
type TopicReport struct {
	// Name is the topic's name.
	Name string
	// Created is true if the topic was missing and is now there, or would be.
	Created bool
	// Differences says in words where an existing topic is not as it should be.
	Differences []string
}

// EnsureTopics creates the topics that are missing and reports how the others
// differ from their specs, without touching them. With dryRun it creates none.
func (c *Client) EnsureTopics(ctx context.Context, specs []TopicSpec, dryRun bool) ([]TopicReport, error) {
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	there, err := c.Describe(ctx, names...)
	if err != nil {
		return nil, err
	}
	reports := make([]TopicReport, len(specs))
	var missing []kafkago.TopicConfig
	for i, s := range specs {
		reports[i] = TopicReport{Name: s.Name, Created: !there[i].Exists}
		if there[i].Exists {
			reports[i].Differences = s.differences(there[i])
		} else {
			missing = append(missing, s.request())
		}
	}
	if dryRun || len(missing) == 0 {
		return reports, nil
	}
	got, err := c.api.CreateTopics(ctx, &kafkago.CreateTopicsRequest{Topics: missing})
	if err != nil {
		return nil, fmt.Errorf("cannot create topics: %w", c.explain(ctx, err))
	}
	for _, m := range missing {
		if err := got.Errors[m.Topic]; err != nil && !errors.Is(err, kafkago.TopicAlreadyExists) {
			return nil, fmt.Errorf("cannot create topic %q with %d partitions, %d replicas: %w",
				m.Topic, m.NumPartitions, m.ReplicationFactor, c.explain(ctx, err))
		}
	}
	return reports, nil
}

func (s TopicSpec) request() kafkago.TopicConfig {
	// -1 leaves the number to the broker (Kafka 2.4).
	t := kafkago.TopicConfig{Topic: s.Name, NumPartitions: cmp.Or(s.Partitions, -1),
		ReplicationFactor: cmp.Or(s.Replication, -1)}
	for _, name := range slices.Sorted(maps.Keys(s.Config)) {
		t.ConfigEntries = append(t.ConfigEntries,
			kafkago.ConfigEntry{ConfigName: name, ConfigValue: s.Config[name]})
	}
	return t
}

// differences says where a topic is not as it should be.
func (s TopicSpec) differences(t Topic) []string {
	var out []string
	if s.Partitions != 0 && s.Partitions != t.Partitions {
		out = append(out, fmt.Sprintf("has %d partitions, expected %d", t.Partitions, s.Partitions))
	}
	if s.Replication != 0 && s.Replication != t.Replication {
		out = append(out, fmt.Sprintf("has %d replicas, expected %d", t.Replication, s.Replication))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Config)) {
		if is, want := t.Config[name], s.Config[name]; is != want {
			out = append(out, fmt.Sprintf("has %s=%s, expected %s", name, is, want))
		}
	}
	return out
}

// Describe returns the topics of these names, in their order; one that the
// cluster does not have comes with Exists false.
func (c *Client) Describe(ctx context.Context, names ...string) ([]Topic, error) {
	if len(names) == 0 {
		return nil, nil
	}
	if err := c.refresh(ctx); err != nil {
		return nil, err
	}
	got, err := c.metadata(ctx, names...)
	if err != nil {
		return nil, err
	}
	topics := make([]Topic, len(names))
	ask := &kafkago.DescribeConfigsRequest{}
	for i, t := range got.Topics {
		topics[i].Name = t.Name
		if errors.Is(t.Error, kafkago.UnknownTopicOrPartition) {
			continue
		}
		if t.Error != nil {
			return nil, fmt.Errorf("cannot describe topic %q: %w", t.Name, c.explain(ctx, t.Error))
		}
		topics[i].Exists, topics[i].Partitions = true, len(t.Partitions)
		if len(t.Partitions) > 0 {
			topics[i].Replication = len(t.Partitions[0].Replicas)
		}
		ask.Resources = append(ask.Resources, kafkago.DescribeConfigRequestResource{
			ResourceType: kafkago.ResourceTypeTopic, ResourceName: t.Name})
	}
	return topics, c.describeConfigs(ctx, topics, ask)
}

// describeConfigs fills in the settings of the topics.
func (c *Client) describeConfigs(ctx context.Context, topics []Topic, ask *kafkago.DescribeConfigsRequest) error {
	if len(ask.Resources) == 0 {
		return nil
	}
	got, err := c.api.DescribeConfigs(ctx, ask)
	if err != nil {
		return fmt.Errorf("cannot read the settings of topics: %w", c.explain(ctx, err))
	}
	for _, r := range got.Resources {
		if r.Error != nil {
			return fmt.Errorf("cannot read the settings of topic %q: %w", r.ResourceName, c.explain(ctx, r.Error))
		}
		config := make(map[string]string, len(r.ConfigEntries))
		for _, e := range r.ConfigEntries {
			config[e.ConfigName] = e.ConfigValue
		}
		for i := range topics {
			if topics[i].Name == r.ResourceName {
				topics[i].Config = config
			}
		}
	}
	return nil
}

// CommittedOffsets returns the offsets a group has committed, -1 where none was.
func (c *Client) CommittedOffsets(ctx context.Context, group, topic string) (map[int]int64, error) {
	n, err := c.Log().Partitions(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("cannot read the offsets of group %q: %w", group, err)
	}
	committed, err := c.committed(ctx, group, topic, n)
	if err != nil {
		return nil, err
	}
	offsets := make(map[int]int64, len(committed))
	for p, at := range committed {
		offsets[p] = at.Offset
	}
	return offsets, nil
}

// committed asks the group's coordinator for the last commit of each of n partitions.
func (c *Client) committed(ctx context.Context, group, topic string, n int) (map[int]pipeline.Committed, error) {
	all, committed := make([]int, n), make(map[int]pipeline.Committed, n)
	for p := range n {
		all[p] = p
		committed[p] = pipeline.Committed{Offset: -1}
	}
	err := c.settled(ctx, topic, 0, func(ctx context.Context) error {
		got, err := c.api.OffsetFetch(ctx, &kafkago.OffsetFetchRequest{
			GroupID: group, Topics: map[string][]int{topic: all}})
		if err != nil {
			return err
		}
		for _, p := range got.Topics[topic] {
			if p.Error != nil {
				return p.Error
			}
			committed[p.Partition] = pipeline.Committed{Offset: p.CommittedOffset, Leaving: p.Metadata == pipeline.Leaving}
		}
		if errors.Is(got.Error, kafkago.GroupIdNotFound) {
			return nil // nobody of that group was ever there
		}
		return got.Error
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read the offsets of group %q: %w", group, err)
	}
	return committed, nil
}

// Lag returns how many offsets lie between what a group has committed and the
// end of each partition; without a commit, from the partition's start.
func (c *Client) Lag(ctx context.Context, group, topic string) (map[int]int64, error) {
	committed, err := c.CommittedOffsets(ctx, group, topic)
	if err != nil {
		return nil, err
	}
	lag := make(map[int]int64, len(committed))
	for p, offset := range committed {
		start, end, err := c.Log().Bounds(ctx, topic, p)
		if err != nil {
			return nil, fmt.Errorf("cannot find the lag of group %q: %w", group, err)
		}
		lag[p] = max(0, end-max(offset, start))
	}
	return lag, nil
}

// Cluster is what Ping found.
type Cluster struct {
	// ID is the cluster's own name.
	ID string
	// Brokers are the addresses the cluster gives to clients, sorted.
	Brokers []string
	// Version is the Kafka version the broker is at least of, such as "3.9".
	Version string
}

// releases are the Kafka versions that raised the newest fetch request, which
// is the only thing by which a broker tells its version.
var releases = []struct {
	fetch   int
	version string
}{
	{18, "4.1"}, {17, "3.9"}, {16, "3.7"}, {15, "3.5"}, {13, "3.1"}, {12, "2.7"}, {11, "2.3"}, {fetchVersion, "2.1"},
}

// Ping asks the cluster who it is, over the network each time.
func (c *Client) Ping(ctx context.Context) (Cluster, error) {
	versions, err := c.api.ApiVersions(ctx, &kafkago.ApiVersionsRequest{})
	if err == nil {
		err = versions.Error
	}
	if err != nil {
		return Cluster{}, c.unreachable(ctx, err)
	}
	got, err := c.metadata(ctx)
	if err != nil {
		return Cluster{}, err
	}
	cluster := Cluster{ID: got.ClusterID}
	for _, b := range got.Brokers {
		cluster.Brokers = append(cluster.Brokers, net.JoinHostPort(b.Host, strconv.Itoa(b.Port)))
	}
	slices.Sort(cluster.Brokers)
	for _, api := range versions.ApiKeys {
		if api.ApiKey != fetchKey {
			continue
		}
		for _, r := range releases {
			if api.MaxVersion >= r.fetch {
				cluster.Version = r.version
				return cluster, nil
			}
		}
	}
	return cluster, fmt.Errorf("cannot use Kafka at %s: it is older than 2.1; fix: upgrade the brokers",
		strings.Join(c.settings.Brokers, ", "))
}
