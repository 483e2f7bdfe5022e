package sinks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// Reader reads what recoup stored and changes nothing. It may be used by several
// goroutines.
type Reader struct {
	client *client

	mu     sync.Mutex  // guards what follows
	inside driver.Conn // connections that begin in the database; nil before the first Ask
	closed bool        // nothing is opened any more
}

// OpenReader returns a reader. Nothing is dialled before the first question.
func OpenReader(s Settings) (*Reader, error) {
	c, err := connect(s)
	if err != nil {
		return nil, err
	}
	return &Reader{client: c}, nil
}

// Close closes its connections. Who asks later gets an error.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	var err error
	if r.inside != nil {
		err = r.inside.Close()
	}
	return errors.Join(err, r.client.close())
}

// Lookup says which rows are meant.
type Lookup struct {
	// InvoiceID is the technical id, as it came.
	InvoiceID string
	// Seller of the invoice; "" for any.
	Seller string
	// Revision of the invoice; nil for any.
	Revision *int64
	// At is the topic, partition and offset of the record, whatever its
	// incarnation; nil for any.
	At *invoice.Position
}

// Matches tells whether a verdict is one of those meant.
func (l *Lookup) Matches(v *detectors.Verdict) bool {
	at := v.Source
	return v.InvoiceID == l.InvoiceID && (l.Seller == "" || v.Seller == l.Seller) &&
		(l.Revision == nil || v.Revision == *l.Revision) &&
		(l.At == nil || (at.Topic == l.At.Topic && at.Partition == l.At.Partition && at.Offset == l.At.Offset))
}

// Stored is a row of scored_invoices with the lines behind it.
type Stored struct {
	Invoice    invoice.Invoice   // as it was decoded
	Verdict    detectors.Verdict // what was decided of it
	ReceivedAt time.Time         // Kafka timestamp of the record, UTC
	StoredAt   time.Time         // server's clock, UTC
}

// mostFound bounds how many rows one question gives.
const mostFound = 100

// Invoices returns the rows of one invoice id, the one issued last first, without
// their lines; at most 100.
func (r *Reader) Invoices(ctx context.Context, l Lookup) ([]Stored, error) {
	where := []string{"invoice_id = {id:String}"}
	parameters := map[string]string{"id": l.InvoiceID}
	add := func(condition, name, value string) {
		where = append(where, condition)
		parameters[name] = value
	}
	if l.Seller != "" {
		add("seller = {seller:String}", "seller", l.Seller)
	}
	if l.Revision != nil {
		add("revision = {revision:Int64}", "revision", fmt.Sprint(*l.Revision))
	}
	if l.At != nil {
		add("source_topic = {topic:String}", "topic", l.At.Topic)
		add("source_partition = {partition:UInt32}", "partition", fmt.Sprint(l.At.Partition))
		add("source_offset = {offset:Int64}", "offset", fmt.Sprint(l.At.Offset))
	}
	var found []Stored
	// A row that a paused process stored a second time is there for a minute; the
	// one of the higher epoch stays.
	err := r.client.each(ctx, statement{parameters: parameters, sql: "SELECT " + newStoredRow().cells.selection() +
		" FROM " + r.client.in(tableInvoices) + " WHERE " + strings.Join(where, " AND ") +
		" ORDER BY issued_at DESC, source_topic, source_incarnation DESC, source_partition, source_offset DESC, " +
		"owner_epoch DESC LIMIT 1 BY source_topic, source_incarnation, source_partition, source_offset " +
		fmt.Sprintf("LIMIT %d", mostFound)},
		func(scan func(...any) error) error {
			s, err := newStoredRow().read(scan)
			found = append(found, s)
			return err
		})
	if err != nil {
		return nil, explain(fmt.Sprintf("look for invoice %q", l.InvoiceID), err)
	}
	return found, nil
}

// Lines reads the lines of a row into its invoice.
func (r *Reader) Lines(ctx context.Context, s *Stored) error {
	s.Invoice.Lines = nil
	columns := lineCells(new(invoice.Line)).selection()
	err := r.client.each(ctx, statement{parameters: positionParameters(s), sql: "SELECT " + columns + " FROM " +
		r.client.in(tableLines) + " WHERE seller = {seller:String} AND invoice_id = {id:String} AND " + atPosition +
		" ORDER BY line_index, owner_epoch DESC LIMIT 1 BY line_index"},
		func(scan func(...any) error) error {
			var l invoice.Line
			err := lineCells(&l).read(scan)
			s.Invoice.Lines = append(s.Invoice.Lines, l)
			return err
		})
	if err != nil {
		return explain(fmt.Sprintf("read the lines of invoice %q", s.Invoice.ID), err)
	}
	return nil
}

// atPosition finds the rows of one record.
const atPosition = "source_topic = {topic:String} AND source_incarnation = {incarnation:Int64} AND " +
	"source_partition = {partition:UInt32} AND source_offset = {offset:Int64}"

func positionParameters(s *Stored) map[string]string {
	at := s.Verdict.Source
	return map[string]string{"seller": s.Invoice.Seller, "id": s.Invoice.ID, "topic": at.Topic,
		"incarnation": fmt.Sprint(at.Incarnation), "partition": fmt.Sprint(at.Partition), "offset": fmt.Sprint(at.Offset)}
}

// Numbered returns the ids of the invoices that carry a number, which is what
// customers read, with their sellers; at most 100.
func (r *Reader) Numbered(ctx context.Context, number string) ([]InvoiceName, error) {
	var found []InvoiceName
	err := r.client.each(ctx, statement{parameters: map[string]string{"number": number}, sql: "SELECT DISTINCT seller, " +
		"invoice_id FROM " + r.client.in(tableInvoices) + " WHERE invoice_number = {number:String} " +
		fmt.Sprintf("ORDER BY seller, invoice_id LIMIT %d", mostFound)},
		func(scan func(...any) error) error {
			var n InvoiceName
			err := scan(&n.Seller, &n.ID)
			found = append(found, n)
			return err
		})
	if err != nil {
		return nil, explain(fmt.Sprintf("look for invoice number %q", number), err)
	}
	return found, nil
}

// InvoiceName names an invoice.
type InvoiceName struct {
	Seller string // who bills
	ID     string // unique within the seller
}

// Earlier is an invoice that came before another and has something in common with it.
type Earlier struct {
	InvoiceName
	Revision int64          // of the invoice
	IssuedAt time.Time      // UTC
	Billed   invoice.Amount // what its customer pays
	Currency string         // ISO 4217 code of Billed
	Decision string         // what was decided of it
}

// Before returns the invoices of the same identity, delivery or customer that
// were issued within 35 days before a row, or came before it in its partition,
// and that a text of its evidence mentions or that share its id; oldest first, at
// most 100. Which of those the evidence means is for the caller to see.
func (r *Reader) Before(ctx context.Context, s *Stored, evidence string) ([]Earlier, error) {
	parameters := positionParameters(s)
	for name, value := range map[string]string{"evidence": evidence, "delivery": s.Invoice.DeliveryRef,
		"customer": s.Invoice.CustomerRef, "issued": fmt.Sprint(s.Invoice.IssuedAt.UnixMilli())} {
		parameters[name] = value
	}
	var found []Earlier
	err := r.client.each(ctx, statement{parameters: parameters, sql: "SELECT seller, invoice_id, revision, issued_at, " +
		"toString(billed), currency, decision FROM " + r.client.in(tableInvoices) + " WHERE seller = {seller:String} AND " +
		"cohort_day BETWEEN toDate(fromUnixTimestamp64Milli({issued:Int64}, 'UTC')) - 36 AND " +
		"toDate(fromUnixTimestamp64Milli({issued:Int64}, 'UTC')) + 36 AND (invoice_id = {id:String} OR " +
		"(position({evidence:String}, invoice_id) > 0 AND ((delivery_ref != '' AND delivery_ref = {delivery:String}) OR " +
		"customer_ref = {customer:String}))) AND NOT (" + atPosition + ") AND " +
		"(issued_at <= fromUnixTimestamp64Milli({issued:Int64}, 'UTC') OR (source_topic = {topic:String} AND " +
		"source_incarnation = {incarnation:Int64} AND source_partition = {partition:UInt32} AND " +
		"source_offset < {offset:Int64})) " +
		"ORDER BY issued_at, source_partition, source_offset " +
		"LIMIT 1 BY source_topic, source_incarnation, source_partition, source_offset " + fmt.Sprintf("LIMIT %d", mostFound)},
		func(scan func(...any) error) error {
			var e Earlier
			var billed string
			if err := scan(&e.Seller, &e.ID, &e.Revision, &e.IssuedAt, &billed, &e.Currency, &e.Decision); err != nil {
				return err
			}
			var err error
			e.Billed, err = invoice.ParseAmount(billed)
			found = append(found, e)
			return err
		})
	if err != nil {
		return nil, explain(fmt.Sprintf("look for what came before invoice %q", s.Invoice.ID), err)
	}
	return found, nil
}

// CaseState is a case as its last record has it, and what people did with it.
type CaseState struct {
	Case           cases.Case             // the record of the highest seq
	Status         string                 // last step of people, such as acknowledged; "" before any
	Outcome        string                 // what it turned out to be; "" before a decision
	Cause          string                 // what a person confirmed; "" before
	Open           bool                   // somebody still has to do something
	AcknowledgedAt time.Time              // UTC; zero before
	DecidedAt      time.Time              // UTC; zero before
	ClosedAt       time.Time              // UTC; zero before
	ConfirmedLoss  invoice.OptionalAmount // in the case's currency
	Paid           invoice.Amount         // what came back, in the case's currency
}

// Case returns the state of a case; ok is false when none of its records has
// been copied into ClickHouse.
func (r *Reader) Case(ctx context.Context, seller, caseID string) (state CaseState, ok bool, err error) {
	parameters := map[string]string{"seller": seller, "case": caseID}
	err = r.client.each(ctx, statement{parameters: parameters, sql: "SELECT raw FROM " + r.client.in("cases") +
		" WHERE seller = {seller:String} AND case_id = {case:String} AND parse_error = '' " +
		"ORDER BY seq DESC, source_partition, source_offset LIMIT 1"},
		func(scan func(...any) error) error {
			var raw string
			if err := scan(&raw); err != nil {
				return err
			}
			ok = true
			return json.Unmarshal([]byte(raw), &state.Case)
		})
	if err != nil || !ok {
		return CaseState{}, false, wrapped("read case "+caseID, err)
	}
	err = r.client.each(ctx, statement{parameters: parameters, sql: "SELECT status, outcome, true_cause, is_open, " +
		"acknowledged_at, decided_at, closed_at, toString(confirmed_loss), toString(paid) FROM " +
		r.client.in("case_now") + " WHERE case_id = {case:String}"},
		func(scan func(...any) error) error {
			var acknowledged, decided, closed *time.Time
			var lost *string
			var paid string
			if err := scan(&state.Status, &state.Outcome, &state.Cause, &state.Open, &acknowledged, &decided, &closed, &lost,
				&paid); err != nil {
				return err
			}
			state.AcknowledgedAt, state.DecidedAt, state.ClosedAt = orZero(acknowledged), orZero(decided), orZero(closed)
			var err error
			if lost != nil {
				state.ConfirmedLoss.Set = true
				if state.ConfirmedLoss.Value, err = invoice.ParseAmount(*lost); err != nil {
					return err
				}
			}
			state.Paid, err = invoice.ParseAmount(paid)
			return err
		})
	return state, err == nil, wrapped("read the state of case "+caseID, err)
}

// Life returns what people did with a case, as far as it has been copied into
// ClickHouse. Records that cannot be read are left out, as everywhere.
func (r *Reader) Life(ctx context.Context, caseID string) (*cases.Life, error) {
	life := &cases.Life{}
	for table, apply := range map[string]func(raw []byte){
		"case_events": func(raw []byte) {
			if e, err := cases.DecodeEvent(raw); err == nil {
				life.Apply(e)
			}
		},
		"recoveries": func(raw []byte) {
			if r, err := cases.DecodeRecovery(raw); err == nil {
				life.ApplyRecovery(r)
			}
		},
	} {
		err := r.client.each(ctx, statement{parameters: map[string]string{"case": caseID}, sql: "SELECT raw FROM " +
			r.client.in(table) + " WHERE case_id = {case:String} AND parse_error = ''"},
			func(scan func(...any) error) error {
				var raw string
				err := scan(&raw)
				apply([]byte(raw))
				return err
			})
		if err != nil {
			return nil, explain("read "+table+" of case "+caseID, err)
		}
	}
	return life, nil
}

// wrapped explains an error; nil stays nil.
func wrapped(what string, err error) error {
	if err == nil {
		return nil
	}
	return explain(what, err)
}

// orZero returns the instant, zero for none.
func orZero(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.UTC()
}
