package scenario

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"recoup/invoice"
)

// referenceKeys are the fields of references that are not texts.
var (
	referenceTimes = []string{"valid_from", "valid_to", "published_at", "shipped_at"}
	referenceLists = []string{"product_families", "customer_types", "currencies"}
)

// reference tells recoup what another system knows: "reference price
// product_id=mug unit_price=4.00". Keys are the fields of reference.*.v1; times are
// relative to now, and it holds from now on unless valid_from says otherwise.
func (r *runner) reference(c *command) error {
	if len(c.words) != 1 {
		return c.errorf("cannot read %q: want a kind first, such as \"reference price product_id=…\"", c.rest)
	}
	kind := c.words[0]
	from := "valid_from"
	if kind == "delivery" {
		from = "shipped_at"
	}
	record := map[string]any{"schema": "reference." + kind + ".v1", "seller": "acme", from: r.now.Format(time.RFC3339)}
	for _, a := range c.args {
		value, err := r.referenceValue(a)
		if err != nil {
			return c.errorf("cannot read %s=%s: %w", a.key, a.value, err)
		}
		record[a.key] = value
	}
	data, err := json.Marshal(record)
	if err != nil {
		return c.errorf("cannot make this reference: %w", err)
	}
	var ref invoice.Reference
	if err := r.decoder.DecodeReference(data, &ref); err != nil {
		return c.errorf("cannot make this reference: %w", err)
	}
	r.refs.Apply(&ref, time.Time{})
	return nil
}

// referenceValue turns the value of a key into what its JSON field holds.
func (r *runner) referenceValue(a argument) (any, error) {
	switch {
	case slices.Contains(referenceTimes, a.key):
		d, err := parseDuration(a.value)
		return r.now.Add(d).Format(time.RFC3339), err
	case slices.Contains(referenceLists, a.key):
		return strings.Split(a.value, ","), nil
	case a.value == "yes" || a.value == "no":
		return a.value == "yes", nil
	case strings.HasSuffix(a.value, "%"):
		rate, err := share(a.value)
		return rate.Value.String(), err
	case a.key == "lines":
		return json.Number(a.value), nil
	}
	return a.value, nil
}
