package main

import (
	"regexp"
	"strings"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// tongue is a language of `recoup case show`: every label, and how amounts and dates are
// written.
type tongue struct {
	pick     func(en, fr string) string
	sentence func(string) string // a sentence of evidence
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
	decimal: ".", group: ",", day: time.DateOnly, moment: time.DateTime,

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
	decimal: ",", group: " ", day: "02/01/2006", moment: "02/01/2006 15:04",

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
func (t *tongue) code(code string) string { return t.pick(cases.InWords(code)) }

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
