package main

import (
	"context"
	"errors"
	"fmt"

	"recoup/internal/app"
	"recoup/internal/ops"
)

// bridgeCommand is `recoup bridge`.
type bridgeCommand struct{}

// Help is the longer text of `recoup bridge --help`.
func (*bridgeCommand) Help() string {
	return "Reads the cases from kafka.topics.cases and tells Alertmanager (bridge.alertmanager.urls), which pages, and " +
		"webhooks (bridge.webhooks.urls): an alert is fired, updated and resolved under one dedup key, retried until it " +
		"arrives, and known again after a restart. No customer, invoice or person leaves the house. Several may run at " +
		"once: they share the work.\n\n" +
		"docs/OPERATIONS.md, \"Paging\", tells what is sent and how to route it.\n\n" +
		"Example:\n\n    RECOUP_BRIDGE_ALERTMANAGER_URLS=http://localhost:9093 recoup bridge"
}

// Run tells of cases until ctx ends.
func (c *bridgeCommand) Run(ctx context.Context, s *session) error {
	loaded, err := s.settings()
	if err != nil {
		return err
	}
	if b := &loaded.Bridge; len(b.Alertmanager.URLs)+len(b.Webhooks.URLs) == 0 {
		return errors.New("cannot tell anybody of cases: set bridge.alertmanager.urls or bridge.webhooks.urls")
	}
	log := s.logger(loaded.Log)
	health := ops.NewHealth()
	options := ops.Options{Listen: loaded.Bridge.Listen, Registry: ops.NewRegistry(health), Health: health, Log: log}
	server, err := ops.Start(options)
	if err != nil {
		return err
	}
	log.Info("the bridge runs", "metrics", "http://"+server.Address()+"/metrics", "topic", loaded.Kafka.Topics.Cases)
	err = app.Bridge(ctx, app.Options{Config: &loaded.Config, Log: log, Registry: options.Registry, Health: health})
	stop, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if err = errors.Join(err, server.Stop(stop)); err != nil {
		return fmt.Errorf("cannot run the bridge: %w", err)
	}
	return nil
}
