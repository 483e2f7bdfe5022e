package question

// overviewQuestions are of errors and money.
var overviewQuestions = []Question{
	{
		Name: "error_rate", Shape: Series,
		Title: Text{"How many invoices are wrong?", "Combien de factures sont fausses ?"},
		Help: Text{
			"Confirmed errors / invoices issued that day, week or month, with 95 % Wilson bounds: a lower bound" +
				" of the truth, as people look at few invoices. Live: what is expected now, the sum of the " +
				"probabilities of an error / invoices.",
			"Erreurs confirmées / factures émises ce jour, cette semaine ou ce mois, avec bornes de Wilson " +
				"à 95 % : un minimum, car peu de factures sont examinées. En direct : ce qui est attendu, " +
				"somme des probabilités d'erreur / factures.",
		},
		Columns: []Column{day, share("confirmed_rate", "Confirmed", "Confirmées"),
			low("confirmed_rate_low", "percentunit"), high("confirmed_rate_high", "percentunit"),
			share("live_rate", "Live: expected now", "En direct : attendu"),
			share("suspect_rate", "Suspected", "Suspectes"), count("invoices", "Invoices", "Factures"),
			reference("claim", "percentunit", "Claim: 3 %", "Affirmation : 3 %")},
	},
	{
		Name: "errors_total", Shape: Table,
		Title: Text{"How many invoices are wrong in all?", "Combien de factures sont fausses au total ?"},
		Help: Text{
			"Of all invoices issued in the time range: confirmed, live and true error rate: " +
				"(confirmed suspects + unflagged × share of wrong ones among those audited) / invoices. True " +
				"counts undecided suspects as right, and is empty without an audit.",
			"De toutes les factures émises dans la période : taux confirmé, en direct et réel" +
				" : (suspectes confirmées + non signalées × part de fausses parmi celles auditées) / " +
				"factures. Réel compte les suspectes non décidées comme justes, et est vide sans audit.",
		},
		Columns: []Column{count("invoices", "Invoices", "Factures"), count("suspects", "Suspects", "Suspectes"),
			count("undecided", "Undecided", "Non décidées"), count("confirmed", "Confirmed", "Confirmées"),
			share("confirmed_rate", "Confirmed error rate", "Taux confirmé"),
			low("confirmed_rate_low", "percentunit"), high("confirmed_rate_high", "percentunit"),
			share("live_rate", "Live error rate", "Taux en direct"), count("audited", "Audited", "Auditées"),
			count("audited_wrong", "Audited, wrong", "Auditées, fausses"),
			share("true_rate", "True error rate", "Taux réel"), low("true_rate_low", "percentunit"),
			high("true_rate_high", "percentunit")},
	},
	{
		Name: "loss", Shape: Table,
		Title: Text{"What was lost, and what came back?", "Qu'a-t-on perdu, et qu'est-il revenu ?"},
		Help: Text{
			"Of the invoices issued in the time range, each direction on its own, never netted: confirmed loss," +
				" open loss (probability of an error × what is at stake, with band), cash recovered, " +
				"net = recovered − gestures − handling. What many invoices share counts when no segment is chosen.",
			"Des factures émises dans la période, chaque sens à part, jamais compensés : perte confirmée, " +
				"perte ouverte (probabilité d'erreur × enjeu, avec bande), encaissé, " +
				"net = encaissé − gestes − traitement. Ce que plusieurs factures partagent compte quand aucun " +
				"segment n'est choisi.",
		},
		Columns: []Column{direction, count("found", "Invoices", "Factures"),
			count("confirmed_errors", "Confirmed", "Confirmées"),
			money("confirmed_loss", "Confirmed loss", "Perte confirmée"),
			money("open_loss", "Open loss, expected", "Perte ouverte, attendue"),
			low("open_loss_low", "none"), high("open_loss_high", "none"),
			money("recovered", "Recovered", "Récupéré"), money("goodwill", "Gestures", "Gestes"),
			money("handling", "Handling", "Traitement"), money("net", "Net", "Net")},
	},
	{
		Name: "money_total", Shape: Table,
		Title: Text{"How much money is at risk, and back?", "Combien d'argent est à risque, et revenu ?"},
		Help: Text{
			"Of the invoices issued in the time range that were billed too little: open loss (probability of " +
				"an error × what is at stake, with band) and confirmed loss; cash recovered, and net of " +
				"gestures and handling of all cases.",
			"Des factures émises dans la période et trop peu facturées : perte ouverte (probabilité d'erreur × enjeu, " +
				"avec bande) et perte confirmée ; encaissé, et net des gestes et du traitement de tous les dossiers.",
		},
		Columns: []Column{money("open_loss", "At risk, expected", "À risque, attendu"),
			low("open_loss_low", "none"), high("open_loss_high", "none"),
			money("confirmed_loss", "Confirmed loss", "Perte confirmée"), money("recovered", "Recovered", "Récupéré"),
			money("net", "Net", "Net")},
	},
	{
		Name: "money_by_day", Shape: Series,
		Title: Text{"How does the money develop?", "Comment évolue l'argent ?"},
		Help: Text{
			"What was billed too little, by day, week or month of issue: confirmed loss, open loss (probability of an error × " +
				"what is at stake), cash recovered, net of gestures and handling.",
			"Ce qui fut facturé trop peu, par jour, semaine ou mois d'émission : perte confirmée, perte " +
				"ouverte (probabilité d'erreur × enjeu), encaissé, net des gestes et du traitement.",
		},
		Columns: []Column{day, money("confirmed_loss", "Confirmed loss", "Perte confirmée"),
			money("open_loss", "At risk: open loss, expected", "À risque : perte ouverte, attendue"),
			money("recovered", "Recovered", "Récupéré"), money("net", "Net", "Net")},
	},
	{
		Name: "handling", Shape: Table,
		Title: Text{"What does handling cost?", "Que coûte le traitement ?"},
		Help: Text{
			"Of the cases about invoices issued in the time range: what was noted, else the planned cost of each " +
				"confirmed error; per unit of money recovered; single cases whose loss is below break-even " +
				"(usual cost / paid rate).",
			"Des dossiers de factures émises dans la période : le coût noté, sinon le coût prévu de chaque erreur " +
				"confirmée ; par unité récupérée ; dossiers simples dont la perte est sous le seuil (coût usuel / part payée).",
		},
		Columns: []Column{money("handling", "Handling", "Traitement"), money("recovered", "Recovered", "Récupéré"),
			number("cost_per_recovered", "none", "Cost per unit recovered", "Coût par unité récupérée"),
			count("cases", "Single cases", "Dossiers simples"), money("break_even_loss", "Break-even loss", "Perte au seuil"),
			share("below_break_even_share", "Below break-even", "Sous le seuil")},
	},
	{
		Name: "bundling", Shape: Table,
		Title: Text{"What did incidents save?", "Qu'ont économisé les incidents ?"},
		Help: Text{
			"Of the incidents that began in the time range: the usual cost of each member that needed no case of its own, " +
				"less the cost of the incident. Below 0 bundling did not pay.",
			"Des incidents nés dans la période : le coût usuel de chaque membre sans dossier propre, moins le coût de " +
				"l'incident. Sous 0, regrouper n'a pas payé.",
		},
		Columns: []Column{count("incidents", "Incidents", "Incidents"),
			count("spared_cases", "Cases spared", "Dossiers évités"),
			money("money_saved", "Saved", "Économisé")},
	},
	{
		Name: "found_first", Shape: Table,
		Title: Text{
			"How often did the customer find it first?",
			"Combien de fois le client l'a-t-il trouvée le premier ?",
		},
		Help: Text{
			"Confirmed errors that began with a dispute / all confirmed errors of the invoices issued in the " +
				"time range, with 95 % Wilson bounds. Aim at 0.",
			"Erreurs confirmées nées d'une contestation / toutes les erreurs confirmées des factures émises" +
				" dans la période, avec bornes de Wilson à 95 %. Viser 0.",
		},
		Columns: []Column{count("confirmed", "Confirmed", "Confirmées"),
			count("by_customer", "Found by the customer", "Trouvées par le client"),
			share("part", "Share", "Part"), low("part_low", "percentunit"), high("part_high", "percentunit")},
	},
	{
		Name: "prevented", Shape: Table,
		Title: Text{"What was stopped before it was sent?", "Qu'a-t-on arrêté avant l'envoi ?"},
		Help: Text{
			"Drafts that were held and not issued as suspect after all, their loss, and their share of these " +
				"and the confirmed errors that were issued.",
			"Brouillons retenus puis non émis comme suspects, leur perte, et leur part parmi ceux-ci et les" +
				" erreurs confirmées émises.",
		},
		Columns: []Column{count("drafts_held", "Held", "Retenus"),
			count("drafts_prevented", "Prevented", "Évités"),
			money("loss_prevented", "Loss prevented", "Perte évitée"),
			share("caught_before_issue", "Caught before issue", "Arrêtées avant l'émission")},
	},
}
