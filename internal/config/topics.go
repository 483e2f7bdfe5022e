package config

import (
	"maps"
	"strconv"
	"time"
)

// Topic is one topic of the contract as `recoup topics create` makes it and
// `recoup doctor` wants it.
type Topic struct {
	// Role is the key in kafka.topics, such as dead_letter.
	Role string
	// Name is what the topic is called.
	Name string
	// Partitions it is made with.
	Partitions int
	// LikeInvoices says that it must have as many partitions as the invoices:
	// partition p of both belongs together.
	LikeInvoices bool
	// Ours says that only recoup writes it; the others have settings that their
	// writers may want otherwise.
	Ours bool
	// Optional says that recoup works without it: so it does without references,
	// unless the configuration names their topic.
	Optional bool
	// Settings of the topic by Kafka's names; what is not there is the broker's default.
	Settings map[string]string
}

// fewPartitions is what a topic gets whose load is people, not invoices.
const fewPartitions = 3

// TopicTable is every topic, for invoices on this many partitions.
func (c *Config) TopicTable(partitions int) []Topic {
	t, keep := &c.Kafka.Topics, &c.Kafka.Retention
	usual := Default().Kafka.Topics
	largest := int64(c.Pipeline.Limits.RecordBytes)
	invoices, events := keepFor(keep.Invoices), keepFor(keep.Events)
	table := []Topic{
		{Role: "invoices", Name: t.Invoices, Settings: with(invoices, maxMessage(largest))},
		{Role: "reference", Name: t.Reference, Optional: t.Reference == usual.Reference, Settings: compacted},
		{Role: "deliveries", Name: t.Deliveries, Optional: t.Deliveries == usual.Deliveries, Settings: invoices},
		{Role: "suspects", Name: t.Suspects, LikeInvoices: true, Ours: true,
			Settings: with(keepFor(keep.OpenCases), ownMessage)},
		{Role: "lead", Name: t.Lead, Partitions: 1, Ours: true, Settings: invoices},
		{Role: "cases", Name: t.Cases, Ours: true, Settings: with(with(keepFor(keep.OpenCases+30*Day), ownMessage),
			map[string]string{"cleanup.policy": "compact,delete", "min.compaction.lag.ms": milliseconds(Day)})},
		{Role: "case_events", Name: t.CaseEvents, Settings: events},
		{Role: "recoveries", Name: t.Recoveries, Settings: events},
		{Role: "disputes", Name: t.Disputes, Settings: events},
		{Role: "state", Name: t.State, LikeInvoices: true, Ours: true, Settings: compactedOften},
		{Role: "baselines", Name: t.Baselines, LikeInvoices: true, Ours: true, Settings: compactedOften},
		{Role: "models", Name: t.Models, Partitions: 1, Ours: true, Settings: with(compacted, ownMessage)},
		{Role: "dead_letter", Name: t.DeadLetter, Ours: true,
			Settings: with(keepFor(keep.DeadLetters), maxMessage(DeadLetterBytes(largest)))},
	}
	for i := range table {
		switch row := &table[i]; {
		case row.LikeInvoices || row.Role == "invoices":
			row.Partitions = partitions
		case row.Partitions == 0:
			row.Partitions = fewPartitions
		}
	}
	return table
}

// RecordOverhead is what key, headers and framing of a record may add to its value.
const RecordOverhead = 64 << 10

// DeadLetterBytes is how large a dead letter may be whose original has this
// many bytes: base64 makes four of three, and its description comes with it.
func DeadLetterBytes(original int64) int64 { return original/3*4 + 4 + RecordOverhead }

func keepFor(d Duration) map[string]string {
	return map[string]string{"cleanup.policy": "delete", "retention.ms": milliseconds(d)}
}

var compacted = map[string]string{"cleanup.policy": "compact"}

// compactedOften keeps take-over short: its time grows with what was not
// compacted yet. That is, of a partition, at most the segment being written, which Kafka never
// compacts, and a quarter of what is live: with 15 MB of state each, as 100,000 customers on eight
// partitions have, not twice what is live. Of 64 MiB nothing was compacted for ten minutes.
var compactedOften = with(with(compacted, ownMessage), map[string]string{
	"segment.ms":                milliseconds(Duration(10 * time.Minute)),
	"segment.bytes":             strconv.Itoa(8 << 20),
	"min.cleanable.dirty.ratio": "0.2",
})

// ownMessage is Kafka's default, which takes whatever recoup writes of its own: a
// bucket of a full history has 400 kB, a model at most 1 MiB, a decision with all
// that may be said of an invoice well below. A broker may have a lower one.
var ownMessage = map[string]string{"max.message.bytes": "1048588"}

// maxMessage lets records of this many bytes in.
func maxMessage(bytes int64) map[string]string {
	return map[string]string{"max.message.bytes": strconv.FormatInt(bytes+RecordOverhead, 10)}
}

func milliseconds(d Duration) string { return strconv.FormatInt(d.Std().Milliseconds(), 10) }

// with returns a and b together; b wins.
func with(a, b map[string]string) map[string]string {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}
