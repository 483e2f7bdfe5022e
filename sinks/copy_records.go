package sinks

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"recoup/invoice"
)

// logRow is one row of a copied topic: a pointer to one of the records below.
type logRow interface {
	// flatten fills the columns that stand deeper in the record, and says what is
	// missing without which the row is of no use.
	flatten() error
	// place returns where the record came from, to be filled in.
	place() *origin
}

// origin is the end of every copied row.
type origin struct {
	Raw               string    `json:"-" ch:"raw"`
	ParseError        string    `json:"-" ch:"parse_error"`
	RecordedAt        time.Time `json:"-" ch:"recorded_at"`
	SourceTopic       string    `json:"-" ch:"source_topic"`
	SourceIncarnation int64     `json:"-" ch:"source_incarnation"`
	SourcePartition   uint32    `json:"-" ch:"source_partition"`
	SourceOffset      int64     `json:"-" ch:"source_offset"`
}

func (o *origin) place() *origin { return o }

// money is an invoice.Amount on its way from JSON to a Decimal column.
type money invoice.Amount

// UnmarshalText reads what invoice.ParseAmount reads; a JSON number is refused.
func (m *money) UnmarshalText(text []byte) error { return (*invoice.Amount)(m).UnmarshalText(text) }

// Value returns the decimal as text, which clickhouse-go reads exactly.
func (m money) Value() (driver.Value, error) { return invoice.Amount(m).String(), nil }

// optionalMoney is money that may be absent.
type optionalMoney struct {
	money money
	set   bool
}

// UnmarshalText reads what money reads.
func (m *optionalMoney) UnmarshalText(text []byte) error {
	m.set = true
	return m.money.UnmarshalText(text)
}

// Value returns the decimal as text, or nil.
func (m optionalMoney) Value() (driver.Value, error) {
	if !m.set {
		return nil, nil
	}
	return m.money.Value()
}

// moment is an instant, or a day that means its midnight in UTC. The zero value
// is stored as 1970: these columns hold no NULL.
type moment time.Time

// UnmarshalText reads RFC 3339 or a date.
func (m *moment) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		if t, err = time.Parse(time.DateOnly, string(text)); err != nil {
			return fmt.Errorf("cannot read instant %q: expected RFC 3339", text)
		}
	}
	*m = moment(t)
	return nil
}

// Value returns the instant, within the years ClickHouse has.
func (m moment) Value() (driver.Value, error) {
	if time.Time(m).IsZero() {
		return time.Unix(0, 0).UTC(), nil
	}
	return time.UnixMilli(clampInstant(time.Time(m).UnixMilli())).UTC(), nil
}

// optionalMoment is a moment whose zero value is absent.
type optionalMoment struct{ moment moment }

// UnmarshalText reads what moment reads.
func (m *optionalMoment) UnmarshalText(text []byte) error { return m.moment.UnmarshalText(text) }

// Value returns the instant, or nil.
func (m optionalMoment) Value() (driver.Value, error) {
	if time.Time(m.moment).IsZero() {
		return nil, nil
	}
	return m.moment.Value()
}

// caseEventRecord is case_event.v1.
type caseEventRecord struct {
	EventID              string         `json:"event_id" ch:"event_id"`
	CaseID               string         `json:"case_id" ch:"case_id"`
	InvoiceID            string         `json:"invoice_id" ch:"invoice_id"`
	Origin               string         `json:"origin" ch:"origin"`
	Status               string         `json:"status" ch:"status"`
	Outcome              string         `json:"outcome" ch:"outcome"`
	TrueCause            string         `json:"true_cause" ch:"true_cause"`
	CorrectAmount        optionalMoney  `json:"correct_amount" ch:"correct_amount"`
	ConfirmedLoss        optionalMoney  `json:"confirmed_loss" ch:"confirmed_loss"`
	Currency             string         `json:"currency" ch:"currency"`
	Direction            string         `json:"direction" ch:"direction"`
	InvoiceIsWrong       *bool          `json:"-" ch:"invoice_is_wrong"`
	InvoiceWasSent       *bool          `json:"-" ch:"invoice_was_sent"`
	DueDatePassed        *bool          `json:"-" ch:"due_date_passed"`
	At                   moment         `json:"at" ch:"at"`
	CustomerContactedAt  optionalMoment `json:"customer_contacted_at" ch:"customer_contacted_at"`
	DunningHold          *bool          `json:"dunning_hold" ch:"dunning_hold"`
	PaymentTermRestartAt optionalMoment `json:"payment_term_restart_at" ch:"payment_term_restart_at"`
	HandlingMinutes      *float64       `json:"handling_minutes" ch:"handling_minutes"`
	HandlingCost         optionalMoney  `json:"handling_cost" ch:"handling_cost"`
	Satisfaction         *float64       `json:"satisfaction" ch:"satisfaction"`
	CorrectiveAction     string         `json:"corrective_action" ch:"corrective_action"`
	DecidedByRole        string         `json:"decided_by_role" ch:"decided_by_role"`
	HoldBatchID          string         `json:"-" ch:"hold_batch_id"`
	HoldState            string         `json:"-" ch:"hold_state"`
	origin

	Verified struct {
		InvoiceIsWrong *bool `json:"invoice_is_wrong"`
		InvoiceWasSent *bool `json:"invoice_was_sent"`
		DueDatePassed  *bool `json:"due_date_passed"`
	} `json:"verified" ch:"-"`
	Hold struct {
		BatchID string `json:"batch_id"`
		State   string `json:"state"`
	} `json:"hold" ch:"-"`
}

func (r *caseEventRecord) flatten() error {
	v := r.Verified
	r.InvoiceIsWrong, r.InvoiceWasSent, r.DueDatePassed = v.InvoiceIsWrong, v.InvoiceWasSent, v.DueDatePassed
	r.HoldBatchID, r.HoldState = r.Hold.BatchID, r.Hold.State
	return requireEvent(r.EventID, r.At)
}

// recoveryRecord is recovery.v1.
type recoveryRecord struct {
	EventID      string         `json:"event_id" ch:"event_id"`
	RecoveryID   string         `json:"recovery_id" ch:"recovery_id"`
	CaseID       string         `json:"case_id" ch:"case_id"`
	Option       string         `json:"option" ch:"option"`
	Event        string         `json:"event" ch:"event"`
	Amount       money          `json:"amount" ch:"amount"`
	Currency     string         `json:"currency" ch:"currency"`
	Instalment   int64          `json:"instalment" ch:"instalment"`
	Instalments  int64          `json:"instalments" ch:"instalments"`
	DueDate      optionalMoment `json:"due_date" ch:"due_date"`
	GoodwillCost optionalMoney  `json:"goodwill_cost" ch:"goodwill_cost"`
	Channel      string         `json:"channel" ch:"channel"`
	At           moment         `json:"at" ch:"at"`
	origin
}

func (r *recoveryRecord) flatten() error { return requireEvent(r.EventID, r.At) }

// disputeRecord is dispute.v1.
type disputeRecord struct {
	EventID   string `json:"event_id" ch:"event_id"`
	Seller    string `json:"seller" ch:"seller"`
	InvoiceID string `json:"invoice_id" ch:"invoice_id"`
	Reason    string `json:"reason" ch:"reason"`
	At        moment `json:"at" ch:"at"`
	origin
}

func (r *disputeRecord) flatten() error { return requireEvent(r.EventID, r.At) }

// deadLetterRecord is dead_letter.v1.
type deadLetterRecord struct {
	Topic       string `json:"topic" ch:"topic"`
	Incarnation int64  `json:"incarnation" ch:"incarnation"`
	Partition   uint32 `json:"partition" ch:"partition"`
	Offset      int64  `json:"offset" ch:"offset"`
	Key         []byte `json:"key" ch:"key"`
	Value       []byte `json:"value" ch:"value"`
	ValueBytes  int64  `json:"value_bytes" ch:"value_bytes"`
	Cut         bool   `json:"cut" ch:"cut"`
	Stage       string `json:"stage" ch:"stage"`
	Reason      string `json:"reason" ch:"reason"`
	Field       string `json:"field" ch:"field"`
	Message     string `json:"message" ch:"message"`
	ReceivedAt  moment `json:"received_at" ch:"received_at"`
	At          moment `json:"at" ch:"at"`
	origin
}

func (r *deadLetterRecord) flatten() error {
	if r.Topic == "" {
		return errors.New("cannot read dead letter: topic is empty")
	}
	r.Raw = "" // value has the original: storing it twice would double the table
	return nil
}

func requireEvent(id string, at moment) error {
	if id == "" || time.Time(at).IsZero() {
		return fmt.Errorf("cannot read event %q: expected an event_id and the time it happened at", id)
	}
	return nil
}

// readLog reads one record of a topic. A record that cannot be read is kept
// raw, with the reason.
func readLog[T any, R interface {
	*T
	logRow
}](value []byte, from origin) logRow {
	row := R(new(T))
	*row.place() = from
	row.place().Raw = string(value)
	err := json.Unmarshal(value, row)
	if err == nil {
		err = row.flatten()
	}
	if err != nil {
		row = R(new(T))
		*row.place() = from
		row.place().Raw, row.place().ParseError = string(value), err.Error()
	}
	return row
}

// columnsOf returns the columns that a record fills, in the order of its fields.
func columnsOf(record reflect.Type) []string {
	var columns []string
	for i := range record.NumField() {
		f := record.Field(i)
		switch name := f.Tag.Get("ch"); {
		case name == "-":
		case f.Anonymous:
			columns = append(columns, columnsOf(f.Type)...)
		default:
			columns = append(columns, name)
		}
	}
	return columns
}
