package pipeline

import "testing"

// Of two records of a key the higher epoch wins, then the higher applied offset,
// whatever their order in the log (design: a paused owner may write late).
func TestStampSupersedes(t *testing.T) {
	for _, c := range []struct {
		s, old stamp
		want   bool
	}{
		{stamp{epoch: 2, applied: 10}, stamp{epoch: 1, applied: 50}, true},
		{stamp{epoch: 1, applied: 50}, stamp{epoch: 2, applied: 10}, false},
		{stamp{epoch: 1, applied: 51}, stamp{epoch: 1, applied: 50}, true},
		{stamp{epoch: 1, applied: 50}, stamp{epoch: 1, applied: 50}, true}, // a repeat
		{stamp{epoch: 1, applied: 49}, stamp{epoch: 1, applied: 50}, false},
	} {
		if got := c.s.supersedes(c.old); got != c.want {
			t.Errorf("%+v supersedes %+v: %v, want %v", c.s, c.old, got, c.want)
		}
	}
}

// What is written is read back, and what is cut off is refused, not guessed at.
func TestStateRecord(t *testing.T) {
	value := encodeState(stamp{epoch: 7, applied: 1 << 40}, []byte("payload"))
	at, payload, err := decodeState(value)
	if err != nil || at != (stamp{epoch: 7, applied: 1 << 40}) || string(payload) != "payload" {
		t.Errorf("got %+v, %q, %v", at, payload, err)
	}
	for n := range 7 {
		if _, _, err := decodeState(value[:n]); err == nil {
			t.Errorf("%d bytes of a stamp were accepted", n)
		}
	}
}

// Restamped is a record of state as the owner of another epoch would have written it.
func Restamped(t *testing.T, r Record, epoch int64) Record {
	t.Helper()
	at, payload, err := r.stamped()
	if err != nil {
		t.Fatal(err)
	}
	return stateRecord(r.Key, stamp{epoch: epoch, applied: at.applied}, payload)
}
