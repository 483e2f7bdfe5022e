package bridge

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the numbers of a bridge, by receiver.
type Metrics struct {
	deliveries *prometheus.CounterVec
	open       *prometheus.GaugeVec
	success    *prometheus.GaugeVec
	failing    *prometheus.GaugeVec
	passed     prometheus.Counter
}

// Results of an attempt to tell.
const (
	delivered = "delivered"
	failed    = "failed"  // tried again
	refused   = "refused" // not tried again
)

// NewMetrics makes the metrics and registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"receiver"})
	}
	m := &Metrics{
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "recoup_bridge_deliveries_total",
			Help: "Alerts told, by receiver and result: delivered, failed (tried again), refused (not tried again)."},
			[]string{"receiver", "result"}),
		open: gauge("recoup_bridge_open_alerts", "Open cases that a receiver is to know of, by receiver."),
		success: gauge("recoup_bridge_last_success_timestamp_seconds",
			"When a receiver last had all it is to be told, of every partition; goes on while nothing is; by receiver."),
		failing: gauge("recoup_bridge_failing_seconds",
			"For how long telling a receiver, or reading the cases for it, fails; 0 while it works; by receiver."),
		passed: prometheus.NewCounter(prometheus.CounterOpts{Name: "recoup_bridge_foreign_records_total",
			Help: "Records in the topic of the cases that are no cases."}),
	}
	reg.MustRegister(m.deliveries, m.open, m.success, m.failing, m.passed)
	return m
}

// begin shows a receiver before anything happens.
func (m *Metrics) begin(name string) {
	for _, result := range []string{delivered, failed, refused} {
		m.deliveries.WithLabelValues(name, result)
	}
	m.open.WithLabelValues(name)
	m.failing.WithLabelValues(name)
}

// state is how one receiver's partitions are: told is when the slowest had been told
// everything, and since when the first began to fail.
func (m *Metrics) state(name string, open int, since, told, now time.Time) {
	m.open.WithLabelValues(name).Set(float64(open))
	if !told.IsZero() {
		m.success.WithLabelValues(name).Set(float64(told.UnixMilli()) / 1000)
	}
	if since.IsZero() {
		m.failing.WithLabelValues(name).Set(0)
		return
	}
	m.failing.WithLabelValues(name).Set(max(0.001, now.Sub(since).Seconds()))
}
