package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"recoup/internal/config"
	"recoup/internal/ops"
	"recoup/pipeline"
	"recoup/pipeline/memlog"
)

// away is a log that does not answer before a time.
type away struct {
	pipeline.Log
	until time.Time
}

func (a away) Partitions(ctx context.Context, topic string) (int, error) {
	if time.Now().Before(a.until) {
		return 0, errors.New("connection refused")
	}
	return a.Log.Partitions(ctx, topic)
}

// Without the topics of references recoup runs and says so; one that the
// configuration names must exist; Kafka may come later.
func TestKeepReferences(t *testing.T) {
	for name, c := range map[string]struct {
		exist      []string
		deliveries string // name in the configuration; "": the default
		want       pipeline.Topics
		wantErr    string
		warnings   int
	}{
		"both are there": {[]string{"billing.reference", "billing.deliveries"}, "",
			pipeline.Topics{Reference: "billing.reference", Deliveries: "billing.deliveries"}, "", 0},
		"one is missing": {[]string{"billing.reference"}, "", pipeline.Topics{Reference: "billing.reference"}, "", 1},
		"none is there":  {nil, "", pipeline.Topics{}, "", 2},
		"a named one is missing": {[]string{"billing.reference"}, "warehouse", pipeline.Topics{},
			`topic "warehouse" (kafka.topics.deliveries) does not exist; create it with: recoup topics create`, 0},
		"a named one is there": {[]string{"warehouse"}, "warehouse", pipeline.Topics{Deliveries: "warehouse"}, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := memlog.New(memlog.Options{})
				for _, topic := range c.exist {
					log.CreateTopic(topic, 1, 0)
				}
				settings := config.Default()
				if c.deliveries != "" {
					settings.Kafka.Topics.Deliveries = c.deliveries
				}
				var said bytes.Buffer
				o := Options{Config: &settings, Health: ops.NewHealth(), Log: slog.New(slog.NewTextHandler(&said, nil))}
				got := member(&settings).Topics
				err := keepReferences(t.Context(), o, away{log, time.Now().Add(time.Minute)}, &got)
				if c.wantErr != "" {
					if err == nil || !strings.Contains(err.Error(), c.wantErr) {
						t.Errorf("got %v, want %q", err, c.wantErr)
					}
					return
				}
				if err != nil || got.Reference != c.want.Reference || got.Deliveries != c.want.Deliveries {
					t.Errorf("reads %q and %q, %v; want %q and %q", got.Reference, got.Deliveries, err,
						c.want.Reference, c.want.Deliveries)
				}
				if n := strings.Count(said.String(), "topic is missing"); n != c.warnings {
					t.Errorf("%d warnings, want %d:\n%s", n, c.warnings, said.String())
				}
			})
		})
	}
}

// A run that is stopped while it looks for the topics ends.
func TestKeepReferencesStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings := config.Default()
		o := Options{Config: &settings, Health: ops.NewHealth(), Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		topics := member(&settings).Topics
		err := keepReferences(ctx, o, away{memlog.New(memlog.Options{}), time.Now().Add(time.Hour)}, &topics)
		if err == nil || ctx.Err() == nil {
			t.Errorf("got %v", err)
		}
	})
}
