package cases

// InWords says a code of the contract in English and in French, as a word or a sentence; a
// code without words stands for itself.
func InWords(code string) (en, fr string) {
	if said, ok := codes[code]; ok {
		return said[0], said[1]
	}
	return code, code
}

// codes are the codes of the contract in English and in French.
var codes = map[string][2]string{
	// Kinds of cases.
	"invoice":  {"invoice", "facture"},
	"incident": {"incident", "incident"},
	"rate":     {"error rate", "taux d'erreur"},
	"blind":    {"unseen source", "source invisible"},
	"no_case":  {"no case", "sans dossier"},

	// Severities.
	"critical": {"critical", "critique"},
	"error":    {"error", "erreur"},
	"warning":  {"warning", "avertissement"},
	"info":     {"info", "information"},

	// States, steps and outcomes.
	"open":            {"open", "ouvert"},
	"opened":          {"opened", "ouvert"},
	"acknowledged":    {"acknowledged", "pris en charge"},
	"verified":        {"verified", "vérifié"},
	"decided":         {"decided", "décidé"},
	"closed":          {"closed", "clos"},
	"reopened":        {"reopened", "rouvert"},
	"resolved":        {"resolved", "résolu"},
	"confirmed_error": {"confirmed error", "erreur confirmée"},
	"not_an_error":    {"no error", "aucune erreur"},
	"expected_change": {"expected change", "changement voulu"},
	"duplicate_case":  {"duplicate of another case", "dossier en double"},
	"undetermined":    {"undetermined", "indéterminé"},

	// Which way it is wrong.
	"customer_favour": {"billed too little", "facturé trop peu"},
	"seller_favour":   {"billed too much", "facturé trop"},
	"none":            {"no amount", "sans montant"},

	// Causes.
	"data_entry":         {"data entry error", "erreur de saisie"},
	"billing_system":     {"billing system", "système de facturation"},
	"promotion":          {"promotion", "promotion"},
	"crm_sync":           {"CRM and billing differ", "écart entre CRM et facturation"},
	"duplicate":          {"duplicate", "doublon"},
	"price_list":         {"price list", "tarif"},
	"before_shipment":    {"billed before shipment", "facturé avant l'expédition"},
	"missing_admin_data": {"required data missing", "mention obligatoire absente"},
	"unknown":            {"unknown cause", "cause inconnue"},

	// Teams.
	"billing":        {"billing", "facturation"},
	"sales":          {"sales", "ventes"},
	"marketing":      {"marketing", "marketing"},
	"logistics":      {"logistics", "logistique"},
	"it":             {"IT", "informatique"},
	"operations":     {"operations", "exploitation"},
	"finance":        {"finance", "finance"},
	"crm":            {"CRM", "CRM"},
	"administration": {"administration", "administration"},

	// Ways to settle.
	"immediate_payment": {"immediate payment", "paiement immédiat"},
	"instalments":       {"instalments", "paiement échelonné"},
	"offset_next_order": {"added to the next invoice", "ajout à la prochaine facture"},
	"goodwill":          {"goodwill gesture", "geste commercial"},
	"write_off":         {"write-off", "abandon"},
	"formal_notice":     {"formal notice", "mise en demeure"},
	"credit_note":       {"credit note", "avoir"},

	// Decisions.
	"open_case": {"open a case", "ouvrir un dossier"},
	"bundle":    {"work it with its incident", "traiter avec son incident"},
	"log_only":  {"note it only", "noter seulement"},
	"hold":      {"hold it back", "retenir"},

	// What becomes of an offer.
	"offered":     {"offered", "proposé"},
	"accepted":    {"accepted", "accepté"},
	"refused":     {"refused", "refusé"},
	"scheduled":   {"scheduled", "planifié"},
	"paid":        {"paid", "payé"},
	"failed":      {"failed", "échoué"},
	"completed":   {"completed", "terminé"},
	"cancelled":   {"cancelled", "annulé"},
	"written_off": {"written off", "abandonné"},

	// What to verify first.
	"invoice_is_wrong":     {"is the invoice really wrong?", "la facture est-elle vraiment fausse ?"},
	"invoice_was_sent":     {"was the invoice sent?", "la facture a-t-elle été envoyée ?"},
	"due_date_passed":      {"is it due?", "l'échéance est-elle passée ?"},
	"no_promotion_applies": {"does no promotion apply?", "aucune promotion ne s'applique-t-elle ?"},
	"promotion_terms":      {"what are the terms of the promotion?", "que disent les conditions de la promotion ?"},
	"both_were_sent":       {"were both invoices sent?", "les deux factures ont-elles été envoyées ?"},
	"agreed_price":         {"which price was agreed?", "quel prix a été convenu ?"},
	"contract_in_force":    {"which contract is in force?", "quel contrat est en vigueur ?"},
	"delivery_state":       {"where is the delivery?", "où en est la livraison ?"},
	"invoices_are_wrong": {"are the invoices really wrong? Look at five",
		"les factures sont-elles vraiment fausses ? En regarder cinq"},
	"hold_batch": {"is the billing run held? (recoup hold)", "le lot est-il retenu ? (recoup hold)"},
	"do_not_contact_customers_yet": {"do not write to customers before the cause is repaired",
		"ne pas écrire aux clients avant que la cause soit réparée"},
	"what_changed_in_this_segment": {"what has changed in this segment?",
		"qu'est-ce qui a changé dans ce segment ?"},
	"source_is_running":    {"is the billing system running?", "le système de facturation fonctionne-t-il ?"},
	"invoices_reach_kafka": {"do invoices reach Kafka?", "les factures arrivent-elles dans Kafka ?"},
	"recoup_is_running":    {"is recoup running?", "recoup fonctionne-t-il ?"},

	// What does not fit.
	"step_back":             {"a step back without reopening", "retour en arrière sans réouverture"},
	"closed_undecided":      {"closed without a decision", "clos sans décision"},
	"reopened_undecided":    {"reopened without a decision", "rouvert sans décision"},
	"answer_without_offer":  {"an answer without an offer", "réponse sans offre"},
	"formal_notice_refused": {"formal notice too early", "mise en demeure trop tôt"},
	"schedule_sum":          {"the instalments do not add up", "les échéances ne font pas la somme"},
	"overpaid":              {"overpaid", "trop payé"},
	"currency_differs":      {"another currency", "autre devise"},
	"event_id_reused":       {"event id used twice", "identifiant réutilisé"},
	"time_implausible":      {"a time that had not come", "date à venir"},
}
