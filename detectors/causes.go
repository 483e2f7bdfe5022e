package detectors

import (
	"cmp"
	"slices"
)

// nameCauses orders the causes, the most probable first, and sets how probable
// each is.
//
// Where a classifier judges, it tells the causes apart; of several findings of one
// cause each gets a part by its own probability. Of a suspect a cause that it is sure
// of and that no detector can show is named all the same: then no repair fits. So a
// suspect always has a cause, if only an unknown one.
func (e *Engine) nameCauses(v *Verdict) {
	m := e.classifiers[v.Seller]
	if m == nil || v.PError < leastNamed {
		if len(v.Causes) > 1 {
			slices.SortStableFunc(v.Causes, byProof)
			for i := 1; i < len(v.Causes); i++ { // an amount that is unusual for sure is no surer of why
				v.Causes[i].P = min(v.Causes[i].P, v.Causes[i-1].P)
			}
		}
		return
	}
	if !v.Suspect && len(v.Causes) == 0 {
		return // nothing to weigh
	}
	var p [len(causeCodes)]float64
	m.causeOf(&e.cur.ev.x, &p)
	for i, code := range causeCodes {
		named := func(f Finding) bool { return f.Code == code }
		if v.Suspect && p[i] >= certainCause && !slices.ContainsFunc(v.Causes, named) {
			v.Causes = append(v.Causes, e.unrepaired(v, code, p[i]))
		}
	}
	if v.Suspect && len(v.Causes) == 0 { // no single cause stands out either
		v.Causes = append(v.Causes, e.unrepaired(v, CauseUnknown, v.PError))
		return
	}
	unnamed := 1 - slices.Max(p[:])
	for i := range v.Causes {
		f := &v.Causes[i]
		at := slices.Index(causeCodes[:], f.Code)
		if at < 0 {
			f.P *= unnamed
			continue
		}
		var all float64
		for k := range v.Causes {
			if v.Causes[k].Code == f.Code && k >= i {
				all += v.Causes[k].P
			}
		}
		share := f.P / all * p[at]
		p[at] -= share
		f.P = min(1, max(0, share))
	}
	slices.SortStableFunc(v.Causes, func(a, b Finding) int { return cmp.Compare(b.P, a.P) })
}

const (
	// leastNamed is the p_error from which causes are weighed.
	leastNamed = 0.02
	// certainCause is how probable a cause must be to be named without a repair.
	certainCause = 0.6
)

// withoutRepair is a cause that only the whole of the evidence points to. Where a
// finding of another cause is proof, its repair stands: who made the error does not
// change what is due.
func withoutRepair(v *Verdict, code string, p float64) Finding {
	f := Finding{Code: code, Kind: KindNoRepair, P: p, Repaired: v.Billed}
	for i := range v.Causes {
		if proof := &v.Causes[i]; proof.Code != CauseUnknown && proof.P >= proofEnough && proof.Repaired != v.Billed {
			f.Repaired, f.estimated = proof.Repaired, proof.estimated
			f.Evidence = append([]string{"the evidence as a whole points to it; what repairs the invoice is proved"},
				proof.Evidence...)
			return f
		}
	}
	f.Evidence = []string{"no single change repairs the invoice"}
	return f
}

// unrepaired is withoutRepair with what is most unusual, for people to check.
func (e *Engine) unrepaired(v *Verdict, code string, p float64) Finding {
	f := withoutRepair(v, code, p)
	if f.Repaired == v.Billed {
		f.Evidence = append(e.reasons(), f.Evidence...)
	}
	return f
}

// KindNoRepair is the kind of a cause that only the whole of the evidence points to.
// Its repaired amount is that of a proved finding, without one what was billed.
const KindNoRepair = "no_repair"

// byProof orders causes: what a check has proved stands before what it has not,
// then the more probable one; the rest keeps the order of allDetectors.
func byProof(a, b Finding) int {
	if proved(&a) != proved(&b) {
		if proved(&a) {
			return -1
		}
		return 1
	}
	return cmp.Compare(b.P, a.P)
}

// proved tells whether a finding names its cause and is more likely right than
// not. An unusual amount never is proof, however certain: it says that something
// is missing, a named cause says what is owed, and to whom. A sum that is off by
// what rounding may do is none either: its cents must not hide what is missing.
func proved(f *Finding) bool { return f.Code != CauseUnknown && f.P >= 0.5 }
