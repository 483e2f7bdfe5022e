// Package cases turns suspect verdicts into cases that a person can work:
// what is wrong, how much money it is, who owns it, what to verify first and
// until when to answer. It does no I/O.
package cases

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

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
	Links      Links               `json:"links"`                    // runbook and query
	Model      detectors.Model     `json:"model"`                    // what decided

	// What follows is added by the case stage.

	Status      Status             `json:"status,omitempty"`         // the step reached; "": nobody has looked
	Outcome     Outcome            `json:"outcome,omitempty"`        // what it turned out to be; "": not decided
	Flags       []Flag             `json:"flags,omitempty"`          // records that do not fit the ones before them
	DunningHold bool               `json:"dunning_hold,omitempty"`   // the claim is disputed: no reminders, no interest
	Resolution  *Resolution        `json:"resolution,omitempty"`     // why it is resolved; nil: it is not
	IncidentID  string             `json:"incident_id,omitempty"`    // the incident the invoice is a member of
	Incident    *Incident          `json:"incident,omitempty"`       // kind incident only: all that is known of it
	Joined      []Member           `json:"members_joined,omitempty"` // kind incident only: new since the record before
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

// Economics shows why the case was worth opening.
type Economics struct {
	HandlingCost invoice.Amount     `json:"handling_cost"` // in the invoice's currency
	Decision     detectors.Decision `json:"decision"`      // open_case for every case that is published
}

// Links lead from the case to what explains it.
type Links struct {
	Runbook string `json:"runbook"` // page in this repository's docs
	Query   string `json:"query"`   // SQL that finds the scored invoice
}

// Opener opens cases of single invoices.
type Opener struct {
	// Database holds the table of scored invoices in ClickHouse, a name of
	// letters, digits and underscores. By default recoup.
	Database string
	// HandlingCost is what working one case costs, per currency.
	HandlingCost map[string]invoice.Amount
}

// Open builds the finished case of a suspect invoice, copying what it keeps.
// v.CaseID must already be the ID of its dedup key. received is Kafka's record
// time, detected the moment of the decision.
func (o Opener) Open(inv *invoice.Invoice, v *detectors.Verdict, received, detected time.Time) *Case {
	key := DedupKey(inv.Seller, inv.ID, inv.Revision)
	return &Case{
		Schema: Schema, CaseID: ID(key), DedupKey: key, Seq: 1, Origin: OriginDetector,
		Action: ActionOpen, Kind: KindInvoice, Severity: SeverityWarning,
		Seller: inv.Seller, Stage: inv.Stage,
		IssuedAt: inv.IssuedAt.UTC(), ReceivedAt: received.UTC(), DetectedAt: detected.UTC(),
		InvoiceID: inv.ID, Number: inv.Number, Customer: inv.CustomerRef,
		Segment: Segment{CustomerType: inv.CustomerType, ProductFamily: inv.ProductFamily,
			Level: v.Level, N: v.N, CV: v.CV},
		Source: v.Source, PError: v.PError, Direction: v.Direction, Rules: v.Rules,
		Basis: v.AmountBasis, Billed: v.Billed, Expected: v.Expected, Low: v.ExpectedLow, High: v.ExpectedHigh,
		Deviation: v.DeviationPct, Loss: v.Loss, Currency: inv.Currency, Causes: v.Causes,
		Summary:    summarise(inv, v),
		Economics:  Economics{HandlingCost: o.HandlingCost[inv.Currency], Decision: v.Decision},
		Verify:     verifyFirst(v),
		OwnerTeam:  ownerTeam(topCause(v)),
		RespondBy:  detected.Add(RespondWithin).UTC(),
		EscalateAt: detected.Add(EscalateWithin).UTC(),
		Links:      Links{Runbook: "docs/runbooks/" + topCause(v) + ".md", Query: o.query(v.Source)},
		Model:      v.Model,
	}
}

// query returns the SQL that finds the row of a source record, and no other:
// offsets repeat in other topics and after a topic was recreated.
func (o Opener) query(at invoice.Position) string {
	return fmt.Sprintf("SELECT * FROM %s.scored_invoices WHERE source_topic = %s AND source_incarnation = %d "+
		"AND source_partition = %d AND source_offset = %d",
		cmp.Or(o.Database, "recoup"), quoted(at.Topic), at.Incarnation, at.Partition, at.Offset)
}

// quoted returns a string as a literal of ClickHouse's SQL.
func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// Encode returns the case's JSON, the bytes that are published. The same case
// gives the same bytes; HTML characters are left as they are.
func (c *Case) Encode() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(c); err != nil {
		return nil, fmt.Errorf("cannot encode case %s: %w", c.CaseID, err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}
