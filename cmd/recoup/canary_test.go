package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"recoup/internal/canary"
	"recoup/internal/demo/data"
	"recoup/internal/testservers"
	"recoup/pipeline"
	"recoup/sinks"
)

// sendBundled puts bundled invoices onto the topic, spread over its partitions.
func sendBundled(t *testing.T, file string, partitions, n int) {
	t.Helper()
	kafka, cfg := client(t, file)
	batches := make([][]pipeline.Record, partitions)
	i := 0
	for line, err := range data.Invoices() {
		if err != nil {
			t.Fatal(err)
		}
		batches[i%partitions] = append(batches[i%partitions], pipeline.Record{Key: []byte("k"), Value: bytes.Clone(line)})
		if i++; i == n {
			break
		}
	}
	for p, batch := range batches {
		if _, err := kafka.Log().Append(t.Context(), cfg.Kafka.Topics.Invoices, p, batch); err != nil {
			t.Fatal(err)
		}
	}
}

// Each kind of canary is found by a recoup that runs, and stored; it opens no case
// and is in no view. What real invoices came to is the same with it.
func TestCanary(t *testing.T) {
	const partitions, invoices = 3, 300
	name := testservers.Database(t)
	file := settingsFor(t, fakeKafka(t), testservers.ClickHouse(t), name)
	succeed(t, "topics", "create", "--partitions", fmt.Sprint(partitions), "--config", file)
	succeed(t, "migrate", "--config", file)
	sendBundled(t, file, partitions, invoices)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	var log bytes.Buffer
	go func() {
		ended <- execute(ctx, []string{"run", "--config", file}, &session{stdout: &log, stderr: &log})
	}()
	said := succeed(t, "canary", "--once", "--wait", "60s", "--config", file).stdout
	for _, kind := range canary.Kinds {
		contains(t, said, "found   "+canary.Prefix+string(kind))
	}
	_, cfg := client(t, file)
	store, err := sinks.OpenReader(sinks.Settings{Addresses: cfg.ClickHouse.Addresses, Database: name})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, line := range strings.Split(strings.TrimSpace(said), "\n") {
		id := strings.Fields(line)[1]
		rows, err := store.Invoices(t.Context(), sinks.Lookup{InvoiceID: id})
		for end := time.Now().Add(time.Minute); err == nil && len(rows) == 0 && time.Now().Before(end); {
			time.Sleep(100 * time.Millisecond) // it is told before its row is stored
			rows, err = store.Invoices(t.Context(), sinks.Lookup{InvoiceID: id})
		}
		if err != nil || len(rows) != 1 || !rows[0].Invoice.Canary || !rows[0].Verdict.Suspect || rows[0].Verdict.Taught ||
			rows[0].Verdict.CaseID != "" {
			t.Errorf("canary %s is stored as %+v, %v", id, rows, err)
		}
	}
	stop()
	if code := <-ended; code != 0 {
		t.Fatalf("run ended with %d:\n%s", code, log.String())
	}
	listed := succeed(t, "case", "ls", "--all", "--json", "--config", file).stdout
	if strings.Contains(listed, canary.Prefix) {
		t.Errorf("a canary has a case:\n%s", listed)
	}
}

// Nobody scores: that is what a canary is for. It ends with 1 and says so.
func TestCanaryMissed(t *testing.T) {
	file := settingsFor(t, fakeKafka(t), deadAddress(t), "recoup")
	succeed(t, "topics", "create", "--partitions", "2", "--config", file)
	fails(t, exitFailed, []string{"canary", "--once", "--config", file}, "cannot make a canary", "--seller")
	got := recoup(t, "", "canary", "--once", "--wait", "0s", "--seller", "acme", "--config", file)
	if got.code != exitFailed {
		t.Errorf("ended with %d", got.code)
	}
	contains(t, got.stdout, "MISSED  canary-", "at billing.invoices/1/0: not in recoup.suspects")
	contains(t, got.stderr, "2 of 2 canaries were not found")
	fails(t, exitUsage, []string{"canary", "--every", "1s"}, "at least 10s")
}
