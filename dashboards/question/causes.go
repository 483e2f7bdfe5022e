package question

// causeQuestions are of what goes wrong, and where.
var causeQuestions = []Question{
	{
		Name: "causes", Shape: Table,
		Title: Text{"Which causes are behind the errors?", "Quelles causes sont derrière les erreurs ?"},
		Help: Text{"Confirmed errors of the invoices issued in the time range by confirmed cause: number, share, cumulative " +
			"share, loss of either side (K9). An incident whose loss was told as one sum adds it to its cause.",
			"Erreurs confirmées des factures émises dans la période par cause confirmée : nombre, part, part cumulée, perte " +
				"de chaque côté (K9). Un incident dont la perte a été donnée en une somme l'ajoute à sa cause."},
		Columns: []Column{label("cause", "Cause", "Cause"), count("confirmed_errors", "Confirmed", "Confirmées"),
			share("part", "Share", "Part"), share("cumulative", "Cumulative share", "Part cumulée"),
			money("loss_customer_favour", "Billed too little", "Facturé trop peu"),
			money("loss_seller_favour", "Billed too much", "Facturé trop"), money("recovered", "Recovered", "Récupéré")},
	},
}
