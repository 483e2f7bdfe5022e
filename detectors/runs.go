package detectors

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors/history"
	"recoup/invoice"
)

// runs are runs of suspects of one cause that have a value in common: a release that
// bills every invoice wrongly, whatever the signs. The case stage sees such trouble
// over all partitions and with its statistics, but only seconds later; until then each
// partition opens a few cases and no more. Unlike counts they decide, so they are part
// of the state: the marker holds them, and replay teaches them.
type runs struct {
	byValue map[Value]*[]valueRun // ascending by cause
	promos  []string
}

// valueRun is a run of one value and cause. It begins with a suspect.
type valueRun struct {
	cause     uint8
	shared    bool   // it was recognised as one shared cause
	since     int32  // event time of the first, hours since 1970
	invoices  uint32 // of the value since then
	suspects  uint32 // of these, of the cause
	customers uint32 // of these, a bit each by hash
}

const (
	// runCustomers is how many customers it concerns at least.
	runCustomers = 2
	// mostRuns bounds the values that have runs; what began longer ago than a day makes room.
	mostRuns = 500
)

// join adds a suspect of the cause, or another invoice of the value.
func (r *valueRun) join(suspect bool, customer uint32) {
	r.invoices = min(r.invoices, 1<<31) + 1
	if suspect {
		r.suspects++
		r.customers |= customer
	}
	r.shared = r.shared || r.suspects >= history.RunLeast && 2*r.suspects >= r.invoices &&
		bits.OnesCount32(r.customers) >= runCustomers
}

// over tells whether suspects have become rare: less than one in twenty.
func (r *valueRun) over() bool { return 20*uint64(r.suspects) < uint64(r.invoices) }

// runDimensions are those whose values have runs, the one that an incident is named
// after first: all partitions have to agree, so it is the widest that is full of suspects.
var runDimensions = [...]Dimension{DimensionRelease, DimensionPriceList, DimensionCRMVersion, DimensionPromotion,
	DimensionBatch, DimensionOperator}

// each calls f with the invoice's values.
func (s *runs) each(inv *invoice.Invoice, f func(v Value) (more bool)) {
	for _, d := range runDimensions {
		if d != DimensionPromotion {
			if name := valueOf(d, inv); name != "" && !f(Value{inv.Seller, d, name}) {
				return
			}
			continue
		}
		s.promos = promotionsOf(s.promos[:0], inv)
		for _, code := range s.promos {
			if !f(Value{inv.Seller, d, code}) {
				return
			}
		}
	}
}

// customerBit is one of 32 bits, by the customer; counter sales are of anybody.
func customerBit(inv *invoice.Invoice) uint32 {
	who := inv.CustomerRef
	if who == "" || who == invoice.Anonymous {
		who = inv.ID
	}
	return 1 << (xxhash.Sum64String(who) >> 59)
}

// find returns the value whose run a suspect makes, or continues as, a shared cause.
func (s *runs) find(inv *invoice.Invoice, cause int) (found Value, run valueRun, ok bool) {
	s.each(inv, func(v Value) bool {
		for _, r := range s.of(v) {
			if int(r.cause) == cause {
				if r.join(true, customerBit(inv)); r.shared {
					found, run, ok = v, r, true
				}
			}
		}
		return !ok
	})
	return found, run, ok
}

// teach adds the invoice last begun. What is too late to claim is neither of a run nor
// right.
func (s *runs) teach(c *current, suspect bool) {
	inv, cause, hour := c.inv, -1, c.ev.facts.Hour
	if suspect && c.ev.facts.TooLate {
		return
	}
	if suspect {
		cause = c.cause
	}
	if cause < 0 && len(s.byValue) == 0 {
		return
	}
	s.each(inv, func(v Value) bool {
		list := s.of(v)
		if list == nil && cause < 0 {
			return true
		}
		began := false
		for i := range list {
			r := &list[i]
			began = began || int(r.cause) == cause
			bit := uint32(0)
			if int(r.cause) == cause {
				bit = customerBit(inv)
			}
			r.join(int(r.cause) == cause, bit)
		}
		list = slices.DeleteFunc(list, func(r valueRun) bool { return r.over() })
		if cause >= 0 && !began && (len(s.byValue) < mostRuns || s.makeRoom(hour)) {
			list = append(list, valueRun{cause: uint8(cause), since: hour, invoices: 1, suspects: 1,
				customers: customerBit(inv)})
			slices.SortFunc(list, func(a, b valueRun) int { return cmp.Compare(a.cause, b.cause) })
		}
		s.put(v, list)
		return true
	})
}

// of returns the runs of a value.
func (s *runs) of(v Value) []valueRun {
	if list := s.byValue[v]; list != nil {
		return *list
	}
	return nil
}

// put keeps the runs of a value, under a name of its own: the invoice's memory is used
// again. Go replaces a key that is assigned to, so a known one is not.
func (s *runs) put(v Value, list []valueRun) {
	if len(list) == 0 {
		delete(s.byValue, v)
		return
	}
	if known := s.byValue[v]; known != nil {
		*known = list
		return
	}
	if s.byValue == nil {
		s.byValue = map[Value]*[]valueRun{}
	}
	v.Seller, v.Name = strings.Clone(v.Seller), strings.Clone(v.Name)
	kept := list
	s.byValue[v] = &kept
}

// makeRoom forgets values whose runs began more than a day ago.
func (s *runs) makeRoom(hour int32) bool {
	maps.DeleteFunc(s.byValue, func(_ Value, list *[]valueRun) bool {
		return !slices.ContainsFunc(*list, func(r valueRun) bool { return r.since > hour-24 })
	})
	return len(s.byValue) < mostRuns
}

// joinRun has a suspect share the incident of a run that it belongs to.
func (e *Engine) joinRun(v *Verdict) (joined bool) {
	if len(v.Causes) == 0 {
		return false
	}
	value, run, ok := e.runs.find(e.cur.inv, e.cur.cause)
	if !ok {
		return false
	}
	began := time.Unix(int64(run.since)*3600, 0).UTC()
	v.IncidentID = IncidentID(IncidentKey(v.Seller, value.Dimension.String(), value.Name, began))
	first := &v.Causes[0]
	first.Evidence = append(first.Evidence, fmt.Sprintf("%d of the %d invoices of %s %q since %s are suspect of the same",
		run.suspects, run.invoices, value.Dimension, value.Name, began.Format(time.DateOnly)))
	return true
}

// Recall has the invoice last begun taught with a verdict that was made of it before,
// in place of Score.
func (e *Engine) Recall(v *Verdict) {
	e.cur.ev.facts.TooLate = slices.Contains(v.Rules, RuleTooLate)
	if v.Suspect && len(v.Causes) > 0 {
		e.cur.cause = CauseIndex(v.Causes[0].Code)
	}
}

// Runs returns the runs of suspects, to be kept in the marker: at most some 40 kB.
func (e *Engine) Runs() []byte {
	if len(e.runs.byValue) == 0 {
		return nil
	}
	dst := []byte{countVersion}
	for _, v := range slices.SortedFunc(maps.Keys(e.runs.byValue), compareValues) {
		list := e.runs.of(v)
		dst = appendText(append(dst, byte(v.Dimension)), v.Seller)
		dst = append(appendText(dst, v.Name), byte(len(list)))
		for _, r := range list {
			shared := byte(0)
			if r.shared {
				shared = 1
			}
			dst = binary.AppendVarint(append(dst, r.cause, shared), int64(r.since))
			for _, n := range []uint32{r.invoices, r.suspects, r.customers} {
				dst = binary.AppendUvarint(dst, uint64(n))
			}
		}
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// RestoreRuns takes back what Runs returned.
func (e *Engine) RestoreRuns(from []byte) error {
	e.runs = runs{}
	if len(from) == 0 {
		return nil
	}
	r := countReader{left: from}
	bad := r.byte() != countVersion
	for !r.bad && !bad && len(r.left) > 0 {
		v := Value{Dimension: Dimension(r.byte()), Seller: r.text(), Name: r.text()}
		list := make([]valueRun, r.byte())
		for i := range list {
			list[i] = valueRun{cause: r.byte(), shared: r.byte() == 1, since: int32(r.signed()),
				invoices: uint32(r.unsigned(1<<32 - 1)), suspects: uint32(r.unsigned(1<<32 - 1)),
				customers: uint32(r.unsigned(1<<32 - 1))}
		}
		bad = v.Dimension >= Dimensions
		e.runs.put(v, list)
	}
	if r.bad || bad {
		return fmt.Errorf("cannot read runs of suspects in a marker: want what recoup of this version writes")
	}
	return nil
}

// text reads what appendText wrote.
func (r *countReader) text() string {
	n := r.unsigned(uint64(len(r.left)))
	if r.bad || n > uint64(len(r.left)) {
		r.bad = true
		return ""
	}
	s := string(r.left[:n])
	r.left = r.left[n:]
	return s
}
