package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// picky is an Alertmanager that refuses each request with the alert of one case in it.
func picky(t *testing.T, bad string, got map[string]posted) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var list []posted
		if err := json.NewDecoder(r.Body).Decode(&list); err != nil {
			t.Error(err)
		}
		for _, p := range list {
			if p.Labels["case_id"] == bad {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
		}
		for _, p := range list {
			got[p.Labels["case_id"]] = p
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func threeEnded() (events []Event) {
	for _, id := range []string{"a", "b", "c"} {
		events = append(events, Event{Action: Resolve, Alert: &Alert{CaseID: id, Started: time.Now().Add(-time.Hour),
			Labels: map[string]string{"case_id": id}}})
	}
	return events
}

// One bad alert costs no other its delivery, and is the one that is named; what ends
// has ended for an Alertmanager whose clock is behind, too.
func TestAChunkIsRefusedOneByOne(t *testing.T) {
	got := map[string]posted{}
	a := NewAlertmanagers(AlertmanagerSettings{URLs: []string{picky(t, "b", got)}})
	events := threeEnded()
	done, err := a.Tell(context.Background(), events)
	if done != 2 || !errors.Is(err, ErrRefused) || len(got) != 1 {
		t.Fatalf("done %d, error %v, delivered %v; want a delivered and b refused", done, err, got)
	}
	if done, err = a.Tell(context.Background(), events[done:]); done != 1 || err != nil || len(got) != 2 {
		t.Fatalf("done %d, error %v, delivered %v; want c delivered", done, err, got)
	}
	if apart := time.Since(got["a"].EndsAt); apart < mostApart {
		t.Errorf("it ends %v ago: want at least %v", apart, mostApart)
	}
}

// A member that cannot be reached may take what another refuses.
func TestRefusedIsWhatEveryMemberRefuses(t *testing.T) {
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	a := NewAlertmanagers(AlertmanagerSettings{URLs: []string{picky(t, "a", map[string]posted{}), away.URL}})
	if done, err := a.Tell(context.Background(), threeEnded()[:1]); done != 0 || err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("done %d, error %v: want one that is tried again", done, err)
	}
}

// A tombstone of a case that is over leaves nothing behind.
func TestATombstoneRemovesWhatIsOver(t *testing.T) {
	b := newBook(Filter{}, Boards{})
	b.entries["a"] = &entry{seq: 3}
	if b.forget("a"); len(b.entries) != 0 {
		t.Errorf("entries %v: want none", b.entries)
	}
}
