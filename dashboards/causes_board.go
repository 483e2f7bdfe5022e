package dashboards

var causesBoard = Board{
	UID: "recoup-causes", Title: Text{EN: "Causes", FR: "Causes"}, Filters: usualFilters,
	Help: Text{EN: "What goes wrong, where, and does it return after a correction?",
		FR: "Qu'est-ce qui ne va pas, où, et cela revient-il après correction ?"},
	From: "now-30d", Refresh: "5m",
	Rows: []Row{
		{Text{EN: "Pareto", FR: "Pareto"}, 9, []Panel{
			{Ask: "causes", View: Category, Width: 10, Show: []string{"cause", "confirmed_errors"}, Empty: noErrors},
			{Ask: "causes", View: Grid, Width: 14, Empty: noErrors,
				Title: Text{EN: "Share and loss by cause", FR: "Part et perte par cause"}},
		}},
		{Text{EN: "When, and was the cause right?", FR: "Quand, et la cause était-elle juste ?"}, 9, []Panel{
			{Ask: "causes_by_day", View: Bars, Width: 12, Empty: noErrors},
			{Ask: "confusion", View: Matrix, Width: 12, Empty: noErrors},
		}},
		{Text{EN: "Incidents", FR: "Incidents"}, 8, []Panel{
			{Ask: "incidents", View: Grid, Width: 24, Empty: Text{EN: "No incident", FR: "Aucun incident"}},
		}},
		{Text{EN: "Customers and anomalies", FR: "Clients et anomalies"}, 8, []Panel{
			{Ask: "customers_touched", View: Stat, Width: 6, Show: []string{"part", "part_low", "part_high", "claim"},
				Steps: below(0.1, 0.25)},
			{Ask: "anomalies", View: Grid, Width: 12},
			{Ask: "disputes", View: Grid, Width: 6, Empty: Text{EN: "No dispute", FR: "Aucune contestation"}},
		}},
		{Text{EN: "Corrections", FR: "Corrections"}, 8, []Panel{
			{Ask: "repeats", View: Grid, Width: 24, Empty: Text{EN: "No corrective action was told: recoup case decide",
				FR: "Aucune action corrective notée : recoup case decide"}},
		}},
	},
}

var noErrors = Text{EN: "No confirmed error in this time range", FR: "Aucune erreur confirmée dans cette période"}
