package detectors

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"

	"recoup/invoice"
)

// OutcomeKind is what a person decided of a suspect invoice, as far as it teaches.
type OutcomeKind uint8

// The outcomes that teach.
const (
	// NotAnError: the invoice is right as it is. It teaches what it withheld.
	NotAnError OutcomeKind = iota + 1
	// ExpectedChange: what is new about it was meant to change. It teaches, and what
	// is new is usual from now on, in all partitions.
	ExpectedChange
	// ConfirmedError: it is wrong. What it should have come to teaches, where it is known.
	ConfirmedError
)

// String returns the outcome as the contract names it.
func (k OutcomeKind) String() string {
	return [...]string{NotAnError: "not_an_error", ExpectedChange: "expected_change", ConfirmedError: "confirmed_error"}[k]
}

// Outcome is what a person decided of one suspect invoice.
type Outcome struct {
	// Event is where the case event stands that says so. Events of one partition are
	// learned in the order of their offsets, each once.
	Event invoice.Position
	// Kind is the outcome.
	Kind OutcomeKind
	// At is when it was decided.
	At time.Time
	// Correct is what the customer should have paid, with tax where the verdict's
	// amounts have it; read of a ConfirmedError only.
	Correct invoice.OptionalAmount
	// Rules are those of the verdict. An ExpectedChange replaces the baselines of the
	// segments whose 15 % rule fired, where most invoices show the change.
	Rules []string
}

// outcomes are those that an engine learned.
type outcomes struct {
	learned  []int64   // by partition of the case events: all outcomes below this offset
	asOf     time.Time // when the newest was decided
	asOfText string    // the same, as verdicts name it
}

// holds tells whether an event lies below the positions.
func holds(learned []int64, event invoice.Position) bool {
	return event.Partition < len(learned) && event.Offset < learned[event.Partition]
}

// Learned returns the offset behind the last case event of a partition that was
// learned or passed, 0 before any.
func (e *Engine) Learned(partition int) int64 {
	if partition >= len(e.outcomes.learned) {
		return 0
	}
	return e.outcomes.learned[partition]
}

// Pass notes that all a case event teaches is learned, or that it teaches nothing.
func (e *Engine) Pass(event invoice.Position) {
	if o := &e.outcomes; !holds(o.learned, event) {
		if extra := event.Partition + 1 - len(o.learned); extra > 0 {
			o.learned = append(o.learned, make([]int64, extra)...)
		}
		o.learned[event.Partition] = event.Offset + 1
	}
}

// Learn takes up an outcome: source is where the record of its invoice stands and
// received that record's own time. It is called between two invoices, for each invoice
// that the event is about, and then Pass. An invoice of another partition teaches only
// what an ExpectedChange changes for all. Learn returns false, and changes nothing, for
// an event that was passed before; what a restored checkpoint knew of it already is left
// as it is.
func (e *Engine) Learn(o *Outcome, inv *invoice.Invoice, source invoice.Position, received time.Time) bool {
	if holds(e.outcomes.learned, o.Event) {
		return false
	}
	e.outcomes.noteTime(o.At)
	if inv.Type != invoice.Standard || inv.Stage != invoice.Issued || inv.Canary {
		return true
	}
	ours := source.Partition == e.partition
	if !ours && o.Kind != ExpectedChange {
		return true
	}
	e.recall(inv, source, received)
	c, h := &e.cur, e.history
	net, known := inv.NetAmount, true
	if o.Kind == ConfirmedError {
		net, known = correctNet(inv, o.Correct)
	}
	e.learnSegments(o, net, known, ours)
	switch {
	case o.Kind == ConfirmedError && known:
		h.Correct(&c.ev.facts, logOf(float64(net)/float64(invoice.Unit)))
	case o.Kind == ConfirmedError:
	case ours:
		h.Learn(&c.ev.facts)
		fallthrough
	default:
		if o.Kind == ExpectedChange {
			h.Look(&c.ev.facts) // Learn may have made what was not there
			h.Accept(&c.ev.facts, net, ours)
		}
	}
	return true
}

// recall makes an invoice that was begun long ago the current one, without its
// identity and delivery: these were registered then.
func (e *Engine) recall(inv *invoice.Invoice, source invoice.Position, received time.Time) {
	c := &e.cur
	c.inv, c.position = inv, source
	c.eventMS, c.implausible = eventTime(inv, received, e.settings.FutureTolerance)
	c.lateMS, c.sight = 0, sighting{hour: max(e.clock.hour, hourOf(c.eventMS))}
	inv.Hash(&c.ev.hashes)
	e.findSegments(inv)
	c.ev.factsOf(inv, c.eventMS)
	e.history.Look(&c.ev.facts)
	e.gather()
}

// learnSegments teaches the segments of the invoice last recalled. Those that a
// restored checkpoint brought up behind the event are left as they are.
func (e *Engine) learnSegments(o *Outcome, net invoice.Amount, known, ours bool) {
	c := &e.cur
	fired := slices.ContainsFunc(segmentRules[:bySeller], func(rule string) bool { return slices.Contains(o.Rules, rule) })
	for kind := range segmentKind(segmentKinds) {
		s := c.segments[kind]
		if ours && known {
			s = e.meet(kind) // also when it is learned again
		}
		if s == nil || holds(e.segments.rareOf(s).outcomes(), o.Event) {
			continue
		}
		if s == &c.untaught[kind] {
			if !ours || !known {
				continue
			}
			s = e.keep(kind)
		}
		rule := segmentRules[kind]
		changes := o.Kind == ExpectedChange && (slices.Contains(o.Rules, rule) || rule == "" && fired)
		switch {
		case changes && e.prevails(s):
			e.replace(s)
			continue
		case changes && e.segments.rareOf(s).held().held > 0:
			e.segments.shade(s).meant = net
			e.change(s)
		case ours && o.Kind == ConfirmedError:
			*e.segments.shade(s) = shadow{} // what it holds was no new usual
			e.segments.slim(s)
			e.change(s)
		}
		if ours && known {
			e.teach(s, net, hourOf(c.eventMS))
			e.change(s)
		}
	}
}

// correctNet returns what the net amount of a wrong invoice should have been, given
// what its customer should have paid; ok is false where that cannot be told.
func correctNet(inv *invoice.Invoice, correct invoice.OptionalAmount) (net invoice.Amount, ok bool) {
	pays := payableOf(inv)
	if !correct.Set || pays.n <= 0 || pays.d <= 0 {
		return 0, false
	}
	if pays.n == pays.d {
		return correct.Value, true
	}
	return correct.Value.MulRate(pays.d, pays.n)
}

// amountExplained tells whether an amount far below the usual is known to be right:
// people said so of this customer, or a published price list says it of each line.
func (e *Engine) amountExplained() bool {
	f := &e.cur.ev.facts
	if u := f.Known.Customer; u != nil {
		for _, a := range u.Agreed {
			if a.Currency == f.Currency && a.Net > 0 &&
				!invoice.LessByBasisPoints(e.cur.inv.NetAmount, a.Net, e.settings.DeviationBasisPoints) {
				return true
			}
		}
	}
	return e.cur.ev.pricesAnnounced()
}

// pricesAnnounced tells whether each line is billed at the price that references name
// for it, as many lines and units as usual, and all that is what is billed.
func (e *evidence) pricesAnnounced() bool {
	if len(e.inv.Lines) == 0 || !e.sumKnown || e.inv.DiscountAmount.Value != 0 {
		return false
	}
	for _, f := range [...]feature{fSumOff, fLineOff, fQuantity, fUnitsOff, fLinesOff, fLinesZ} {
		if gate := gates[f]; e.x[f] >= gate || -e.x[f] >= gate {
			return false
		}
	}
	for i := range e.inv.Lines {
		l := &e.inv.Lines[i]
		if l.DiscountAmount.Value != 0 || l.DiscountRate.Value != 0 && !e.lines[i].announced {
			return false
		}
		if price, ok := e.listed(i); !ok || price != l.UnitPrice.Value {
			return false
		}
	}
	return true
}

// noteTime has verdicts name the newest outcome.
func (o *outcomes) noteTime(at time.Time) {
	if at.After(o.asOf) {
		o.asOf, o.asOfText = at, at.UTC().Format(time.RFC3339Nano)
	}
}

// OutcomeState returns which outcomes the engine learned, to be kept in the marker;
// nil before any.
func (e *Engine) OutcomeState() []byte {
	o := &e.outcomes
	if len(o.learned) == 0 {
		return nil
	}
	var at int64
	if !o.asOf.IsZero() {
		at = max(0, o.asOf.UnixNano())
	}
	return appendPositions(binary.AppendUvarint(nil, uint64(at)), o.learned)
}

// RestoreOutcomes takes back what OutcomeState returned.
func (e *Engine) RestoreOutcomes(state []byte) error {
	if len(state) == 0 {
		return nil
	}
	r := stateReader{rest: state}
	at, learned := r.uvarint(), r.positions()
	if r.failed || len(r.rest) > 0 || at > math.MaxInt64 {
		return errors.New("cannot restore which outcomes were learned: it is cut off or damaged")
	}
	e.outcomes.learned = learned
	if at > 0 {
		e.outcomes.noteTime(time.Unix(0, int64(at)))
	}
	return nil
}
