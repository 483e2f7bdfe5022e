package inject

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"recoup/invoice"
)

// changes returns what differs, by the path in the record.
func changes(src, dst *invoice.Invoice) map[string]string {
	was, is, changed := paths(src), paths(dst), map[string]string{}
	for path, value := range was {
		if is[path] != value {
			changed[path] = value + ", is " + is[path]
		}
	}
	for path, value := range is {
		if _, ok := was[path]; !ok {
			changed[path] = "absent, is " + value
		}
	}
	return changed
}

func paths(inv *invoice.Invoice) map[string]string {
	var record any
	if err := json.Unmarshal(inv.AppendJSON(nil), &record); err != nil {
		panic(err)
	}
	flat := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, inner := range v {
				walk(path+"."+name, inner)
			}
		case []any:
			for i, inner := range v {
				walk(fmt.Sprintf("%s.%d", path, i), inner)
			}
		default:
			flat[path[1:]] = fmt.Sprint(v)
		}
	}
	walk("", record)
	return flat
}

// claim says what is wrong when a claim is false.
func claim(ok bool, otherwise string, args ...any) string {
	if ok {
		return ""
	}
	return fmt.Sprintf(otherwise, args...)
}

// first returns the first fault.
func first(faults ...string) string {
	for _, fault := range faults {
		if fault != "" {
			return fault
		}
	}
	return ""
}

// follows checks that lines and totals add up.
func follows(dst *invoice.Invoice) string {
	if err := adds(dst); err != nil {
		return err.Error()
	}
	return ""
}

// numbersTyped returns the numbers that were typed wrong, in hundredths: prices and
// quantities; where none changed, line amounts; where none changed either, the net
// amount.
func numbersTyped(src, dst *invoice.Invoice) (was, is []string) {
	add := func(w, i invoice.Fixed) {
		if w != i {
			was = append(was, strconv.FormatInt(int64(w*100/invoice.One), 10))
			is = append(is, strconv.FormatInt(int64(i*100/invoice.One), 10))
		}
	}
	for i := range src.Lines {
		add(src.Lines[i].UnitPrice.Value, dst.Lines[i].UnitPrice.Value)
		add(src.Lines[i].Quantity.Value, dst.Lines[i].Quantity.Value)
	}
	for i := 0; i < len(src.Lines) && len(was) == 0; i++ {
		add(fixedOf(src.Lines[i].Net.Value), fixedOf(dst.Lines[i].Net.Value))
	}
	if len(was) == 0 {
		add(fixedOf(src.NetAmount), fixedOf(dst.NetAmount))
	}
	return was, is
}

// typed checks that one or two numbers are typed wrong, each in a way that may be.
func typed(src, dst *invoice.Invoice, may func(was, is string) bool) string {
	was, is := numbersTyped(src, dst)
	for i := range was {
		if !may(was[i], is[i]) {
			return fmt.Sprintf("%s hundredths became %s", was[i], is[i])
		}
	}
	return claim(len(was) == 1 || len(was) == 2, "%d numbers changed", len(was))
}

// slipped tells whether the comma moved by this factor; what has too many decimals
// is rounded.
func slipped(factor int) func(was, is string) bool {
	return func(was, is string) bool {
		w, _ := strconv.Atoi(was)
		i, _ := strconv.Atoi(is)
		return i == w*factor || 2*abs(i*factor-w) <= factor
	}
}

func abs(n int) int { return max(n, -n) }

// lacks tells whether is is was without one digit; the digits behind the comma may
// have moved up then.
func lacks(was, is string) bool {
	for i := range was {
		if strings.Trim(was[:i]+was[i+1:], "0") == strings.Trim(is, "0") {
			return true
		}
	}
	return false
}

// swapped tells whether two neighbouring digits changed places.
func swapped(was, is string) bool {
	for i := range len(was) - 1 {
		other := was[:i] + was[i+1:i+2] + was[i:i+1] + was[i+2:]
		if strings.TrimLeft(other, "0") == is {
			return true
		}
	}
	return false
}

// granted checks that some lines got a discount, all in a way that may be.
func granted(src, dst *invoice.Invoice, may func(is *invoice.Line) bool) string {
	n := 0
	for i := range dst.Lines {
		if dst.Lines[i].DiscountRate == src.Lines[i].DiscountRate {
			continue
		}
		if n++; !may(&dst.Lines[i]) {
			return fmt.Sprintf("line %d got %v %q", i, dst.Lines[i].DiscountRate.Value, dst.Lines[i].PromoCodes)
		}
	}
	return first(claim(n > 0, "nothing is granted"), follows(dst))
}

// repriced checks that prices are the original's times one factor, rounded to
// cents, and that the factor may be one from low to high.
func repriced(src, dst *invoice.Invoice, low, high float64) string {
	for i := range dst.Lines {
		was, is := float64(src.Lines[i].UnitPrice.Value), float64(dst.Lines[i].UnitPrice.Value)
		if was != is {
			halfCent := float64(invoice.One) / 200
			low, high = max(low, (is-halfCent)/was), min(high, (is+halfCent)/was)
		}
	}
	return first(claim(low <= high, "prices ask for a factor above %v and below %v", low, high), follows(dst))
}

// later checks that the copy is another invoice, issued up to within after the
// original and due as much later, for what was shipped and billed then.
func later(src, dst *invoice.Invoice, within time.Duration) string {
	late := dst.IssuedAt.Sub(src.IssuedAt)
	days := late.Truncate(24 * time.Hour)
	return first(
		claim(late >= time.Minute && late <= within, "issued %v later", late),
		claim(dst.DueAt.Sub(src.DueAt) == days, "due %v later", dst.DueAt.Sub(src.DueAt)),
		claim(dst.ID != src.ID && dst.Number != src.Number && dst.EventID != src.EventID, "not another invoice"),
		claim(dst.ID[0] == 'R' && strings.HasPrefix(dst.Number, "2026-"), "numbered %s and %s", dst.ID, dst.Number),
	)
}
