package config

import (
	"fmt"
	"slices"

	"recoup/detectors"
	"recoup/invoice"
)

// Settings returns the scoring section as the engine takes it.
func (s *Scoring) Settings() detectors.Settings {
	return detectors.Settings{
		DeviationBasisPoints: int64(s.Deviation),
		MinN:                 s.MinN,
		MaxCV:                s.MaxCV.Fraction(),
		SuspectThreshold:     s.SuspectThreshold,
		HalfLife:             s.HalfLife.Std(),
		LearnWithin:          s.LearnWithin.Std(),
		IdentityRetention:    s.IdentityRetention.Std(),
		FutureTolerance:      s.FutureTolerance.Std(),
		HandlingCost:         s.HandlingCost,
		BaseRate:             s.BaseRate.Fraction(),
	}
}

// Invoice returns the limits as the decoder takes them.
func (l *Limits) Invoice() invoice.Limits {
	return invoice.Limits{Bytes: int(l.RecordBytes), Depth: int(l.Depth), Lines: int(l.Lines), Items: int(l.Items),
		UnknownFields: int(l.UnknownFields)}
}

// Set changes one field by its path, as the command line does. It validates
// nothing but the value's form.
func (c *Config) Set(path, text string) error {
	leaves, sections := fields(c)
	i := slices.IndexFunc(leaves, func(f field) bool { return f.path == path })
	if i < 0 {
		l := loader{leaves: leaves, sections: sections}
		return fmt.Errorf("cannot set %s: unknown key%s", path, l.suggest(path))
	}
	var err error
	switch f := leaves[i]; {
	case f.isMap():
		err = expected("a mapping: write it in the configuration file")
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
