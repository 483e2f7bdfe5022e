package inject

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/invoice"
)

// order is a usual invoice of three lines; the second is billed under a contract.
const order = `{"schema":"invoice.v1","event_id":"e-0042","seller":"acme","invoice_id":"R100042",
"invoice_number":"2026-0042","issued_at":"2026-03-10T09:00:00Z","due_date":"2026-04-10",
"shipped_at":"2026-03-09T16:00:00Z","currency":"EUR","period_start":"2026-02-01","period_end":"2026-02-28",
"customer_ref":"c:7","customer_type":"retail","product_family":"TOYS",
"delivery_ref":"DN0008123","order_ref":"SO-5512","net_amount":"209.05","tax_rate":"0.2","tax_amount":"41.81",
"gross_amount":"250.86","promo_codes":["CONTRACT"],"crm":{"synced_at":"2026-03-01T00:00:00Z"},
"legal_fields_present":["buyer_vat_id","purchase_order_ref","iban"],"lines":[
{"line_id":"1","product_id":"P1","product_family":"TOYS","quantity":"12","unit_price":"2.55","line_net":"30.6"},
{"line_id":"2","product_id":"P2","product_family":"TOYS","quantity":"100","unit_price":"1.25","discount_rate":"0.05",
"line_net":"118.75","promo_codes":["CONTRACT"]},
{"line_id":"3","product_id":"P3","product_family":"GARDEN","quantity":"3","unit_price":"19.9","line_net":"59.7"}]}`

// orderContext is what is known of its seller.
func orderContext() *Context {
	recent := decode(strings.NewReplacer("R100042", "R100001", `"retail"`, `"reseller"`, `"12"`, `"36"`, "30.6", "91.8",
		"209.05", "270.25", "41.81", "54.05", "250.86", "324.3").Replace(order))
	return &Context{
		Promotions: []Promotion{
			{Code: "WINTER25", Rate: 0.15, To: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)},
			{Code: "FOOD10", Rate: 0.1, Families: []string{"FOOD"}},
		},
		HasContract: true, ContractRate: 0.05, ContractCode: "CONTRACT", ContractRates: []float64{0.05, 0.12},
		MaxDiscount: 0.25, TaxRates: []invoice.Fixed{invoice.One / 5, invoice.One / 10}, Currencies: []string{"EUR", "CHF"},
		Recent: []*invoice.Invoice{recent},
	}
}

func decode(record string) *invoice.Invoice {
	inv := new(invoice.Invoice)
	if err := invoice.NewDecoder(invoice.Limits{}).Decode([]byte(record), inv); err != nil {
		panic(err)
	}
	return inv.Clone()
}

// Paths that follow from a changed price, quantity or rate.
const (
	figures = `net_amount|tax_amount|gross_amount`
	numbers = `lines\.\d\.(unit_price|quantity|line_net)|` + figures
	rates   = `lines\.\d\.(discount_rate|promo_codes\..*|line_net)|promo_codes\..*|` + figures
	prices  = `lines\.\d\.(unit_price|line_net)|crm\.synced_at|` + figures
	again   = `event_id|invoice_id|invoice_number|issued_at|due_date`
)

// effects say of each kind which fields of order it may change, and what must be
// true of the copy; an empty string is yes. (A8–A11, E1, E2, E4, E5)
var effects = map[Kind]struct {
	may  string // regular expression of paths
	must func(src, dst *invoice.Invoice) string
}{
	DecimalSlip10:  {numbers, func(src, dst *invoice.Invoice) string { return typed(src, dst, slipped(10)) }},
	DecimalSlip100: {numbers, func(src, dst *invoice.Invoice) string { return typed(src, dst, slipped(100)) }},
	MissingDigit:   {numbers, func(src, dst *invoice.Invoice) string { return typed(src, dst, lacks) }},
	ExtraDigit: {numbers, func(src, dst *invoice.Invoice) string {
		return typed(src, dst, func(was, is string) bool { return lacks(is, was) })
	}},
	Transposition: {numbers, func(src, dst *invoice.Invoice) string { return typed(src, dst, swapped) }},
	WrongQuantity: {`lines\.\d\.(quantity|line_net)|` + figures, func(src, dst *invoice.Invoice) string {
		return follows(dst)
	}},

	LostLines: {`lines\..*|promo_codes.*|` + figures, func(src, dst *invoice.Invoice) string {
		i := 0
		for _, l := range src.Lines {
			if i < len(dst.Lines) && dst.Lines[i].ID == l.ID {
				i++
			}
		}
		return first(claim(i == len(dst.Lines) && i > 0 && i < 3, "lines are not some of the original's"), follows(dst))
	}},
	SumMismatch: {figures, func(src, dst *invoice.Invoice) string {
		parts := map[invoice.Amount]bool{}
		for set := 1; set < 7; set++ {
			var sum invoice.Amount
			for i, l := range src.Lines {
				if set>>i&1 == 1 {
					sum += l.Net.Value
				}
			}
			parts[sum] = true
		}
		return claim(parts[dst.NetAmount], "net amount is not that of some lines")
	}},
	ZeroTotal: {`lines\.\d\.(unit_price|line_net)|` + figures, func(src, dst *invoice.Invoice) string {
		return claim(dst.NetAmount == 0 && dst.TaxAmount.Value == 0 && dst.GrossAmount.Value == 0, "something is left")
	}},
	WrongCurrency: {`currency`, func(src, dst *invoice.Invoice) string { return "" }},
	WrongTax: {`tax_rate|tax_amount|gross_amount`, func(src, dst *invoice.Invoice) string {
		return claim(dst.GrossAmount.Value == dst.NetAmount+dst.TaxAmount.Value, "gross amount does not follow")
	}},
	Rounding: {`lines\.\d\.line_net|` + figures, func(src, dst *invoice.Invoice) string {
		for i, l := range dst.Lines {
			if l.Net.Value%(invoice.Unit/10) != 0 || !near(l.Net.Value, src.Lines[i].Net.Value, invoice.Unit-1) {
				return fmt.Sprintf("line amount %v became %v", src.Lines[i].Net.Value, l.Net.Value)
			}
		}
		if err := totalsAdd(dst); err != nil {
			return err.Error()
		}
		return ""
	}},
	RepeatedLine: {`lines\.[3-9]\..*|` + figures, func(src, dst *invoice.Invoice) string {
		for i := 3; i < len(dst.Lines); i++ {
			l := dst.Lines[i]
			if l.ID != fmt.Sprint(i+1) || !slices.ContainsFunc(src.Lines, func(s invoice.Line) bool {
				return s.ProductID == l.ProductID && s.Net == l.Net && slices.Equal(s.PromoCodes, l.PromoCodes)
			}) {
				return fmt.Sprintf("line %v is none of the original's again", l)
			}
		}
		return first(claim(len(dst.Lines) > 3, "no line is added"), follows(dst))
	}},

	OverMax: {rates, func(src, dst *invoice.Invoice) string {
		return granted(src, dst, func(is *invoice.Line) bool { return is.DiscountRate.Value >= invoice.One*30/100 })
	}},
	Stacked: {rates, func(src, dst *invoice.Invoice) string {
		// 5 % under the contract and 10 or 15 %, on what is left or added, or one of them twice
		allowed := []string{"0.1", "0.0975", "0.145", "0.15", "0.1925", "0.2"}
		return granted(src, dst, func(is *invoice.Line) bool {
			return slices.Contains(allowed, is.DiscountRate.Value.String()) && len(is.PromoCodes) > 0
		})
	}},
	Expired: {rates, func(src, dst *invoice.Invoice) string {
		return granted(src, dst, func(is *invoice.Line) bool {
			return slices.Equal(is.PromoCodes, []string{"WINTER25"}) && is.DiscountRate.Value == invoice.One*15/100
		})
	}},
	Ineligible: {rates, func(src, dst *invoice.Invoice) string {
		return granted(src, dst, func(is *invoice.Line) bool {
			return slices.Equal(is.PromoCodes, []string{"FOOD10"}) && is.DiscountRate.Value == invoice.One/10
		})
	}},
	Decimal50: {rates, func(src, dst *invoice.Invoice) string {
		return granted(src, dst, func(is *invoice.Line) bool {
			return is.DiscountRate.Value == invoice.One/2 && slices.Equal(is.PromoCodes, []string{"CONTRACT"})
		})
	}},

	StalePriceTier: {prices, func(src, dst *invoice.Invoice) string {
		was, is := src.Lines[0].UnitPrice.Value, dst.Lines[0].UnitPrice.Value
		if is == was {
			was, is = src.Lines[2].UnitPrice.Value, dst.Lines[2].UnitPrice.Value
		}
		if is < was {
			return repriced(src, dst, 0.6, 0.96)
		}
		return repriced(src, dst, 1.04, 1.25)
	}},
	WrongNegotiatedPrice: {prices + `|` + rates, func(src, dst *invoice.Invoice) string {
		was, is := src.Lines[1], dst.Lines[1]
		return first(
			claim(is.DiscountRate != was.DiscountRate || is.UnitPrice != was.UnitPrice, "the contract's line stays"),
			claim(is.DiscountRate.Set == (len(is.PromoCodes) > 0) && is.DiscountRate.Set == (len(dst.PromoCodes) > 0),
				"rate %v under %q, head %q", is.DiscountRate.Value, is.PromoCodes, dst.PromoCodes),
			follows(dst))
	}},
	WrongCustomerType: {prices + `|customer_type`, func(src, dst *invoice.Invoice) string {
		known := dst.CustomerType == "retail" || dst.CustomerType == "reseller"
		return first(repriced(src, dst, 0.55, 1.7), claim(known, "customer type is %q", dst.CustomerType))
	}},

	ExactDuplicate: {again, func(src, dst *invoice.Invoice) string { return later(src, dst, exactWithin) }},
	NearDuplicate: {again + `|delivery_ref|order_ref|lines\..*|promo_codes.*|` + figures,
		func(src, dst *invoice.Invoice) string { return first(later(src, dst, nearWithin), follows(dst)) }},
	PeriodAgain: {again + `|order_ref|lines\..*|promo_codes.*|` + figures, func(src, dst *invoice.Invoice) string {
		return first(later(src, dst, 42*24*time.Hour), follows(dst))
	}},

	BeforeDelivery: {`shipped_at`, func(src, dst *invoice.Invoice) string {
		wait := dst.ShippedAt.Sub(dst.IssuedAt)
		return claim(wait >= 24*time.Hour && wait < 14*24*time.Hour, "shipped %v after the invoice", wait)
	}},
	NotDelivered: {`shipped_at|delivery_ref`, func(src, dst *invoice.Invoice) string {
		return claim(dst.ShippedAt.IsZero(), "shipped at %v", dst.ShippedAt)
	}},

	MissingCustomer:      {`customer_ref`, nil},
	MissingDelivery:      {`delivery_ref`, nil},
	MissingPurchaseOrder: {`legal_fields_present\..*`, legalFieldsLeft("buyer_vat_id", "iban")},
	MissingVATID:         {`legal_fields_present\..*`, legalFieldsLeft("purchase_order_ref", "iban")},
	MissingLegalField:    {`legal_fields_present\..*`, legalFieldsLeft("buyer_vat_id", "purchase_order_ref")},
	MissingFamily:        {`(lines\.\d\.)?product_family`, nil},
	MissingCustomerType:  {`customer_type`, nil},
}

func legalFieldsLeft(names ...string) func(src, dst *invoice.Invoice) string {
	return func(_, dst *invoice.Invoice) string {
		return claim(slices.Equal(dst.LegalFieldsPresent, names), "%q are left", dst.LegalFieldsPresent)
	}
}

// Each kind, many times on one invoice: only what it is about changes, and that as
// it says.
func TestEffects(t *testing.T) {
	src, ctx, dst := decode(order), orderContext(), new(invoice.Invoice)
	for _, k := range Kinds {
		effect, ok := effects[k]
		if !ok {
			t.Errorf("%v is not described", k)
		}
		may := regexp.MustCompile("^(" + effect.may + ")$")
		for seed := range uint64(500) {
			if !put(dst, src, k, rand.New(rand.NewPCG(seed, 0)), ctx) {
				t.Fatalf("%v, seed %d: does not fit", k, seed)
			}
			fault := ""
			for path, change := range changes(src, dst) {
				if !may.MatchString(path) {
					fault = fmt.Sprintf("%s was %s", path, change)
				}
			}
			if fault == "" && effect.must != nil {
				fault = effect.must(src, dst)
			}
			if fault != "" {
				t.Fatalf("%v, seed %d: %s\n%s", k, seed, fault, dst.AppendJSON(nil))
			}
		}
	}
}
