package detectors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"recoup/invoice"
)

// Decision is what recoup does about an invoice.
type Decision string

// The decisions of the contract.
const (
	DecisionNone     Decision = "none"      // nothing to do
	DecisionOpenCase Decision = "open_case" // a person should look: a case is opened
	DecisionBundle   Decision = "bundle"    // part of an incident, no case of its own
	DecisionLogOnly  Decision = "log_only"  // costs more to handle than it would bring
	DecisionHold     Decision = "hold"      // pre_issue only: do not send yet
)

// Direction tells who gains by the error.
type Direction string

// The directions of the contract; the two are never netted.
const (
	DirectionNone           Direction = "none"
	DirectionCustomerFavour Direction = "customer_favour" // billed too little
	DirectionSellerFavour   Direction = "seller_favour"   // billed too much
)

// Level names the baseline an expectation was taken from, narrowest first.
type Level string

// The levels of the contract.
const (
	LevelCustomerProduct Level = "customer_product" // its products at the customer's own prices
	LevelCustomer        Level = "customer"         // what the customer usually pays
	LevelTypeProduct     Level = "type_product"     // its products at usual prices, or the cross of both margins
	LevelCustomerType    Level = "customer_type"    // margin
	LevelProductFamily   Level = "product_family"   // margin
	LevelSeller          Level = "seller"
	LevelNone            Level = "none" // no usable history
)

// Codes of the 15 % rule in Verdict.Rules; every other code is "<cause>:<kind>".
const (
	RuleCustomerType  = "deviation:customer_type"
	RuleProductFamily = "deviation:product_family"
	RuleSegment       = "deviation:segment" // the cross of both margins
)

// RuleImplausibleTime stands in Verdict.Rules of an invoice that claims to be
// issued long after its record was written; the record's time is used instead.
const RuleImplausibleTime = "time:implausible"

// Cause codes of the contract, as they stand in Finding.Code.
const (
	CauseDataEntry        = "data_entry"
	CauseBillingSystem    = "billing_system"
	CausePromotion        = "promotion"
	CauseCRMSync          = "crm_sync"
	CauseDuplicate        = "duplicate"
	CausePriceList        = "price_list"
	CauseBeforeShipment   = "before_shipment"
	CauseMissingAdminData = "missing_admin_data"
	CauseUnknown          = "unknown"
)

// Basis says whether the amounts of a verdict include tax.
type Basis string

// The bases of the contract.
const (
	BasisGross Basis = "gross"
	BasisNet   Basis = "net"
)

// Verdict is what scoring says of one invoice (verdict.v1). Its JSON form is
// the contract: the decision log, the case, the stored row and `recoup score`
// all carry it. A decoded verdict encodes to the same bytes again. Amounts are
// what the customer pays (see AmountBasis).
//
// A verdict that Engine.Score filled is valid until the engine's next Score, and
// Seller, InvoiceID and Currency only as long as the invoice: Clone it to keep it.
type Verdict struct {
	Schema       string           `json:"schema"`                // "verdict.v1"
	Seller       string           `json:"seller"`                // whose baselines were used
	InvoiceID    string           `json:"invoice_id"`            // unique within the seller
	Revision     int64            `json:"revision"`              // of the invoice, 0 for its first form
	Stage        invoice.Stage    `json:"stage"`                 // "issued" or "pre_issue" as text
	Suspect      bool             `json:"suspect"`               // PError reached the suspect threshold
	PError       float64          `json:"p_error"`               // probability of an error, 0 to 1
	Decision     Decision         `json:"decision"`              // what recoup does about it
	Direction    Direction        `json:"direction"`             // sign of Loss.Point in words
	Rules        []string         `json:"rules"`                 // what fired but for hints, in a fixed order; never null
	AmountBasis  Basis            `json:"amount_basis"`          // whether the amounts include tax
	Currency     string           `json:"currency"`              // ISO 4217 code of every amount
	Billed       invoice.Amount   `json:"billed"`                // what the invoice asks for
	Expected     invoice.Amount   `json:"expected"`              // 0 when Level is none
	ExpectedLow  invoice.Amount   `json:"expected_low"`          // 95 % band
	ExpectedHigh invoice.Amount   `json:"expected_high"`         // 95 % band
	Level        Level            `json:"level"`                 // baseline behind Expected
	N            int64            `json:"n"`                     // invoices behind the expectation
	CV           float64          `json:"cv"`                    // coefficient of variation of that baseline
	DeviationPct float64          `json:"deviation_pct"`         // (Billed-Expected)/Expected, per cent; 0 at Level none
	Loss         Loss             `json:"loss"`                  // zero when nothing fired
	Causes       []Finding        `json:"causes"`                // proofs first, then most probable first; never null
	Taught       bool             `json:"taught"`                // the amount went into the baselines
	LateBy       Delay            `json:"late_by_ms"`            // behind the newest known of the seller in this partition
	IncidentID   string           `json:"incident_id,omitempty"` // "" outside an incident
	CaseID       string           `json:"case_id,omitempty"`     // "" unless a case was opened
	Model        Model            `json:"model"`                 // what to derive it again with
	Source       invoice.Position `json:"source"`                // record the invoice came in
}

// VerdictSchema is the "schema" of every verdict.
const VerdictSchema = "verdict.v1"

// MarshalJSON writes verdict.v1. Lists are never null, and HTML characters stay
// as they are.
func (v Verdict) MarshalJSON() ([]byte, error) {
	type plain Verdict // without this method
	p := plain(v)
	if p.Rules == nil {
		p.Rules = []string{}
	}
	if p.Causes == nil {
		p.Causes = []Finding{}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&p); err != nil {
		return nil, fmt.Errorf("cannot encode verdict of invoice %q: %w", v.InvoiceID, err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// leastTold is the probability from which a finding stands in Rules. What is less
// counts in PError and stands among Causes, but would send a person after nothing
// nine times of ten.
const leastTold = 0.1

// Hint tells whether a finding is too improbable to act on.
func (f *Finding) Hint() bool { return f.P < leastTold }

// sameSlip tells whether two findings say the same of the same figures: that an
// amount is wrong, and which digits of it.
func sameSlip(a, b *Finding) bool {
	if a.Code == CauseDataEntry {
		a, b = b, a
	}
	return a.Code == CauseBillingSystem && b.Code == CauseDataEntry &&
		(a.Kind == "line_net" && b.Kind == "line_amount" || a.Kind == "line_sum" && b.Kind == "net_amount")
}

// leaveOut takes out of ordered causes the less probable one of two on the same
// slip, and out of Rules what is hardly probable. A suspect's first cause stays.
func (v *Verdict) leaveOut() {
	causes := v.Causes[:0]
	for i := range v.Causes {
		f := v.Causes[i]
		if !slices.ContainsFunc(causes, func(before Finding) bool {
			return sameSlip(&f, &before)
		}) {
			causes = append(causes, f)
		}
	}
	v.Causes = causes
	v.Rules = slices.DeleteFunc(v.Rules, func(rule string) bool {
		at := slices.IndexFunc(causes, func(f Finding) bool { return f.hasRule(rule) })
		if at < 0 {
			return !strings.HasPrefix(rule, "deviation:")
		}
		return causes[at].Hint() && !(v.Suspect && at == 0)
	})
}

// rule is the finding's code in Verdict.Rules.
func (f *Finding) rule() string { return f.Code + ":" + f.Kind }

// hasRule tells whether that is the finding's rule.
func (f *Finding) hasRule(rule string) bool {
	kind, ok := strings.CutPrefix(rule, f.Code)
	return ok && len(kind) > 0 && kind[0] == ':' && kind[1:] == f.Kind
}

// Clone returns a copy that shares nothing with v or its invoice.
func (v *Verdict) Clone() *Verdict {
	c := *v
	c.Seller, c.InvoiceID = strings.Clone(v.Seller), strings.Clone(v.InvoiceID)
	c.Currency, c.Source.Topic = strings.Clone(v.Currency), strings.Clone(v.Source.Topic)
	c.Rules, c.Causes = slices.Clone(v.Rules), slices.Clone(v.Causes)
	for i := range c.Causes {
		c.Causes[i].Evidence = slices.Clone(c.Causes[i].Evidence)
		for k, sentence := range c.Causes[i].Evidence {
			c.Causes[i].Evidence[k] = strings.Clone(sentence)
		}
	}
	return &c
}

// Delay is how late an event is, in whole milliseconds; JSON carries their number.
type Delay time.Duration

// Milliseconds returns the delay as JSON carries it.
func (d Delay) Milliseconds() int64 { return time.Duration(d).Milliseconds() }

// String returns the delay like a time.Duration: "36h0m0s".
func (d Delay) String() string { return time.Duration(d).String() }

// MarshalJSON writes the number of milliseconds.
func (d Delay) MarshalJSON() ([]byte, error) {
	return strconv.AppendInt(nil, d.Milliseconds(), 10), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Delay) UnmarshalJSON(data []byte) error {
	ms, err := strconv.ParseInt(string(data), 10, 64)
	if err != nil || ms < 0 || ms > mostDelayMS {
		return fmt.Errorf("cannot read delay %q: want whole milliseconds, 0 to %d", data, mostDelayMS)
	}
	*d = delayOf(ms)
	return nil
}

// mostDelayMS is the longest delay a time.Duration holds: 292 years.
const mostDelayMS = int64(1<<63-1) / int64(time.Millisecond)

func delayOf(ms int64) Delay { return Delay(min(ms, mostDelayMS) * int64(time.Millisecond)) }

// Loss is the money at stake: positive when billed too little, negative when
// billed too much. Low ≤ Point ≤ High.
type Loss struct {
	Point invoice.Amount `json:"point"` // best estimate
	Low   invoice.Amount `json:"low"`   // what ExpectedLow would make of it, or Point
	High  invoice.Amount `json:"high"`  // what ExpectedHigh would make of it, or Point
}

// Finding is one detector's answer to "which single change would make this
// invoice usual?".
type Finding struct {
	Code     string         `json:"code"`            // a Cause constant
	Kind     string         `json:"kind"`            // the error within the cause; "<code>:<kind>" stands in Rules
	P        float64        `json:"p"`               // probability that this is the cause of an error, 0 to 1
	Evidence []string       `json:"evidence"`        // English sentences with the numbers compared
	Repaired invoice.Amount `json:"repaired_amount"` // what the customer should have paid

	// estimated: Repaired rests on what is usual, not on figures that prove it. The loss
	// of such a finding is an interval.
	estimated bool
}

// Model names what produced a verdict, so that it can be derived again.
type Model struct {
	Version       string `json:"version"`         // "prior-1" until a model is trained
	ConfigHash    string `json:"config_hash"`     // of the scoring settings, 16 hex digits
	ReferenceAsOf string `json:"reference_as_of"` // RFC 3339, empty without references
	FeedbackAsOf  string `json:"feedback_as_of"`  // RFC 3339, empty without outcomes
	// Recovery is what Decision was weighed by; zero: not known, all is taken to come back.
	Recovery RecoveryRate `json:"recovery,omitzero"`
}
