package sinks

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// roomSetting has ClickHouse refuse an insert while the disk of its table has less free: one
// that fills up under a write may lose rows that were acknowledged. It looks before it
// writes, and counts what merges have reserved. Every server with the schema knows it.
const roomSetting = "min_free_disk_bytes_to_perform_insert"

// keptRoom is how much space a table's inserts leave free on its disk.
type keptRoom struct {
	bytes uint64 // 0: what the user's settings say, nothing by default
	// remote says that not all its disks are local. Object storage does not know what it has
	// left; ClickHouse before 26.1 takes that for nothing and would refuse every insert.
	remote bool
}

// room returns how much space the tables of the database keep free, by name.
func (c *client) room(ctx context.Context) (map[string]keptRoom, error) {
	room := map[string]keptRoom{}
	err := c.each(ctx, statement{sql: "SELECT name, " +
		"toUInt64OrZero(extract(engine_full, '" + roomSetting + " = (\\\\d+)')), " +
		"storage_policy IN (SELECT policy_name FROM system.storage_policies ARRAY JOIN disks AS disk " +
		"WHERE disk NOT IN (SELECT name FROM system.disks WHERE lower(type) = 'local')) " +
		"FROM system.tables WHERE database = {database:String}",
		parameters: map[string]string{"database": c.settings.Database}},
		func(scan func(...any) error) error {
			var table string
			var kept keptRoom
			err := scan(&table, &kept.bytes, &kept.remote)
			room[table] = kept
			return err
		})
	if err != nil {
		return nil, explain("read how much space the tables keep free", err)
	}
	return room, nil
}

// roomSteps gives the tables that keep something else free the space of the settings.
func (c *client) roomSteps(room map[string]keptRoom) ([]Step, error) {
	shapes, err := tableShapes(migrationFiles)
	if err != nil {
		return nil, err
	}
	step := Step{Name: "inserts leave " + c.wantedRoom() + " of a disk free"}
	for _, shape := range shapes {
		kept := room[shape.name] // a table that is still to be made keeps none
		if kept.remote || kept.bytes == uint64(c.settings.MinFreeDisk) {
			continue
		}
		sql := fmt.Sprintf("ALTER TABLE %s MODIFY SETTING %s = %d", c.in(shape.name), roomSetting, c.settings.MinFreeDisk)
		if c.settings.MinFreeDisk == 0 {
			sql = fmt.Sprintf("ALTER TABLE %s RESET SETTING %s", c.in(shape.name), roomSetting)
		}
		step.Statements = append(step.Statements, sql)
	}
	if len(step.Statements) == 0 {
		return nil, nil
	}
	return []Step{step}, nil
}

// setRoom has inserts leave as much of a disk free as the settings want, which may change
// between two runs.
func (c *client) setRoom(ctx context.Context, dryRun bool) ([]Step, error) {
	room, err := c.room(ctx)
	if err != nil {
		return nil, err
	}
	steps, err := c.roomSteps(room)
	if err != nil || dryRun {
		return steps, err
	}
	for _, step := range steps {
		for _, sql := range step.Statements {
			if err := c.exec(ctx, statement{sql: sql, settings: map[string]any{"alter_sync": 0}}); err != nil { // as in apply
				return nil, explain("set how much of a disk inserts leave free", err)
			}
		}
	}
	return steps, nil
}

// wantedRoom is what the settings want left free, for people.
func (c *client) wantedRoom() string { return bytesText(uint64(c.settings.MinFreeDisk)) }

// RoomFlaws returns the tables that take inserts until their disk is full, and the disks of
// tables that have less than twice the free space at which inserts are refused. It finds
// nothing where the settings want none kept free.
func RoomFlaws(ctx context.Context, s Settings) ([]Flaw, error) {
	c, err := connect(s)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.close() }()
	shapes, err := tableShapes(migrationFiles)
	if err != nil {
		return nil, err
	}
	room, err := c.room(ctx)
	if err != nil || c.settings.MinFreeDisk == 0 {
		return nil, err
	}
	var careless []string
	for _, shape := range shapes {
		if kept, there := room[shape.name]; there && !kept.remote && kept.bytes < uint64(c.settings.MinFreeDisk) {
			careless = append(careless, shape.name)
		}
	}
	var flaws []Flaw
	if len(careless) > 0 {
		slices.Sort(careless)
		flaws = append(flaws, Flaw{Problem: fmt.Sprintf("tables of %s take inserts while less than %s of their disk is "+
			"free, and ClickHouse may lose rows when it fills up: %s", c.settings.Database, c.wantedRoom(),
			strings.Join(careless, ", ")), Fix: "recoup migrate"})
	}
	disks, err := c.disks(ctx)
	for _, disk := range disks {
		if disk.free < 2*uint64(c.settings.MinFreeDisk) {
			flaws = append(flaws, Flaw{Problem: fmt.Sprintf("ClickHouse's %s; inserts are refused below %s", disk,
				c.wantedRoom()), Fix: makeRoom})
		}
	}
	return flaws, err
}

// diskSpace is what a local disk has left.
type diskSpace struct {
	name, path  string
	free, total uint64
}

// String is for people.
func (d diskSpace) String() string {
	return fmt.Sprintf("disk %s (%s) has %s of %s left", d.name, d.path, bytesText(d.free), bytesText(d.total))
}

// disks returns the local disks of the tables.
func (c *client) disks(ctx context.Context) ([]diskSpace, error) {
	var disks []diskSpace
	err := c.each(ctx, statement{sql: "SELECT name, path, free_space, total_space FROM system.disks " +
		"WHERE lower(type) = 'local' AND name IN (SELECT arrayJoin(disks) FROM system.storage_policies " +
		"WHERE policy_name IN (SELECT storage_policy FROM system.tables WHERE database = {database:String})) ORDER BY name",
		parameters: map[string]string{"database": c.settings.Database}},
		func(scan func(...any) error) error {
			var d diskSpace
			err := scan(&d.name, &d.path, &d.free, &d.total)
			disks = append(disks, d)
			return err
		})
	if err != nil {
		return nil, explain("read how much space the disks have left", err)
	}
	return disks, nil
}

// noSpace is the server's answer to an insert that it has no space for, NOT_ENOUGH_SPACE.
const noSpace = 243

// explainInsert is explain for an insert: where a disk is full it says which, for the server
// does not.
func (c *client) explainInsert(ctx context.Context, table string, err error) error {
	if codeOf(err) == noSpace {
		disks, _ := c.disks(ctx) // without it the answer still says that one is full
		for _, disk := range disks {
			err = fmt.Errorf("%s: %w", disk, err)
		}
	}
	return explain("insert into "+table, err)
}

// makeRoom says what to do about a disk that is full.
const makeRoom = "make room on it or enlarge it, docs/runbooks/RecoupRowBufferFull.md says how; or lower " +
	"clickhouse.min_free_disk and run recoup migrate"

// bytesText writes a number of bytes as ClickHouse does: 1.00 GiB.
func bytesText(n uint64) string {
	unit, size := "B", float64(n)
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"} {
		if size < 1024 {
			break
		}
		unit, size = larger, size/1024
	}
	return fmt.Sprintf("%.2f %s", size, unit)
}
