package sinks

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// kpiQueries bring the views into the form of the ledger's answers: a path, and
// numbers by the end of the path; money in ten-thousandths.
var kpiQueries = []string{
	`concat('error_rate_by_month|', seller, '|', toString(cohort_month)), map('invoices', n(invoices), 'suspects', n(suspects),
		'confirmed', n(confirmed), 'true_positives', n(true_positives), 'audited', n(audited),
		'audited_wrong', n(audited_wrong), 'expected_errors', n(expected_errors)) FROM error_rate_by_month`,
	`concat('cause_pareto|', seller, '|', currency), map(cause, n(confirmed)) FROM cause_pareto`,
	`concat('customer_found_first|', seller), map(toString(cohort_month), n(by_customer)) FROM customer_found_first`,
	`concat('recall|', seller, '|', toString(cohort_month)), map(estimate, n(caught), concat(estimate, ' sent'), n(looked_at))
		FROM recall WHERE estimate != 'audit'`,
	`concat('customers_touched|', seller), map('customers', n(customers), 'touched', n(touched)) FROM customers_touched`,
	`concat('anomalies_by_type|', seller, '|', toString(cohort_month)), map(type, n(invoices)) FROM anomalies_by_type
		WHERE type != 'deviation'`,
	`concat('loss_by_cohort|', seller, '|', currency, '|', toString(cohort_month), '|', direction), map(
		'confirmed', n(confirmed), 'confirmed_loss', m(confirmed_loss), 'low', m(open_loss_low),
		'point', m(open_loss_estimate), 'high', m(open_loss_high), 'recovered', m(recovered), 'goodwill', m(goodwill),
		'handling', m(handling)) FROM loss_by_cohort`,
	`'saved_by_bundling', map(incident_id, n(members_without_case)) FROM saved_by_bundling`,
	`concat('time_to_respond|', seller), map(kind, n(acknowledged_in_24h)) FROM time_to_respond`,
	`concat('case_backlog|', seller), map(kind, n(open_cases)) FROM case_backlog`,
	`concat('satisfaction_by_option|', seller), map(option, mean * answers) FROM satisfaction_by_option`,
	`concat('alert_precision|', seller, '|', kind), map('confirmed_error', n(confirmed), 'refuted', n(refuted),
		'undetermined', n(undetermined), 'undecided', n(undecided)) FROM alert_precision`,
	`concat('recovery_by_option|', seller, '|', currency, '|', option), map('offered', n(offered), 'accepted', n(accepted),
		'asked', m(offered_amount), 'paid', m(paid_amount)) FROM recovery_by_option`,
}

// TestKPIsEqualLedger: over random worlds, each event delivered twice and shuffled,
// every view equals what an independent ledger counts, money to the cent.
func TestKPIsEqualLedger(t *testing.T) {
	for _, seed := range []uint64{1, 2} {
		s := openStore(t)
		w := newKPIWorld(seed, 150)
		w.deliver(t, s)
		want := answers{}
		l := newKPILedger(w)
		l.rates(want)
		l.money(want)
		l.work(want)
		got := answers{}
		for _, sql := range kpiQueries {
			kpiRead(t, s, sql, got)
		}
		compareAnswers(t, seed, got, want)
		checkMedianWait(t, s, l)
	}
}

func kpiRead(t *testing.T, s *Store, sql string, into answers) {
	t.Helper()
	sql = "WITH (x -> toFloat64(x)) AS n, (x -> toFloat64(x) * 10000) AS m SELECT " +
		strings.Replace(sql, "FROM ", "FROM "+s.client.settings.Database+".", 1)
	err := s.client.each(t.Context(), statement{sql: sql}, func(scan func(...any) error) error {
		var path string
		var numbers map[string]float64
		err := scan(&path, &numbers)
		for end, n := range numbers {
			into.add(n, path, end)
		}
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func compareAnswers(t *testing.T, seed uint64, got, want answers) {
	t.Helper()
	paths := []string{}
	for path := range got {
		paths = append(paths, path)
	}
	for path := range want {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	compared := 0
	for _, path := range slices.Compact(paths) {
		if want[path] != 0 {
			compared++
		}
		// A sum of open losses is cut at the fourth decimal of the currency unit.
		if math.Abs(got[path]-want[path]) > 1e-6*math.Abs(want[path])+1e-6 && !cutAlike(path, got[path], want[path]) {
			t.Errorf("seed %d: %s is %v, want %v", seed, path, got[path], want[path])
		}
	}
	if compared < 100 {
		t.Errorf("seed %d: %d figures compared, want 100 at least", seed, compared)
	}
}

func cutAlike(path string, got, want float64) bool {
	return strings.HasPrefix(path, "loss_by_cohort") && math.Abs(got-want) < 1
}

func checkMedianWait(t *testing.T, s *Store, l *kpiLedger) {
	t.Helper()
	sql := "SELECT seller, currency, ifNull(median_hours, nan) FROM " + s.client.settings.Database + ".time_to_recover"
	seen := 0
	err := s.client.each(t.Context(), statement{sql: sql}, func(scan func(...any) error) error {
		var seller, currency string
		var median float64
		err := scan(&seller, &currency, &median)
		want := l.medianWait(seller, currency, time.Now())
		if seen++; math.Abs(median-want) > 1e-6 && math.IsNaN(median) == math.IsNaN(want) || math.IsNaN(median) != math.IsNaN(want) {
			t.Errorf("median hours to the last cent, %s in %s: %v, want %v", seller, currency, median, want)
		}
		return err
	})
	if err != nil || seen == 0 {
		t.Errorf("%d medians, %v", seen, err)
	}
}
