package config

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time, written with its unit: "250ms", "30s", "24h",
// "35d".
type Duration time.Duration

// Day is the longest unit a Duration is written in.
const Day = Duration(24 * time.Hour)

// Std returns the duration as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// UnmarshalText reads "30s" or "35d"; a number without a unit is refused.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseInt(days, 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/int64(Day) {
			return expected("a number of days such as \"35d\"")
		}
		*d = Duration(n) * Day
		return nil
	}
	parsed, err := time.ParseDuration(s)
	if err != nil || parsed < 0 {
		return expected("a duration with its unit, such as \"250ms\", \"30s\", \"24h\" or \"35d\"")
	}
	*d = Duration(parsed)
	return nil
}

// String returns the form UnmarshalText reads, in the largest whole unit.
func (d Duration) String() string {
	if d >= Day && d%Day == 0 {
		return strconv.FormatInt(int64(d/Day), 10) + "d"
	}
	s := d.Std().String()
	s = trimZero(s, "m", "0s")
	return trimZero(s, "h", "0m")
}

// trimZero cuts a trailing zero of the smaller unit: "1m0s" is "1m".
func trimZero(s, unit, zero string) string {
	if strings.HasSuffix(s, unit+zero) {
		return strings.TrimSuffix(s, zero)
	}
	return s
}

// MarshalText returns what String returns.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Size is a number of bytes, written with its unit: "512KiB", "8MiB", "1GiB", "100B".
type Size int64

var sizeUnits = []struct {
	suffix string
	bytes  Size
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// UnmarshalText reads "512MiB"; a number without a unit is refused.
func (s *Size) UnmarshalText(text []byte) error {
	for _, unit := range sizeUnits {
		number, ok := strings.CutSuffix(string(text), unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/int64(unit.bytes) {
			break
		}
		*s = Size(n) * unit.bytes
		return nil
	}
	return expected("a size with its unit, such as \"64KiB\", \"512MiB\" or \"1GiB\"")
}

// String returns the form UnmarshalText reads, in the largest whole unit.
func (s Size) String() string {
	for _, unit := range sizeUnits {
		if s >= unit.bytes && s%unit.bytes == 0 {
			return strconv.FormatInt(int64(s/unit.bytes), 10) + unit.suffix
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// MarshalText returns what String returns.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Percent is a share in basis points (1/100 of a per cent), written "15%" or
// "7.5%". It is exact: 15 % is 1,500, never a rounded fraction.
type Percent int64

// UnmarshalText reads "15%" or "12.34%"; a finer value than 0.01 % is refused.
func (p *Percent) UnmarshalText(text []byte) error {
	const want = "a share in per cent with at most two decimals, such as \"15%\" or \"7.5%\""
	number, ok := strings.CutSuffix(string(text), "%")
	whole, fraction, dotted := strings.Cut(strings.TrimSpace(number), ".")
	if !ok || whole == "" || len(fraction) > 2 || dotted && fraction == "" {
		return expected(want)
	}
	n, err := strconv.ParseUint(whole+fraction+strings.Repeat("0", 2-len(fraction)), 10, 31)
	if err != nil {
		return expected(want)
	}
	*p = Percent(n)
	return nil
}

// String returns the form UnmarshalText reads.
func (p Percent) String() string {
	s := strconv.FormatFloat(float64(p)/100, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + "%"
}

// MarshalText returns what String returns.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// hidden stands where a secret would be printed.
const hidden = "(hidden)"

// Secret is a text that is never printed. It comes from the environment or
// from the file its neighbour "…_file" names.
type Secret string

// Reveal returns the secret itself, for the call that needs it.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText hides the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// expected is the error of a value that is not of the form wanted; the loader
// adds where it stands and what it was.
func expected(what string) error { return fmt.Errorf("expected %s", what) }
