// Package cases turns suspect verdicts into cases that a person can work:
// what is wrong, how much money it is, who owns it, what to verify first and
// until when to answer. It does no I/O.
package cases

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"recoup/cases/jsonrecord"
	"recoup/cases/message"
	"recoup/detectors"
	"recoup/invoice"
)

// Schema is the "schema" of every record in recoup.cases.
const Schema = "case.v1"

// Action says what a record does to its case.
type Action string

// The actions of the contract, in the order a case goes through them.
const (
	ActionOpen    Action = "open"
	ActionUpdate  Action = "update"
	ActionResolve Action = "resolve"
)

// Severity says how soon a person should look.
type Severity string

// The severities of the contract. A single invoice is never above SeverityWarning.
const (
	SeverityCritical Severity = "critical"
	SeverityError    Severity = "error"
	SeverityWarning  Severity = "warning"
	SeverityInfo     Severity = "info"
)

// Times a case gives its owner, both from the moment of detection (B12, B15).
const (
	RespondWithin  = 24 * time.Hour
	EscalateWithin = 12 * time.Hour
)

// Case is case.v1, the alert. Amounts are what the customer pays.
type Case struct {
	Schema     string              `json:"schema"`                   // "case.v1"
	CaseID     string              `json:"case_id"`                  // name-based UUID of DedupKey
	DedupKey   string              `json:"dedup_key"`                // one case per invoice, whatever the cause
	Seq        int64               `json:"seq"`                      // rises by one per action; readers keep the highest
	Origin     Origin              `json:"origin"`                   // "detector"
	Action     Action              `json:"action"`                   // what this record does to the case
	Kind       Kind                `json:"kind"`                     // "invoice"
	Severity   Severity            `json:"severity"`                 // how soon to look
	Seller     string              `json:"seller"`                   // who billed
	Stage      invoice.Stage       `json:"stage"`                    // always issued: drafts open no case
	IssuedAt   time.Time           `json:"issued_at"`                // as the invoice claims, UTC
	ReceivedAt time.Time           `json:"received_at"`              // Kafka's record timestamp
	DetectedAt time.Time           `json:"detected_at"`              // moment of the decision, UTC
	InvoiceID  string              `json:"invoice_id"`               // technical, unique within the seller
	Number     string              `json:"invoice_number,omitempty"` // what the customer reads
	Customer   string              `json:"customer_ref,omitempty"`   // pseudonym
	Segment    Segment             `json:"segment"`                  // what the amount was compared with
	Source     invoice.Position    `json:"source"`                   // the invoice's record
	PError     float64             `json:"p_error"`                  // probability of an error, 0 to 1
	Direction  detectors.Direction `json:"direction"`                // who gains by the error
	Rules      []string            `json:"rules"`                    // codes of what fired
	Basis      detectors.Basis     `json:"amount_basis"`             // whether the amounts below include tax
	Billed     invoice.Amount      `json:"billed"`                   // what the invoice asks for
	Expected   invoice.Amount      `json:"expected"`                 // usual amount; 0 without history
	Low        invoice.Amount      `json:"expected_low"`             // lower end of the 95 % band
	High       invoice.Amount      `json:"expected_high"`            // upper end of the 95 % band
	Deviation  float64             `json:"deviation_pct"`            // billed from expected, per cent; < 0: too little
	Loss       detectors.Loss      `json:"loss"`                     // money at stake; > 0: billed too little
	Currency   string              `json:"currency"`                 // ISO 4217 code of every amount
	Causes     []detectors.Finding `json:"causes"`                   // as in the verdict; the first one routes the case
	Summary    Summary             `json:"summary"`                  // one sentence that blames nobody (D5)
	Economics  Economics           `json:"economics"`                // why it was worth opening
	Verify     []string            `json:"verify_first"`             // what to make sure of before acting (D1)
	OwnerTeam  string              `json:"owner_team"`               // who can repair the first cause (B5)
	RespondBy  time.Time           `json:"respond_by"`               // DetectedAt + RespondWithin
	EscalateAt time.Time           `json:"escalate_at"`              // DetectedAt + EscalateWithin
	Links      Links               `json:"links"`                    // runbook, board and query
	Model      detectors.Model     `json:"model"`                    // what decided

	Country    string           `json:"country,omitempty"`          // of the customer, as the invoice says
	Order      string           `json:"order_ref,omitempty"`        // the order it answers
	Limitation string           `json:"limitation_date,omitempty"`  // last day to claim the money; "": none known
	TooLate    bool             `json:"too_late,omitempty"`         // that day was over when the case was detected
	Admin      *AdminFields     `json:"admin_fields,omitempty"`     // required fields; nil: not about those
	Options    []RecoveryOption `json:"recovery_options,omitempty"` // ways to settle, best first
	Draft      *message.Draft   `json:"draft_message,omitempty"`    // what to tell the customer; never sent

	// What follows is added by the case stage.

	Status      Status             `json:"status,omitempty"`         // the step reached; "": nobody has looked
	Outcome     Outcome            `json:"outcome,omitempty"`        // what it turned out to be; "": not decided
	Flags       []Flag             `json:"flags,omitempty"`          // records that do not fit the ones before them
	FlagsMore   int64              `json:"flags_more,omitempty"`     // how many more flags there are
	Settlement  *Settlement        `json:"settlement,omitempty"`     // the money so far; nil: nothing happened
	DunningHold bool               `json:"dunning_hold,omitempty"`   // the claim is disputed: no reminders, no interest
	PDispute    *float64           `json:"p_dispute,omitempty"`      // that it is disputed; nil: too little is known
	Resolution  *Resolution        `json:"resolution,omitempty"`     // why it is resolved; nil: it is not
	IncidentID  string             `json:"incident_id,omitempty"`    // the incident the invoice is a member of
	Incident    *Incident          `json:"incident,omitempty"`       // kind incident only: all that is known of it
	Joined      []Member           `json:"members_joined,omitempty"` // kind incident only: new since the record before
	Page        string             `json:"page,omitempty"`           // severity critical only: what a pager shows
	Watch       *Watch             `json:"watch,omitempty"`          // kinds rate and blind only: what was seen
	Applied     []invoice.Position `json:"applied,omitempty"`        // last input that touched it, of each partition
}

// Segment is the baseline the invoice was compared with.
type Segment struct {
	CustomerType  string          `json:"customer_type"`  // of the invoice; may be empty
	ProductFamily string          `json:"product_family"` // of the invoice; may be empty
	Level         detectors.Level `json:"level"`          // which baseline it was; none without history
	N             int64           `json:"n"`              // invoices it had learnt
	CV            float64         `json:"cv"`             // their standard deviation over their mean
}

// Summary is one sentence for a person, in the two languages of the product.
type Summary struct {
	FR string `json:"fr"` // French
	EN string `json:"en"` // English
}

// Links lead from the case to what explains it.
type Links struct {
	Runbook   string `json:"runbook"`             // page that says what to do
	Dashboard string `json:"dashboard,omitempty"` // board; "": none is set
	Query     string `json:"query"`               // SQL that finds the scored invoice
}

// plain is a case without its methods.
type plain Case

// shared is a case of many invoices, or of none: what only one invoice has is left out.
type shared struct {
	*plain
	InvoiceID *none `json:"invoice_id,omitempty"`
	Source    *none `json:"source,omitempty"`
	PError    *none `json:"p_error,omitempty"`
	Billed    *none `json:"billed,omitempty"`
	Expected  *none `json:"expected,omitempty"`
	Low       *none `json:"expected_low,omitempty"`
	High      *none `json:"expected_high,omitempty"`
	Deviation *none `json:"deviation_pct,omitempty"`
}

// none is never there.
type none struct{}

// Encode returns the case's JSON, the bytes that are published. The same case
// gives the same bytes; HTML characters are left as they are.
func (c *Case) Encode() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	var record any = c
	if c.Kind != KindInvoice {
		record = shared{plain: (*plain)(c)}
	}
	if err := enc.Encode(record); err != nil {
		return nil, fmt.Errorf("cannot encode case %s: %w", c.CaseID, err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// Decode reads a case as Encode wrote it, or an older recoup.
func Decode(body []byte) (*Case, error) {
	c := &Case{}
	if err := jsonrecord.Unmarshal(body, c); err != nil {
		return nil, fmt.Errorf("cannot read case: %w", err)
	}
	if c.Schema != Schema || c.CaseID == "" || c.DedupKey == "" || c.Seq < 1 {
		return nil, fmt.Errorf("cannot read case %q with schema %q, dedup key %q and seq %d: want %s, an id, a key and "+
			"a seq from 1", c.CaseID, c.Schema, c.DedupKey, c.Seq, Schema)
	}
	return c, nil
}
