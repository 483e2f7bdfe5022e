package sinks

import (
	"context"
	"strings"
)

// Settings of tables that newer servers know, 26.7 among them: whether a part is stored with its roll-ups, and
// whether a merge makes those that none of its parts has. Merges join only parts that have the same ones.
const (
	rollupsOnInsert = "materialize_projections_on_insert"
	rollupsOnMerge  = "materialize_projections_on_merge"
)

// setRollups has merges make the roll-ups of scored_invoices, where the server can. Of the few thousand
// invoices that an insert brings, they take the server as long as the rows, and the first merge makes them
// anew. Until then a question reads the rows of that part, so no answer differs.
func (c *client) setRollups(ctx context.Context, dryRun bool) ([]Step, error) {
	known, engine := false, ""
	err := c.each(ctx, statement{sql: "SELECT (SELECT any(engine_full) FROM system.tables " +
		"WHERE database = {database:String} AND name = {table:String}) FROM system.merge_tree_settings " +
		"WHERE name = '" + rollupsOnMerge + "'",
		parameters: map[string]string{"database": c.settings.Database, "table": tableInvoices}},
		func(scan func(...any) error) error {
			known = true
			return scan(&engine)
		})
	if err != nil {
		return nil, explain("read who makes the roll-ups of "+tableInvoices, err)
	}
	if !known || strings.Contains(engine, rollupsOnMerge+" = 1") {
		return nil, nil
	}
	step := c.rollupStep()
	if !dryRun {
		at := statement{sql: step.Statements[0], settings: map[string]any{"alter_sync": 0}} // as in apply
		if err := c.exec(ctx, at); err != nil {
			return nil, explain("have merges make the roll-ups of "+tableInvoices, err)
		}
	}
	return []Step{step}, nil
}

func (c *client) rollupStep() Step {
	return Step{Name: "merges make roll-ups", Statements: []string{"ALTER TABLE " + c.in(tableInvoices) +
		" MODIFY SETTING " + rollupsOnInsert + " = 0, " + rollupsOnMerge + " = 1"}}
}
