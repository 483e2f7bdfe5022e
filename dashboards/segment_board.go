package dashboards

var segmentBoard = Board{
	UID: "recoup-segment", Title: Text{EN: "Segment", FR: "Segment"}, Filters: usualFilters,
	Help: Text{EN: "How does one segment err? Choose a customer type and a product family.",
		FR: "Comment un segment se trompe-t-il ? Choisissez un type de client et une famille de produits."},
	From: "now-30d", Refresh: "5m",
	Rows: []Row{
		{Text{EN: "All segments", FR: "Tous les segments"}, 9, []Panel{
			{Ask: "segments", View: Grid, Width: 24},
		}},
		{Text{EN: "The chosen ones", FR: "Ceux choisis"}, 8, []Panel{
			{Ask: "error_rate", View: Lines, Width: 12, Show: []string{"confirmed_rate", "live_rate", "claim"}},
			{Ask: "baseline_levels", View: Bars, Width: 12, Share: true},
		}},
		{Text{EN: "Alerts and causes", FR: "Alertes et causes"}, 8, []Panel{
			{Ask: "precision", View: Grid, Width: 12, Empty: undecided},
			{Ask: "causes", View: Category, Width: 12, Show: []string{"cause", "confirmed_errors"}, Empty: noErrors},
		}},
		{Text{EN: "Suspects", FR: "Suspectes"}, 9, []Panel{
			{Ask: "suspects", View: Grid, Width: 24, Empty: Text{EN: "No suspect in this time range",
				FR: "Aucune suspecte dans cette période"}},
		}},
	},
}
