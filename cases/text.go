package cases

import (
	"strings"

	"recoup/detectors"
	"recoup/invoice"
)

// owners routes a cause to the team that can repair it (B5, D2, E1).
var owners = map[string]string{
	detectors.CauseDataEntry:        "billing",
	detectors.CauseBillingSystem:    "billing",
	detectors.CausePromotion:        "sales",
	detectors.CauseCRMSync:          "crm",
	detectors.CauseDuplicate:        "sales",
	detectors.CausePriceList:        "sales",
	detectors.CauseBeforeShipment:   "logistics",
	detectors.CauseMissingAdminData: "administration",
	detectors.CauseUnknown:          "billing",
}

func ownerTeam(cause string) string {
	if team, ok := owners[cause]; ok {
		return team
	}
	return owners[detectors.CauseUnknown]
}

// topCause is the most probable cause, unknown when nothing names one.
func topCause(v *detectors.Verdict) string {
	if len(v.Causes) == 0 {
		return detectors.CauseUnknown
	}
	return v.Causes[0].Code
}

// summarise says in one sentence what the first cause found and how much money
// it is about. It states what was compared and blames nobody (D5).
func summarise(inv *invoice.Invoice, v *detectors.Verdict, c *Case) Summary {
	name := inv.Number
	if name == "" {
		name = inv.ID
	}
	first := detectors.Finding{Code: detectors.CauseUnknown, Repaired: v.Expected}
	if len(v.Causes) > 0 {
		first = v.Causes[0]
	}
	en, fr := inWords(inv, &first)
	billedEN, billedFR := money(v.Billed, inv.Currency)
	en, fr = en+"; billed "+billedEN, fr+" ; montant facturé "+billedFR
	// What is owed for a duplicate is the other invoice's amount, not an expectation of this one.
	if first.Repaired != v.Billed && first.Code != detectors.CauseDuplicate {
		aboutEN, aboutFR := "", ""
		if first.Repaired == v.Expected || v.Loss.Low != v.Loss.High { // not what the invoice's own numbers say
			aboutEN, aboutFR = "about ", "environ "
		}
		wantEN, wantFR := money(first.Repaired, inv.Currency)
		en, fr = en+", should be "+aboutEN+wantEN, fr+", montant juste "+aboutFR+wantFR
	}
	if c.Direction == detectors.DirectionSellerFavour {
		owedEN, owedFR := money(magnitude(c.Loss.Point), inv.Currency)
		en, fr = en+"; "+owedEN+" owed to the customer", fr+" ; "+owedFR+" dus au client (avoir)"
	}
	if c.TooLate {
		en = en + "; too late to claim, the last day was " + c.Limitation
		day, _ := frenchValue(c.Limitation)
		fr = fr + " ; trop tard pour la réclamer, le dernier jour était le " + day
	}
	return Summary{FR: "Facture " + name + " : " + fr + ".", EN: "Invoice " + name + ": " + en + "."}
}

// inWords says what a finding has found in an invoice, in English and in French.
func inWords(inv *invoice.Invoice, f *detectors.Finding) (en, fr string) {
	switch f.Code + ":" + f.Kind {
	case "duplicate:delivery":
		en, fr = "delivery "+inv.DeliveryRef+" was already invoiced",
			"la livraison "+inv.DeliveryRef+" a déjà été facturée"
		if earlier, ok := earlierInvoice(inv, f); ok {
			en, fr = en+" as "+earlier, fr+" sous la référence "+earlier
		}
		return en, fr
	case "duplicate:same_id_changed":
		return "its id " + inv.ID + " came before with other content",
			"son identifiant " + inv.ID + " a déjà été reçu avec un autre contenu"
	}
	if en, fr, ok := Words(f); ok {
		return en, fr
	}
	return "the amount is not the usual one", "le montant n'est pas celui attendu"
}

// earlierInvoice returns the id of the invoice that the same delivery was
// invoiced with, which only the evidence tells.
func earlierInvoice(inv *invoice.Invoice, f *detectors.Finding) (id string, ok bool) {
	if len(f.Evidence) == 0 {
		return "", false
	}
	return strings.CutPrefix(f.Evidence[0], "delivery "+inv.DeliveryRef+" was already invoiced with invoice ")
}

// money writes an amount as English and as French people do.
func money(a invoice.Amount, currency string) (en, fr string) {
	units, cents, _ := strings.Cut(a.String(), ".")
	for at := len(units) - 3; at > 0 && units[at-1] != '-'; at -= 3 {
		units = units[:at] + "," + units[at:]
	}
	en = units + "." + cents + " " + currency
	return en, strings.NewReplacer(",", " ", ".", ",").Replace(en)
}

// verifyByCause is what to make sure of beside the facts, by cause.
var verifyByCause = map[string]string{
	detectors.CausePromotion:      "promotion_terms",
	detectors.CauseDuplicate:      "both_were_sent",
	detectors.CausePriceList:      "agreed_price",
	detectors.CauseCRMSync:        "contract_in_force",
	detectors.CauseBeforeShipment: "delivery_state",
}

// verifyFirst lists what a person makes sure of before anything else (D1): the three
// facts of an event's verified, then what the direction and the cause ask for.
func verifyFirst(v *detectors.Verdict) []string {
	list := []string{"invoice_is_wrong", "invoice_was_sent"}
	if v.Direction != detectors.DirectionSellerFavour { // else nobody is late: the money is the customer's
		list = append(list, "due_date_passed")
	}
	if v.Direction == detectors.DirectionCustomerFavour {
		list = append(list, "no_promotion_applies") // always asked first (A19)
	}
	if also := verifyByCause[topCause(v)]; also != "" {
		list = append(list, also)
	}
	return list
}
