package scenario

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// settings are the keys of a `set` line. handling_cost.XXX comes on top.
var settings = map[string]func(*detectors.Settings, string) error{
	"deviation":          setDeviation,
	"min_n":              func(s *detectors.Settings, v string) error { return integer(&s.MinN, v) },
	"max_cv":             func(s *detectors.Settings, v string) error { return fraction(&s.MaxCV, v) },
	"suspect_threshold":  func(s *detectors.Settings, v string) error { return fraction(&s.SuspectThreshold, v) },
	"base_rate":          func(s *detectors.Settings, v string) error { return fraction(&s.BaseRate, v) },
	"half_life":          func(s *detectors.Settings, v string) error { return span(&s.HalfLife, v) },
	"learn_within":       func(s *detectors.Settings, v string) error { return span(&s.LearnWithin, v) },
	"identity_retention": func(s *detectors.Settings, v string) error { return span(&s.IdentityRetention, v) },
	"future_tolerance":   func(s *detectors.Settings, v string) error { return span(&s.FutureTolerance, v) },
}

const costPrefix = "handling_cost."

// set changes settings for the rest of the scenario, before its first invoice.
func (r *runner) set(c *command) error {
	if r.engine != nil {
		return c.errorf("cannot change settings after the first invoice: begin a new scenario")
	}
	if len(c.args) == 0 {
		return c.errorf("cannot set %q: want key=value", c.rest)
	}
	for _, a := range c.args {
		currency, isCost := strings.CutPrefix(a.key, costPrefix)
		set := settings[a.key]
		if isCost {
			set = func(s *detectors.Settings, v string) error { return setCost(s, currency, v) }
		}
		if set == nil {
			return c.errorf("cannot set %s: want one of %s or %sEUR", a.key, known(settings), costPrefix)
		}
		if err := set(&r.settings, a.value); err != nil {
			return c.errorf("cannot set %s=%s: %w", a.key, a.value, err)
		}
	}
	if err := r.settings.Validate(); err != nil {
		return c.errorf("%w", err)
	}
	return c.noWords()
}

// setDeviation reads a percentage of at most two decimals.
func setDeviation(s *detectors.Settings, v string) error {
	percent, ok := strings.CutSuffix(v, "%")
	f, err := invoice.ParseFixed(percent)
	if !ok || err != nil || f%(invoice.One/100) != 0 {
		return fmt.Errorf("want a percentage of at most two decimals, such as 15%% or 12.5%%")
	}
	s.DeviationBasisPoints = int64(f / (invoice.One / 100))
	return nil
}

func setCost(s *detectors.Settings, currency, v string) error {
	cost, err := invoice.ParseAmount(v)
	if err != nil {
		return err
	}
	s.HandlingCost = maps.Clone(s.HandlingCost)
	if s.HandlingCost == nil {
		s.HandlingCost = map[string]invoice.Amount{}
	}
	s.HandlingCost[currency] = cost
	return nil
}

func integer(to *int64, v string) (err error) {
	*to, err = strconv.ParseInt(v, 10, 64)
	return err
}

func fraction(to *float64, v string) (err error) {
	*to, err = strconv.ParseFloat(v, 64)
	return err
}

func span(to *time.Duration, v string) (err error) {
	*to, err = parseDuration(v)
	return err
}
