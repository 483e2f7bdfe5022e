package main

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// runUntilStopped runs the service, ends it as SIGTERM does, and returns its exit
// code and output.
func runUntilStopped(t *testing.T, broker string, before func(), args ...string) (int, string) {
	t.Helper()
	file := settingsFor(t, broker, deadAddress(t), "recoup")
	ctx, cancel := context.WithCancel(t.Context())
	stop := time.AfterFunc(400*time.Millisecond, func() {
		before()
		cancel()
	})
	defer stop.Stop()
	defer cancel()
	var out bytes.Buffer // slog's handler and the command write one after another
	code := execute(ctx, append([]string{"run", "--config", file}, args...), &session{stdout: &out, stderr: &out})
	return code, out.String()
}

// A service that is stopped while Kafka is away ends cleanly, so that nobody is
// called at night for a restart; one that should catch up has failed.
func TestRunStoppedWithoutKafka(t *testing.T) {
	if code, out := runUntilStopped(t, deadAddress(t), func() {}); code != 0 {
		t.Errorf("run that never reached Kafka ended with %d:\n%s", code, out)
	}
	code, out := runUntilStopped(t, deadAddress(t), func() {}, "--until-caught-up")
	if code != exitFailed {
		t.Errorf("run --until-caught-up without Kafka ended with %d:\n%s", code, out)
	}
	contains(t, out, "recoup: cannot run: cannot reach Kafka")
}

// The same when Kafka goes away while the service runs.
func TestRunStoppedAfterKafkaWentAway(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	succeed(t, "topics", "create", "--partitions", "1", "--config",
		settingsFor(t, cluster.ListenAddrs()[0], deadAddress(t), "recoup"))
	if code, out := runUntilStopped(t, cluster.ListenAddrs()[0], cluster.Close); code != 0 {
		t.Errorf("run that lost Kafka ended with %d:\n%s", code, out)
	}
}
