package sinks

import (
	"os"
	"testing"

	"recoup/internal/testservers"
)

func TestMain(m *testing.M) { os.Exit(testservers.Main(m)) }

// freshSettings returns the settings of a database that does not exist yet, on a
// real server. Tests do not wait for the pace of inserts.
func freshSettings(t testing.TB) Settings {
	t.Helper()
	return Settings{Addresses: []string{testservers.ClickHouse(t)}, Database: testservers.Database(t),
		InsertsPerSecond: 1000}
}
