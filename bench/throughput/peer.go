package main

import (
	"context"
	"fmt"
	"sync"

	"recoup/internal/kafka"
	"recoup/invoice"
)

// peer reads and decodes every record of the topic with the libraries that
// recoup uses, and throws the result away: what is left to win when scoring,
// state and storage cost nothing.
func peer(ctx context.Context, broker, topic string) error {
	client, err := kafka.Connect(kafka.Settings{Brokers: []string{broker}, ClientID: "recoup-peer"})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	log := client.Log()
	partitions, err := log.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	var mu sync.Mutex // guards decoded and failed
	decoded, failed := 0, error(nil)
	var readers sync.WaitGroup
	for partition := range partitions {
		readers.Go(func() {
			n, err := discard(ctx, client, topic, partition)
			mu.Lock()
			defer mu.Unlock()
			decoded += n
			if err != nil {
				failed = err
			}
		})
	}
	readers.Wait()
	if failed == nil {
		_, failed = fmt.Println(decoded)
	}
	return failed
}

// discard decodes one partition to its end.
func discard(ctx context.Context, client *kafka.Client, topic string, partition int) (decoded int, err error) {
	_, end, err := client.Log().Bounds(ctx, topic, partition)
	if err != nil {
		return 0, err
	}
	reader := client.Log().Open(topic, partition)
	defer func() { _ = reader.Close() }()
	decoder := invoice.NewDecoder(invoice.Limits{})
	var inv invoice.Invoice
	for offset := int64(0); offset < end; {
		fetched, err := reader.Fetch(ctx, offset)
		if err != nil {
			return decoded, err
		}
		for _, record := range fetched.Records {
			if decoder.Decode(record.Value, &inv) == nil {
				decoded++
			}
		}
		offset = fetched.Next
	}
	return decoded, nil
}
