package bridge

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Webhook is any address that takes alerts as JSON.
type Webhook struct {
	settings WebhookSettings
	name     string
	poster   poster
	now      func() time.Time
}

// WebhookSettings say how a webhook is reached and what it is told.
type WebhookSettings struct {
	// URL that events are posted to.
	URL string
	// Connection to it.
	Connection Connection
	// Filter of what it is told.
	Filter Filter
	// Secret signs each body; "": nothing is signed.
	Secret string
}

// NewWebhook returns the receiver. Its name is its host and a hash of its address, which
// may hold a token.
func NewWebhook(s WebhookSettings) *Webhook {
	host := ""
	if parsed, err := url.Parse(s.URL); err == nil {
		host = parsed.Hostname()
	}
	sum := sha256.Sum256([]byte(s.URL))
	return &Webhook{settings: s, poster: newPoster(s.Connection), now: time.Now,
		name: host + "-" + hex.EncodeToString(sum[:4])}
}

// Name is the host and a hash of the address.
func (w *Webhook) Name() string { return w.name }

// Repeat is never: who took an event keeps it.
func (w *Webhook) Repeat() time.Duration { return 0 }

// Filter is that of the settings.
func (w *Webhook) Filter() Filter { return w.settings.Filter }

// Reach asks for the header of the address: whatever is answered, somebody is there. Only
// an event shows whether it is taken.
func (w *Webhook) Reach(ctx context.Context) error {
	code, _, err := w.poster.ask(ctx, http.MethodHead, w.settings.URL)
	switch {
	case err != nil:
		return fmt.Errorf("cannot reach the webhook %s: %w; fix: start it, or mend bridge.webhooks.urls and its tls",
			w.name, err)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fmt.Errorf("the webhook %s answers %d; fix: renew the file of bridge.webhooks.authorization_file",
			w.name, code)
	}
	return nil
}

// told is the body of a webhook; docs/OPERATIONS.md explains it.
type told struct {
	Schema   string            `json:"schema"` // "alert.v1"
	DedupKey string            `json:"dedup_key"`
	Action   Action            `json:"action"`
	Seq      int64             `json:"seq"`
	Started  time.Time         `json:"started_at"`
	Summary  string            `json:"summary"`
	Labels   map[string]string `json:"labels"`
	Details  map[string]string `json:"custom_details"`
}

func body(x Event) told {
	a := x.Alert
	return told{Schema: "alert.v1", DedupKey: a.CaseID, Action: x.Action, Seq: a.Seq, Started: a.Started,
		Summary: a.Annotations["summary"], Labels: a.Labels, Details: a.Annotations}
}

// Tell posts one event after the other. The same event is the same bytes, under the same
// Idempotency-Key.
func (w *Webhook) Tell(ctx context.Context, events []Event) (done int, err error) {
	for _, x := range events {
		text, err := json.Marshal(body(x))
		if err != nil {
			return done, fmt.Errorf("cannot encode an alert: %w", err)
		}
		header := map[string]string{"Idempotency-Key": fmt.Sprintf("%s-%d-%s", x.Alert.CaseID, x.Alert.Seq, x.Action)}
		if w.settings.Secret != "" {
			header["Recoup-Signature"] = Sign(w.settings.Secret, w.now(), text)
		}
		err = w.poster.post(ctx, w.settings.URL, text, header)
		if err == nil || errors.Is(err, ErrRefused) {
			done++
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// Sign returns the Recoup-Signature of a body: the time in Unix seconds, and the
// HMAC-SHA256 of time, dot and body in hexadecimal digits. A receiver refuses what does
// not fit, or is old.
func Sign(secret string, at time.Time, body []byte) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
