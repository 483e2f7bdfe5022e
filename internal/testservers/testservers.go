// Package testservers gives tests a real Kafka and a real ClickHouse. The test
// command of the repository starts one of each for all packages and names them
// in the environment; a test that is run alone starts its own, one per process.
//
// A package that uses it calls Main from its TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(testservers.Main(m)) }
//
// The servers are shared: a test makes its own topics, named by Name, and its own
// database, named by Database, and kills neither. Tests that must kill a server start their
// own with kafkaserver.Start or clickhouse.Start.
package testservers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"

	"recoup/internal/clickhouse"
	"recoup/internal/kafkaserver"
)

// The environment variables that name servers which run already.
const (
	KafkaVariable      = "RECOUP_TEST_KAFKA"      // host:port
	ClickHouseVariable = "RECOUP_TEST_CLICKHOUSE" // host:port of the native protocol
)

// startTimeout covers an installation too.
const startTimeout = 10 * time.Minute

var (
	kafka  lazy[*kafkaserver.Server]
	clicks lazy[*clickhouse.Server]
)

// lazy starts a server at most once per process.
type lazy[S any] struct {
	once    sync.Once
	server  S
	started bool
	err     error
}

func (l *lazy[S]) get(t testing.TB, name string, start func(ctx context.Context) (S, error)) S {
	t.Helper()
	l.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		l.server, l.err = start(ctx)
		l.started = l.err == nil
	})
	if l.err != nil {
		t.Fatalf("cannot test without %s: %v", name, l.err)
	}
	return l.server
}

// Main runs the tests of a package and then stops the servers they started. It
// calls clickhouse.ChildMain first.
func Main(m *testing.M) int {
	clickhouse.ChildMain()
	defer stop()
	return m.Run()
}

func stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if kafka.started {
		if err := kafka.server.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	if clicks.started {
		if err := clicks.server.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// Kafka returns the host:port of a broker that makes no topics by itself. The
// test fails when there is none and none can be started.
func Kafka(t testing.TB) string {
	t.Helper()
	if addr := os.Getenv(KafkaVariable); addr != "" {
		return addr
	}
	return kafka.get(t, "Kafka", func(ctx context.Context) (*kafkaserver.Server, error) {
		return kafkaserver.Start(ctx, kafkaserver.Options{})
	}).Addr()
}

// ClickHouse returns the host:port of a server's native protocol, user
// "default" without a password. The test fails when there is none and none can
// be started.
func ClickHouse(t testing.TB) string {
	t.Helper()
	if addr := os.Getenv(ClickHouseVariable); addr != "" {
		return addr
	}
	return clicks.get(t, "ClickHouse", func(ctx context.Context) (*clickhouse.Server, error) {
		return clickhouse.Start(ctx, clickhouse.Options{})
	}).NativeAddr
}

// Database returns a name for a database of ClickHouse that no other test uses; Name
// says how it reads. When the test ends the database is dropped: the server would go
// on to work out its kept views every minute while others test.
func Database(t testing.TB) string {
	t.Helper()
	name, address := Name(t), ClickHouse(t)
	t.Cleanup(func() {
		db := clickhousego.OpenDB(&clickhousego.Options{Addr: []string{address}})
		defer func() { _ = db.Close() }()
		if _, err := db.Exec("DROP DATABASE IF EXISTS " + name); err != nil {
			t.Errorf("cannot drop the database of the test: %v", err)
		}
	})
	return name
}

// Name returns a name for a topic or a consumer group that no other
// test uses, on any run: the test's own name and a random end, of lower-case
// letters, digits and underscores.
func Name(t testing.TB) string {
	const longest = 40
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(t.Name()))
	return fmt.Sprintf("%.*s_%08x", longest, clean, rand.Uint32())
}
