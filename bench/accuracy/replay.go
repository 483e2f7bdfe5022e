package main

import (
	"slices"

	"recoup/detectors"
	"recoup/detectors/reference"
	"recoup/invoice"
)

// warmUp is the share of invoices, from the start of a file, that only teach.
const warmUp = 0.3

// replay scores one corpus as `recoup score` does: one partition, in file
// order, each invoice against what the ones before it taught.
type replay struct {
	corpus     *corpus
	references *reference.Store // what counts of it at an invoice's own time is known; nil for nothing
	settings   detectors.Settings
	// withoutCause is left out of the errors recoup injects into its own history;
	// "" for none.
	withoutCause string
	people       *people // decide what is flagged; nil: nobody does
}

// outcome is what was said of one invoice and what is true of it.
type outcome struct {
	invoice *invoice.Invoice
	label   *label // nil: the invoice is right

	pError  float64
	suspect bool
	loss    invoice.Amount // estimated
	cause   string         // code of the first cause, "" without any
	kind    string         // of the first cause
	rules   []string
	named   []int // places of the lines that the causes of a suspect name
}

// wrong tells whether the invoice carries an error.
func (o *outcome) wrong() bool { return o.label != nil }

// first returns the first cause as rules are written, noCause without any.
func (o *outcome) first() string {
	if o.cause == "" {
		return noCause
	}
	return o.cause + ":" + o.kind
}

// codes returns the rules that fired, the first cause among them.
func (o *outcome) codes() []string {
	if slices.Contains(o.rules, o.first()) {
		return o.rules
	}
	return append(slices.Clip(o.rules), o.first())
}

// run returns the outcomes of the invoices behind the warm-up. Credit notes and
// corrections are replayed and not counted.
func (r *replay) run() []outcome {
	engine := detectors.NewEngine(r.settings, detectors.NewShared(), 0)
	engine.UseReferences(r.references)
	trainer := detectors.NewTrainer(detectors.TrainerOptions{Without: r.withoutCause})
	var verdict detectors.Verdict
	outcomes := make([]outcome, 0, r.corpus.standard)
	for i := range r.corpus.invoices {
		inv := &r.corpus.invoices[i]
		position := invoice.Position{Topic: r.corpus.name, Offset: int64(i)}
		if r.people != nil {
			r.people.speak(inv.IssuedAt, engine, trainer)
		}
		fresh := engine.Begin(inv, position, inv.IssuedAt) == detectors.Fresh
		if fresh {
			trainer.Prepare(engine)
			engine.Score(&verdict)
			trainer.Observe(engine)
			engine.Teach(verdict.Suspect)
			if r.people != nil {
				r.people.see(i, inv, &verdict, r.corpus.labels[inv.ID])
			}
		}
		if inv.Type != invoice.Standard {
			continue
		}
		o := outcome{invoice: inv, label: r.corpus.labels[inv.ID]}
		if fresh { // a redelivery is never flagged
			o.take(&verdict)
		}
		outcomes = append(outcomes, o)
	}
	return outcomes[warmUpOf(len(outcomes)):]
}

// warmUpOf returns how many of n invoices only teach.
func warmUpOf(n int) int { return int(warmUp * float64(n)) }

// take copies what is measured of a verdict.
func (o *outcome) take(v *detectors.Verdict) {
	o.pError, o.suspect, o.loss = v.PError, v.Suspect, v.Loss.Point
	if len(v.Causes) > 0 {
		o.cause, o.kind = v.Causes[0].Code, v.Causes[0].Kind
	}
	o.rules = slices.Clone(v.Rules)
	if !v.Suspect {
		return
	}
	for i := range v.Causes {
		for _, sentence := range v.Causes[i].Evidence {
			o.named = append(o.named, linesNamed(sentence)...)
		}
	}
}
