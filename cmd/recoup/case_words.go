package main

import (
	"strings"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// tongue is a language of `recoup case show`: every label, how codes read, and how
// amounts and dates are written.
type tongue struct {
	summary  func(cases.Summary) string
	evidence func(*detectors.Finding) []string // what a finding says
	codes    map[string]string                 // sentences by code; what is missing is shown as the code
	decimal  string                            // mark before the cents
	group    string                            // between thousands
	day      string                            // layout of a date
	moment   string                            // layout of a time, UTC

	head, invoice, columns, counted, because, also                   string
	status, answer, escalates, owner, billed, notKnown, right        string
	stake, confirmed, back, worth, until, part, muted, runbook       string
	query, dunning, held, contacted, restart, resolved, verify       string
	settle, gesture, accept, happened, by, instalment, due, flagged  string
	next, nothing, ack, decide, decideShared, decideUnknown, members string
	close, offer, schedule, pay, await, collect, credit              string
}

var tongues = map[string]*tongue{"en": &english, "fr": &french}

var english = tongue{
	summary:  func(s cases.Summary) string { return s.EN },
	evidence: func(f *detectors.Finding) []string { return f.Evidence },
	decimal:  ".", day: time.DateOnly, moment: time.DateTime,

	columns: "CASE\tABOUT\tAT STAKE\tCAUSE\tTEAM\tSTATUS\tANSWER BY", counted: "%d of %d cases are open, %d listed",
	because: "%s, %.0f %%: %s", also: "; ",
	head: "Case %s, %s of %s", invoice: "invoice", status: "status", answer: "answer by",
	escalates: "%s UTC, escalates at %s", owner: "owner", billed: "billed", notKnown: "not known",
	right: "would be right", stake: "at stake", confirmed: "confirmed\t%s, cause %s",
	back: "came back\t%s, gestures cost %s, written off %s", worth: "worth it\t%s expected back, handling costs %s",
	until: "claim until", part: "part of\tincident %s (%s): recoup case show %s",
	muted: "case\tnone was opened for it; it is worked like one all the same", runbook: "runbook", query: "query",
	dunning: "dunning", held: "on hold: the claim is disputed, so no reminders and no interest",
	contacted: "customer told", restart: "term runs from", resolved: "resolved", verify: "Verify first",
	settle: "Ways to settle, best first", gesture: ", the gesture costs %s", accept: ", %.0f %% accept",
	happened: "What happened (UTC)", by: ", by %s", instalment: ", instalment %d of %d", due: ", due %s",
	flagged: "does not fit: %s (event %s)", next: "Next: ",
	nothing: "nothing; if that is wrong: recoup case reopen %s",
	ack:     "recoup case ack %s",
	decide:  "verify the facts, then recoup case decide %s confirmed_error --correct AMOUNT, or not_an_error",
	decideUnknown: "look up what was billed, then recoup case decide %s confirmed_error --correct AMOUNT " +
		"--billed AMOUNT --currency CODE, or not_an_error",
	decideShared: "verify the facts, then recoup case decide %s confirmed_error, or not_an_error",
	members: "settle its members, each by its invoice id like a case (recoup case ls --incident %s lists them: " +
		"decide, recover), then recoup case close %[1]s",
	close:    "recoup case close %s",
	offer:    "recoup case recover %s immediate_payment offered (%s are owed), or recoup case close %[1]s",
	schedule: "recoup case recover %s instalments scheduled --instalments N (%s were agreed)",
	pay: "instalment %d of %d, %s, is due %s; then recoup case recover %s instalments paid --instalment %[1]d, " +
		"or failed",
	await:   "what the customer says to the offer: recoup case recover %s %s accepted, or refused",
	collect: "recoup case recover %s %s paid once the money is there (%s are owed), or failed",
	credit:  "give %s back with a credit note, then recoup case close %s",
}

var french = tongue{
	summary: func(s cases.Summary) string { return s.FR }, evidence: frenchEvidence,
	decimal: ",", group: " ", day: "02/01/2006", moment: "02/01/2006 15:04", codes: frenchCodes,

	columns: "DOSSIER\tOBJET\tEN JEU\tCAUSE\tÉQUIPE\tÉTAT\tRÉPONDRE AVANT",
	counted: "%d dossiers ouverts sur %d, %d affichés",
	because: "%s, %.0f %% : %s", also: " ; ",
	head: "Dossier %s, %s de %s", invoice: "facture", status: "état", answer: "répondre avant",
	escalates: "%s UTC, un échelon plus haut le %s", owner: "responsable", billed: "facturé", notKnown: "inconnu",
	right: "montant juste", stake: "en jeu", confirmed: "confirmé\t%s, cause : %s",
	back:  "revenu\t%s, gestes %s, abandonné %s",
	worth: "rentabilité\t%s de retour attendu, traitement %s",
	until: "réclamable jusqu'au", part: "fait partie de\tl'incident %s (%s) : recoup case show %s",
	muted: "dossier\taucun n'a été ouvert pour elle ; elle se traite de même", runbook: "fiche", query: "requête",
	dunning: "relances", held: "suspendues : créance contestée, donc ni relance ni intérêts",
	contacted: "client prévenu", restart: "délai repart le", resolved: "résolu", verify: "À vérifier d'abord",
	settle: "Solutions, la meilleure d'abord", gesture: ", le geste coûte %s", accept: ", acceptée à %.0f %%",
	happened: "Ce qui s'est passé (UTC)", by: ", par %s", instalment: ", échéance %d sur %d", due: ", exigible le %s",
	flagged: "ne va pas : %s (événement %s)", next: "Ensuite : ",
	nothing: "rien ; si c'est à tort : recoup case reopen %s",
	ack:     "recoup case ack %s",
	decide: "vérifier les faits, puis recoup case decide %s confirmed_error --correct MONTANT, " +
		"ou not_an_error",
	decideUnknown: "chercher ce qui a été facturé, puis recoup case decide %s confirmed_error --correct MONTANT " +
		"--billed MONTANT --currency CODE, ou not_an_error",
	decideShared: "vérifier les faits, puis recoup case decide %s confirmed_error, ou not_an_error",
	members: "régulariser ses factures, chacune par son identifiant comme un dossier (recoup case ls --incident %s " +
		"les liste : decide, recover), puis recoup case close %[1]s",
	close:    "recoup case close %s",
	offer:    "recoup case recover %s immediate_payment offered (%s sont dus), ou recoup case close %[1]s",
	schedule: "recoup case recover %s instalments scheduled --instalments N (accord sur %s)",
	pay: "échéance %d sur %d, %s, exigible le %s ; ensuite recoup case recover %s instalments paid --instalment %[1]d, " +
		"ou failed",
	await:   "la réponse du client à l'offre : recoup case recover %s %s accepted, ou refused",
	collect: "recoup case recover %s %s paid quand l'argent est là (%s sont dus), ou failed",
	credit:  "rendre %s par un avoir, puis recoup case close %s",
}

// frenchCodes are the codes of the contract as sentences.
var frenchCodes = map[string]string{
	"invoice": "facture", "incident": "incident", "rate": "taux d'erreurs", "blind": "source invisible",
	"opened": "ouvert", "acknowledged": "pris en charge", "verified": "vérifié", "decided": "décidé", "closed": "clos",
	"reopened": "rouvert", "resolved": "résolu", "confirmed_error": "erreur confirmée", "not_an_error": "aucune erreur",
	"expected_change": "changement voulu", "duplicate_case": "dossier en double", "undetermined": "indéterminé",
	"customer_favour": "à l'avantage du client", "seller_favour": "à l'avantage du vendeur", "none": "aucun avantage",
	"data_entry": "erreur de saisie", "billing_system": "système de facturation", "promotion": "promotion",
	"crm_sync": "écart entre CRM et facturation", "duplicate": "doublon", "price_list": "tarif",
	"before_shipment": "facturé avant l'expédition", "missing_admin_data": "mention obligatoire absente",
	"unknown": "cause inconnue",
	"billing": "facturation", "sales": "ventes", "marketing": "marketing", "logistics": "logistique", "it": "informatique",
	"operations": "exploitation", "finance": "finance", "crm": "CRM", "administration": "administration",
	"immediate_payment": "paiement immédiat", "instalments": "paiement échelonné",
	"offset_next_order": "ajout à la prochaine facture", "goodwill": "geste commercial", "write_off": "abandon",
	"formal_notice": "mise en demeure", "credit_note": "avoir",
	"offered": "proposé", "accepted": "accepté", "refused": "refusé", "scheduled": "planifié", "paid": "payé",
	"failed": "échoué", "completed": "terminé", "cancelled": "annulé", "written_off": "abandonné",
	"invoice_is_wrong": "la facture est-elle vraiment fausse ?", "invoice_was_sent": "la facture a-t-elle été envoyée ?",
	"due_date_passed":      "l'échéance est-elle passée ?",
	"no_promotion_applies": "aucune promotion ne s'applique-t-elle ?",
	"promotion_terms":      "que disent les conditions de la promotion ?",
	"both_were_sent":       "les deux factures ont-elles été envoyées ?", "agreed_price": "quel prix a été convenu ?",
	"contract_in_force": "quel contrat est en vigueur ?", "delivery_state": "où en est la livraison ?",
	"invoices_are_wrong":           "les factures sont-elles vraiment fausses ? En regarder cinq",
	"hold_batch":                   "le lot est-il retenu ? (recoup hold)",
	"do_not_contact_customers_yet": "ne pas écrire aux clients avant que la cause soit réparée",
	"what_changed_in_this_segment": "qu'est-ce qui a changé dans ce segment ?",
	"source_is_running":            "le système de facturation fonctionne-t-il ?",
	"invoices_reach_kafka":         "les factures arrivent-elles dans Kafka ?",
	"recoup_is_running":            "recoup fonctionne-t-il ?",
	"step_back":                    "retour en arrière sans réouverture", "closed_undecided": "clos sans décision",
	"reopened_undecided": "rouvert sans décision", "answer_without_offer": "réponse sans offre",
	"formal_notice_refused": "mise en demeure trop tôt", "schedule_sum": "les échéances ne font pas la somme",
	"overpaid": "trop payé", "currency_differs": "autre devise", "event_id_reused": "identifiant réutilisé",
	"time_implausible": "date à venir",
}

// frenchEvidence says what a finding found, then its evidence.
func frenchEvidence(f *detectors.Finding) (all []string) {
	if _, said, ok := cases.Words(f); ok {
		all = append(all, said)
	}
	for _, sentence := range f.Evidence {
		said, _ := cases.French(sentence)
		all = append(all, said)
	}
	return all
}

// code is a code of the contract as people say it.
func (t *tongue) code(code string) string {
	if text := t.codes[code]; text != "" {
		return text
	}
	return code
}

// money writes an amount with its cents, as people of the language do.
func (t *tongue) money(a invoice.Amount, currency string) string {
	if currency == unknownCurrency {
		return t.notKnown
	}
	const cent = invoice.Unit / 100
	if rest := a % cent; rest*2 >= cent {
		a += cent - rest
	} else if rest*2 <= -cent {
		a -= cent + rest
	} else {
		a -= rest
	}
	units, cents, _ := strings.Cut(a.String(), ".")
	for at := len(units) - 3; t.group != "" && at > 0 && units[at-1] != '-'; at -= 3 {
		units = units[:at] + t.group + units[at:]
	}
	return strings.TrimRight(units+t.decimal+cents+" "+currency, " ")
}

// date writes a day that is stored as 2006-01-02.
func (t *tongue) date(day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return at.Format(t.day)
}
