package question

import (
	"cmp"
	"maps"
	"unicode"
	"unicode/utf8"

	"recoup/cases"
)

// words are what codes mean to a person, by column and value. Those that cases have, too, are
// said with the same words (cases.InWords).
var words = map[string]map[string]Text{
	"cause": ofCases("unknown", "data_entry", "crm_sync", "price_list", "billing_system", "promotion", "duplicate",
		"before_shipment", "missing_admin_data"),
	"direction": ofCases("customer_favour", "seller_favour", "none"),
	"severity":  ofCases("critical", "error", "warning", "info"),
	"state": with(ofCases("open", "closed", "undetermined", "duplicate"), map[string]Text{
		"confirmed": {"Confirmed", "Confirmé"},
		"refuted":   {"Refuted", "Réfuté"},
	}),
	"kind":   ofCases("invoice", "incident", "rate", "blind"),
	"status": ofCases("opened", "acknowledged", "verified", "decided", "closed", "reopened"),
	"event": ofCases("offered", "accepted", "refused", "scheduled", "paid", "failed", "completed", "cancelled",
		"written_off"),
	"action": {
		"case open":    {"Case opened", "Dossier ouvert"},
		"case update":  {"Case changed", "Dossier modifié"},
		"case resolve": {"Case resolved", "Dossier résolu"},
	},
	"reason": {
		"wrong_amount":     {"Wrong amount", "Montant faux"},
		"price":            {"Price", "Prix"},
		"duplicate":        {"Duplicate", "Doublon"},
		"not_delivered":    {"Not delivered", "Non livré"},
		"quality":          {"Quality", "Qualité"},
		"missing_document": {"Missing document", "Document manquant"},
		"other":            {"Other", "Autre"},
	},
	"stage": {
		"issued":    {"Issued", "Émise"},
		"pre_issue": {"Before issue", "Avant émission"},
	},
	"invoice_type": {
		"invoice":     {"Invoice", "Facture"},
		"credit_note": {"Credit note", "Avoir"},
		"correction":  {"Correction", "Rectificatif"},
	},
	"spread": {
		"incident":       {"Incident", "Incident"},
		"no expectation": {"No expectation", "Sans attente"},
	},
	"outcome": ofCases("confirmed_error", "not_an_error", "expected_change", "duplicate_case", "undetermined"),
	"rule_15": {
		"fires": {"Fires", "Se déclenche"},
		"quiet": {"Quiet", "Muette"},
	},
	"amount_basis": {
		"net":   {"Before tax", "Hors taxes"},
		"gross": {"After tax", "Toutes taxes"},
	},
	"channel": {
		"email":  {"E-mail", "Courriel"},
		"phone":  {"Phone", "Téléphone"},
		"chat":   {"Chat", "Messagerie"},
		"letter": {"Letter", "Courrier"},

		"registered_letter": {"Registered letter", "Lettre recommandée"},

		"bank_transfer": {"Bank transfer", "Virement"},
		"card":          {"Card", "Carte"},
		"direct_debit":  {"Direct debit", "Prélèvement"},
	},
	"team": ofCases("billing", "sales", "marketing", "crm", "logistics", "administration", "it", "operations",
		"finance"),
	"dimension": inBoth(cases.DimensionWords()),
	"rule":      inBoth(cases.RuleWords()),
	"resolved_by": {
		"outcome":        {"Closed by somebody", "Clos par quelqu'un"},
		"credit_note":    {"Credited", "Avoir émis"},
		"correction":     {"Corrected", "Corrigée"},
		"revision":       {"Later revision", "Révision ultérieure"},
		"duplicate_case": {"Duplicate case", "Dossier en double"},
		"void":           {"Void", "Sans objet"},
		"over":           {"Over", "Terminé"},
	},
	"option": with(ofCases("immediate_payment", "instalments", "offset_next_order", "goodwill", "write_off",
		"formal_notice", "credit_note"), map[string]Text{
		"no_option": {"No option", "Sans option"},
		"none":      {"None", "Aucune"},
		"all":       {"All", "Toutes"},
	}),
	"level": {
		"customer_product": {"Customer and product", "Client et produit"},
		"customer":         {"Customer", "Client"},
		"type_product":     {"Type and product", "Type et produit"},
		"customer_type":    {"Customer type", "Type de client"},
		"product_family":   {"Product family", "Famille de produits"},
		"seller":           {"Seller", "Vendeur"},
		"none":             {"None", "Aucune"},
	},
	"answer": {
		"overdue":  {"Overdue", "En retard"},
		"waiting":  {"Waiting", "En attente"},
		"answered": {"Answered", "Pris en charge"},
	},
	"verdict": {
		"suspect": {"Suspect", "Suspecte"},
		"usual":   {"Usual", "Habituelle"},
	},
	"decision": with(ofCases("open_case", "bundle", "log_only", "hold"), map[string]Text{
		"none": {"None", "Aucune"},
	}),
	"step": {
		"1 detected": {"Detected", "Détectées"},
		"2 case":     {"Case", "Dossier"},
		"3 agreed":   {"Agreed", "Accord"},
		"4 paid":     {"Paid", "Payé"},
	},
	"estimate": {
		"audit":    {"Audit", "Audit"},
		"canary":   {"Canaries", "Canaris"},
		"disputes": {"Disputes", "Contestations"},
	},
}

// ofCases are the words that cases have for some codes, as they stand in a cell: with a capital.
func ofCases(codes ...string) map[string]Text {
	all := make(map[string]Text, len(codes))
	for _, code := range codes {
		en, fr := cases.InWords(code)
		all[code] = Text{EN: capital(en), FR: capital(fr)}
	}
	return all
}

// capital begins a text with a capital.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// with adds words to others.
func with(all, more map[string]Text) map[string]Text {
	maps.Copy(all, more)
	return all
}

// inBoth are words that cases and alerts use, too.
func inBoth(said map[string]cases.Summary) map[string]Text {
	all := make(map[string]Text, len(said))
	for code, words := range said {
		all[code] = Text{EN: words.EN, FR: words.FR}
	}
	return all
}

// sameWords are columns whose values are those of another one.
var sameWords = map[string]string{"predicted_cause": "cause", "true_cause": "cause", "way": "option",
	"settled_by": "option",
	"finding":    "rule",
	"type":       "cause"}

// severalWords are columns whose values are those of several others.
var severalWords = map[string][]string{
	"what":   {"action", "status", "event"},                    // all that may happen to a case
	"detail": {"severity", "resolved_by", "outcome", "option"}, // what of it
	"state":  {"outcome", "state"},
}

// wordsOf returns the words for the values of a column, nil where there are none.
func wordsOf(column string) map[string]Text {
	if of := severalWords[column]; of != nil {
		all := map[string]Text{}
		for _, column := range of {
			maps.Copy(all, words[column])
		}
		return all
	}
	return words[cmp.Or(sameWords[column], column)]
}
