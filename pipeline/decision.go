package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"recoup/cases"
	"recoup/cases/jsonrecord"
	"recoup/detectors"
	"recoup/invoice"
)

// DecisionSchema is the "schema" of every record in the decision log.
const DecisionSchema = "decision.v1"

// Kinds of records in the decision log.
const (
	kindDecision   = "decision"
	kindOwnership  = "ownership"
	kindModel      = "model"
	kindCorrection = "correction"
)

// Decision is one record of the decision log, recoup.suspects. A record whose
// epoch is lower than an ownership record that stands before it is void.
type Decision struct {
	Schema string `json:"schema"` // DecisionSchema
	Kind   string `json:"kind"`   // decision, ownership, model or correction
	// Epoch is the log offset of the writer's ownership record; for ownership
	// the record's own.
	Epoch  int64  `json:"epoch"`
	Member string `json:"member,omitempty"` // ownership only: who claims
	// Source is where the invoice stands; for ownership the first offset to score,
	// for a model the first one it judges.
	Source     invoice.Position   `json:"source"`
	DetectedAt time.Time          `json:"detected_at"`       // when it was decided or claimed, UTC
	Verdict    *detectors.Verdict `json:"verdict,omitempty"` // decision only
	Subject    *cases.Subject     `json:"subject,omitempty"` // decision only: the invoice behind the verdict
	Model      *ModelChange       `json:"model,omitempty"`   // model only
	// Correction is of that kind only. It is no verdict: a take-over passes it over, and
	// a repeat has the same source and does no harm.
	Correction *cases.Correction `json:"correction,omitempty"`
	Case       json.RawMessage   `json:"case,omitempty"` // the finished case, published byte for byte
}

// ModelChange names what judges a seller's invoices of this partition from
// Source.Offset on, until the next record of the seller.
type ModelChange struct {
	Seller  string `json:"seller"`  // whose invoices
	Version string `json:"version"` // key in the topic of models with the seller; "prior-1": no model
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
	if err := jsonrecord.Unmarshal(value, d); err != nil {
		return nil, fmt.Errorf("cannot read decision record: %w", err)
	}
	if d.Schema != DecisionSchema {
		err := fmt.Errorf("cannot read decision record: schema %q, this recoup knows %q", d.Schema, DecisionSchema)
		if strings.HasPrefix(d.Schema, "decision.") {
			err = fmt.Errorf("%w: %w; run the newer recoup that wrote it", errRefused, err)
		}
		return nil, err
	}
	return d, nil
}
