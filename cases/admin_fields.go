package cases

import (
	"slices"
	"strings"

	"recoup/detectors"
	"recoup/invoice"
)

// AdminFields are what the law of a country wants an invoice to say, and which of it
// this one does not (E4). It is told of cases that are about missing data.
type AdminFields struct {
	Country string   `json:"country"` // ISO 3166 code, or EU where the country has no rules of its own here
	Source  string   `json:"source"`  // the law
	Missing []string `json:"missing"` // names of fields, in the order of the law's table; never null
}

// adminField is a field that an invoice must have.
type adminField struct {
	name     string
	business bool // of invoices between businesses only
	// told tells whether the invoice's own fields show it; nil: only its name in
	// legal_fields_present does.
	told func(*invoice.Invoice) bool
}

// adminLaw are the fields that a country's law wants.
type adminLaw struct {
	source string
	fields []adminField
}

// everywhere are the fields that article 226 of the VAT directive wants of every
// invoice in the Union, as far as invoice.v1 carries them.
var everywhere = []adminField{
	{"invoice_number", false, func(v *invoice.Invoice) bool { return v.Number != "" }},
	{"seller_vat_id", false, nil},
	{"buyer_vat_id", true, nil},
	{"delivery_date", false, func(v *invoice.Invoice) bool {
		return !v.ShippedAt.IsZero() || v.DeliveryRef != "" || !v.PeriodEnd.IsZero()
	}},
	{"quantities", false, everyLine(func(l *invoice.Line) bool { return l.Quantity.Set })},
	{"unit_prices", false, everyLine(func(l *invoice.Line) bool { return l.UnitPrice.Set })},
	{"tax_rate", false, func(v *invoice.Invoice) bool {
		return v.TaxRate.Set || everyLine(func(l *invoice.Line) bool { return l.TaxRate.Set })(v)
	}},
	{"tax_amount", false, func(v *invoice.Invoice) bool { return v.TaxAmount.Set || v.GrossAmount.Set }},
}

var adminLaws = map[string]adminLaw{
	"EU": {"Directive 2006/112/EC art. 226", everywhere},
	"FR": {"CGI annexe II art. 242 nonies A; Code de commerce art. L441-9", append(slices.Clip(everywhere),
		adminField{"due_date", true, func(v *invoice.Invoice) bool { return !v.DueAt.IsZero() }},
		adminField{"purchase_order_ref", true, nil},
		adminField{"late_payment_terms", true, nil},
		adminField{"recovery_fee", true, nil})},
	"DE": {"UStG § 14 Abs. 4", everywhere},
	"GB": {"The Value Added Tax Regulations 1995 (SI 1995/2518) reg. 14", everywhere},
}

// unionMembers are the members of the European Union, whose laws follow the directive.
var unionMembers = strings.Fields("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")

func everyLine(has func(*invoice.Line) bool) func(*invoice.Invoice) bool {
	return func(v *invoice.Invoice) bool {
		for i := range v.Lines {
			if !has(&v.Lines[i]) {
				return false
			}
		}
		return len(v.Lines) > 0
	}
}

// missingFields says which required fields an invoice does not have, nil when that is
// not what the case is about or no law is known. A field that only its name in
// legal_fields_present shows is looked for there; an invoice that names none at all
// says nothing about those.
func missingFields(inv *invoice.Invoice, v *detectors.Verdict, country string, kind CustomerKind) *AdminFields {
	about := slices.ContainsFunc(v.Causes, func(f detectors.Finding) bool {
		return f.Code == detectors.CauseMissingAdminData && !f.Hint()
	})
	code := lawOf(country)
	law, known := adminLaws[code]
	if !about || !known {
		return nil
	}
	out := &AdminFields{Country: code, Source: law.source, Missing: []string{}}
	for _, f := range law.fields {
		present := slices.Contains(inv.LegalFieldsPresent, f.name) || f.told != nil && f.told(inv) ||
			f.told == nil && len(inv.LegalFieldsPresent) == 0
		if !present && !(f.business && kind == Consumer) {
			out.Missing = append(out.Missing, f.name)
		}
	}
	for _, f := range v.Causes { // what is missing by habit, too
		if name := habitual[f.Kind]; f.Code == detectors.CauseMissingAdminData && name != "" &&
			!slices.Contains(out.Missing, name) {
			out.Missing = append(out.Missing, name)
		}
	}
	return out
}

// habitual are the names of what a finding of missing data is about.
var habitual = map[string]string{"purchase_order": "purchase_order_ref", "vat_id": "buyer_vat_id"}

// lawOf returns the key of a country's law in adminLaws.
func lawOf(country string) string {
	code := countryCode(country)
	if _, own := adminLaws[code]; !own && slices.Contains(unionMembers, code) {
		return "EU"
	}
	return code
}
