package dashboards

var alertsBoard = Board{
	UID: "recoup-alerts", Title: Text{EN: "Alert quality", FR: "Qualité des alertes"}, Filters: usualFilters,
	Help: Text{EN: "Are alerts right, what do they miss, and is recoup as sure as it should be?",
		FR: "Les alertes sont-elles justes, que manquent-elles, et recoup est-il aussi sûr qu'il le faut ?"},
	From: "now-90d", Refresh: "5m",
	Rows: []Row{
		{Text{EN: "Precision", FR: "Précision"}, 9, []Panel{
			{Ask: "precision_by_day", View: Lines, Width: 12, Show: []string{"precision"}, Empty: undecided},
			{Ask: "precision", View: Grid, Width: 12, Empty: undecided},
		}},
		{Text{EN: "Recall", FR: "Rappel"}, 8, []Panel{
			{Ask: "recall", View: Grid, Width: 24, Empty: Text{
				EN: "Nothing to estimate it from: recoup audit-sample, recoup canary",
				FR: "Rien pour l'estimer : recoup audit-sample, recoup canary"}},
		}},
		{Text{EN: "Calibration", FR: "Calibration"}, 9, []Panel{
			{Ask: "calibration", View: Category, Width: 12, Show: []string{"p_error_tenth", "expected_share", "confirmed_share"},
				Empty: undecided},
			{Ask: "calibration", View: Grid, Width: 12, Empty: undecided,
				Title: Text{EN: "Brier score per tenth", FR: "Score de Brier par dixième"}},
		}},
		{Text{EN: "Where precision comes from", FR: "D'où vient la précision"}, 9, []Panel{
			{Ask: "precision_by_spread", View: Grid, Width: 12, Empty: undecided},
			{Ask: "precision_by_segment", View: Grid, Width: 12, Empty: undecided},
		}},
	},
}

var undecided = Text{EN: "No alert was decided yet", FR: "Aucune alerte décidée encore"}
