package question

import "slices"

// valueQuestions give the values of filters, and what to mark on charts.
var valueQuestions = []Question{
	{
		Name: "annotation_incidents", Shape: Table,
		Title:   Text{"When were there incidents?", "Quand y eut-il des incidents ?"},
		Help:    Text{"Incidents that overlap the time range.", "Incidents qui recoupent la période."},
		Columns: mark(instant("timeEnd", "Until", "Jusqu'à")),
	},
	{
		Name: "annotation_changes", Shape: Table,
		Title:   Text{"When did model or settings change?", "Quand modèle ou réglages ont-ils changé ?"},
		Help:    Text{"First alert by each model and settings.", "Première alerte de chaque modèle et réglage."},
		Columns: mark(),
	},
	{
		Name: "annotation_releases", Shape: Table,
		Title: Text{"When did a billing system change?", "Quand un système de facturation a-t-il changé ?"},
		Help: Text{
			"First invoice of each release of each billing system.",
			"Première facture de chaque version de chaque système de facturation.",
		},
		Columns: mark(),
	},
	{
		Name: "value_seller", Shape: Table,
		Title:   Text{"Which sellers are there?", "Quels vendeurs y a-t-il ?"},
		Help:    Text{"Companies whose invoices were scored.", "Entreprises dont les factures furent évaluées."},
		Columns: []Column{label("seller", "Seller", "Vendeur")},
	},
	{
		Name: "value_currency", Shape: Table,
		Title: Text{"Which currencies?", "Quelles devises ?"},
		Help: Text{
			"Currencies of the seller, most invoices first.",
			"Devises du vendeur, les plus fréquentes d'abord.",
		},
		Columns: []Column{label("currency", "Currency", "Devise")},
	},
	{
		Name: "value_customer_type", Shape: Table,
		Title: Text{"Which customer types?", "Quels types de clients ?"},
		Help: Text{
			"Customer types of the seller, most invoices first.",
			"Types de clients du vendeur, les plus fréquents d'abord.",
		},
		Columns: []Column{customerType},
	},
	{
		Name: "value_product_family", Shape: Table,
		Title: Text{"Which product families?", "Quelles familles de produits ?"},
		Help: Text{
			"Product families of the seller, most invoices first.",
			"Familles de produits du vendeur, les plus fréquentes d'abord.",
		},
		Columns: []Column{productFamily},
	},
	{
		Name: "value_cause", Shape: Table,
		Title: Text{"Which causes?", "Quelles causes ?"},
		Help: Text{
			"Causes found or confirmed for the seller, most frequent first.",
			"Causes trouvées ou confirmées chez le vendeur, les plus fréquentes d'abord.",
		},
		Columns: []Column{cause},
	},
	{
		Name: "value_invoice_id", Shape: Table,
		Title: Text{"Which invoices?", "Quelles factures ?"},
		Help: Text{
			"Found invoices issued in the time range, those with a case first, then by stake.",
			"Factures trouvées émises dans la période, celles avec un dossier d'abord, puis par enjeu.",
		},
		Columns: []Column{label("invoice_id", "Invoice", "Facture")},
	},
}

// mark is what to write on a chart at a time, or from a time until another. Grafana's
// annotations know title and text; the French ones take their place on a French board.
func mark(until ...Column) []Column {
	return slices.Concat([]Column{instant("time", "Since", "Depuis")}, until, []Column{
		label("title", "Title", "Titre"), label("text", "Text", "Texte"),
		label("title_fr", "Title (French)", "Titre (français)"), label("text_fr", "Text (French)", "Texte (français)"),
		label("tags", "Tags", "Étiquettes")})
}
