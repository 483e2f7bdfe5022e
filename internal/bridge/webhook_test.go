package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"recoup/cases"
)

// hook is a webhook's server. Each request is answered by the next fault, if there is one.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	faults []func(w http.ResponseWriter, r *http.Request)
	got    []delivery
}

// delivery is one request.
type delivery struct {
	body   string
	header http.Header
	taken  bool
}

func newHook(t *testing.T, faults ...func(w http.ResponseWriter, r *http.Request)) *hook {
	h := &hook{faults: faults}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		var fault func(w http.ResponseWriter, r *http.Request)
		if len(h.faults) > 0 {
			fault, h.faults = h.faults[0], h.faults[1:]
		}
		h.got = append(h.got, delivery{string(body), r.Header.Clone(), fault == nil})
		h.mu.Unlock()
		if fault != nil {
			fault(w, r)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) deliveries() []delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got)
}

// taken lists what was taken, as "action name".
func (h *hook) taken(t *testing.T) (list []string) {
	for _, d := range h.deliveries() {
		var is told
		if err := json.Unmarshal([]byte(d.body), &is); err != nil {
			t.Error(err)
		}
		if d.taken {
			list = append(list, string(is.Action)+" "+is.Labels["promotion"])
		}
	}
	return list
}

func status(code int) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", code) }
}

func cutOff(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

func slow(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-time.After(2 * time.Second):
	}
}

func redirect(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
}

// What a webhook answers decides whether it is asked again, and the same event is the
// same bytes under the same key each time.
func TestWebhookFaults(t *testing.T) {
	fire := Event{Fire, NewAlert(incidentCase("BLACK25", 3, cases.ActionOpen, cases.SeverityError, 4), Boards{}), nil}
	for name, c := range map[string]struct {
		fault   func(w http.ResponseWriter, r *http.Request)
		done    int
		refused bool
	}{
		"500":                   {status(500), 0, false},
		"503":                   {status(503), 0, false},
		"429":                   {status(429), 0, false},
		"a wrong login":         {status(401), 0, false},
		"a wrong address":       {status(404), 0, false},
		"a redirection":         {redirect, 0, false},
		"the connection is cut": {cutOff, 0, false},
		"no answer in time":     {slow, 0, false},
		"it refuses the body":   {status(422), 1, true},
	} {
		h := newHook(t, c.fault)
		w := NewWebhook(WebhookSettings{URL: h.URL + "/hook?token=SECRET", Secret: "k", Connection: Connection{
			Timeout: 200 * time.Millisecond, Authorization: "Bearer x"}})
		done, err := w.Tell(t.Context(), []Event{fire})
		if done != c.done || err == nil || errors.Is(err, ErrRefused) != c.refused ||
			strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %d done, %v", name, done, err)
		}
		if done, err = w.Tell(t.Context(), []Event{fire}); done != 1 || err != nil {
			t.Errorf("%s: then %d done, %v", name, done, err)
		}
		got := h.deliveries()
		if len(got) != 2 || got[0].body != got[1].body ||
			got[0].header.Get("Idempotency-Key") != got[1].header.Get("Idempotency-Key") ||
			!strings.HasSuffix(got[1].header.Get("Idempotency-Key"), "-3-fire") ||
			got[1].header.Get("Authorization") != "Bearer x" {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// A receiver can check who signed a body, and when.
func TestWebhookSignature(t *testing.T) {
	h := newHook(t)
	w := NewWebhook(WebhookSettings{URL: h.URL, Secret: "k"})
	w.now = func() time.Time { return monday }
	if _, err := w.Tell(t.Context(), []Event{{Resolve, NewAlert(invoiceCase("1", 2, ""), Boards{}), nil}}); err != nil {
		t.Fatal(err)
	}
	got := h.deliveries()[0]
	if want := Sign("k", monday, []byte(got.body)); got.header.Get("Recoup-Signature") != want ||
		!strings.HasPrefix(want, "t=1772438400,v1=") || want == Sign("l", monday, []byte(got.body)) ||
		want == Sign("k", monday, []byte(got.body+" ")) {
		t.Errorf("signed %q, want %q", got.header.Get("Recoup-Signature"), want)
	}
	if want := "127.0.0.1-"; !strings.HasPrefix(w.Name(), want) || strings.Contains(w.Name(), "/") {
		t.Errorf("its name is %q", w.Name())
	}
}

// Of two Alertmanagers of a cluster one may be away; when both are, it is tried again.
func TestOneAlertmanagerIsEnough(t *testing.T) {
	up, down := newHook(t), newHook(t)
	down.Close()
	event := Event{Fire, NewAlert(incidentCase("BLACK25", 1, cases.ActionOpen, cases.SeverityError, 4), Boards{}), nil}
	tell := func(urls ...string) (int, error) {
		return NewAlertmanagers(AlertmanagerSettings{URLs: urls}).Tell(context.Background(), []Event{event})
	}
	if done, err := tell(down.URL, up.URL); done != 1 || err != nil {
		t.Errorf("%d told, %v", done, err)
	}
	if done, err := tell(down.URL, down.URL); done != 0 || err == nil {
		t.Errorf("%d told, %v: nobody took it", done, err)
	}
}

// To Alertmanager an alert is its labels: one that becomes worse ends, and another begins;
// one that is repeated lives on.
func TestAlertmanagerEndsWhatHasOtherLabels(t *testing.T) {
	h := newHook(t)
	a := NewAlertmanagers(AlertmanagerSettings{URLs: []string{h.URL}, Repeat: time.Minute})
	was := NewAlert(incidentCase("BLACK25", 1, cases.ActionOpen, cases.SeverityWarning, 4), Boards{})
	more := NewAlert(incidentCase("BLACK25", 2, cases.ActionUpdate, cases.SeverityWarning, 9), Boards{})
	worse := NewAlert(incidentCase("BLACK25", 3, cases.ActionUpdate, cases.SeverityCritical, 9), Boards{})
	for _, c := range []struct {
		event Event
		want  string
	}{
		{Event{Fire, was, nil}, "warning lives"},
		{Event{Update, more, was}, "warning lives"},
		{Event{Update, worse, more}, "warning ends, critical lives"},
		{Event{Resolve, worse, worse}, "critical ends"},
		{Event{Resolve, worse, more}, "warning ends"},
		{Event{Resolve, worse, nil}, "critical ends"},
	} {
		if _, err := a.Tell(t.Context(), []Event{c.event}); err != nil {
			t.Fatal(err)
		}
		var list []posted
		if err := json.Unmarshal([]byte(h.deliveries()[len(h.deliveries())-1].body), &list); err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, p := range list {
			state := " ends"
			if left := time.Until(p.EndsAt); left > 4*time.Minute && left <= 5*time.Minute {
				state = " lives"
			}
			said = append(said, p.Labels["severity"]+state)
		}
		if got := strings.Join(said, ", "); got != c.want {
			t.Errorf("%s: posted %q, want %q", c.event.Action, got, c.want)
		}
	}
}
