package cases

import (
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// EventSchema is the "schema" of every record in recoup.case-events.
const EventSchema = "case_event.v1"

// Origin says who found an error.
type Origin string

// The origins of the contract.
const (
	OriginDetector Origin = "detector"         // recoup
	OriginDispute  Origin = "customer_dispute" // the customer, before recoup
	OriginAudit    Origin = "audit_sample"     // somebody who checked a random sample
	OriginInternal Origin = "internal"         // somebody else in the company
)

// Status is the step a case has reached (B11).
type Status string

// The steps of the contract, in their order. StatusReopened alone leads back.
const (
	StatusOpened       Status = "opened"       // nobody has looked
	StatusAcknowledged Status = "acknowledged" // somebody took it
	StatusVerified     Status = "verified"     // the facts are checked (D1)
	StatusDecided      Status = "decided"      // the outcome stands
	StatusClosed       Status = "closed"       // nothing is left to do
	StatusReopened     Status = "reopened"     // the decision or the closing is taken back
)

// Outcome is what a case turned out to be: the label recoup learns from.
type Outcome string

// The outcomes of the contract.
const (
	OutcomeConfirmed      Outcome = "confirmed_error" // the invoice was wrong
	OutcomeNotAnError     Outcome = "not_an_error"    // it was right
	OutcomeExpectedChange Outcome = "expected_change" // it was right, and so will be the next ones
	OutcomeDuplicate      Outcome = "duplicate_case"  // another case is about the same
	OutcomeUndetermined   Outcome = "undetermined"    // nobody can tell, or a person chose otherwise (B19)
)

// HoldState is what was done with a billing run.
type HoldState string

// The states of the contract.
const (
	Held     HoldState = "held"     // do not send
	Released HoldState = "released" // go on
)

var (
	origins  = []Origin{OriginDetector, OriginDispute, OriginAudit, OriginInternal}
	statuses = []Status{StatusOpened, StatusAcknowledged, StatusVerified, StatusDecided, StatusClosed, StatusReopened}
	outcomes = []Outcome{OutcomeConfirmed, OutcomeNotAnError, OutcomeExpectedChange, OutcomeDuplicate,
		OutcomeUndetermined}
	trueCauses = []string{detectors.CauseDataEntry, detectors.CauseBillingSystem, detectors.CausePromotion,
		detectors.CauseCRMSync, detectors.CauseDuplicate, detectors.CausePriceList, detectors.CauseBeforeShipment,
		detectors.CauseMissingAdminData, detectors.CauseUnknown}
	directions = []detectors.Direction{detectors.DirectionNone, detectors.DirectionCustomerFavour,
		detectors.DirectionSellerFavour}
	holdStates = []HoldState{Held, Released}
)

// Event is case_event.v1: what a person or the case system did with a case, or
// with a whole billing run. Of a case it has CaseID and Status, of a run Hold.
// What was not said is absent: "", the zero Time, Set == false or nil.
type Event struct {
	EventID   string  // unique; a repeat is ignored
	CaseID    string  // the case, a UUID in small letters; "" for a hold of a run
	InvoiceID string  // the invoice, when known
	Origin    Origin  // who found the error
	Status    Status  // the step reached
	Outcome   Outcome // what it turned out to be; never absent when decided
	TrueCause string  // the cause a person confirmed, one of detectors' Cause constants

	CorrectAmount invoice.OptionalAmount // what the customer should have paid
	ConfirmedLoss invoice.OptionalAmount // correct amount − billed amount
	Currency      string                 // ISO 4217 code of every amount here; never absent beside one
	Direction     detectors.Direction    // who gained by the error
	Verified      *Verified              // what was made sure of before acting (D1)

	At                   time.Time // when it happened, UTC
	CustomerContactedAt  time.Time // first contact with the customer
	DunningHold          *bool     // the claim is disputed: no reminders, no interest (E10)
	PaymentTermRestartAt time.Time // from when the payment term runs again (E10)

	HandlingMinutes *float64               // working time spent on this step; those of a case add up
	HandlingCost    invoice.OptionalAmount // what this step cost; those of a case add up
	Satisfaction    *int                   // of the customer, 1 (bad) to 5 (good)

	CorrectiveAction string // what was changed so that it does not return, at most 200 characters
	DecidedByRole    string // role of the person, never a name, at most 200 characters
	Hold             *Hold  // a billing run was held back or let go

	told implausible // At as the record has it
}

// Verified says what was made sure of; nil: not said.
type Verified struct {
	InvoiceIsWrong *bool // the facts were checked
	InvoiceWasSent *bool // the customer has it
	DueDatePassed  *bool // payment is late
}

// Hold is what was done with a billing run.
type Hold struct {
	BatchID string    // the billing run
	Seller  string    // whose run; "": that of every seller who has one of this name
	State   HoldState // what was done with it
}

var verifiedTable = invoice.NewTable("", []invoice.Column[Verified]{
	{Name: "invoice_is_wrong", At: func(v *Verified) any { return &v.InvoiceIsWrong }},
	{Name: "invoice_was_sent", At: func(v *Verified) any { return &v.InvoiceWasSent }},
	{Name: "due_date_passed", At: func(v *Verified) any { return &v.DueDatePassed }},
})

var holdTable = invoice.NewTable("", []invoice.Column[Hold]{
	{Name: "batch_id", Form: invoice.Identity, Required: true, At: func(h *Hold) any { return &h.BatchID }},
	{Name: "seller", Form: invoice.Identity, At: func(h *Hold) any { return &h.Seller }},
	{Name: "state", Required: true, At: func(h *Hold) any { return oneOf(&h.State, holdStates) }},
})

var eventTable = invoice.NewTable(EventSchema, []invoice.Column[Event]{
	{Name: "event_id", Form: invoice.Identity, Required: true, At: func(e *Event) any { return &e.EventID }},
	{Name: "case_id", At: func(e *Event) any { return uuidText{&e.CaseID} }},
	{Name: "invoice_id", Form: invoice.Identity, At: func(e *Event) any { return &e.InvoiceID }},
	{Name: "origin", At: func(e *Event) any { return oneOf(&e.Origin, origins) }},
	{Name: "status", At: func(e *Event) any { return oneOf(&e.Status, statuses) }},
	{Name: "outcome", At: func(e *Event) any { return oneOf(&e.Outcome, outcomes) }},
	{Name: "true_cause", At: func(e *Event) any { return oneOf(&e.TrueCause, trueCauses) }},
	{Name: "correct_amount", At: func(e *Event) any { return &e.CorrectAmount }},
	{Name: "confirmed_loss", At: func(e *Event) any { return &e.ConfirmedLoss }},
	{Name: "currency", Form: invoice.Currency, At: func(e *Event) any { return &e.Currency }},
	{Name: "direction", At: func(e *Event) any { return oneOf(&e.Direction, directions) }},
	{Name: "verified", At: func(e *Event) any { return verifiedTable.Inside(&e.Verified) }},
	{Name: "at", Form: invoice.Instant, Required: true, At: func(e *Event) any { return &e.At }},
	{Name: "customer_contacted_at", Form: invoice.Instant, At: func(e *Event) any { return &e.CustomerContactedAt }},
	{Name: "dunning_hold", At: func(e *Event) any { return &e.DunningHold }},
	{Name: "payment_term_restart_at", Form: invoice.Day, At: func(e *Event) any { return &e.PaymentTermRestartAt }},
	{Name: "handling_minutes", At: func(e *Event) any { return &e.HandlingMinutes }},
	{Name: "handling_cost", At: func(e *Event) any { return &e.HandlingCost }},
	{Name: "satisfaction", At: func(e *Event) any { return &e.Satisfaction }},
	{Name: "corrective_action", Form: invoice.Text, At: func(e *Event) any { return &e.CorrectiveAction }},
	{Name: "decided_by_role", Form: invoice.Text, At: func(e *Event) any { return &e.DecidedByRole }},
	{Name: "hold", At: func(e *Event) any { return holdTable.Inside(&e.Hold) }},
})

// DecodeEvent reads one record of recoup.case-events. The error is always an
// *invoice.DecodeError; the event shares no memory with data.
func DecodeEvent(data []byte) (*Event, error) { return decode(eventTable, data, checkEvent) }

// Encode returns the record that DecodeEvent reads back to the same event. The
// error is that of an event which DecodeEvent would refuse.
func (e *Event) Encode() ([]byte, error) { return encode(eventTable, e, DecodeEvent) }

// checkEvent checks what no field shows by itself.
func checkEvent(e *Event) *invoice.DecodeError {
	switch {
	case e.CaseID == "" && e.Hold == nil:
		return invoice.Refuse("case_id", invoice.ReasonMissingField, "absent, want the case, or hold for a billing run")
	case e.Status == "" && e.Hold == nil:
		return invoice.Refuse("status", invoice.ReasonMissingField, "absent, want one of %q", statuses)
	case e.Status == StatusDecided && e.Outcome == "":
		return invoice.Refuse("outcome", invoice.ReasonMissingField, "absent although decided, want one of %q", outcomes)
	case e.Currency == "" && (e.CorrectAmount.Set || e.ConfirmedLoss.Set || e.HandlingCost.Set):
		return invoice.Refuse("currency", invoice.ReasonMissingField, "absent beside an amount, want its ISO 4217 code")
	case e.Satisfaction != nil && (*e.Satisfaction < 1 || *e.Satisfaction > 5):
		return invoice.Refuse("satisfaction", invoice.ReasonOutOfRange, "%d, want 1 (bad) to 5 (good)", *e.Satisfaction)
	}
	return nil
}
