package desk

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"recoup/cases"
	"recoup/cases/incident"
	"recoup/detectors"
)

// Tick lets the time pass: it opens, updates and resolves what invoices have in
// common, and forgets what is long over. Before Restored it does nothing.
func (d *Desk) Tick(now time.Time) {
	d.now = now
	if !d.live {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(d.voids)) {
		if f := d.files[id]; f != nil && d.graced(f) {
			delete(d.voids, id)
			d.touch(f)
		}
	}
	d.tellHolds()
	for _, f := range d.dirty {
		d.settle(f)
	}
	for _, change := range d.board.Tick(now) {
		d.change(&change)
	}
	d.learnDisputes(now)
	d.forget(now)
	if d.unheard >= d.settings.MostUnknown && now.Sub(d.reviewed) >= reviewEvery {
		d.review(now)
	}
}

// CountsForgotten returns how many values' counts gave way to others, for want of
// memory, since it was asked last.
func (d *Desk) CountsForgotten() uint64 { return d.board.Forgotten() }

// CountsCrowded tells, once, that counts take more memory than they should, as too many may
// not give way.
func (d *Desk) CountsCrowded() bool { return d.board.Crowded() }

// settle tells the board that an invoice was found to be right.
func (d *Desk) settle(f *file) {
	if !f.happened || f.invoice == "" {
		return
	}
	if st := f.state(""); st.Outcome == cases.OutcomeNotAnError || st.Outcome == cases.OutcomeExpectedChange {
		d.board.Settle(f.seller, strings.TrimPrefix(f.invoice, invoiceKey(f.seller, "")), f.revision)
	}
}

// tellHolds tells the board which billing runs of open incidents people hold.
func (d *Desk) tellHolds() {
	if len(d.holds) == 0 {
		return
	}
	for _, i := range d.board.Incidents() {
		for _, batch := range i.Batches {
			h, all := d.holds[run{i.Seller, batch.Value}], d.holds[run{"", batch.Value}]
			if all.after(h) {
				h = all
			}
			if h.event != "" {
				d.board.Hold(i.Seller, batch.Value, h.held)
			}
		}
	}
}

// change takes over what the board says of one shared cause.
func (d *Desk) change(change *incident.Change) {
	var c *cases.Case
	switch {
	case change.Incident != nil:
		c = d.incidentCase(change)
	case change.Rate != nil:
		c = d.rateCase(change)
	default:
		c = d.blindCase(change)
	}
	f := d.file(c.CaseID, d.now)
	if change.Action == cases.ActionResolve {
		c.Resolution = &cases.Resolution{By: cases.ResolvedByItself, At: d.now.UTC()}
	}
	f.base = c
	d.arrived(f)
	f.joined = append(f.joined, change.Joined...)
	d.gather(c, change.Joined)
	for i := range change.Joined {
		d.join(&change.Joined[i], c.CaseID)
	}
	d.touch(f)
}

// join notes in the case of a member, if it has one, which incident it belongs to.
func (d *Desk) join(m *cases.Member, incidentID string) {
	f := d.files[cases.ID(cases.DedupKey(m.Seller, m.InvoiceID, m.Revision))]
	if f == nil || !f.known() {
		return
	}
	f.member = incidentID
	f.touched(m.At)
	d.touch(f)
}

// times are how long the owner of a case has.
type times struct{ respond, escalate time.Duration }

// timesOf returns them by severity: a page is answered at once.
func timesOf(s cases.Severity) times {
	if s == cases.SeverityCritical {
		return times{respond: 12 * time.Hour, escalate: time.Hour}
	}
	return times{respond: cases.RespondWithin, escalate: cases.EscalateWithin}
}

// sharedCase is what the cases of all kinds but invoices have alike. A case keeps the
// moment of its detection until it is opened anew.
func (d *Desk) sharedCase(change *incident.Change, kind cases.Kind, key, id string) *cases.Case {
	c := &cases.Case{Schema: cases.Schema, CaseID: id, DedupKey: key, Origin: cases.OriginDetector, Kind: kind,
		Severity: change.Severity, DetectedAt: d.now.UTC(), Direction: detectors.DirectionNone, Rules: []string{},
		Basis: detectors.BasisGross, Causes: []detectors.Finding{}, Currency: noCurrency, Verify: []string{},
		Segment: cases.Segment{Level: detectors.LevelNone}, Model: detectors.Model{Version: "counts-1", ConfigHash: noHash}}
	c.Economics.Decision = detectors.DecisionOpenCase
	if f := d.files[id]; f != nil && !f.body.none() {
		if was, err := cases.Decode(f.body.body()); err == nil && was.Action != cases.ActionResolve {
			c.DetectedAt = was.DetectedAt
		}
	}
	t := timesOf(change.Severity)
	c.ReceivedAt = c.DetectedAt
	c.RespondBy, c.EscalateAt = c.DetectedAt.Add(t.respond), c.DetectedAt.Add(t.escalate)
	return c
}

// incidentCase builds the case of a cause that many invoices share.
func (d *Desk) incidentCase(change *incident.Change) *cases.Case {
	i := change.Incident
	c := d.sharedCase(change, cases.KindIncident, i.Key, i.ID)
	c.Seller, c.IssuedAt, c.Incident = i.Seller, i.Since.UTC(), i
	for _, f := range i.Findings {
		p := share(f.Explains(), i.Members)
		if p < leastShare && len(c.Causes) > 0 {
			continue
		}
		code, kind, _ := strings.Cut(f.Finding, ":")
		c.Rules = append(c.Rules, f.Finding)
		c.Causes = append(c.Causes, detectors.Finding{Code: code, Kind: kind, P: p, Evidence: []string{told(&f, i)}})
	}
	c.Verify = []string{"invoices_are_wrong"}
	if incident.ToHold(i) != "" {
		c.Verify = append(c.Verify, "hold_batch")
	}
	c.Verify = append(c.Verify, "do_not_contact_customers_yet")
	if len(i.Money) > 0 {
		m := &i.Money[0]
		c.Currency, c.Loss, c.Direction = m.Currency, m.TooLow, detectors.DirectionCustomerFavour
		if m.TooHigh.Point > m.TooLow.Point {
			c.Direction = detectors.DirectionSellerFavour
			c.Loss = detectors.Loss{Point: -m.TooHigh.Point, Low: -m.TooHigh.High, High: -m.TooHigh.Low}
		}
		d.settings.Opener.WeighIncident(c, m.Recovery)
	}
	c.Links.Query = d.query(fmt.Sprintf("seller = %s AND invoice_id IN (SELECT invoice_id FROM %s.incident_members "+
		"WHERE incident_id = %s)", quoted(i.Seller), d.database(), quoted(i.ID)))
	text := incident.Describe(i, d.settings.Opener.Runbook)
	c.Summary, c.OwnerTeam, c.Links.Runbook = text.Summary, text.OwnerTeam, text.Runbook
	if c.Severity == cases.SeverityCritical {
		c.Page = incident.PageOf(c).Text()
	}
	return c
}

// leastShare is from which share of the members on a cause is told: below it is 0 %.
const leastShare = 0.005

// told says what a finding is in an incident: how many members, and their money.
func told(f *cases.FindingCount, i *cases.Incident) string {
	said := fmt.Sprintf("%s: %d of %d members", f.Finding, f.Members, i.Members)
	for _, currency := range slices.Sorted(maps.Keys(f.Losses)) {
		if l := f.Losses[currency]; l.TooLow > 0 {
			said += fmt.Sprintf(", %v %s too low", l.TooLow, currency)
		}
		if l := f.Losses[currency]; l.TooHigh > 0 {
			said += fmt.Sprintf(", %v %s too high", l.TooHigh, currency)
		}
	}
	if f.Fits > 0 {
		said += fmt.Sprintf("; its repair makes %d usual", f.Fits)
	}
	return said
}

func share(n, of int64) float64 { return float64(n) / float64(max(of, n, 1)) }

// rateCase builds the case of a segment that errs more than ever.
func (d *Desk) rateCase(change *incident.Change) *cases.Case {
	r := change.Rate
	c := d.sharedCase(change, cases.KindRate, r.Key, r.ID)
	c.Seller, c.IssuedAt, c.Direction = r.Seller, r.Since.UTC(), r.Direction
	c.Segment.CustomerType, c.Segment.ProductFamily, _ = strings.Cut(r.Segment, "/")
	c.Segment.N = r.Invoices
	c.OwnerTeam = cases.OwnerTeam(detectors.CauseUnknown)
	c.Watch = &cases.Watch{Since: r.Since.UTC(), Segment: r.Segment, Invoices: r.Invoices, Suspects: r.Suspects,
		Lower: r.Lower, Usual: r.Usual}
	wayEN, wayFR := "too little", "trop peu"
	if r.Direction == detectors.DirectionSellerFavour {
		wayEN, wayFR = "too much", "trop"
	}
	c.Summary = cases.Summary{
		EN: fmt.Sprintf("Segment %s: %d of the last %d invoices are suspected to bill %s, usual are %.1f %%.",
			r.Segment, r.Suspects, r.Invoices, wayEN, 100*r.Usual),
		FR: fmt.Sprintf("Segment %s : %d des %d dernières factures semblent facturer %s, la part usuelle est de %s %%.",
			r.Segment, r.Suspects, r.Invoices, wayFR, strings.Replace(fmt.Sprintf("%.1f", 100*r.Usual), ".", ",", 1))}
	c.Verify = []string{"what_changed_in_this_segment"}
	c.Links = d.links("rate", fmt.Sprintf("seller = %s AND suspect AND customer_type = %s AND "+
		"product_family = %s", quoted(r.Seller), quoted(c.Segment.CustomerType), quoted(c.Segment.ProductFamily)))
	return c
}

// rateOf reads back what rateCase has written.
func rateOf(c *cases.Case) *incident.Rate {
	w := cmp.Or(c.Watch, &cases.Watch{})
	return &incident.Rate{Key: c.DedupKey, ID: c.CaseID, Seller: c.Seller, Segment: w.Segment, Direction: c.Direction,
		Since: w.Since, Invoices: w.Invoices, Suspects: w.Suspects, Lower: w.Lower, Usual: w.Usual}
}

// blindWords say what is not seen, by reason; %s is the source.
var blindWords = map[incident.BlindReason][2]string{
	incident.BlindSilent: {"Source %s is silent", "La source %s se tait"},
	incident.BlindCanary: {"Known-wrong invoices of %s are not found", "Des factures témoins de %s ne sont pas trouvées"},
	incident.BlindLag:    {"Invoices%s wait to be read", "Des factures%s attendent d'être lues"},
}

// blindCase builds the case of a source that recoup does not see.
func (d *Desk) blindCase(change *incident.Change) *cases.Case {
	b := change.Blind
	c := d.sharedCase(change, cases.KindBlind, b.Key, b.ID)
	c.Seller, c.IssuedAt = b.Seller, b.Since.UTC()
	c.OwnerTeam = cases.OwnerTeam(detectors.CauseBillingSystem)
	c.Watch = &cases.Watch{Since: b.Since.UTC(), Reason: string(b.Reason), Source: b.Source,
		UsualSilence: int64(b.Usual / time.Second), Lag: b.Lag}
	words, since := blindWords[b.Reason], b.Since.UTC().Format("15:04")
	c.Summary = cases.Summary{EN: fmt.Sprintf(words[0]+" since %s UTC: no news is not good news.", b.Source, since),
		FR: fmt.Sprintf(words[1]+" depuis %s UTC : pas de nouvelles n'est pas une bonne nouvelle.", b.Source, since)}
	c.Verify = []string{"source_is_running", "invoices_reach_kafka", "recoup_is_running"}
	c.Links = cases.Links{Runbook: d.settings.Opener.Runbook("blind"), Query: d.query(fmt.Sprintf("seller = %s AND "+
		"source_system = %s", quoted(b.Seller), quoted(b.Source)))}
	return c
}

// blindOf reads back what blindCase has written.
func blindOf(c *cases.Case) *incident.Blind {
	w := cmp.Or(c.Watch, &cases.Watch{})
	return &incident.Blind{Key: c.DedupKey, ID: c.CaseID, Seller: c.Seller, Source: w.Source,
		Reason: incident.BlindReason(w.Reason), Since: w.Since, Usual: time.Duration(w.UsualSilence) * time.Second,
		Lag: w.Lag}
}

func (d *Desk) links(page, where string) cases.Links {
	return cases.Links{Runbook: d.settings.Opener.Runbook(page), Query: d.query(where)}
}

// query returns the SQL that finds the newest scored invoices of a condition.
func (d *Desk) query(where string) string {
	return fmt.Sprintf("SELECT * FROM %s.scored_invoices WHERE %s ORDER BY issued_at DESC LIMIT 100", d.database(), where)
}

func (d *Desk) database() string { return cmp.Or(d.settings.Opener.Database, "recoup") }

// sweepEvery is how often old files are looked for.
const sweepEvery = time.Hour

// forget drops what nothing was heard of for as long as the topic of the cases holds
// a record, so that what is kept is bounded by what happens in that time.
func (d *Desk) forget(now time.Time) {
	if now.Sub(d.swept) < sweepEvery {
		return
	}
	d.swept = now
	d.review(now)
	for id, f := range d.files {
		if !d.old(f.seen) {
			continue
		}
		delete(d.files, id)
		delete(d.dirty, id)
		delete(d.voids, id)
		delete(d.asks, id)
		d.arrived(f)
		drop(d.byInvoice, f.invoice, id)
		drop(d.byNumber, f.numbered, id)
	}
	maps.DeleteFunc(d.disputed, func(_ string, p *disputed) bool { return d.old(p.seen) })
	maps.DeleteFunc(d.holds, func(_ run, h hold) bool { return d.old(h.at) })
	maps.DeleteFunc(d.incidents, func(id string, _ *cases.Incident) bool { return d.files[id] == nil })
	maps.DeleteFunc(d.aliases, func(_, id string) bool { return d.files[id] == nil })
	maps.DeleteFunc(d.corrections, func(_ string, c correction) bool { return now.Sub(c.decided) > CorrectionsWait })
}

// CorrectionsWait is how long a document waits for the case of what it puts right. A new
// owner that reads as far back finds every one that still waits.
const CorrectionsWait = 48 * time.Hour

func drop(index map[string][]string, key, id string) {
	index[key] = slices.DeleteFunc(index[key], func(other string) bool { return other == id })
	if len(index[key]) == 0 {
		delete(index, key)
	}
}
