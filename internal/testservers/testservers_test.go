package testservers

import (
	"context"
	"net"
	"os"
	"regexp"
	"testing"

	"recoup/internal/clickhouse"
	"recoup/internal/kafkaserver"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestServersAnswer(t *testing.T) {
	for name, addr := range map[string]string{"Kafka": Kafka(t), "ClickHouse": ClickHouse(t)} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Errorf("%s does not answer on %s: %v", name, addr, err)
			continue
		}
		_ = conn.Close()
	}
}

func TestOneServerPerProcess(t *testing.T) {
	kafka, clickHouse := Kafka(t), ClickHouse(t)
	if again := Kafka(t); again != kafka {
		t.Errorf("a second Kafka on %s, the first is on %s", again, kafka)
	}
	if again := ClickHouse(t); again != clickHouse {
		t.Errorf("a second ClickHouse on %s, the first is on %s", again, clickHouse)
	}
}

func TestEnvironmentNamesServers(t *testing.T) {
	t.Setenv(KafkaVariable, "127.0.0.1:1")
	t.Setenv(ClickHouseVariable, "127.0.0.1:2")
	if got := Kafka(t); got != "127.0.0.1:1" {
		t.Errorf("Kafka = %q", got)
	}
	if got := ClickHouse(t); got != "127.0.0.1:2" {
		t.Errorf("ClickHouse = %q", got)
	}
}

// Every test on real servers must fail where they cannot be started, not pass
// by doing nothing.
func TestFailsWithoutServers(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("RECOUP_CACHE", t.TempDir())
	if _, err := kafkaserver.Start(context.Background(), kafkaserver.Options{}); err == nil {
		t.Error("Kafka starts without java")
	}
	if _, err := clickhouse.Start(context.Background(), clickhouse.Options{}); err == nil {
		t.Error("ClickHouse starts without npm and library")
	}
}

func TestName(t *testing.T) {
	t.Run("Übung 7/größer", func(t *testing.T) {
		first, second := Name(t), Name(t)
		if first == second {
			t.Errorf("two names are equal: %q", first)
		}
		if !regexp.MustCompile(`^[a-z0-9_]{1,60}$`).MatchString(first) {
			t.Errorf("name %q is no identifier", first)
		}
	})
}
