package sinks

import (
	"time"

	"recoup/detectors"
)

// verdictColumns are what scoring said.
type verdictColumns struct {
	pError, cv, deviationPct          cells
	decision, direction, basis, level interned
	rules                             internedList
	billed, expected, low, high       decimals
	n, lateBy                         cells
	lossPoint, lossLow, lossHigh      decimals
	causes                            causeColumns
	suspect, taught                   cells
	incidentID, caseID                text
	modelVersion, configHash          interned
	referenceAsOf, feedbackAsOf       textInstants
	recoveryRate, recoveryCases       cells
}

func newVerdictColumns() verdictColumns {
	return verdictColumns{
		pError: newCells(typeFloat, 8), cv: newCells(typeFloat, 8), deviationPct: newCells(typeFloat, 8),
		decision: newInterned(), direction: newInterned(), basis: newInterned(), level: newInterned(),
		rules:  newInternedList(),
		billed: newDecimals(typeAmount), expected: newDecimals(typeAmount), low: newDecimals(typeAmount),
		high: newDecimals(typeAmount), n: newCells("Int64", 8), lateBy: newCells("Int64", 8),
		lossPoint: newDecimals(typeAmount), lossLow: newDecimals(typeAmount), lossHigh: newDecimals(typeAmount),
		causes: newCauseColumns(), suspect: newCells("Bool", 1), taught: newCells("Bool", 1),
		modelVersion: newInterned(), configHash: newInterned(),
		referenceAsOf: newTextInstants(), feedbackAsOf: newTextInstants(),
		recoveryRate: newCells(typeFloat, 8), recoveryCases: newCells("Int64", 8),
	}
}

func (c *verdictColumns) add(v *detectors.Verdict) {
	c.pError.add64(floatBits(v.PError))
	c.cv.add64(floatBits(v.CV))
	c.deviationPct.add64(floatBits(v.DeviationPct))
	c.decision.add(string(v.Decision))
	c.direction.add(string(v.Direction))
	c.basis.add(string(v.AmountBasis))
	c.level.add(string(v.Level))
	c.rules.add(v.Rules)
	c.billed.add(int64(v.Billed))
	c.expected.add(int64(v.Expected))
	c.low.add(int64(v.ExpectedLow))
	c.high.add(int64(v.ExpectedHigh))
	c.n.add64(uint64(v.N))
	c.lateBy.add64(uint64(v.LateBy.Milliseconds()))
	c.lossPoint.add(int64(v.Loss.Point))
	c.lossLow.add(int64(v.Loss.Low))
	c.lossHigh.add(int64(v.Loss.High))
	c.causes.add(v.Causes)
	c.suspect.addBool(v.Suspect)
	c.taught.addBool(v.Taught)
	c.incidentID.add(v.IncidentID)
	c.caseID.add(v.CaseID)
	c.modelVersion.add(v.Model.Version)
	c.configHash.add(v.Model.ConfigHash)
	c.referenceAsOf.add(v.Model.ReferenceAsOf)
	c.feedbackAsOf.add(v.Model.FeedbackAsOf)
	c.recoveryRate.add64(floatBits(v.Model.Recovery.Rate))
	c.recoveryCases.add64(uint64(v.Model.Recovery.Cases))
}

func (c *verdictColumns) named() []named {
	return append([]named{
		{"p_error", &c.pError}, {"cv", &c.cv}, {"deviation_pct", &c.deviationPct}, {"decision", &c.decision},
		{"direction", &c.direction}, {"amount_basis", &c.basis}, {"level", &c.level}, {"rules", &c.rules.list},
		{"billed", &c.billed}, {"expected", &c.expected}, {"expected_low", &c.low}, {"expected_high", &c.high},
		{"n", &c.n}, {"late_by_ms", &c.lateBy}, {"loss_point", &c.lossPoint}, {"loss_low", &c.lossLow},
		{"loss_high", &c.lossHigh}, {"suspect", &c.suspect}, {"taught", &c.taught},
		{"incident_id", &c.incidentID}, {"case_id", &c.caseID},
		{"model_version", &c.modelVersion}, {"config_hash", &c.configHash},
		{"reference_as_of", &c.referenceAsOf.nullable}, {"feedback_as_of", &c.feedbackAsOf.nullable},
		{"recovery_rate", &c.recoveryRate}, {"recovery_cases", &c.recoveryCases},
	}, c.causes.named()...)
}

// causeColumns are the findings, as arrays of one length.
type causeColumns struct {
	codes, kinds internedList
	ps, repaired list
	evidence     list

	p      *cells
	amount *decimals
	lines  *list // evidence of one finding
	line   *text // one sentence of it
}

func newCauseColumns() causeColumns {
	p, amount, line := newCells(typeFloat, 8), newDecimals(typeAmount), &text{}
	lines := newList(line)
	return causeColumns{
		codes: newInternedList(), kinds: newInternedList(),
		ps: newList(&p), repaired: newList(&amount), evidence: newList(&lines),
		p: &p, amount: &amount, lines: &lines, line: line,
	}
}

func (c *causeColumns) add(findings []detectors.Finding) {
	for i := range findings {
		f := &findings[i]
		c.codes.strings.add(f.Code)
		c.kinds.strings.add(f.Kind)
		c.p.add64(floatBits(f.P))
		c.amount.add(int64(f.Repaired))
		for _, line := range f.Evidence {
			c.line.add(line)
		}
		c.lines.end(len(f.Evidence))
	}
	c.codes.end(len(findings))
	c.kinds.end(len(findings))
	c.ps.end(len(findings))
	c.repaired.end(len(findings))
	c.evidence.end(len(findings))
}

func (c *causeColumns) named() []named {
	return []named{
		{"causes.code", &c.codes.list}, {"causes.kind", &c.kinds.list}, {"causes.p", &c.ps},
		{"causes.evidence", &c.evidence}, {"causes.repaired_amount", &c.repaired},
	}
}

// textInstants is a column of instants that come as RFC 3339 text. Most rows
// repeat the row before, so it is read once.
type textInstants struct {
	nullable
	last string
	at   time.Time
}

func newTextInstants() textInstants { return textInstants{nullable: nullableInstants()} }

// add adds the instant; one that is empty or cannot be read is absent.
func (c *textInstants) add(s string) {
	if s != c.last {
		c.last = string([]byte(s))
		c.at, _ = time.Parse(time.RFC3339Nano, s)
	}
	if s == "" {
		c.nullable.add(0, false)
		return
	}
	addInstant(&c.nullable, c.at)
}
