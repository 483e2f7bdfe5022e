package config

import (
	"time"

	"recoup/invoice"
)

// fifty is the default handling cost, in every currency that has one.
const fifty = 50 * invoice.Unit

// Default returns the settings that hold where nothing else is said.
func Default() Config {
	return Config{
		Kafka: Kafka{
			Brokers:        []string{"localhost:9092"},
			ClientID:       "recoup",
			Group:          "recoup",
			SessionTimeout: Duration(10 * time.Second),
			DialTimeout:    Duration(5 * time.Second),
			RequestTimeout: Duration(10 * time.Second),
			Topics: Topics{
				Invoices:   "billing.invoices",
				Reference:  "billing.reference",
				Deliveries: "billing.deliveries",
				Suspects:   "recoup.suspects",
				Lead:       "recoup.lead",
				Cases:      "recoup.cases",
				CaseEvents: "recoup.case-events",
				Recoveries: "recoup.recoveries",
				Disputes:   "recoup.disputes",
				State:      "recoup.state",
				Baselines:  "recoup.baselines",
				Models:     "recoup.models",
				DeadLetter: "recoup.dead-letter",
			},
			Retention: Retention{Invoices: 35 * Day, OpenCases: 90 * Day, Events: 730 * Day, DeadLetters: 14 * Day},
		},
		ClickHouse: ClickHouse{
			Addresses:        []string{"localhost:9000"},
			Database:         "recoup",
			User:             "default",
			DialTimeout:      Duration(5 * time.Second),
			QueryTimeout:     Duration(30 * time.Second),
			InsertsPerSecond: 5,
			Retention:        1095 * Day,
			MinFreeDisk:      1 << 30,
		},
		Scoring: Scoring{
			Deviation:         1500,
			MinN:              30,
			MaxCV:             0.075,
			HalfLife:          90 * Day,
			LearnWithin:       35 * Day,
			IdentityRetention: 35 * Day,
			FutureTolerance:   Day,
			BaseRate:          0.03,
			HandlingCost:      map[string]invoice.Amount{"CHF": fifty, "EUR": fifty, "GBP": fifty, "USD": fifty},
		},
		Cases:  defaultCases(),
		Models: Models{Train: true, History: 35 * Day, Invoices: 60_000},
		Pipeline: Pipeline{
			RowBuffer:          512 << 20,
			FlushRows:          20_000,
			FlushInterval:      Duration(time.Second),
			CheckpointInterval: Duration(30 * time.Second),
			FenceAfter:         Duration(1500 * time.Millisecond),
			DrainTimeout:       Duration(500 * time.Millisecond),
			LeaveTimeout:       Duration(5 * time.Second),
			Memory: Memory{Segments: 2_500_000, Customers: 1_250_000, Pairs: 2_500_000, Products: 500_000,
				Limit: 1400 << 20},
			Limits: Limits{RecordBytes: 8 << 20, Depth: 16, Lines: 20_000, Items: 1_000, UnknownFields: 256},
		},
		Bridge: defaultBridge(),
		HTTP:   HTTP{Listen: "127.0.0.1:8780"},
		Pprof:  Pprof{Listen: "127.0.0.1:6060"},
		Log:    Log{Level: "info", Format: "text"},
	}
}
