package inject

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"recoup/invoice"
)

// seller makes random usual invoices, of one style each: with and without lines,
// tax, gross amount, discounts as rates or amounts, prices with more decimals
// than the currency, references, periods.
type seller struct {
	rng                                                *rand.Rand
	currency                                           string
	tax                                                invoice.Fixed
	taxed, gross, rates, amounts, codes, heads, period bool
	listed, atEnd, ragged                              bool
	prices                                             invoice.Fixed
}

func newSeller(rng *rand.Rand) *seller {
	s := &seller{rng: rng}
	s.currency = []string{"EUR", "GBP", "USD", "JPY", "KWD"}[rng.IntN(5)]
	s.tax = []invoice.Fixed{0, invoice.One / 5, invoice.One * 175 / 1000, invoice.One / 20}[rng.IntN(4)]
	for _, flag := range []*bool{
		&s.taxed, &s.gross, &s.rates, &s.amounts, &s.codes, &s.heads, &s.period, &s.listed, &s.atEnd, &s.ragged,
	} {
		*flag = rng.IntN(2) == 0
	}
	s.prices = fixedOf(invoice.Coin(s.currency))
	if rng.IntN(4) == 0 {
		s.prices = max(s.prices/10, 1)
	}
	return s
}

func (s *seller) line(i int) invoice.Line {
	r := s.rng
	l := invoice.Line{
		ID: fmt.Sprint(i + 1), ProductID: fmt.Sprintf("P%d", r.IntN(50)), ProductFamily: fmt.Sprintf("F%d", r.IntN(4)),
		Quantity:  invoice.OptionalFixed{Value: invoice.One * invoice.Fixed(1+r.IntN(48)), Set: true},
		UnitPrice: invoice.OptionalFixed{Value: s.prices * invoice.Fixed(r.IntN(9000)), Set: true},
	}
	if s.ragged && r.IntN(3) == 0 {
		l.Quantity.Value /= 8
	}
	if s.listed && r.IntN(2) == 0 {
		l.ListUnitPrice = invoice.OptionalFixed{Value: l.UnitPrice.Value + s.prices*invoice.Fixed(r.IntN(50)), Set: true}
	}
	if s.rates && r.IntN(2) == 0 {
		l.DiscountRate = invoice.OptionalFixed{Value: invoice.One / 100 * invoice.Fixed(r.IntN(40)), Set: true}
		if s.codes {
			l.PromoCodes = []string{"SUMMER25"}
		}
	}
	net, _ := invoice.LineNet(l.Quantity.Value, l.UnitPrice.Value, l.DiscountRate.Value)
	net = round(net, invoice.Coin(s.currency))
	if s.amounts && r.IntN(3) == 0 {
		l.DiscountAmount = invoice.OptionalAmount{Value: round(net/10, invoice.Coin(s.currency)), Set: true}
		net -= l.DiscountAmount.Value
	}
	l.Net = invoice.OptionalAmount{Value: net, Set: true}
	return l
}

func (s *seller) invoice() *invoice.Invoice {
	r := s.rng
	inv := &invoice.Invoice{
		EventID: fmt.Sprintf("e%05d", r.IntN(1e5)), Seller: "acme", ID: fmt.Sprintf("%06d", r.IntN(1e6)),
		IssuedAt: time.Unix(1_700_000_000+int64(r.IntN(1e7)), 0).UTC(), Currency: s.currency,
		CustomerRef: fmt.Sprintf("c%d", r.IntN(99)), CustomerType: fmt.Sprintf("t%d", r.IntN(3)), ProductFamily: "F1",
		DeliveryRef: fmt.Sprintf("DN%07d", r.IntN(1e6)), OrderRef: fmt.Sprintf("SO-%d", r.IntN(1e6)),
		LegalFieldsPresent: []string{"buyer_vat_id", "purchase_order_ref", "iban"}[:r.IntN(4)],
	}
	inv.ShippedAt = inv.IssuedAt.Add(-time.Hour)
	if s.period {
		inv.PeriodStart, inv.PeriodEnd = inv.IssuedAt.AddDate(0, -1, 0), inv.IssuedAt
	}
	for i := range r.IntN(7) {
		inv.Lines = append(inv.Lines, s.line(i))
		inv.NetAmount += inv.Lines[i].Net.Value
	}
	if len(inv.Lines) == 0 {
		inv.NetAmount = invoice.Coin(s.currency) * invoice.Amount(r.IntN(1e6))
	}
	if s.atEnd {
		inv.DiscountAmount = invoice.OptionalAmount{Value: round(inv.NetAmount/20, invoice.Coin(s.currency)), Set: true}
		inv.NetAmount -= inv.DiscountAmount.Value
	}
	tax, _ := inv.NetAmount.MulFixed(s.tax)
	tax = round(tax, invoice.Coin(s.currency))
	if s.taxed {
		inv.TaxRate = invoice.OptionalFixed{Value: s.tax, Set: true}
		inv.TaxAmount = invoice.OptionalAmount{Value: tax, Set: true}
	}
	if s.gross {
		inv.GrossAmount = invoice.OptionalAmount{Value: inv.NetAmount + tax, Set: true}
	}
	if s.heads && s.codes {
		inv.PromoCodes = []string{"SUMMER25"}
	}
	return inv.Clone()
}

// contextOf knows a little of everything, or nothing.
func contextOf(s *seller) *Context {
	if s.rng.IntN(4) == 0 {
		return nil
	}
	old := time.Unix(1_600_000_000, 0)
	ctx := &Context{
		Promotions: []Promotion{{Code: "OLD19", Rate: 0.15, To: old}, {Code: "F0ONLY", Rate: 0.2, Families: []string{"F0"}},
			{Code: "SUMMER25", Rate: 0.1, From: old}},
		HasContract: s.rng.IntN(2) == 0, ContractRate: 0.08, ContractCode: "CONTRACT", ContractRates: []float64{0.03, 0.12},
		MaxDiscount: 0.25, TaxRates: []invoice.Fixed{0, invoice.One / 5}, Currencies: []string{s.currency, "SEK"},
	}
	for range 5 {
		ctx.Recent = append(ctx.Recent, s.invoice())
	}
	return ctx
}

// The kinds whose error is that the figures do not add up.
func contradicts(k Kind) bool {
	return k == SumMismatch || k == ZeroTotal || k == WrongTax || k == Rounding || k.Cause() == dataEntry
}

// adds checks what a billing program makes of its own figures: line amounts follow
// from quantity, price and discount, the net amount from the lines, tax and gross
// from it. Rounding twice may cost a coin.
func adds(inv *invoice.Invoice) error {
	for i := range inv.Lines {
		l := &inv.Lines[i]
		want, ok := invoice.LineNet(l.Quantity.Value, l.UnitPrice.Value, l.DiscountRate.Value)
		if want -= l.DiscountAmount.Value; !ok || !near(l.Net.Value, want, invoice.Coin(inv.Currency)) {
			return fmt.Errorf("line %d is %v, want %v", i, l.Net.Value, want)
		}
	}
	return totalsAdd(inv)
}

// totalsAdd is adds without a look at how the line amounts came about.
func totalsAdd(inv *invoice.Invoice) error {
	var sum invoice.Amount
	for i := range inv.Lines {
		sum += inv.Lines[i].Net.Value
	}
	if sum -= inv.DiscountAmount.Value; len(inv.Lines) > 0 && inv.NetAmount != sum {
		return fmt.Errorf("net amount is %v, the lines come to %v", inv.NetAmount, sum)
	}
	tax, _ := inv.NetAmount.MulFixed(inv.TaxRate.Value)
	if inv.TaxAmount.Set && !near(inv.TaxAmount.Value, tax, invoice.Coin(inv.Currency)) {
		return fmt.Errorf("tax is %v, want %v", inv.TaxAmount.Value, tax)
	}
	if inv.GrossAmount.Set && inv.TaxAmount.Set && inv.GrossAmount.Value != inv.NetAmount+inv.TaxAmount.Value {
		return fmt.Errorf("gross is %v, want %v", inv.GrossAmount.Value, inv.NetAmount+inv.TaxAmount.Value)
	}
	return nil
}

// spoil injects an error twice, into a copy that was used before and into a new
// one, and checks what holds for every kind and invoice: the same seed gives the
// same copy (G5), the original stays, and a copy that is spoilt differs from it.
func spoil(t *testing.T, used, src *invoice.Invoice, k Kind, seed uint64, ctx *Context) (ok bool) {
	t.Helper()
	before, fresh := src.Clone(), new(invoice.Invoice)
	ok = put(used, src, k, rand.New(rand.NewPCG(seed, 1)), ctx)
	okAgain := put(fresh, src, k, rand.New(rand.NewPCG(seed, 1)), ctx)
	if ok != okAgain || (ok && !reflect.DeepEqual(used.Clone(), fresh.Clone())) {
		t.Fatalf("%v: the same seed gives two results:\n%s\n%s", k, used.AppendJSON(nil), fresh.AppendJSON(nil))
	}
	if ok && used.ContentHash() == src.ContentHash() {
		t.Fatalf("%v changed nothing of %s", k, src.AppendJSON(nil))
	}
	if ok {
		shareNothing(t, k, used)
	}
	scribble(used)
	if !reflect.DeepEqual(src.Clone(), before) {
		t.Fatalf("%v changed the original or shares a list with it", k)
	}
	*used = *fresh
	return ok
}

// shareNothing checks that no two lines have their codes in the same memory, not
// even those behind the end of the list, which the next copy uses.
func shareNothing(t *testing.T, k Kind, inv *invoice.Invoice) {
	t.Helper()
	seen := map[*string]bool{}
	for _, l := range inv.Lines[:cap(inv.Lines)] {
		if codes := l.PromoCodes[:cap(l.PromoCodes)]; len(codes) > 0 {
			if seen[&codes[0]] {
				t.Fatalf("%v: two lines share the memory of their codes", k)
			}
			seen[&codes[0]] = true
		}
	}
}

// scribble overwrites all lists of an invoice, also behind their ends.
func scribble(inv *invoice.Invoice) {
	overwrite := func(list []string) {
		for i := range list[:cap(list)] {
			list[:cap(list)][i] = "scribbled"
		}
	}
	overwrite(inv.PromoCodes)
	overwrite(inv.LegalFieldsPresent)
	lines := inv.Lines[:cap(inv.Lines)]
	for i := range lines {
		overwrite(lines[i].PromoCodes)
		lines[i].ID = "scribbled"
	}
}

// Every kind on random invoices of random sellers: the copy adds up except where
// that is the error (G11).
func TestRandomInvoices(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	dst, fits := new(invoice.Invoice), map[Kind]int{}
	for range 600 {
		s := newSeller(rng)
		src, ctx := s.invoice(), contextOf(s)
		if err := adds(src); err != nil {
			t.Fatalf("the original is wrong: %v", err)
		}
		for _, k := range Kinds {
			if !spoil(t, dst, src, k, rng.Uint64(), ctx) {
				continue
			}
			fits[k]++
			if err := adds(dst); err != nil && !contradicts(k) {
				t.Fatalf("%v: %v\n%s\n%s", k, err, src.AppendJSON(nil), dst.AppendJSON(nil))
			}
		}
	}
	for _, k := range Kinds {
		if fits[k] < 60 {
			t.Errorf("%v fits %d of 600 invoices only, the rest says little", k, fits[k])
		}
	}
}

// FuzzInject: no invoice that decodes makes the injector panic, hang, or break what
// holds for every kind.
func FuzzInject(f *testing.F) {
	f.Add([]byte(order), uint64(1), uint8(0))
	f.Add([]byte(`{"schema":"invoice.v1","event_id":"e","seller":"s","invoice_id":"i","issued_at":"2026-03-01T00:00:00Z",`+
		`"currency":"JPY","net_amount":"-1","promo_codes":["A"],"lines":[{},{"line_net":"0"}]}`), uint64(2), uint8(15))
	ctx := orderContext()
	f.Fuzz(func(t *testing.T, record []byte, seed uint64, kind uint8) {
		src := new(invoice.Invoice)
		if invoice.NewDecoder(invoice.Limits{}).Decode(record, src) != nil {
			return
		}
		spoil(t, new(invoice.Invoice), src.Clone(), Kind(kind)%kindCount, seed, ctx)
	})
}
