package question

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of what is asked with.
const (
	// MaxLimit is the most rows one answer may have.
	MaxLimit = 10_000
	// maxValues is how many values one filter may have.
	maxValues = 1_000
	// maxValueBytes is how long a value may be, in bytes.
	maxValueBytes = 1_024
)

// Parameters returns the query parameters that SQL takes, encoded as ClickHouse
// reads them. Its error names the filter and what is wanted.
func (q *Question) Parameters(v Values) (map[string]string, error) {
	limit := v.Limit
	if limit == 0 {
		limit = q.MaxRows
	}
	if limit < 1 || limit > MaxLimit {
		return nil, fmt.Errorf("cannot ask %s for %d rows: want 1 to %d", q.Name, v.Limit, MaxLimit)
	}
	p := map[string]string{"limit": strconv.Itoa(limit)}
	if q.Timed {
		if v.From.IsZero() || v.To.Before(v.From) {
			return nil, fmt.Errorf("cannot ask %s from %v to %v: want a time range", q.Name, v.From, v.To)
		}
		p["from"], p["to"] = moment(v.From), moment(v.To)
	}
	for _, f := range q.Filters {
		value, err := f.parameter(v.Filters[f])
		if err != nil {
			return nil, fmt.Errorf("cannot ask %s: filter %s: %w", q.Name, f, err)
		}
		p[string(f)] = value
	}
	return p, nil
}

// parameter encodes the values of one filter.
func (f Filter) parameter(values []string) (string, error) {
	values = slices.DeleteFunc(slices.Clone(values), func(s string) bool { return s == "" })
	if len(values) > maxValues {
		return "", fmt.Errorf("it has %d values: want at most %d, or none for all", len(values), maxValues)
	}
	for _, value := range values {
		if len(value) > maxValueBytes {
			return "", fmt.Errorf("%.40q… has %d bytes: want at most %d", value, len(value), maxValueBytes)
		}
	}
	if !f.Several() {
		if len(values) != 1 {
			return "", fmt.Errorf("it has %d values: want exactly one", len(values))
		}
		return escape.Replace(values[0]), nil
	}
	if len(values) == 0 || slices.Contains(values, Everything) {
		values = []string{Everything}
	}
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = "'" + quote.Replace(value) + "'"
	}
	return "[" + strings.Join(quoted, ",") + "]", nil
}

// escape is how ClickHouse wants a String parameter: like a field of a
// tab-separated file; quote is the same inside an array.
var (
	escape = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`)
	quote  = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\t", `\t`, "\n", `\n`)
)

// moment encodes a time for DateTime64(3, 'UTC').
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }
