package config

import (
	"fmt"
	"strings"

	"recoup/detectors"
	"recoup/invoice"
)

// Settings returns the scoring section as the engine takes it.
func (s *Scoring) Settings() detectors.Settings {
	return detectors.Settings{
		DeviationBasisPoints: int64(s.Deviation),
		MinN:                 s.MinN,
		MaxCV:                s.MaxCV,
		SuspectThreshold:     s.SuspectThreshold,
		HalfLife:             s.HalfLife.Std(),
		LearnWithin:          s.LearnWithin.Std(),
		IdentityRetention:    s.IdentityRetention.Std(),
		FutureTolerance:      s.FutureTolerance.Std(),
		HandlingCost:         s.HandlingCost,
		BaseRate:             s.BaseRate,
	}
}

// Budget returns the bounds as a member takes them.
func (m *Memory) Budget() detectors.Budget {
	return detectors.Budget{Segments: int(m.Segments), Customers: int(m.Customers), Pairs: int(m.Pairs),
		Products: int(m.Products)}
}

// Invoice returns the limits as the decoder takes them.
func (l *Limits) Invoice() invoice.Limits {
	return invoice.Limits{Bytes: int(l.RecordBytes), Depth: int(l.Depth), Lines: int(l.Lines), Items: int(l.Items),
		UnknownFields: int(l.UnknownFields)}
}

// Set changes one field by its path, as the command line does. One entry of a
// map has a path of its own: scoring.handling_cost.EUR. Set checks the form of
// the value only; Validate checks the rest.
func (c *Config) Set(path, text string) error {
	leaves, sections := fields(c)
	for _, f := range leaves {
		entry, inside := strings.CutPrefix(path, f.path+".")
		var err error
		switch {
		case f.isMap() && inside:
			err = f.setEntry(entry, text)
		case f.path != path:
			continue
		case f.isMap():
			err = expected("one entry, such as " + path + ".EUR")
		case f.isList():
			f.setList(splitList(text))
		default:
			err = f.setText(text)
		}
		if err != nil {
			return fmt.Errorf("cannot set %s to %q: %w", path, text, err)
		}
		return nil
	}
	l := loader{leaves: leaves, sections: sections}
	return fmt.Errorf("cannot set %s: unknown key%s", path, l.suggest(path))
}
