package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// injector puts errors of known truth into bills. It knows nothing of the errors
// that recoup trains itself on: its kinds and sizes are its own.
type injector struct {
	world  *world
	draw   *rand.Rand
	bills  []*bill
	bursts int
}

// causeShares say how the errors are divided.
var causeShares = []struct {
	cause string
	share float64
}{
	{detectors.CauseDataEntry, 0.31}, {detectors.CauseBillingSystem, 0.23}, {detectors.CausePromotion, 0.15},
	{detectors.CauseCRMSync, 0.15}, {detectors.CauseDuplicate, 0.10}, {detectors.CauseMissingAdminData, 0.06},
}

// errorKind changes a bill; it is false where it does not apply, and then changed
// nothing that counts: the bill is restored.
type errorKind struct {
	name   string
	weight float64
	change func(in *injector, b *bill) bool
}

// The kinds of each cause but the duplicates, which are bills of their own.
var (
	dataEntryKinds = []errorKind{
		{"decimal_slip_10", 0.24, func(in *injector, b *bill) bool { return in.slip(b, 1) }},
		{"decimal_slip_100", 0.14, func(in *injector, b *bill) bool { return in.slip(b, 2) }},
		{"missing_digit", 0.2, func(in *injector, b *bill) bool { return in.retype(b, dropDigit) }},
		{"extra_digit", 0.12, func(in *injector, b *bill) bool { return in.retype(b, addDigit) }},
		{"transposition", 0.15, func(in *injector, b *bill) bool { return in.retype(b, swapDigits) }},
		{"wrong_quantity", 0.15, (*injector).wrongQuantity},
	}
	systemKinds = []errorKind{
		{"lost_lines", 0.18, (*injector).loseLines},
		{"sum_mismatch", 0.18, (*injector).misadd},
		{"zero_total", 0.14, (*injector).zero},
		{"wrong_currency", 0.14, (*injector).wrongCurrency},
		{"wrong_tax", 0.18, (*injector).wrongTax},
		{"rounding", 0.18, (*injector).round},
	}
	unproratedKind = errorKind{"forgotten_proration", 1, (*injector).unprorate}
	promotionKinds = []errorKind{
		{"over_max", 0.25, (*injector).overMax},
		{"stacked", 0.2, (*injector).stack},
		{"expired", 0.2, (*injector).expire},
		{"ineligible", 0.15, (*injector).ineligible},
		{"decimal_50", 0.2, (*injector).fifty},
	}
	crmKinds = []errorKind{
		{"stale_price_tier", 0.25, (*injector).otherTier},
		{"missed_indexation", 0.25, (*injector).oldList},
		{"wrong_negotiated_price", 0.3, (*injector).otherContract},
		{"wrong_customer_type", 0.2, (*injector).otherType},
	}
	missingKinds = []errorKind{
		{"customer_id", 0.3, (*injector).loseCustomer},
		{"po_ref", 0.35, func(_ *injector, b *bill) bool { return loseField(b, "purchase_order_ref") }},
		{"vat_id", 0.35, func(_ *injector, b *bill) bool { return loseField(b, "buyer_vat_id") }},
	}
	duplicateKinds = []errorKind{
		{"exact", 0.4, func(*injector, *bill) bool { return true }},
		{"near", 0.35, (*injector).nearly},
		{"overlapping_period", 0.25, (*injector).overlap},
	}
)

// spoil puts errors into a share of the standard bills.
func (in *injector) spoil(share float64) {
	standard := 0
	for _, b := range in.bills {
		if b.inv.Type == invoice.Standard {
			standard++
		}
	}
	slices.SortStableFunc(in.bills, byIssue)
	for _, c := range causeShares {
		n := int(share*c.share*float64(standard) + 0.5)
		switch c.cause {
		case detectors.CauseDataEntry:
			in.singles(c.cause, dataEntryKinds, n)
		case detectors.CauseBillingSystem:
			outages := n * 6 / 10
			in.outages(c.cause, outages)
			in.singles(c.cause, []errorKind{unproratedKind}, n/8)
			in.singles(c.cause, systemKinds, n-outages-n/8)
		case detectors.CausePromotion:
			in.singles(c.cause, promotionKinds, n)
		case detectors.CauseCRMSync:
			in.runs(c.cause, n)
		case detectors.CauseDuplicate:
			in.duplicates(n)
		case detectors.CauseMissingAdminData:
			in.singles(c.cause, missingKinds, n)
		}
	}
}

func (in *injector) kind(kinds []errorKind) *errorKind {
	return &kinds[pick(in.draw, len(kinds), func(i int) float64 { return kinds[i].weight })]
}

// mostTries bounds how many bills are drawn for one error: not every bill can
// hold every kind.
const mostTries = 20_000

// singles puts in n errors, each by itself.
func (in *injector) singles(cause string, kinds []errorKind, n int) {
	for range n {
		k := in.kind(kinds)
		for tries := 0; tries < mostTries; tries++ {
			if in.apply(cause, k, in.bills[in.draw.IntN(len(in.bills))], "") {
				break
			}
		}
	}
}

// apply changes a bill and labels it, or leaves it as it was.
func (in *injector) apply(cause string, k *errorKind, b *bill, burst string) bool {
	if b.label != nil || b.inv.Type != invoice.Standard || b.inv.NetAmount <= 0 {
		return false
	}
	before := b.copy()
	before.inv.LegalFieldsPresent = slices.Clone(b.inv.LegalFieldsPresent)
	due, silent := b.inv.GrossAmount.Value, cause == detectors.CauseMissingAdminData
	if !k.change(in, b) || !silent && b.inv.GrossAmount.Value == due && b.inv.Currency == before.inv.Currency {
		b.inv = before.inv
		return false
	}
	billed := b.inv.GrossAmount.Value
	if b.inv.Currency != before.inv.Currency {
		billed, _ = billed.MulRate(92, 100) // dollars in euros
	}
	b.label = &label{Cause: cause, Kind: k.name, TrueGross: due, Loss: due - billed, Burst: burst}
	return true
}

// outages has a billing system fail for some hours with one kind of error.
func (in *injector) outages(cause string, n int) {
	for tries := 0; n > 0 && tries < 1_000; tries++ {
		start := in.draw.IntN(len(in.bills))
		first := &in.bills[start].inv
		end := first.IssuedAt.Add(time.Hour + time.Duration(in.draw.IntN(7*3600))*time.Second)
		k := in.kind(systemKinds)
		name := fmt.Sprintf("out%03d", in.bursts+1)
		hit := 0
		for _, b := range in.bills[start:] {
			if b.inv.IssuedAt.After(end) || n == 0 {
				break
			}
			if b.inv.SourceSystem == first.SourceSystem && in.draw.Float64() < 0.85 && in.apply(cause, k, b, name) {
				hit, n = hit+1, n-1
			}
		}
		if hit > 0 {
			in.bursts++
		}
	}
}

// runs gives one to four bills in a row of a contract the same kind of error.
func (in *injector) runs(cause string, n int) {
	for n > 0 {
		k, left := in.kind(crmKinds), min(n, 1+in.draw.IntN(4))
		for tries, hit := 0, 0; hit == 0 && tries < mostTries; tries++ {
			hit = in.run(cause, k, in.draw.IntN(len(in.bills)), left)
			n -= hit
		}
	}
}

// run changes up to most bills in a row of the contract of the bill at start, and
// returns how many.
func (in *injector) run(cause string, k *errorKind, start, most int) (hit int) {
	of := in.bills[start].contract
	name := fmt.Sprintf("crm-%03d", in.bursts+1)
	for _, b := range in.bills[start:] {
		if b.contract != of || b.inv.Type != invoice.Standard || b.replaces != nil {
			continue
		}
		if hit == most || !in.apply(cause, k, b, name) {
			break
		}
		hit++
	}
	if hit > 0 {
		in.bursts++
	}
	return hit
}

// duplicates bills again what was billed.
func (in *injector) duplicates(n int) {
	for range n {
		k := in.kind(duplicateKinds)
		for tries := 0; tries < mostTries && !in.duplicate(k); tries++ {
		}
	}
	slices.SortStableFunc(in.bills, byIssue)
}

func (in *injector) duplicate(k *errorKind) bool {
	of := in.bills[in.draw.IntN(len(in.bills))]
	if of.label != nil || of.inv.Type != invoice.Standard || of.replaces != nil || of.inv.NetAmount <= 0 {
		return false
	}
	again := of.copy()
	again.inv.IssuedAt = of.inv.IssuedAt.Add(time.Duration(1+in.draw.IntN(8*24*60)) * time.Minute)
	if !k.change(in, again) {
		return false
	}
	again.label = &label{Cause: detectors.CauseDuplicate, Kind: k.name, Loss: -again.inv.GrossAmount.Value}
	in.bills = append(in.bills, again)
	return true
}

func byIssue(a, b *bill) int {
	return cmp.Or(a.inv.IssuedAt.Compare(b.inv.IssuedAt), cmp.Compare(a.contract.number, b.contract.number))
}

// line draws a line of a bill.
func (in *injector) line(b *bill) *invoice.Line { return &b.inv.Lines[in.draw.IntN(len(b.inv.Lines))] }

// typed draws a number that somebody typed: the price of a fee, or what a meter
// was read. step is its last digit.
func (in *injector) typed(b *bill) (number *invoice.Fixed, step invoice.Fixed) {
	l := in.line(b)
	if l.Unit == "month" || l.Unit == "" {
		return &l.UnitPrice.Value, invoice.One / 100
	}
	if in.draw.Float64() < 0.3 {
		return &l.UnitPrice.Value, invoice.One / 10_000
	}
	return &l.Quantity.Value, invoice.One
}

// slip moves the comma of a number.
func (in *injector) slip(b *bill, places int) bool {
	number, _ := in.typed(b)
	for range places {
		if *number%10 != 0 {
			return false
		}
		*number /= 10
	}
	if in.draw.Float64() < 0.2 {
		for range 2 * places {
			*number *= 10
		}
	}
	total(&b.inv)
	return true
}

// retype changes the digits of a number.
func (in *injector) retype(b *bill, change func(*rand.Rand, string) string) bool {
	number, step := in.typed(b)
	digits := strconv.FormatInt(int64(*number/step), 10)
	if len(digits) < 2 || *number%step != 0 {
		return false
	}
	v, err := strconv.ParseInt(change(in.draw, digits), 10, 64)
	if err != nil || v == 0 {
		return false
	}
	*number = invoice.Fixed(v) * step
	total(&b.inv)
	return true
}

func dropDigit(draw *rand.Rand, digits string) string {
	at := draw.IntN(len(digits))
	return digits[:at] + digits[at+1:]
}

func addDigit(draw *rand.Rand, digits string) string {
	at := 1 + draw.IntN(len(digits))
	extra := digits[at-1 : at] // a key that stuck
	if draw.Float64() < 0.5 {
		extra = strconv.Itoa(draw.IntN(10))
	}
	return digits[:at] + extra + digits[at:]
}

func swapDigits(draw *rand.Rand, digits string) string {
	at := draw.IntN(len(digits) - 1)
	return digits[:at] + digits[at+1:at+2] + digits[at:at+1] + digits[at+2:]
}

// wrongQuantity bills another number of units, or more months than there are.
func (in *injector) wrongQuantity(b *bill) bool {
	l := in.line(b)
	factors := []invoice.Fixed{2, 3}
	switch {
	case l.Unit != "month" && l.Unit != "":
		l.Quantity.Value = max(1, l.Quantity.Value/invoice.One*invoice.Fixed(30+in.draw.IntN(270))/100) * invoice.One
	case l.Quantity.Value > invoice.One && in.draw.Float64() < 0.6:
		l.Quantity.Value -= invoice.One
	default:
		l.Quantity.Value *= factors[in.draw.IntN(2)]
	}
	total(&b.inv)
	return true
}

func (in *injector) loseLines(b *bill) bool {
	lines := b.inv.Lines
	if len(lines) < 2 {
		return false
	}
	at := in.draw.IntN(len(lines))
	b.inv.Lines = slices.Delete(lines, at, at+1)
	if len(lines) > 3 && in.draw.Float64() < 0.4 {
		b.inv.Lines = b.inv.Lines[:len(b.inv.Lines)-1]
	}
	total(&b.inv)
	return true
}

// misadd leaves a line out of the sum, or counts it in part.
func (in *injector) misadd(b *bill) bool {
	net := in.line(b).Net.Value
	b.inv.NetAmount -= toCents(net * invoice.Amount(20+in.draw.IntN(81)) / 100)
	taxed(&b.inv)
	return b.inv.NetAmount > 0
}

func (in *injector) zero(b *bill) bool {
	b.inv.NetAmount = 0
	taxed(&b.inv)
	return true
}

func (in *injector) wrongCurrency(b *bill) bool {
	b.inv.Currency = "USD"
	return true
}

func (in *injector) wrongTax(b *bill) bool {
	b.inv.TaxRate.Value = []invoice.Fixed{0, 7, 10, 19, 20}[in.draw.IntN(5)] * invoice.One / 100
	taxed(&b.inv)
	return true
}

// round cuts the lines to whole units or tenths.
func (in *injector) round(b *bill) bool {
	step := []invoice.Amount{invoice.Unit, invoice.Unit / 10}[in.draw.IntN(2)]
	b.inv.NetAmount = 0
	for i := range b.inv.Lines {
		n := &b.inv.Lines[i].Net
		n.Value = n.Value / step * step
		b.inv.NetAmount += n.Value
	}
	taxed(&b.inv)
	return b.inv.NetAmount > 0
}

// unprorate bills a part of a month as a whole one.
func (in *injector) unprorate(b *bill) bool {
	part := false
	for i := range b.inv.Lines {
		if l := &b.inv.Lines[i]; l.Unit == "month" && l.Quantity.Value%invoice.One != 0 {
			part = true
			whole := (l.Quantity.Value + invoice.One - 1) / invoice.One
			l.Quantity.Value = whole * invoice.One
		}
	}
	total(&b.inv)
	return part
}

// nearly changes a usage or leaves a line out.
func (in *injector) nearly(b *bill) bool {
	lines := b.inv.Lines
	if len(lines) > 2 && in.draw.Float64() < 0.5 {
		return in.loseLines(b)
	}
	for i := range lines {
		if l := &lines[i]; l.Unit != "month" && l.Unit != "" && l.Quantity.Value > 20*invoice.One {
			l.Quantity.Value += l.Quantity.Value / invoice.One * invoice.Fixed(1+in.draw.IntN(8)) / 100 * invoice.One
			total(&b.inv)
			return true
		}
	}
	return false
}

// overlap bills a month that begins within one that was billed.
func (in *injector) overlap(b *bill) bool {
	days := 5 + in.draw.IntN(15)
	b.inv.PeriodStart = b.inv.PeriodStart.AddDate(0, 0, days)
	b.inv.PeriodEnd = b.inv.PeriodEnd.AddDate(0, 0, days)
	b.inv.IssuedAt = b.inv.IssuedAt.AddDate(0, 0, days)
	return true
}

func (in *injector) loseCustomer(b *bill) bool {
	b.inv.CustomerRef = ""
	return true
}

func loseField(b *bill, name string) bool {
	at := slices.Index(b.inv.LegalFieldsPresent, name)
	if at < 0 {
		return false
	}
	b.inv.LegalFieldsPresent = slices.Delete(slices.Clone(b.inv.LegalFieldsPresent), at, at+1)
	return true
}

// productOf finds a product by its id.
func productOf(id string) *product {
	for _, list := range [][]product{plans, extras, usages, singles} {
		if at := slices.IndexFunc(list, func(p product) bool { return p.id == id }); at >= 0 {
			return &list[at]
		}
	}
	panic("no product " + id)
}
