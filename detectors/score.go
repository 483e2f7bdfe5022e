package detectors

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"recoup/invoice"
)

// stats is one of an invoice's baselines, over all partitions, as scoring uses it.
type stats struct {
	n    int64
	mean invoice.Amount
	sd   float64
	cv   float64
}

// Score fills v with the verdict on the invoice last begun, reusing v's slices.
// It changes nothing: scoring twice gives the same verdict as long as no other
// partition's baselines arrive between.
func (e *Engine) Score(v *Verdict) {
	c := &e.cur
	inv := c.inv
	c.subject = Subject{Invoice: inv, pays: payableOf(inv), prose: &e.prose}
	e.prose.reset()
	pays := &c.subject.pays
	rules, causes := v.Rules[:0], v.Causes[:0]
	*v = e.blank
	v.Seller, v.InvoiceID, v.Revision, v.Stage = inv.Seller, inv.ID, inv.Revision, inv.Stage
	v.Rules, v.Causes = rules, causes
	v.AmountBasis, v.Currency, v.Billed = pays.basis, inv.Currency, pays.billed(inv)
	v.LateBy, v.Model.ReferenceAsOf, v.Source = delayOf(c.lateMS), e.referenceAsOf(), c.position
	v.Model.FeedbackAsOf = e.outcomes.asOfText
	if inv.Type == invoice.Standard {
		e.judge(v)
	}
	if c.implausible {
		v.Rules = append(v.Rules, RuleImplausibleTime)
	}
	v.Taught = e.taught(v.Suspect)
}

// referenceAsOf says up to when references are known, in RFC 3339; most invoices
// share it with the one before.
func (e *Engine) referenceAsOf() string {
	if e.references == nil {
		return ""
	}
	at := e.references.AsOf(e.cur.inv.Seller, e.cur.inv.IssuedAt)
	if at.IsZero() {
		return ""
	}
	if !at.Equal(e.asOf.at) {
		e.asOf.at, e.asOf.text = at, at.UTC().Format(time.RFC3339Nano)
	}
	return e.asOf.text
}

// judge scores a standard invoice; other documents have nothing to be judged by.
//
// The prior takes each finding's own probability, as if they were independent. A
// trained classifier looks at all evidence at once; what a finding proves by
// itself it need not know.
func (e *Engine) judge(v *Verdict) {
	c := &e.cur
	e.gather()
	e.readBaselines()
	e.expect(v)
	deviation := e.deviation(v)
	usual := !c.sight.changed && c.sight.first == 0 && c.usual
	threshold := e.priorThreshold()
	p := probability{prior: deviation, unproved: 1, unshown: 1}
	if deviation >= proofEnough {
		p.unproved = 1 - deviation
	}
	if !usual {
		p = e.detect(v, deviation, p)
	}
	v.PError = p.prior
	if m := e.classifiers[c.inv.Seller]; m != nil {
		found := m.usual * (0.8 + 0.4*normal(-float64(c.ev.x[fNetZ])))
		if !usual {
			found = m.p(&c.ev.x)
		}
		v.PError = max(1-(1-found)*p.unproved, shownWeight*(1-p.unshown))
		v.Model.Version, v.Model.Recovery = m.version, m.recovery
		if e.settings.SuspectThreshold == 0 {
			threshold = m.threshold
		}
	}
	v.Suspect = v.PError >= threshold
	e.nameCauses(v)
	v.leaveOut()
	e.weighLoss(v)
	e.decide(v)
}

// probability is what findings say by themselves.
type probability struct {
	prior    float64 // of an error, as if they were independent
	unproved float64 // that none of those that are proof is right
	unshown  float64 // that none of those is that are right more often than not
}

// detect asks the detectors, adds what they find to v and returns what that says.
func (e *Engine) detect(v *Verdict, deviation float64, p probability) probability {
	c := &e.cur
	c.subject.ev, c.subject.Changed, c.subject.Expected = &c.ev, c.sight.changed, v.Expected
	if c.sight.first != 0 {
		c.subject.FirstForDelivery = string(e.seen.invoiceID(c.sight.first))
	}
	clean := 1 - deviation
	for i := range allDetectors {
		d := &allDetectors[i]
		if !d.of.none() && !d.of.meets(&c.ev.shown) {
			continue
		}
		f, ok := d.Detect(&c.subject)
		if !ok || !(f.P > 0) { // what names the cause of a proof has none where that does not hold
			continue
		}
		f.Evidence = e.prose.take(bounded(f.Evidence))
		clean *= 1 - f.P
		if f.P >= proofEnough {
			p.unproved *= 1 - f.P
		}
		if f.P >= shownEnough {
			p.unshown *= 1 - f.P
		}
		v.Rules = append(v.Rules, e.prose.rule(&f))
		v.Causes = append(v.Causes, f)
	}
	if len(v.Causes) > 1 || (len(v.Causes) == 1 && v.Causes[0].Code != CauseUnknown) {
		p.prior = 1 - clean // 1 - (1 - p) is not always p in floating point
	}
	return p
}

// mostSentences is how many a finding has: with one for each of 20,000 lines the
// decision log would refuse the verdict for its size, again and again.
const mostSentences = 20

// bounded leaves out the sentences beyond mostSentences and says so.
func bounded(evidence []string) []string {
	if len(evidence) <= mostSentences {
		return evidence
	}
	left := len(evidence) - mostSentences + 1
	return append(evidence[:mostSentences-1], fmt.Sprintf("the same holds of %d more lines", left))
}

const (
	// shownEnough is the prior probability from which a finding counts even where a
	// classifier thinks nothing of it: it may never have been shown such an error.
	shownEnough = 0.5
	// shownWeight is how much of it counts then: enough for a suspect at most
	// trained thresholds; above it such an error only ranks higher.
	shownWeight = 0.35
)

// priorThreshold is the p_error from which an invoice is suspect without a
// trained classifier.
func (e *Engine) priorThreshold() float64 { return cmp.Or(e.settings.SuspectThreshold, 0.5) }

// gather fills in the evidence on the invoice last begun.
func (e *Engine) gather() {
	c := &e.cur
	c.ev.gather(c.inv, e.references)
	c.gathered = true
	c.ev.flag(fDelivery2, c.sight.first != 0)
	c.usual = c.ev.usual()
	c.ev.note(c.usual)
}

// readBaselines reads the invoice's baselines over all partitions.
func (e *Engine) readBaselines() {
	c := &e.cur
	for kind, s := range c.segments {
		c.stats[kind] = stats{}
		if s == nil {
			continue
		}
		c.stats[kind] = e.baselineOf(s)
	}
}

// footing tells whether the 15 % rule may make a suspect by this baseline.
func (st *stats) footing(s *Settings) Footing {
	switch {
	case st.n < s.MinN:
		return FootingTooFew
	case st.cv > s.MaxCV || st.mean <= 0:
		return FootingTooSpread
	}
	return FootingEnough
}

// deviation applies the 15 % rule, appends what fired to v.Rules and returns the
// probability of an error it stands for.
//
// The rule is literal: integers, strictly more than the threshold below the
// mean, whatever the history. It means something only where amounts hardly vary
// (n ≥ MinN, cv ≤ MaxCV); there the probability is Φ((shortfall - threshold) /
// cv), of several segments the highest, and one that fired makes a finding.
// Elsewhere the probability stays below suspicion: BaseRate × 2Φ(shortfall / cv)
// of the expectation, so that alerts can still be ranked, or BaseRate without
// any history.
func (e *Engine) deviation(v *Verdict) float64 {
	c := &e.cur
	limit := float64(e.settings.DeviationBasisPoints) / wholeBasisPoints
	narrow, firedKind, highest := false, bySeller, 0.0
	for kind := range bySeller { // the seller as a whole has no rule
		st := &c.stats[kind]
		if st.n == 0 || st.mean <= 0 {
			continue
		}
		fired := c.inv.NetAmount < st.mean &&
			invoice.LessByBasisPoints(c.inv.NetAmount, st.mean, e.settings.DeviationBasisPoints)
		if fired {
			v.Rules = append(v.Rules, segmentRules[kind])
		}
		if st.footing(&e.settings) != FootingEnough {
			continue
		}
		z := (shortfall(c.inv.NetAmount, st.mean) - limit) / max(st.cv, leastCV)
		if fired { // the integers decide, the float only grades
			z = max(z, 0)
		} else {
			z = min(z, belowZero)
		}
		if !narrow || z > highest {
			highest = z
			if fired {
				firedKind = kind
			}
		}
		narrow = true
	}
	if !narrow || firedKind != bySeller && e.amountExplained() {
		return e.graded(v)
	}
	p := normal(highest)
	if firedKind != bySeller {
		v.Causes = append(v.Causes, e.deviationFinding(v, firedKind, p))
	}
	return p
}

const (
	// leastCV keeps the rule's probability smooth where all amounts are equal.
	leastCV = 0.005
	// gradedCV does the same where nothing is narrow.
	gradedCV = 0.05
)

// belowZero is the highest z of a rule that did not fire: near enough to 0 to
// make no difference, far enough that its Φ is below 0.5.
const belowZero = -1e-9

// normal is Φ, the standard normal distribution function.
func normal(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// shortfall returns how far billed lies below a positive mean, as a fraction.
func shortfall(billed, mean invoice.Amount) float64 {
	return difference(mean, billed) / float64(mean)
}

// graded is the probability where the 15 % rule has no say.
func (e *Engine) graded(v *Verdict) float64 {
	p := e.settings.BaseRate
	if v.N > 0 {
		st := e.expectation()
		if st.mean > 0 {
			p *= 2 * normal(shortfall(e.cur.inv.NetAmount, st.mean)/max(st.cv, gradedCV))
		}
	}
	return min(p, math.Nextafter(e.priorThreshold(), 0))
}

// deviationFinding says in words what the 15 % rule found. Which cause made it
// is not known.
func (e *Engine) deviationFinding(v *Verdict, kind segmentKind, p float64) Finding {
	c := &e.cur
	inv, st, s := c.inv, &c.stats[kind], &c.subject
	segment := summaryOf(kind, inv)
	return Finding{
		Code: CauseUnknown, Kind: "deviation", P: p, Repaired: max(v.Expected, v.Billed),
		Evidence: s.list(s.say("net %s is %.2f %% below the usual %s of %s (%d invoices, which vary by %.1f %%)",
			s.Money(inv.NetAmount), 100*shortfall(inv.NetAmount, st.mean), s.Money(s.pays.coins(st.mean)),
			segment.Of(), st.n, 100*st.cv)),
	}
}
