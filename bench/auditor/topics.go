package auditor

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline"
)

// decided is what the decision log says of an invoice.
type decided struct {
	told   told
	dedup  string // key of its case
	body   uint64 // hash of its case's bytes, 0 without a case
	at     time.Time
	hasRow bool
}

// told is what a row repeats of a verdict.
type told struct {
	Seller, ID                        string
	Revision                          int64
	PError                            float64
	Decision, CaseID, IncidentID      string
	FirstCause, ModelVersion          string
	Billed                            invoice.Amount
	Expected, ExpectedLow, ExpectedHi invoice.Amount
	Loss, LossLow, LossHigh           invoice.Amount
	Taught                            bool
}

// toldBy returns what a verdict says.
func toldBy(v *detectors.Verdict) told {
	t := told{Seller: v.Seller, ID: v.InvoiceID, Revision: v.Revision, PError: v.PError, Decision: string(v.Decision),
		CaseID: v.CaseID, IncidentID: v.IncidentID, ModelVersion: v.Model.Version, Billed: v.Billed, Expected: v.Expected,
		ExpectedLow: v.ExpectedLow, ExpectedHi: v.ExpectedHigh, Loss: v.Loss.Point, LossLow: v.Loss.Low,
		LossHigh: v.Loss.High, Taught: v.Taught}
	if len(v.Causes) > 0 {
		t.FirstCause = v.Causes[0].Code
	}
	return t
}

// publishedCase is what stands in the topic of the cases under one key.
type publishedCase struct {
	kind     cases.Kind
	opened   map[uint64]opening // by the hash of a first record of a detector
	bySeq    map[int64]uint64
	resolver cases.Resolver // of the highest seq
	highest  int64
}

// opening is what the first record of a case says of its invoice.
type opening struct {
	at         time.Time // when it came first
	seller, id string
	caseID     string
	partition  int
	offset     int64
}

// readDecisions keeps the valid decisions: those not behind an ownership record of
// a later owner.
func (a *audit) readDecisions(ctx context.Context) error {
	a.decisions = make([]map[int64]*decided, a.partitions)
	a.checks.expect(CheckDecidedOnce, 0)
	highest := make([]int64, a.partitions)
	for p := range a.decisions {
		a.decisions[p] = map[int64]*decided{}
	}
	return a.eachOf(ctx, a.Config.Kafka.Topics.Suspects, func(p int, r *pipeline.Record) error {
		var d pipeline.Decision
		if err := json.Unmarshal(r.Value, &d); err != nil {
			a.checks.never(CheckDecisions, "record %d of %s/%d: %v", r.Offset, a.Config.Kafka.Topics.Suspects, p, err)
			return nil
		}
		if d.Kind == "ownership" {
			highest[p] = r.Offset
			return nil
		}
		if d.Epoch < highest[p] || d.Verdict == nil {
			return nil // void, or no verdict
		}
		v := d.Verdict
		now := &decided{told: toldBy(d.Verdict), dedup: cases.DedupKey(v.Seller, v.InvoiceID, v.Revision), at: r.Time}
		if len(d.Case) > 0 {
			now.body = xxhash.Sum64(d.Case)
		}
		was := a.decisions[p][d.Source.Offset]
		if was == nil {
			a.decisions[p][d.Source.Offset] = now
		} else if was.told != now.told || was.body != now.body {
			a.checks.never(CheckDecidedOnce, "offset %d of partition %d: %+v, later %+v", d.Source.Offset, p, was.told, now.told)
		}
		return nil
	})
}

// readCases keeps what was published of each case.
func (a *audit) readCases(ctx context.Context) error {
	a.cases = map[string]*publishedCase{}
	a.checks.expect(CheckCaseBytes, 0)
	return a.eachOf(ctx, a.Config.Kafka.Topics.Cases, func(p int, r *pipeline.Record) error {
		if len(r.Value) == 0 {
			return nil // a tombstone: the case is forgotten
		}
		var c cases.Case
		if err := json.Unmarshal(r.Value, &c); err != nil {
			a.checks.never(CheckCaseBytes, "record %d of %s/%d: %v", r.Offset, a.Config.Kafka.Topics.Cases, p, err)
			return nil
		}
		known := a.cases[c.DedupKey]
		if known == nil {
			known = &publishedCase{kind: c.Kind, opened: map[uint64]opening{}, bySeq: map[int64]uint64{}}
			a.cases[c.DedupKey] = known
		}
		body := xxhash.Sum64(r.Value)
		if c.Kind == cases.KindInvoice && c.Action == cases.ActionOpen && c.Origin == cases.OriginDetector {
			if _, was := known.opened[body]; !was {
				known.opened[body] = opening{at: r.Time, seller: c.Seller, id: c.InvoiceID, caseID: c.CaseID,
					partition: c.Source.Partition, offset: c.Source.Offset}
			}
		}
		if was, there := known.bySeq[c.Seq]; !there {
			known.bySeq[c.Seq] = body
		} else if was != body {
			a.checks.never(CheckCaseBytes, "case %s: two records of seq %d differ", c.DedupKey, c.Seq)
		}
		if c.Seq >= known.highest {
			known.highest, known.resolver = c.Seq, ""
			if c.Resolution != nil {
				known.resolver = c.Resolution.By
			}
		}
		return nil
	})
}

// judgeCases compares both ways: each decision has its case, each case its decision.
func (a *audit) judgeCases(context.Context) error {
	a.checks.expect(CheckCasesDoubled, 0)
	wanted := map[string][]uint64{} // bodies of the decisions on each invoice: there should be one
	for p := range a.decisions {
		for offset, d := range a.decisions[p] {
			if d.body == 0 {
				continue
			}
			if wanted[d.dedup] = append(wanted[d.dedup], d.body); len(wanted[d.dedup]) > 1 {
				a.checks.never(CheckCasesDoubled, "case %s is opened by offset %d of partition %d and by another one",
					d.dedup, offset, p)
			}
			known := a.cases[d.dedup]
			if known == nil {
				a.checks.right(CheckCases, false, "case %s of offset %d, partition %d is not published", d.dedup, offset, p)
				continue
			}
			_, there := known.opened[d.body]
			a.checks.right(CheckCases, there, "case %s of offset %d, partition %d was published with other bytes only",
				d.dedup, offset, p)
		}
	}
	for key, known := range a.cases {
		for body := range known.opened {
			// A record that only a void decision opened is resolved by the case stage.
			if !slices.Contains(wanted[key], body) && known.resolver != cases.ResolvedByVoid {
				a.checks.never(CheckCaseBytes, "case %s was opened with bytes that no valid decision has", key)
			}
		}
	}
	return nil
}

// parked is what the dead letter of a record says.
type parked struct {
	start uint64 // hash of the bytes it has of the original
	bytes int    // how many those are
	whole int    // how many the original had
	at    time.Time
}

// readDeadLetters keeps the first dead letter of each invoice record.
func (a *audit) readDeadLetters(ctx context.Context) error {
	a.dead = make([]map[int64]parked, a.partitions)
	for p := range a.dead {
		a.dead[p] = map[int64]parked{}
	}
	topic := a.Config.Kafka.Topics.DeadLetter
	return a.eachOf(ctx, topic, func(p int, r *pipeline.Record) error {
		var d pipeline.DeadLetter
		if err := json.Unmarshal(r.Value, &d); err != nil {
			a.checks.never(CheckDeadLetters, "record %d of %s/%d: %v", r.Offset, topic, p, err)
			return nil
		}
		if d.Topic != a.Config.Kafka.Topics.Invoices || d.Partition < 0 || d.Partition >= a.partitions || d.Reason == "" {
			a.checks.never(CheckDeadLetters, "record %d of %s/%d parks offset %d of %s/%d for %q", r.Offset, topic, p,
				d.Offset, d.Topic, d.Partition, d.Reason)
			return nil
		}
		if _, was := a.dead[d.Partition][d.Offset]; !was {
			a.dead[d.Partition][d.Offset] = parked{xxhash.Sum64(d.Value), len(d.Value), d.ValueBytes, r.Time}
		}
		return nil
	})
}

// leastKept is how many bytes of an original a dead letter keeps at least.
const leastKept = 64 << 10

// is tells whether a dead letter holds this record, whole or its start.
func (d parked) is(value []byte) bool {
	return d.whole == len(value) && d.bytes <= len(value) && d.bytes >= min(len(value), leastKept) &&
		d.start == xxhash.Sum64(value[:d.bytes])
}
