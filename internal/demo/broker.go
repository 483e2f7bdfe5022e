package demo

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// broker is an embedded broker that speaks Kafka's protocol on a free loopback
// port and keeps its records in memory.
type broker struct {
	cluster *kfake.Cluster
	addr    string
}

// openBroker starts an embedded broker without topics.
func openBroker() (*broker, error) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second))
	if err != nil {
		return nil, fmt.Errorf("cannot start the embedded broker: %w", err)
	}
	return &broker{cluster: cluster, addr: cluster.ListenAddrs()[0]}, nil
}

// close ends the broker; its records are gone.
func (b *broker) close() { b.cluster.Close() }
