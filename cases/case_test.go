package cases

import (
	"strings"
	"testing"

	"recoup/invoice"
)

// G4: two invoices never share a case, whatever their ids hold, and one invoice
// has the same case for ever.
func TestDedupKey(t *testing.T) {
	const seven = "é234567"
	long := strings.Repeat(seven, 9) + "4" // 64 characters, 73 bytes
	for _, c := range []struct {
		seller, id string
		revision   int64
		want       string
	}{
		{"acme", "F-1", 0, "acme|invoice|F-1|r0"},
		{"acme", "F-1", 12, "acme|invoice|F-1|r12"},
		{"", "", 0, "|invoice||r0"},
		{"acme", long, 0, "acme|invoice|" + long + "|r0"},
		{"acme", long + "5", 0, "acme|invoice|h567ce15b2a34c7a8|r0"},
		{"acme", "a|b", 0, "acme|invoice|hf1eaa794e361bef1|r0"},
		{"a|b", "F-1", 0, "hf1eaa794e361bef1|invoice|F-1|r0"},
	} {
		if got := DedupKey(c.seller, c.id, c.revision); got != c.want {
			t.Errorf("DedupKey(%q, %q, %d) = %q, want %q", c.seller, c.id, c.revision, got, c.want)
		}
	}
}

func TestInvoicesDoNotShareACase(t *testing.T) {
	long := strings.Repeat("x", 64)
	type identity struct {
		seller, id string
		revision   int64
	}
	keys := map[string]identity{}
	for _, i := range []identity{
		{"a", "b|invoice|c", 0}, {"a|invoice|b", "c", 0}, {"a|invoice|b|invoice|c", "", 0}, {"", "a|invoice|b|invoice|c", 0},
		{"a", "b", 0}, {"a", "b", 1}, {"a", "b|r1", 0}, {"a", "b|r0", 1}, {"b", "a", 0}, {"a|", "b", 0}, {"a", "|b", 0},
		{"a", long, 0}, {"a", long + "x", 0}, {"a", long + "y", 0}, {long + "x", "a", 0},
	} {
		key := DedupKey(i.seller, i.id, i.revision)
		if other, found := keys[key]; found {
			t.Errorf("%+v and %+v share the case %s", i, other, key)
		}
		keys[key] = i
	}
}

// The id is part of the contract: case systems join on it, and a crash or a new
// version must not change it.
func TestID(t *testing.T) {
	for key, want := range map[string]string{
		"acme|invoice|F-1|r0": "2cc67909-3202-5f43-87f9-5a738a7cba8b",
		"acme|invoice|F-1|r1": "443e1f11-58a3-5ecd-91f4-21e4f9d6a5f9",
	} {
		if got := ID(key); got != want {
			t.Errorf("ID(%q) = %s, want %s for ever", key, got, want)
		}
	}
}

// The query of a case finds its row alone: not that of the same offset in another
// topic, in a recreated one, or in another installation's database.
func TestQuery(t *testing.T) {
	const rest = " AND source_incarnation = 2 AND source_partition = 3 AND source_offset = 81234"
	for _, c := range []struct{ database, topic, want string }{
		{"", "billing.invoices", "SELECT * FROM recoup.scored_invoices WHERE source_topic = 'billing.invoices'" + rest},
		{"audit", "b", "SELECT * FROM audit.scored_invoices WHERE source_topic = 'b'" + rest},
		{"", `o'b\`, `SELECT * FROM recoup.scored_invoices WHERE source_topic = 'o\'b\\'` + rest},
	} {
		at := invoice.Position{Topic: c.topic, Incarnation: 2, Partition: 3, Offset: 81234}
		if got := (Opener{Database: c.database}).query(at); got != c.want {
			t.Errorf("query of %q in %q:\n%s\nwant\n%s", c.topic, c.database, got, c.want)
		}
	}
}
