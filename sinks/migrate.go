package sinks

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations/*.sql migrations/shared/*.sql
var migrationFiles embed.FS

// sharedText is a text that several views have in common: a migration names it as
// {name} for migrations/shared/name.sql. ClickHouse has functions of its own for
// this, but they belong to the whole server, not to a database, and need a right
// that recoup does not ask for.
var sharedText = regexp.MustCompile(`\{(\w+)\}`)

// Step is one thing Migrate did or, in a dry run, would do.
type Step struct {
	Version    int      // of the migration; 0 for what belongs to none
	Name       string   // of the migration, or what the step is for
	Statements []string // SQL in the order it runs
}

// migration is one embedded file.
type migration struct {
	version    int
	name       string // file name without number and ending
	checksum   string // of the whole file
	statements []string
}

// migrationsTable remembers what was applied. A row is written after the last
// statement of its migration; a crash before it repeats the migration, whose
// statements do nothing the second time.
const migrationsTable = `CREATE TABLE IF NOT EXISTS schema_migrations
(
    version UInt32 COMMENT 'Number of the migration',
    name String COMMENT 'Name of the migration',
    checksum String COMMENT 'SHA-256 of its file, hexadecimal',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was applied, UTC'
)
ENGINE = MergeTree
ORDER BY version
COMMENT 'Migrations that were applied to this database'`

// ErrUnseen says that Migrate could not ask the server what it has already. Test
// with errors.Is.
var ErrUnseen = errors.New("cannot look at the server")

// Migrate brings the database to the schema of this recoup and returns what it
// did: nothing when there was nothing to do. With dryRun it changes nothing and
// returns what it would do; without a server, too, with ErrUnseen: then it
// returns all steps that an empty one needs. It may be called again at any time,
// also after it was interrupted.
func Migrate(ctx context.Context, s Settings, dryRun bool) ([]Step, error) {
	migrations, err := readMigrations(migrationFiles)
	if err != nil {
		return nil, err
	}
	return migrate(ctx, s, migrations, dryRun)
}

func migrate(ctx context.Context, s Settings, migrations []migration, dryRun bool) ([]Step, error) {
	c, err := connect(s)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.close() }()
	steps, err := c.makeDatabase(ctx, dryRun)
	if dryRun && errors.Is(err, ErrUnseen) {
		all, failed := c.allSteps(migrations)
		return all, errors.Join(err, failed)
	}
	if err != nil {
		return nil, err
	}
	applied, err := c.applied(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkApplied(applied, migrations); err != nil {
		return nil, err
	}
	if !dryRun {
		// Migrations name their tables in short; the database exists by now.
		if err := c.use(c.settings.Database); err != nil {
			return nil, err
		}
	}
	for _, m := range migrations {
		if _, done := applied[m.version]; done {
			continue
		}
		steps = append(steps, Step{Version: m.version, Name: m.name, Statements: m.statements})
		if !dryRun {
			if err := c.apply(ctx, m); err != nil {
				return steps, err
			}
		}
	}
	retention, err := c.setRetention(ctx, dryRun)
	if steps = append(steps, retention...); err != nil {
		return steps, err
	}
	room, err := c.setRoom(ctx, dryRun)
	return append(steps, room...), err
}

// SchemaVersion returns the version of the database's schema and the version
// this recoup needs. A database that does not exist has version 0.
func SchemaVersion(ctx context.Context, s Settings) (have, want int, err error) {
	migrations, err := readMigrations(migrationFiles)
	if err != nil {
		return 0, 0, err
	}
	want = migrations[len(migrations)-1].version
	c, err := connect(s)
	if err != nil {
		return 0, want, err
	}
	defer func() { _ = c.close() }()
	applied, err := c.applied(ctx)
	if err != nil && !errors.Is(err, ErrSchema) {
		return 0, want, err
	}
	for version := range applied {
		have = max(have, version)
	}
	return have, want, nil
}

// makeDatabase makes the database unless it is there. It needs the right to
// create one only then.
func (c *client) makeDatabase(ctx context.Context, dryRun bool) ([]Step, error) {
	exists := false
	err := c.each(ctx, statement{sql: "SELECT 1 FROM system.databases WHERE name = {name:String}",
		parameters: map[string]string{"name": c.settings.Database}},
		func(func(...any) error) error { exists = true; return nil })
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnseen, explain("look for database "+c.settings.Database, err))
	}
	if exists {
		return nil, nil
	}
	step := c.databaseStep()
	if !dryRun {
		if err := c.exec(ctx, statement{sql: step.Statements[0]}); err != nil {
			return nil, explain("create database "+c.settings.Database, err)
		}
	}
	return []Step{step}, nil
}

func (c *client) databaseStep() Step {
	return Step{Name: "database", Statements: []string{"CREATE DATABASE IF NOT EXISTS " + c.settings.Database}}
}

// allSteps are those that an empty server needs.
func (c *client) allSteps(migrations []migration) ([]Step, error) {
	steps := []Step{c.databaseStep()}
	for _, m := range migrations {
		steps = append(steps, Step{Version: m.version, Name: m.name, Statements: m.statements})
	}
	retention := c.retentionStep()
	for _, table := range retainedTables {
		retention.Statements = append(retention.Statements, c.retentionSQL(table))
	}
	room, err := c.roomSteps(nil)
	return append(append(steps, retention), room...), err
}

// applied returns the migrations that the database remembers, by version.
func (c *client) applied(ctx context.Context) (map[int]migration, error) {
	applied := map[int]migration{}
	there := false
	err := c.each(ctx, statement{sql: "SELECT 1 FROM system.tables " +
		"WHERE database = {name:String} AND name = 'schema_migrations'",
		parameters: map[string]string{"name": c.settings.Database}},
		func(func(...any) error) error { there = true; return nil })
	if err != nil || !there {
		if err != nil {
			err = explain("look for the schema's version", err)
		}
		return applied, err
	}
	err = c.each(ctx, statement{sql: "SELECT version, any(name), any(checksum) FROM " + c.in("schema_migrations") +
		" GROUP BY version", settings: map[string]any{"select_sequential_consistency": 1}},
		func(scan func(...any) error) error {
			var version uint32
			var m migration
			err := scan(&version, &m.name, &m.checksum)
			m.version = int(version)
			applied[m.version] = m
			return err
		})
	if err != nil {
		return nil, explain("read the schema's version", err)
	}
	return applied, nil
}

// checkApplied refuses a database that a newer recoup made, or one whose
// migrations are not those of this recoup.
func checkApplied(applied map[int]migration, known []migration) error {
	byVersion := map[int]migration{}
	for _, m := range known {
		byVersion[m.version] = m
	}
	newest := known[len(known)-1].version
	for version, done := range applied {
		m, ok := byVersion[version]
		switch {
		case !ok:
			return fmt.Errorf("cannot migrate: the database has migration %d (%s), this recoup knows %d at most; "+
				"run the newer recoup that applied it", version, done.name, newest)
		case m.checksum != done.checksum:
			return fmt.Errorf("cannot migrate: migration %d (%s) was applied with checksum %s, this recoup has %s: "+
				"a migration must not change once applied; restore its file and add a new one, or run the recoup "+
				"that applied it", version, done.name, done.checksum, m.checksum)
		}
	}
	return nil
}

// apply runs one migration and remembers it.
func (c *client) apply(ctx context.Context, m migration) error {
	if err := c.exec(ctx, statement{sql: migrationsTable}); err != nil {
		return explain("create schema_migrations", err)
	}
	for i, sql := range m.statements {
		// AwaitMutations waits for parts that are rewritten: that may take far longer than a query.
		if err := c.exec(ctx, statement{sql: sql, settings: map[string]any{"mutations_sync": 0}}); err != nil {
			return explain(fmt.Sprintf("apply migration %d (%s), statement %d of %d",
				m.version, m.name, i+1, len(m.statements)), err)
		}
	}
	err := c.exec(ctx, statement{sql: fmt.Sprintf("INSERT INTO schema_migrations (version, name, checksum) "+
		"VALUES (%d, %s, %s)", m.version, quote(m.name), quote(m.checksum)), settings: map[string]any{"async_insert": 0}})
	if err != nil {
		return explain(fmt.Sprintf("remember migration %d (%s)", m.version, m.name), err)
	}
	return nil
}

// retainedTables have the retention of the settings.
var retainedTables = []string{tableInvoices, tableLines}

func (c *client) retentionDays() int64 { return int64(c.settings.Retention / (24 * time.Hour)) }

func (c *client) retentionStep() Step {
	return Step{Name: fmt.Sprintf("retention of %d days", c.retentionDays())}
}

func (c *client) retentionSQL(table string) string {
	return fmt.Sprintf("ALTER TABLE %s MODIFY TTL toDateTime(inserted_at) + INTERVAL %d DAY", c.in(table),
		c.retentionDays())
}

// setRetention gives the tables of the hot path the time to live of the
// settings, which may change between two runs.
func (c *client) setRetention(ctx context.Context, dryRun bool) ([]Step, error) {
	step := c.retentionStep()
	for _, table := range retainedTables {
		var engine string
		err := c.each(ctx, statement{sql: "SELECT engine_full FROM system.tables WHERE database = {database:String} " +
			"AND name = {table:String}",
			parameters: map[string]string{"database": c.settings.Database, "table": table}},
			func(scan func(...any) error) error { return scan(&engine) })
		if err != nil {
			return nil, explain("read the retention of "+table, err)
		}
		if strings.Contains(engine, fmt.Sprintf("TTL toDateTime(inserted_at) + toIntervalDay(%d)", c.retentionDays())) {
			continue
		}
		sql := c.retentionSQL(table)
		step.Statements = append(step.Statements, sql)
		if dryRun {
			continue
		}
		if err := c.exec(ctx, statement{sql: sql, settings: map[string]any{"alter_sync": 0}}); err != nil { // as in apply
			return nil, explain("set the retention of "+table, err)
		}
	}
	if len(step.Statements) == 0 {
		return nil, nil
	}
	return []Step{step}, nil
}

// readMigrations reads the files in order: 0001_name.sql, 0002_…, without a gap.
func readMigrations(files fs.FS) ([]migration, error) {
	paths, err := fs.Glob(files, "migrations/*.sql") // sorted
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("cannot find the embedded migrations: %w", err)
	}
	var migrations []migration
	for i, path := range paths {
		number, name, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(path, "migrations/"), ".sql"), "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("cannot use migration %q: expected number %04d", path, i+1)
		}
		text, err := readMigration(files, path)
		if err != nil {
			return nil, fmt.Errorf("cannot read migration %q: %w", path, err)
		}
		migrations = append(migrations, migration{version: version, name: name,
			checksum: fmt.Sprintf("%x", sha256.Sum256([]byte(text))), statements: splitStatements(text)})
	}
	return migrations, nil
}

// readMigration returns the text of a migration with the shared texts put in.
func readMigration(files fs.FS, path string) (string, error) {
	text, err := fs.ReadFile(files, path)
	if err != nil {
		return "", err
	}
	var failed error
	whole := sharedText.ReplaceAllStringFunc(string(text), func(name string) string {
		shared, err := fs.ReadFile(files, "migrations/shared/"+strings.Trim(name, "{}")+".sql")
		failed = errors.Join(failed, err)
		return strings.TrimSpace(string(shared))
	})
	return whole, failed
}

// splitStatements cuts a file at the semicolons that end a line and drops
// comment lines.
func splitStatements(text string) []string {
	var statements []string
	var current []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		if strings.HasPrefix(strings.TrimSpace(line), "--") || line == "" && len(current) == 0 {
			continue
		}
		current = append(current, strings.TrimSuffix(line, ";"))
		if strings.HasSuffix(line, ";") {
			statements = append(statements, strings.Join(current, "\n"))
			current = nil
		}
	}
	if len(current) > 0 {
		statements = append(statements, strings.Join(current, "\n"))
	}
	return statements
}
