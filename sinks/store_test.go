package sinks

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"golang.org/x/sync/semaphore"

	"recoup/detectors"
	"recoup/invoice"
	"recoup/sinks/sinktest"
)

// openStore returns a store on a fresh, migrated database.
func openStore(t testing.TB) *Store {
	t.Helper()
	return openWith(t, func(string) bool { return false })
}

// openTables returns a store on the tables alone, for those who ask no view: that is made in less
// than half the time.
func openTables(t testing.TB) *Store {
	t.Helper()
	return openWith(t, regexp.MustCompile(`^(CREATE (OR REPLACE|MATERIALIZED)|DROP) VIEW`).MatchString)
}

// openWith migrates a fresh database without the statements that are left out.
func openWith(t testing.TB, out func(sql string) bool) *Store {
	t.Helper()
	settings := freshSettings(t)
	migrations, err := readMigrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	for i := range migrations {
		migrations[i].statements = slices.DeleteFunc(migrations[i].statements, out)
	}
	if _, err := migrate(t.Context(), settings, migrations, false); err != nil {
		t.Fatal(err)
	}
	s, err := Open(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Subject { return subject(openTables(t)) })
}

func subject(s *Store) sinktest.Subject {
	return sinktest.Subject{
		Store: s,
		Rows:  func(t *testing.T) []sinktest.Row { return readRows(t, s) },
		Lines: func(t *testing.T) []sinktest.Line { return readLines(t, s) },
		DropRows: func(t *testing.T, offsets []int64) {
			list := strings.Trim(strings.ReplaceAll(fmt.Sprint(offsets), " ", ","), "[]")
			run(t, s, fmt.Sprintf("DELETE FROM %s WHERE source_offset IN (%s)", s.client.in(tableInvoices), list))
		},
	}
}

func run(t *testing.T, s *Store, sql string) {
	t.Helper()
	if err := s.client.exec(t.Context(), statement{sql: sql}); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// count runs a query that gives one number.
func count(t *testing.T, s *Store, sql string) int {
	t.Helper()
	var n uint64
	err := s.client.each(t.Context(), statement{sql: sql}, func(scan func(...any) error) error { return scan(&n) })
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return int(n)
}

func readRows(t *testing.T, s *Store) (rows []sinktest.Row) {
	t.Helper()
	err := s.client.each(t.Context(), statement{sql: "SELECT source_topic, source_incarnation, source_partition, " +
		"source_offset, seller, invoice_id, customer_ref, issued_at, net_amount, billed, loss_low, gross_amount, " +
		"tax_rate, suspect, p_error, rules, `causes.code`, `causes.kind`, `causes.p`, `causes.evidence`, " +
		"`causes.repaired_amount`, line_count FROM " + s.client.in(tableInvoices)},
		func(scan func(...any) error) error {
			var r sinktest.Row
			var partition, lines uint32
			var net, billed, low decimal.Decimal
			var gross, rate *decimal.Decimal
			var codes, kinds []string
			var ps []float64
			var evidence [][]string
			var repaired []decimal.Decimal
			err := scan(&r.Source.Topic, &r.Source.Incarnation, &partition, &r.Source.Offset, &r.Seller, &r.InvoiceID,
				&r.Customer, &r.IssuedAt, &net, &billed, &low, &gross, &rate, &r.Suspect, &r.PError, &r.Rules,
				&codes, &kinds, &ps, &evidence, &repaired, &lines)
			r.Source.Partition, r.LineCount = int(partition), int(lines)
			r.Net, r.Billed, r.LossLow = amount(t, net), amount(t, billed), amount(t, low)
			if gross != nil {
				r.Gross = invoice.OptionalAmount{Value: amount(t, *gross), Set: true}
			}
			if rate != nil {
				r.TaxRate = fixed(t, rate)
			}
			r.Causes = []detectors.Finding{}
			for i := range codes {
				r.Causes = append(r.Causes, detectors.Finding{Code: codes[i], Kind: kinds[i], P: ps[i],
					Evidence: evidence[i], Repaired: amount(t, repaired[i])})
			}
			rows = append(rows, r)
			return err
		})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func readLines(t *testing.T, s *Store) (lines []sinktest.Line) {
	t.Helper()
	err := s.client.each(t.Context(), statement{sql: "SELECT source_topic, source_incarnation, source_partition, " +
		"source_offset, line_index, product_id, description, unit_price, line_net FROM " + s.client.in(tableLines)},
		func(scan func(...any) error) error {
			var l sinktest.Line
			var partition, index uint32
			var price, net *decimal.Decimal
			err := scan(&l.Source.Topic, &l.Source.Incarnation, &partition, &l.Source.Offset, &index, &l.Product,
				&l.Description, &price, &net)
			l.Source.Partition, l.Index = int(partition), int(index)
			if net != nil {
				l.Net = invoice.OptionalAmount{Value: amount(t, *net), Set: true}
			}
			if price != nil {
				l.UnitPrice = fixed(t, price)
			}
			lines = append(lines, l)
			return err
		})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// amount and fixed turn what ClickHouse printed into exact integers again.
func amount(t *testing.T, d decimal.Decimal) invoice.Amount {
	t.Helper()
	return invoice.Amount(exact(t, d.Shift(4)))
}

func fixed(t *testing.T, d *decimal.Decimal) invoice.OptionalFixed {
	t.Helper()
	return invoice.OptionalFixed{Value: invoice.Fixed(exact(t, d.Shift(8))), Set: true}
}

func exact(t *testing.T, d decimal.Decimal) int64 {
	t.Helper()
	if !d.IsInteger() || !d.BigInt().IsInt64() {
		t.Fatalf("%v is no whole number of 64 bits", d)
	}
	return d.IntPart()
}

// TestInsertsTakeTurns is G7: however many partitions insert at the same time, only so many
// bytes of their rows are unpacked at once; the others wait for theirs.
func TestInsertsTakeTurns(t *testing.T) {
	s := openTables(t)
	const partitions, rows = 5, 3
	one := sampleBlock(s, 0, 1, 2, 3)
	one.Seal()
	s.room = semaphore.NewWeighted(int64(one.unpackedBytes()) * 5 / 2)
	var inside atomic.Int64
	goOn := make(chan struct{})
	var inserts sync.WaitGroup
	for p := range partitions {
		b, owner, once := sampleBlock(s, p, 1, 2, 3), testOwner, sync.Once{}
		b.Seal()
		owner.Partition = p
		inserts.Go(func() {
			err := s.Insert(t.Context(), owner, 0, b, func(context.Context) error {
				once.Do(func() { inside.Add(1) })
				<-goOn
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	for began := time.Now(); inside.Load() < 2 && time.Since(began) < 10*time.Second; {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(500 * time.Millisecond) // in which a third could come
	if n := inside.Load(); n != 2 {
		t.Errorf("%d blocks were unpacked in the room of two and a half", n)
	}
	close(goOn)
	inserts.Wait()
	if n := count(t, s, "SELECT count() FROM "+s.client.in(tableInvoices)); n != partitions*rows {
		t.Errorf("%d rows stored, want %d", n, partitions*rows)
	}
}
