package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// The columns of the table have a fixed width, so that a file of any length can
// be written line by line.
const (
	tableRow  = "%8d  %-20s  %-9s  %7.4f  %15s  %15s  %8s  %13s  %s"
	tableHead = "    line  invoice               decision   p_error           billed         expected      " +
		"dev.           loss  rules"
)

// writeRow writes a verdict as a row of the table.
func (r *scoring) writeRow(v *detectors.Verdict) error {
	expected, deviation, loss := "-", "-", "-"
	if v.Level != detectors.LevelNone {
		expected, deviation = v.Expected.String(), fmt.Sprintf("%+.1f%%", v.DeviationPct)
	}
	if v.Suspect {
		loss = v.Loss.Point.String()
	}
	row := fmt.Sprintf(tableRow, v.Source.Offset+1, shorten(v.InvoiceID, 20), v.Decision, v.PError,
		v.Billed.String()+" "+v.Currency, expected, deviation, loss, strings.Join(v.Rules, " "))
	_, err := fmt.Fprintln(r.out, strings.TrimRight(row, " "))
	return err
}

// shorten cuts a text to a number of characters.
func shorten(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// totals are what the summary says.
type totals struct {
	scored, suspects, redelivered, bad int64
	late                               int64            // issued more than a day before one that stands above
	reasons                            map[string]int64 // of bad records
	firstBad                           []string         // messages of the first of them, at most mostBad
	decisions                          map[detectors.Decision]int64
	money                              map[moneyKey]invoice.Amount
	overflow                           bool
}

// moneyKey keeps currencies and directions apart: they are never added up.
type moneyKey struct {
	currency  string
	direction detectors.Direction
}

func newTotals() *totals {
	return &totals{decisions: map[detectors.Decision]int64{}, money: map[moneyKey]invoice.Amount{},
		reasons: map[string]int64{}}
}

// mostBad is how many messages about bad records are kept.
const mostBad = 20

// refuse counts a record that cannot be read.
func (t *totals) refuse(bad *badRecord) {
	t.bad++
	t.reasons[bad.reason]++
	if len(t.firstBad) < mostBad {
		t.firstBad = append(t.firstBad, bad.Error())
	}
}

func (t *totals) count(v *detectors.Verdict) {
	t.scored++
	if time.Duration(v.LateBy) > 24*time.Hour {
		t.late++
	}
	if !v.Suspect {
		return
	}
	t.suspects++
	t.decisions[v.Decision]++
	key := moneyKey{strings.Clone(v.Currency), v.Direction}
	sum, ok := t.money[key].Add(v.Loss.Point)
	if !ok {
		t.overflow = true
		return
	}
	t.money[key] = sum
}

// print writes the summary.
func (t *totals) print(w io.Writer, took time.Duration) {
	fmt.Fprintf(w, "scored %d invoices in %s, skipped %d redelivered and %d unreadable lines\n", t.scored,
		took.Round(time.Millisecond), t.redelivered, t.bad)
	if t.late > t.scored/100 {
		fmt.Fprintf(w, "%d were issued more than a day before one that stands above them: sort the file by date of issue, "+
			"each invoice is judged by those above it\n", t.late)
	}
	fmt.Fprintf(w, "%d suspects", t.suspects)
	for i, d := range slices.Sorted(maps.Keys(t.decisions)) {
		separator := ", "
		if i == 0 {
			separator = ": "
		}
		fmt.Fprintf(w, "%s%d %s", separator, t.decisions[d], d)
	}
	fmt.Fprintln(w)
	keys := slices.SortedFunc(maps.Keys(t.money), func(a, b moneyKey) int {
		return strings.Compare(a.currency+string(a.direction), b.currency+string(b.direction))
	})
	for _, key := range keys {
		switch amount := t.money[key]; key.direction {
		case detectors.DirectionCustomerFavour:
			fmt.Fprintf(w, "  %s %s billed too little\n", amount, key.currency)
		case detectors.DirectionSellerFavour:
			fmt.Fprintf(w, "  %s %s billed too much\n", strings.TrimPrefix(amount.String(), "-"), key.currency)
		}
	}
	if t.overflow {
		fmt.Fprintln(w, "  some amounts are too large to add up and were left out of these sums")
	}
}
