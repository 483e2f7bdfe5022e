package sinks

import (
	"context"
	"fmt"
	"time"

	"recoup/invoice"
)

// Sample asks for a share of the invoices that recoup did not flag: what an audit
// looks at. Issued invoices only, no credit notes, no canaries, each once.
type Sample struct {
	Rate   float64   // share, 0 to 1
	Salt   string    // varies which ones
	Seller string    // "" for all
	Since  time.Time // issued at or after; zero: all
	Until  time.Time // issued before; zero: all
}

// Unflagged is one invoice of a sample.
type Unflagged struct {
	Seller, InvoiceID string         // with Revision its identity
	Revision          int64          // of the invoice
	CustomerRef       string         // pseudonym
	IssuedAt          time.Time      // UTC
	Billed            invoice.Amount // what the customer was asked to pay
	Currency          string         // of Billed
}

// sampleBits of a hash are compared with the rate: as many as a float64 holds.
const sampleBits = 53

// Sampled calls visit for each invoice of a sample, the earliest issued first. An
// invoice belongs to it when the hash of seller, id and salt is below the rate:
// asking again gives the same ones, and a higher rate gives those of a lower one too.
func (r *Reader) Sampled(ctx context.Context, s Sample, visit func(Unflagged) error) error {
	parameters := map[string]string{
		"salt": s.Salt, "limit": fmt.Sprint(uint64(s.Rate * (1 << sampleBits))), "seller": s.Seller,
		"since": fmt.Sprint(milliseconds(s.Since, 0)), "until": fmt.Sprint(milliseconds(s.Until, maxMilliseconds)),
	}
	sql := "SELECT seller, invoice_id, revision, any(customer_ref), any(issued_at), toString(any(billed)), any(currency)" +
		" FROM " + r.client.in(tableInvoices) + " WHERE NOT suspect AND NOT canary" +
		" AND stage = 'issued' AND invoice_type = 'invoice'" +
		" AND ({seller:String} = '' OR seller = {seller:String})" +
		" AND toUnixTimestamp64Milli(issued_at) >= {since:Int64} AND toUnixTimestamp64Milli(issued_at) < {until:Int64}" +
		fmt.Sprintf(" AND bitShiftRight(xxHash64(concat(seller, '|', invoice_id, '|', {salt:String})), %d)", 64-sampleBits) +
		" < {limit:UInt64} GROUP BY seller, invoice_id, revision ORDER BY min(issued_at), seller, invoice_id, revision"
	err := r.client.each(ctx, statement{parameters: parameters, sql: sql}, func(scan func(...any) error) error {
		var u Unflagged
		var billed string
		err := scan(&u.Seller, &u.InvoiceID, &u.Revision, &u.CustomerRef, &u.IssuedAt, &billed, &u.Currency)
		if err != nil {
			return err
		}
		if u.Billed, err = invoice.ParseAmount(billed); err != nil {
			return err
		}
		return visit(u)
	})
	if err != nil {
		return explain("draw a sample", err)
	}
	return nil
}

// maxMilliseconds is later than any instant that is stored.
const maxMilliseconds = 1 << 50

func milliseconds(t time.Time, none int64) int64 {
	if t.IsZero() {
		return none
	}
	return t.UnixMilli()
}
