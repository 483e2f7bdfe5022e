package sinks

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"recoup/sinks/sinktest"
)

// TestRoom: inserts are refused while the disk has less free than they leave, which a run of
// Migrate sets; the error says what to do, and the same block goes through afterwards. The
// doctor tells both the disk and tables that take all of it.
func TestRoom(t *testing.T) {
	s := openTables(t)
	settings := s.client.settings
	migrated := func(leave int64, want int) {
		t.Helper()
		settings.MinFreeDisk = leave
		planned, err := Migrate(t.Context(), settings, true)
		if err != nil {
			t.Fatal(err)
		}
		done, err := Migrate(t.Context(), settings, false)
		if err != nil || fmt.Sprint(done) != fmt.Sprint(planned) {
			t.Fatalf("did %v, %v; planned %v", done, err, planned)
		}
		statements := 0
		for _, step := range done {
			statements += len(step.Statements)
		}
		if statements != want {
			t.Errorf("%d statements to leave %d bytes free, want %d: %v", statements, leave, want, done)
		}
	}
	flaws := func(want ...string) {
		t.Helper()
		got, err := RoomFlaws(t.Context(), settings)
		if err != nil || len(got) != len(want) {
			t.Fatalf("flaws %+v, %v; want %q", got, err, want)
		}
		for i := range want {
			if !strings.Contains(got[i].Problem, want[i]) {
				t.Errorf("flaw %+v, want %q", got[i], want[i])
			}
		}
	}
	const more = 1 << 60 // than any disk has
	block := sampleBlock(s, 1, 1, 2, 3)
	flaws()
	settings.MinFreeDisk = 1
	flaws("take inserts while less than 1.00 B of their disk is free")
	migrated(more, 8)
	migrated(more, 0)
	flaws("left; inserts are refused below 1.00 EiB")

	err := s.Insert(t.Context(), testOwner, 1, block, sinktest.Owned)
	for _, want := range []string{"has less left than inserts leave free", "make room on it", "clickhouse.min_free_disk",
		"disk default (/", " left: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("insert into a full disk: %v, want %q", err, want)
		}
	}
	if errors.Is(err, ErrRejected) || errors.Is(err, ErrSchema) {
		t.Errorf("%v is for ever, want it tried again", err)
	}
	migrated(1, 8)
	flaws()
	if err := s.Insert(t.Context(), testOwner, 2, block, sinktest.Owned); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, "SELECT count() FROM "+s.client.in(tableInvoices)); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
	migrated(0, 8)
	migrated(0, 0)
	flaws()
}

// TestRoomOfNewTables: an empty database gets what its inserts leave free, and a dry run that
// cannot see the server knows that.
func TestRoomOfNewTables(t *testing.T) {
	settings := freshSettings(t)
	settings.MinFreeDisk = 1
	unseen := settings
	unseen.Addresses = []string{"127.0.0.1:1"}
	all, err := Migrate(t.Context(), unseen, true)
	if !errors.Is(err, ErrUnseen) {
		t.Fatal(err)
	}
	planned, err := Migrate(t.Context(), settings, true)
	if err != nil {
		t.Fatal(err)
	}
	done, err := Migrate(t.Context(), settings, false)
	if err != nil {
		t.Fatal(err)
	}
	last := done[len(done)-1]
	if fmt.Sprint(all) != fmt.Sprint(done) || fmt.Sprint(planned) != fmt.Sprint(done) || len(last.Statements) != 8 ||
		last.Name != "inserts leave 1.00 B of a disk free" {
		t.Errorf("unseen %v\nplanned %v\ndone %v", all, planned, done)
	}
}

// TestRoomOnObjects: a table on object storage is left alone: an earlier ClickHouse would
// refuse all its inserts.
func TestRoomOnObjects(t *testing.T) {
	settings := freshSettings(t)
	if _, err := Migrate(t.Context(), settings, false); err != nil {
		t.Fatal(err)
	}
	c := testClient(t, settings)
	for _, sql := range []string{
		"DROP TABLE " + c.in("dead_letters") + " SYNC",
		"CREATE TABLE " + c.in("dead_letters") + " (n Int64) ENGINE = MergeTree ORDER BY n SETTINGS disk = " +
			"disk(type = 'object_storage', object_storage_type = 'local_blob_storage', path = '" + t.TempDir() + "/')",
	} {
		if err := c.exec(t.Context(), statement{sql: sql}); err != nil {
			t.Fatal(err)
		}
	}
	settings.MinFreeDisk = 1 << 20
	steps, err := Migrate(t.Context(), settings, false)
	if err != nil || len(steps) != 1 || len(steps[0].Statements) != 7 {
		t.Fatalf("did %v, %v; want 7 of the 8 tables", steps, err)
	}
	if err := c.exec(t.Context(), statement{sql: "INSERT INTO " + c.in("dead_letters") + " VALUES (1)"}); err != nil {
		t.Error(err)
	}
}
