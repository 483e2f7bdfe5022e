package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"recoup/pipeline"
)

const content = `{"schema":"invoice.v1","customer_ref":"c-4711","net_amount":12.5}`

// park writes dead letters as a worker does.
func park(t *testing.T, file string, partition int, letters ...pipeline.DeadLetter) {
	t.Helper()
	c, cfg := client(t, file)
	var records []pipeline.Record
	for _, l := range letters {
		l.Schema, l.Stage, l.Message = pipeline.DeadLetterSchema, "decode", "the value 12.5 of c-4711"
		l.ValueBytes = max(l.ValueBytes, len(l.Value))
		value, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, pipeline.Record{Key: l.Key, Value: value})
	}
	if _, err := c.Log().Append(t.Context(), cfg.Kafka.Topics.DeadLetter, partition, records); err != nil {
		t.Fatal(err)
	}
}

// parked is a topic with six dead letters of five positions.
func parked(t *testing.T) (file string) {
	t.Helper()
	file = settingsFor(t, fakeKafka(t), deadAddress(t), "recoup")
	succeed(t, "topics", "create", "--partitions", "2", "--config", file)
	at := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	letter := func(partition int, offset int64, reason, field string, value string) pipeline.DeadLetter {
		return pipeline.DeadLetter{Topic: "billing.invoices", Partition: partition, Offset: offset, Key: []byte("k"),
			Value: []byte(value), Reason: reason, Field: field, ReceivedAt: at.Add(time.Duration(offset) * time.Minute)}
	}
	cut := letter(0, 9, "too_large", "", "begin")
	cut.Cut, cut.ValueBytes = true, 9_000_000
	park(t, file, 0, letter(1, 5, "number_in_decimal", "net_amount", content),
		letter(1, 5, "number_in_decimal", "net_amount", content)) // at least once
	park(t, file, 1,
		letter(1, 7, "number_in_decimal", "net_amount", content), // the same bytes came again
		letter(0, 8, "duplicate_key", "\x1b[31mred", `{"a":1,"a":2}`), cut)
	park(t, file, 2, pipeline.DeadLetter{Topic: "billing.invoices", Partition: 0, Offset: 10, Reason: "empty_record",
		ReceivedAt: at.Add(10 * time.Minute)})
	return file
}

// ls counts each position once (G6), and shows nothing of the records.
func TestDeadLettersLs(t *testing.T) {
	file := parked(t)
	got := succeed(t, "dead-letters", "ls", "--config", file).stdout
	golden(t, "dead_letters_ls.txt", got)
	for _, private := range []string{"4711", "12.5", "\x1b"} {
		if strings.Contains(got, private) {
			t.Errorf("ls shows %q:\n%s", private, got)
		}
	}
	got = succeed(t, "dead-letters", "ls", "--config", file, "--reason", "too_large", "--limit", "1").stdout
	contains(t, got, "billing.invoices/0/9", "9000000", "1      all")
	if strings.Contains(got, "net_amount") {
		t.Errorf("ls --reason shows other reasons:\n%s", got)
	}
}

func TestDeadLettersShow(t *testing.T) {
	file := parked(t)
	got := succeed(t, "dead-letters", "show", "billing.invoices/1/5", "--config", file).stdout
	contains(t, got, `"reason": "number_in_decimal"`, `"field": "net_amount"`, `"key": "k"`,
		`"value": "{\"schema\":\"invoice.v1\",\"customer_ref\":\"c-4711\",\"net_amount\":12.5}"`)
	raw := succeed(t, "dead-letters", "show", "--raw", "billing.invoices/1/5", "--config", file).stdout
	if raw != content {
		t.Errorf("show --raw wrote %q", raw)
	}
	missing := recoup(t, "", "dead-letters", "show", "billing.invoices/1/6", "--config", file)
	if missing.code != exitFailed {
		t.Errorf("show of nothing ended with %d", missing.code)
	}
	contains(t, missing.stderr, "cannot find a dead letter of billing.invoices/1/6 in recoup.dead-letter")
	if wrong := recoup(t, "", "dead-letters", "show", "1042", "--config", file); wrong.code != exitUsage {
		t.Errorf("show of no position ended with %d: %s", wrong.code, wrong.stderr)
	}
}

// sentBack reads what stands in the invoices now, "partition key value".
func sentBack(t *testing.T, file string) string {
	t.Helper()
	c, cfg := client(t, file)
	var out bytes.Buffer
	for p := range 2 {
		err := scanPartition(t.Context(), c.Log(), cfg.Kafka.Topics.Invoices, p, func(r *pipeline.Record) (bool, error) {
			fmt.Fprintf(&out, "%d %s %s\n", p, r.Key, r.Value)
			return true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// retry sends the original bytes with the original key to their partition, says
// where they stand now, and refuses what it has only in part (G6).
func TestDeadLettersRetry(t *testing.T) {
	file := parked(t)
	got := succeed(t, "dead-letters", "retry", "billing.invoices/1/5", "--config", file).stdout
	want := fmt.Sprintf("sent billing.invoices/1/5 again: now billing.invoices/1/0, %d bytes\n", len(content))
	if got != want {
		t.Errorf("retry says %q, want %q", got, want)
	}
	if got, want := sentBack(t, file), "1 k "+content+"\n"; got != want {
		t.Errorf("the topic holds %q, want %q", got, want)
	}
	cut := recoup(t, "", "dead-letters", "retry", "billing.invoices/0/9", "--config", file)
	if cut.code != exitFailed {
		t.Errorf("retry of half a record ended with %d", cut.code)
	}
	contains(t, cut.stderr, "cannot retry billing.invoices/0/9: only the first 5 of its 9000000 bytes were kept")
}

func TestDeadLettersRetryAll(t *testing.T) {
	file := parked(t)
	dry := recoup(t, "", "dead-letters", "retry", "--all", "--dry-run", "--config", file)
	contains(t, dry.stdout, "would send billing.invoices/1/5 again",
		"2 would be sent, 1 with the same bytes left out, 2 failed")
	if got := sentBack(t, file); got != "" {
		t.Fatalf("a dry run sent %q", got)
	}
	one := succeed(t, "dead-letters", "retry", "--all", "--reason", "duplicate_key", "--config", file)
	contains(t, one.stdout, "1 sent, 0 with the same bytes left out, 0 failed")
	all := recoup(t, "", "dead-letters", "retry", "--all", "--config", file)
	if all.code != exitFailed {
		t.Errorf("retry of some that cannot be sent ended with %d", all.code)
	}
	contains(t, all.stderr, "cannot retry billing.invoices/0/9: ",
		"cannot retry billing.invoices/0/10: the record was empty")
	want := "0 k {\"a\":1,\"a\":2}\n0 k {\"a\":1,\"a\":2}\n1 k " + content + "\n"
	if got := sentBack(t, file); got != want {
		t.Errorf("the topic holds %q, want %q", got, want)
	}
}

func TestDeadLettersWithoutTopic(t *testing.T) {
	got := recoup(t, "", "dead-letters", "ls", "--config", settingsFor(t, fakeKafka(t), deadAddress(t), "recoup"))
	if got.code != exitFailed {
		t.Errorf("ended with %d", got.code)
	}
	contains(t, got.stderr, "recoup.dead-letter", "no such topic", "fix: recoup topics create")
}
