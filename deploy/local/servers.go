package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"recoup/internal/clickhouse"
	"recoup/internal/kafkaserver"
	"recoup/internal/testservers"
)

// servers are the two that every test may use.
type servers struct {
	kafka      *kafkaserver.Server
	clickhouse *clickhouse.Server
}

// startServers starts both, downloading what is not in the cache yet.
func startServers(ctx context.Context) (*servers, error) {
	s := &servers{}
	var err error
	if s.clickhouse, err = clickhouse.Start(ctx, clickhouse.Options{}); err != nil {
		return nil, err
	}
	if s.kafka, err = kafkaserver.Start(ctx, kafkaserver.Options{}); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// environment tells the tests where the servers are.
func (s *servers) environment() []string {
	return []string{
		testservers.KafkaVariable + "=" + s.kafka.Addr(),
		testservers.ClickHouseVariable + "=" + s.clickhouse.NativeAddr,
	}
}

// died is closed when either server has ended.
func (s *servers) died() <-chan struct{} {
	died := make(chan struct{})
	go func() {
		defer close(died)
		select {
		case <-s.kafka.Done():
		case <-s.clickhouse.Done():
		}
	}()
	return died
}

// stop takes down whatever runs, even when the user has lost patience.
func (s *servers) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 45*time.Second)
	defer cancel()
	if s.kafka != nil {
		if err := s.kafka.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	if s.clickhouse != nil {
		if err := s.clickhouse.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}
