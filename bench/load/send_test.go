package load

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"recoup/pipeline"
	"recoup/pipeline/memlog"
)

// Every record arrives on its partition, in order, and is reported once.
func TestSendKeepsOrder(t *testing.T) {
	plan := everything
	plan.Invoices = 6_000
	log := memlog.New(memlog.Options{MaxWait: -1})
	log.CreateTopic("t", plan.Partitions, 0)
	var mu sync.Mutex
	reported := 0
	err := Send(t.Context(), log, New(plan), Sending{Topic: "t", Sent: func(truths []Truth) {
		mu.Lock()
		defer mu.Unlock()
		reported += len(truths)
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := make([][][]byte, plan.Partitions)
	total := 0
	for record := range New(plan).All() {
		want[record.Partition] = append(want[record.Partition], record.Value)
		total++
	}
	if reported != total {
		t.Errorf("%d records reported, %d sent", reported, total)
	}
	for partition := range want {
		reader := log.Open("t", partition)
		for offset := int64(0); offset < int64(len(want[partition])); {
			fetched, err := reader.Fetch(t.Context(), offset)
			if err != nil {
				t.Fatal(err)
			}
			for _, record := range fetched.Records {
				if !bytes.Equal(record.Value, want[partition][record.Offset]) {
					t.Fatalf("partition %d offset %d holds another record", partition, record.Offset)
				}
			}
			offset = fetched.Next
		}
	}
}

// A refused append ends the sending with its error; nothing hangs, though the
// generator is far ahead by then.
func TestSendStopsAtError(t *testing.T) {
	broken := errors.New("disk full")
	log := memlog.New(memlog.Options{Hooks: memlog.Hooks{
		BeforeAppend: func(_ string, partition int, _ []pipeline.Record) error {
			if partition == 2 {
				time.Sleep(200 * time.Millisecond)
				return broken
			}
			return nil
		},
	}})
	log.CreateTopic("t", everything.Partitions, 0)
	if err := Send(t.Context(), log, New(everything), Sending{Topic: "t"}); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

// A rate is kept, and a cancelled context ends the sending.
func TestSendRate(t *testing.T) {
	plan := Plan{Invoices: 300, Partitions: 2, Segments: 1, WarmUp: -1}
	log := memlog.New(memlog.Options{})
	log.CreateTopic("t", plan.Partitions, 0)
	started := time.Now()
	if err := Send(t.Context(), log, New(plan), Sending{Topic: "t", Rate: 1_000}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(started); took < 200*time.Millisecond {
		t.Errorf("300 records at 1,000 a second took %v", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Send(ctx, log, New(plan), Sending{Topic: "t", Rate: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after cancel", err)
	}
}

// A partition that takes nothing for a while, as when its leader is away, does not hold up
// the others.
func TestSendOthersGoOn(t *testing.T) {
	plan := Plan{Invoices: 2_000, Partitions: 4, Segments: 1, WarmUp: -1}
	const away = 2
	back := make(chan struct{})
	hold := func(_ string, partition int, _ []pipeline.Record) error {
		if partition == away {
			<-back
		}
		return nil
	}
	log := memlog.New(memlog.Options{Hooks: memlog.Hooks{BeforeAppend: hold}})
	log.CreateTopic("t", plan.Partitions, 0)
	var others atomic.Int64
	done := make(chan error, 1)
	go func() {
		done <- Send(t.Context(), log, New(plan), Sending{Topic: "t", Rate: 2_000, Sent: func(truths []Truth) {
			if truths[0].Partition != away {
				others.Add(int64(len(truths)))
			}
		}})
	}()
	want := int64(plan.Invoices / plan.Partitions * 2) // of three of four
	for began := time.Now(); others.Load() < want && time.Since(began) < 10*time.Second; {
		time.Sleep(10 * time.Millisecond)
	}
	if n := others.Load(); n < want {
		t.Errorf("%d records were sent to the partitions beside the one that is away, want %d at least", n, want)
	}
	close(back)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// A stream that is ended early is whole as far as it goes: what is reported stands.
func TestSendUntil(t *testing.T) {
	log, until := memlog.New(memlog.Options{}), make(chan struct{})
	log.CreateTopic("t", 2, 0)
	var sent atomic.Int64
	err := Send(t.Context(), log, New(Plan{Partitions: 2, Segments: 1}), Sending{Topic: "t", Rate: 2_000, Until: until,
		Sent: func(truths []Truth) {
			if sent.Add(int64(len(truths))) == int64(len(truths)) {
				close(until)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	stand := int64(0)
	for partition := range 2 {
		_, end, err := log.Bounds(t.Context(), "t", partition)
		if err != nil {
			t.Fatal(err)
		}
		stand += end
	}
	if stand != sent.Load() || stand == 0 || stand > 10_000 {
		t.Errorf("%d records stand, %d are reported of a plan of 100,000 that was ended at once", stand, sent.Load())
	}
}

// Whatever becomes of appends (refused, torn, unanswered, and one that comes through
// after it was given up), the ledger says what stands where.
func TestSendLedgerOutlivesFaults(t *testing.T) {
	plan := everything
	plan.Invoices, plan.Partitions = 3_000, 1
	lost, tries := errors.New("no answer"), -1
	var log *memlog.Log
	log = memlog.New(memlog.Options{MaxWait: -1, Hooks: memlog.Hooks{
		BeforeAppend: func(topic string, partition int, records []pipeline.Record) error {
			switch tries++; tries {
			case 1:
				return lost
			case 3:
				return &memlog.Torn{Records: 7, Err: lost}
			case 5:
				_, err := log.Append(t.Context(), topic, partition, records[:5]) // tries = 6
				return err
			}
			return nil
		},
		AfterAppend: func(string, int, int64, []pipeline.Record) error {
			if tries == 4 {
				return lost
			}
			return nil
		},
	}})
	log.CreateTopic("t", 1, 0)
	const before = 3
	if _, err := log.Append(t.Context(), "t", 0, make([]pipeline.Record, before)); err != nil {
		t.Fatal(err)
	}
	ledger := map[int64]Truth{}
	err := Send(t.Context(), log, New(plan), Sending{Topic: "t", Patience: time.Minute, Sent: func(truths []Truth) {
		for _, truth := range truths {
			ledger[truth.Offset] = truth
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, end, err := log.Bounds(t.Context(), "t", 0)
	if err != nil || end != before+int64(len(ledger)) {
		t.Fatalf("%d records stand, the ledger has %d, error %v", end, len(ledger), err)
	}
	first := map[string]bool{}
	reader := log.Open("t", 0)
	for offset := int64(before); offset < end; {
		fetched, err := reader.Fetch(t.Context(), offset)
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range fetched.Records {
			truth := ledger[record.Offset]
			if truth.GarbageKind != "" {
				continue
			}
			if !bytes.Contains(record.Value, []byte(`"invoice_id":"`+truth.InvoiceID+`"`)) {
				t.Fatalf("the ledger says %s of offset %d, which holds %s", truth.InvoiceID, record.Offset, record.Value)
			}
			if truth.Redelivery != first[truth.InvoiceID] {
				t.Fatalf("offset %d: redelivery %v", record.Offset, truth.Redelivery)
			}
			first[truth.InvoiceID] = true
		}
		offset = fetched.Next
	}
}
