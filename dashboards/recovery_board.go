package dashboards

var recoveryBoard = Board{
	UID: "recoup-recovery", Title: Text{EN: "Recovery", FR: "Récupération"}, Filters: usualFilters,
	Help: Text{EN: "How far does the money come, which way works, and who waits?",
		FR: "Jusqu'où va l'argent, quel moyen fonctionne, et qui attend ?"},
	From: "now-30d", Refresh: "5m",
	Rows: []Row{
		{Text{EN: "From detected to paid", FR: "De la détection au paiement"}, 9, []Panel{
			{Ask: "funnel", View: Funnel, Width: 10, Show: []string{"step", "way", "amount"}},
			{Ask: "recoveries", View: Grid, Width: 14,
				Empty: Text{EN: "Nothing was offered yet", FR: "Rien proposé encore"},
				Show: []string{"option", "offered", "accepted", "acceptance", "acceptance_low", "acceptance_high",
					"paid_amount", "paid_rate", "uplift", "claim"}},
		}},
		{Text{EN: "Answers within 24 hours", FR: "Réponses sous 24 heures"}, 8, []Panel{
			{Ask: "response_total", View: Stat, Width: 6, Steps: above(0.8, 0.95),
				Show: []string{"answered_in_24h", "answered_in_24h_low", "answered_in_24h_high"}},
			{Ask: "response", View: Lines, Width: 12},
			{Ask: "ageing", View: Category, Width: 6, Empty: nothingOpen, Show: []string{"age", "answered", "waiting"}},
		}},
		{Text{EN: "Backlog", FR: "En attente"}, 8, []Panel{
			{Ask: "backlog", View: Grid, Width: 12, Empty: nothingOpen},
			{Ask: "open_cases", View: Grid, Width: 12, Empty: nothingOpen,
				Show: []string{"detected", "invoice", "cause", "stake", "team", "respond_by", "answer"}},
		}},
		{Text{EN: "Until the last cent", FR: "Jusqu'au dernier centime"}, 8, []Panel{
			{Ask: "time_to_recover", View: Stat, Width: 6,
				Show:  []string{"median_hours", "share_in_30_days", "share_in_90_days"},
				Empty: Text{EN: "More than half still waits", FR: "Plus de la moitié attend encore"}},
			{Ask: "recovery_curve", View: Curve, Width: 10, Show: []string{"hours", "back"},
				Empty: Text{EN: "Nothing was paid back yet", FR: "Rien de remboursé encore"}},
			{Ask: "satisfaction", View: Grid, Width: 8,
				Empty: Text{EN: "Nobody was asked yet", FR: "Personne n'a été interrogé"}},
		}},
	},
}
