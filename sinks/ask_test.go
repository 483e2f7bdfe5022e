package sinks

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"
)

// A question gets each kind of value as it is, decimals exact, and bound
// parameters, whatever stands in them.
func TestAsk(t *testing.T) {
	r := openReader(t, openStore(t))
	const hostile = `it's {x:String}; DROP`
	got, err := r.Ask(t.Context(), Ask{MaxRows: 10,
		Parameters: map[string]string{"text": hostile, "many": `['a\'','b']`},
		SQL: "SELECT {text:String} AS text, {many:Array(String)} AS many, " +
			"toDecimal128('-12345678901234.5678', 4) AS exact, CAST(NULL AS Nullable(Decimal(19, 4))) AS none, " +
			"toInt64(-7) AS small, toUInt64(18446744073709551615) AS large, " +
			"toFloat32(0.1) AS narrow, 1 = 1 AS yes, toDate('2026-03-01') AS day, toLowCardinality('lc') AS lc, " +
			"toDateTime64('2026-03-01 10:00:00.250', 3, 'Europe/Paris') AS at, " +
			"toUUID('5f0c2a9e-0000-4000-8000-000000000001') AS id"})
	if err != nil {
		t.Fatal(err)
	}
	want := []any{hostile, []string{"a'", "b"}, Decimal("-12345678901234.5678"), nil, int64(-7), uint64(1<<64 - 1), 0.1,
		uint64(1), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "lc", time.Date(2026, 3, 1, 9, 0, 0, 250e6, time.UTC),
		"5f0c2a9e-0000-4000-8000-000000000001"}
	if len(got.Rows) != 1 || got.Cut || got.Columns[0] != "text" {
		t.Fatalf("got %+v", got)
	}
	for i, value := range got.Rows[0] {
		if !reflect.DeepEqual(value, want[i]) {
			t.Errorf("column %s: %#v, want %#v", got.Columns[i], value, want[i])
		}
	}
}

// Bounds: rows behind the limit are left out and it is said; a slow question ends in
// time; nothing can be written; a database that is not there is named with its remedy.
func TestAskWithinBounds(t *testing.T) {
	s := openStore(t)
	r := openReader(t, s)
	for rows, cut := range map[int]bool{3: true, 5: false, 6: false} {
		got, err := r.Ask(t.Context(), Ask{SQL: "SELECT number FROM numbers(5)", MaxRows: rows})
		if err != nil || len(got.Rows) != min(rows, 5) || got.Cut != cut {
			t.Errorf("at most %d of 5 rows: %d rows, cut %v, %v", rows, len(got.Rows), got.Cut, err)
		}
	}
	got, err := r.Ask(t.Context(), Ask{SQL: "SELECT number FROM numbers(100000000)", MaxRows: 1})
	if err != nil || !got.Cut {
		t.Errorf("the first of many rows: %+v, %v", got, err)
	}
	_, err = r.Ask(t.Context(), Ask{SQL: "INSERT INTO schema_migrations (version) VALUES (99)", MaxRows: 1})
	if err == nil || count(t, s, "SELECT count() FROM "+s.client.in("schema_migrations")+" WHERE version = 99") != 0 {
		t.Errorf("a question could write: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := r.Ask(ctx, Ask{SQL: slowly, MaxRows: 1}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a slow question: %v", err)
	}
	absent := freshSettings(t)
	other, err := OpenReader(absent)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Ask(t.Context(), Ask{SQL: "SELECT 1", MaxRows: 1}); !errors.Is(err, ErrSchema) ||
		!strings.Contains(err.Error(), absent.Database) || !strings.Contains(err.Error(), "recoup migrate") {
		t.Errorf("no database: %v", err)
	}
}

// slowly takes the server half a minute, a block at a time.
const slowly = "SELECT sum(sleepEachRow(0.1)) FROM numbers(300) SETTINGS max_block_size = 1, " +
	"function_sleep_max_microseconds_per_block = 0"

// Whoever stops waiting stops the server's work.
func TestAskStops(t *testing.T) {
	s := openStore(t)
	r := openReader(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	const mark = "/* ask that stops */"
	go func() {
		_, err := r.Ask(ctx, Ask{SQL: mark + slowly, MaxRows: 1})
		ended <- err
	}()
	running := func() int {
		return count(t, s, "SELECT count() FROM system.processes WHERE startsWith(query, '"+mark+"')")
	}
	await(t, "the question runs", func() bool { return running() == 1 })
	cancel()
	began := time.Now()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the question ended with %v", err)
	}
	await(t, "the server stops", func() bool { return running() == 0 })
	t.Logf("the server stopped after %v", time.Since(began).Round(time.Millisecond))
}

// Close waits for no server that is silent, and nothing is opened behind it.
func TestCloseWhileAsking(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r, err := OpenReader(Settings{Addresses: []string{silent.Addr().String()}, DialTimeout: 3 * time.Second,
		QueryTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := r.Ask(t.Context(), Ask{SQL: "SELECT 1", MaxRows: 1})
		ended <- err
	}()
	if conn, err := silent.Accept(); err != nil { // the question is under way
		t.Fatal(err)
	} else {
		defer conn.Close()
	}
	began := time.Now()
	_ = r.Close()
	if took := time.Since(began); took > time.Second {
		t.Errorf("closing took %v", took)
	}
	if _, err := r.Ask(t.Context(), Ask{SQL: "SELECT 1", MaxRows: 1}); !errors.Is(err, errClosed) || r.inside != nil {
		t.Errorf("a question to a closed reader: %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("a silent server was an answer")
	}
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}
