package cases

import (
	"maps"

	"recoup/detectors"
)

// Words says what a finding has found, in English and in French, for people who
// have not the invoice before them. It is not ok for a kind without words.
func Words(f *detectors.Finding) (en, fr string, ok bool) {
	if f.Kind == detectors.KindNoRepair {
		return noRepair[0], noRepair[1], true
	}
	said, ok := words[f.Code+":"+f.Kind]
	return said[0], said[1], ok
}

// RuleWords returns the words for every code that Verdict.Rules may hold: findings, by
// "<cause>:<kind>", and the rules beside them.
func RuleWords() map[string]Summary {
	all := maps.Clone(words)
	maps.Copy(all, ruleWords)
	for cause := range owners {
		all[cause+":"+detectors.KindNoRepair] = noRepair
	}
	return summaries(all)
}

// DimensionWords returns the words for what the members of an incident have in common,
// by the name of the dimension.
func DimensionWords() map[string]Summary { return summaries(dimensionWords) }

func summaries(words map[string][2]string) map[string]Summary {
	all := make(map[string]Summary, len(words))
	for code, said := range words {
		all[code] = Summary{EN: said[0], FR: said[1]}
	}
	return all
}

// noRepair is what is said of a cause that only the whole of the evidence points to.
var noRepair = [2]string{"several unusual signs, which no single change repairs",
	"plusieurs signes inhabituels, qu'aucune correction ne suffit à expliquer"}

// words say what a finding has found, in English and in French, by
// "<cause>:<kind>".
var words = map[string][2]string{
	"unknown:deviation":      {"the amount is below the usual", "le montant est inférieur à l'habitude"},
	"data_entry:price_comma": {"the comma of a price has moved", "la virgule d'un prix est décalée"},
	"data_entry:price_digit": {"a digit of a price is missing, too many or swapped",
		"un chiffre d'un prix manque, est en trop ou est inversé"},
	"data_entry:price": {"one price is not the usual one", "un prix n'est pas le prix habituel"},
	"data_entry:quantity_delivered": {"the quantity is not the one delivered",
		"la quantité n'est pas celle livrée"},
	"data_entry:quantity_slip": {"a quantity looks mistyped",
		"une quantité semble mal saisie"},
	"data_entry:quantity": {"a quantity is not the usual one", "une quantité n'est pas la quantité habituelle"},
	"data_entry:net_amount": {"the total is the sum of the lines with a digit or the point out of place",
		"le total est la somme des lignes, un chiffre ou la virgule mal placés"},
	"data_entry:line_amount": {"the amount of a line has a digit or the point out of place",
		"le montant d'une ligne a un chiffre ou la virgule mal placés"},
	"crm_sync:price_scale": {"most prices are off by the same factor",
		"la plupart des prix s'écartent du même facteur"},
	"crm_sync:price_tier": {"prices are those of another tier",
		"les prix sont ceux d'un autre tarif"},
	"crm_sync:contract_rate": {"the discount is not the contract's",
		"la remise n'est pas celle du contrat"},
	"crm_sync:contract_forgotten": {"the contract's discount is missing", "la remise du contrat manque"},
	"crm_sync:terms": {"the discount is not the one given before",
		"la remise n'est pas celle accordée auparavant"},
	"crm_sync:contract_not_agreed": {"a discount was never agreed", "une remise n'a jamais été convenue"},
	"crm_sync:customer_type": {"it is billed under another type than before or than on record",
		"le type d'acheteur n'est pas celui enregistré ou habituel"},
	"crm_sync:crm_record": {"billing and CRM hold different terms",
		"la facturation et le CRM ont des conditions différentes"},
	"price_list:listed": {"a price is not the listed or negotiated one",
		"un prix n'est pas celui du tarif ou de la négociation"},
	"price_list:new_price": {"several invoices have a price nobody paid before",
		"plusieurs factures ont un prix que personne n'a payé auparavant"},
	"crm_sync:stale_list": {"it is billed by a price list that hardly any invoice names any more",
		"elle suit un tarif que presque plus aucune facture ne cite"},
	"billing_system:zero_net": {"the total is zero although the invoice has lines",
		"le total est nul alors que la facture comporte des lignes"},
	"billing_system:line_sum": {"the lines do not add up to the total",
		"la somme des lignes ne correspond pas au total"},
	"billing_system:line_net": {"a line is not quantity times price", "une ligne n'est pas quantité fois prix"},
	"billing_system:rounding": {"line amounts are rounded to whole units",
		"les montants des lignes sont arrondis à l'unité"},
	"billing_system:lost_lines": {"lines of the delivery are missing",
		"des lignes de la livraison manquent"},
	"billing_system:repeated_line": {"lines stand twice", "des lignes figurent deux fois"},
	"billing_system:tax_rate": {"the tax rate is not the usual one",
		"le taux de taxe n'est pas le taux habituel"},
	"billing_system:tax_amount": {"the tax does not follow from its rate",
		"la taxe ne correspond pas à son taux"},
	"billing_system:gross": {"net and tax do not add up to the gross amount",
		"le net et la taxe ne donnent pas le montant brut"},
	"billing_system:currency": {"the currency is not the usual one",
		"la devise n'est pas la devise habituelle"},
	"promotion:over_cap": {"a discount is above what the policy allows",
		"une remise dépasse le maximum prévu"},
	"promotion:stacked": {"two promotions apply to one line", "deux promotions portent sur une ligne"},
	"promotion:same_code_twice": {"one promotion applies twice to a line",
		"une promotion porte deux fois sur une ligne"},
	"promotion:expired": {"a promotion does not hold at this date",
		"une promotion n'est pas valable à cette date"},
	"promotion:ineligible": {"a promotion is not meant for these goods or this kind of buyer",
		"une promotion n'est pas prévue pour ces articles ou ce type d'acheteur"},
	"promotion:typed_tenfold": {"a discount is ten times the promotion's",
		"une remise est le décuple de celle de la promotion"},
	"promotion:unknown_code": {"a discount stands under a code that no promotion has",
		"une remise porte un code qu'aucune promotion n'a"},
	"promotion:not_allowed": {"a discount is more than contract and promotions allow",
		"une remise dépasse ce que contrat et promotions prévoient"},
	"promotion:above_usual": {"a discount is far above the usual", "une remise dépasse largement l'habitude"},
	"duplicate:delivery":    {"its delivery was already invoiced", "sa livraison a déjà été facturée"},
	"duplicate:same_id_changed": {"its id came before with other content",
		"son identifiant a déjà été reçu avec un autre contenu"},
	"duplicate:order":  {"its order was already invoiced", "sa commande a déjà été facturée"},
	"duplicate:period": {"its period was already invoiced", "sa période a déjà été facturée"},
	"duplicate:content": {"the same goods were invoiced before",
		"les mêmes articles ont déjà été facturés"},
	"duplicate:near": {"nearly the same goods were invoiced before",
		"presque les mêmes articles ont déjà été facturés"},
	"duplicate:not_delivered": {"the warehouse does not have its delivery",
		"l'entrepôt n'a pas cette livraison"},
	"before_shipment:not_shipped": {"nothing is known to have been shipped",
		"aucune expédition n'est enregistrée"},
	"before_shipment:shipped_later": {"the goods leave after the invoice",
		"les articles partent après la facture"},
	"missing_admin_data:customer": {"the buyer reference is missing", "la référence d'acheteur manque"},
	"missing_admin_data:delivery": {"the delivery reference is missing",
		"la référence de livraison manque"},
	"missing_admin_data:customer_type":  {"the buyer's type is missing", "le type d'acheteur manque"},
	"missing_admin_data:product_family": {"the product family is missing", "la famille de produits manque"},
	"missing_admin_data:purchase_order": {"the purchase order is missing", "le numéro de commande manque"},
	"missing_admin_data:vat_id":         {"the VAT number is missing", "le numéro de TVA manque"},
}

// ruleWords say what fired beside the findings.
var ruleWords = map[string][2]string{
	detectors.RuleCustomerType: {"low for the buyer's type (15 % rule)",
		"faible pour le type d'acheteur (règle des 15 %)"},
	detectors.RuleProductFamily: {"low for the product family (15 % rule)",
		"faible pour la famille de produits (règle des 15 %)"},
	detectors.RuleSegment: {"low for the buyer's type and the product family together (15 % rule)",
		"faible pour le type d'acheteur et la famille de produits ensemble (règle des 15 %)"},
	detectors.RuleImplausibleTime: {"it is dated long after it arrived: its arrival counts",
		"elle est datée bien après son arrivée : c'est l'arrivée qui compte"},
	detectors.RuleTooLate: {"its money could no longer be claimed: noted only",
		"son montant n'était plus réclamable : notée seulement"},
}

// dimensionWords name what the members of an incident have in common.
var dimensionWords = map[string][2]string{
	"release":     {"Release", "Version"},
	"batch":       {"Batch", "Lot"},
	"promotion":   {"Promotion", "Promotion"},
	"operator":    {"Operator", "Opérateur"},
	"price_list":  {"Price list", "Tarif"},
	"crm_version": {"Contract version", "Version de contrat"},
	"source":      {"System", "Système"},
	"segment":     {"Segment", "Segment"},
}
