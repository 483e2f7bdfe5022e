package pipeline_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"recoup/detectors"
	"recoup/pipeline"
)

// counted returns what the newest records of recoup.baselines count of a value, over
// all source partitions.
func (w *world) counted(t *testing.T, value string) (all detectors.Tally) {
	t.Helper()
	for p := range 2 {
		newest := map[string][]byte{}
		for _, r := range w.log.Records(w.opt.Topics.Baselines, p) {
			newest[string(r.Key)] = r.Value
		}
		stored := newest[fmt.Sprintf("count|%s|p%d", value, p)]
		if stored == nil {
			continue
		}
		rest := stored[1:]
		for range 2 { // the stamp
			_, n := binary.Varint(rest)
			rest = rest[n:]
		}
		c, err := detectors.DecodeCount(rest)
		if err != nil {
			t.Fatal(err)
		}
		for _, cells := range [][]detectors.Cell{c.Recent, c.Weeks} {
			for i := range cells {
				all.Add(&cells[i].Tally)
			}
		}
	}
	return all
}

// What workers count is in recoup.baselines a moment after it was scored, and the next
// owner of a partition goes on from there: each invoice is counted once, a redelivery
// not at all.
func TestCountsGoOnWithTheNextOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		const n = 400
		for from := 0; from < n; from += 100 {
			w.fillMore(t, 2, from, from+100)
			_, stop := w.start(fmt.Sprint("m", from), nil)
			time.Sleep(20 * time.Second)
			stop()
		}
		for _, value := range []string{"acme|seller|", "acme|segment|B2C/fibre", "acme|source|"} {
			got := w.counted(t, value)
			suspects := got.All()
			if got.Invoices != 2*n || suspects < 20 || got.TooLow != suspects {
				t.Errorf("%s: %d invoices, %d suspects, %d of them too low; want %d, some, all", value, got.Invoices,
					suspects, got.TooLow, 2*n)
			}
		}
	})
}

// A suspect's values leave within seconds; without one nothing but marks does before a minute.
func TestCountsOfSuspectsLeaveAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2)
		_, stop := w.start("m", nil)
		defer stop()
		w.fill(t, 2, 80)
		time.Sleep(70 * time.Second)
		if got := w.counted(t, "acme|seller|").Invoices; got != 160 {
			t.Fatalf("%d invoices after a minute, want 160", got)
		}
		at := start.Add(90 * time.Minute)
		w.append(t, 0, pipeline.Record{Value: invoiceJSON("right", 400, at, "dr"), Time: at})
		time.Sleep(5 * time.Second)
		if got := w.counted(t, "acme|seller|").Invoices; got != 160 {
			t.Errorf("%d invoices seconds after a right one: want it to wait", got)
		}
		w.append(t, 0, pipeline.Record{Value: invoiceJSON("low", 200, at, "dl"), Time: at})
		time.Sleep(5 * time.Second)
		if got := w.counted(t, "acme|seller|"); got.Invoices != 162 || got.All() != 1 {
			t.Errorf("%d invoices, %d suspects seconds after a suspect; want 162, 1", got.Invoices, got.All())
		}
	})
}

// A value that was not met for weeks is forgotten, and its tombstone says whose it is: one
// that a paused owner sends late must not count.
func TestForgottenCountsAreStamped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		_, stop := w.start("m", nil)
		w.fill(t, 1, 10)
		time.Sleep(70 * time.Second)
		later := start.Add(40 * 24 * time.Hour)
		value := bytes.Replace(invoiceJSON("later", 400, later, "dl"), []byte("fibre"), []byte("copper"), 1)
		w.append(t, 0, pipeline.Record{Value: value, Time: later})
		time.Sleep(15 * time.Minute)
		stop()
		forgotten := 0
		for _, r := range w.log.Records(w.opt.Topics.Baselines, 0) {
			if len(r.Value) > 0 || string(r.Key) != "count|acme|segment|B2C/fibre|p0" {
				continue
			}
			if forgotten++; len(r.Stamp) == 0 {
				t.Errorf("the tombstone of %s tells no epoch", r.Key)
			}
		}
		if forgotten == 0 {
			t.Error("nothing was forgotten: the test sees nothing")
		}
	})
}

// Counts are advisory: where nobody can publish them, everything else goes on, and the
// baselines that others fold are the same.
func TestNothingWaitsForCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1)
		w.fill(t, 1, 200)
		want := w.faultFree(t)
		deaf := newWorld(1)
		deaf.fill(t, 1, 200)
		group := deaf.log.Group(deaf.opt.Group, deaf.opt.Topics.Invoices)
		m := deaf.memberOn("m", noCounts{deaf.log}, group, deaf.store)
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		deaf.outcome(t).equal(t, want)
		for _, r := range deaf.log.Records(deaf.opt.Topics.Baselines, 0) {
			if strings.HasPrefix(string(r.Key), detectors.CountPrefix) {
				t.Fatal("a count was published: the test sees nothing")
			}
		}
	})
}

// noCounts is a log that refuses counts.
type noCounts struct{ pipeline.Log }

func (l noCounts) Append(ctx context.Context, topic string, p int, records []pipeline.Record) (int64, error) {
	if len(records) > 0 && bytes.HasPrefix(records[0].Key, []byte(detectors.CountPrefix)) {
		return 0, errors.New("no counts today")
	}
	return l.Log.Append(ctx, topic, p, records)
}
