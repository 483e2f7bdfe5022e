package cases

import (
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// Incident is what a case of kind incident knows beside its texts: which invoices
// it is about, what they come to and how far they were counted. Written into the
// case it is the whole memory of the incident.
type Incident struct {
	ID        string `json:"id"`        // case id of the incident's dedup key
	Key       string `json:"key"`       // dedup key
	Seller    string `json:"seller"`    // who billed
	Dimension string `json:"dimension"` // name of a detectors.Dimension: "release", "batch", "promotion" …
	Value     string `json:"value"`     // of that dimension: the members have it

	// Causes are the codes of first causes whose suspects are members, sorted; nil:
	// whatever the cause, because nearly all suspects of the value are of this trouble.
	Causes []string `json:"causes"`

	// Since is the event time, UTC, from which on the value has more suspects than usual.
	// Members may lie up to three days before it, and behind Until.
	Since time.Time `json:"since"`
	// Until is the event time up to which it does; zero in records of an older recoup.
	Until      time.Time `json:"until,omitzero"`
	LastMember time.Time `json:"last_member"` // when the newest member was decided, UTC
	Members    int64     `json:"members"`     // invoices
	// Expected is how many suspects of these causes as many invoices of the value
	// usually have, as of the last test.
	Expected float64 `json:"expected"`
	// Invoices is how many invoices of the value Expected and the test are about.
	Invoices int64   `json:"invoices"`
	P        float64 `json:"p_chance"` // that chance alone makes so many; 0: it was not tested

	// Money by currency, the one with most members first; never empty, never added up.
	Money []IncidentMoney `json:"money"`

	// Findings are what is wrong with the members, what explains most of them first; at
	// most ten.
	Findings []FindingCount `json:"findings"`
	// Batches are the billing runs of members, most members first; at most ten.
	Batches []ValueCount `json:"batches,omitempty"`
	// Held are those of Batches that a person holds back, sorted.
	Held []string `json:"held,omitempty"`
	// Aliases are other incident ids that workers gave to members, sorted.
	Aliases []string `json:"aliases,omitempty"`
	// Counted is the offset behind the last record of the decision log that was counted,
	// by its partition.
	Counted map[int]int64 `json:"counted"`
}

// Latest is Until, or what comes nearest to it in a record of an older recoup.
func (i *Incident) Latest() time.Time {
	if i.Until.IsZero() {
		return i.LastMember
	}
	return i.Until
}

// IncidentMoney is what members in one currency come to. The directions are never
// netted.
type IncidentMoney struct {
	Currency string         `json:"currency"`       // ISO 4217 code
	Members  int64          `json:"members"`        // of the currency
	TooLow   detectors.Loss `json:"too_low"`        // billed too little: sums of loss, ≥ 0
	TooHigh  detectors.Loss `json:"too_high"`       // billed too much: sums of loss with the sign turned, ≥ 0
	Recovery invoice.Amount `json:"recovery"`       // Σ p_error · |loss|: what working it may bring
	PerHour  invoice.Amount `json:"per_hour"`       // of the larger direction, at the pace of the last hour
	AtLeast  invoice.Amount `json:"per_hour_least"` // lower bound of that, 95 %: what pages go by
}

// FindingCount is how many members a finding was made of.
type FindingCount struct {
	Finding string `json:"finding"` // "<cause>:<kind>"
	Members int64  `json:"members"` // of which it is the first one
	Fits    int64  `json:"fits"`    // that its repair makes usual
	// Losses are those of Members, by currency.
	Losses map[string]Losses `json:"losses,omitempty"`
}

// Explains is how many members are told by the finding, or mended by its repair.
func (f *FindingCount) Explains() int64 { return max(f.Members, f.Fits) }

// Lose adds the loss of a member.
func (f *FindingCount) Lose(currency string, loss invoice.Amount) {
	if f.Losses == nil {
		f.Losses = map[string]Losses{}
	}
	sum := f.Losses[currency]
	sum.Add(loss)
	f.Losses[currency] = sum
}

// ValueCount is how many members have a value.
type ValueCount struct {
	Value   string `json:"value"`   // of some dimension
	Members int64  `json:"members"` // with it
}

// Member is an invoice that an incident is about.
type Member struct {
	Seller    string             `json:"seller"`                 // who billed
	InvoiceID string             `json:"invoice_id"`             // unique within the seller
	Revision  int64              `json:"revision"`               // of the invoice
	Customer  string             `json:"customer_ref,omitempty"` // pseudonym
	CaseID    string             `json:"case_id,omitempty"`      // of its own case, if it had one
	Currency  string             `json:"currency"`               // of Loss
	Loss      detectors.Loss     `json:"loss"`                   // > 0: billed too little
	Finding   string             `json:"finding"`                // "<cause>:<kind>" of its first cause
	At        invoice.Position   `json:"at"`                     // of its decision in the decision log
	IssuedAt  time.Time          `json:"issued_at"`              // event time, UTC
	Decision  detectors.Decision `json:"decision"`               // of the worker: open_case if it has a case of its own
}

// OwnerTeam is the team that can repair a cause (B5).
func OwnerTeam(cause string) string { return ownerTeam(cause) }
