package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/internal/demo/data"
	"recoup/invoice"
	"recoup/pipeline"
)

// sample is one bundled invoice, ready to be sent.
type sample struct {
	id, day, currency string
	customer          string    // pseudonym; "" for a counter sale
	issuedAt          time.Time // UTC
	isInvoice         bool      // no credit note
	key, value        []byte
}

// samples reads the bundled invoices, issued a number of weeks later than they were.
func samples(weeks int) ([]sample, error) {
	all := make([]sample, 0, data.Count)
	decoder := invoice.NewDecoder(invoice.Limits{})
	var inv invoice.Invoice
	for line, err := range data.Invoices() {
		if err != nil {
			return nil, err
		}
		value := moved(line, weeks)
		if err := decoder.Decode(value, &inv); err != nil {
			return nil, fmt.Errorf("cannot read bundled invoice %d: %w", len(all)+1, err)
		}
		value = released(value, inv.IssuedAt, weeks)
		// The customer is the recommended key; without one, as a broken invoice may
		// be, the invoice spreads the load.
		key := inv.CustomerRef
		if key == "" {
			key = inv.ID
		}
		all = append(all, sample{
			id: strings.Clone(inv.ID), day: inv.IssuedAt.Format(time.DateOnly), currency: strings.Clone(inv.Currency),
			customer: customerOf(&inv), issuedAt: inv.IssuedAt.UTC(), isInvoice: inv.Type == invoice.Standard,
			key: []byte(key), value: value,
		})
	}
	return all, nil
}

// replayTick is how often what is due is sent.
const replayTick = 50 * time.Millisecond

// replay appends the samples at speed invoices a second, by key, and calls sent
// with how many were appended, and week before each week of them but the first.
// Speed 0 sends as fast as the log takes them, and calls no week.
func replay(
	ctx context.Context, log pipeline.Log, topic string, partitions int, all []sample, speed float64, sent func(n int),
	week func(context.Context) error,
) error {
	started, weeks := time.Now(), weekStarts(all)
	for next := 0; next < len(all); {
		due := min(next+500, len(all))
		if speed > 0 {
			if len(weeks) > 0 && next == weeks[0] {
				held := time.Now()
				if err := week(ctx); err != nil {
					return err
				}
				started, weeks = started.Add(time.Since(held)), weeks[1:]
			}
			due = min(int(speed*time.Since(started).Seconds())+1, len(all))
			if len(weeks) > 0 {
				due = min(due, weeks[0])
			}
		}
		batches := make([][]pipeline.Record, partitions)
		for _, s := range all[next:due] {
			p := xxhash.Sum64(s.key) % uint64(partitions)
			batches[p] = append(batches[p], pipeline.Record{Key: s.key, Value: s.value})
		}
		for partition, batch := range batches {
			if len(batch) == 0 {
				continue
			}
			if _, err := log.Append(ctx, topic, partition, batch); err != nil {
				return fmt.Errorf("cannot replay invoices to %s: %w", topic, err)
			}
		}
		if due > next {
			sent(due - next)
		}
		if next = due; speed > 0 && next < len(all) {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(replayTick):
			}
		}
	}
	return nil
}

// weekStarts returns where each week after the first begins, counted from the first
// day.
func weekStarts(all []sample) (starts []int) {
	var first time.Time
	last := 0
	for i := range all {
		day, err := time.Parse(time.DateOnly, all[i].day)
		if err != nil {
			continue
		}
		if first.IsZero() {
			first = day
		}
		if week := int(day.Sub(first) / (7 * 24 * time.Hour)); week > last {
			starts, last = append(starts, i), week
		}
	}
	return starts
}

// patience is how long the replay waits for a model at most.
const patience = 20 * time.Second

// untilTrained returns a function that waits until one more model is stored, or
// patience is over. A week of the replay passes in a second or two: without a wait
// the model of the first week would judge all others, as none would in real time.
func untilTrained(log pipeline.Log, topic string) func(context.Context) error {
	known := int64(0)
	return func(ctx context.Context) error {
		end := time.Now().Add(patience)
		for {
			_, models, err := log.Bounds(ctx, topic, 0)
			if err != nil {
				return fmt.Errorf("cannot see the models: %w", err)
			}
			if models > known || time.Now().After(end) {
				known = models
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(replayTick):
			}
		}
	}
}
