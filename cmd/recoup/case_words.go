package main

import (
	"regexp"
	"strings"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// tongue is a language of `recoup case show`: every label, how codes read, and how
// amounts and dates are written.
type tongue struct {
	pick     func(en, fr string) string
	sentence func(string) string // a sentence of evidence
	codes    map[string]string   // words by code; what is missing is shown as the code
	decimal  string              // mark before the cents
	group    string              // between thousands
	day      string              // layout of a date
	moment   string              // layout of a time, UTC

	head, invoice, columns, counted, countedMembers, closedToo, also     string
	wrong, ifWrong, cause, share, ofMembers, says                        string
	tooLate, notOurs, comesBack, breakEven, decision, disputes, disputed string
	status, answer, escalates, owner, billed, notKnown, right            string
	stake, confirmed, back, worth, until, part, muted, runbook           string
	query, dunning, held, contacted, restart, resolved, verify           string
	settle, gesture, accept, happened, by, instalment, due, flagged      string
	next, nothing, ack, decide, decideShared, decideUnknown, members     string
	close, offer, schedule, pay, await, collect, credit                  string
}

var tongues = map[string]*tongue{"en": &english, "fr": &french}

var english = tongue{
	pick: func(en, _ string) string { return en }, sentence: englishEvidence,
	decimal: ".", group: ",", day: time.DateOnly, moment: time.DateTime, codes: englishCodes,

	columns: "CASE\tABOUT\tAT STAKE\tCAUSE\tTEAM\tSTATUS\tANSWER BY", counted: "cases open: %d of %d, listed: %d",
	countedMembers: "members left to settle: %d of %d, listed: %d", closedToo: "; closed ones too: --all",
	wrong: "probably wrong\t%.0f %%", ifWrong: "If it is wrong: %s", cause: "Cause: %s", share: ", %.0f %%",
	ofMembers: ", of %.0f %% of its invoices", says: ": ", also: "; ", breakEven: "pays from\t%s at stake",
	comesBack: "comes back\t%.0f %% of what is asked for, by %d answers or closed cases",
	tooLate:   "worth it\tno: it is too late to claim", notOurs: "worth it\towed to the customer, not a matter of return",
	decision: "decision\t%s", disputes: "may be disputed\t%.0f %%, a weak hint",
	head: "Case %s, %s of %s", invoice: "invoice", status: "status", answer: "answer by",
	escalates: "%s UTC, escalates at %s", owner: "owner", billed: "billed", notKnown: "not known",
	right: "would be right", stake: "at stake", confirmed: "confirmed\t%s, cause %s",
	back:  "came back\t%s, gestures cost %s, written off %s",
	worth: "worth it\t%s expected back, handling costs %s: %s net",
	until: "claim until", part: "part of\tincident %s (%s): recoup case show %s",
	muted: "case\tnone was opened for it; it is worked like one all the same", runbook: "runbook", query: "query",
	dunning: "reminders", held: "on hold, and so is interest",
	disputed:  "on hold, and so is interest: the customer disputes the claim",
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
	pick: func(_, fr string) string { return fr }, sentence: frenchEvidence,
	decimal: ",", group: " ", day: "02/01/2006", moment: "02/01/2006 15:04", codes: frenchCodes,

	columns: "DOSSIER\tOBJET\tEN JEU\tCAUSE\tÉQUIPE\tÉTAT\tRÉPONDRE AVANT",
	counted: "dossiers ouverts : %d sur %d, affichés : %d", closedToo: " ; les clos aussi : --all",
	countedMembers: "membres à régler : %d sur %d, affichés : %d",
	wrong:          "risque d'erreur\t%.0f %%", ifWrong: "Si elle est fausse : %s",
	cause: "Cause : %s", share: ", %.0f %%",
	ofMembers: ", pour %.0f %% de ses factures", says: " : ", also: " ; ", breakEven: "rentable dès\t%s en jeu",
	comesBack: "part qui revient\t%.0f %% de ce qui est demandé, selon %d réponses ou dossiers clos",
	tooLate:   "rentabilité\taucune : il est trop tard pour réclamer",
	notOurs:   "rentabilité\tdû au client, ce n'est pas une question de retour", decision: "décision\t%s",
	disputes: "risque de contestation\t%.0f %%, indice faible",
	head:     "Dossier %s, %s de %s", invoice: "facture", status: "état", answer: "répondre avant",
	escalates: "%s UTC, un échelon plus haut le %s", owner: "responsable", billed: "facturé", notKnown: "inconnu",
	right: "montant juste", stake: "en jeu", confirmed: "confirmé\t%s, cause : %s",
	back:  "revenu\t%s, gestes %s, abandonné %s",
	worth: "rentabilité\t%s de retour attendu, traitement %s : %s net",
	until: "réclamable jusqu'au", part: "fait partie de\tl'incident %s (%s) : recoup case show %s",
	muted: "dossier\taucun n'a été ouvert pour elle ; elle se traite de même", runbook: "fiche", query: "requête",
	dunning: "relances", held: "suspendues, intérêts compris",
	disputed:  "suspendues, intérêts compris : le client conteste",
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

// englishCodes are the codes of the contract as words.
var englishCodes = map[string]string{
	"invoice": "invoice", "incident": "incident", "rate": "error rate", "blind": "unseen source",
	"no_case": "no case",
	"opened":  "opened", "acknowledged": "acknowledged", "verified": "verified", "decided": "decided", "closed": "closed",
	"reopened": "reopened", "resolved": "resolved", "confirmed_error": "confirmed error", "not_an_error": "no error",
	"expected_change": "expected change", "duplicate_case": "duplicate of another case", "undetermined": "undetermined",
	"customer_favour": "in the customer's favour", "seller_favour": "in the seller's favour", "none": "in nobody's favour",
	"data_entry": "data entry error", "billing_system": "billing system", "promotion": "promotion",
	"crm_sync": "CRM and billing differ", "duplicate": "duplicate", "price_list": "price list",
	"before_shipment": "billed before shipment", "missing_admin_data": "required data missing",
	"unknown": "unknown cause",
	"billing": "billing", "sales": "sales", "marketing": "marketing", "logistics": "logistics", "it": "IT",
	"operations": "operations", "finance": "finance", "crm": "CRM", "administration": "administration",
	"immediate_payment": "immediate payment", "instalments": "instalments",
	"offset_next_order": "added to the next invoice", "goodwill": "goodwill gesture", "write_off": "write-off",
	"formal_notice": "formal notice", "credit_note": "credit note",
	"open_case": "open a case", "bundle": "work it with its incident", "log_only": "note it only",
	"offered": "offered", "accepted": "accepted", "refused": "refused", "scheduled": "scheduled", "paid": "paid",
	"failed": "failed", "completed": "completed", "cancelled": "cancelled", "written_off": "written off",
	"invoice_is_wrong": "is the invoice really wrong?", "invoice_was_sent": "was the invoice sent?",
	"due_date_passed": "is it due?", "no_promotion_applies": "does no promotion apply?",
	"promotion_terms": "what are the terms of the promotion?", "both_were_sent": "were both invoices sent?",
	"agreed_price": "which price was agreed?", "contract_in_force": "which contract is in force?",
	"delivery_state":               "where is the delivery?",
	"invoices_are_wrong":           "are the invoices really wrong? Look at five",
	"hold_batch":                   "is the billing run held? (recoup hold)",
	"do_not_contact_customers_yet": "do not write to customers before the cause is repaired",
	"what_changed_in_this_segment": "what has changed in this segment?",
	"source_is_running":            "is the billing system running?",
	"invoices_reach_kafka":         "do invoices reach Kafka?",
	"recoup_is_running":            "is recoup running?",
	"step_back":                    "a step back without reopening", "closed_undecided": "closed without a decision",
	"reopened_undecided": "reopened without a decision", "answer_without_offer": "an answer without an offer",
	"formal_notice_refused": "formal notice too early", "schedule_sum": "the instalments do not add up",
	"overpaid": "overpaid", "currency_differs": "another currency", "event_id_reused": "event id used twice",
	"time_implausible": "a time that had not come",
}

// frenchCodes are the codes of the contract as sentences.
var frenchCodes = map[string]string{
	"invoice": "facture", "incident": "incident", "rate": "taux d'erreurs", "blind": "source invisible",
	"no_case": "sans dossier",
	"opened":  "ouvert", "acknowledged": "pris en charge", "verified": "vérifié", "decided": "décidé", "closed": "clos",
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
	"open_case": "ouvrir un dossier", "bundle": "traiter avec son incident", "log_only": "noter seulement",
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

// evidence says what a finding found, then its evidence, without the code of the finding that
// a sentence of an incident begins with.
func (t *tongue) evidence(f *detectors.Finding) (all []string) {
	if en, fr, ok := cases.Words(f); ok {
		all = append(all, t.pick(en, fr))
	}
	for _, sentence := range f.Evidence {
		all = append(all, t.sentence(strings.TrimPrefix(sentence, f.Code+":"+f.Kind+": ")))
	}
	return all
}

func frenchEvidence(sentence string) string {
	said, _ := cases.French(sentence)
	return said
}

// largeAmount is an amount of evidence, which has no mark between thousands; fits is how many
// members of an incident its repair explains.
var (
	largeAmount = regexp.MustCompile(`(^|[ (])-?\d{4,}\.\d\d( [A-Z]{3}\b)`)
	fits        = regexp.MustCompile(`its repair makes (\d+) usual`)
)

func englishEvidence(sentence string) string {
	sentence = largeAmount.ReplaceAllStringFunc(sentence, func(amount string) string {
		at := strings.IndexByte(amount, '.')
		return grouped(amount[:at], ",") + amount[at:]
	})
	return fits.ReplaceAllString(sentence, "to repair it explains $1 of them")
}

// grouped puts a mark between the thousands of a whole number.
func grouped(units, mark string) string {
	first := strings.IndexAny(units, "0123456789")
	for at := len(units) - 3; mark != "" && at > first; at -= 3 {
		units = units[:at] + mark + units[at:]
	}
	return units
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
	return strings.TrimRight(grouped(units, t.group)+t.decimal+cents+" "+currency, " ")
}

// date writes a day that is stored as 2006-01-02.
func (t *tongue) date(day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return at.Format(t.day)
}
