package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/internal/config"
	"recoup/internal/demo/data"
	"recoup/invoice"
	"recoup/pipeline"
)

// sendReferences fills the topics of references, as CRM and warehouse do, with dates
// moved by weeks as those of the invoices are.
func sendReferences(ctx context.Context, log pipeline.Log, topics *config.Topics, weeks int) error {
	decoder := invoice.NewDecoder(invoice.Limits{})
	var r invoice.Reference
	batches := map[string][]pipeline.Record{}
	for line, err := range data.References() {
		if err != nil {
			return err
		}
		value := moved(line, weeks)
		if err := decoder.DecodeReference(value, &r); err != nil {
			return fmt.Errorf("cannot read bundled reference %q: %w", line, err)
		}
		topic := topics.Reference
		if r.Kind == invoice.DeliveryReference {
			topic = topics.Deliveries
		}
		batches[topic] = append(batches[topic], pipeline.Record{Key: []byte(referenceKey(&r)), Value: value})
	}
	for topic, records := range batches {
		if err := sendByKey(ctx, log, topic, records); err != nil {
			return err
		}
	}
	return nil
}

// referenceKey is the natural key, and the start of the version where there may
// be several: compaction keeps the last record of each.
func referenceKey(r *invoice.Reference) string {
	if r.Kind == invoice.DeliveryReference {
		return r.DeliveryRef
	}
	parts := []string{r.Kind.String(), r.Seller, r.CustomerRef, r.Code}
	if !r.ValidFrom.IsZero() {
		parts = append(parts, r.ValidFrom.Format(time.RFC3339))
	}
	return strings.Join(parts, "|")
}

// sendByKey spreads records over the partitions of a topic.
func sendByKey(ctx context.Context, log pipeline.Log, topic string, records []pipeline.Record) error {
	partitions, err := log.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	for p := range partitions {
		var own []pipeline.Record
		for _, r := range records {
			if xxhash.Sum64(r.Key)%uint64(partitions) == uint64(p) {
				own = append(own, r)
			}
		}
		if len(own) == 0 {
			continue
		}
		if _, err := log.Append(ctx, topic, p, own); err != nil {
			return fmt.Errorf("cannot send references to %s: %w", topic, err)
		}
	}
	return nil
}
