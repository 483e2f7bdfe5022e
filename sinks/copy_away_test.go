package sinks

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"recoup/pipeline"
)

// awayGroup is a group whose broker is away until an instant.
type awayGroup struct {
	pipeline.Group
	until time.Time
	asked int
}

func (g *awayGroup) Next(ctx context.Context) (pipeline.Generation, error) {
	g.asked++
	if time.Now().Before(g.until) {
		return nil, fmt.Errorf("cannot join group: read from port %d: connection reset", g.asked)
	}
	<-ctx.Done()
	return standby{}, nil
}

func (g *awayGroup) Close() error { return nil }

// standby is a generation that gives no partition.
type standby struct{ pipeline.Generation }

func (standby) Assigned() map[int]int64 { return nil }
func (standby) Done() <-chan struct{}   { return nil }
func (standby) Leave()                  {}

// TestCopyBrokerAway: while the broker is away a member asks less and less often, tells
// it once, and tells when it has joined.
func TestCopyBrokerAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := NewCopy(&Store{}, CopyOptions{Log: slog.New(slog.NewTextHandler(&log, nil))})
		group := &awayGroup{until: time.Now().Add(time.Minute)}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if err := c.Run(ctx, group, nil); err != nil {
			t.Fatal(err)
		}
		if group.asked > 40 {
			t.Errorf("asked %d times in a minute, expected pauses of up to %v", group.asked, lastBackoff)
		}
		for _, line := range []string{"not working, trying again", "works again"} {
			if n := strings.Count(log.String(), line); n != 1 {
				t.Errorf("%q was told %d times, expected once:\n%s", line, n, log.String())
			}
		}
	})
}

// TestCopyRestsAfterRows: only what stored rows is told to have stored, so that the table
// does not rest after tombstones.
func TestCopyRestsAfterRows(t *testing.T) {
	tombstones := make(chan piece, 1)
	tombstones <- piece{next: 3}
	turn := &turn{copy: NewCopy(&Store{}, CopyOptions{})}
	stored, err := turn.storeNext(t.Context(), copied{topic: "recoup.disputes"}, "s", tombstones, time.Time{})
	if stored || err != nil {
		t.Errorf("tombstones: stored %v, %v; want nothing stored", stored, err)
	}
}

// stuckLog is a log whose readers bring nothing from an offset on, though there is more.
type stuckLog struct {
	pipeline.Log
	pipeline.Reader
	end int64
}

func (l *stuckLog) Open(string, int) pipeline.Reader { return l }
func (l *stuckLog) Close() error                     { return nil }

func (l *stuckLog) Fetch(ctx context.Context, offset int64) (pipeline.Fetched, error) {
	time.Sleep(250 * time.Millisecond)
	return pipeline.Fetched{Next: offset, End: l.end}, ctx.Err()
}

// TestCopyReaderStandsStill: a reader that brings nothing though there is more is given up, one of a
// topic to which nothing comes is not.
func TestCopyReaderStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := &turn{copy: NewCopy(&Store{}, CopyOptions{})}
		for end, want := range map[int64]time.Duration{7: 2 * time.Minute, 8: stalledAfter} {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			began := time.Now()
			err := turn.fetch(ctx, copied{topic: "recoup.disputes"}, &stuckLog{end: end}, 0, 7, nil)
			told := err != nil && strings.Contains(err.Error(), "nothing comes, and it ends at 8")
			if took := time.Since(began); took < want || took > want+time.Second || told != (end == 8) {
				t.Errorf("at 7 of %d: %v after %v, want it to end after %v", end, err, took, want)
			}
			cancel()
		}
	})
}
