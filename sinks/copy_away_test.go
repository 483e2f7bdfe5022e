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
