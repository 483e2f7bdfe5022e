// Package explain tells verdicts in words of people: what was billed, what was
// expected and from what, which single change would make an invoice usual, what
// else was considered, and what was decided and why. It reads what scoring has
// said and judges nothing anew.
package explain

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// causes are the causes of the contract, as a person would say them.
var causes = map[string]words{
	detectors.CauseDataEntry: {"Data entry: a digit or a decimal point", "Saisie : un chiffre ou une virgule"},
	detectors.CauseBillingSystem: {"Billing system: lines, totals, tax or currency",
		"Système de facturation : lignes, totaux, taxe ou devise"},
	detectors.CausePromotion: {"Promotion: a discount that does not apply",
		"Promotion : une remise qui ne s'applique pas"},
	detectors.CauseCRMSync: {"Customer data: an old or wrong price tier, contract or type",
		"Données client : un tarif, un contrat ou un type ancien ou faux"},
	detectors.CauseDuplicate: {"Duplicate: invoiced before", "Doublon : déjà facturé"},
	detectors.CausePriceList: {"Price list: not the listed price", "Tarif : pas le prix du tarif"},
	detectors.CauseBeforeShipment: {"Before shipment: nothing had been delivered",
		"Avant expédition : rien n'avait été livré"},
	detectors.CauseMissingAdminData: {"Missing data: a reference or legal field",
		"Données manquantes : une référence ou une mention légale"},
	detectors.CauseUnknown: {"Unknown: the amount is unusual, no single change repairs it",
		"Inconnue : le montant est inhabituel, aucune correction unique ne le répare"},
}

// Cause returns what a cause code means; a code that is not known stands for itself.
func (l Lang) Cause(code string) string {
	if said, ok := causes[code]; ok {
		return l.Pick(said.en, said.fr)
	}
	return code
}

// Kind returns what a finding has found, in a few words.
func (l Lang) Kind(f *detectors.Finding) string {
	if f.Kind == detectors.KindNoRepair {
		cause, _, _ := strings.Cut(l.Cause(f.Code), ":")
		return l.Say("%s, which no single change repairs", "%s, qu'aucune correction unique ne répare",
			strings.TrimSpace(strings.ToLower(cause[:1])+cause[1:]))
	}
	if en, fr, ok := cases.Words(f); ok {
		return l.Pick(en, fr)
	}
	return strings.ReplaceAll(f.Code+l.Pick(": ", " : ")+f.Kind, "_", " ")
}

// Probability writes a probability as whole per cent; none is certainty.
func Probability(p float64) string {
	switch {
	case p > 0 && p < 0.01:
		return "<1 %"
	case p > 0.99:
		return ">99 %"
	}
	return strconv.FormatFloat(100*p, 'f', 0, 64) + " %"
}

// likely says how probable an error is.
func (l Lang) likely(p float64) string {
	switch {
	case p >= 0.98:
		return l.Say("almost certainly wrong", "presque certainement fausse")
	case p >= 0.8:
		return l.Say("very probably wrong", "très probablement fausse")
	case p >= 0.5:
		return l.Say("probably wrong", "probablement fausse")
	case p >= 0.2:
		return l.Say("perhaps wrong", "peut-être fausse")
	case p > 0.05:
		return l.Say("probably right", "probablement juste")
	}
	return l.Say("no sign of an error", "aucun signe d'erreur")
}

// Suspicion says how probable an error of a suspect is: one whose error is not even
// probable is worth a look, as enough of its kind are wrong.
func (l Lang) Suspicion(p float64) string {
	if p < 0.5 {
		return l.Say("worth a look", "à regarder")
	}
	return l.likely(p)
}

// missing are the fields of missing_admin_data, by kind.
var missing = map[string]words{
	"customer":       {"the buyer reference", "la référence d'acheteur"},
	"delivery":       {"the delivery reference", "la référence de livraison"},
	"customer_type":  {"the buyer's type", "le type de client"},
	"product_family": {"the product family", "la famille de produits"},
	"purchase_order": {"the purchase order", "le numéro de commande"},
	"vat_id":         {"the VAT number", "le numéro de TVA"},
}

// Action says what to do about a finding whose amount is right; "" where the
// repaired amount says it.
func (l Lang) Action(f *detectors.Finding) string {
	switch f.Code {
	case detectors.CauseBeforeShipment:
		return l.Say("the amount stands: hold the invoice until the goods leave",
			"le montant est juste : retenir la facture jusqu'au départ de la marchandise")
	case detectors.CauseMissingAdminData:
		what, ok := missing[f.Kind]
		if !ok {
			what = words{"what is missing", "ce qui manque"}
		}
		return l.Say("the amount stands: add %s and send the invoice again",
			"le montant est juste : ajouter %s et renvoyer la facture", l.Pick(what.en, what.fr))
	}
	return ""
}

// spread says how much invoices or prices differ, and what that makes of a deviation.
func (l Lang) spread(cv float64) string {
	vary := l.Say("they vary by %s", "variation de %s", l.perCent(100*cv))
	switch {
	case cv <= 0.02:
		return l.Say("all but equal", "presque identiques")
	case cv <= 0.075:
		return l.Say("much alike (%s)", "très semblables (%s)", vary)
	case cv <= 0.3:
		return l.Say("not quite alike (%s)", "pas tout à fait semblables (%s)", vary)
	case cv <= 1:
		return l.Say("unlike each other (%s), so a deviation says little",
			"dissemblables (%s), un écart dit donc peu", vary)
	}
	return l.Say("beyond comparison (%s), so a deviation says next to nothing",
		"incomparables (%s), un écart ne dit donc presque rien", vary)
}

// Invoices writes a number of invoices.
func (l Lang) Invoices(n int64) string {
	if n == 1 {
		return l.Say("1 invoice", "1 facture")
	}
	return l.Say("%s invoices", "%s factures", l.whole(n))
}

// gap says which way and how far a second amount lies from a first one: what is
// to be added to or taken off the first.
func (l Lang) gap(from, to invoice.Amount, currency string) string {
	gap, ok := to.Sub(from)
	switch {
	case !ok:
		return l.Say("more than can be written", "plus qu'on ne peut écrire")
	case gap == 0:
		return l.Say("nothing", "rien")
	case gap < 0:
		return l.Say("%s less", "%s de moins", l.money(gap, currency))
	}
	return l.Say("%s more", "%s de plus", l.money(gap, currency))
}

// Favour says who gains by an error.
func (l Lang) Favour(d detectors.Direction) string {
	switch d {
	case detectors.DirectionCustomerFavour:
		return l.Say("billed too little", "facturé trop peu")
	case detectors.DirectionSellerFavour:
		return l.Say("billed too much", "facturé trop")
	}
	return l.Say("no money is at stake", "aucun argent en jeu")
}

// Decision says what is done about an invoice.
func (l Lang) Decision(d detectors.Decision) string {
	switch d {
	case detectors.DecisionOpenCase:
		return l.Say("a case is opened", "un dossier est ouvert")
	case detectors.DecisionBundle:
		return l.Say("part of an incident", "partie d'un incident")
	case detectors.DecisionLogOnly:
		return l.Say("logged only", "noté seulement")
	case detectors.DecisionHold:
		return l.Say("held, not to be sent", "retenue, à ne pas envoyer")
	}
	return l.Say("nothing to do", "rien à faire")
}

// Clean makes a text safe to print: what is no visible character becomes �, so
// that nothing in an invoice can speak to a terminal.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// Evidence returns all sentences of a verdict, one a line.
func Evidence(v *detectors.Verdict) string {
	var all []string
	for i := range v.Causes {
		all = append(all, v.Causes[i].Evidence...)
	}
	return strings.Join(all, "\n")
}

// Names tells whether a text has an id as a word of its own.
func Names(text, id string) bool {
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' }
	for rest := text; id != ""; {
		before, after, found := strings.Cut(rest, id)
		if !found {
			return false
		}
		last, _ := utf8.DecodeLastRuneInString(before)
		next, _ := utf8.DecodeRuneInString(after)
		if (before == "" || !inWord(last)) && (after == "" || !inWord(next)) {
			return true
		}
		rest = rest[len(before)+1:]
	}
	return false
}
