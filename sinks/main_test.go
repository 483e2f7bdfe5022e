package sinks

import (
	"os"
	"testing"

	"recoup/internal/clickhouse"
)

func TestMain(m *testing.M) {
	clickhouse.ChildMain()
	os.Exit(m.Run())
}
