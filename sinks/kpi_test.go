package sinks

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// factsOf reads a view without what only the clock changes.
func factsOf(in, view string) string {
	except := map[string]string{"case_backlog": " EXCEPT (age_hours, age_hours_p50, age_hours_p90)",
		"source_silence": " EXCEPT (seconds_silent)", "kept_answers": " EXCEPT (refreshed_at, seconds_old)",
		"case_current": " EXCEPT (refreshed_at)", "judged_unflagged": " EXCEPT (refreshed_at)",
		"invoice_findings": " EXCEPT (refreshed_at)", "recovery_plans": " EXCEPT (refreshed_at)"}
	return "SELECT *" + except[view] + " FROM " + in + view + " ORDER BY ALL"
}

// viewNames returns the views of the database.
func viewNames(t *testing.T, s *Store) (names []string) {
	t.Helper()
	err := s.client.each(t.Context(), statement{sql: "SELECT name FROM system.tables " +
		"WHERE engine IN ('View', 'MaterializedView') AND database = " +
		quote(s.client.settings.Database) + " ORDER BY name"},
		func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			names = append(names, name)
			return err
		})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestViewsAskOneQuestion: every view says in its comment which question it answers.
func TestViewsAskOneQuestion(t *testing.T) {
	s := openStore(t)
	for _, name := range viewNames(t, s) {
		comment := one(t, s, "SELECT comment FROM system.tables WHERE name = "+quote(name)+" AND database = "+
			quote(s.client.settings.Database))["comment"].(string)
		if strings.Count(comment, "?") < 1 {
			t.Errorf("view %s has comment %q, want a question", name, comment)
		}
	}
}

// TestFewAndYoungAnswersAreNull: a view says nothing where it cannot: no uplift before
// either way was offered 20 times, none of what was never offered (K4); no share of 30
// days before 30 days were watched, and none recovered in them is 0 (K6).
func TestFewAndYoungAnswersAreNull(t *testing.T) {
	s := openStore(t)
	w := newCopyWorld(t, s)
	send := func(topic string, record map[string]any) { w.send(t, topic, 0, asJSON(t, record)) }
	for seller, way := range map[string]struct{ offers, days, wait int }{
		"young": {19, 2, 1}, "old": {20, 40, 1}, "late": {19, 40, 35},
	} {
		began := time.Now().AddDate(0, 0, -way.days).UTC()
		id, at := "case-"+seller, began.Add(time.Duration(way.wait)*24*time.Hour).Format(time.RFC3339)
		send(w.opt.Topics.Cases, map[string]any{"schema": "case.v1", "case_id": id, "seq": 1, "action": "open",
			"kind": "invoice", "seller": seller, "issued_at": began, "received_at": began, "detected_at": began,
			"currency": "EUR", "direction": "customer_favour", "loss": map[string]any{"point": "1.00"}})
		send(w.opt.Topics.CaseEvents, map[string]any{"schema": "case_event.v1", "event_id": "d" + id, "case_id": id,
			"at": at, "status": "decided", "outcome": "confirmed_error", "confirmed_loss": "1.00", "currency": "EUR"})
		step := func(option, plan, event string) {
			send(w.opt.Topics.Recoveries, map[string]any{"schema": "recovery.v1", "event_id": id + option + plan + event,
				"recovery_id": option + plan, "case_id": id, "option": option, "event": event, "amount": "1.00",
				"currency": "EUR", "at": at})
		}
		for i := range way.offers {
			step("immediate_payment", fmt.Sprint(i), "offered")
			step("instalments", fmt.Sprint(i), "offered")
		}
		step("immediate_payment", "0", "paid")
		step("write_off", "0", "written_off")
	}
	w.copyAll(t)
	in := s.client.settings.Database + "."
	got := strings.Join(append(
		table(t, s, "SELECT seller, option, uplift FROM "+in+"recovery_by_option WHERE uplift IS NOT NULL ORDER BY option"),
		table(t, s, "SELECT seller, share_in_30_days AS s FROM "+in+"time_to_recover ORDER BY seller")...), "")
	want := `{"seller":"old","option":"immediate_payment","uplift":0}` + "\n" +
		`{"seller":"old","option":"instalments","uplift":-1}` + "\n" +
		`{"seller":"late","s":0}` + "\n" + `{"seller":"old","s":1}` + "\n" + `{"seller":"young","s":null}` + "\n"
	if got != want {
		t.Errorf("the views say\n%swant\n%s", got, want)
	}
}
