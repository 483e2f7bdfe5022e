package dashboards

import "recoup/dashboards/question"

var invoiceBoard = Board{
	UID: "recoup-invoice", Title: Text{EN: "Invoice", FR: "Facture"},
	Filters: []question.Filter{question.FilterSeller, question.FilterInvoice, question.FilterCurrency,
		question.FilterCustomerType, question.FilterProductFamily, question.FilterCause},
	Help: Text{EN: "Why is this invoice suspect, and what became of it? Type its id, or come from a link.",
		FR: "Pourquoi cette facture est-elle suspecte, et qu'est-elle devenue ? Saisissez son identifiant."},
	From: "now-30d", Refresh: "",
	Rows: []Row{
		{Text{EN: "Billed against expected", FR: "Facturé contre attendu"}, 5, []Panel{
			{Ask: "invoice", View: Stat, Width: 24, Empty: noInvoice,
				Show: []string{"billed", "expected", "expected_low", "expected_high", "deviation", "loss", "p_error"}},
		}},
		{Text{EN: "Against its band, and why", FR: "Dans sa bande, et pourquoi"}, 9, []Panel{
			{Ask: "invoice_history", View: Lines, Width: 10, Show: []string{"billed", "expected", "this"}, Empty: noInvoice},
			{Ask: "invoice_causes", View: Grid, Width: 14, Empty: Text{EN: "No cause was found", FR: "Aucune cause trouvée"}},
		}},
		{Text{EN: "Evidence", FR: "Indices"}, 7, []Panel{
			{Ask: "invoice_rules", View: Grid, Width: 8, Empty: Text{EN: "No rule fired", FR: "Aucune règle déclenchée"}},
			{Ask: "invoice", View: Grid, Width: 16, Empty: noInvoice,
				Show: []string{"issued_at", "revision", "customer", "customer_type", "product_family", "verdict", "decision",
					"direction", "level", "n", "cv", "rule_15", "incident", "model_version"},
				Title: Text{EN: "What the verdict rests on", FR: "Sur quoi repose le verdict"}},
			{Live: "explain", View: Grid, Width: 24, Empty: noInvoice,
				Narrow: []question.Filter{question.FilterSeller, question.FilterInvoice},
				Title:  Text{EN: "In words", FR: "En mots"},
				Help: Text{EN: "What recoup says of the invoice: expected, billed, the votes of the causes and their evidence.",
					FR: "Ce que recoup dit de la facture : attendu, facturé, les voix des causes et leurs indices."}},
		}},
		{Text{EN: "Case", FR: "Dossier"}, 8, []Panel{
			{Ask: "invoice_case", View: Grid, Width: 24, Empty: noCase},
			{Ask: "invoice_options", View: Grid, Width: 12,
				Empty: Text{EN: "Nothing to settle, or no case", FR: "Rien à régler, ou pas de dossier"}},
			{Ask: "invoice_payments", View: Grid, Width: 12,
				Empty: Text{EN: "Nothing was offered or paid", FR: "Rien de proposé ni de payé"}},
			{Ask: "invoice_timeline", View: Grid, Width: 24, Empty: noCase},
		}},
		{Text{EN: "Lines", FR: "Lignes"}, 8, []Panel{
			{Ask: "invoice_lines", View: Grid, Width: 16, Empty: noInvoice},
			{View: Note, Width: 8, Title: Text{EN: "What to do", FR: "Que faire"},
				Help: Text{EN: "Commands that work the case.", FR: "Commandes pour traiter le dossier."},
				Note: Text{EN: "Verify first, then work the case:\n\n" + commands,
					FR: "Vérifiez, puis traitez le dossier :\n\n" + commands}},
		}},
		{Text{EN: "Choose another one", FR: "En choisir une autre"}, 8, []Panel{
			{Ask: "suspects", View: Grid, Width: 24},
		}},
	},
}

const commands = "    recoup explain ${invoice_id} --seller ${seller}\n" +
	"    recoup case show ${invoice_id}\n" +
	"    recoup case ack ${invoice_id}\n" +
	"    recoup case decide ${invoice_id} confirmed_error --correct 125.00\n" +
	"    recoup case decide ${invoice_id} not_an_error\n"

var (
	noInvoice = Text{EN: "No such invoice: choose the seller and type an invoice id",
		FR: "Facture inconnue : choisissez le vendeur et saisissez un identifiant"}
	noCase = Text{EN: "It has no case", FR: "Elle n'a pas de dossier"}
)
