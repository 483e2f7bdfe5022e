package dashboards

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"recoup/dashboards/question"
)

// sameAsView is a question and the view that answers it, too: for analysts, by month.
var sameAsView = []struct {
	question string
	columns  string // of the answer, that the view has
	view     string // the same columns, in the same order, for the month as $from … $to
}{
	{"errors_total", "invoices suspects undecided confirmed confirmed_rate confirmed_rate_low confirmed_rate_high " +
		"live_rate audited audited_wrong true_rate true_rate_low true_rate_high",
		"SELECT invoices, suspects, undecided, confirmed, confirmed_rate, confirmed_rate_low, confirmed_rate_high, " +
			"live_error_rate, audited, audited_wrong, true_rate, true_rate_low, true_rate_high FROM error_rate_by_month " +
			"WHERE seller = $seller AND cohort_month = $from"},
	{"error_rate", "time invoices confirmed_rate",
		"SELECT toDateTime(cohort_day, 'UTC') AS time, sum(e.invoices), sum(e.confirmed) / sum(e.invoices) " +
			"FROM error_rate_by_day AS e WHERE seller = $seller AND cohort_day BETWEEN $from AND $to " +
			"GROUP BY time ORDER BY time"},
	{"loss", "direction found confirmed_errors confirmed_loss open_loss open_loss_low open_loss_high recovered goodwill " +
		"handling net",
		"SELECT direction, findings, confirmed, confirmed_loss, open_loss_estimate, open_loss_low, open_loss_high, " +
			"recovered, goodwill, handling, net_recovered FROM loss_by_cohort WHERE seller = $seller AND currency = $currency " +
			"AND cohort_month = $from ORDER BY direction"},
	{"handling", "handling recovered cost_per_recovered cases break_even_loss below_break_even_share",
		"SELECT handling, recovered, cost_per_recovered, single_cases, break_even, below_break_even_share " +
			"FROM handling_cost WHERE seller = $seller AND currency = $currency AND cohort_month = $from"},
	{"found_first", "confirmed by_customer part part_low part_high",
		"SELECT all_confirmed, by_customer, share, share_low, share_high FROM customer_found_first " +
			"WHERE seller = $seller AND cohort_month = $from"},
	{"baseline_levels", "time level part",
		"SELECT toDateTime(cohort_day, 'UTC'), level, share FROM baseline_levels " +
			"WHERE seller = $seller AND cohort_day BETWEEN $from AND $to ORDER BY cohort_day, level"},
}

// sameEver is the same for views that know no month: asked over ten years, where a
// question by time answers by month.
var sameEver = []struct{ question, columns, view string }{
	{"detection_time", "time seconds_after_receipt_p50 seconds_after_receipt_p99 seconds_after_issue_p95",
		"SELECT toDateTime(cohort_month, 'UTC'), seconds_after_receipt_p50, seconds_after_receipt_p99, " +
			"seconds_after_issue_p95 FROM time_to_detect WHERE seller = $seller ORDER BY cohort_month"},
	{"causes", "cause confirmed_errors part cumulative loss_customer_favour loss_seller_favour",
		"SELECT cause, confirmed, share, cumulative_share, loss_customer_favour, loss_seller_favour FROM cause_pareto " +
			"WHERE seller = $seller AND currency = $currency AND confirmed > 0 ORDER BY confirmed DESC, cause"},
	{"confusion", "predicted_cause true_cause invoices",
		"SELECT predicted_cause, true_cause, invoices FROM cause_confusion WHERE seller = $seller " +
			"ORDER BY predicted_cause, true_cause"},
	{"calibration", "decided confirmed_share",
		"SELECT sum(c.decided), sum(c.confirmed) / sum(c.decided) FROM calibration AS c WHERE seller = $seller " +
			"GROUP BY p_decile ORDER BY p_decile"},
	{"precision", "cause alerts confirmed refuted undecided",
		"SELECT cause, sum(p.alerts) AS n, sum(p.confirmed), sum(p.refuted), sum(p.undecided) FROM alert_precision AS p " +
			"WHERE seller = $seller GROUP BY cause ORDER BY n DESC, cause"},
}

// Boards and the views for analysts tell one truth: over a month a question answers
// what its view says of that month. And a case without a currency, as of a dispute about
// an invoice that was never seen, hides in none.
func (w *warehouse) views(t *testing.T, values chosen) {
	busiest, err := w.ask(t.Context(), "SELECT toStartOfMonth(cohort_day) AS m FROM case_current WHERE outcome != '' "+
		"AND kind = 'invoice' GROUP BY m ORDER BY count() DESC LIMIT 1", nil)
	if err != nil || busiest.Rows != 1 {
		t.Fatalf("no month has a decided case: %v", err)
	}
	from, err := time.Parse(time.DateOnly, busiest.Data[0][0].(string))
	if err != nil {
		t.Fatal(err)
	}
	for _, same := range sameAsView {
		w.same(t, same.question, same.columns, same.view, from, from.AddDate(0, 1, 0).Add(-time.Second), values)
	}
	now := time.Now()
	for _, same := range sameEver {
		w.same(t, same.question, same.columns, same.view, now.AddDate(-9, 0, 0), now.AddDate(1, 0, 0), values)
	}
	w.same(t, "open_cases", "invoice", "SELECT invoice_id FROM case_current WHERE seller = $seller AND is_open "+
		"AND currency IN ('XXX', '') ORDER BY respond_by", from, now,
		chosen{question.FilterSeller: values[question.FilterSeller], question.FilterCurrency: {"none has it"}})
}

// same compares some columns of an answer with what a view says.
func (w *warehouse) same(t *testing.T, name, columns, view string, from, to time.Time, values chosen) {
	t.Helper()
	q, _ := question.Find(name)
	p, err := q.Parameters(question.Values{From: from, To: to, Filters: values})
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.ask(t.Context(), q.SQL, p)
	if err != nil {
		t.Fatal(err)
	}
	quoted := func(s string) string { return "'" + s + "'" }
	want, err := w.ask(t.Context(), strings.NewReplacer("$from", "toDate("+quoted(from.Format(time.DateOnly))+")",
		"$to", "toDate("+quoted(to.Format(time.DateOnly))+")", "$seller", quoted(values[question.FilterSeller][0]),
		"$currency", quoted(values[question.FilterCurrency][0])).Replace(view), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Rows == 0 || got.Rows != want.Rows {
		t.Errorf("%s answers %d rows, its view %d: %v, %v", name, got.Rows, want.Rows, got.Data, want.Data)
		return
	}
	for row := range got.Data {
		for i, column := range strings.Fields(columns) {
			if at := columnAt(&q, column); !alike(got.Data[row][at], want.Data[row][i]) {
				t.Errorf("%s: %s of row %d is %v, in its view %v", name, column, row, got.Data[row][at], want.Data[row][i])
			}
		}
	}
}

// columnAt is the place of a column in an answer.
func columnAt(q *question.Question, name string) int {
	for i, c := range q.Columns {
		if c.Name == name {
			return i
		}
	}
	panic(q.Name + " has no column " + name)
}

// alike compares cells: numbers to a thousandth, as a view may round money.
func alike(a, b any) bool {
	x, errX := strconv.ParseFloat(fmt.Sprint(a), 64)
	y, errY := strconv.ParseFloat(fmt.Sprint(b), 64)
	if errX != nil || errY != nil {
		return fmt.Sprint(a) == fmt.Sprint(b)
	}
	return math.Abs(x-y) <= 1e-3+1e-9*math.Abs(x)
}
