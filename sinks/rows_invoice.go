package sinks

import (
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"recoup/detectors"
	"recoup/invoice"
)

// Tables the hot path writes.
const (
	tableInvoices = "scored_invoices"
	tableLines    = "invoice_lines"
)

// Types of columns that are not decimals or strings.
const (
	typeInstant = "DateTime64(3, 'UTC')"
	typeFloat   = "Float64"
)

// sourceColumns say where a row comes from; both tables have them.
type sourceColumns struct {
	topic       interned
	incarnation cells
	partition   cells
	offset      cells
}

func newSourceColumns() sourceColumns {
	return sourceColumns{
		topic:       newInterned(),
		incarnation: newCells("Int64", 8),
		partition:   newCells("UInt32", 4),
		offset:      newCells("Int64", 8),
	}
}

func (c *sourceColumns) add(p invoice.Position) {
	c.topic.add(p.Topic)
	c.incarnation.add64(uint64(p.Incarnation))
	c.partition.add32(uint32(p.Partition))
	c.offset.add64(uint64(p.Offset))
}

func (c *sourceColumns) named() []named {
	return []named{
		{"source_topic", &c.topic}, {"source_incarnation", &c.incarnation},
		{"source_partition", &c.partition}, {"source_offset", &c.offset},
	}
}

// named is a column with its name in the table.
type named struct {
	name string
	column
}

// identityColumns are what both tables know of the invoice itself.
type identityColumns struct {
	seller        interned
	invoiceID     text
	revision      cells
	stage         interned
	invoiceType   interned
	currency      interned
	issuedAt      cells
	cohortDay     cells
	customerType  interned
	customerRef   text
	canary        cells
	source        sourceColumns
	productFamily interned
}

func newIdentityColumns() identityColumns {
	return identityColumns{
		seller: newInterned(), revision: newCells("Int64", 8), stage: newInterned(), invoiceType: newInterned(),
		currency: newInterned(), issuedAt: newCells(typeInstant, 8),
		cohortDay: newCells("Date", 2), customerType: newInterned(), canary: newCells("Bool", 1),
		source: newSourceColumns(), productFamily: newInterned(),
	}
}

func (c *identityColumns) add(inv *invoice.Invoice, at invoice.Position, day uint16, family string) {
	c.seller.add(inv.Seller)
	c.invoiceID.add(inv.ID)
	c.revision.add64(uint64(inv.Revision))
	c.stage.add(inv.Stage.String())
	c.invoiceType.add(inv.Type.String())
	c.currency.add(inv.Currency)
	c.issuedAt.add64(instant(inv.IssuedAt))
	c.cohortDay.add16(day)
	c.customerType.add(inv.CustomerType)
	c.customerRef.add(inv.CustomerRef)
	c.canary.addBool(inv.Canary)
	c.source.add(at)
	c.productFamily.add(family)
}

func (c *identityColumns) named() []named {
	return append([]named{
		{"seller", &c.seller}, {"invoice_id", &c.invoiceID}, {"revision", &c.revision}, {"stage", &c.stage},
		{"invoice_type", &c.invoiceType}, {"currency", &c.currency}, {"issued_at", &c.issuedAt},
		{"cohort_day", &c.cohortDay}, {"customer_type", &c.customerType},
		{"customer_ref", &c.customerRef}, {"canary", &c.canary},
		{"product_family", &c.productFamily},
	}, c.source.named()...)
}

// invoiceColumns are the columns of scored_invoices.
type invoiceColumns struct {
	identity   identityColumns
	detail     detailColumns
	verdict    verdictColumns
	receivedAt cells
}

func newInvoiceColumns() *invoiceColumns {
	return &invoiceColumns{identity: newIdentityColumns(), detail: newDetailColumns(),
		verdict: newVerdictColumns(), receivedAt: newCells(typeInstant, 8)}
}

func (c *invoiceColumns) add(inv *invoice.Invoice, v *detectors.Verdict, received int64, day uint16) {
	c.identity.add(inv, v.Source, day, inv.ProductFamily)
	c.detail.add(inv)
	c.verdict.add(v)
	c.receivedAt.add64(uint64(clampInstant(received)))
}

func (c *invoiceColumns) named() []named {
	all := append(c.identity.named(), c.detail.named()...)
	return append(append(all, c.verdict.named()...), named{"received_at", &c.receivedAt})
}

// detailColumns are the parts of an invoice that only scored_invoices keeps.
type detailColumns struct {
	eventID, number, precedingID                          text
	sourceSystem, sourceRelease, batchID, entryChannel    interned
	operatorRef, salesPoint, country                      interned
	dueAt, periodStart, periodEnd, shippedAt, crmSyncedAt nullable
	net                                                   decimals
	gross, tax, discount, prepaid                         nullable
	taxRate, crmDiscountRate                              nullable
	deliveryRef, contractRef, orderRef, traceParent       text
	priceListVersion, crmPlan, crmContractVersion         interned
	promoCodes, legalFields                               internedList
	lineCount                                             cells
}

func newDetailColumns() detailColumns {
	return detailColumns{
		sourceSystem: newInterned(), sourceRelease: newInterned(), batchID: newInterned(),
		entryChannel: newInterned(), operatorRef: newInterned(), salesPoint: newInterned(), country: newInterned(),
		dueAt: nullableInstants(), periodStart: nullableInstants(), periodEnd: nullableInstants(),
		shippedAt: nullableInstants(), crmSyncedAt: nullableInstants(),
		net: newDecimals(typeAmount), gross: nullableDecimals(typeAmount), tax: nullableDecimals(typeAmount),
		discount: nullableDecimals(typeAmount), prepaid: nullableDecimals(typeAmount),
		taxRate: nullableDecimals(typeFixed), crmDiscountRate: nullableDecimals(typeFixed),
		priceListVersion: newInterned(), crmPlan: newInterned(), crmContractVersion: newInterned(),
		promoCodes: newInternedList(), legalFields: newInternedList(), lineCount: newCells("UInt32", 4),
	}
}

func (c *detailColumns) add(inv *invoice.Invoice) {
	c.eventID.add(inv.EventID)
	c.number.add(inv.Number)
	c.precedingID.add(inv.PrecedingID)
	c.sourceSystem.add(inv.SourceSystem)
	c.sourceRelease.add(inv.SourceRelease)
	c.batchID.add(inv.BatchID)
	c.entryChannel.add(inv.EntryChannel)
	c.operatorRef.add(inv.OperatorRef)
	c.salesPoint.add(inv.SalesPoint)
	c.country.add(inv.Country)
	addInstant(&c.dueAt, inv.DueAt)
	addInstant(&c.periodStart, inv.PeriodStart)
	addInstant(&c.periodEnd, inv.PeriodEnd)
	addInstant(&c.shippedAt, inv.ShippedAt)
	addInstant(&c.crmSyncedAt, inv.CRM.SyncedAt)
	c.net.add(int64(inv.NetAmount))
	addAmount(&c.gross, inv.GrossAmount)
	addAmount(&c.tax, inv.TaxAmount)
	addAmount(&c.discount, inv.DiscountAmount)
	addAmount(&c.prepaid, inv.PrepaidAmount)
	addFixed(&c.taxRate, inv.TaxRate)
	addFixed(&c.crmDiscountRate, inv.CRM.DiscountRate)
	c.deliveryRef.add(inv.DeliveryRef)
	c.contractRef.add(inv.ContractRef)
	c.orderRef.add(inv.OrderRef)
	c.traceParent.add(inv.TraceParent)
	c.priceListVersion.add(inv.PriceListVersion)
	c.crmPlan.add(inv.CRM.Plan)
	c.crmContractVersion.add(inv.CRM.ContractVersion)
	c.promoCodes.add(inv.PromoCodes)
	c.legalFields.add(inv.LegalFieldsPresent)
	c.lineCount.add32(uint32(len(inv.Lines)))
}

func (c *detailColumns) named() []named {
	return []named{
		{"event_id", &c.eventID}, {"invoice_number", &c.number}, {"preceding_invoice_number", &c.precedingID},
		{"source_system", &c.sourceSystem}, {"source_release", &c.sourceRelease}, {"batch_id", &c.batchID},
		{"entry_channel", &c.entryChannel}, {"operator_ref", &c.operatorRef}, {"sales_point", &c.salesPoint},
		{"country", &c.country}, {"due_at", &c.dueAt}, {"period_start", &c.periodStart},
		{"period_end", &c.periodEnd}, {"shipped_at", &c.shippedAt}, {"crm_synced_at", &c.crmSyncedAt},
		{"net_amount", &c.net}, {"gross_amount", &c.gross}, {"tax_amount", &c.tax},
		{"discount_amount", &c.discount}, {"prepaid_amount", &c.prepaid}, {"tax_rate", &c.taxRate},
		{"crm_discount_rate", &c.crmDiscountRate}, {"delivery_ref", &c.deliveryRef},
		{"contract_ref", &c.contractRef}, {"order_ref", &c.orderRef}, {"traceparent", &c.traceParent},
		{"price_list_version", &c.priceListVersion}, {"crm_plan", &c.crmPlan},
		{"crm_contract_version", &c.crmContractVersion}, {"promo_codes", &c.promoCodes.list},
		{"legal_fields_present", &c.legalFields.list}, {"line_count", &c.lineCount},
	}
}

// internedList is a column of arrays of strings with few distinct values.
type internedList struct {
	list
	strings *interned // the elements
}

func newInternedList() internedList {
	elements := newInterned()
	return internedList{list: newList(&elements), strings: &elements}
}

func (c *internedList) add(values []string) {
	for _, s := range values {
		c.strings.add(s)
	}
	c.end(len(values))
}

func nullableDecimals(kind proto.ColumnType) nullable {
	values := newDecimals(kind)
	return nullable{values: &values}
}

func nullableInstants() nullable {
	values := newCells(typeInstant, 8)
	return nullable{values: &values}
}

func addInstant(c *nullable, t time.Time) {
	if t.IsZero() {
		c.add(0, false)
		return
	}
	c.add(int64(instant(t)), true)
}

func addAmount(c *nullable, a invoice.OptionalAmount) { c.add(int64(a.Value), a.Set) }

func addFixed(c *nullable, f invoice.OptionalFixed) { c.add(int64(f.Value), f.Set) }

// ClickHouse keeps instants of these years; others are moved to the nearest end.
const (
	firstInstant = -2208988800000 // 1900-01-01 in Unix milliseconds
	lastInstant  = 10413791999999 // the end of 2299
)

func instant(t time.Time) uint64 { return uint64(clampInstant(t.UnixMilli())) }

func clampInstant(millis int64) int64 { return max(firstInstant, min(millis, lastInstant)) }
