package question

// recoveryQuestions are of cases and of the money that comes back.
var recoveryQuestions = []Question{
	{
		Name: "funnel", Shape: Table,
		Title: Text{"How far does the money come?", "Jusqu'où va l'argent ?"},
		Help: Text{
			"Invoices that were billed too little, issued in the time range: detected, with a case, agreed by " +
				"option, paid by option; at stake, for paid the cash. Refuted ones and duplicates are left " +
				"out.",
			"Factures trop peu facturées, émises dans la période : détectées, avec un dossier, accord par " +
				"option, payées par option ; enjeu, pour payé l'encaissé. Les réfutées et doublons sont " +
				"exclus.",
		},
		Columns: []Column{label("step", "Step", "Étape"), label("way", "Option", "Option"),
			count("invoices", "Invoices", "Factures"), money("amount", "Amount", "Montant")},
	},
	{
		Name: "recoveries", Shape: Table,
		Title: Text{"Which way of getting the money back works?", "Quel moyen de récupérer l'argent fonctionne ?"},
		Help: Text{
			"Per option, of all offers ever made: accepted / offered, with 95 % Wilson bounds, paid / offered, " +
				"and its uplift against immediate payment once each was offered 20 times. Claims: 45 % pay at " +
				"once, +20 % by instalments, 40 % with a gesture.",
			"Par option, de toutes les offres : acceptées / proposées, avec bornes de Wilson à 95 %, payé /" +
				" proposé, et son gain sur le paiement immédiat dès que chacun fut proposé 20 fois. " +
				"Affirmations : 45 % en paiement immédiat, +20 % par échéances, 40 % avec un geste.",
		},
		Columns: []Column{option, count("offered", "Offered", "Proposé"), count("accepted", "Accepted", "Accepté"),
			share("acceptance", "Acceptance", "Acceptation"), low("acceptance_low", "percentunit"),
			high("acceptance_high", "percentunit"), money("offered_amount", "Amount offered", "Montant proposé"),
			money("paid_amount", "Paid", "Payé"), share("paid_rate", "Paid rate", "Part payée"),
			share("uplift", "Uplift", "Gain"), money("goodwill", "Gestures", "Gestes"), label("claim", "Claim", "Affirmation")},
	},
	{
		Name: "ageing", Shape: Table,
		Title: Text{"How long have cases been waiting?", "Depuis quand les dossiers attendent-ils ?"},
		Help: Text{
			"Open cases by age, now: answered, waiting, past the time by which an answer is due (24 hours), and" +
				" what is at stake. Members of an open incident are worked there.",
			"Dossiers ouverts par âge, maintenant : pris en charge, en attente, au-delà du délai de réponse (24 " +
				"heures), et l'enjeu. Les membres d'un incident ouvert y sont traités.",
		},
		Columns: []Column{label("age", "Age", "Âge"), count("answered", "Answered", "Pris en charge"),
			count("waiting", "Waiting", "En attente"), count("past_respond_by", "Past due", "Hors délai"),
			money("stake", "At stake", "Enjeu")},
	},
	{
		Name: "backlog", Shape: Table,
		Title: Text{"What is waiting?", "Qu'est-ce qui attend ?"},
		Help: Text{
			"Open cases by kind and team, now: their age, the oldest, and the share nobody answered in time.",
			"Dossiers ouverts par genre et équipe, maintenant : leur âge, le plus ancien, et la part sans " +
				"réponse à temps.",
		},
		Columns: []Column{label("kind", "Kind", "Genre"), team, count("open_cases", "Open", "Ouverts"),
			number("age_hours_p50", "h", "Age, median", "Âge médian"),
			number("age_hours_p90", "h", "Age, p90", "Âge, p90"), instant("oldest", "Oldest", "Le plus ancien"),
			count("past_respond_by", "Past due", "Hors délai"),
			share("past_respond_by_share", "Share past due", "Part hors délai")},
	},
	{
		Name: "open_cases", Shape: Table,
		Title: Text{"Which cases are open?", "Quels dossiers sont ouverts ?"},
		Help: Text{
			"Open cases, now, those without a currency, too: overdue ones first, then by what working them is worth.",
			"Dossiers ouverts, maintenant, aussi ceux sans devise : hors délai en premier, " +
				"puis selon ce que rapporte leur traitement.",
		},
		Columns: []Column{instant("detected", "Detected", "Détecté"), severity, label("kind", "Kind", "Genre"),
			label("invoice", "Invoice", "Facture"), cause, customerType, productFamily,
			money("stake", "At stake", "Enjeu"), probability, team,
			instant("respond_by", "Answer by", "Répondre avant"), answer, label("case", "Case", "Dossier")},
	},
	{
		Name: "response", Shape: Series,
		Title: Text{"How fast are cases answered?", "En combien de temps répond-on aux dossiers ?"},
		Help: Text{
			"Hours from the alert to the acknowledgement, median and 90th percentile, by day, week or month of " +
				"issue; those not answered yet are left out. Answers are due in 24 hours.",
			"Heures de l'alerte à la prise en charge, médiane et 90e centile, par jour, semaine ou mois " +
				"d'émission ; sans les dossiers non pris en charge. Réponse due en 24 heures.",
		},
		Columns: []Column{day, number("answered_hours_p50", "h", "Median", "Médiane"),
			number("answered_hours_p90", "h", "p90", "p90"),
			reference("due", "h", "Due: 24 h", "Dû : 24 h")},
	},
	{
		Name: "response_total", Shape: Table,
		Title: Text{"How many cases are answered in 24 hours?", "Combien de dossiers ont une réponse en 24 heures ?"},
		Help: Text{
			"Of the cases about invoices issued in the time range that were answered or are older than 24 hours: " +
				"share acknowledged within 24 hours, with 95 % Wilson bounds, and hours to the decision. " +
				"Members of an open incident are answered there.",
			"Des dossiers de factures émises dans la période, pris en charge ou de plus de 24 heures : part prise en " +
				"charge sous 24 heures, avec bornes de Wilson à 95 %, et heures jusqu'à la décision. Les " +
				"membres d'un incident ouvert y sont pris en charge.",
		},
		Columns: []Column{count("cases", "Cases", "Dossiers"),
			share("answered_in_24h", "Answered in 24 h", "Réponse en 24 h"),
			low("answered_in_24h_low", "percentunit"), high("answered_in_24h_high", "percentunit"),
			number("decided_hours_p50", "h", "Decided, median", "Décidé, médiane"),
			number("decided_hours_p90", "h", "Decided, p90", "Décidé, p90")},
	},
	{
		Name: "recovery_curve", Shape: Table,
		Title: Text{
			"Which share of the money is back after how long?",
			"Quelle part de l'argent est revenue, et quand ?",
		},
		Help: Text{
			"Kaplan–Meier estimate, of all cases: share whose last cent is back within that many hours of the " +
				"alert; cases that still wait are censored. By the hour for a week, then by the day.",
			"Estimation de Kaplan–Meier, de tous les dossiers : part dont le dernier centime est revenu sous " +
				"tant d'heures après l'alerte ; ceux qui attendent sont censurés. Par heure une semaine, puis par jour.",
		},
		Columns: []Column{number("hours", "h", "Hours since the alert", "Heures depuis l'alerte"),
			share("back", "Paid back", "Remboursé"), count("still_waiting", "Still waiting", "En attente")},
	},
	{
		Name: "time_to_recover", Shape: Table,
		Title: Text{"How long until the last cent is back?", "Combien de temps jusqu'au dernier centime ?"},
		Help: Text{
			"Kaplan–Meier median of the hours since the alert, of all cases; empty while more than half still " +
				"waits. Shares are empty before the oldest alert is 30 or 90 days old.",
			"Médiane de Kaplan–Meier des heures depuis l'alerte, de tous les dossiers ; vide tant que plus de la" +
				" moitié attend. Les parts sont vides avant 30 ou 90 jours.",
		},
		Columns: []Column{count("alerts", "Alerts", "Alertes"), count("paid_back", "Paid back", "Remboursés"),
			number("median_hours", "h", "Median", "Médiane"),
			share("share_in_30_days", "In 30 days", "Sous 30 jours"),
			share("share_in_90_days", "In 90 days", "Sous 90 jours")},
	},
	{
		Name: "satisfaction", Shape: Table,
		Title: Text{"How satisfied are customers afterwards?", "Les clients sont-ils satisfaits ensuite ?"},
		Help: Text{
			"Mean of their answers from 1 to 5 after closure, by the option they accepted last, of all cases.",
			"Moyenne de leurs réponses de 1 à 5 après clôture, par option acceptée en dernier, de tous les " +
				"dossiers.",
		},
		Columns: []Column{option, count("answers", "Answers", "Réponses"),
			number("mean", "none", "Mean", "Moyenne"), share("satisfied_share", "4 or 5", "4 ou 5")},
	},
}
