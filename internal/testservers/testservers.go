// Package testservers gives tests a real Kafka and a real ClickHouse. The test
// command starts one of each for all packages and names them in the environment;
// without it every test process starts its own. A server that cannot be started
// fails the test: nothing is skipped.
package testservers

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"recoup/internal/clickhouse"
	"recoup/internal/kafkaserver"
)

// Variables that name servers which are running already.
const (
	KafkaVariable      = "RECOUP_TEST_KAFKA"      // host:port of a broker
	ClickHouseVariable = "RECOUP_TEST_CLICKHOUSE" // host:port of the native protocol
)

// startWithin bounds a start, first installation included.
const startWithin = 5 * time.Minute

var (
	startKafka      = sync.OnceValues(newKafka)
	startClickHouse = sync.OnceValues(newClickHouse)
	number          atomic.Int64
)

// Main runs a package's tests; call it from TestMain, as its only statement. It
// is what lets this process be a ClickHouse for its tests, and stops what they
// started.
func Main(m *testing.M) {
	clickhouse.ChildMain()
	code := m.Run()
	stop()
	os.Exit(code)
}

var (
	stopping sync.Mutex // guards stops
	stops    []func()
)

func stop() {
	stopping.Lock()
	defer stopping.Unlock()
	for _, f := range stops {
		f()
	}
}

func atEnd(f func()) {
	stopping.Lock()
	defer stopping.Unlock()
	stops = append(stops, f)
}

// Kafka returns the address of a real broker.
func Kafka(t testing.TB) string {
	t.Helper()
	if addr := os.Getenv(KafkaVariable); addr != "" {
		return addr
	}
	addr, err := startKafka()
	if err != nil {
		t.Fatalf("cannot start Kafka for the tests: %v", err)
	}
	return addr
}

func newKafka() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	server, err := kafkaserver.Start(ctx, kafkaserver.Options{})
	if err != nil {
		return "", err
	}
	atEnd(func() { _ = server.Stop(context.Background()) })
	return server.Addr(), nil
}

// ClickHouse returns the native address of a real ClickHouse. The embedded one
// dies of a connection that is reset; connect through something that closes
// connections properly where a test kills clients.
func ClickHouse(t testing.TB) string {
	t.Helper()
	if addr := os.Getenv(ClickHouseVariable); addr != "" {
		return addr
	}
	addr, err := startClickHouse()
	if err != nil {
		t.Fatalf("cannot start ClickHouse for the tests: %v", err)
	}
	return addr
}

func newClickHouse() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	server, err := clickhouse.Start(ctx, clickhouse.Options{})
	if err != nil {
		return "", err
	}
	atEnd(func() { _ = server.Stop(context.Background()) })
	return server.NativeAddr, nil
}

// Name returns a name for this test's topics, groups and databases that no other
// test of any process uses: lower case letters, digits and underscores.
func Name(t testing.TB) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, t.Name())
	return fmt.Sprintf("t%s_%d_%d_%d", clean[:min(len(clean), 40)], os.Getpid(), time.Now().UnixNano(), number.Add(1))
}
