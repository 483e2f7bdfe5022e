package sinks

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"recoup/internal/clickhouse"
)

var server struct {
	once sync.Once
	addr string
	stop func()
	err  error
}

func TestMain(m *testing.M) {
	clickhouse.ChildMain()
	code := m.Run()
	if server.stop != nil {
		server.stop()
	}
	os.Exit(code)
}

var databases atomic.Int64

// freshSettings returns the settings of a database that does not exist yet, on
// the one real server of this package's tests.
func freshSettings(t *testing.T) Settings {
	t.Helper()
	server.once.Do(func() {
		s, err := clickhouse.Start(context.Background(), clickhouse.Options{})
		if err != nil {
			server.err = err
			return
		}
		server.addr, server.stop = s.NativeAddr, func() { _ = s.Stop(context.Background()) }
	})
	if server.err != nil {
		t.Fatal(server.err)
	}
	return Settings{Addresses: []string{server.addr}, Database: fmt.Sprintf("test_%d", databases.Add(1)),
		InsertsPerSecond: 1000}
}
