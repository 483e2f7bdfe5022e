package sinks

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Ask is one SELECT and its bounds.
type Ask struct {
	// SQL names tables and views of the database without naming it.
	SQL string
	// Parameters of {name:Type} in SQL, encoded as ClickHouse reads them: like a
	// field of a file with tabs.
	Parameters map[string]string
	// MaxRows bounds the answer, above 0; what comes behind is left on the server.
	MaxRows int
}

// EncodeParameter encodes a text for a parameter of type String.
func EncodeParameter(text string) string { return parameterEscapes.Replace(text) }

// Answer is what the server said.
type Answer struct {
	// Columns in the order of the SELECT.
	Columns []string
	// Rows have a value for each column: nil, string, bool, int64, uint64, float64,
	// Decimal, time.Time in UTC or []string.
	Rows [][]any
	// Cut says that there were more than MaxRows rows.
	Cut bool
}

// Decimal is an exact decimal as text, such as "-12.5".
type Decimal string

// mostAnswerBytes bounds what one answer may be, so that texts of many rows cannot
// take all memory.
const mostAnswerBytes = 64 << 20

// ErrTooSlow is the error of a question that the server gave up after the time it
// was allowed; test with errors.Is.
var ErrTooSlow = errors.New("it took longer than it may")

// Ask runs one SELECT. It can change nothing: the server is told so. When ctx ends
// the server is told to stop, and stops.
func (r *Reader) Ask(ctx context.Context, a Ask) (Answer, error) {
	if a.MaxRows <= 0 {
		return Answer{}, fmt.Errorf("cannot ask for %d rows: want 1 or more", a.MaxRows)
	}
	ctx, stop := context.WithTimeout(ctx, r.client.settings.QueryTimeout)
	defer stop() // tells the server that nobody waits for what is left
	inside, err := r.inDatabase(ctx)
	if err != nil {
		return Answer{}, err
	}
	rows, err := inside.Query(clickhouse.Context(ctx, clickhouse.WithParameters(a.Parameters),
		clickhouse.WithSettings(clickhouse.Settings{"readonly": 2, "max_result_bytes": mostAnswerBytes,
			"max_execution_time": math.Ceil(r.client.settings.QueryTimeout.Seconds())})), a.SQL)
	if err != nil {
		return Answer{}, unanswered(ctx, err)
	}
	answer := Answer{Columns: rows.Columns()}
	for !answer.Cut && rows.Next() {
		if answer.Cut = len(answer.Rows) == a.MaxRows; answer.Cut {
			break
		}
		row, err := readRow(rows)
		if err != nil {
			_ = rows.Close() // the error of the row says more
			return Answer{}, fmt.Errorf("cannot read an answer of ClickHouse: %w", err)
		}
		answer.Rows = append(answer.Rows, row)
	}
	if answer.Cut {
		stop() // else closing would read all that is left
		_ = rows.Close()
		return answer, nil
	}
	err = rows.Err()
	if closed := rows.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return Answer{}, unanswered(ctx, err)
	}
	return answer, nil
}

// inDatabase returns connections that begin in the database, which must be there. It
// holds no lock while it asks: who closes the reader does not wait for the network.
func (r *Reader) inDatabase(ctx context.Context) (driver.Conn, error) {
	if inside, err := r.open(""); inside != nil || err != nil {
		return inside, err
	}
	database, there := r.client.settings.Database, false
	err := r.client.each(ctx, statement{sql: "SELECT 1 FROM system.databases WHERE name = {name:String}",
		parameters: map[string]string{"name": database}}, func(func(...any) error) error { there = true; return nil })
	if err != nil {
		return nil, unanswered(ctx, err)
	}
	if !there {
		return nil, fmt.Errorf("cannot ask ClickHouse: %w: database %s is not there; run `recoup migrate`", ErrSchema,
			database)
	}
	return r.open(database)
}

// errClosed is the error of who asks a reader that was closed.
var errClosed = errors.New("cannot ask ClickHouse: the reader was closed")

// open returns the connections that begin in the database, which it makes where there
// are none; it dials nothing. Without a database it makes none.
func (r *Reader) open(database string) (driver.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errClosed
	}
	if r.inside != nil || database == "" {
		return r.inside, nil
	}
	var err error
	r.inside, err = r.client.pool(database)
	return r.inside, err
}

// unanswered explains why there is no answer.
func unanswered(ctx context.Context, err error) error {
	const timeoutExceeded = 159
	var e *clickhouse.Exception
	deadline, _ := ctx.Deadline() // the one of settings at the latest
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("cannot ask ClickHouse: %w", ctx.Err())
	case !time.Now().Before(deadline): // the connection's own timer was a moment earlier
		return fmt.Errorf("cannot ask ClickHouse: %w", context.DeadlineExceeded)
	case errors.As(err, &e) && e.Code == timeoutExceeded:
		return fmt.Errorf("cannot ask ClickHouse: %w: %w", ErrTooSlow, err)
	}
	return explain("ask ClickHouse", err)
}

// readRow reads the values of the current row.
func readRow(rows driver.Rows) ([]any, error) {
	types := rows.ColumnTypes()
	cells := make([]any, len(types))
	for i, t := range types {
		cells[i] = reflect.New(t.ScanType()).Interface()
	}
	if err := rows.Scan(cells...); err != nil {
		return nil, err
	}
	for i, t := range types {
		value, err := plainValue(reflect.ValueOf(cells[i]).Elem())
		if err != nil {
			return nil, fmt.Errorf("column %s of type %s: %w", t.Name(), t.DatabaseTypeName(), err)
		}
		if text, ok := value.(string); ok && strings.Contains(t.DatabaseTypeName(), "Decimal(") {
			value = Decimal(text)
		}
		cells[i] = value
	}
	return cells, nil
}

// plainValue makes one of the kinds of Answer.
func plainValue(v reflect.Value) (any, error) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil, nil
		}
		v = v.Elem()
	}
	switch known := v.Interface().(type) {
	case time.Time:
		return known.UTC(), nil
	case []string:
		return known, nil
	case fmt.Stringer: // decimals, UUIDs
		return known.String(), nil
	}
	switch v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return v.Uint(), nil
	case reflect.Float32:
		return strconv.ParseFloat(strconv.FormatFloat(v.Float(), 'g', -1, 32), 64)
	case reflect.Float64:
		return v.Float(), nil
	}
	return nil, fmt.Errorf("cannot read a value of %s: want texts, numbers and instants", v.Type())
}
