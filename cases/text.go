package cases

import (
	"fmt"

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

// summarise says in one sentence what is wrong, without blaming anybody (D5).
func summarise(inv *invoice.Invoice, v *detectors.Verdict) Summary {
	name := inv.Number
	if name == "" {
		name = inv.ID
	}
	billed := v.Billed.String() + " " + inv.Currency
	expected := v.Expected.String() + " " + inv.Currency
	if len(v.Causes) > 0 {
		expected = v.Causes[0].Repaired.String() + " " + inv.Currency
	}
	en := fmt.Sprintf("Invoice %s: billed %s, expected about %s", name, billed, expected)
	fr := fmt.Sprintf("Facture %s : montant facturé %s, attendu environ %s", name, billed, expected)
	if len(v.Causes) > 0 && len(v.Causes[0].Evidence) > 0 {
		en += "; " + v.Causes[0].Evidence[0]
		fr += " ; motif : " + v.Causes[0].Code + "/" + v.Causes[0].Kind
	}
	return Summary{FR: fr + ".", EN: en + "."}
}

// verifyFirst lists what a person makes sure of before anything else (D1).
func verifyFirst(v *detectors.Verdict) []string {
	list := []string{"invoice_is_wrong", "invoice_was_sent"}
	if v.Direction == detectors.DirectionCustomerFavour {
		list = append(list, "no_promotion_applies")
	}
	return list
}
