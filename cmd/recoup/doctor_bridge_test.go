package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/internal/config"
)

// doctor tells of each receiver of the bridge whether it can be reached, without telling
// it anything.
func TestDoctorReachesReceivers(t *testing.T) {
	answer := func(code int, ahead time.Duration) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost || r.Method == http.MethodGet && r.URL.Path != "/api/v2/status" {
				t.Errorf("doctor asks %s %s", r.Method, r.URL.Path)
			}
			w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
			w.WriteHeader(code)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	dead := "http://" + deadAddress(t)
	for _, c := range []struct {
		alertmanagers, webhooks []string
		ok                      int
		problems                []string
	}{
		{nil, nil, 0, nil},
		{[]string{answer(200, 0)}, []string{answer(405, 0), answer(200, 0)}, 3, nil},
		{[]string{answer(404, 0)}, nil, 0, []string{"answers 404"}},
		{[]string{answer(200, time.Hour)}, nil, 0, []string{"apart: alerts end"}},
		{[]string{dead}, []string{dead, answer(401, 0)}, 0,
			[]string{"cannot reach the Alertmanager", "cannot reach the webhook", "answers 401"}},
	} {
		settings := config.Default()
		settings.Bridge.Alertmanager.URLs, settings.Bridge.Webhooks.URLs = c.alertmanagers, c.webhooks
		x := &examination{settings: &settings}
		x.bridge(t.Context())
		good := 0
		for _, f := range x.findings {
			switch at := slices.IndexFunc(c.problems, func(p string) bool { return strings.Contains(f.Problem, p) }); {
			case f.OK:
				good++
			case at < 0 || f.Fix == "":
				t.Errorf("an unexpected problem, or one without a fix: %+v", f)
			default:
				c.problems = slices.Delete(c.problems, at, at+1)
			}
		}
		if good != c.ok || len(c.problems) > 0 {
			t.Errorf("%v, %v: %d can be reached, want %d; not said: %q", c.alertmanagers, c.webhooks, good, c.ok, c.problems)
		}
	}
}
