// Package sinks keeps the results in ClickHouse: the scored invoices of the hot
// path, its schema, and the copies of the case topics. Rows are stored once
// however often a batch is repeated; docs/DATA.md describes the tables.
package sinks

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// client talks to ClickHouse in two ways: queries and statements go through
// clickhouse-go's pool; inserts send ready-made columns through ch-go.
type client struct {
	settings Settings
	tls      *tls.Config
	queries  driver.Conn
	idle     chan idleConn // connections for inserts that are not in use
}

// idleConn is a connection for inserts and when it was last used.
type idleConn struct {
	conn *ch.Client
	used time.Time
}

const (
	maxIdle = 2 // each keeps buffers of its largest insert
	// idleLimit is how long an unused insert connection is trusted to be alive:
	// well below the minutes after which servers and firewalls drop one.
	idleLimit = 30 * time.Second
)

// sessionDatabase is the database connections begin in; every server has it.
// Tables are named in full: a connection that begins in a database that is not
// there ends the server of the demo.
const sessionDatabase = "system"

// in returns a table's full name.
func (c *client) in(table string) string { return c.settings.Database + "." + table }

// connect opens a client. Nothing is dialled before the first use.
func connect(s Settings) (*client, error) {
	s = s.withDefaults()
	if err := s.check(); err != nil {
		return nil, err
	}
	config, err := s.tlsConfig()
	if err != nil {
		return nil, err
	}
	c := &client{settings: s, tls: config, idle: make(chan idleConn, maxIdle)}
	if c.queries, err = c.pool(sessionDatabase); err != nil {
		return nil, err
	}
	return c, nil
}

// pool opens a pool of connections that use a database.
func (c *client) pool(database string) (driver.Conn, error) {
	s := c.settings
	pool, err := clickhouse.Open(&clickhouse.Options{
		Addr:        s.Addresses,
		Auth:        clickhouse.Auth{Database: database, Username: s.User, Password: s.Password},
		TLS:         c.tls,
		DialTimeout: s.DialTimeout,
		ReadTimeout: s.QueryTimeout,
		// Every partition of a process asks for its stored offsets at the same time.
		MaxOpenConns: 16,
		MaxIdleConns: 4,
		ClientInfo:   clickhouse.ClientInfo{Products: []struct{ Name, Version string }{{Name: "recoup"}}},
	})
	if err != nil {
		return nil, fmt.Errorf("cannot reach ClickHouse: %w", err)
	}
	return pool, nil
}

// use makes statements begin in a database, which must exist.
func (c *client) use(database string) error {
	pool, err := c.pool(database)
	if err != nil {
		return err
	}
	_ = c.queries.Close() // nothing runs on it
	c.queries = pool
	return nil
}

// close closes all connections that are not in use.
func (c *client) close() error {
	for {
		select {
		case i := <-c.idle:
			_ = i.conn.Close() // nothing is in flight on an idle connection
		default:
			return c.queries.Close()
		}
	}
}

// insertion is one INSERT statement.
type insertion struct {
	table   string
	queryID string
	token   string // deduplication token
	columns []named
	// hold is asked once the server knows the insert and before it gets a row: whoever
	// owns the partition next finds the insert there and ends it, however long this
	// process is paused behind the answer. An error is returned and no row is sent.
	hold func(context.Context) error
}

// gate is a column that asks before rows are sent: ch-go tells a column its type once
// the server has answered to the statement.
type gate struct {
	proto.ColInput
	ask func() error
}

// Infer asks.
func (g gate) Infer(proto.ColumnType) error { return g.ask() }

// EncodeState is the column's, if it has one.
func (g gate) EncodeState(b *proto.Buffer) {
	if s, ok := g.ColInput.(proto.StateEncoder); ok {
		s.EncodeState(b)
	}
}

// insert sends one block of columns and returns once ClickHouse has stored it
// or known it already by its token.
func (c *client) insert(ctx context.Context, in insertion) error {
	if in.columns[0].Rows() == 0 {
		return nil
	}
	input := make(proto.Input, len(in.columns))
	for i, column := range in.columns {
		input[i] = proto.InputColumn{Name: column.name, Data: column.column}
	}
	conn, err := c.insertConn(ctx)
	if err != nil {
		return explain("insert into "+in.table, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.settings.QueryTimeout)
	defer cancel()
	var refused error
	input[0].Data = gate{in.columns[0].column, func() error {
		if refused = in.hold(ctx); refused != nil {
			_ = conn.Close() // else Do would wait for the server, which waits for rows
		}
		return refused
	}}
	// ch-go notices the end of a context only between packets.
	interrupt := context.AfterFunc(ctx, func() { _ = conn.Close() })
	err = conn.Do(ctx, ch.Query{QueryID: in.queryID, Settings: append(insertSettings(in.token), oneBlock), Input: input,
		Body: "INSERT INTO " + c.in(in.table) + " " + input.Columns() + " VALUES"})
	if !interrupt() || err != nil {
		_ = conn.Close() // its state is unknown
		if refused != nil {
			return refused
		}
		if ctx.Err() != nil {
			err = errors.Join(err, ctx.Err())
		}
		return c.explainInsert(ctx, in.table, err)
	}
	c.keep(conn)
	return nil
}

// oneBlock has the server store a block as it comes. Servers from 26.1 on may be told to
// cut blocks into parts of so many rows: the lines of one invoice could come to stand in
// two, of which a crash leaves one. Earlier ones do not know the setting and pass it over.
var oneBlock = ch.Setting{Key: "use_strict_insert_block_limits", Value: "0"}

// insertSettings make an insert synchronous and idempotent. Asynchronous ones, a
// server default since 26, would acknowledge a buffer and deduplicate its content
// instead of our token.
func insertSettings(token string) []ch.Setting {
	return []ch.Setting{
		{Key: "async_insert", Value: "0", Important: true},
		{Key: "insert_deduplicate", Value: "1", Important: true},
		{Key: "insert_deduplication_token", Value: token, Important: true},
	}
}

// insertRows inserts rows of a copied topic in one block, once per token. It asks hold
// when insert does.
func (c *client) insertRows(ctx context.Context, into copied, rows []logRow, queryID, token string,
	hold func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.settings.QueryTimeout)
	defer cancel()
	settings := clickhouse.Settings{}
	for _, s := range insertSettings(token) {
		settings[s.Key] = s.Value
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithQueryID(queryID), clickhouse.WithSettings(settings))
	batch, err := c.queries.PrepareBatch(ctx,
		"INSERT INTO "+c.in(into.table)+" (`"+strings.Join(into.columns, "`, `")+"`)")
	if err != nil {
		return explain("insert into "+into.table, err)
	}
	defer func() { _ = batch.Abort() }() // does nothing once the rows are sent
	for _, row := range rows {
		if err := batch.AppendStruct(row); err != nil {
			return fmt.Errorf("cannot insert into %s: row of offset %d: %w", into.table, row.place().SourceOffset, err)
		}
	}
	if err := hold(ctx); err != nil {
		return err
	}
	if err := batch.Send(); err != nil {
		return c.explainInsert(ctx, into.table, err)
	}
	return nil
}

// insertConn returns a connection for inserts, an idle one if there is one.
func (c *client) insertConn(ctx context.Context) (*ch.Client, error) {
	for {
		select {
		case i := <-c.idle:
			if time.Since(i.used) < idleLimit {
				return i.conn, nil
			}
			_ = i.conn.Close() // nothing is in flight on an idle connection
			continue
		default:
		}
		break
	}
	var failed error
	for _, address := range c.settings.Addresses {
		dialCtx, cancel := context.WithTimeout(ctx, c.settings.DialTimeout)
		conn, err := ch.Dial(dialCtx, ch.Options{
			Address: address, Database: sessionDatabase, User: c.settings.User, Password: c.settings.Password,
			TLS: c.tls, DialTimeout: c.settings.DialTimeout, HandshakeTimeout: c.settings.DialTimeout,
			ReadTimeout: ch.NoTimeout, Compression: ch.CompressionLZ4, ClientName: "recoup",
		})
		cancel()
		if err == nil {
			return conn, nil
		}
		failed = errors.Join(failed, fmt.Errorf("%s: %w", address, err))
	}
	return nil, failed
}

// keep makes a connection available to the next insert.
func (c *client) keep(conn *ch.Client) {
	select {
	case c.idle <- idleConn{conn: conn, used: time.Now()}:
	default:
		_ = conn.Close() // more connections than inserts need at a time
	}
}

// statement is one query or command.
type statement struct {
	sql        string
	parameters map[string]string // for {name:Type} in sql
	settings   map[string]any
}

// parameterEscapes are what the server reads back: it takes a parameter for a cell of a
// file with tabs.
var parameterEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`)

// escaped returns the parameters as the server reads them.
func (s *statement) escaped() map[string]string {
	escaped := make(map[string]string, len(s.parameters))
	for name, value := range s.parameters {
		escaped[name] = parameterEscapes.Replace(value)
	}
	return escaped
}

// context binds a statement's parameters and settings and bounds its time.
func (c *client) context(ctx context.Context, s statement) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, c.settings.QueryTimeout)
	return clickhouse.Context(ctx, clickhouse.WithParameters(s.escaped()),
		clickhouse.WithSettings(clickhouse.Settings(s.settings))), cancel
}

// exec runs a statement that gives no rows.
func (c *client) exec(ctx context.Context, s statement) error {
	ctx, cancel := c.context(ctx, s)
	defer cancel()
	return c.queries.Exec(ctx, s.sql)
}

// each runs a query and calls row for each of its rows; scan reads the columns.
func (c *client) each(ctx context.Context, s statement, row func(scan func(dest ...any) error) error) error {
	ctx, cancel := c.context(ctx, s)
	defer cancel()
	rows, err := c.queries.Query(ctx, s.sql)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ping reports whether ClickHouse answers.
func (c *client) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.settings.QueryTimeout)
	defer cancel()
	return c.queries.Ping(ctx)
}

// Errors a caller may want to tell apart from a broken world; test with
// errors.Is. Repeating helps with neither until somebody acts.
var (
	// ErrSchema: the tables are not those this recoup writes.
	ErrSchema = errors.New("ClickHouse does not have the tables of this recoup")
	// ErrRejected: ClickHouse refuses these rows whatever the state of the world.
	ErrRejected = errors.New("ClickHouse refuses these rows")
)

// schemaCodes are the server's answers to tables or columns that are not there
// or of another type.
var schemaCodes = map[int32]bool{10: true, 16: true, 44: true, 47: true, 53: true, 60: true, 70: true, 81: true}

// rejectCodes are the server's answers to rows it can never store.
var rejectCodes = map[int32]bool{6: true, 27: true, 69: true, 131: true, 321: true, 407: true}

// explain says what could not be done, with the remedy where there is one.
func explain(what string, err error) error {
	code := codeOf(err)
	switch {
	case schemaCodes[code]:
		return fmt.Errorf("cannot %s: %w; run `recoup migrate`, or `recoup doctor` if that has nothing to do: %w",
			what, ErrSchema, err)
	case rejectCodes[code]:
		return fmt.Errorf("cannot %s: %w: %w", what, ErrRejected, err)
	case code == 516:
		return fmt.Errorf("cannot %s: ClickHouse refuses the login; check clickhouse.user and its password: %w",
			what, err)
	case code == noSpace || code != 0 && strings.Contains(err.Error(), "No space left on device"):
		return fmt.Errorf("cannot %s: the disk of ClickHouse is full, or has less left than inserts leave free; %s: %w",
			what, makeRoom, err)
	case damageCodes[code]:
		return fmt.Errorf("cannot %s: ClickHouse cannot read what it stored; recoup doctor says what to do: %w", what, err)
	}
	return fmt.Errorf("cannot %s: %w", what, err)
}

// codeOf returns the number of the server's answer, 0 where none came.
func codeOf(err error) int32 {
	if e, ok := ch.AsException(err); ok {
		return int32(e.Code)
	}
	var e *clickhouse.Exception
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}
