package pipeline

import (
	"context"
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// Send appends records that people make to the partition of their key: the same key
// always goes to the same one. After an error they may be there all the same.
func Send(ctx context.Context, log Log, topic, key string, values ...[]byte) error {
	partitions, err := log.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	records := make([]Record, len(values))
	for i, value := range values {
		records[i] = Record{Key: []byte(key), Value: value}
	}
	at := int(xxhash.Sum64String(key) % uint64(partitions))
	if _, err := log.Append(ctx, topic, at, records); err != nil {
		return fmt.Errorf("cannot write to %s (it may be there all the same: look before you repeat it): %w", topic, err)
	}
	return nil
}
