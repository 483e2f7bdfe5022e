package pipeline

import (
	"github.com/prometheus/client_golang/prometheus"

	"recoup/detectors"
)

// Metrics are the numbers a member exports. Labels stay few: partitions,
// levels, decisions, reasons.
type Metrics struct {
	Scored            *prometheus.CounterVec // by level
	Suspects          *prometheus.CounterVec // by decision
	Redelivered       prometheus.Counter     // records with known identity and equal content
	DeadLetters       *prometheus.CounterVec // by reason
	CasesOpened       prometheus.Counter     // published and acknowledged
	EventToCase       prometheus.Histogram   // seconds from the record's time to the acknowledged case
	Rows              prometheus.Counter     // invoices stored and acknowledged
	RowsReplaced      prometheus.Counter     // stored rows that contradicted the decision log
	RowsDoubled       prometheus.Counter     // rows a paused predecessor stored twice, removed again
	Unstored          *prometheus.GaugeVec   // Unix seconds since when rows wait for the store, by partition; 0: none does
	Insert            prometheus.Histogram   // seconds an insert took, retries included
	Buffer            prometheus.Gauge       // bytes
	BufferFull        prometheus.Gauge       // 1 while fetching pauses
	Lag               *prometheus.GaugeVec   // records, by partition
	Committed         *prometheus.GaugeVec   // offset, by partition
	CheckpointOffset  *prometheus.GaugeVec   // offset, by partition
	CheckpointRecords prometheus.Counter     // state records published
	Partitions        prometheus.Gauge       // owned now
	TakeOver          prometheus.Histogram   // seconds
	Fenced            prometheus.Counter     // partitions given up to another member
	Prepared          prometheus.Gauge       // partitions of silent or leaving owners that are prepared, or being prepared
	Preparations      *prometheus.CounterVec // their ends, by owner and result
	Forgotten         *prometheus.CounterVec // what made room in the memory of a partition for others, by kind
	CountsDropped     prometheus.Counter     // values of invoices that found no room among the counts
	Foreign           prometheus.Counter     // records in recoup's own topics that recoup did not write
	LeftOut           prometheus.Counter     // records that their topic refuses for their size though they were cut
	Expired           prometheus.Counter     // offsets that retention deleted before they were scored
	ReaderRebuilds    *prometheus.CounterVec // readers that stood still and were opened anew, by topic
	References        *prometheus.CounterVec // references read, by schema
	ReferencesRefused *prometheus.CounterVec // references that cannot be read, by reason
	ReferenceLag      *prometheus.GaugeVec   // records, by topic
	Model             *prometheus.GaugeVec   // 1 for what is to judge, by seller and version; at most 64 sellers
	ModelTrained      *prometheus.GaugeVec   // Unix seconds of its publication, by seller
	ModelsRefused     prometheus.Counter     // models that cannot be read
	Trainings         *prometheus.CounterVec // by result
	TrainingDuration  prometheus.Gauge       // seconds the last training took
	TrainingExamples  prometheus.Gauge       // of the last training, all sellers
	OutcomesLearned   *prometheus.CounterVec // by outcome
	OutcomesGone      prometheus.Counter     // that teach nothing, as their invoice is not to be had any more
	OutcomesWaiting   *prometheus.GaugeVec   // partitions of the case events that wait, by partition
	Stage             StageMetrics           // of the case stage
	Segments          *prometheus.GaugeVec   // that the 15 % rule compares with, all partitions, by footing
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	perPartition := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"partition"})
	}
	by := func(label, name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	}
	seconds := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help,
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}})
	}
	m := &Metrics{
		Scored:       by("level", "recoup_invoices_scored_total", "Invoices scored, by level of their baseline."),
		Suspects:     by("decision", "recoup_invoices_suspect_total", "Suspect invoices, by decision."),
		Redelivered:  counter("recoup_invoices_redelivered_total", "Records seen before with equal content."),
		DeadLetters:  by("reason", "recoup_dead_letters_total", "Records parked in the dead-letter topic, by reason."),
		CasesOpened:  counter("recoup_cases_opened_total", "Cases published and acknowledged."),
		EventToCase:  seconds("recoup_event_to_case_seconds", "Record time of a suspect invoice to its acknowledged case."),
		Rows:         counter("recoup_rows_stored_total", "Invoices stored and acknowledged."),
		RowsDoubled:  counter("recoup_rows_doubled_total", "Rows that a paused process stored twice, removed again."),
		RowsReplaced: counter("recoup_rows_replaced_total", "Stored rows that contradicted the decision log, replaced."),
		Unstored: perPartition("recoup_rows_unstored_since_timestamp_seconds",
			"When the first row of the oldest block that waits for the store was scored; 0 while none waits."),
		Insert:            seconds("recoup_insert_duration_seconds", "Time to store one block, retries included."),
		Buffer:            gauge("recoup_row_buffer_bytes", "Rows not stored yet."),
		BufferFull:        gauge("recoup_row_buffer_full", "1 while fetching waits for room in the row buffer."),
		Lag:               perPartition("recoup_partition_lag_records", "Records from the last scored one to the end."),
		Committed:         perPartition("recoup_partition_committed_offset", "Last committed offset."),
		CheckpointOffset:  perPartition("recoup_checkpoint_offset", "Offset of the last checkpoint."),
		CheckpointRecords: counter("recoup_checkpoint_records_total", "State records published."),
		Partitions:        gauge("recoup_partitions_assigned", "Partitions this member owns."),
		TakeOver:          seconds("recoup_takeover_duration_seconds", "Time to take a partition over."),
		Fenced:            counter("recoup_partitions_fenced_total", "Partitions given up because another member owns them."),
		CountsDropped:     counter("recoup_count_values_dropped_total", "Values not counted: there are too many."),
		Foreign:           counter("recoup_foreign_records_total", "Records in recoup's own topics that are not its own."),
		LeftOut:           counter("recoup_records_left_out_total", "Records too large for their topic even when cut."),
		Expired:           counter("recoup_invoices_expired_total", "Offsets deleted by retention before they were scored."),
		ReaderRebuilds: by("topic", "recoup_reader_rebuilds_total",
			"Readers of a partition that stood still for 30 s and were opened anew, by topic."),
		References:        by("schema", "recoup_references_total", "References read and in use, by schema."),
		ReferencesRefused: by("reason", "recoup_references_refused_total", "References that cannot be read, by reason."),
		ReferenceLag: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "recoup_reference_lag_records",
			Help: "References and deliveries not read yet, by topic."}, []string{"topic"}),
		Model: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "recoup_model_info",
			Help: "1 for the trained model that judges, by seller and version; the prior is not shown."},
			[]string{"seller", "version"}),
		ModelTrained: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "recoup_model_trained_timestamp_seconds",
			Help: "When that model was published, by seller."}, []string{"seller"}),
		ModelsRefused:    counter("recoup_models_refused_total", "Stored models that this recoup cannot read."),
		Trainings:        by("result", "recoup_trainings_total", "Trainings here: published, too_few invoices, or failed."),
		TrainingDuration: gauge("recoup_training_duration_seconds", "Time of the last training, reading included."),
		TrainingExamples: gauge("recoup_training_examples", "Usual and altered invoices of the last training."),
	}
	reg.MustRegister(m.Scored, m.Suspects, m.Redelivered, m.DeadLetters, m.CasesOpened, m.EventToCase, m.Rows,
		m.RowsReplaced, m.RowsDoubled, m.Unstored, m.Insert, m.Buffer, m.BufferFull, m.Lag, m.Committed, m.CheckpointOffset,
		m.CheckpointRecords, m.Partitions, m.TakeOver, m.Fenced, m.Foreign, m.CountsDropped, m.Expired, m.References,
		m.ReferencesRefused, m.ReferenceLag, m.Model, m.ModelTrained, m.ModelsRefused, m.Trainings, m.TrainingDuration,
		m.TrainingExamples, m.LeftOut, m.ReaderRebuilds)
	m.registerStandby(reg)
	m.registerMemory(reg)
	m.registerOutcomes(reg)
	m.Stage = newStageMetrics(reg)
	return m
}

// registerStandby makes the metrics of partitions that are prepared before they are owned.
func (m *Metrics) registerStandby(reg prometheus.Registerer) {
	m.Prepared = prometheus.NewGauge(prometheus.GaugeOpts{Name: "recoup_partitions_prepared",
		Help: "Partitions of silent or leaving owners whose state is read here, in case they come."})
	m.Preparations = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "recoup_partition_preparations_total",
		Help: "What became of prepared partitions, of owners that were silent or leaving: used, moved (their state was " +
			"written since), released, failed."}, []string{"owner", "result"})
	reg.MustRegister(m.Prepared, m.Preparations)
}

// registerMemory makes the metrics of what is remembered.
func (m *Metrics) registerMemory(reg prometheus.Registerer) {
	m.Segments = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "recoup_segments",
		Help: "Segments of all partitions, by whether the 15 % rule means something: enough, too_few, too_spread."},
		[]string{"footing"})
	m.Forgotten = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "recoup_state_forgotten_total",
		Help: "What was forgotten to make room for others, by kind."}, []string{"kind"})
	reg.MustRegister(m.Segments, m.Forgotten)
}

// registerOutcomes makes the metrics of outcomes.
func (m *Metrics) registerOutcomes(reg prometheus.Registerer) {
	m.OutcomesLearned = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "recoup_outcomes_learned_total",
		Help: "Outcomes of cases that taught, by outcome; an expected change teaches each partition."}, []string{"outcome"})
	m.OutcomesGone = prometheus.NewCounter(prometheus.CounterOpts{Name: "recoup_outcomes_gone_total",
		Help: "Outcomes that teach nothing: their case or invoice is gone."})
	m.OutcomesWaiting = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "recoup_outcomes_waiting",
		Help: "Partitions of the case events whose next outcome waits for its invoice to be scored again, by partition."},
		[]string{"partition"})
	reg.MustRegister(m.OutcomesLearned, m.OutcomesGone, m.OutcomesWaiting)
}

// scored counts one new verdict.
func (m *Metrics) scored(v *detectors.Verdict) {
	m.Scored.WithLabelValues(string(v.Level)).Inc()
	if v.Suspect {
		m.Suspects.WithLabelValues(string(v.Decision)).Inc()
	}
}
