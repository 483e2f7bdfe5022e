package demo

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// questions are what the demo asks ClickHouse for the user, the proof that
// nothing is missing or there twice first.
func (w *warehouse) questions() []string {
	rows := w.database + ".scored_invoices"
	return []string{
		"SELECT count() AS rows, uniqExact(invoice_id) AS invoices FROM " + rows,
		"SELECT invoice_id, causes.code[1] AS cause, billed, loss_point, round(p_error, 2) AS p_error FROM " + rows +
			" WHERE suspect AND NOT canary ORDER BY abs(loss_point) DESC LIMIT 10",
		"SELECT cohort_month, direction, confirmed, confirmed_loss, recovered, goodwill, handling, net_recovered FROM " +
			w.database + ".loss_by_cohort ORDER BY cohort_month, direction",
		"SELECT toDate(issued_at) AS day, count(), countIf(suspect) FROM " + rows + " GROUP BY day ORDER BY day",
	}
}

// queries returns lines that a user can paste into a shell.
func (w *warehouse) queries() []string {
	lines := []string{"# clickhouse://default@" + w.native + "/" + w.database}
	for _, question := range w.questions() {
		lines = append(lines, fmt.Sprintf("curl -s 'http://%s/' --data-binary \"%s FORMAT PrettyCompact\"", w.http, question))
	}
	return lines
}

// answers asks the first three questions and prints what ClickHouse says: for a
// server that ends with the demo, so that nobody else could ask it.
func (w *warehouse) answers(ctx context.Context, out io.Writer) error {
	for _, question := range w.questions()[:3] {
		answer, err := w.ask(ctx, question+" FORMAT PrettyCompact SETTINGS output_format_pretty_row_numbers = 0")
		if err != nil {
			return err
		}
		fmt.Fprintln(out, "  "+question)
		for line := range strings.Lines(answer) {
			fmt.Fprint(out, "    "+line)
		}
		fmt.Fprintln(out)
	}
	return nil
}
