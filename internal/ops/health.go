// Package ops is what runs beside the work: metrics, health and profiles over
// HTTP, for Prometheus, an orchestrator and somebody on call.
package ops

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Health knows which parts of a process work. A part is broken from Set(name,
// err) until Set(name, nil), or as long as its check returns an error. All
// methods may be called concurrently.
type Health struct {
	mu     sync.Mutex // guards parts and checks
	parts  map[string]part
	checks map[string]func() error
	now    func() time.Time
}

type part struct {
	err   error
	since time.Time
}

// PartState is the state of one part at one time.
type PartState struct {
	// Name of the part, such as "clickhouse".
	Name string `json:"name"`
	// OK is false while the part is broken.
	OK bool `json:"ok"`
	// Error says what is broken; empty while OK.
	Error string `json:"error,omitempty"`
	// Since is when the part was last Set to work or to be broken; absent for checks.
	Since *time.Time `json:"since,omitempty"`
}

// NewHealth returns a Health without parts, which is ready.
func NewHealth() *Health {
	return &Health{parts: map[string]part{}, checks: map[string]func() error{}, now: time.Now}
}

// Set says that a part is broken (err) or works (nil). The first error's time
// is kept while the part stays broken.
func (h *Health) Set(name string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, known := h.parts[name]
	if !known || (p.err == nil) != (err == nil) {
		p.since = h.now()
	}
	p.err = err
	h.parts[name] = p
}

// Check registers a function that is asked at every request: it must be quick
// and safe for concurrent use.
func (h *Health) Check(name string, check func() error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks[name] = check
}

// States returns every part, by name, and whether all work.
func (h *Health) States() (states []PartState, ready bool) {
	h.mu.Lock()
	parts, checks := maps.Clone(h.parts), maps.Clone(h.checks)
	h.mu.Unlock()
	for name, p := range parts {
		since := p.since.UTC()
		states = append(states, state(name, p.err, &since))
	}
	for name, check := range checks {
		states = append(states, state(name, check(), nil))
	}
	slices.SortFunc(states, func(a, b PartState) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return states, !slices.ContainsFunc(states, func(s PartState) bool { return !s.OK })
}

func state(name string, err error, since *time.Time) PartState {
	s := PartState{Name: name, OK: err == nil, Since: since}
	if err != nil {
		s.Error = err.Error()
	}
	return s
}

// readiness exports the health as metrics.
type readiness struct {
	h    *Health
	desc *prometheus.Desc
}

// Describe sends the metric's description.
func (r readiness) Describe(out chan<- *prometheus.Desc) { out <- r.desc }

// Collect sends 1 for every part that works and 0 for every one that does not.
func (r readiness) Collect(out chan<- prometheus.Metric) {
	states, _ := r.h.States()
	for _, s := range states {
		value := 0.0
		if s.OK {
			value = 1
		}
		out <- prometheus.MustNewConstMetric(r.desc, prometheus.GaugeValue, value, s.Name)
	}
}

// newReadiness makes the metric recoup_part_ready.
func newReadiness(h *Health) readiness {
	return readiness{h, prometheus.NewDesc("recoup_part_ready",
		"1 while a part of this process works, 0 while it does not.", []string{"part"}, nil)}
}
