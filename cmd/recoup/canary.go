package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"recoup/internal/app"
	"recoup/internal/canary"
	"recoup/internal/config"
	"recoup/invoice"
	"recoup/pipeline"
)

// canaryCommand is `recoup canary`.
type canaryCommand struct {
	Every  time.Duration `default:"10m" help:"How often; at least 10s."`
	Once   bool          `help:"One round only; ends with 1 when a canary was not found."`
	Seller string        `placeholder:"NAME" help:"Only of this seller. By default of each partition's newest invoice."`
	Wait   time.Duration `default:"30s" help:"How long to wait until recoup has found them."`
}

// Help is the longer text of `recoup canary --help`.
func (*canaryCommand) Help() string {
	return `Proves that recoup sees: puts an invoice that is wrong on purpose into every partition of the topic, and looks
in the decision log whether it was found. Each is a copy of a recent invoice of that partition, marked canary, that
bills nothing, leaves out a fifth of its lines' sum, or repeats the other one, in turn. Where there is none, --seller
names who a made-up one is from. Canaries are scored and stored, but teach nothing, open no case and are in no view;
whoever sends invoices on must leave out canary: true. Two that are missed in a row are a case of kind blind.

Run it beside the service, once for all partitions. It ends with Ctrl-C.

Examples:

    recoup canary --every 10m
    recoup canary --once --wait 1m
    recoup canary --once --seller acme-fr`
}

// Run sends canaries until ctx ends.
func (c *canaryCommand) Run(ctx context.Context, s *session) error {
	if c.Every < 10*time.Second || c.Wait < 0 {
		return usage("cannot use --every %v --wait %v: want at least 10s, and no negative time", c.Every, c.Wait)
	}
	loaded, err := s.settings()
	if err != nil {
		return err
	}
	client, err := app.Kafka(&loaded.Config, s.logger(loaded.Log))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	cage := &cage{log: client.Log(), config: &loaded.Config, seller: c.Seller}
	for {
		began := time.Now()
		sent, missed, err := c.round(ctx, s, cage, began)
		if err != nil && (c.Once || ctx.Err() == nil) {
			return err
		}
		if c.Once {
			if missed > 0 {
				return &exitError{code: exitFailed, err: fmt.Errorf("%d of %d canaries were not found within %v; "+
					"`recoup doctor` and `recoup explain ID` say why", missed, sent, c.Wait)}
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(max(time.Second, c.Every-time.Since(began))):
		}
	}
}

// round sends one canary to each partition and waits for them.
func (c *canaryCommand) round(ctx context.Context, s *session, k *cage, now time.Time) (sent, missed int, err error) {
	flying, err := k.send(ctx, now, int(now.Unix()/int64(c.Every.Seconds())))
	if err != nil {
		return 0, 0, err
	}
	if len(flying) == 0 {
		return 0, 0, fmt.Errorf("cannot make a canary: no recent invoice of %s has lines that add up to its net amount; "+
			"name who a made-up one is from with --seller", k.config.Kafka.Topics.Invoices)
	}
	end := time.Now().Add(c.Wait)
	for _, bird := range flying {
		found, err := k.watch(ctx, bird, end)
		switch {
		case err != nil:
			return len(flying), missed, err
		case found == nil:
			missed++
			fmt.Fprintf(s.stdout, "MISSED  %s at %s: not in %s after %v\n", bird.id, bird.at,
				k.config.Kafka.Topics.Suspects, c.Wait)
		default:
			fmt.Fprintf(s.stdout, "found   %s at %s after %.1f s: %s\n", bird.id, bird.at,
				found.DetectedAt.Sub(now).Seconds(), strings.Join(found.Verdict.Rules, ", "))
		}
	}
	return len(flying), missed, nil
}

// cage makes canaries and looks for them.
type cage struct {
	log    pipeline.Log
	config *config.Config
	seller string // "" for any
}

// bird is one canary under way.
type bird struct {
	id   string
	at   source
	from int64 // offset of the decision log from which on its verdict may stand
}

// tailRecords is how many of the newest records of a partition are looked at.
const tailRecords = 500

// send makes and sends one canary to each partition; turn chooses the kinds.
func (k *cage) send(ctx context.Context, now time.Time, turn int) (flying []bird, err error) {
	topics := &k.config.Kafka.Topics
	partitions, err := k.log.Partitions(ctx, topics.Invoices)
	if err != nil {
		return nil, withTopicsFix(err)
	}
	models := make([]*pattern, partitions)
	var any *pattern // stands in where a partition has none
	for p := range models {
		if models[p], err = k.newest(ctx, p); err != nil {
			return nil, err
		}
		if models[p] != nil {
			any = models[p]
		}
	}
	if any == nil && k.seller != "" {
		any = &pattern{inv: canary.MadeUp(k.seller, now), key: []byte(canary.Prefix + k.seller)}
	}
	for p, model := range models {
		kind := canary.Kinds[(turn+p)%len(canary.Kinds)]
		if model == nil {
			// The original is elsewhere: nobody could know a duplicate here.
			if model = any; kind == canary.Duplicate {
				kind = canary.ZeroTotal
			}
		}
		if model == nil {
			continue
		}
		// Issued right behind its pattern: in the time the partition is in, which is not today's
		// where a backlog is worked through.
		inv := canary.Make(model.inv, kind, fmt.Sprintf("%s-%d-%d", kind, now.UnixMilli(), p),
			model.inv.IssuedAt.Add(time.Second))
		_, from, err := k.log.Bounds(ctx, topics.Suspects, p)
		if err != nil {
			return flying, withTopicsFix(err)
		}
		offset, err := k.log.Append(ctx, topics.Invoices, p, []pipeline.Record{{Key: model.key, Value: inv.AppendJSON(nil)}})
		if err != nil {
			return flying, fmt.Errorf("cannot send a canary: %w", err)
		}
		at := source{topic: topics.Invoices, partition: p, offset: offset}
		flying = append(flying, bird{id: inv.ID, at: at, from: from})
	}
	return flying, nil
}

// pattern is an invoice to make canaries of, and the key of its record.
type pattern struct {
	inv *invoice.Invoice
	key []byte
}

// newest returns the newest suitable invoice at the end of a partition, nil for none.
func (k *cage) newest(ctx context.Context, partition int) (found *pattern, err error) {
	topic := k.config.Kafka.Topics.Invoices
	start, end, err := k.log.Bounds(ctx, topic, partition)
	if err != nil {
		return nil, fmt.Errorf("cannot see the invoices: %w", err)
	}
	decoder := invoice.NewDecoder(k.config.Pipeline.Limits.Invoice())
	var inv invoice.Invoice
	err = scanFrom(ctx, k.log, topic, partition, max(start, end-tailRecords), end, func(r *pipeline.Record) (bool, error) {
		if decoder.Decode(r.Value, &inv) == nil && canary.Fits(&inv) && (k.seller == "" || inv.Seller == k.seller) {
			found = &pattern{inv: inv.Clone(), key: bytes.Clone(r.Key)}
		}
		return true, nil
	})
	return found, err
}

// watchPause is how long is waited between two looks at the decision log.
const watchPause = 100 * time.Millisecond

// watch returns the decision on a canary, nil when there is none until end.
func (k *cage) watch(ctx context.Context, b bird, end time.Time) (found *pipeline.Decision, err error) {
	topic, next := k.config.Kafka.Topics.Suspects, b.from
	for {
		_, last, err := k.log.Bounds(ctx, topic, b.at.partition)
		if err != nil {
			return nil, fmt.Errorf("cannot see the decision log: %w", err)
		}
		err = scanFrom(ctx, k.log, topic, b.at.partition, next, last, func(r *pipeline.Record) (bool, error) {
			d := &pipeline.Decision{}
			if json.Unmarshal(r.Value, d) == nil && d.Verdict != nil && d.Verdict.InvoiceID == b.id {
				found = d
			}
			return found == nil, nil
		})
		if next = last; err != nil || found != nil || !time.Now().Before(end) {
			return found, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(watchPause):
		}
	}
}
