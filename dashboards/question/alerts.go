package question

// alertQuestions are of how good the alerts are.
var alertQuestions = []Question{
	{
		Name: "precision", Shape: Table,
		Title: Text{"How often is an alert right?", "Combien d'alertes sont justes ?"},
		Help: Text{"Right / (right + wrong) of the alerts that people decided, with 95 % Wilson bounds, by the cause that recoup " +
			"named; an expected change counts as wrong, what nobody can tell is left out and shown; an incident is one alert (K7).",
			"Justes / (justes + fausses) des alertes décidées, avec bornes de Wilson à 95 %, par cause nommée par recoup ; un " +
				"changement attendu compte comme fausse, l'indéterminé est exclu et montré ; un incident est une alerte (K7)."},
		Columns: []Column{label("cause", "Cause", "Cause"), count("alerts", "Alerts", "Alertes"),
			count("right", "Right", "Justes"), count("wrong", "Wrong", "Fausses"),
			share("undetermined_share", "Undetermined", "Indéterminées"), count("undecided", "Undecided", "Non décidées"),
			share("precision", "Precision", "Précision"), low("precision_low", "percentunit"),
			high("precision_high", "percentunit")},
	},
}
