package sinks

import (
	"fmt"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// storedRow receives one row of scored_invoices.
type storedRow struct {
	s     Stored
	cells storedCells
}

// storedCells are the columns of a row, in the order they are asked for. Decimals
// come as text: they are read like those of a record, exactly.
type storedCells []storedCell

// storedCell is one column of a row: how it is asked for, where the client puts
// it, and how it gets from there into the row.
type storedCell struct {
	sql  string
	into any
	take func() error // nil: into is the place itself
}

// selection is what a query asks for.
func (cells storedCells) selection() string {
	columns := make([]string, len(cells))
	for i, c := range cells {
		columns[i] = c.sql
	}
	return strings.Join(columns, ", ")
}

// read fills the cells from the row that scan stands at.
func (cells storedCells) read(scan func(...any) error) error {
	into := make([]any, len(cells))
	for i := range cells {
		into[i] = cells[i].into
	}
	if err := scan(into...); err != nil {
		return err
	}
	for _, c := range cells {
		if c.take == nil {
			continue
		}
		if err := c.take(); err != nil {
			return fmt.Errorf("column %s: %w", c.sql, err)
		}
	}
	return nil
}

func newStoredRow() *storedRow {
	r := &storedRow{}
	inv, v := &r.s.Invoice, &r.s.Verdict
	r.cells = []storedCell{
		{"seller", &inv.Seller, nil}, {"invoice_id", &inv.ID, nil}, {"revision", &inv.Revision, nil},
		byName("stage", inv.Stage.UnmarshalText), byName("invoice_type", inv.Type.UnmarshalText),
		{"currency", &inv.Currency, nil}, {"issued_at", &inv.IssuedAt, nil}, {"received_at", &r.s.ReceivedAt, nil},
		{"inserted_at", &r.s.StoredAt, nil}, {"customer_type", &inv.CustomerType, nil},
		{"product_family", &inv.ProductFamily, nil}, {"customer_ref", &inv.CustomerRef, nil},
		{"canary", &inv.Canary, nil}, {"event_id", &inv.EventID, nil}, {"invoice_number", &inv.Number, nil},
		{"preceding_invoice_number", &inv.PrecedingID, nil}, {"source_system", &inv.SourceSystem, nil},
		{"source_release", &inv.SourceRelease, nil}, {"batch_id", &inv.BatchID, nil},
		{"entry_channel", &inv.EntryChannel, nil}, {"operator_ref", &inv.OperatorRef, nil},
		{"sales_point", &inv.SalesPoint, nil}, {"country", &inv.Country, nil},
		instantCell("due_at", &inv.DueAt), instantCell("period_start", &inv.PeriodStart),
		instantCell("period_end", &inv.PeriodEnd), instantCell("shipped_at", &inv.ShippedAt),
		amountCell("net_amount", &inv.NetAmount),
		amountOrNone("gross_amount", &inv.GrossAmount), amountOrNone("tax_amount", &inv.TaxAmount),
		amountOrNone("discount_amount", &inv.DiscountAmount), amountOrNone("prepaid_amount", &inv.PrepaidAmount),
		fixedOrNone("tax_rate", &inv.TaxRate), {"delivery_ref", &inv.DeliveryRef, nil},
		{"contract_ref", &inv.ContractRef, nil}, {"order_ref", &inv.OrderRef, nil},
		{"price_list_version", &inv.PriceListVersion, nil}, {"promo_codes", &inv.PromoCodes, nil},
		{"legal_fields_present", &inv.LegalFieldsPresent, nil}, {"crm_plan", &inv.CRM.Plan, nil},
		fixedOrNone("crm_discount_rate", &inv.CRM.DiscountRate),
		{"crm_contract_version", &inv.CRM.ContractVersion, nil}, instantCell("crm_synced_at", &inv.CRM.SyncedAt),
		{"traceparent", &inv.TraceParent, nil},
	}
	r.cells = append(r.cells, verdictCells(v)...)
	r.cells = append(r.cells, causeCells(v)...)
	return r
}

// verdictCells receive the verdict but for its causes.
func verdictCells(v *detectors.Verdict) []storedCell {
	var partition uint32
	var late int64
	return []storedCell{
		{"suspect", &v.Suspect, nil}, {"p_error", &v.PError, nil}, wordCell("decision", &v.Decision),
		wordCell("direction", &v.Direction), {"rules", &v.Rules, nil}, wordCell("amount_basis", &v.AmountBasis),
		amountCell("billed", &v.Billed), amountCell("expected", &v.Expected), amountCell("expected_low", &v.ExpectedLow),
		amountCell("expected_high", &v.ExpectedHigh), wordCell("level", &v.Level), {"n", &v.N, nil}, {"cv", &v.CV, nil},
		{"deviation_pct", &v.DeviationPct, nil}, amountCell("loss_point", &v.Loss.Point), amountCell("loss_low", &v.Loss.Low),
		amountCell("loss_high", &v.Loss.High), {"taught", &v.Taught, nil}, {"late_by_ms", &late, func() error {
			v.LateBy = detectors.Delay(time.Duration(late) * time.Millisecond)
			return nil
		}}, {"incident_id", &v.IncidentID, nil}, {"case_id", &v.CaseID, nil}, {"model_version", &v.Model.Version, nil},
		{"config_hash", &v.Model.ConfigHash, nil}, asOf("reference_as_of", &v.Model.ReferenceAsOf),
		asOf("feedback_as_of", &v.Model.FeedbackAsOf), {"recovery_rate", &v.Model.Recovery.Rate, nil},
		{"recovery_cases", &v.Model.Recovery.Cases, nil}, {"source_topic", &v.Source.Topic, nil},
		{"source_incarnation", &v.Source.Incarnation, nil}, {"source_partition", &partition, func() error {
			v.Source.Partition = int(partition)
			return nil
		}}, {"source_offset", &v.Source.Offset, nil},
	}
}

// causeCells receive the causes; the last of their columns puts them together.
func causeCells(v *detectors.Verdict) []storedCell {
	var codes, kinds, repaired []string
	var ps []float64
	var evidence [][]string
	return []storedCell{
		{"`causes.code`", &codes, nil}, {"`causes.kind`", &kinds, nil}, {"`causes.p`", &ps, nil},
		{"`causes.evidence`", &evidence, nil},
		{"arrayMap(a -> toString(a), `causes.repaired_amount`)", &repaired, func() error {
			for i := range codes {
				f := detectors.Finding{Code: codes[i], Kind: kinds[i], P: ps[i], Evidence: evidence[i]}
				var err error
				if f.Repaired, err = invoice.ParseAmount(repaired[i]); err != nil {
					return err
				}
				v.Causes = append(v.Causes, f)
			}
			return nil
		}},
	}
}

// read returns the row that scan stands at.
func (r *storedRow) read(scan func(...any) error) (Stored, error) {
	if err := r.cells.read(scan); err != nil {
		return Stored{}, err
	}
	inv, v := &r.s.Invoice, &r.s.Verdict
	inv.IssuedAt, r.s.ReceivedAt, r.s.StoredAt = inv.IssuedAt.UTC(), r.s.ReceivedAt.UTC(), r.s.StoredAt.UTC()
	v.Schema, v.Seller, v.InvoiceID, v.Revision = detectors.VerdictSchema, inv.Seller, inv.ID, inv.Revision
	v.Stage, v.Currency = inv.Stage, inv.Currency
	return r.s, nil
}

// wordCell receives a value of an enumeration.
func wordCell[T ~string](column string, into *T) storedCell {
	var text string
	return storedCell{column, &text, func() error {
		*into = T(text)
		return nil
	}}
}

// byName receives a value that reads its own name.
func byName(column string, read func([]byte) error) storedCell {
	var text string
	return storedCell{column, &text, func() error { return read([]byte(text)) }}
}

func amountCell(column string, into *invoice.Amount) storedCell {
	var text string
	return storedCell{"toString(" + column + ")", &text, func() error { return into.UnmarshalText([]byte(text)) }}
}

func amountOrNone(column string, into *invoice.OptionalAmount) storedCell {
	var text *string
	return storedCell{"toString(" + column + ")", &text, func() error {
		if into.Set = text != nil; !into.Set {
			return nil
		}
		return into.Value.UnmarshalText([]byte(*text))
	}}
}

func fixedOrNone(column string, into *invoice.OptionalFixed) storedCell {
	var text *string
	return storedCell{"toString(" + column + ")", &text, func() error {
		if into.Set = text != nil; !into.Set {
			return nil
		}
		return into.Value.UnmarshalText([]byte(*text))
	}}
}

func instantCell(column string, into *time.Time) storedCell {
	var at *time.Time
	return storedCell{column, &at, func() error {
		*into = orZero(at)
		return nil
	}}
}

// asOf receives an instant as the verdict carries it.
func asOf(column string, into *string) storedCell {
	var at *time.Time
	return storedCell{column, &at, func() error {
		if at != nil {
			*into = at.UTC().Format(time.RFC3339Nano)
		}
		return nil
	}}
}

// lineCells receive a row of invoice_lines.
func lineCells(l *invoice.Line) storedCells {
	return storedCells{
		{"line_id", &l.ID, nil}, {"product_id", &l.ProductID, nil}, {"product_family", &l.ProductFamily, nil},
		{"description", &l.Description, nil}, fixedOrNone("quantity", &l.Quantity), {"unit", &l.Unit, nil},
		fixedOrNone("unit_price", &l.UnitPrice), fixedOrNone("list_unit_price", &l.ListUnitPrice),
		fixedOrNone("discount_rate", &l.DiscountRate), amountOrNone("discount_amount", &l.DiscountAmount),
		amountOrNone("line_net", &l.Net), fixedOrNone("tax_rate", &l.TaxRate), {"promo_codes", &l.PromoCodes, nil},
		{"order_line_ref", &l.OrderLineRef, nil}, {"delivery_ref", &l.DeliveryRef, nil},
	}
}
