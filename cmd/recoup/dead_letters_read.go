package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"recoup/pipeline"
)

// deadLettersLsCommand is `recoup dead-letters ls`.
type deadLettersLsCommand struct {
	Reason string `placeholder:"CODE" help:"Only this reason, such as bad_decimal."`
	Limit  int    `default:"50" help:"List at most this many, the newest; the counts are of all."`
}

// Help is the longer text of `recoup dead-letters ls --help`.
func (*deadLettersLsCommand) Help() string {
	return `Lists what could not be read: where the record stands, why and which field, and how many there are of each
reason. It prints nothing of the records themselves; "show" does.

Examples:

    recoup dead-letters ls
    recoup dead-letters ls --reason number_in_decimal
    recoup dead-letters show billing.invoices/3/1042`
}

// letterRow is what `ls` keeps of a dead letter.
type letterRow struct {
	at            source
	reason, field string
	bytes         int
	received      time.Time
}

type reasonField struct{ reason, field string }

// Run lists.
func (c *deadLettersLsCommand) Run(ctx context.Context, s *session) error {
	letters, err := openDeadLetters(s)
	if err != nil {
		return err
	}
	defer letters.close()
	var rows []letterRow
	counts := map[reasonField]int{}
	total := 0
	err = letters.each(ctx, func(at source, l *pipeline.DeadLetter) bool {
		if c.Reason != "" && l.Reason != c.Reason {
			return true
		}
		total++
		row := letterRow{at: at, reason: l.Reason, field: cmp.Or(printable(l.Field), "-"), bytes: l.ValueBytes,
			received: l.ReceivedAt}
		counts[reasonField{row.reason, row.field}]++
		rows = append(rows, row)
		if len(rows) >= 2*max(c.Limit, 1000) {
			rows = newest(rows, c.Limit)
		}
		return true
	})
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	if total == 0 {
		fmt.Fprintln(w, "no dead letters")
		return w.Flush()
	}
	fmt.Fprintln(w, "POSITION\tRECEIVED\tREASON\tFIELD\tBYTES")
	for _, r := range newest(rows, c.Limit) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", r.at, r.received.Format(time.RFC3339), r.reason, r.field, r.bytes)
	}
	fmt.Fprintln(w, "\nCOUNT\tREASON\tFIELD")
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b reasonField) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a.reason, b.reason), cmp.Compare(a.field, b.field))
	})
	for _, k := range keys {
		fmt.Fprintf(w, "%d\t%s\t%s\n", counts[k], k.reason, k.field)
	}
	fmt.Fprintf(w, "%d\tall\t-\n", total)
	return w.Flush()
}

// newest returns the rows received last, oldest first.
func newest(rows []letterRow, most int) []letterRow {
	slices.SortStableFunc(rows, func(a, b letterRow) int {
		return cmp.Or(a.received.Compare(b.received), cmp.Compare(a.at.partition, b.at.partition),
			cmp.Compare(a.at.offset, b.at.offset))
	})
	return rows[max(0, len(rows)-max(most, 0)):]
}

// printable makes a text of unknown origin safe for a terminal, and short.
func printable(s string) string {
	return shorten(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s), 60)
}

// deadLettersShowCommand is `recoup dead-letters show`.
type deadLettersShowCommand struct {
	Position string `arg:"" help:"Position as ls shows it: topic/partition/offset."`
	Raw      bool   `help:"Write the original bytes only, to pipe them into a file."`
}

// Help is the longer text of `recoup dead-letters show --help`.
func (*deadLettersShowCommand) Help() string {
	return `Prints why a record could not be read, and the record itself. It may hold customer content.

Examples:

    recoup dead-letters show billing.invoices/3/1042
    recoup dead-letters show billing.invoices/3/1042 --raw | jq .`
}

// Run shows one.
func (c *deadLettersShowCommand) Run(ctx context.Context, s *session) error {
	letters, err := openDeadLetters(s)
	if err != nil {
		return err
	}
	defer letters.close()
	l, err := letters.find(ctx, c.Position)
	if err != nil {
		return err
	}
	if c.Raw {
		_, err := s.stdout.Write(l.Value)
		return err
	}
	shown := struct {
		*pipeline.DeadLetter
		Key   any `json:"key"`
		Value any `json:"value"`
	}{l, readable(l.Key), readable(l.Value)}
	out := json.NewEncoder(s.stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(shown)
}

// readable returns bytes as text where they are text; else JSON makes base64 of
// them. A control character is escaped by JSON, so a terminal is safe.
func readable(b []byte) any {
	if b != nil && utf8.Valid(b) {
		return string(b)
	}
	return b
}
