package question

// pipelineQuestions are of the health of detection; blind is not healthy.
var pipelineQuestions = []Question{
	{
		Name: "baseline_levels", Shape: Series,
		Title: Text{"How sharp are the expectations?", "Les attentes sont-elles précises ?"},
		Help: Text{
			"Share of invoices by the baseline behind their expectation, by day, week or month of issue; none " +
				"is no expectation.",
			"Part des factures selon la référence derrière leur attente, par jour, semaine ou mois " +
				"d'émission ; none : aucune attente.",
		},
		Columns: []Column{day, label("level", "Level", "Niveau"), share("part", "Share", "Part")},
	},
	{
		Name: "source_silence", Shape: Table,
		Title: Text{"Does every source speak?", "Chaque source parle-t-elle ?"},
		Help: Text{
			"Seconds since the last invoice of each source, and from receipt to stored row, of the last 7 days.",
			"Secondes depuis la dernière facture de chaque source, et de la réception à la ligne stockée, " +
				"des 7 derniers jours.",
		},
		Columns: []Column{label("source_system", "Source", "Source"),
			instant("last_invoice_at", "Last invoice", "Dernière facture"),
			number("seconds_silent", "s", "Silent for", "Muette depuis"),
			count("invoices", "Invoices, 7 d", "Factures, 7 j"),
			number("seconds_to_row_p50", "s", "To row, median", "Vers ligne, médiane"),
			number("seconds_to_row_p99", "s", "To row, p99", "Vers ligne, p99")},
	},
	{
		Name: "dead_letters", Shape: Table,
		Title: Text{"What could not be read, and why?", "Qu'est-ce qui n'a pu être lu, et pourquoi ?"},
		Help: Text{
			"Records of the last 14 days that could not be scored, each once, by reason and field, of all " +
				"sellers.",
			"Enregistrements des 14 derniers jours qui n'ont pu être évalués, chacun une fois, par motif et" +
				" champ, de tous les vendeurs.",
		},
		Columns: []Column{label("code", "Reason (code)", "Motif (code)"), label("field", "Field", "Champ"),
			label("step_code", "Step (code)", "Étape (code)"), count("records", "Records", "Enregistrements"),
			instant("last_at", "Last", "Dernier"), label("example", "Example", "Exemple (en anglais)")},
	},
	{
		Name: "canaries", Shape: Series,
		Title: Text{"Does recoup see?", "recoup voit-il ?"},
		Help: Text{
			"Share of the invoices that `recoup canary` made wrong on purpose and that were found, with 95 % " +
				"Wilson bounds. Misses mean that recoup is blind.",
			"Part des factures que `recoup canary` a faussées exprès et qui furent trouvées, avec bornes de" +
				" Wilson à 95 %. En manquer signifie que recoup est aveugle.",
		},
		Columns: []Column{day, share("found_share", "Found", "Trouvés"), low("found_share_low", "percentunit"),
			high("found_share_high", "percentunit"), count("sent", "Sent", "Envoyés")},
	},
	{
		Name: "kept_answers", Shape: Table,
		Title: Text{"How old are the answers of the boards?", "De quand datent les réponses des tableaux ?"},
		Help: Text{
			"Seconds since each kept view was worked out: a minute, ten for judged_unflagged. Beyond twice that" +
				" look at system.view_refreshes.",
			"Secondes depuis le calcul de chaque vue conservée : une minute, dix pour judged_unflagged. Au-" +
				"delà du double, voir system.view_refreshes.",
		},
		Columns: []Column{label("view", "View", "Vue"), count("row_count", "Rows", "Lignes"),
			instant("refreshed_at", "As of", "À jour au"), number("seconds_old", "s", "Age", "Âge")},
	},
	{
		Name: "detection_time", Shape: Series,
		Title: Text{"How fast is an error detected?", "En combien de temps une erreur est-elle détectée ?"},
		Help: Text{
			"Seconds from receipt (ours) and from issue (with what lies before us) to the alert, by day, " +
				"week or month of issue.",
			"Secondes de la réception (la nôtre) et de l'émission (avec ce qui précède) à l'alerte, par " +
				"jour, semaine ou mois d'émission.",
		},
		Columns: []Column{day,
			number("seconds_after_receipt_p50", "s", "From receipt, median", "Depuis la réception, médiane"),
			number("seconds_after_receipt_p95", "s", "From receipt, p95", "Depuis la réception, p95"),
			number("seconds_after_receipt_p99", "s", "From receipt, p99", "Depuis la réception, p99"),
			number("seconds_after_issue_p50", "s", "From issue, median", "Depuis l'émission, médiane"),
			number("seconds_after_issue_p95", "s", "From issue, p95", "Depuis l'émission, p95"),
			number("seconds_after_issue_p99", "s", "From issue, p99", "Depuis l'émission, p99")},
	},
}
