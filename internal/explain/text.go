package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// Subject is one scored invoice with everything that is known of it.
type Subject struct {
	Invoice *invoice.Invoice   // as it was scored, with its lines
	Verdict *detectors.Verdict // what was said of it
	// ReceivedAt is the time of its record, StoredAt that of its row; zero: it
	// comes from a file.
	ReceivedAt, StoredAt time.Time
	// Case is what became of its case; nil: there is none, or not here yet.
	Case *Case
	// Earlier are the invoices that its evidence names.
	Earlier []Earlier
	// Segment is what the 15 % rule compared it with; nil: what the verdict says of it.
	Segment *detectors.SegmentSummary
	// Threshold is the p_error from which it would be suspect; 0: what its settings
	// and the prior say, where that is known.
	Threshold float64
	// Settings are those in force now. What depends on them is said only when they
	// are those of the verdict.
	Settings detectors.Settings
}

// Case is a case and what people did with it.
type Case struct {
	cases.Case                           // its last record
	Status        string                 // last step, such as acknowledged; "" before any
	Outcome       string                 // what it turned out to be; "" before a decision
	Cause         string                 // what a person confirmed; "" before
	Open          bool                   // somebody still has to do something
	ConfirmedLoss invoice.OptionalAmount // in the currency of the case
	Paid          invoice.Amount         // what came back
}

// Earlier is an invoice that came before.
type Earlier struct {
	ID       string         // within the same seller
	Revision int64          // of the invoice
	IssuedAt time.Time      // UTC
	Billed   invoice.Amount // what its customer pays
	Currency string         // of Billed
}

// Text writes the explanation for a terminal.
func Text(w io.Writer, s *Subject) error {
	p := &printer{s: s, inv: s.Invoice, v: s.Verdict}
	p.title()
	p.amounts()
	p.repair()
	p.rule()
	p.decision()
	p.origin()
	_, err := io.WriteString(w, p.out.String())
	return err
}

// printer writes the parts of an explanation.
type printer struct {
	s   *Subject
	inv *invoice.Invoice
	v   *detectors.Verdict
	out strings.Builder
}

// line writes one line.
func (p *printer) line(format string, args ...any) {
	p.out.WriteString(strings.TrimRight(Clean(fmt.Sprintf(format, args...)), " ") + "\n")
}

// heading begins a part.
func (p *printer) heading(text string) { p.line(""); p.line("%s", text) }

// pair writes a name and what is said of it.
func (p *printer) pair(name, format string, args ...any) {
	p.line("  %-11s %s", name, fmt.Sprintf(format, args...))
}

// title says which invoice it is and what was said of it.
func (p *printer) title() {
	inv, v := p.inv, p.v
	kind := "Invoice"
	switch inv.Type {
	case invoice.CreditNote:
		kind = "Credit note"
	case invoice.Correction:
		kind = "Correction"
	}
	if inv.Stage == invoice.PreIssue {
		kind = "Draft of " + strings.ToLower(kind)
	}
	name := inv.ID
	if inv.Revision > 0 {
		name += fmt.Sprintf(", revision %d", inv.Revision)
	}
	if inv.Number != "" && inv.Number != inv.ID {
		name += ", number " + inv.Number
	}
	p.line("%s %s", kind, name)
	p.line("of %s, issued %s", inv.Seller, instant(inv.IssuedAt))
	if parties := p.parties(); parties != "" {
		p.line("%s", parties)
	}
	p.line("")
	switch {
	case inv.Type != invoice.Standard:
		p.line("NOT JUDGED: credit notes and corrections are stored, never suspect, and teach nothing.")
	case v.Suspect && v.Direction == detectors.DirectionNone:
		p.line("SUSPECT: %s (%s).", Suspicion(v.PError), Probability(v.PError))
	case v.Suspect:
		p.line("SUSPECT: %s (%s), %s.", Suspicion(v.PError), Probability(v.PError), Favour(v.Direction))
	default:
		p.line("NOT SUSPECT: %s (probability of an error %s).", Likely(v.PError), Probability(v.PError))
	}
}

// parties names the customer's segment.
func (p *printer) parties() string {
	var parts []string
	for _, part := range []struct{ name, value string }{{"customer", p.inv.CustomerRef},
		{"customer type", p.inv.CustomerType}, {"product family", p.inv.ProductFamily}} {
		if part.value != "" {
			parts = append(parts, part.name+" "+part.value)
		}
	}
	return strings.Join(parts, ", ")
}

// amounts says what was billed and what was expected, from what.
func (p *printer) amounts() {
	v, currency := p.v, p.v.Currency
	p.heading("What was billed and what was expected")
	tax := "net, no tax is known"
	if v.AmountBasis == detectors.BasisGross {
		tax = "with tax; net " + p.inv.NetAmount.String()
	}
	p.pair("billed", "%s %s (%s)%s", v.Billed, currency, tax, p.countLines())
	if v.Level == detectors.LevelNone {
		if p.inv.Type == invoice.Standard {
			p.pair("expected", "nothing: there was no history to compare with")
		}
		return
	}
	from, known := Usual(v, p.inv, p.s.Segment)
	p.pair("expected", "%s %s, %s", v.Expected, currency, from)
	p.pair("", "%s", known)
	if v.ExpectedLow < v.ExpectedHigh {
		p.pair("", "95 of 100 should lie between %s and %s %s", v.ExpectedLow, v.ExpectedHigh, currency)
	}
	switch gap := Gap(v.Expected, v.Billed, currency); {
	case v.Expected == v.Billed:
		p.pair("difference", "none")
	case v.Expected == 0:
		p.pair("difference", "%s than expected", gap)
	default:
		p.pair("difference", "%s than expected (%+.1f %%)", gap, v.DeviationPct)
	}
}

// countLines says how many lines the invoice has.
func (p *printer) countLines() string {
	switch n := len(p.inv.Lines); n {
	case 0:
		return ""
	case 1:
		return ", on 1 line"
	default:
		return fmt.Sprintf(", on %d lines", n)
	}
}

// repair says which single change would make the invoice usual, and what else
// was considered.
func (p *printer) repair() {
	v := p.v
	if p.inv.Type != invoice.Standard {
		return
	}
	if len(v.Causes) == 0 {
		p.heading("Which single change would make it usual")
		if v.Suspect {
			p.line("  none that was tried: no repair fits")
		} else {
			p.line("  none is needed: nothing proves an error")
		}
		return
	}
	p.heading("Which single change would make it usual")
	first := &v.Causes[0]
	p.line("  %s (%s)", Kind(first), Probability(first.P))
	p.evidence(first, "    ")
	switch {
	case first.Kind == detectors.KindNoRepair:
		p.line("  No repair fits.")
	case first.Code == detectors.CauseUnknown:
		p.line("  No single repair was found; %s would be the usual amount: %s.", Money(first.Repaired, v.Currency),
			Gap(v.Billed, first.Repaired, v.Currency))
	case first.Repaired == v.Billed && Action(first) != "": // the action says that, too
	case first.Repaired == v.Billed:
		p.line("  Repaired, the customer still pays %s.", Money(first.Repaired, v.Currency))
	default:
		p.line("  Repaired, the customer pays %s %s: %s than billed.", first.Repaired, v.Currency,
			Gap(v.Billed, first.Repaired, v.Currency))
	}
	if action := Action(first); action != "" {
		p.line("  To do: %s.", action)
	}
	if v.Loss != (detectors.Loss{}) {
		p.line("  At stake: %s", p.loss())
	}
	for _, e := range p.s.Earlier {
		p.line("  Before it: %s%s, issued %s, %s %s", e.ID, revision(e.Revision), instant(e.IssuedAt), e.Billed, e.Currency)
	}
	p.others()
}

// others says what else was considered: hints in a line, the rest as the first cause.
func (p *printer) others() {
	v := p.v
	if len(v.Causes) > 1 {
		p.heading("What else was considered")
	}
	var hints []string
	for i := range v.Causes[1:] {
		f := &v.Causes[i+1]
		said := fmt.Sprintf("%s (%s)", Kind(f), Probability(f.P))
		switch {
		case f.Hint():
			hints = append(hints, said)
			continue
		case f.Kind == detectors.KindNoRepair:
			p.line("  %s", said)
		default:
			p.line("  %s, which would make it %s %s", said, f.Repaired, v.Currency)
		}
		p.evidence(f, "    ")
	}
	if len(hints) > 0 {
		p.line("  hardly likely: %s", strings.Join(hints, "; "))
	}
}

// evidence writes the sentences of a finding.
func (p *printer) evidence(f *detectors.Finding, indent string) {
	for _, sentence := range f.Evidence {
		p.line("%s%s", indent, sentence)
	}
}

// loss says how much money is at stake, with its interval.
func (p *printer) loss() string {
	l, currency := p.v.Loss, p.v.Currency
	text := Money(l.Point, currency) + ", " + Favour(p.v.Direction)
	if l.Low == l.High {
		return text
	}
	if (l.Low < 0) == (l.High < 0) {
		low, high := Money(l.Low, currency), Money(l.High, currency)
		if l.High < 0 {
			low, high = high, low
		}
		return text + " (between " + low + " and " + high + ")"
	}
	return text + " (anything from " + Money(l.High, currency) + " too little to " + Money(l.Low, currency) + " too much)"
}

func revision(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" revision %d", n)
}

// known tells whether the settings in force are those of the verdict.
func (p *printer) known() bool { return p.s.Settings.Hash() == p.v.Model.ConfigHash }

// deviationRules are the codes of the 15 % rule and what each compares with.
var deviationRules = []struct {
	code  string
	level detectors.Level
	words string
}{
	{detectors.RuleCustomerType, detectors.LevelCustomerType, "its customer type"},
	{detectors.RuleProductFamily, detectors.LevelProductFamily, "its product family"},
	{detectors.RuleSegment, detectors.LevelTypeProduct, "both together"},
}

// rule tells the 15 % rule and its margin (A4).
func (p *printer) rule() {
	v, set := p.v, p.s.Settings
	if p.inv.Type != invoice.Standard {
		return
	}
	limit, name := float64(set.DeviationBasisPoints)/100, "The rule of low amounts"
	if p.known() {
		name = fmt.Sprintf("The %g %% rule: net more than %g %% below the usual", limit, limit)
	}
	p.heading(name)
	segment, ok := p.segment()
	var fired []string
	firedHere := false
	for _, rule := range deviationRules {
		has := slices.Contains(v.Rules, rule.code)
		if has {
			fired = append(fired, rule.words)
		}
		firedHere = firedHere || (has && rule.level == segment.Level)
	}
	switch {
	case v.Level == detectors.LevelNone:
		p.line("  had nothing to compare with")
	case len(fired) > 0:
		p.line("  fired against the usual of %s", strings.Join(fired, " and of "))
	default:
		p.line("  did not fire")
	}
	if !p.known() || !ok {
		return
	}
	p.usual(&segment)
	below := p.below(&segment)
	beyond := below - limit
	if !firedHere {
		if below < 0 {
			p.line("  the usual of %s is less than this", segment.Of())
		} else {
			p.line("  against the usual of %s %.2f points were left", segment.Of(), max(0, -beyond))
		}
		p.line("  %s", Worth(&segment))
		return
	}
	p.line("  against the usual of %s it is %.2f points beyond the limit", segment.Of(), max(0, beyond))
	p.line("  %s", Worth(&segment))
	counts := "counts"
	if segment.N < set.MinN || segment.CV > set.MaxCV {
		counts = "does not count"
	}
	p.line("  that %s by itself: it takes %s which vary by at most %.6g %%", counts, Invoices(set.MinN), 100*set.MaxCV)
}

// usual says what the rule compares, where the mean of the segment is known.
func (p *printer) usual(s *detectors.SegmentSummary) {
	limit, ok := s.Mean.MulFixed(invoice.One - invoice.One/10_000*invoice.Fixed(p.s.Settings.DeviationBasisPoints))
	if s.Mean > 0 && ok {
		p.line("  usual %s net, limit %s, billed %s", Money(roundCents(s.Mean), s.Currency), roundCents(limit),
			p.inv.NetAmount)
	}
}
