package story

import (
	"cmp"
	"maps"
	"slices"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// finding is an invoice that was suspected, has a case or was audited, and what it
// turned out to be. What was said of itself counts, else what was said of its incident.
type finding struct {
	account *account       // what people did with it; nil: nothing
	inv     Invoice        // as scored; of an invoice that is in no rate only what its case tells
	outcome cases.Outcome  // "": nobody knows yet
	cause   string         // of a confirmed error
	loss    invoice.Amount // of a confirmed error; > 0: billed too little
	joined  bool           // the outcome is that of its incident

	incident *account // that it joined; nil: none
}

// code is the cause of an error: the one a person confirmed, else the predicted one.
func (f *finding) code() string { return cmp.Or(f.cause, f.inv.Cause, detectors.CauseUnknown) }

// cased tells whether it has a case of its own.
func (f *finding) cased() bool { return f.account != nil && f.account.latest != nil }

// confirmed tells whether it is an error that counts: an audit is a sample, what it
// finds stands for other invoices.
func (f *finding) confirmed() bool {
	return f.outcome == cases.OutcomeConfirmed && (f.joined || f.cased())
}

// audited tells whether an auditor could say what it is.
func (f *finding) audited() bool {
	if f.inv.Suspect || f.account == nil || f.outcome == cases.OutcomeUndetermined {
		return false
	}
	return f.account.last(func(e *cases.Event) bool { return e.Origin == cases.OriginAudit && e.Outcome != "" }) != nil
}

// findings returns all of a currency, in a fixed order.
func (l *Ledger) findings(currency string) []finding {
	var all []finding
	seen := map[string]bool{}
	incidents := l.incidents()
	for _, inv := range l.invoices {
		id := inv.caseID
		a := l.accounts[id]
		if !inv.CountsIn || inv.Currency != currency || seen[id] || !inv.Suspect && a == nil {
			continue
		}
		seen[id] = true
		all = append(all, l.judge(id, finding{account: a, inv: inv}, incidents))
	}
	for _, a := range l.cases(currency) { // of invoices that are in no rate
		if c := a.latest; !seen[c.CaseID] {
			all = append(all, l.judge(c.CaseID, finding{account: a, inv: Invoice{Seller: c.Seller, ID: c.InvoiceID,
				Customer: c.Customer, Currency: currency, Suspect: c.Origin == cases.OriginDetector, Loss: c.Loss.Point,
				PError: c.PError, IssuedAt: cohort(c), Cause: firstCause(c)}}, incidents))
		}
	}
	return all
}

// judge fills in what a finding turned out to be.
func (l *Ledger) judge(caseID string, f finding, incidents map[string]*account) finding {
	name := f.inv.IncidentID
	if f.cased() {
		name = max(name, f.account.latest.IncidentID)
	}
	f.incident = incidents[cmp.Or(name, l.members[caseID])]
	if f.account != nil {
		if e := f.account.decision(); e != nil {
			f.outcome, f.cause, f.loss = e.Outcome, e.TrueCause, e.ConfirmedLoss.Value
			return f
		}
	}
	if f.incident == nil || f.incident.outcome() == cases.OutcomeDuplicate {
		return f
	}
	if e := f.incident.decision(); e != nil {
		f.outcome, f.cause, f.loss, f.joined = e.Outcome, e.TrueCause, f.inv.Loss, true
	}
	return f
}

// incidents returns the cases that stand for many invoices by all their names.
func (l *Ledger) incidents() map[string]*account {
	all := map[string]*account{}
	for _, id := range slices.Sorted(maps.Keys(l.accounts)) {
		a := l.accounts[id]
		if a.latest == nil || a.latest.Kind != cases.KindIncident {
			continue
		}
		all[id] = a
		if a.latest.Incident != nil {
			for _, alias := range a.latest.Incident.Aliases {
				all[alias] = a
			}
		}
	}
	return all
}
