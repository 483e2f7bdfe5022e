package cases

import (
	"time"

	"recoup/invoice"
)

// RecoverySchema is the "schema" of every record in recoup.recoveries.
const RecoverySchema = "recovery.v1"

// Option is a way to settle a case with its customer.
type Option string

// The options of the contract. All but OptionWriteOff and OptionFormalNotice are
// amicable.
const (
	OptionImmediate    Option = "immediate_payment" // the whole sum at once (A22)
	OptionInstalments  Option = "instalments"       // in parts (A23)
	OptionOffset       Option = "offset_next_order" // added to the next invoice, never taken off it (A24)
	OptionGoodwill     Option = "goodwill"          // with a gesture that costs something (A25)
	OptionWriteOff     Option = "write_off"         // nothing is asked for
	OptionFormalNotice Option = "formal_notice"     // refused before an amicable option failed (A26)
)

// OptionCredit is what a case proposes where too much was billed. It is not of
// recovery.v1: the credit note itself, once it comes, resolves the case.
const OptionCredit Option = "credit_note"

// Amicable tells whether the option asks and does not force.
func (o Option) Amicable() bool {
	switch o {
	case OptionImmediate, OptionInstalments, OptionOffset, OptionGoodwill:
		return true
	}
	return false
}

// Step is what happened in a recovery.
type Step string

// The steps of the contract, in the order they happen.
const (
	StepOffered    Step = "offered"     // to the customer
	StepAccepted   Step = "accepted"    // by the customer
	StepRefused    Step = "refused"     // by the customer
	StepScheduled  Step = "scheduled"   // one instalment of a plan
	StepPaid       Step = "paid"        // money came in
	StepFailed     Step = "failed"      // money that was due did not
	StepCompleted  Step = "completed"   // nothing is left to pay
	StepCancelled  Step = "cancelled"   // the agreement is taken back
	StepWrittenOff Step = "written_off" // the sum is given up
)

var (
	options = []Option{OptionImmediate, OptionInstalments, OptionOffset, OptionGoodwill, OptionWriteOff,
		OptionFormalNotice}
	steps = []Step{StepOffered, StepAccepted, StepRefused, StepScheduled, StepPaid, StepFailed, StepCompleted,
		StepCancelled, StepWrittenOff}
)

// Recovery is recovery.v1: one step of getting the money back.
type Recovery struct {
	EventID      string                 // unique; a repeat is ignored
	RecoveryID   string                 // the agreement or plan the step belongs to
	CaseID       string                 // the case, a UUID in small letters
	Option       Option                 // the way that is tried
	Event        Step                   // what happened
	Amount       invoice.Amount         // what the step is about, above 0
	Currency     string                 // ISO 4217 code of the amounts
	Instalment   int                    // its number, from 1; 0: absent
	Instalments  int                    // how many there are; 0: absent
	DueDate      time.Time              // when the instalment is due; zero: absent
	GoodwillCost invoice.OptionalAmount // what the gesture costs the seller; counted once, when accepted
	Channel      string                 // how the customer was reached or paid, at most 200 characters
	At           time.Time              // when it happened, UTC

	told implausible // At as the record has it
}

var recoveryTable = invoice.NewTable(RecoverySchema, []invoice.Column[Recovery]{
	{Name: "event_id", Form: invoice.Identity, Required: true, At: func(r *Recovery) any { return &r.EventID }},
	{Name: "recovery_id", Form: invoice.Identity, Required: true, At: func(r *Recovery) any { return &r.RecoveryID }},
	{Name: "case_id", Required: true, At: func(r *Recovery) any { return uuidText{&r.CaseID} }},
	{Name: "option", Required: true, At: func(r *Recovery) any { return oneOf(&r.Option, options) }},
	{Name: "event", Required: true, At: func(r *Recovery) any { return oneOf(&r.Event, steps) }},
	{Name: "amount", Required: true, At: func(r *Recovery) any { return &r.Amount }},
	{Name: "currency", Form: invoice.Currency, Required: true, At: func(r *Recovery) any { return &r.Currency }},
	{Name: "instalment", At: func(r *Recovery) any { return invoice.Count{At: &r.Instalment} }},
	{Name: "instalments", At: func(r *Recovery) any { return invoice.Count{At: &r.Instalments} }},
	{Name: "due_date", Form: invoice.Day, At: func(r *Recovery) any { return &r.DueDate }},
	{Name: "goodwill_cost", At: func(r *Recovery) any { return &r.GoodwillCost }},
	{Name: "channel", Form: invoice.Text, At: func(r *Recovery) any { return &r.Channel }},
	{Name: "at", Form: invoice.Instant, Required: true, At: func(r *Recovery) any { return &r.At }},
})

// DecodeRecovery reads one record of recoup.recoveries. The error is always an
// *invoice.DecodeError; the recovery shares no memory with data.
func DecodeRecovery(data []byte) (*Recovery, error) {
	return decode(recoveryTable, data, checkRecovery)
}

// Encode returns the record that DecodeRecovery reads back to the same recovery.
// The error is that of a recovery which DecodeRecovery would refuse.
func (r *Recovery) Encode() ([]byte, error) { return encode(recoveryTable, r, DecodeRecovery) }

// checkRecovery checks what no field shows by itself.
func checkRecovery(r *Recovery) *invoice.DecodeError {
	scheduled := r.Option == OptionInstalments && r.Event == StepScheduled
	switch {
	case r.Amount <= 0:
		return invoice.Refuse("amount", invoice.ReasonOutOfRange, "%v, want more than 0.00", r.Amount)
	case r.Instalments == 0 && (r.Instalment > 0 || scheduled):
		return invoice.Refuse("instalments", invoice.ReasonMissingField, "absent, want how many instalments there are")
	case r.Instalment == 0 && scheduled:
		return invoice.Refuse("instalment", invoice.ReasonMissingField, "absent, want its number, from 1")
	case r.DueDate.IsZero() && scheduled:
		return invoice.Refuse("due_date", invoice.ReasonMissingField, "absent, want when the instalment is due")
	case r.Option == OptionGoodwill && !r.GoodwillCost.Set:
		return invoice.Refuse("goodwill_cost", invoice.ReasonMissingField,
			"absent, want what the gesture costs, such as \"2.50\"")
	}
	return nil
}
