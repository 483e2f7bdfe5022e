package main

import (
	"errors"
	"fmt"

	"recoup/detectors"
	"recoup/invoice"
)

// verdict is what is kept of what a verdict says, to be held against the baselines that it could
// rest on.
type verdict struct {
	suspect          bool
	other            bool            // it has a cause that rests on no baseline
	level            detectors.Level // of the expectation
	n                int64           // invoices that it rests on
	cv               float64         // their spread
	billed, expected invoice.Amount
}

// founded tells whether a verdict follows from the baselines that its engine had, as README.md
// puts the rule: expected is what the narrowest one of 30 invoices says, else the one of the most;
// a customer's own amounts only where no such baseline is narrower. Suspect is what lies more
// than 15 % below one of 30 invoices that vary by at most 7.5 %, and else only what has another
// cause, such as a customer whose type changed.
func (s *said) founded(settings *detectors.Settings) bool {
	best, enough, suspect := -1, false, false
	for i, b := range s.known {
		has := b.N >= settings.MinN
		if !enough && (has || b.N > 0 && (best < 0 || b.N > s.known[best].N)) {
			best = i
		}
		enough = enough || has
		suspect = suspect || levels[i] != detectors.LevelSeller && has && b.CV <= settings.MaxCV && b.Mean > 0 &&
			invoice.LessByBasisPoints(s.billed, b.Mean, settings.DeviationBasisPoints)
	}
	if suspect != s.suspect && (suspect || !s.other) {
		return false
	}
	switch {
	case s.level == detectors.LevelCustomer:
		return !enough || s.known[best].CV > s.cv
	case best < 0:
		return s.n == 0 && s.expected == 0
	}
	b := &s.known[best]
	return s.level == levels[best] && s.n == b.N && s.expected >= b.Mean-halfCent && s.expected <= b.Mean+halfCent
}

// lies are verdicts that baselines do not bear out; a control tells each of one segment that was
// forgotten, and all must be found.
var lies = [...]func(*said){
	func(s *said) { s.suspect = !s.suspect },
	func(s *said) { s.level = levels[0] },
	func(s *said) { s.n++ },
	func(s *said) { s.expected *= 2 },
}

// lie spoils a verdict in the run with a budget, of a segment that has invoices and that it knows
// nothing of any more.
func (k *verdicts) lie(s *said, met bool) {
	forgotten := met && s.known[0].N == 0
	if !k.lying || k.lies == len(lies) || !forgotten || s.other || s.level == detectors.LevelCustomer || s.n == 0 {
		return
	}
	lies[k.lies](s)
	k.lies++
}

// lying has a run with a budget say of four forgotten segments what is not so, and wants the
// comparison to find four more wrong verdicts than the one of the same stream without.
func (p plan) lying(limit string) error {
	p.Lying = true
	_, without, err := p.withAndWithout(limit)
	if err != nil {
		return err
	}
	switch c := without.Compared; {
	case c.Unexplained != len(lies) || c.Unfounded != len(lies):
		return fmt.Errorf("the comparison finds %d of %d verdicts that were made wrong, %d that do not follow from "+
			"baselines: it cannot be trusted", c.Unexplained, len(lies), c.Unfounded)
	case c.Invoices == 0:
		return errors.New("nothing was compared")
	}
	return nil
}
