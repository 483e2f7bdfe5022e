package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// Alertmanagers are the members of one Alertmanager cluster, or one that is alone. They
// share what was notified, not the alerts, so each is told everything; what one of them
// missed it gets with the next repeat.
type Alertmanagers struct {
	settings AlertmanagerSettings
	poster   poster
}

// AlertmanagerSettings say how Alertmanagers are reached and what they are told.
type AlertmanagerSettings struct {
	// URLs of all members, without /api.
	URLs []string
	// Connection to each.
	Connection Connection
	// Filter of what they are told.
	Filter Filter
	// Repeat is how often an open alert is told again. It expires after five times that.
	Repeat time.Duration
}

const (
	// expireAfter is the lifetime of an alert in repeats: it ends by itself when nobody
	// tells of it any more.
	expireAfter = 5
	// mostAtOnce bounds the alerts of one request.
	mostAtOnce = 200
)

// NewAlertmanagers returns the receiver.
func NewAlertmanagers(s AlertmanagerSettings) *Alertmanagers {
	if s.Repeat <= 0 {
		s.Repeat = time.Minute
	}
	return &Alertmanagers{settings: s, poster: newPoster(s.Connection)}
}

// Name is the same whatever the addresses: they are one cluster.
func (*Alertmanagers) Name() string { return "alertmanager" }

// Repeat is how often an open alert is posted again: Alertmanager forgets.
func (a *Alertmanagers) Repeat() time.Duration { return a.settings.Repeat }

// Filter is that of the settings.
func (a *Alertmanagers) Filter() Filter { return a.settings.Filter }

// mostApart is how far the clocks may be apart: the lifetime of an alert goes by both.
const mostApart = 30 * time.Second

// Reach asks each member for its status.
func (a *Alertmanagers) Reach(ctx context.Context) (all error) {
	for _, address := range a.settings.URLs {
		code, date, err := a.poster.ask(ctx, http.MethodGet, strings.TrimRight(address, "/")+"/api/v2/status")
		apart := time.Since(date).Abs()
		switch {
		case err != nil:
			all = errors.Join(all, fmt.Errorf("cannot reach the Alertmanager %s: %w; fix: start it, or mend "+
				"bridge.alertmanager.urls and its tls", address, err))
		case code != http.StatusOK:
			all = errors.Join(all, fmt.Errorf("the Alertmanager %s answers %d to /api/v2/status; fix: mend "+
				"bridge.alertmanager.urls, without /api, or authorization_file", address, code))
		case !date.IsZero() && apart > mostApart:
			all = errors.Join(all, fmt.Errorf("the clocks of the Alertmanager %s and of this machine are %v apart: alerts end "+
				"too early or too late; fix: synchronise them", address, apart.Round(time.Second)))
		}
	}
	return all
}

// posted is an alert of Alertmanager's API v2.
type posted struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

func newPosted(a *Alert, ends time.Time) posted {
	started := a.Started
	if started.After(ends) {
		started = ends
	}
	return posted{Labels: a.Labels, Annotations: a.Annotations, StartsAt: started, EndsAt: ends.UTC(),
		GeneratorURL: a.Annotations["dashboard"]}
}

// Tell posts the events in chunks. An alert is its labels: where they change, the one
// before ends and a new one begins.
func (a *Alertmanagers) Tell(ctx context.Context, events []Event) (done int, err error) {
	for most := mostAtOnce; len(events) > 0; {
		chunk := events[:min(len(events), most)]
		now := time.Now()
		ended := now.Add(-mostApart) // not in the future of an Alertmanager whose clock is behind
		var list []posted
		for _, x := range chunk {
			moved := x.Was != nil && !maps.Equal(x.Was.Labels, x.Alert.Labels)
			if moved {
				list = append(list, newPosted(x.Was, ended))
			}
			switch {
			case x.Action != Resolve:
				list = append(list, newPosted(x.Alert, now.Add(expireAfter*a.settings.Repeat)))
			case !moved:
				list = append(list, newPosted(x.Alert, ended))
			}
		}
		err := a.post(ctx, list)
		if errors.Is(err, ErrRefused) && len(chunk) > 1 {
			most = 1 // to find the one that it is about
			continue
		}
		if err == nil || errors.Is(err, ErrRefused) {
			done += len(chunk)
		}
		if err != nil {
			return done, err
		}
		events = events[len(chunk):]
	}
	return done, nil
}

// post is done when one of the members has taken the alerts, and refused when all refuse.
func (a *Alertmanagers) post(ctx context.Context, list []posted) error {
	body, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("cannot encode alerts: %w", err)
	}
	var refused, away error
	taken := false
	for _, address := range a.settings.URLs {
		err := a.poster.post(ctx, strings.TrimRight(address, "/")+"/api/v2/alerts", body, nil)
		switch {
		case err == nil:
			taken = true
		case errors.Is(err, ErrRefused):
			refused = errors.Join(refused, err)
		default:
			away = errors.Join(away, err)
		}
	}
	switch {
	case taken:
		return nil
	case away != nil:
		return away
	}
	return refused
}
