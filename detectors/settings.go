package detectors

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/invoice"
)

// ModelVersion names the way verdicts are made until a model is trained.
const ModelVersion = "prior-1"

// Settings are all settings of scoring. Two processes with the same settings
// give the same verdicts; Hash tells them apart.
type Settings struct {
	// DeviationBasisPoints is the threshold of the 15 % rule: an invoice fires
	// when it is strictly more than this far below the mean. By default 1500.
	DeviationBasisPoints int64
	// MinN is how many invoices a baseline needs before it may make a suspect or
	// be preferred as the expectation. By default 30.
	MinN int64
	// MaxCV is the highest coefficient of variation (standard deviation over
	// mean) at which the 15 % rule may make a suspect. By default 0.075.
	MaxCV float64
	// SuspectThreshold is the p_error from which an invoice is suspect. By default 0:
	// the one that training found to be right in four of five cases, and 0.5 until
	// a model is trained.
	SuspectThreshold float64
	// HalfLife is the event time after which an invoice counts half in its
	// baselines. By default 90 days.
	HalfLife time.Duration
	// LearnWithin is how late an invoice may be and still teach. By default 35 days.
	LearnWithin time.Duration
	// IdentityRetention is for how long of event time identities and deliveries
	// are remembered, in whole hours. By default 35 days.
	IdentityRetention time.Duration
	// FutureTolerance is how far issued_at may lie after the record's own time
	// before it is implausible. By default 24 hours.
	FutureTolerance time.Duration
	// HandlingCost is what working one case costs, by currency. A suspect in a
	// currency without it is at most logged. By default 50 for EUR, USD, GBP and CHF.
	HandlingCost map[string]invoice.Amount
	// BaseRate is the share of invoices that hold an error, as long as nothing
	// better is known. By default 0.03.
	BaseRate float64
}

// DefaultSettings returns every setting with its default.
func DefaultSettings() Settings {
	return Settings{
		DeviationBasisPoints: 1500,
		MinN:                 30,
		MaxCV:                0.075,
		HalfLife:             90 * 24 * time.Hour,
		LearnWithin:          35 * 24 * time.Hour,
		IdentityRetention:    35 * 24 * time.Hour,
		FutureTolerance:      24 * time.Hour,
		HandlingCost: map[string]invoice.Amount{
			"EUR": 50 * invoice.Unit, "USD": 50 * invoice.Unit, "GBP": 50 * invoice.Unit, "CHF": 50 * invoice.Unit,
		},
		BaseRate: 0.03,
	}
}

// Validate says which setting cannot be scored with, and what it may be.
func (s Settings) Validate() error {
	switch {
	case s.DeviationBasisPoints < 0 || s.DeviationBasisPoints >= wholeBasisPoints:
		return fmt.Errorf("cannot score with a deviation of %d basis points: want 0 to 9999 (1500 is 15 %%)",
			s.DeviationBasisPoints)
	case s.MinN < 1:
		return fmt.Errorf("cannot score with min_n %d: want at least 1", s.MinN)
	case !(s.MaxCV >= 0 && s.MaxCV <= mostCV):
		return fmt.Errorf("cannot score with max_cv %v: want 0 to %v", s.MaxCV, mostCV)
	case !(s.SuspectThreshold >= 0 && s.SuspectThreshold <= 1):
		return fmt.Errorf("cannot score with suspect threshold %v: want 0 (as trained) to 1", s.SuspectThreshold)
	case !(s.BaseRate > 0 && s.BaseRate < 1):
		return fmt.Errorf("cannot score with base rate %v: want between 0 and 1", s.BaseRate)
	case s.HalfLife < time.Hour:
		return fmt.Errorf("cannot score with half-life %v: want at least 1h", s.HalfLife)
	case s.IdentityRetention < time.Hour:
		return fmt.Errorf("cannot score with identity retention %v: want at least 1h", s.IdentityRetention)
	case s.LearnWithin < 0 || s.FutureTolerance < 0:
		return fmt.Errorf("cannot score with learn_within %v and future_tolerance %v: neither may be negative",
			s.LearnWithin, s.FutureTolerance)
	}
	for _, currency := range slices.Sorted(maps.Keys(s.HandlingCost)) {
		if _, ok := invoice.Exponent(currency); !ok {
			return fmt.Errorf("cannot score with a handling cost in %q: want an ISO 4217 code such as EUR", currency)
		}
		if cost := s.HandlingCost[currency]; cost < 0 {
			return fmt.Errorf("cannot score with a handling cost of %v %s: want 0 or more", cost, currency)
		}
	}
	return nil
}

// Hash identifies the settings in 16 hex digits; equal settings have equal hashes.
func (s Settings) Hash() string {
	var b strings.Builder
	fmt.Fprintf(&b, "deviation=%d min_n=%d max_cv=%v threshold=%v half_life=%v learn_within=%v "+
		"identity_retention=%v future_tolerance=%v base_rate=%v", s.DeviationBasisPoints, s.MinN, s.MaxCV,
		s.SuspectThreshold, s.HalfLife, s.LearnWithin, s.IdentityRetention, s.FutureTolerance, s.BaseRate)
	for _, currency := range slices.Sorted(maps.Keys(s.HandlingCost)) {
		fmt.Fprintf(&b, " handling_cost.%s=%v", currency, s.HandlingCost[currency])
	}
	return fmt.Sprintf("%016x", xxhash.Sum64String(b.String()))
}
