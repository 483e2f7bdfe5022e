package pipeline

import "github.com/prometheus/client_golang/prometheus"

// StageMetrics are the numbers of the case stage; all but Owner stand still on members
// that do not run it.
type StageMetrics struct {
	Owner    prometheus.Gauge       // 1 while this member runs it
	Lag      *prometheus.GaugeVec   // records that it has not read yet, by topic
	Cases    *prometheus.CounterVec // records of cases that it published, by kind and action
	Waiting  *prometheus.GaugeVec   // what waits for its case, by kind
	Progress prometheus.Gauge       // Unix seconds of its last look at all inputs; 0: never
}

func newStageMetrics(reg prometheus.Registerer) StageMetrics {
	m := StageMetrics{
		Owner: prometheus.NewGauge(prometheus.GaugeOpts{Name: "recoup_stage_owner",
			Help: "1 while this process runs the case stage."}),
		Lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "recoup_stage_lag_records",
			Help: "Records that the case stage has not read yet, by topic."}, []string{"topic"}),
		Cases: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "recoup_stage_cases_total",
			Help: "Records of cases that the case stage published, by kind and action."}, []string{"kind", "action"}),
		Waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "recoup_stage_waiting",
			Help: "Events and recoveries that wait for a case, audits aside, and disputes that are all that is known of " +
				"their invoice, by kind; at cases.most_unknown the case stage parks."}, []string{"kind"}),
		Progress: prometheus.NewGauge(prometheus.GaugeOpts{Name: "recoup_stage_progress_timestamp_seconds",
			Help: "When the case stage of this process last looked at its inputs."}),
	}
	reg.MustRegister(m.Owner, m.Lag, m.Cases, m.Waiting, m.Progress)
	return m
}
