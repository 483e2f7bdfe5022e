package cases

import "time"

// Resolver says what resolved a case.
type Resolver string

// What resolves cases.
const (
	ResolvedByOutcome    Resolver = "outcome"        // somebody closed it
	ResolvedByCreditNote Resolver = "credit_note"    // the invoice was credited
	ResolvedByCorrection Resolver = "correction"     // a correction of the invoice came
	ResolvedByRevision   Resolver = "revision"       // a later revision of the invoice came
	ResolvedByDuplicate  Resolver = "duplicate_case" // another case is about the same invoice
	ResolvedByVoid       Resolver = "void"           // a process opened it that no longer owned the invoice
	ResolvedByItself     Resolver = "over"           // no more members, errors or silence
)

// Resolution says why a case was resolved.
type Resolution struct {
	By       Resolver  `json:"by"`                 // what did it
	At       time.Time `json:"at"`                 // when, UTC
	Document string    `json:"document,omitempty"` // number, or id, of the document that put the invoice right
}

// Watch is what a case of kind rate or blind saw. Of a rate it has Segment to Usual, of
// a blindness SourceSystem to Lag.
type Watch struct {
	Since time.Time `json:"since"` // when it began, UTC

	Segment  string  `json:"segment,omitempty"`       // "customer_type/product_family"
	Invoices int64   `json:"invoices,omitempty"`      // of the last 15 minutes
	Suspects int64   `json:"suspects,omitempty"`      // of these
	Lower    float64 `json:"lower_share,omitempty"`   // lower 95 % bound of their share
	Usual    float64 `json:"usual_share,omitempty"`   // the share of 28 days
	Reason   string  `json:"reason,omitempty"`        // silent, canary or lag
	Source   string  `json:"source_system,omitempty"` // that is not seen; "": all
	// UsualSilence is the longest that is usual at this hour, in seconds.
	UsualSilence int64 `json:"usual_silence_s,omitempty"`
	Lag          int64 `json:"lag,omitempty"` // records that wait
}
