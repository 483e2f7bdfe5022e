package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// DecisionSchema is the "schema" of every record in the decision log.
const DecisionSchema = "decision.v1"

// Kinds of records in the decision log.
const (
	kindDecision  = "decision"
	kindOwnership = "ownership"
)

// Decision is one record of the decision log, recoup.suspects. A record whose
// epoch is lower than an ownership record that stands before it is void.
type Decision struct {
	Schema     string             `json:"schema"`
	Kind       string             `json:"kind"`             // decision, ownership or model
	Epoch      int64              `json:"epoch"`            // log offset of the writer's ownership record; its own for ownership
	Member     string             `json:"member,omitempty"` // ownership only: who claims
	Source     invoice.Position   `json:"source"`           // of the invoice; of the first offset to score for ownership
	DetectedAt time.Time          `json:"detected_at"`
	Verdict    *detectors.Verdict `json:"verdict,omitempty"`
	Case       json.RawMessage    `json:"case,omitempty"` // the finished case, published byte for byte
}

// encode returns the record's JSON. HTML characters stay as they are, so that
// the bytes of the case inside are the bytes that are published.
func (d *Decision) encode() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		return nil, fmt.Errorf("cannot encode decision of offset %d: %w", d.Source.Offset, err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

func decodeDecision(value []byte) (*Decision, error) {
	d := &Decision{}
	if err := json.Unmarshal(value, d); err != nil {
		return nil, fmt.Errorf("cannot read decision record: %w", err)
	}
	if d.Schema != DecisionSchema {
		return nil, fmt.Errorf("cannot read decision record: schema %q, this recoup knows %q", d.Schema, DecisionSchema)
	}
	return d, nil
}
