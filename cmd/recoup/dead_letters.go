package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"recoup/internal/app"
	"recoup/internal/kafka"
	"recoup/pipeline"
)

// deadLettersCommand is `recoup dead-letters`.
type deadLettersCommand struct {
	Ls    deadLettersLsCommand    `cmd:"" help:"List them by position, with their reasons; no customer content."`
	Show  deadLettersShowCommand  `cmd:"" help:"Print one whole, customer content included."`
	Retry deadLettersRetryCommand `cmd:"" help:"Send the original bytes back to the topic they came from."`
}

// source is the position of the record that could not be read: it tells
// repeats, because a dead letter is written at least once.
type source struct {
	topic       string
	incarnation int64
	partition   int
	offset      int64
}

// String returns the form a person types: topic/partition/offset.
func (s source) String() string { return fmt.Sprintf("%s/%d/%d", s.topic, s.partition, s.offset) }

// parsePosition reads what `ls` shows.
func parsePosition(text string) (source, error) {
	wrong := usage("cannot use position %q: expected topic/partition/offset as `recoup dead-letters ls` shows it, "+
		"such as billing.invoices/3/1042", text)
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return source{}, wrong
	}
	partition, err := strconv.ParseInt(parts[1], 10, 32)
	offset, err2 := strconv.ParseInt(parts[2], 10, 64)
	if err != nil || err2 != nil || partition < 0 || offset < 0 {
		return source{}, wrong
	}
	return source{topic: parts[0], partition: int(partition), offset: offset}, nil
}

// deadLetters reads the dead-letter topic.
type deadLetters struct {
	client *kafka.Client
	log    pipeline.Log
	topic  string
}

func openDeadLetters(s *session) (*deadLetters, error) {
	loaded, err := s.settings()
	if err != nil {
		return nil, err
	}
	client, err := app.Kafka(&loaded.Config, s.logger(loaded.Log))
	if err != nil {
		return nil, err
	}
	return &deadLetters{client: client, log: client.Log(), topic: loaded.Kafka.Topics.DeadLetter}, nil
}

func (d *deadLetters) close() { _ = d.client.Close() }

// each calls visit for every dead letter there is now, each source position
// once, until visit returns false. The letter is valid during the call.
func (d *deadLetters) each(ctx context.Context, visit func(source, *pipeline.DeadLetter) bool) error {
	partitions, err := d.log.Partitions(ctx, d.topic)
	if err != nil {
		if errors.Is(err, pipeline.ErrNoTopic) {
			err = fmt.Errorf("%w; fix: recoup topics create", err)
		}
		return err
	}
	seen := map[source]bool{}
	for p := range partitions {
		more := true
		err := scanPartition(ctx, d.log, d.topic, p, func(r *pipeline.Record) (bool, error) {
			var letter pipeline.DeadLetter
			if err := json.Unmarshal(r.Value, &letter); err != nil || letter.Schema != pipeline.DeadLetterSchema {
				return true, nil // somebody else's record is no dead letter of ours
			}
			at := source{letter.Topic, letter.Incarnation, letter.Partition, letter.Offset}
			if !seen[at] {
				seen[at] = true
				more = visit(at, &letter)
			}
			return more, nil
		})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// scanPartition calls visit for every record of a partition from its start to
// the end it has now, until visit returns false.
func scanPartition(ctx context.Context, log pipeline.Log, topic string, partition int,
	visit func(*pipeline.Record) (bool, error)) error {
	start, end, err := log.Bounds(ctx, topic, partition)
	if err != nil {
		return err
	}
	return scanFrom(ctx, log, topic, partition, start, end, visit)
}

func scanFrom(ctx context.Context, log pipeline.Log, topic string, partition int, next, end int64,
	visit func(*pipeline.Record) (bool, error)) error {
	reader := log.Open(topic, partition)
	defer reader.Close()
	for next < end {
		fetched, err := reader.Fetch(ctx, next)
		if err != nil {
			return fmt.Errorf("cannot read %s/%d: %w", topic, partition, err)
		}
		for i := range fetched.Records {
			if fetched.Records[i].Offset >= end {
				return nil
			}
			if more, err := visit(&fetched.Records[i]); err != nil || !more {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("cannot finish reading %s/%d: %w", topic, partition, err)
		}
		next = max(next, fetched.Next)
	}
	return nil
}

// find returns one dead letter.
func (d *deadLetters) find(ctx context.Context, position string) (*pipeline.DeadLetter, error) {
	want, err := parsePosition(position)
	if err != nil {
		return nil, err
	}
	var found *pipeline.DeadLetter
	err = d.each(ctx, func(at source, letter *pipeline.DeadLetter) bool {
		at.incarnation = 0 // the newest incarnation is the one a person means
		if at == want && (found == nil || letter.Incarnation > found.Incarnation) {
			found = letter
		}
		return true
	})
	if err == nil && found == nil {
		err = fmt.Errorf("cannot find a dead letter of %s in %s; see recoup dead-letters ls", position, d.topic)
	}
	return found, err
}
