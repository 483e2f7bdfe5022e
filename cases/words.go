package cases

// words say what a finding has found, in English and in French, by
// "<cause>:<kind>".
var words = map[string][2]string{
	"data_entry:price_comma": {"the comma of a price has moved", "la virgule d'un prix est décalée"},
	"data_entry:price_digit": {"a digit of a price is missing, too many or swapped",
		"un chiffre d'un prix manque, est en trop ou est inversé"},
	"data_entry:price":              {"one price is not the usual one", "un prix n'est pas le prix habituel"},
	"data_entry:quantity_delivered": {"the quantity is not the one delivered", "la quantité n'est pas celle livrée"},
	"data_entry:quantity_slip": {"a quantity looks mistyped",
		"une quantité semble mal saisie"},
	"data_entry:quantity": {"a quantity is not the usual one", "une quantité n'est pas la quantité habituelle"},
	"data_entry:net_amount": {"the total is the sum of the lines with a digit or the point out of place",
		"le total est la somme des lignes, un chiffre ou la virgule mal placés"},
	"data_entry:line_amount": {"the amount of a line has a digit or the point out of place",
		"le montant d'une ligne a un chiffre ou la virgule mal placés"},
	"crm_sync:price_scale": {"most prices are off by the same factor",
		"la plupart des prix s'écartent du même facteur"},
	"crm_sync:price_tier": {"most prices are those of another tier",
		"la plupart des prix sont ceux d'un autre tarif"},
	"crm_sync:contract_rate":       {"the discount is not the contract's", "la remise n'est pas celle du contrat"},
	"crm_sync:contract_forgotten":  {"the contract's discount is missing", "la remise du contrat manque"},
	"crm_sync:terms":               {"the discount is not the one given before", "la remise n'est pas celle accordée auparavant"},
	"crm_sync:contract_not_agreed": {"a discount was never agreed", "une remise n'a jamais été convenue"},
	"crm_sync:customer_type":       {"it is billed under another type than before or than on record", "la catégorie tarifaire n'est pas celle enregistrée ou habituelle"},
	"crm_sync:crm_record": {"billing and CRM hold different terms",
		"la facturation et le CRM ont des conditions différentes"},
	"price_list:listed": {"a price is not the listed or negotiated one",
		"un prix n'est pas celui du tarif ou de la négociation"},
	"price_list:new_price": {"several invoices have a price nobody paid before",
		"plusieurs factures ont un prix que personne n'a payé auparavant"},
}
