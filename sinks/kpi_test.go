package sinks

import (
	"strings"
	"testing"
)

// factsOf reads a view without what only the clock changes.
func factsOf(in, view string) string {
	except := map[string]string{"case_backlog": " EXCEPT (age_hours, age_hours_p50, age_hours_p90)",
		"source_silence": " EXCEPT (seconds_silent)", "kept_answers": " EXCEPT (refreshed_at, seconds_old)",
		"case_current": " EXCEPT (refreshed_at)", "judged_unflagged": " EXCEPT (refreshed_at)",
		"invoice_findings": " EXCEPT (refreshed_at)"}
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
