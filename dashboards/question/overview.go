package question

// overviewQuestions are of errors and money.
var overviewQuestions = []Question{
	{
		Name: "error_rate", Shape: Series,
		Title: Text{"How many invoices are wrong?", "Combien de factures sont fausses ?"},
		Help: Text{"Confirmed errors / invoices issued that day, week or month, with 95 % Wilson bounds: a lower bound of the " +
			"truth, as people look at few invoices (K1). Live: sum of p_error / invoices (K1c).",
			"Erreurs confirmées / factures émises ce jour, cette semaine ou ce mois, avec bornes de Wilson à 95 % : un minimum, " +
				"car peu de factures sont examinées (K1). En direct : somme de p_error / factures (K1c)."},
		Columns: []Column{day, share("confirmed_rate", "Confirmed", "Confirmées"),
			low("confirmed_rate_low", "percentunit"), high("confirmed_rate_high", "percentunit"),
			share("live_rate", "Live, by p_error", "En direct, par p_error"), share("suspect_rate", "Suspected", "Suspectes"),
			count("invoices", "Invoices", "Factures")},
	},
	{
		Name: "loss", Shape: Table,
		Title: Text{"What was lost, and what came back?", "Qu'a-t-on perdu, et qu'est-il revenu ?"},
		Help: Text{"Of the invoices issued in the time range, each direction on its own: confirmed loss, open loss " +
			"(p_error × what is at stake, with band), cash recovered, net = recovered − gestures − handling (K2, K3).",
			"Des factures émises dans la période, chaque sens à part : perte confirmée, perte ouverte (p_error × enjeu, avec " +
				"bande), encaissé, net = encaissé − gestes − traitement (K2, K3)."},
		Columns: []Column{label("direction", "In favour of", "En faveur de"), count("found", "Invoices", "Factures"),
			count("confirmed_errors", "Confirmed", "Confirmées"), money("confirmed_loss", "Confirmed loss", "Perte confirmée"),
			low("open_loss_low", "none"), money("open_loss", "Open loss, expected", "Perte ouverte, attendue"),
			high("open_loss_high", "none"), money("recovered", "Recovered", "Récupéré"),
			money("goodwill", "Gestures", "Gestes"), money("handling", "Handling", "Traitement"), money("net", "Net", "Net")},
	},
}
