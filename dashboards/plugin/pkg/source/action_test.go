package source

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A second click waits for the first, for as long as it may: it is the same action when
// the first was written, and an action of its own when it failed. Others do not wait.
func TestClicks(t *testing.T) {
	var c clicks
	begin := func(id string, want bool) {
		t.Helper()
		if first, err := c.begin(t.Context(), id); err != nil || first != want {
			t.Errorf("click %s: first %v, %v, want %v", id, first, err, want)
		}
	}
	begin("a", true)
	begin("b", true) // beside it
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.begin(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second click while the first is under way: %v", err)
	}
	time.AfterFunc(20*time.Millisecond, func() { c.end("a", false) })
	begin("a", true) // the first failed
	time.AfterFunc(20*time.Millisecond, func() { c.end("a", true) })
	begin("a", false)
	c.end("b", true)
	begin("b", false)
	for range mostSent {
		begin("c", true)
		c.end("c", true)
		c.sent[len(c.sent)-1] = "other"
	}
	if len(c.sent) > mostSent {
		t.Errorf("%d ids are remembered", len(c.sent))
	}
}
