package explain

import (
	"regexp"
	"strings"
)

// French says a sentence of evidence in French. What it does not know stays in English,
// as scoring stores it. Numbers and names stay as they are.
func French(sentence string) string {
	return inFrench(sentence, frenchSentences, frenchPhrases)
}

// inFrench translates by patterns, and what stands in their blanks by those of parts.
func inFrench(text string, patterns ...[]frenchPattern) string {
	for _, list := range patterns {
		for _, p := range list {
			said := p.english.FindStringSubmatch(text)
			if said == nil {
				continue
			}
			return blank.ReplaceAllStringFunc(p.french, func(name string) string {
				part := said[name[1]-'0']
				if part == text {
					return part
				}
				return inFrench(part, frenchPhrases)
			})
		}
	}
	return text
}

// blank is one in French: $1 to $9.
var blank = regexp.MustCompile(`\$[1-9]`)

// frenchPattern is a text with blanks in English, and the same in French.
type frenchPattern struct {
	english *regexp.Regexp
	french  string
}

// patterns makes patterns of pairs; in English _ is a blank, # one for a whole number.
func patterns(pairs [][2]string) []frenchPattern {
	list := make([]frenchPattern, len(pairs))
	blanks := strings.NewReplacer("_", "(.+?)", "#", `([0-9]+)`)
	for i, pair := range pairs {
		list[i] = frenchPattern{regexp.MustCompile("(?s)^" + blanks.Replace(regexp.QuoteMeta(pair[0])) + "$"), pair[1]}
	}
	return list
}

var frenchSentences, frenchPhrases = patterns(french), patterns(frenchParts)

// french are the sentences that detectors say, in the order in which they are tried.
var french = [][2]string{
	{"the evidence as a whole points to it; what repairs the invoice is proved",
		"l'ensemble des indices le désigne ; ce qui corrige la facture est prouvé"},
	{"no single change repairs the invoice", "aucune correction unique ne répare la facture"},
	{"net _ is _ % below the usual _ of _ (_ invoices, which vary by _ %)",
		"le net de $1 est $2 % au-dessous de l'habituel, $3, de $4 ($5 factures, qui varient de $6 %)"},
	{"net _, this customer's invoices usually come to _ to _",
		"net de $1 ; les factures de ce client sont d'habitude de $2 à $3"},
	{"the same holds of _ more lines", "il en va de même de $1 autres lignes"},
	{"invoice _, revision _, came before with other content",
		"la facture $1, révision $2, est déjà venue avec un autre contenu"},
	{"delivery _ was already invoiced with invoice _", "la livraison $1 figure déjà sur la facture $2"},
	{"invoice _ of _ bills the same _", "la facture $1 du $2 porte les mêmes : $3"},
	{"_ of this customer's last _ invoices repeated the products of an earlier one",
		"$1 des $2 dernières factures de ce client répétaient les produits d'une facture antérieure"},
	{"delivery _ had _ lines, the invoice has _", "la livraison $1 avait $2 lignes, la facture en a $3"},
	{"_ units were delivered, _ are billed", "$1 unités ont été livrées, $2 sont facturées"},
	{"the warehouse counted _ units in delivery _, the invoice bills _",
		"l'entrepôt a compté $1 unités dans la livraison $2, la facture en porte $3"},
	{"the warehouse has not counted delivery _, which is said to have left",
		"l'entrepôt n'a pas compté la livraison $1, dite partie"},
	{"the warehouse has not counted delivery _", "l'entrepôt n'a pas compté la livraison $1"},
	{"no shipment is known, as it is for _ of the seller's invoices to such customers",
		"aucune expédition n'est connue, alors qu'elle l'est pour $1 des factures du vendeur à de tels clients"},
	{"the goods leave _ days after the invoice, which is so for _ of this customer's invoices",
		"la marchandise part $1 jours après la facture, comme pour $2 des factures de ce client"},
	{"the goods leave _ days after the invoice", "la marchandise part $1 jours après la facture"},
	{"there is no _; _ of the seller's such invoices have one", "il manque : $1 ; $2 de telles factures du vendeur l'ont"},
	{"there is no _; _ of the seller's invoices have one", "il manque : $1 ; $2 des factures du vendeur l'ont"},
	{"there is no _; _ of this customer's invoices have one", "il manque : $1 ; $2 des factures de ce client l'ont"},
	{"there is no _; _ of _ invoices have one", "il manque : $1 ; $2 des factures ($3) l'ont"},
	{"the contract of customer _ gives _, but _ of _ lines are discounted by _",
		"le contrat du client $1 donne $2, mais $3 lignes sur $4 ont une remise de $5"},
	{"the contract of customer _ gives _, but _ of _ lines have no discount",
		"le contrat du client $1 donne $2, mais $3 lignes sur $4 n'ont pas de remise"},
	{"_ lines are discounted by _, with a code that gave this customer _ on its last invoices (_ known)",
		"$1 lignes ont une remise de $2, par un code qui donnait $3 à ce client sur ses dernières factures ($4 connues)"},
	{"all _ lines are discounted with code _, which none of the customer's _ invoices before had",
		"les $1 lignes ont une remise par le code $2, qu'aucune des $3 factures antérieures du client n'avait"},
	{"contract and promotions allow _ points less on a line",
		"contrat et promotions accordent $1 points de moins sur une ligne"},
	{"its prices are not those of its usual type either",
		"ses prix ne sont pas non plus ceux de son type habituel"},
	{"billed as customer type _; the customer system says _",
		"facturé comme type de client $1 ; le système client dit $2"},
	{"billed as customer type _, _", "facturé comme type de client $1, $2"},
	{"billed as customer type _", "facturé comme type de client $1"},
	{"billing read contract version _, the customer system says _",
		"la facturation a lu la version de contrat $1, le système client dit $2"},
	{"billing read discount rate _, the customer system says _",
		"la facturation a lu le taux de remise $1, le système client dit $2"},
	{"billing read _ _, the customer system says _", "la facturation a lu $1 $2, le système client dit $3"},
	{"_ of _ known prices are not this customer's usual ones",
		"$1 prix connus sur $2 ne sont pas les prix habituels de ce client"},
	{"its only known price is not this customer's usual one",
		"son seul prix connu n'est pas le prix habituel de ce client"},
	{"_ of _ known prices are the usual ones times _", "$1 prix connus sur $2 sont les prix habituels fois $3"},
	{"lines stand in the order of product numbers and end at _; of _ invoices with as many lines one does, " +
		"but this source's latest did so too", "les lignes suivent les numéros de produits et finissent à $1 ; une facture " +
		"sur $2 de tant de lignes le fait, mais la dernière de cette source aussi"},
	{"lines stand in the order of product numbers and end early, at _",
		"les lignes suivent les numéros de produits et finissent tôt, à $1"},
	{"_ there twice, such as product _, _ × _", "$1 deux fois, comme le produit $2, $3 × $4"},
	{"net and tax come to _, but the gross amount is _", "net et taxe font $1, mais le montant brut est de $2"},
	{"_ of _ are _, but the tax amount is _", "$1 de $2 font $3, mais la taxe est de $4"},
	{"the tax rate is _; _ is usual, _", "le taux de taxe est de $1 ; $2 est habituel, $3"},
	{"the tax rate is _; _ is usual", "le taux de taxe est de $1 ; $2 est habituel"},
	{"the tax rate is _, as _", "le taux de taxe est de $1, comme $2"},
	{"the tax rate is _", "le taux de taxe est de $1"},
	{"the rate is _, _", "le taux est de $1, $2"},
	{"the rate is _", "le taux est de $1"},
	{"the seller does not bill in _", "le vendeur ne facture pas en $1"},
	{"the currency is _, _", "la devise est $1, $2"},
	{"the currency is _", "la devise est $1"},
	{"nothing is converted: the same figure is taken to be due in the usual currency",
		"rien n'est converti : le même chiffre est tenu pour dû dans la devise habituelle"},
	{"the net amount is 0, and so are all of its _ lines, but their quantities × prices come to _",
		"le montant net est 0, ses $1 lignes aussi, mais quantités × prix font $2"},
	{"the net amount is 0, and so is the unit price of all of its _ lines",
		"le montant net est 0, comme le prix unitaire de ses $1 lignes"},
	{"the net amount is 0, but _", "le montant net est 0, mais $1"}, {"the net amount is 0", "le montant net est 0"},
	{"_; the net amount of _ is that _", "$1 ; le montant net de $2 est ce total $3"},
	{"_, but the net amount is _", "$1, mais le montant net est de $2"},
	{"_: _ × _ comes to _; its amount of _ is that _", "$1 : $2 × $3 font $4 ; son montant de $5 est ce total $6"},
	{"_, _ × _ less _, comes to _, but its net amount is _",
		"$1, $2 × $3 moins $4, fait $5, mais son montant net est de $6"},
	{"_, _ × _, comes to _, but its net amount is _", "$1, $2 × $3, fait $4, mais son montant net est de $5"},
	{"_ comes to _, but its net amount is _", "$1 fait $2, mais son montant net est de $3"},
	{"_ cut or rounded to _", "$1 tronqués ou arrondis à $2"},
	{"_: unit price _, usual for this quantity _", "$1 : prix unitaire de $2, habituel pour cette quantité $3"},
	{"_: unit price _ was never paid before, usual _", "$1 : le prix unitaire de $2 n'a jamais été payé, habituel $3"},
	{"_: unit price _, the price list says _", "$1 : prix unitaire de $2, le tarif dit $3"},
	{"_: unit price _, the present list has _", "$1 : prix unitaire de $2, le tarif actuel a $3"},
	{"_: unit price _, usual _, as on _ other suspect lines",
		"$1 : prix unitaire de $2, habituel $3, comme sur $4 autres lignes suspectes"},
	{"_: unit price _, this customer last paid _", "$1 : prix unitaire de $2, ce client a payé $3 la dernière fois"},
	{"_: unit price _, goods of its description usually cost about _",
		"$1 : prix unitaire de $2, ce genre d'article coûte d'habitude environ $3"},
	{"_: unit price _, usual _; _ more prices are unusual",
		"$1 : prix unitaire de $2, habituel $3 ; $4 autres prix sont inhabituels"},
	{"_: unit price _, usual _", "$1 : prix unitaire de $2, habituel $3"},
	{"_: a unit comes to _ after the discount, the lowest known is _",
		"$1 : une unité revient à $2 après remise, le plus bas connu est $3"},
	{"_: discount of _, this product usually has none", "$1 : remise de $2, ce produit n'en a d'habitude pas"},
	{"_: discount of _, this product's usual ones are at most _",
		"$1 : remise de $2, celles de ce produit sont d'habitude de $3 au plus"},
	{"_: quantity _ is _ _; this customer took _ last time",
		"$1 : la quantité $2 est $3 $4 ; ce client en a pris $5 la dernière fois"},
	{"_: quantity _, usual about _", "$1 : quantité $2, habituelle environ $3"},
	{"_: with _ instead of _ they agree; _ is _ _",
		"$1 : avec $2 au lieu de $3 ils concordent ; $4 est $5 $6"},
	{"_: with _ instead of _ they agree", "$1 : avec $2 au lieu de $3 ils concordent"},
	{"_: _ is _ _; _ is a known price of it", "$1 : $2 est $3 $4 ; $5 en est un prix connu"},
	{"no line alone explains it; repaired at the average price of a unit",
		"aucune ligne seule ne l'explique ; corrigé au prix moyen d'une unité"},
	{"price list _ is named, which hardly any invoice does any more",
		"le tarif $1 est cité, ce que presque plus aucune facture ne fait"},
	{"a rate is ten times one that the product often had, and was never given",
		"un taux est dix fois celui que le produit avait souvent, et n'a jamais été accordé"},
	{"the rate is ten times the promotion's", "le taux est dix fois celui de la promotion"},
	{"no promotion has the code", "aucune promotion n'a ce code"},
	{"no promotion has the discount code", "aucune promotion n'a ce code de remise"},
	{"the discount code is new", "le code de remise est nouveau"},
	{"several codes stand on one line", "plusieurs codes figurent sur une ligne"},
	{"_ discount codes stand on one line", "$1 codes de remise figurent sur une ligne"},
	{"the same code stands twice on a line", "le même code figure deux fois sur une ligne"},
	{"the same discount code stands twice on a line", "le même code de remise figure deux fois sur une ligne"},
	{"_ has a discount of _, _ would be usual or allowed", "$1 a une remise de $2, $3 serait habituel ou permis"},
	{"_ of the lines have a net price that was never met before", "$1 des lignes ont un prix net jamais vu"},
	{"a net price is _ % below the lowest this product ever had",
		"un prix net est $1 % au-dessous du plus bas que ce produit ait eu"},
	{"all that is discounted is so by _ %; hardly any line of the seller has as much",
		"tout ce qui est remisé l'est de $1 % ; presque aucune ligne du vendeur n'en a autant"},
	{"on _ of the lines the promotion is not meant for this product family or customer type",
		"sur $1 des lignes la promotion n'est pas pour cette famille de produits ou ce type de client"},
	{"promotion _ begins on _", "la promotion $1 commence le $2"},
	{"promotion _ ended on _", "la promotion $1 a fini le $2"},
	{"the policy allows no discount above _", "la règle n'admet aucune remise au-dessus de $1"},
	{"the discount is _ points higher than this customer usually has with the code",
		"la remise dépasse de $1 points celle que ce client a d'habitude avec ce code"},
	{"the discount is _ points lower than this customer usually has with the code",
		"la remise est inférieure de $1 points à celle que ce client a d'habitude avec ce code"},
	{"there is a discount of _ %; _", "il y a une remise de $1 % ; $2"},
	{"there is a discount of _ %", "il y a une remise de $1 %"},
	{"_ of the newest invoices of its billing system have _",
		"$1 des dernières factures de son système de facturation ont $2"},
	{"_ suspects of source _ since _ have _", "$1 factures suspectes de la source $2 depuis $3 ont $4"},
	{"_ suspects of release _ since _ have _", "$1 factures suspectes de la version $2 depuis $3 ont $4"},
	{"_ of the _ invoices of _ since _ are suspect of the same",
		"$1 des $2 factures de $3 depuis $4 sont suspectes de même"},
	{"_, this customer's invoices usually have _", "$1, les factures de ce client en ont d'habitude $2"},
	{"_ at a price of 0", "$1 à un prix de 0"},
	{"_ not quantity × price less discount", "$1 autre chose que quantité × prix moins remise"},
	{"_ the same as the line before", "$1 comme la ligne d'avant"},
}

// frenchParts are what stands in the blanks.
var frenchParts = [][2]string{
	{"customer type _ and product family _", "type de client $1 et famille de produits $2"},
	{"customer type _", "type de client $1"}, {"product family _", "famille de produits $1"},
	{"lines that do not add up", "des lignes dont la somme ne correspond pas"},
	{"lines that are not quantity × price", "des lignes autres que quantité × prix"},
	{"a tax rate that is new", "un taux de taxe nouveau"}, {"a currency that is new", "une devise nouvelle"},
	{"nothing to pay", "rien à payer"}, {"lists that end early", "des listes qui finissent tôt"},
	{"mostly unknown prices of many products", "surtout des prix inconnus, de beaucoup de produits"},
	{"fewer lines than delivered", "moins de lignes que livré"},
	{"as on none of _", "comme sur aucune des $1"},
	{"as on all of _", "comme sur toutes les $1"},
	{"as on this customer's last invoice", "comme sur la dernière facture de ce client"},
	{"customer", "client"},
	{"delivery reference", "référence de livraison"},
	{"customer type", "type de client"},
	{"product family", "famille de produits"},
	{"purchase order", "bon de commande"},
	{"VAT number of the customer", "numéro de TVA du client"},
	{"products, quantities and amounts", "produits, quantités et montants"},
	{"products and quantities", "produits et quantités"},
	{"products for the most part", "produits pour la plupart"},
	{"unlike this customer's last invoice", "contrairement à la dernière facture de ce client"},
	{"this customer's last _ invoices", "$1 dernières factures de ce client"},
	{"the seller's last _ invoices", "$1 dernières factures du vendeur"},
	{"the country's last _ invoices", "$1 dernières factures du pays"},
	{"its _ lines less the discount of _ come to _", "ses $1 lignes moins la remise de $2 font $3"},
	{"its only line less the discount of _ comes to _", "sa seule ligne moins la remise de $1 fait $2"},
	{"its _ lines add up to _", "ses $1 lignes font au total $2"},
	{"its only line comes to _", "sa seule ligne fait $1"},
	{"line # (_)", "ligne $1 ($2)"},
	{"line #", "ligne $1"},
	{"without its first digit", "sans son premier chiffre"},
	{"without its last digit", "sans son dernier chiffre"},
	{"without its second digit", "sans son deuxième chiffre"},
	{"without its third digit", "sans son troisième chiffre"},
	{"with a digit missing", "avec un chiffre en moins"},
	{"its only line is", "sa seule ligne est"},
	{"# of # lines are", "$1 lignes sur $2 sont"},
	{"1 of # lines is", "1 ligne sur $1 est"},
	{"as on # of _", "comme sur $1 des $2"},
	{"with the comma moved by one place", "avec la virgule décalée d'un rang"},
	{"with the comma moved by two places", "avec la virgule décalée de deux rangs"},
	{"with the comma moved by three places", "avec la virgule décalée de trois rangs"},
	{"with a digit too many", "avec un chiffre de trop"},
	{"with two digits swapped", "avec deux chiffres inversés"},
	{"with another digit", "avec un autre chiffre"},
}
