package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// defaultKeys are written by a rewrite where a file expects nothing yet.
var defaultKeys = []string{"suspect", "rules", "decision", "loss"}

// none stands for an empty list.
const none = "none"

// describe writes a verdict as a scenario file does. A redelivery has no verdict.
func describe(v *detectors.Verdict) map[string]string {
	if v.Schema == "" {
		return map[string]string{"redelivery": "yes"}
	}
	d := map[string]string{
		"redelivery":    "no",
		"suspect":       yesNo(v.Suspect),
		"p_error":       strconv.FormatFloat(v.PError, 'f', 3, 64),
		"decision":      string(v.Decision),
		"direction":     string(v.Direction),
		"rules":         join(v.Rules, ", "),
		"amount_basis":  string(v.AmountBasis),
		"billed":        v.Billed.String(),
		"expected":      v.Expected.String(),
		"expected_low":  v.ExpectedLow.String(),
		"expected_high": v.ExpectedHigh.String(),
		"level":         string(v.Level),
		"n":             strconv.FormatInt(v.N, 10),
		"cv":            strconv.FormatFloat(v.CV, 'f', 4, 64),
		"deviation_pct": strconv.FormatFloat(v.DeviationPct, 'f', 2, 64),
		"loss":          v.Loss.Point.String(),
		"loss_low":      v.Loss.Low.String(),
		"loss_high":     v.Loss.High.String(),
		"taught":        yesNo(v.Taught),
		"late_by":       days(time.Duration(v.LateBy)),
		"causes":        none,
		"repaired":      none,
		"evidence":      none,
	}
	if len(v.Causes) > 0 {
		var codes []string
		for _, f := range v.Causes {
			codes = append(codes, f.Code+":"+f.Kind)
		}
		d["causes"] = join(codes, ", ")
		d["repaired"] = v.Causes[0].Repaired.String()
		d["evidence"] = join(v.Causes[0].Evidence, "; ")
	}
	return d
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func join(list []string, with string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, with)
}

// days writes a duration as parseDuration reads it: "0s", "36d", "1d2h30m0s".
func days(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < day:
		return d.String()
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	}
	return fmt.Sprintf("%dd%v", d/day, d%day)
}

// Kinds of values, by key; what is in none of them is compared as text.
var (
	amountKeys = []string{"billed", "expected", "expected_low", "expected_high", "loss", "loss_low", "loss_high",
		"repaired"}
	numberKeys = []string{"p_error", "n", "cv", "deviation_pct", "suspects"}
	listKeys   = []string{"rules", "causes"}
)

// matches compares one value with what is expected: amounts and numbers by
// value, numbers also with a sign such as ">= 0.95", lists in any order.
func matches(key, want, got string) (bool, error) {
	switch {
	case slices.Contains(listKeys, key):
		return slices.Equal(sortedList(want), sortedList(got)), nil
	case want == none || got == none:
		return want == got, nil
	case slices.Contains(amountKeys, key):
		w, err := invoice.ParseAmount(want)
		if err != nil {
			return false, err
		}
		g, err := invoice.ParseAmount(got)
		return w == g, err
	case slices.Contains(numberKeys, key):
		return matchesNumber(want, got)
	case key == "late_by":
		w, err := parseDuration(want)
		if err != nil {
			return false, err
		}
		g, err := parseDuration(got)
		return w == g, err
	}
	return want == got, nil
}

func matchesNumber(want, got string) (bool, error) {
	sign := ""
	for _, s := range []string{">=", "<=", ">", "<"} {
		if rest, ok := strings.CutPrefix(want, s); ok {
			sign, want = s, strings.TrimSpace(rest)
			break
		}
	}
	w, err := strconv.ParseFloat(want, 64)
	if err != nil {
		return false, fmt.Errorf(`want a number such as 0.95, or ">= 0.95"`)
	}
	g, err := strconv.ParseFloat(got, 64)
	if err != nil {
		return false, err
	}
	switch sign {
	case ">=":
		return g >= w, nil
	case "<=":
		return g <= w, nil
	case ">":
		return g > w, nil
	case "<":
		return g < w, nil
	}
	return g == w, nil
}

func sortedList(s string) []string {
	var list []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	slices.Sort(list)
	return list
}
