package question

// causeQuestions are of what goes wrong, and where.
var causeQuestions = []Question{
	{
		Name: "causes", Shape: Table,
		Title: Text{"Which causes are behind the errors?", "Quelles causes sont derrière les erreurs ?"},
		Help: Text{
			"Confirmed errors of the invoices issued in the time range by confirmed cause: number, share, " +
				"cumulative share, loss of either side. An incident whose loss was told as one sum adds it to " +
				"its cause.",
			"Erreurs confirmées des factures émises dans la période par cause confirmée : nombre, part, " +
				"part cumulée, perte de chaque côté. Un incident dont la perte fut donnée en une somme " +
				"l'ajoute à sa cause.",
		},
		Columns: []Column{cause, count("confirmed_errors", "Confirmed", "Confirmées"),
			share("part", "Share", "Part"), share("cumulative", "Cumulative share", "Part cumulée"),
			money("loss_customer_favour", "Billed too little", "Facturé trop peu"),
			money("loss_seller_favour", "Billed too much", "Facturé trop"),
			money("recovered", "Recovered", "Récupéré")},
	},
	{
		Name: "causes_by_day", Shape: Series,
		Title: Text{"When did which cause strike?", "Quand quelle cause a-t-elle frappé ?"},
		Help: Text{
			"Confirmed errors by day, week or month of issue and confirmed cause.",
			"Erreurs confirmées par jour, semaine ou mois d'émission et cause confirmée.",
		},
		Columns: []Column{day, cause, count("confirmed_errors", "Confirmed", "Confirmées")},
	},
	{
		Name: "confusion", Shape: Table,
		Title: Text{"Was the cause right?", "La cause était-elle juste ?"},
		Help: Text{
			"Confirmed errors by the cause that recoup named first (row) and the one a person confirmed " +
				"(column); the diagonal is right.",
			"Erreurs confirmées selon la cause nommée d'abord par recoup (ligne) et celle confirmée par une" +
				" personne (colonne) ; la diagonale est juste.",
		},
		Columns: []Column{label("predicted_cause", "Named", "Nommée"),
			label("true_cause", "Confirmed cause", "Cause confirmée"), count("invoices", "Invoices", "Factures")},
	},
	{
		Name: "incidents", Shape: Table,
		Title: Text{"Which incidents are there?", "Quels incidents y a-t-il ?"},
		Help: Text{
			"What many wrong invoices share, open ones and those that began in the time range: members, what is" +
				" at stake on either side, loss at the pace of the last hour.",
			"Ce que partagent de nombreuses factures fausses, incidents ouverts et ceux nés dans la période" +
				" : membres, enjeu de chaque côté, perte au rythme de la dernière heure.",
		},
		Columns: []Column{instant("since", "Since", "Depuis"), severity,
			label("dimension", "They share", "Elles partagent"), label("shared", "Which", "Lequel"), state,
			count("members", "Members", "Membres"), count("with_case", "With a case", "Avec un dossier"),
			money("stake_too_little", "Billed too little", "Facturé trop peu"),
			money("stake_too_much", "Billed too much", "Facturé trop"),
			money("loss_per_hour", "Per hour", "Par heure"), label("incident", "Incident", "Incident")},
	},
	{
		Name: "customers_touched", Shape: Table,
		Title: Text{"How many customers met an error?", "Combien de clients ont rencontré une erreur ?"},
		Help: Text{
			"Customers with a confirmed error / customers billed, in this month and the 11 before it, with 95 %" +
				" Wilson bounds. Claim: 25 %.",
			"Clients avec une erreur confirmée / clients facturés, ce mois et les 11 précédents, avec " +
				"bornes de Wilson à 95 %. Affirmation : 25 %.",
		},
		Columns: []Column{count("customers", "Customers", "Clients"),
			count("touched", "With an error", "Avec une erreur"),
			count("touched_again", "With several", "Avec plusieurs"), share("part", "Share", "Part"),
			low("part_low", "percentunit"), high("part_high", "percentunit"),
			reference("claim", "percentunit", "Claim", "Affirmation")},
	},
	{
		Name: "anomalies", Shape: Table,
		Title: Text{"Which anomalies occur how often?", "Quelles anomalies, à quelle fréquence ?"},
		Help: Text{
			"Invoices with a rule of each type per 10,000 invoices, by month of issue.",
			"Factures avec une règle de chaque type pour 10 000 factures, par mois d'émission.",
		},
		Columns: []Column{date("month", "Month", "Mois"), label("type", "Type", "Type"),
			number("per_10000", "short", "Per 10,000", "Pour 10 000")},
	},
	{
		Name: "repeats", Shape: Table,
		Title: Text{
			"Did the error return after the correction?",
			"L'erreur est-elle revenue après la correction ?",
		},
		Help: Text{
			"Share of corrective actions that were followed by the same cause within 30, 60 and 90 days, of " +
				"actions that are so old. Claims of fewer errors: 45 % by analysing causes, 30 % by validating " +
				"in several steps, 20 % by written procedures.",
			"Part des actions correctives suivies de la même cause sous 30, 60 et 90 jours, parmi celles " +
				"aussi anciennes. Affirmations de baisse : 45 % par l'analyse des causes, 30 % par la validation à " +
				"plusieurs niveaux, 20 % par des procédures écrites.",
		},
		Columns: []Column{cause, count("actions_30", "Actions, 30 d", "Actions, 30 j"),
			share("repeat_rate_30", "Returned, 30 d", "Revenue, 30 j"),
			count("actions_60", "Actions, 60 d", "Actions, 60 j"),
			share("repeat_rate_60", "Returned, 60 d", "Revenue, 60 j"),
			count("actions_90", "Actions, 90 d", "Actions, 90 j"),
			share("repeat_rate_90", "Returned, 90 d", "Revenue, 90 j"),
			reference("claim_analysis", "percentunit", "Claim: fewer by analysis", "Affirmation : baisse par analyse"),
			reference("claim_validation", "percentunit", "Claim: fewer by validation",
				"Affirmation : baisse par validation"),
			reference("claim_procedures", "percentunit", "Claim: fewer by procedures",
				"Affirmation : baisse par procédures")},
	},
	{
		Name: "disputes", Shape: Table,
		Title: Text{"What do customers dispute?", "Que contestent les clients ?"},
		Help: Text{
			"Disputes told in the time range, by reason, and how many of them were confirmed errors.",
			"Contestations reçues dans la période, par motif, et combien étaient des erreurs confirmées.",
		},
		Columns: []Column{label("reason", "Reason", "Motif"), count("disputed", "Disputes", "Contestations"),
			count("confirmed", "Confirmed", "Confirmées")},
	},
}
