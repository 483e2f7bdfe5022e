package question

// alertQuestions are of how good the alerts are.
var alertQuestions = []Question{
	{
		Name: "precision", Shape: Table,
		Title: Text{"How often is an alert right?", "Combien d'alertes sont justes ?"},
		Help: Text{
			"Right / (right + wrong) of the alerts that people decided, with 95 % Wilson bounds, by the cause " +
				"that recoup named. An expected change counts as wrong; what nobody can tell is left out and shown;" +
				" an incident is one alert.",
			"Justes / (justes + fausses) des alertes décidées, avec bornes de Wilson à 95 %, par cause " +
				"nommée par recoup. Un changement attendu compte comme fausse ; l'indéterminé est exclu et " +
				"montré ; un incident est une alerte.",
		},
		Columns: verdicts(cause),
	},
	{
		Name: "precision_by_day", Shape: Series,
		Title: Text{"Do alerts get better?", "Les alertes s'améliorent-elles ?"},
		Help: Text{
			"Precision of the alerts on invoices issued that day, week or month, with 95 % Wilson bounds.",
			"Précision des alertes sur les factures émises ce jour, cette semaine ou ce mois, avec bornes " +
				"de Wilson à 95 %.",
		},
		Columns: verdicts(day),
	},
	{
		Name: "precision_by_segment", Shape: Table,
		Title: Text{"In which segment are alerts right?", "Dans quel segment les alertes sont-elles justes ?"},
		Help: Text{
			"Precision of the alerts by customer type and product family, with 95 % Wilson bounds.",
			"Précision des alertes par type de client et famille de produits, avec bornes de Wilson à 95 %.",
		},
		Columns: verdicts(customerType, productFamily),
	},
	{
		Name: "precision_by_spread", Shape: Table,
		Title: Text{
			"Are alerts right where amounts vary?",
			"Les alertes sont-elles justes où les montants varient ?",
		},
		Help: Text{
			"Precision of the alerts by the coefficient of variation (standard deviation / mean) of the " +
				"baseline behind the expectation, with 95 % Wilson bounds.",
			"Précision des alertes selon le coefficient de variation (écart type / moyenne) de la " +
				"référence, avec bornes de Wilson à 95 %.",
		},
		Columns: verdicts(label("spread", "Spread (CV)", "Dispersion (CV)")),
	},
	{
		Name: "recall", Shape: Table,
		Title: Text{"Which share of the errors is caught?", "Quelle part des erreurs est trouvée ?"},
		Help: Text{
			"Per month of issue, estimated three ways: audit: right alerts / (right alerts + unflagged × share wrong " +
				"among those audited); canary: found / sent; disputes: flagged / confirmed disputes.",
			"Par mois d'émission, estimé de trois façons : audit : alertes justes / (alertes justes + non signalées × " +
				"part fausse des auditées) ; canari : trouvés / envoyés ; contestations : signalées / confirmées.",
		},
		Columns: []Column{date("month", "Month", "Mois"), label("estimate", "Estimate", "Estimation"),
			share("recall", "Recall", "Rappel"), low("recall_low", "percentunit"),
			high("recall_high", "percentunit"), count("caught", "Caught", "Trouvées"),
			count("looked_at", "Looked at", "Examinées")},
	},
	{
		Name: "calibration", Shape: Table,
		Title: Text{"Is recoup as sure as it should be?", "recoup est-il aussi sûr qu'il le faut ?"},
		Help: Text{
			"Per tenth of the probability of an error, of the invoices people decided: its mean against the share confirmed, " +
				"with 95 % Wilson bounds; equal means calibrated. Brier: mean squared difference, 0 is best.",
			"Par dixième de la probabilité d'erreur, des factures décidées : sa moyenne contre la part confirmée, avec " +
				"bornes de Wilson à 95 % ; égaux signifie calibré. Brier : écart carré moyen, 0 est le mieux.",
		},
		Columns: []Column{label("p_error_tenth", "Probability of an error", "Probabilité d'erreur"),
			share("expected_share", "Expected", "Attendue"), share("confirmed_share", "Confirmed", "Confirmée"),
			low("confirmed_share_low", "percentunit"), high("confirmed_share_high", "percentunit"),
			count("decided", "Decided", "Décidées"), number("brier", "none", "Brier", "Brier")},
	},
}

// verdicts are some columns and, of the alerts they name, what people decided.
func verdicts(of ...Column) []Column {
	return append(of, count("alerts", "Alerts", "Alertes"), count("confirmed", "Right", "Justes"),
		count("refuted", "Wrong", "Fausses"), share("undetermined_share", "Undetermined", "Indéterminées"),
		count("undecided", "Undecided", "Non décidées"), share("precision", "Precision", "Précision"),
		low("precision_low", "percentunit"), high("precision_high", "percentunit"))
}
