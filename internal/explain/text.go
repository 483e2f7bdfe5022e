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

// Text writes the explanation for a terminal. Both languages have the same lines: what is
// said of an invoice is decided once, and each text stands in both (Lang.say).
func (l Lang) Text(w io.Writer, s *Subject) error {
	p := &printer{Lang: l, s: s, inv: s.Invoice, v: s.Verdict}
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
	Lang
	s   *Subject
	inv *invoice.Invoice
	v   *detectors.Verdict
	out strings.Builder
}

// line writes one line.
func (p *printer) line(text string) { p.out.WriteString(strings.TrimRight(Clean(text), " ") + "\n") }

// heading begins a part.
func (p *printer) heading(text string) { p.line(""); p.line(text) }

// pair writes a name and what is said of it.
func (p *printer) pair(name, text string) { p.line(fmt.Sprintf("  %-11s %s", name, text)) }

// title says which invoice it is and what was said of it.
func (p *printer) title() {
	inv, v := p.inv, p.v
	kind, draft := p.Say("Invoice", "Facture"), p.Say("Draft of invoice", "Projet de facture")
	switch inv.Type {
	case invoice.CreditNote:
		kind, draft = p.Say("Credit note", "Avoir"), p.Say("Draft of credit note", "Projet d'avoir")
	case invoice.Correction:
		kind, draft = p.Say("Correction", "Rectificatif"), p.Say("Draft of correction", "Projet de rectificatif")
	}
	if inv.Stage == invoice.PreIssue {
		kind = draft
	}
	name := inv.ID
	if inv.Revision > 0 {
		name += p.Say(", revision %d", ", révision %d", inv.Revision)
	}
	if inv.Number != "" && inv.Number != inv.ID {
		name += p.Say(", number %s", ", numéro %s", inv.Number)
	}
	p.line(kind + " " + name)
	p.line(p.Say("of %s, issued %s", "de %s, en date du %s", inv.Seller, p.instant(inv.IssuedAt)))
	if parties := p.parties(); parties != "" {
		p.line(parties)
	}
	p.line("")
	likely, probability := p.likely(v.PError), Probability(v.PError)
	switch {
	case inv.Type != invoice.Standard:
		p.line(p.Say("NOT JUDGED: credit notes and corrections are stored, never suspect, and teach nothing.",
			"NON JUGÉ : avoirs et rectificatifs sont gardés, jamais suspects, et n'enseignent rien."))
	case v.Suspect && v.Direction == detectors.DirectionNone:
		p.line(p.Say("SUSPECT: %s (%s).", "SUSPECTE : %s (%s).", p.Suspicion(v.PError), probability))
	case v.Suspect:
		p.line(p.Say("SUSPECT: %s (%s), %s.", "SUSPECTE : %s (%s), %s.", p.Suspicion(v.PError), probability,
			p.Favour(v.Direction)))
	default:
		p.line(p.Say("NOT SUSPECT: %s (probability of an error %s).", "PAS SUSPECTE : %s (probabilité d'une erreur %s).",
			likely, probability))
	}
}

// parties names the customer's segment.
func (p *printer) parties() string {
	var parts []string
	for _, part := range []struct{ name, value string }{{p.Say("customer", "client"), p.inv.CustomerRef},
		{p.Say("customer type", "type de client"), p.inv.CustomerType},
		{p.Say("product family", "famille de produits"), p.inv.ProductFamily}} {
		if part.value != "" {
			parts = append(parts, part.name+" "+part.value)
		}
	}
	return strings.Join(parts, ", ")
}

// amounts says what was billed and what was expected, from what.
func (p *printer) amounts() {
	v, currency := p.v, p.v.Currency
	p.heading(p.Say("What was billed and what was expected", "Ce qui a été facturé et ce qui était attendu"))
	tax := p.Say("net, no tax is known", "net, aucune taxe connue")
	if v.AmountBasis == detectors.BasisGross {
		tax = p.Say("with tax; net %s", "taxe comprise ; net %s", p.amount(p.inv.NetAmount))
	}
	p.pair(p.Say("billed", "facturé"), p.amount(v.Billed)+" "+currency+" ("+tax+")"+p.countLines())
	expected := p.Say("expected", "attendu")
	if v.Level == detectors.LevelNone {
		if p.inv.Type == invoice.Standard {
			p.pair(expected, p.Say("nothing: there was no history to compare with",
				"rien : aucun historique auquel comparer"))
		}
		return
	}
	from, known := p.Usual(v, p.inv, p.s.Segment)
	p.pair(expected, p.amount(v.Expected)+" "+currency+", "+from)
	p.pair("", known)
	if v.ExpectedLow < v.ExpectedHigh {
		p.pair("", p.Say("95 of 100 should lie between %s and %s %s", "95 sur 100 devraient être entre %s et %s %s",
			p.amount(v.ExpectedLow), p.amount(v.ExpectedHigh), currency))
	}
	difference, gap := p.Say("difference", "écart"), p.gap(v.Expected, v.Billed, currency)
	switch {
	case v.Expected == v.Billed:
		p.pair(difference, p.Say("none", "aucun"))
	case v.Expected == 0:
		p.pair(difference, p.Say("%s than expected", "%s qu'attendu", gap))
	default:
		p.pair(difference, p.Say("%s than expected (%s %%)", "%s qu'attendu (%s %%)", gap,
			p.decimal("%+.1f", v.DeviationPct)))
	}
}

// countLines says how many lines the invoice has.
func (p *printer) countLines() string {
	switch n := len(p.inv.Lines); n {
	case 0:
		return ""
	case 1:
		return p.Say(", on 1 line", ", sur 1 ligne")
	default:
		return p.Say(", on %s lines", ", sur %s lignes", p.whole(int64(n)))
	}
}

// repair says which single change would make the invoice usual, and what else
// was considered.
func (p *printer) repair() {
	v := p.v
	if p.inv.Type != invoice.Standard {
		return
	}
	p.heading(p.Say("Which single change would make it usual", "Quelle correction unique la rendrait habituelle"))
	if len(v.Causes) == 0 {
		none := p.Say("none is needed: nothing proves an error", "aucune n'est nécessaire : rien ne prouve une erreur")
		if v.Suspect {
			none = p.Say("none that was tried: no repair fits", "aucune de celles essayées : aucune correction ne convient")
		}
		p.line("  " + none)
		return
	}
	first := &v.Causes[0]
	p.line("  " + p.finding(first))
	p.evidence(first, "    ")
	action := p.Action(first)
	switch repaired := p.money(first.Repaired, v.Currency); {
	case first.Kind == detectors.KindNoRepair:
		p.line(p.Say("  No repair fits.", "  Aucune correction ne convient."))
	case first.Code == detectors.CauseUnknown:
		p.line(p.Say("  No single repair was found; %s would be the usual amount: %s.",
			"  Aucune correction unique n'a été trouvée ; le montant habituel serait de %s : %s.", repaired,
			p.gap(v.Billed, first.Repaired, v.Currency)))
	case first.Repaired == v.Billed && action != "": // the action says that, too
	case first.Repaired == v.Billed:
		p.line(p.Say("  Repaired, the customer still pays %s.", "  Après correction, le client paie toujours %s.", repaired))
	default:
		p.line(p.Say("  Repaired, the customer pays %s %s: %s than billed.",
			"  Après correction, le client paie %s %s : %s que facturé.", p.amount(first.Repaired), v.Currency,
			p.gap(v.Billed, first.Repaired, v.Currency)))
	}
	if action != "" {
		p.line(p.Say("  To do: %s.", "  À faire : %s.", action))
	}
	if v.Loss != (detectors.Loss{}) {
		p.line(p.Say("  At stake: %s", "  En jeu : %s", p.loss()))
	}
	for _, e := range p.s.Earlier {
		p.line(p.Say("  Before it: %s, issued %s, %s %s", "  Avant elle : %s, émise le %s, %s %s", p.revised(&e),
			p.instant(e.IssuedAt), p.amount(e.Billed), e.Currency))
	}
	p.others()
}

// finding says what was found, and how probable it is.
func (p *printer) finding(f *detectors.Finding) string {
	return p.Kind(f) + " (" + Probability(f.P) + ")"
}

// others says what else was considered: hints in a line, the rest as the first cause.
func (p *printer) others() {
	v := p.v
	if len(v.Causes) > 1 {
		p.heading(p.Say("What else was considered", "Ce qui a été envisagé d'autre"))
	}
	var hints []string
	for i := range v.Causes[1:] {
		f := &v.Causes[i+1]
		said := p.finding(f)
		switch {
		case f.Hint():
			hints = append(hints, said)
			continue
		case f.Kind == detectors.KindNoRepair:
			p.line("  " + said)
		default:
			p.line(p.Say("  %s, which would make it %s %s", "  %s, ce qui la porterait à %s %s", said,
				p.amount(f.Repaired), v.Currency))
		}
		p.evidence(f, "    ")
	}
	if len(hints) > 0 {
		p.line(p.Say("  hardly likely: %s", "  peu probable : %s", strings.Join(hints, p.Say("; ", " ; "))))
	}
}

// evidence writes the sentences of a finding.
func (p *printer) evidence(f *detectors.Finding, indent string) {
	for _, sentence := range f.Evidence {
		p.line(indent + p.Sentence(sentence))
	}
}

// loss says how much money is at stake, with its interval.
func (p *printer) loss() string {
	l, currency := p.v.Loss, p.v.Currency
	text := p.money(l.Point, currency) + ", " + p.Favour(p.v.Direction)
	if l.Low == l.High {
		return text
	}
	low, high := p.money(l.Low, currency), p.money(l.High, currency)
	if (l.Low < 0) == (l.High < 0) {
		if l.High < 0 {
			low, high = high, low
		}
		return text + p.Say(" (between %s and %s)", " (entre %s et %s)", low, high)
	}
	return text + p.Say(" (anything from %s too little to %s too much)", " (entre %s de trop peu et %s de trop)", high,
		low)
}

// revised names an earlier invoice.
func (p *printer) revised(e *Earlier) string {
	if e.Revision == 0 {
		return e.ID
	}
	return p.Say("%s revision %d", "%s révision %d", e.ID, e.Revision)
}

// known tells whether the settings in force are those of the verdict.
func (p *printer) known() bool { return p.s.Settings.Hash() == p.v.Model.ConfigHash }

// deviationRules are the codes of the 15 % rule and what each compares with.
var deviationRules = []struct {
	code  string
	level detectors.Level
	of    words
}{
	{detectors.RuleCustomerType, detectors.LevelCustomerType, words{"of its customer type", "de son type de client"}},
	{detectors.RuleProductFamily, detectors.LevelProductFamily,
		words{"of its product family", "de sa famille de produits"}},
	{detectors.RuleSegment, detectors.LevelTypeProduct, words{"of both together", "des deux ensemble"}},
}

// rule tells the 15 % rule and its margin (A4).
func (p *printer) rule() {
	v := p.v
	if p.inv.Type != invoice.Standard {
		return
	}
	limit := float64(p.s.Settings.DeviationBasisPoints) / 100
	if said := p.decimal("%g", limit); p.known() {
		p.heading(p.Say("The %s %% rule: net more than %s %% below the usual",
			"La règle des %s %% : net plus de %s %% sous l'habituel", said, said))
	} else {
		p.heading(p.Say("The rule of low amounts", "La règle des montants bas"))
	}
	segment, ok := p.segment()
	var fired []string
	firedHere := false
	for _, rule := range deviationRules {
		has := slices.Contains(v.Rules, rule.code)
		if has {
			fired = append(fired, p.Pick(rule.of.en, rule.of.fr))
		}
		firedHere = firedHere || (has && rule.level == segment.Level)
	}
	switch {
	case v.Level == detectors.LevelNone:
		p.line(p.Say("  had nothing to compare with", "  n'avait rien à quoi comparer"))
	case len(fired) > 0:
		p.line(p.Say("  fired against the usual %s", "  s'est déclenchée contre l'habituel %s",
			strings.Join(fired, p.Say(" and ", " et "))))
	default:
		p.line(p.Say("  did not fire", "  ne s'est pas déclenchée"))
	}
	if p.known() && ok {
		p.margin(&segment, limit, firedHere)
	}
}

// margin says how far the rule was from firing in a segment, or beyond that, and what an
// alert of it is worth there.
func (p *printer) margin(s *detectors.SegmentSummary, limit float64, fired bool) {
	p.usual(s)
	of := p.of(s.Level, s.CustomerType, s.ProductFamily)
	switch below := p.below(s); {
	case fired:
		p.line(p.Say("  against the usual %s it is %s points beyond the limit",
			"  face à l'habituel %s, elle dépasse la limite de %s points", of, p.decimal("%.2f", max(0, below-limit))))
	case below < 0:
		p.line(p.Say("  the usual %s is less than this", "  l'habituel %s est inférieur à ceci", of))
	default:
		p.line(p.Say("  against the usual %s %s points were left", "  face à l'habituel %s, il restait %s points", of,
			p.decimal("%.2f", max(0, limit-below))))
	}
	p.line("  " + p.worth(s))
	if !fired {
		return
	}
	set := &p.s.Settings
	counts := p.Say("counts", "compte")
	if s.N < set.MinN || s.CV > set.MaxCV {
		counts = p.Say("does not count", "ne compte pas")
	}
	p.line(p.Say("  that %s by itself: it takes %s which vary by at most %s %%",
		"  cela %s à soi seul : il faut %s qui varient d'au plus %s %%", counts, p.Invoices(set.MinN),
		p.decimal("%.6g", 100*set.MaxCV)))
}

// usual says what the rule compares, where the mean of the segment is known.
func (p *printer) usual(s *detectors.SegmentSummary) {
	limit, ok := s.Mean.MulFixed(invoice.One - invoice.One/10_000*invoice.Fixed(p.s.Settings.DeviationBasisPoints))
	if s.Mean > 0 && ok {
		p.line(p.Say("  usual %s net, limit %s, billed %s", "  habituel %s net, limite %s, facturé %s",
			p.money(roundCents(s.Mean), s.Currency), p.amount(roundCents(limit)), p.amount(p.inv.NetAmount)))
	}
}
