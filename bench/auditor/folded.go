package auditor

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline"
)

// mostCV stands for a coefficient of variation without bound.
const mostCV = 9999

// usual is what members judge by, of a segment over all partitions.
type usual struct {
	n    int64
	mean float64 // in 1/10,000
	cv   float64
}

// fold works out what several contributions come to together, each decayed to the newest hour
// of them: all weights, their mean, and the spread within and between them.
func fold(all []*baseline, halfLife float64) (u usual) {
	hour := int64(math.MinInt64)
	for _, b := range all {
		hour = max(hour, b.hour)
	}
	weights, sum := make([]float64, len(all)), 0.0
	for i, b := range all {
		weights[i] = b.weight * math.Exp2(-float64(hour-b.hour)/halfLife)
		sum += weights[i]
		u.n += b.n
		u.mean += weights[i] * b.mean()
	}
	u.mean /= sum
	square := 0.0
	for i, b := range all {
		apart := b.mean() - u.mean
		square += weights[i] * (b.square/b.weight + apart*apart)
	}
	if square > 0 {
		u.cv = min(math.Sqrt(square/sum)/math.Abs(u.mean), mostCV)
	}
	return u
}

func (b *baseline) mean() float64 { return float64(b.first) + b.sum/b.weight }

// is tells whether two are the same but for rounding: of the mean to 1/10,000.
func (u usual) is(o usual) bool {
	return u.n == o.n && math.Abs(u.mean-o.mean) <= 1 && math.Abs(u.cv-o.cv) <= 1e-6*max(u.cv, o.cv)+1e-9
}

func (u usual) String() string {
	return fmt.Sprintf("n %d, mean %.4f, cv %.6f", u.n, u.mean/float64(invoice.Unit), u.cv)
}

// judgeFolded folds what all partitions contribute as members do it, by their own code, and
// compares the baseline of each segment with what the rows of all partitions taught.
func (a *audit) judgeFolded(ctx context.Context) error {
	a.checks.expect(CheckFolded, 0)
	shared, broken, err := pipeline.NewBaselines(a.log, a.Config.Kafka.Topics.Baselines).Read(ctx)
	if err != nil {
		return err
	}
	if broken > 0 {
		a.checks.never(CheckFolded, "%d records cannot be read", broken)
	}
	settings := a.Config.Scoring.Settings()
	want, sellers := a.foldReferences(settings.HalfLife.Hours())
	for _, seller := range sellers {
		for _, s := range shared.Segments(seller, settings) {
			key, got := segmentKey(&s), usual{s.N, float64(s.Mean), s.CV}
			expected, is := want[key]
			delete(want, key)
			if !is {
				a.checks.never(CheckFolded, "%s: %s, want none", key, got)
				continue
			}
			a.checks.right(CheckFolded, got.is(expected), "%s: %s, want %s", key, got, expected)
		}
	}
	for key, expected := range want {
		a.checks.right(CheckFolded, false, "%s: none, want %s", key, expected)
	}
	return nil
}

// foldReferences returns what each segment that has a rule should come to, and all sellers.
func (a *audit) foldReferences(halfLife float64) (want map[string]usual, sellers []string) {
	parts := map[string][]*baseline{}
	for _, r := range a.references {
		for key, b := range r.segments {
			parts[key] = append(parts[key], b)
		}
		for seller := range r.newest {
			if !slices.Contains(sellers, seller) {
				sellers = append(sellers, seller)
			}
		}
	}
	want = map[string]usual{}
	for key, all := range parts {
		if !strings.HasPrefix(key, "seller|") {
			want[key] = fold(all, halfLife)
		}
	}
	return want, sellers
}

// segmentKey is the key of a summary's segment.
func segmentKey(s *detectors.SegmentSummary) string {
	for _, key := range segmentKeys(s.Seller, s.Currency, s.CustomerType, s.ProductFamily) {
		if key.level == s.Level {
			return key.text
		}
	}
	return fmt.Sprintf("%+v", *s)
}
