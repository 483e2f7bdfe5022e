package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"recoup/internal/app"
	"recoup/sinks"
)

// mostSkew is how far the database's clock may be from ours: times of detection
// and of storing are compared with each other.
const mostSkew = 5 * time.Second

// reachClickHouse is what to do about a database that cannot be asked.
const reachClickHouse = "start ClickHouse; check clickhouse.addresses, clickhouse.tls, clickhouse.user and the " +
	"password, and that the port is that of the native protocol (9000, with TLS 9440)"

// clickHouse checks the database.
func (x *examination) clickHouse(ctx context.Context) {
	settings := app.ClickHouse(x.settings, x.log)
	asked := time.Now()
	server, err := sinks.Inspect(ctx, settings)
	if err != nil {
		x.failed("clickhouse", err, reachClickHouse)
		return
	}
	x.ok("clickhouse", "version %s at %s", server.Version, strings.Join(settings.Addresses, ", "))
	if server.ReadOnly {
		x.wrong("clickhouse", fmt.Sprintf("user %s may only read", settings.User),
			"give it a settings profile with readonly=0 and the right to insert")
	}
	// The answer was made somewhere between asking and now.
	if ahead, behind := time.Until(server.Now), asked.Sub(server.Now); ahead > mostSkew || behind > mostSkew {
		x.wrong("clock", fmt.Sprintf("ClickHouse's clock is %s from this machine's", max(ahead, behind).Round(time.Second)),
			"synchronise both with NTP")
	} else {
		x.ok("clock", "ClickHouse and this machine agree")
	}
	x.schema(ctx, settings, server)
}

// damage looks for rows that ClickHouse lost.
func (x *examination) damage(ctx context.Context, settings sinks.Settings) {
	flaws, err := sinks.DamageFlaws(ctx, settings)
	if err != nil {
		x.failed("tables", err, "let this user read system.detached_parts and the tables")
		return
	}
	for _, flaw := range flaws {
		x.wrong("tables", flaw.Problem, flaw.Fix)
	}
	if len(flaws) == 0 {
		x.ok("tables", "ClickHouse can read all their parts")
	}
}

// room looks for disks that are nearly full, and for tables that would not mind.
func (x *examination) room(ctx context.Context, settings sinks.Settings) {
	flaws, err := sinks.RoomFlaws(ctx, settings)
	if err != nil {
		x.failed("disk", err, "let this user read system.disks, system.storage_policies and system.tables")
		return
	}
	for _, flaw := range flaws {
		x.wrong("disk", flaw.Problem, flaw.Fix)
	}
	switch {
	case settings.MinFreeDisk == 0:
		x.ok("disk", "not asked: inserts leave nothing free (clickhouse.min_free_disk)")
	case len(flaws) == 0:
		x.ok("disk", "inserts leave %s free, and there is more than twice that", x.settings.ClickHouse.MinFreeDisk)
	}
}

// schema checks the tables.
func (x *examination) schema(ctx context.Context, settings sinks.Settings, server sinks.Server) {
	have, want, err := sinks.SchemaVersion(ctx, settings)
	switch {
	case err != nil:
		x.failed("schema", err, "recoup migrate")
		return
	case have == 0:
		x.wrong("schema", fmt.Sprintf("database %s has no tables of recoup", settings.Database), "recoup migrate")
		return
	case have < want:
		x.wrong("schema", fmt.Sprintf("database %s has schema %d, this recoup needs %d", settings.Database, have, want),
			"recoup migrate")
		return
	case have > want:
		x.wrong("schema", fmt.Sprintf("database %s has schema %d, this recoup knows %d at most", settings.Database, have,
			want), "run the newer recoup that made it")
		return
	}
	x.columns(ctx, settings, have)
	for _, table := range server.NoWindow {
		x.wrong("schema", fmt.Sprintf("table %s.%s does not recognise repeated inserts: its rows could be doubled",
			settings.Database, table), fmt.Sprintf(
			"ALTER TABLE %s.%s MODIFY SETTING non_replicated_deduplication_window = 10000", settings.Database, table))
	}
}

// columns checks that the tables are still those that the migrations made.
func (x *examination) columns(ctx context.Context, settings sinks.Settings, have int) {
	flaws, err := sinks.SchemaFlaws(ctx, settings)
	if err != nil {
		x.failed("schema", err, "let this user read system.columns")
		return
	}
	for _, flaw := range flaws {
		x.wrong("schema", flaw.Problem, flaw.Fix)
	}
	if len(flaws) == 0 {
		x.ok("schema", "database %s has schema %d", settings.Database, have)
		x.damage(ctx, settings)
		x.room(ctx, settings)
	}
}
