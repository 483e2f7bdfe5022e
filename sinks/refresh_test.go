package sinks

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKeptViews: what is kept says how old it is, and the next refresh heals it,
// whether rows came or were removed.
func TestKeptViews(t *testing.T) {
	s := openStore(t)
	w := newKPIWorld(3, 40)
	w.deliver(t, s)
	in := s.client.settings.Database + "."
	equal := func(when string) {
		t.Helper()
		for _, view := range keptViews {
			kept := table(t, s, factsOf(in, view))
			asks := one(t, s, "SELECT as_select FROM system.tables WHERE name = "+quote(view)+" AND database = "+
				quote(s.client.settings.Database))["as_select"].(string)
			now := table(t, s, "SELECT * EXCEPT (refreshed_at) FROM ("+asks+") ORDER BY ALL")
			if len(kept) == 0 || !slices.Equal(kept, now) {
				t.Errorf("%s: %s has\n%v\nwant\n%v", when, view, kept, now)
			}
		}
	}
	equal("at first")
	asked := time.Now().UTC()
	run(t, s, "DELETE FROM "+s.client.in(tableInvoices)+" WHERE source_offset % 5 = 1")
	run(t, s, "DELETE FROM "+in+"recoveries WHERE cityHash64(event_id) % 3 = 1")
	refresh(t, s)
	equal("after rows were removed")
	for _, view := range keptViews {
		n := count(t, s, fmt.Sprintf("SELECT countIf(refreshed_at < '%s') FROM %s%s",
			asked.Format("2006-01-02 15:04:05.000"), in, view))
		if n > 0 {
			t.Errorf("%d rows of %s say that they are older than their refresh", n, view)
		}
	}
	if n := count(t, s, "SELECT count() FROM "+in+"kept_answers WHERE seconds_old BETWEEN 0 AND 60"); n != len(keptViews) {
		t.Errorf("%d views were refreshed within a minute, want %d", n, len(keptViews))
	}
}

// withCanaries are the views that show canaries: the recall from them,
// and what was told of cases whatever they are about.
var withCanaries = []string{"recall", "flagged_invoices", "recovery_steps", "case_events_once",
	"recoveries_once", "disputes_once",
	"case_verdicts", "case_money", "case_now"}

// TestCanariesAreInNoView: wrong invoices that recoup sends itself change no KPI,
// not even when a case is opened for one, worked, paid and disputed like a real one.
func TestCanariesAreInNoView(t *testing.T) {
	s := openStore(t)
	w := newKPIWorld(4, 60)
	for _, inv := range w.invoices {
		inv.canary = false
	}
	w.deliver(t, s)
	in := s.client.settings.Database + "."
	views := viewNames(t, s)
	facts := func(view string) string { // when the last canary came is told, and meant to be
		sql := strings.Replace(factsOf(in, view), "(seconds_silent)", "(seconds_silent, last_canary_at)", 1)
		return strings.Join(table(t, s, sql), "\n")
	}
	before := map[string]string{}
	for _, view := range views {
		before[view] = facts(view)
	}

	held := slices.IndexFunc(w.invoices, func(inv *kpiInvoice) bool { return inv.draft && inv.suspect })
	for i := range 14 {
		inv := &kpiInvoice{seller: "acme", id: fmt.Sprint("canary-", i), customer: fmt.Sprint("canary", i), family: "fibre",
			currency: "EUR", issued: w.begin.Add(time.Duration(i) * time.Hour), suspect: i%3 > 0, canary: true, eighths: 7,
			loss: 7_0000, cause: "promotion", draft: i%7 == 5}
		switch i {
		case 11: // of a source that sent nothing else, and of these days: some views show no others
			inv.seller, inv.issued = "canaries only", time.Now().Add(-time.Minute)
		case 12:
			inv.issued = time.Now().Add(-time.Minute)
		case 13: // has the id of a draft that was held and never issued
			inv.seller, inv.id = w.invoices[held].seller, w.invoices[held].id
		}
		w.invoices = append(w.invoices, inv)
		c := &kpiCase{id: inv.caseID(), kind: "invoice", origin: []string{"detector", "customer_dispute"}[i%2],
			seller: inv.seller, currency: "EUR", inv: inv, detected: inv.issued, loss: inv.loss}
		if i > 2 {
			w.open(c)
		}
		w.send("recoup.disputes", map[string]any{"schema": "dispute.v1", "event_id": "d" + inv.id, "seller": inv.seller,
			"invoice_id": inv.id, "reason": "wrong_amount", "at": stamp(inv.issued)})
		w.tell(c, []string{"audit_sample", "detector"}[i%2], kpiEvent{status: "decided", outcome: "confirmed_error",
			at: inv.issued.Add(time.Hour), loss: &c.loss, cause: "promotion", satisfaction: 1, action: "stop"})
		w.pay(c, inv.issued.Add(time.Hour))
	}
	w.deliver(t, s)
	for _, view := range views {
		after := facts(view)
		if shown := slices.Contains(withCanaries, view); shown == (after == before[view]) {
			t.Errorf("%s shows canaries: %v, want %v:\n%s\nwas\n%s", view, !shown, shown, after, before[view])
		}
	}
}
