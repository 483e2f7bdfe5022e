package question

// recoveryQuestions are of cases and of the money that comes back.
var recoveryQuestions = []Question{
	{
		Name: "recoveries", Shape: Table,
		Title: Text{"Which way of getting the money back works?", "Quel moyen de récupérer l'argent fonctionne ?"},
		Help: Text{"Per option, of all offers ever made: accepted / offered with 95 % Wilson bounds, paid / offered, and its " +
			"uplift against immediate payment once each was offered 20 times (K4). Claims: 45 % with a reminder, +20 % by " +
			"instalments, 40 % with a gesture.",
			"Par option, de toutes les offres : acceptées / proposées avec bornes de Wilson à 95 %, payé / proposé, et son " +
				"gain sur le paiement immédiat dès que chacun fut proposé 20 fois (K4). Affirmations : 45 % avec rappel, +20 % " +
				"par échéances, 40 % avec un geste."},
		Columns: []Column{label("option", "Option", "Option"), count("offered", "Offered", "Proposé"),
			count("accepted", "Accepted", "Accepté"), share("acceptance", "Acceptance", "Acceptation"),
			low("acceptance_low", "percentunit"), high("acceptance_high", "percentunit"),
			money("offered_amount", "Amount offered", "Montant proposé"), money("paid_amount", "Paid", "Payé"),
			share("paid_rate", "Paid rate", "Part payée"), share("uplift", "Uplift", "Gain"),
			money("goodwill", "Gestures", "Gestes")},
	},
}
