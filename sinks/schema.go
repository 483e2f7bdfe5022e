package sinks

import (
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// tableShape is a table as the migrations make it.
type tableShape struct {
	name      string
	migration int // that makes it
	columns   []columnShape
}

// columnShape is a column as the migrations make it.
type columnShape struct {
	name       string
	kind       string // ClickHouse's name of the type, as system.columns writes it
	definition string // all that stands behind ADD COLUMN
}

var (
	createTable = regexp.MustCompile(`(?m)^CREATE TABLE IF NOT EXISTS (\w+)$`)
	alterTable  = regexp.MustCompile(`(?m)^ALTER TABLE (\w+)$`)
	// addColumn is one column of an ALTER TABLE, and the one it stands behind.
	addColumn = regexp.MustCompile(`(?m)^    ADD COLUMN IF NOT EXISTS (.*) AFTER (\w+),?$`)
	// columnLine is one column of a CREATE TABLE, its type with up to two levels of brackets.
	columnLine = regexp.MustCompile("(?m)^    (?:`([\\w.]+)`|([a-z]\\w*)) (\\w+(?:\\((?:[^()]|\\([^()]*\\))*\\))?) .*?,?$")
)

// tableShapes reads the tables of all migrations. A column that a later
// migration changes must be known here too: a test compares with a server.
func tableShapes(files fs.FS) ([]tableShape, error) {
	migrations, err := readMigrations(files)
	if err != nil {
		return nil, err
	}
	var shapes []tableShape
	for _, m := range migrations {
		for _, sql := range m.statements {
			if create := createTable.FindStringSubmatch(sql); create != nil {
				shapes = append(shapes, tableShape{name: create[1], migration: m.version, columns: columnShapes(sql)})
			}
			alter := alterTable.FindStringSubmatch(sql)
			at := slices.IndexFunc(shapes, func(s tableShape) bool { return alter != nil && s.name == alter[1] })
			for _, added := range addColumn.FindAllStringSubmatch(sql, -1) {
				if err := shapes[at].add(columnShapes("    "+added[1]+"\n"), added[2]); err != nil {
					return nil, fmt.Errorf("cannot use migration %d: %w", m.version, err)
				}
			}
		}
	}
	return shapes, nil
}

// columnShapes reads the lines of columns.
func columnShapes(sql string) (shapes []columnShape) {
	for _, line := range columnLine.FindAllStringSubmatch(sql, -1) {
		shapes = append(shapes, columnShape{name: line[1] + line[2], kind: line[3],
			definition: strings.TrimSuffix(strings.TrimSpace(line[0]), ",")})
	}
	return shapes
}

// add puts columns behind another one.
func (s *tableShape) add(columns []columnShape, behind string) error {
	at := slices.IndexFunc(s.columns, func(c columnShape) bool { return c.name == behind })
	if at < 0 || len(columns) != 1 {
		return fmt.Errorf("cannot add a column behind %q of table %s: expected one column and its place", behind, s.name)
	}
	s.columns = slices.Insert(s.columns, at+1, columns...)
	return nil
}

// Flaw is a difference between a table and what the migrations make of it.
type Flaw struct {
	// Problem says what is wrong, the table and column included.
	Problem string
	// Fix is what to do about it, SQL where that is enough.
	Fix string
}

// SchemaFlaws compares the tables with those of the migrations and returns what
// is missing or of another type. Columns that somebody added are no flaw. It is
// for a database whose schema has the latest version.
func SchemaFlaws(ctx context.Context, s Settings) ([]Flaw, error) {
	shapes, err := tableShapes(migrationFiles)
	if err != nil {
		return nil, err
	}
	c, err := connect(s)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.close() }()
	have, err := c.columnKinds(ctx)
	if err != nil {
		return nil, err
	}
	var flaws []Flaw
	for _, shape := range shapes {
		flaws = append(flaws, c.flaws(shape, have[shape.name])...)
	}
	return flaws, nil
}

// columnKinds returns the type of every column of every table of the database.
func (c *client) columnKinds(ctx context.Context) (map[string]map[string]string, error) {
	kinds := map[string]map[string]string{}
	err := c.each(ctx, statement{sql: "SELECT table, name, type FROM system.columns WHERE database = {name:String}",
		parameters: map[string]string{"name": c.settings.Database}},
		func(scan func(...any) error) error {
			var table, name, kind string
			err := scan(&table, &name, &kind)
			if kinds[table] == nil {
				kinds[table] = map[string]string{}
			}
			kinds[table][name] = kind
			return err
		})
	if err != nil {
		return nil, explain("read the columns of the tables", err)
	}
	return kinds, nil
}

// flaws compares one table; have maps its columns to their types.
func (c *client) flaws(want tableShape, have map[string]string) []Flaw {
	table := c.in(want.name)
	if len(have) == 0 {
		return []Flaw{{Problem: fmt.Sprintf("table %s is missing, though migration %d that makes it was applied",
			table, want.migration), Fix: fmt.Sprintf("ALTER TABLE %s DELETE WHERE version = %d SETTINGS mutations_sync = 1; "+
			"then recoup migrate, which makes what is missing and keeps the rest",
			c.in("schema_migrations"), want.migration)}}
	}
	var flaws []Flaw
	for i, column := range want.columns {
		kind, there := have[column.name]
		switch {
		case !there:
			// At its old place; fixes run in order, so the column before is there by then.
			place := "FIRST"
			if i > 0 {
				place = "AFTER `" + want.columns[i-1].name + "`"
			}
			flaws = append(flaws, Flaw{Problem: fmt.Sprintf("table %s has no column %s (%s)", table, column.name, column.kind),
				Fix: fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s", table, column.definition, place)})
		case kind != column.kind:
			flaws = append(flaws, Flaw{Problem: fmt.Sprintf("column %s of table %s has type %s, must have %s",
				column.name, table, kind, column.kind),
				Fix: fmt.Sprintf("ALTER TABLE %s MODIFY COLUMN %s", table, column.definition)})
		}
	}
	return flaws
}
