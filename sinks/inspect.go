package sinks

import (
	"context"
	"time"
)

// Server is what Inspect found.
type Server struct {
	// Version of ClickHouse, such as "25.8.1.1".
	Version string
	// Now is the server's clock when it answered.
	Now time.Time
	// ReadOnly says that this user may not write.
	ReadOnly bool
	// NoWindow names tables that recoup inserts into and that do not recognise a
	// repeated insert: their deduplication window is 0.
	NoWindow []string
}

// Inspect asks the server for what a doctor wants to know. It changes nothing.
func Inspect(ctx context.Context, s Settings) (Server, error) {
	c, err := connect(s)
	if err != nil {
		return Server{}, err
	}
	defer func() { _ = c.close() }()
	var found Server
	err = c.each(ctx, statement{sql: "SELECT version(), now64(3, 'UTC'), toString(getSetting('readonly')) != '0'"},
		func(scan func(...any) error) error { return scan(&found.Version, &found.Now, &found.ReadOnly) })
	if err != nil {
		return Server{}, explain("reach ClickHouse", err)
	}
	// Replicated tables have a window of their own by default.
	err = c.each(ctx, statement{
		sql: "SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree' " +
			"AND engine NOT LIKE 'Replicated%' AND name != 'schema_migrations' " +
			"AND NOT startsWith(name, '.') " + // a kept view fills its tables itself
			"AND extract(engine_full, 'non_replicated_deduplication_window = (\\\\d+)') IN ('', '0') ORDER BY name",
		parameters: map[string]string{"database": c.settings.Database}},
		func(scan func(...any) error) error {
			var table string
			err := scan(&table)
			found.NoWindow = append(found.NoWindow, table)
			return err
		})
	if err != nil {
		return Server{}, explain("read the settings of the tables", err)
	}
	return found, nil
}

// LatestSchema is the schema version that this recoup needs.
func LatestSchema() int {
	migrations, err := readMigrations(migrationFiles)
	if err != nil {
		panic("the embedded migrations cannot be read: " + err.Error())
	}
	return migrations[len(migrations)-1].version
}
