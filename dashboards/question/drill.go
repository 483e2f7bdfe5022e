package question

// drillQuestions are of one segment, or of one invoice.
var drillQuestions = []Question{
	{
		Name: "segments", Shape: Table,
		Title: Text{"Which segments err?", "Quels segments se trompent ?"},
		Help: Text{
			"Per customer type and product family, of the invoices issued in the time range: confirmed error " +
				"rate, with 95 % Wilson bounds, live and suspected rate, share without any expectation, confirmed " +
				"loss of either side.",
			"Par type de client et famille de produits, des factures émises dans la période : taux " +
				"confirmé, avec bornes de Wilson à 95 %, taux en direct et suspecté, part sans attente, perte " +
				"confirmée de chaque côté.",
		},
		Columns: []Column{customerType, productFamily, count("invoices", "Invoices", "Factures"),
			share("suspect_rate", "Suspected", "Suspectes"), share("confirmed_rate", "Confirmed", "Confirmées"),
			low("confirmed_rate_low", "percentunit"), high("confirmed_rate_high", "percentunit"),
			share("live_rate", "Live", "En direct"),
			share("without_expectation", "No expectation", "Sans attente"),
			money("confirmed_loss", "Confirmed loss", "Perte confirmée")},
	},
	{
		Name: "suspects", Shape: Table,
		Title: Text{"Which invoices are suspect?", "Quelles factures sont suspectes ?"},
		Help: Text{
			"Suspect invoices issued in the time range, the largest stake first, and what became of them.",
			"Factures suspectes émises dans la période, le plus gros enjeu en premier, et ce qu'elles sont " +
				"devenues.",
		},
		Columns: []Column{date("day", "Issued", "Émise"), label("invoice", "Invoice", "Facture"),
			label("customer", "Customer", "Client"), customerType, productFamily, cause,
			probability, direction,
			money("stake", "At stake", "Enjeu"), low("stake_low", "none"), high("stake_high", "none"),
			label("decision", "Decision", "Décision"), state},
	},
	{
		Name: "invoice", Shape: Table,
		Title: Text{"What does recoup say of the invoice?", "Que dit recoup de la facture ?"},
		Help: Text{
			"Every record of the invoice, newest first: billed against expected with its 95 % band, the " +
				"baseline and how many invoices it rests on, the probability of an error, and whether the rule \"more than " +
				"15 % below the usual invoice\" fires.",
			"Chaque enregistrement de la facture, le plus récent d'abord : facturé contre attendu avec sa " +
				"bande à 95 %, la référence et son nombre de factures, la probabilité d'une erreur, et si la règle « plus de " +
				"15 % sous la facture habituelle » se déclenche.",
		},
		Columns: []Column{instant("issued_at", "Issued", "Émise"), count("revision", "Revision", "Révision"),
			label("stage", "Stage", "Stade"), label("invoice_type", "Type", "Type"),
			label("customer", "Customer", "Client"), customerType, productFamily,
			label("currency", "Currency", "Devise"), label("amount_basis", "Amounts are", "Montants"),
			money("billed", "Billed", "Facturé"), money("expected", "Expected", "Attendu"),
			low("expected_low", "none"), high("expected_high", "none"), share("deviation", "Deviation", "Écart"),
			label("level", "Level", "Niveau"), count("n", "Rests on", "Repose sur"),
			share("cv", "Spread (CV)", "Dispersion (CV)"), probability,
			label("verdict", "Verdict", "Verdict"), label("decision", "Decision", "Décision"), direction,
			money("loss", "Loss", "Perte"), low("loss_low", "none"), high("loss_high", "none"),
			label("rule_15", "15 % rule", "Règle des 15 %"), label("case", "Case", "Dossier"),
			label("incident", "Incident", "Incident"), label("model_version", "Model", "Modèle")},
	},
	{
		Name: "invoice_history", Shape: Series,
		Title: Text{
			"How does the invoice stand against its band?",
			"Comment la facture se situe-t-elle dans sa bande ?",
		},
		Help: Text{
			"This customer's invoices from 90 days before to 30 days after it: billed and the expected 95 % " +
				"band of each; the invoice itself is marked. An anonymous customer has no history.",
			"Les factures de ce client de 90 jours avant à 30 jours après : facturé et bande attendue à 95 " +
				"% de chacune ; la facture elle-même est marquée. Un client anonyme n'a pas d'historique.",
		},
		Columns: []Column{Column{Name: "time", Kind: Time, Title: Text{"Issued", "Émise"}},
			money("billed", "Billed", "Facturé"), money("expected", "Expected", "Attendu"),
			low("expected_low", "none"), high("expected_high", "none"),
			money("this", "This invoice", "Cette facture")},
	},
	{
		Name: "invoice_causes", Shape: Table,
		Title: Text{"Why?", "Pourquoi ?"},
		Help: Text{
			"Causes of the newest record, most probable first: what was found, its evidence and what the customer " +
				"should have paid if it is this one.",
			"Causes du dernier enregistrement, la plus probable d'abord : le constat, ses indices et ce que le " +
				"client aurait dû payer si c'est elle. Les indices sont en français avec le plugin de recoup, en anglais sinon.",
		},
		Columns: []Column{cause, label("finding", "What was found", "Constat"),
			share("probability", "Probability", "Probabilité"),
			money("repaired_amount", "Should be", "Devrait être"), label("why", "Evidence", "Indices")},
	},
	{
		Name: "invoice_rules", Shape: Table,
		Title: Text{"What fired?", "Qu'est-ce qui s'est déclenché ?"},
		Help: Text{
			"Every rule that fired on the newest record. Causes below 10 % fire none.",
			"Chaque règle déclenchée par le dernier enregistrement. Les causes sous 10 % n'en déclenchent pas.",
		},
		Columns: []Column{label("rule", "Rule", "Règle")},
	},
	{
		Name: "invoice_lines", Shape: Table,
		Title: Text{"What was billed?", "Qu'a-t-on facturé ?"},
		Help:  Text{"Lines of the newest record.", "Lignes du dernier enregistrement."},
		Columns: []Column{count("line", "Line", "Ligne"), label("product", "Product", "Produit"),
			label("description", "Description", "Description"), number("quantity", "none", "Quantity", "Quantité"),
			label("unit", "Unit", "Unité"), money("unit_price", "Unit price", "Prix unitaire"),
			money("list_unit_price", "List price", "Prix du tarif"), share("discount_rate", "Discount", "Remise"),
			money("line_net", "Net", "Net")},
	},
	{
		Name: "invoice_case", Shape: Table,
		Title: Text{"What became of it?", "Qu'est-elle devenue ?"},
		Help: Text{
			"The case of the invoice: state, what it is worth, who owns it, when an answer is due, what was " +
				"paid.",
			"Le dossier de la facture : état, ce qu'il vaut, à qui il revient, quand la réponse est due, ce qui" +
				" fut payé.",
		},
		Columns: []Column{label("case", "Case", "Dossier"), severity, state, label("status", "Status", "Statut"),
			label("outcome", "Outcome", "Issue"), cause, team, instant("detected_at", "Detected", "Détecté"),
			instant("respond_by", "Answer by", "Répondre avant"),
			instant("acknowledged_at", "Answered", "Pris en charge"), instant("decided_at", "Decided", "Décidé"),
			money("stake", "At stake", "Enjeu"), money("amount_due", "Due", "Dû"), money("paid", "Paid", "Payé"),
			money("expected_recovery", "Expected recovery", "Récupération attendue"),
			money("net_value", "Net value", "Valeur nette"), label("settled_by", "Settled by", "Réglé par"),
			date("limitation_date", "Claimable until", "Réclamable jusqu'au"),
			label("incident", "Incident", "Incident"),
			label("summary_en", "Summary (English)", "Résumé (anglais)"),
			label("summary_fr", "Summary (French)", "Résumé (français)")},
	},
	{
		Name: "invoice_options", Shape: Table,
		Title: Text{"How can it be settled?", "Comment peut-elle être réglée ?"},
		Help: Text{
			"Every way to settle the case, best first, as last proposed: what the customer pays or is credited, in how " +
				"many payments, what a gesture costs, the share that accepts it with its 95 % interval, what it " +
				"brings. Without offers before the latter are not known.",
			"Chaque façon de régler le dossier, la meilleure d'abord, selon la dernière proposition : ce que le client " +
				"paie ou reçoit, en combien de fois, ce que coûte un geste, la part qui l'accepte avec son intervalle " +
				"à 95 %, ce qu'elle rapporte. Sans offres passées, ces dernières sont inconnues.",
		},
		Columns: []Column{count("place", "Place", "Rang"), option, money("amount", "Amount", "Montant"),
			label("currency", "Currency", "Devise"), count("payments", "Payments", "Paiements"),
			money("goodwill", "Gesture", "Geste"),
			share("acceptance", "Accepted", "Acceptée"), low("acceptance_low", "percentunit"),
			high("acceptance_high", "percentunit"), money("expected_net", "Brings", "Rapporte")},
	},
	{
		Name: "invoice_timeline", Shape: Table,
		Title: Text{"What happened?", "Que s'est-il passé ?"},
		Help: Text{
			"Every step of the case: alerts, what people did, offers and payments, in order of time.",
			"Chaque étape du dossier : alertes, actions des personnes, offres et paiements, dans l'ordre du " +
				"temps.",
		},
		Columns: []Column{instant("at", "When", "Quand"), label("what", "What", "Quoi"),
			label("detail", "Detail", "Détail"), cause, label("note", "Note", "Note"), money("amount", "Amount", "Montant")},
	},
	{
		Name: "invoice_payments", Shape: Table,
		Title: Text{"What was offered and paid?", "Qu'a-t-on proposé et payé ?"},
		Help: Text{
			"Offers, promises and payments for the case of the invoice.",
			"Offres, promesses et paiements pour le dossier de la facture.",
		},
		Columns: []Column{instant("at", "When", "Quand"), option, label("event", "Event", "Événement"),
			money("amount", "Amount", "Montant"), label("currency", "Currency", "Devise"),
			count("instalment", "Instalment", "Échéance"), count("instalments", "of", "sur"),
			date("due_date", "Due", "Échéance le"), label("channel", "Channel", "Canal")},
	},
}
