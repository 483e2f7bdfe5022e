package story

import (
	"fmt"
	"math/rand/v2"
	"time"

	"recoup/cases"
	"recoup/invoice"
)

// Topic says where a message belongs.
type Topic int

// The topics that people write to.
const (
	CaseEvents Topic = iota // case_event.v1, keyed by case_id
	Recoveries              // recovery.v1, keyed by case_id
	Disputes                // dispute.v1, keyed by invoice_id
)

// Message is one event, ready to be sent.
type Message struct {
	Topic Topic     // where to
	Key   string    // of the record
	Value []byte    // JSON by the contract
	At    time.Time // when it happens, in virtual time
}

// writer notes what happens around one case, in its order.
type writer struct {
	dice      *rand.Rand
	ledger    *Ledger
	caseID    string
	role      string // "case" or "invoice": keeps event ids apart
	invoiceID string
	currency  string
	origin    cases.Origin
	now       time.Time // virtual; only wait moves it
	began     time.Time // what now was first
	hurried   bool      // events follow at once, whatever now is
	events    int       // named so far
	plans     int       // recoveries begun so far
	paid      invoice.Amount
	messages  []Message
}

// chance is true in this share of all cases.
func (w *writer) chance(share float64) bool { return w.dice.Float64() < share }

// wait lets some time pass, to the second.
func (w *writer) wait(least, most time.Duration) {
	seconds := int64((most - least) / time.Second)
	w.now = w.now.Add(least + time.Duration(w.dice.Int64N(seconds+1))*time.Second)
}

// at is when the event last named happens.
func (w *writer) at() time.Time {
	if w.hurried {
		return w.began.Add(time.Duration(w.events) * time.Millisecond)
	}
	return w.now
}

// nextID names the next event.
func (w *writer) nextID() string {
	w.events++
	return fmt.Sprintf("%s-%s-%02d", w.caseID, w.role, w.events)
}

// event fills in what every case event has, and writes it.
func (w *writer) event(e cases.Event) {
	e.EventID, e.CaseID, e.InvoiceID = w.nextID(), w.caseID, w.invoiceID
	e.Origin, e.At = w.origin, w.at()
	if e.CorrectAmount.Set || e.ConfirmedLoss.Set || e.HandlingCost.Set {
		e.Currency = w.currency
	}
	w.ledger.event(&e)
	w.send(CaseEvents, w.caseID, &e)
}

// recovery fills in what every step of a recovery has, and writes it.
func (w *writer) recovery(r cases.Recovery) {
	r.EventID, r.CaseID, r.Currency, r.At = w.nextID(), w.caseID, w.currency, w.at()
	r.RecoveryID = fmt.Sprintf("%s-plan-%d", w.caseID, w.plans)
	if r.Event == cases.StepPaid {
		w.paid += r.Amount
	}
	w.ledger.recovery(&r)
	w.send(Recoveries, w.caseID, &r)
}

// send adds a message.
func (w *writer) send(topic Topic, key string, record interface{ Encode() ([]byte, error) }) {
	value, err := record.Encode()
	if err != nil {
		panic("a record that people wrote is always encodable: " + err.Error())
	}
	w.messages = append(w.messages, Message{Topic: topic, Key: key, Value: value, At: w.at()})
}

// amount is an amount that is there.
func amount(a invoice.Amount) invoice.OptionalAmount {
	return invoice.OptionalAmount{Value: a, Set: true}
}
