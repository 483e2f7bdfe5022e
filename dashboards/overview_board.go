package dashboards

import "recoup/dashboards/question"

// The variables of most boards.
var usualFilters = []question.Filter{question.FilterSeller, question.FilterCurrency, question.FilterCustomerType,
	question.FilterProductFamily, question.FilterCause}

var overviewBoard = Board{
	UID: "recoup-overview", Title: Text{EN: "Overview", FR: "Vue d'ensemble"}, Filters: usualFilters,
	Help: Text{EN: "How many invoices are wrong, what does it cost, what comes back?",
		FR: "Combien de factures sont fausses, qu'est-ce que cela coûte, qu'est-ce qui revient ?"},
	From: "now-30d", Refresh: "5m",
	Rows: []Row{
		{Text{EN: "Errors", FR: "Erreurs"}, 5, []Panel{
			{Ask: "errors_total", View: Stat, Width: 8, Title: Text{EN: "True error rate", FR: "Taux d'erreur réel"},
				Show: []string{"true_rate", "true_rate_low", "true_rate_high"}, Steps: below(0.03, 0.05),
				Empty: Text{EN: "No invoice was audited: recoup audit-sample", FR: "Aucun audit : recoup audit-sample"}},
			{Ask: "errors_total", View: Stat, Width: 8, Title: Text{EN: "Confirmed error rate", FR: "Taux d'erreur confirmé"},
				Show:  []string{"confirmed_rate", "confirmed_rate_low", "confirmed_rate_high"},
				Steps: below(0.03, 0.05)},
			{Ask: "errors_total", View: Stat, Width: 8, Title: Text{EN: "Invoices", FR: "Factures"},
				Show: []string{"invoices", "suspects", "undecided", "confirmed"}},
		}},
		{Text{EN: "Error rate", FR: "Taux d'erreur"}, 9, []Panel{
			{Ask: "error_rate", View: Lines, Width: 24, Show: []string{"confirmed_rate", "live_rate", "claim"}},
		}},
		{Text{EN: "Money", FR: "Argent"}, 5, []Panel{
			{Ask: "money_total", View: Stat, Width: 12, Title: Text{EN: "At risk", FR: "À risque"},
				Show: []string{"open_loss", "open_loss_low", "open_loss_high", "confirmed_loss"}},
			{Ask: "money_total", View: Stat, Width: 12, Title: Text{EN: "Recovered and net", FR: "Récupéré et net"},
				Show: []string{"recovered", "net"}, Steps: []Step{{0, "red"}, {0, "green"}}},
		}},
		{Text{EN: "Money by day of issue", FR: "Argent par jour d'émission"}, 8, []Panel{
			{Ask: "money_by_day", View: Lines, Width: 12},
			{Ask: "loss", View: Grid, Width: 12},
		}},
		{Text{EN: "Cost and prevention", FR: "Coût et prévention"}, 5, []Panel{
			{Ask: "handling", View: Stat, Width: 8, Show: []string{"handling", "cost_per_recovered", "below_break_even_share"}},
			{Ask: "bundling", View: Stat, Width: 4, Show: []string{"money_saved"}},
			{Ask: "found_first", View: Stat, Width: 6, Show: []string{"part", "part_low", "part_high"}, Steps: below(0.05, 0.2)},
			{Ask: "prevented", View: Stat, Width: 6, Show: []string{"drafts_prevented", "loss_prevented"}},
		}},
		{Text{EN: "Live", FR: "En direct"}, 8, []Panel{
			{Ask: "open_cases", View: Grid, Width: 24, Empty: nothingOpen,
				Show: []string{"detected", "severity", "kind", "invoice", "cause", "stake", "p_error", "respond_by", "answer"}},
			{Live: "cases", View: Grid, Width: 24, Narrow: []question.Filter{question.FilterSeller}, Empty: nothingOpen,
				Title: Text{EN: "Cases as they come", FR: "Dossiers au fil de l'eau"},
				Help: Text{EN: "The newest open cases, streamed from Kafka within a second. An invoice leads to its board; any " +
					"case is acted on in Explore: the link is in the panel's head.",
					FR: "Les derniers dossiers ouverts, transmis par Kafka en une seconde. Une facture mène à son tableau ; tout " +
						"dossier se traite dans Explore : le lien est dans l'en-tête du panneau."}},
		}},
	},
}

var nothingOpen = Text{EN: "No case is open", FR: "Aucun dossier ouvert"}
