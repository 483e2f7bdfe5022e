package sinks

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"recoup/sinks/sinktest"
)

// asJSON writes a record.
func asJSON(t *testing.T, record map[string]any) string {
	t.Helper()
	text, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// table returns the rows of a query, each as JSON, in order.
func table(t *testing.T, s *Store, sql string) (rows []string) {
	t.Helper()
	err := s.client.each(t.Context(), statement{sql: "SELECT formatRow('JSONEachRow', *) FROM (" + sql + ")"},
		func(scan func(...any) error) error {
			var row string
			err := scan(&row)
			rows = append(rows, row)
			return err
		})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return rows
}

func one(t *testing.T, s *Store, sql string) map[string]any {
	t.Helper()
	rows := table(t, s, sql)
	if len(rows) != 1 {
		t.Fatalf("%s: %d rows, want 1: %v", sql, len(rows), rows)
	}
	var row map[string]any
	if err := json.Unmarshal([]byte(rows[0]), &row); err != nil {
		t.Fatal(err)
	}
	return row
}

// sendStory sends the story of four cases of one day: two confirmed errors, of
// which one is paid in two instalments, one false alarm, one still open.
func sendStory(t *testing.T, w *copyWorld) {
	t.Helper()
	for i := range 4 {
		c := map[string]any{"schema": "case.v1", "case_id": fmt.Sprint("c", i), "seq": 1, "action": "open",
			"kind": "invoice", "severity": "warning", "origin": "detector", "seller": "acme", "stage": "issued",
			"invoice_id": fmt.Sprint("F", i), "issued_at": "2026-11-12T08:00:00Z", "received_at": "2026-11-12T08:00:01Z",
			"detected_at": "2026-11-12T08:00:01.5Z", "respond_by": "2026-11-13T08:00:01Z", "currency": "EUR",
			"segment": map[string]any{"customer_type": "B2B", "product_family": "fibre"}, "billed": "900.00",
			"expected": "1000.00", "loss": map[string]any{"point": "100.00", "low": "80.00", "high": "120.00"},
			"direction": "customer_favour", "p_error": 0.9, "causes": []any{map[string]any{"code": "promotion"}},
			"economics":  map[string]any{"handling_cost": "50.00", "decision": "open_case"},
			"owner_team": "sales"}
		w.send(t, w.opt.Topics.Cases, i%3, asJSON(t, c))
		if i == 0 {
			c["seq"], c["action"], c["severity"] = 2, "update", "info"
			w.send(t, w.opt.Topics.Cases, i%3, asJSON(t, c))
		}
	}
	event := func(id, caseID string, at string, more map[string]any) {
		record := map[string]any{"schema": "case_event.v1", "event_id": id, "case_id": caseID, "at": at}
		for k, v := range more {
			record[k] = v
		}
		w.send(t, w.opt.Topics.CaseEvents, 0, asJSON(t, record))
	}
	event("a0", "c0", "2026-11-12T10:00:01.5Z", map[string]any{"status": "acknowledged"})
	event("d0", "c0", "2026-11-12T12:00:00Z", map[string]any{"status": "decided", "outcome": "confirmed_error",
		"true_cause": "data_entry", "confirmed_loss": "110.00", "currency": "EUR", "handling_cost": "18.50"})
	event("x0", "c0", "2026-12-20T12:00:00Z", map[string]any{"status": "closed", "satisfaction": 4})
	event("a1", "c1", "2026-11-14T10:00:00Z", map[string]any{"status": "acknowledged"})
	event("d1", "c1", "2026-11-14T12:00:00Z", map[string]any{"status": "decided", "outcome": "confirmed_error"})
	event("d2", "c2", "2026-11-12T12:00:00Z", map[string]any{"status": "decided", "outcome": "expected_change"})
	recovery := func(id, option, event, amount string) {
		w.send(t, w.opt.Topics.Recoveries, 1, asJSON(t, map[string]any{"schema": "recovery.v1", "event_id": id,
			"recovery_id": "r-" + option, "case_id": "c0", "option": option, "event": event, "amount": amount,
			"currency": "EUR", "at": "2026-11-20T08:00:00Z"}))
	}
	recovery("r1", "immediate_payment", "offered", "110.00")
	recovery("r2", "immediate_payment", "refused", "110.00")
	recovery("r3", "instalments", "offered", "110.00")
	recovery("r4", "instalments", "accepted", "110.00")
	recovery("r5", "instalments", "paid", "55.00")
	recovery("r6", "instalments", "paid", "55.00")
}

// TestViews: every question is answered right, and the answers do not change
// when everything is delivered a second time.
func TestViews(t *testing.T) {
	s := openStore(t)
	w := newCopyWorld(t, s)
	b := s.NewBlock()
	for i := range int64(10) {
		inv, v := sampleInvoice(int(i), 1)
		inv.Seller, inv.CustomerType, inv.ProductFamily, inv.Canary = "acme", "B2B", "fibre", i == 9
		inv.IssuedAt = time.Date(2026, 11, 12, 8, 0, 0, 0, time.UTC) // the day of the story
		v.Source.Offset, v.PError, v.Suspect = i, 0.1, i < 4
		b.Append(inv, v, inv.IssuedAt.UnixMilli())
	}
	if err := s.Insert(t.Context(), testOwner, 0, b, sinktest.Owned); err != nil {
		t.Fatal(err)
	}
	sendStory(t, w)
	w.copyAll(t)
	in := s.client.settings.Database + "."
	views := viewNames(t, s)
	before := map[string]string{}
	for _, view := range views {
		before[view] = fmt.Sprint(table(t, s, factsOf(in, view)))
	}
	checkViews(t, s, in)

	sendStory(t, w)
	w.copyAll(t)
	for _, view := range views {
		if after := fmt.Sprint(table(t, s, factsOf(in, view))); after != before[view] {
			t.Errorf("%s changed by redelivery:\n%s\nwas\n%s", view, after, before[view])
		}
	}
}

// K2: the estimate of what open cases may cost lies within its band, on either
// side; what one side loses is never netted with what the other does, also when
// a band reaches over zero.
func TestLossBand(t *testing.T) {
	s := openStore(t)
	w := newCopyWorld(t, s)
	for i, loss := range []map[string]any{
		{"low": "80.00", "point": "100.00", "high": "120.00"}, {"low": "-20.00", "point": "40.00", "high": "90.00"},
		{"low": "-130.00", "point": "-100.00", "high": "-60.00"}, {"low": "-30.00", "point": "-10.00", "high": "5.00"},
	} {
		w.send(t, w.opt.Topics.Cases, 0, asJSON(t, map[string]any{"schema": "case.v1", "case_id": fmt.Sprint("l", i),
			"seq": 1, "action": "open", "kind": "invoice", "seller": "acme", "issued_at": "2026-11-12T08:00:00Z",
			"received_at": "2026-11-12T08:00:01Z", "detected_at": "2026-11-12T08:00:01.5Z", "currency": "EUR",
			"direction": []string{"customer_favour", "seller_favour"}[i/2], "p_error": 0.5, "loss": loss}))
	}
	w.copyAll(t)
	for direction, want := range map[string][3]float64{"customer_favour": {40, 70, 105}, "seller_favour": {30, 55, 80}} {
		row := one(t, s, "SELECT * FROM "+s.client.settings.Database+".loss_by_cohort WHERE direction = '"+direction+"'")
		for i, column := range []string{"open_loss_low", "open_loss_estimate", "open_loss_high"} {
			if row[column] != want[i] {
				t.Errorf("%s: %s is %v, want %v", direction, column, row[column], want[i])
			}
		}
	}
}

func checkViews(t *testing.T, s *Store, in string) {
	t.Helper()
	for _, q := range []struct {
		sql  string
		want map[string]any
	}{
		{"SELECT * FROM " + in + "case_current WHERE case_id = 'c0'", map[string]any{"severity": "info", "last_seq": 2.0,
			"status": "closed", "outcome": "confirmed_error", "is_open": false, "cause": "data_entry", "paid": 110.0,
			"confirmed_loss": 110.0, "acknowledged_at": "2026-11-12 10:00:01.500", "satisfaction": 4.0}},
		{"SELECT * FROM " + in + "case_current WHERE case_id = 'c3'", map[string]any{"status": "", "outcome": "",
			"is_open": true, "cause": "promotion", "paid": 0.0, "acknowledged_at": nil}},
		{"SELECT sum(invoices) AS n, sum(suspects) AS s, sum(invoices * live_error_rate) AS e, sum(confirmed) AS k " +
			"FROM " + in + "error_rate_by_day", map[string]any{"n": 9.0, "s": 4.0, "e": 0.9, "k": 2.0}},
		{"SELECT * FROM " + in + "loss_by_cohort WHERE cases > 0", map[string]any{"cohort_month": "2026-11-01", "cases": 4.0,
			"confirmed": 2.0, "confirmed_loss": 210.0, "open_loss_estimate": 90.0, "open_loss_low": 72.0,
			"open_loss_high": 108.0, "recovered": 110.0,
			"handling": 68.5, "net_recovered": 41.5}},
		{"SELECT * FROM " + in + "recovery_by_option WHERE option = 'instalments'", map[string]any{"offered": 1.0,
			"accepted": 1.0, "acceptance": 1.0, "paid_rate": 1.0, "acceptance_low": 0.2065}},
		{"SELECT * FROM " + in + "recovery_by_option WHERE option = 'immediate_payment'", map[string]any{
			"offered": 1.0, "accepted": 0.0, "acceptance": 0.0, "acceptance_high": 0.7935}},
		{"SELECT sum(alerts) AS n, sum(confirmed) AS k, sum(refuted) AS f, sum(undecided) AS u FROM " + in +
			"alert_precision", map[string]any{"n": 4.0, "k": 2.0, "f": 1.0, "u": 1.0}},
		{"SELECT * FROM " + in + "time_to_respond", map[string]any{"cases": 4.0, "acknowledged": 3.0,
			"acknowledged_in_24h": 2.0, "share_in_24h": 0.5}},
		{"SELECT * FROM " + in + "cause_pareto WHERE cause = 'data_entry'", map[string]any{"confirmed": 1.0,
			"loss_customer_favour": 110.0, "share": 0.5, "cumulative_share": 0.5}},
		{"SELECT * FROM " + in + "cause_pareto WHERE cause = 'promotion'", map[string]any{"confirmed": 1.0,
			"loss_customer_favour": 100.0, "cumulative_share": 1.0}},
	} {
		row := one(t, s, q.sql)
		for column, want := range q.want {
			got := row[column]
			if f, ok := want.(float64); ok {
				if g, ok := got.(float64); ok && math.Abs(f-g) < 5e-5 {
					continue
				}
			}
			if got != want {
				t.Errorf("%s: %s is %v (%T), want %v", q.sql, column, got, got, want)
			}
		}
	}
}
