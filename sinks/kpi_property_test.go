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
	`concat('error_rate_by_month|', seller, '|', toString(cohort_month)), map('invoices', n(invoices),
		'suspects', n(suspects), 'confirmed', n(confirmed), 'true_positives', n(true_positives), 'audited', n(audited),
		'audited_wrong', n(audited_wrong), 'expected_errors', n(expected_errors)) FROM error_rate_by_month`,
	`concat('cause_pareto|', seller, '|', currency), map(cause, n(confirmed)) FROM cause_pareto`,
	`concat('customer_found_first|', seller), map(toString(cohort_month), n(by_customer)) FROM customer_found_first`,
	`concat('recall|', seller, '|', toString(cohort_month)), map(estimate, n(caught),
		concat(estimate, ' sent'), n(looked_at)) FROM recall WHERE estimate != 'audit'`,
	`concat('customers_touched|', seller), map('customers', n(customers), 'touched', n(touched)) FROM customers_touched`,
	`concat('anomalies_by_type|', seller, '|', toString(cohort_month)), map(type, n(invoices)) FROM anomalies_by_type`,
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
	`concat('time_to_detect|', seller, '|', toString(cohort_month)), map('cases', n(cases),
		'received', n(seconds_after_receipt_p50), 'issued', n(seconds_after_issue_p50)) FROM time_to_detect`,
	`concat('cause_confusion|', seller, '|', predicted_cause), map(true_cause, n(invoices)) FROM cause_confusion`,
	`concat('prevented_before_issue|', seller, '|', currency, '|', toString(cohort_month), '|', direction), map(
		'prevented', n(prevented), 'issued_wrong', n(issued_wrong), 'loss', m(prevented_loss)) FROM prevented_before_issue`,
	`concat('repeats_after_action|', case_id), map('before', n(errors_30_days_before), '30', n(errors_30_days_after),
		'60', n(errors_60_days_after), '90', n(errors_90_days_after)) FROM repeats_after_action`,
	`concat('repeat_rate|', seller, '|', cause), map('actions 30', n(actions_30), 'repeated 30', n(repeated_30),
		'actions 60', n(actions_60), 'repeated 60', n(repeated_60), 'actions 90', n(actions_90),
		'repeated 90', n(repeated_90)) FROM repeat_rate`,
	`concat('handling_cost|', seller, '|', currency, '|', toString(cohort_month)), map('cases', n(cases),
		'single', n(single_cases), 'handling', m(handling), 'recovered', m(recovered), 'below', n(below_break_even))
		FROM handling_cost`,
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
		l.early(want)
		l.repeats(want)
		l.handling(want)
		got := answers{}
		for _, sql := range kpiQueries {
			kpiRead(t, s, sql, got)
		}
		compareAnswers(t, seed, got, want)
		checkMedianWait(t, s, l)
		checkTrueRate(t, s)
		checkRollups(t, s)
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
		if math.Abs(got[path]-want[path]) > 1e-9*math.Abs(want[path])+1e-9 {
			t.Errorf("seed %d: %s is %v, want %v", seed, path, got[path], want[path])
		}
	}
	if compared < 100 {
		t.Errorf("seed %d: %d figures compared, want 100 at least", seed, compared)
	}
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
		if seen++; math.Abs(median-want) > 1e-6 || math.IsNaN(median) != math.IsNaN(want) {
			t.Errorf("median hours to the last cent, %s in %s: %v, want %v", seller, currency, median, want)
		}
		return err
	})
	if err != nil || seen == 0 {
		t.Errorf("%d medians, %v", seen, err)
	}
}

// checkTrueRate (K1b, K8): the bounds of the views are those whose coverage is
// tested by simulation.
func checkTrueRate(t *testing.T, s *Store) {
	t.Helper()
	in := s.client.settings.Database + "."
	sql := "SELECT toFloat64(m.invoices), toFloat64(m.true_positives), toFloat64(m.unflagged), toFloat64(m.audited), " +
		"toFloat64(m.audited_wrong), toFloat64(m.true_rate_low), toFloat64(m.true_rate_high), " +
		"toFloat64(r.recall_low), toFloat64(r.recall_high) FROM " + in + "error_rate_by_month AS m INNER JOIN " + in +
		"recall AS r ON m.seller = r.seller AND m.cohort_month = r.cohort_month WHERE r.estimate = 'audit' AND r.caught > 0"
	seen := 0
	err := s.client.each(t.Context(), statement{sql: sql}, func(scan func(...any) error) error {
		var m month
		var got [4]float64
		err := scan(&m.invoices, &m.flaggedWrong, &m.unflagged, &m.audited, &m.auditedWrong, &got[0], &got[1], &got[2],
			&got[3])
		var want [4]float64
		want[0], want[1], want[2], want[3] = m.bounds()
		for i := range got {
			if math.Abs(got[i]-want[i]) > 1e-12 {
				t.Errorf("bounds of %+v are %v, want %v", m, got, want)
				break
			}
		}
		seen++
		return err
	})
	if err != nil || seen < 2 {
		t.Errorf("%d months, %v", seen, err)
	}
}

// checkRollups (G2): the views on all invoices read roll-ups, and answer as the rows
// do, also after some of them were removed.
func checkRollups(t *testing.T, s *Store) {
	t.Helper()
	run(t, s, "DELETE FROM "+s.client.in(tableInvoices)+" WHERE source_offset % 7 = 3")
	in := s.client.settings.Database + "."
	for _, view := range viewNames(t, s) {
		plan := strings.Join(table(t, s, "EXPLAIN SELECT * FROM "+in+view), "\n")
		if strings.Contains(plan, "("+in+tableInvoices+")") {
			t.Errorf("%s reads every invoice:\n%s", view, plan)
		}
	}
	for _, view := range []string{"invoice_counts_by_day", "flagged_invoices", "customers_touched", "anomalies_by_type",
		"source_silence", "release_spans"} {
		question := factsOf(in, view) + " SETTINGS optimize_use_projections = "
		rollup, raw := table(t, s, question+"1"), table(t, s, question+"0")
		if len(raw) == 0 || !slices.Equal(rollup, raw) {
			t.Errorf("%s: the roll-up has\n%v\nthe rows\n%v", view, rollup, raw)
		}
	}
}
