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

// AdminField is a field that an invoice must have.
type AdminField struct {
	Name     string // as it stands in legal_fields_present
	Business bool   // of invoices between businesses only
	Untaxed  bool   // of invoices without tax only: the buyer owes it, or it is exempt
	// told tells whether the invoice's own fields show it; nil: only its name in
	// legal_fields_present does.
	told func(*invoice.Invoice) bool
}

// AdminLaw are the fields that a country's law wants.
type AdminLaw struct {
	Country string       // code of ISO 3166, or EU
	Source  string       // the law
	Fields  []AdminField // in the order of the table
}

// everywhere are the fields that article 226 of the VAT directive wants of every
// invoice in the Union, as far as invoice.v1 carries them.
var everywhere = []AdminField{
	{Name: "invoice_number", told: func(v *invoice.Invoice) bool { return v.Number != "" }},
	{Name: "seller_vat_id"},
	{Name: "buyer_vat_id", Business: true, Untaxed: true},
	{Name: "delivery_date", told: func(v *invoice.Invoice) bool {
		return !v.ShippedAt.IsZero() || v.DeliveryRef != "" || !v.PeriodEnd.IsZero()
	}},
	{Name: "quantities", told: everyLine(func(l *invoice.Line) bool { return l.Quantity.Set })},
	{Name: "unit_prices", told: everyLine(func(l *invoice.Line) bool { return l.UnitPrice.Set })},
	{Name: "tax_rate", told: func(v *invoice.Invoice) bool {
		return v.TaxRate.Set || everyLine(func(l *invoice.Line) bool { return l.TaxRate.Set })(v)
	}},
	{Name: "tax_amount", told: func(v *invoice.Invoice) bool { return v.TaxAmount.Set || v.GrossAmount.Set }},
}

var adminLaws = []AdminLaw{
	{"EU", "Directive 2006/112/EC art. 226", everywhere},
	{"FR", "CGI annexe II art. 242 nonies A; Code de commerce art. L441-9", append(slices.Clip(everywhere),
		AdminField{Name: "due_date", Business: true, told: func(v *invoice.Invoice) bool { return !v.DueAt.IsZero() }},
		AdminField{Name: "purchase_order_ref", Business: true}, // if the buyer gave one
		AdminField{Name: "late_payment_terms", Business: true},
		AdminField{Name: "recovery_fee", Business: true})},
	{"GB", "The Value Added Tax Regulations 1995 (SI 1995/2518) reg. 14",
		slices.DeleteFunc(slices.Clone(everywhere), func(f AdminField) bool { return f.Untaxed })},
}

// AdminLaws returns the laws that are known. The list must not be changed.
func AdminLaws() []AdminLaw { return adminLaws }

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
	law := lawOf(country)
	if !about || law == nil {
		return nil
	}
	out := &AdminFields{Country: law.Country, Source: law.Source, Missing: []string{}}
	for _, f := range law.Fields {
		present := slices.Contains(inv.LegalFieldsPresent, f.Name) || f.told != nil && f.told(inv) ||
			f.told == nil && len(inv.LegalFieldsPresent) == 0
		if !present && !(f.Business && kind == Consumer) && !(f.Untaxed && taxed(inv)) {
			out.Missing = append(out.Missing, f.Name)
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

// taxed tells whether an invoice asks for tax.
func taxed(inv *invoice.Invoice) bool {
	return inv.TaxRate.Value > 0 || inv.TaxAmount.Value > 0 || inv.GrossAmount.Value > inv.NetAmount
}

// habitual are the names of what a finding of missing data is about.
var habitual = map[string]string{"purchase_order": "purchase_order_ref", "vat_id": "buyer_vat_id"}

// lawOf returns what the law of a country wants, nil when that is not known here.
func lawOf(country string) *AdminLaw {
	code := countryCode(country)
	of := func(code string) *AdminLaw {
		i := slices.IndexFunc(adminLaws, func(l AdminLaw) bool { return l.Country == code })
		if i < 0 {
			return nil
		}
		return &adminLaws[i]
	}
	if law := of(code); law != nil || !slices.Contains(unionMembers, code) {
		return law
	}
	return of("EU")
}
