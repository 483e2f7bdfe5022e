package sinks

import (
	"context"
	"fmt"
)

// damageCodes are the server's answers where it cannot read what it stored: a part that is
// cut off, empty, without one of its files, or that says another sum than its checksums.
var damageCodes = map[int32]bool{33: true, 40: true, 226: true, 246: true}

// DamageFlaws returns what ClickHouse lost of the tables as far as it can be seen: parts it
// cannot read, and parts it set aside because it could not read them when it loaded their
// table. It reads the beginning of each part; CHECK TABLE reads all of them.
func DamageFlaws(ctx context.Context, s Settings) ([]Flaw, error) {
	c, err := connect(s)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.close() }()
	shapes, err := tableShapes(migrationFiles)
	if err != nil {
		return nil, err
	}
	var flaws []Flaw
	for _, shape := range shapes {
		table := c.in(shape.name)
		err := c.exec(ctx, statement{sql: "SELECT source_offset FROM " + table + " WHERE _part_offset = 0 FORMAT Null"})
		switch {
		case err != nil && damageCodes[codeOf(err)]:
			flaws = append(flaws, Flaw{Problem: fmt.Sprintf("ClickHouse cannot read table %s: %v", table, err),
				Fix: fmt.Sprintf("DETACH TABLE %s; then ATTACH TABLE %s, at once: %s", table, table, readLost)})
		case err != nil:
			return nil, explain("look for damage of "+shape.name, err)
		}
	}
	err = c.each(ctx, statement{sql: "SELECT table, arrayStringConcat(groupArray(name), ', ') FROM " +
		"(SELECT table, name FROM system.detached_parts WHERE database = {database:String} " +
		"AND startsWith(reason, 'broken') AND NOT startsWith(table, '.') ORDER BY table, name) GROUP BY table ORDER BY table",
		parameters: map[string]string{"database": c.settings.Database}},
		func(scan func(...any) error) error {
			var table, parts string
			err := scan(&table, &parts)
			flaws = append(flaws, Flaw{Problem: fmt.Sprintf("ClickHouse set aside parts of table %s that it could not read, "+
				"rows may be missing: %s", c.in(table), parts), Fix: readLost})
			return err
		})
	if err != nil {
		return nil, explain("look for parts that were set aside", err)
	}
	return flaws, nil
}

// readLost says where it stands what to do about rows that ClickHouse lost.
const readLost = "docs/runbooks/RecoupPartNotReady.md says what comes back and what does not"
