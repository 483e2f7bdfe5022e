package app

import (
	"context"
	"fmt"

	"recoup/cases"
	"recoup/internal/bridge"
	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/pipeline"
)

// Receivers returns who is told of cases. The error names the file that cannot be used.
func Receivers(c *config.Config) (list []bridge.Receiver, err error) {
	a, w := &c.Bridge.Alertmanager, &c.Bridge.Webhooks
	connection := func(t config.TLS, authorization config.Secret) (bridge.Connection, error) {
		encrypted, err := tlsFiles(t).Config()
		return bridge.Connection{TLS: encrypted, Authorization: authorization.Reveal(), Timeout: c.Bridge.Timeout.Std()}, err
	}
	if len(a.URLs) > 0 {
		to, err := connection(a.TLS, a.Authorization)
		if err != nil {
			return nil, fmt.Errorf("cannot reach bridge.alertmanager: %w", err)
		}
		filter := bridge.Filter{Lowest: cases.Severity(a.Lowest), Invoices: a.Invoices, Members: true}
		list = append(list, bridge.NewAlertmanagers(bridge.AlertmanagerSettings{URLs: a.URLs, Connection: to, Filter: filter,
			Repeat: a.Repeat.Std()}))
	}
	for _, address := range w.URLs {
		to, err := connection(w.TLS, w.Authorization)
		if err != nil {
			return nil, fmt.Errorf("cannot reach bridge.webhooks: %w", err)
		}
		list = append(list, bridge.NewWebhook(bridge.WebhookSettings{URL: address, Connection: to,
			Secret: w.Secret.Reveal(), Filter: bridge.Filter{Lowest: cases.Severity(w.Lowest), Invoices: w.Invoices}}))
	}
	return list, nil
}

// BridgeGroup names the consumer group of a receiver.
func BridgeGroup(c *config.Config, receiver string) string {
	return c.Kafka.Group + "-bridge-" + receiver
}

// Bridge tells the receivers of cases until ctx ends.
func Bridge(ctx context.Context, o Options) error {
	receivers, err := Receivers(o.Config)
	if err != nil {
		return err
	}
	client, err := Kafka(o.Config, o.Log)
	if err != nil {
		return err
	}
	defer client.Close()
	bridge.Run(ctx, bridge.Options{Kafka: client.Log(), Topic: o.Config.Kafka.Topics.Cases, Receivers: receivers,
		Group: func(receiver string) pipeline.Group {
			return client.Group(kafka.GroupSettings{ID: BridgeGroup(o.Config, receiver), Topic: o.Config.Kafka.Topics.Cases,
				SessionTimeout: o.Config.Kafka.SessionTimeout.Std()})
		},
		Boards:  bridge.Boards{Grafana: o.Config.Bridge.Grafana, Language: o.Config.Bridge.Language},
		Metrics: bridge.NewMetrics(o.Registry), Report: o.Health.Set, Log: o.Log})
	return nil
}
