package question

import (
	"cmp"
	"maps"

	"recoup/cases"
)

// words are what codes mean to a person, by column and value.
var words = map[string]map[string]Text{
	"cause": {
		"unknown":            {"Unknown", "Inconnue"},
		"data_entry":         {"Data entry", "Saisie"},
		"crm_sync":           {"CRM out of step", "CRM désynchronisé"},
		"price_list":         {"Price list", "Tarif"},
		"billing_system":     {"Billing system", "Système de facturation"},
		"promotion":          {"Promotion", "Promotion"},
		"duplicate":          {"Duplicate", "Doublon"},
		"before_shipment":    {"Before shipment", "Avant expédition"},
		"missing_admin_data": {"Missing data", "Données manquantes"},
	},
	"direction": {
		"customer_favour": {"Billed too little", "Facturé trop peu"},
		"seller_favour":   {"Billed too much", "Facturé trop"},
		"none":            {"No amount", "Sans montant"},
	},
	"severity": {
		"critical": {"Critical", "Critique"},
		"error":    {"Error", "Erreur"},
		"warning":  {"Warning", "Avertissement"},
		"info":     {"Info", "Info"},
	},
	"state": {
		"open":         {"Open", "Ouvert"},
		"closed":       {"Closed", "Clos"},
		"confirmed":    {"Confirmed", "Confirmé"},
		"refuted":      {"Refuted", "Réfuté"},
		"undetermined": {"Undetermined", "Indéterminé"},
		"duplicate":    {"Duplicate", "Doublon"},
	},
	"kind": {
		"invoice":  {"Invoice", "Facture"},
		"incident": {"Incident", "Incident"},
		"rate":     {"Error rate", "Taux d'erreur"},
		"blind":    {"Blind spot", "Angle mort"},
	},
	"status": {
		"opened":       {"Opened", "Ouvert"},
		"acknowledged": {"Answered", "Pris en charge"},
		"verified":     {"Verified", "Vérifié"},
		"decided":      {"Decided", "Décidé"},
		"closed":       {"Closed", "Clos"},
		"reopened":     {"Reopened", "Rouvert"},
	},
	"event": {
		"offered":     {"Offered", "Proposé"},
		"accepted":    {"Accepted", "Accepté"},
		"refused":     {"Refused", "Refusé"},
		"scheduled":   {"Scheduled", "Planifié"},
		"paid":        {"Paid", "Payé"},
		"failed":      {"Failed", "Échoué"},
		"completed":   {"Completed", "Achevé"},
		"cancelled":   {"Cancelled", "Annulé"},
		"written_off": {"Written off", "Abandonné"},
	},
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
		"correction":  {"Correction", "Correction"},
	},
	"spread": {
		"incident":       {"Incident", "Incident"},
		"no expectation": {"No expectation", "Sans attente"},
	},
	"outcome": {
		"confirmed_error": {"Confirmed error", "Erreur confirmée"},
		"not_an_error":    {"Not an error", "Pas une erreur"},
		"expected_change": {"Expected change", "Changement attendu"},
		"duplicate_case":  {"Duplicate case", "Dossier en double"},
		"undetermined":    {"Undetermined", "Indéterminé"},
	},
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
	"team": {
		"billing":        {"Billing", "Facturation"},
		"sales":          {"Sales", "Commercial"},
		"crm":            {"CRM", "CRM"},
		"logistics":      {"Logistics", "Logistique"},
		"administration": {"Administration", "Administration"},
	},
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
	"option": {
		"immediate_payment": {"Paid at once", "Paiement immédiat"},
		"instalments":       {"Instalments", "Échéances"},
		"offset_next_order": {"Next order", "Prochaine commande"},
		"goodwill":          {"With a gesture", "Avec un geste"},
		"write_off":         {"Written off", "Abandon"},
		"formal_notice":     {"Formal notice", "Mise en demeure"},
		"credit_note":       {"Credit note", "Avoir"},
		"no_option":         {"No option", "Sans option"},
		"none":              {"None", "Aucune"},
		"all":               {"All", "Toutes"},
	},
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
	"decision": {
		"none":      {"None", "Aucune"},
		"open_case": {"Open a case", "Ouvrir un dossier"},
		"bundle":    {"Bundle", "Regrouper"},
		"log_only":  {"Log only", "Noter seulement"},
		"hold":      {"Hold", "Retenir"},
	},
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
