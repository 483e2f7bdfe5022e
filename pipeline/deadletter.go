package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"recoup/invoice"
)

// DeadLetterSchema is the "schema" of every record in recoup.dead-letter.
const DeadLetterSchema = "dead_letter.v1"

// DeadLetter is a record that cannot be scored, with everything a person needs
// to repair and retry it. It is written at least once; Source tells repeats.
type DeadLetter struct {
	Schema      string    `json:"schema"`        // DeadLetterSchema
	Topic       string    `json:"topic"`         // it was read from
	Incarnation int64     `json:"incarnation"`   // raised when that topic was recreated; 0 at first
	Partition   int       `json:"partition"`     // of Topic
	Offset      int64     `json:"offset"`        // within Partition
	Key         []byte    `json:"key"`           // original, base64 in JSON
	Value       []byte    `json:"value"`         // original, base64 in JSON
	ValueBytes  int       `json:"value_bytes"`   // length of the original
	Cut         bool      `json:"cut,omitempty"` // Key or Value is only the start of the original
	Stage       string    `json:"stage"`         // where it failed, such as decode or dispute
	Reason      string    `json:"reason"`        // stable code, the metric's label
	Field       string    `json:"field"`         // path within the record, may be empty
	Message     string    `json:"message"`       // for a person
	ReceivedAt  time.Time `json:"received_at"`   // Kafka's timestamp of the record, UTC
	At          time.Time `json:"at"`            // when it was parked, UTC
}

// deadLetter makes the dead letter of the record at a position and counts it.
func (m *Member) deadLetter(from invoice.Position, r *Record, stage string, cause error) Record {
	d := DeadLetter{Schema: DeadLetterSchema, Topic: from.Topic, Incarnation: from.Incarnation,
		Partition: from.Partition, Offset: from.Offset, Key: r.Key, Value: r.Value, ValueBytes: len(r.Value),
		Stage: stage, Reason: reasonOf(cause), Message: cause.Error(), ReceivedAt: r.Time.UTC(), At: m.opt.Now().UTC()}
	var decode *invoice.DecodeError
	if errors.As(cause, &decode) {
		d.Field = decode.Field
	}
	m.metrics.DeadLetters.WithLabelValues(d.Reason).Inc()
	return Record{Key: bytes.Clone(cutKey(r.Key)), Value: d.encode()}
}

// reasonOf returns the stable code of why a record was refused.
func reasonOf(err error) string {
	var decode *invoice.DecodeError
	if errors.As(err, &decode) {
		return decode.Reason
	}
	return "undecodable"
}

func (d *DeadLetter) encode() []byte {
	value, err := json.Marshal(d)
	if err != nil {
		panic("a dead letter of strings, numbers and bytes must encode: " + err.Error())
	}
	return value
}

// cutBytes and cutKeyBytes are how much of an original is kept that no topic
// takes whole.
const (
	cutBytes    = 64 << 10
	cutKeyBytes = 1 << 10
)

// cutKey shortens a key that is larger than any key has reason to be.
func cutKey(key []byte) []byte { return key[:min(len(key), cutKeyBytes)] }

// cutDeadLetter shortens the original inside a dead letter that is too large.
func cutDeadLetter(value []byte) []byte {
	var d DeadLetter
	if err := json.Unmarshal(value, &d); err != nil {
		return value
	}
	d.Cut = d.Cut || len(d.Value) > cutBytes || len(d.Key) > cutKeyBytes
	d.Value, d.Key = d.Value[:min(len(d.Value), cutBytes)], cutKey(d.Key)
	return d.encode()
}
