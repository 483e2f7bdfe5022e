package sinks

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"recoup/internal/clickhouse"
)

var databases atomic.Int64

// freshSettings returns the settings of a database that does not exist yet.
func freshSettings(t *testing.T) Settings {
	t.Helper()
	s, err := clickhouse.Start(context.Background(), clickhouse.Options{Log: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return Settings{Addresses: []string{s.NativeAddr}, Database: fmt.Sprintf("test_%d", databases.Add(1)),
		InsertsPerSecond: 1000}
}

func TestMigrate(t *testing.T) {
	s := freshSettings(t)
	steps, err := Migrate(t.Context(), s, true)
	t.Log(len(steps), err)
	steps, err = Migrate(t.Context(), s, false)
	t.Log(len(steps), err)
	if err != nil {
		t.Fatal(err)
	}
	steps, err = Migrate(t.Context(), s, false)
	t.Log(len(steps), err)
}
