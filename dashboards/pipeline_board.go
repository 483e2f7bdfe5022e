package dashboards

import "recoup/dashboards/question"

var pipelineBoard = Board{
	UID: "recoup-pipeline", Title: Text{EN: "Pipeline", FR: "Chaîne de traitement"},
	Filters: []question.Filter{question.FilterSeller, question.FilterCustomerType, question.FilterProductFamily},
	Help: Text{EN: "Does recoup see everything, in time, with sharp expectations? Blind is not healthy.",
		FR: "recoup voit-il tout, à temps, avec des attentes précises ? Aveugle n'est pas sain."},
	From: "now-7d", Refresh: "30s",
	Rows: []Row{aliveRow, flowRow, waitRow, detectionRow, refusedRow, learningRow, bridgeRow},
}

var aliveRow = Row{Text{EN: "Is it alive?", FR: "Fonctionne-t-il ?"}, 4, []Panel{
	{View: Stat, Width: 4, Unit: "short", Steps: above(1, 1), Empty: silent,
		Query: []Query{{"sum(recoup_partitions_assigned)", Text{EN: "partitions", FR: "partitions"}}},
		Title: Text{EN: "Partitions owned", FR: "Partitions détenues"},
		Help: Text{EN: "Partitions that any process scores. 0: nobody does; see the runbook RecoupNobodyScores.",
			FR: "Partitions évaluées par un processus. 0 : aucune ; voir la procédure RecoupNobodyScores."}},
	{View: Stat, Width: 4, Unit: "short", Steps: below(1000, 100000), Empty: silent,
		Query: []Query{{"sum(recoup_partition_lag_records)", Text{EN: "records", FR: "enregistrements"}}},
		Title: Text{EN: "Lag", FR: "Retard"},
		Help:  Text{EN: "Invoices that were not scored yet.", FR: "Factures non encore évaluées."}},
	{View: Stat, Width: 4, Unit: "s", Steps: below(60, 300), Empty: silent,
		Query: []Query{{"sum(recoup_partition_lag_records) / " +
			"clamp_min(sum(rate(recoup_invoices_scored_total[$__rate_interval])), 1)",
			Text{EN: "to catch up", FR: "à rattraper"}}},
		Title: Text{EN: "Time to catch up", FR: "Temps de rattrapage"},
		Help: Text{EN: "Lag / invoices scored per second: how long what waits takes. An alert fires at 5 minutes and rising.",
			FR: "Retard / factures évaluées par seconde : durée de ce qui attend. Alerte à 5 minutes en hausse."}},
	{View: Stat, Width: 4, Unit: "s", Steps: below(30, 300), Empty: silent,
		Query: []Query{{"max(" + unstoredAge + ") or 0 * max(recoup_partitions_assigned)",
			Text{EN: "oldest", FR: "plus ancienne"}}},
		Title: Text{EN: "Oldest unflushed age", FR: "Plus ancienne ligne non écrite"}, Help: unstoredHelp},
	{View: Stat, Width: 4, Unit: "short", Steps: above(1, 1), Empty: silent,
		Query: []Query{{"min(recoup_part_ready)", Text{EN: "ready", FR: "prêt"}}},
		Title: Text{EN: "All parts ready", FR: "Tout est prêt"},
		Help: Text{EN: "1 when Kafka, ClickHouse and all that recoup needs answers; /readyz says what does not.",
			FR: "1 quand Kafka, ClickHouse et le reste répondent ; /readyz dit ce qui ne répond pas."}},
	{View: Stat, Width: 4, Unit: "short", Steps: []Step{{0, "red"}, {1, "green"}, {2, "red"}}, Empty: silent,
		Query: []Query{{"sum(recoup_stage_owner)", Text{EN: "owners", FR: "détenteurs"}}},
		Title: Text{EN: "Case stage", FR: "Étape des dossiers"},
		Help: Text{EN: "Processes that run the case stage: one does. 0: incidents and closings stand still.",
			FR: "Processus qui exécutent l'étape des dossiers : un seul. 0 : incidents et clôtures sont figés."}},
}}

// unstoredAge is per partition; a partition without waiting rows has none.
const unstoredAge = "time() - (recoup_rows_unstored_since_timestamp_seconds > 0)"

var unstoredHelp = Text{
	EN: "How long the oldest scored invoices have been waiting for ClickHouse. It grows while inserts fail; " +
		"alerts do not wait for it until the row buffer is full.",
	FR: "Depuis quand les plus anciennes factures évaluées attendent ClickHouse. Croît quand les insertions " +
		"échouent ; les alertes n'attendent pas tant que la mémoire tampon n'est pas pleine."}

var silent = Text{EN: "No process answers Prometheus", FR: "Aucun processus ne répond à Prometheus"}

var flowRow = Row{Text{EN: "Rates and latency", FR: "Débits et latence"}, 8, []Panel{
	{View: Lines, Width: 8, Unit: "cps", Empty: silent, Query: []Query{
		{"sum(rate(recoup_invoices_scored_total[$__rate_interval]))", Text{EN: "scored", FR: "évaluées"}},
		{"sum(rate(recoup_rows_stored_total[$__rate_interval]))", Text{EN: "stored", FR: "écrites"}},
		{"sum(rate(recoup_invoices_suspect_total[$__rate_interval]))", Text{EN: "suspect", FR: "suspectes"}},
		{"sum(rate(recoup_cases_opened_total[$__rate_interval]))", Text{EN: "cases", FR: "dossiers"}}},
		Title: Text{EN: "Invoices per second", FR: "Factures par seconde"},
		Help: Text{EN: "Scored, stored, suspect, and cases opened, each per second.",
			FR: "Évaluées, écrites, suspectes, et dossiers ouverts, par seconde."}},
	{View: Lines, Width: 8, Unit: "s", Empty: Text{EN: "No case was opened", FR: "Aucun dossier ouvert"}, Query: []Query{
		{quantile("0.5", "recoup_event_to_case_seconds"), Text{EN: "median", FR: "médiane"}},
		{quantile("0.99", "recoup_event_to_case_seconds"), Text{EN: "p99", FR: "p99"}}},
		Title: Text{EN: "From invoice to case", FR: "De la facture au dossier"},
		Help: Text{EN: "Seconds from the Kafka time of a suspect invoice to its acknowledged case (ours).",
			FR: "Secondes de l'heure Kafka d'une facture suspecte à son dossier accepté (notre part)."}},
	{View: Lines, Width: 8, Unit: "s", Empty: silent, Query: []Query{
		{quantile("0.5", "recoup_insert_duration_seconds"), Text{EN: "median", FR: "médiane"}},
		{quantile("0.99", "recoup_insert_duration_seconds"), Text{EN: "p99", FR: "p99"}}},
		Title: Text{EN: "Time of an insert", FR: "Durée d'une insertion"},
		Help: Text{EN: "Seconds to store one block in ClickHouse, retries included.",
			FR: "Secondes pour écrire un bloc dans ClickHouse, reprises comprises."}},
}}

// quantile is PromQL for a quantile of a histogram.
func quantile(q, histogram string) string {
	return "histogram_quantile(" + q + ", sum by (le) (rate(" + histogram + "_bucket[$__rate_interval])))"
}

var waitRow = Row{Text{EN: "What waits", FR: "Ce qui attend"}, 8, []Panel{
	{View: Lines, Width: 6, Unit: "short", Empty: silent,
		Query: []Query{{"sum by (partition) (recoup_partition_lag_records)", Text{EN: "{{partition}}", FR: "{{partition}}"}}},
		Title: Text{EN: "Lag per partition", FR: "Retard par partition"},
		Help: Text{EN: "Invoices not scored yet, per partition: one that stands out has a hot key or a stuck owner.",
			FR: "Factures non évaluées, par partition : une qui dépasse a une clé chaude ou un détenteur bloqué."}},
	{View: Lines, Width: 6, Unit: "s", Empty: Text{EN: "No row waits", FR: "Aucune ligne n'attend"},
		Query: []Query{{"max by (partition) (" + unstoredAge + ")", Text{EN: "{{partition}}", FR: "{{partition}}"}}},
		Title: Text{EN: "Unflushed age per partition", FR: "Âge non écrit par partition"}, Help: unstoredHelp},
	{View: Lines, Width: 6, Unit: "bytes", Empty: silent,
		Query: []Query{{"sum by (instance) (recoup_row_buffer_bytes)", Text{EN: "{{instance}}", FR: "{{instance}}"}}},
		Title: Text{EN: "Row buffer", FR: "Mémoire tampon"},
		Help: Text{EN: "Rows not stored yet. When it is full, fetching and alerts wait for ClickHouse.",
			FR: "Lignes non écrites. Pleine, lecture et alertes attendent ClickHouse."}},
	{View: Lines, Width: 6, Unit: "short", Empty: silent, Query: []Query{
		{"sum by (topic) (recoup_stage_lag_records)", Text{EN: "{{topic}}", FR: "{{topic}}"}},
		{"max by (topic) (recoup_reference_lag_records)", Text{EN: "{{topic}} (reference)", FR: "{{topic}} (référence)"}}},
		Title: Text{EN: "Lag of cases and references", FR: "Retard des dossiers et références"},
		Help: Text{EN: "Records that the case stage has not read, and references that scoring goes without.",
			FR: "Enregistrements non lus par l'étape des dossiers, et références dont l'évaluation se passe."}},
	{Live: "lag", View: Grid, Width: 24,
		Empty: Text{EN: "Kafka knows no such group", FR: "Kafka ne connaît pas ce groupe"},
		Title: Text{EN: "Lag as Kafka tells it", FR: "Retard selon Kafka"},
		Help: Text{EN: "Committed offset and end of each partition, asked of Kafka itself: right also when recoup is down.",
			FR: "Position validée et fin de chaque partition, demandées à Kafka : juste même si recoup est arrêté."}},
}}

var detectionRow = Row{Text{EN: "Does it see?", FR: "Voit-il ?"}, 8, []Panel{
	{Ask: "baseline_levels", View: Bars, Width: 8, Share: true},
	{Ask: "canaries", View: Lines, Width: 8, Show: []string{"found_share"},
		Empty: Text{EN: "No canary was sent: recoup canary", FR: "Aucun canari envoyé : recoup canary"}},
	{Ask: "source_silence", View: Grid, Width: 8,
		Empty: Text{EN: "No source spoke in 7 days", FR: "Aucune source en 7 jours"}},
	{Ask: "detection_time", View: Lines, Width: 12,
		Show: []string{"seconds_after_receipt_p50", "seconds_after_receipt_p95", "seconds_after_receipt_p99"}},
	{Ask: "kept_answers", View: Grid, Width: 12},
}}

var refusedRow = Row{Text{EN: "What was not read", FR: "Ce qui n'a pas été lu"}, 8, []Panel{
	{View: Lines, Width: 6, Unit: "short", Empty: Text{EN: "No reader stood still", FR: "Aucun lecteur bloqué"},
		Query: []Query{{"sum by (topic) (increase(recoup_reader_rebuilds_total[$__rate_interval]))",
			Text{EN: "{{topic}}", FR: "{{topic}}"}}},
		Title: Text{EN: "Readers opened anew", FR: "Lecteurs rouverts"},
		Help: Text{EN: "Readers of a partition that came no further for 30 s and got new connections. A few after an " +
			"outage are no fault; see the runbook RecoupReadersReopened.",
			FR: "Lecteurs d'une partition sans progrès pendant 30 s et reconnectés. Quelques-uns après une panne sont " +
				"normaux ; voir la procédure RecoupReadersReopened."}},
	{View: Lines, Width: 6, Unit: "cps",
		Empty: Text{EN: "No dead letter", FR: "Aucun rebut"},
		Query: []Query{{"sum by (reason) (rate(recoup_dead_letters_total[$__rate_interval]))",
			Text{EN: "{{reason}}", FR: "{{reason}}"}}},
		Title: Text{EN: "Dead letters per second", FR: "Rebuts par seconde"},
		Help: Text{EN: "Records that could not be read, by reason. An alert fires above one in a hundred; " +
			"recoup dead-letters ls shows them.",
			FR: "Enregistrements illisibles, par motif. Alerte au-delà d'un sur cent ; " +
				"recoup dead-letters ls les montre."}},
	{Ask: "dead_letters", View: Grid, Width: 12,
		Empty: Text{EN: "No dead letter in 14 days", FR: "Aucun rebut en 14 jours"}},
}}

var learningRow = Row{Text{EN: "What it learns", FR: "Ce qu'il apprend"}, 7, []Panel{
	{View: Lines, Width: 8, Unit: "short",
		Empty: Text{EN: "No outcome taught yet", FR: "Aucune issue n'a instruit encore"},
		Query: []Query{{"sum by (outcome) (increase(recoup_outcomes_learned_total[$__rate_interval]))",
			Text{EN: "{{outcome}}", FR: "{{outcome}}"}}},
		Title: Text{EN: "Outcomes learned", FR: "Issues apprises"},
		Help: Text{EN: "Outcomes of cases that changed what recoup expects.",
			FR: "Issues de dossiers qui ont changé les attentes de recoup."}},
	{View: Lines, Width: 8, Unit: "s",
		Empty: Text{EN: "No model was trained: the prior judges", FR: "Aucun modèle entraîné"},
		Query: []Query{{"time() - max by (seller) (recoup_model_trained_timestamp_seconds)",
			Text{EN: "{{seller}}", FR: "{{seller}}"}}},
		Title: Text{EN: "Age of the model", FR: "Âge du modèle"},
		Help: Text{EN: "Seconds since the model that judges was published, per seller.",
			FR: "Secondes depuis la publication du modèle qui juge, par vendeur."}},
	{View: Lines, Width: 8, Unit: "short", Empty: silent,
		Query: []Query{{"sum by (footing) (recoup_segments)", Text{EN: "{{footing}}", FR: "{{footing}}"}}},
		Title: Text{EN: "Segments", FR: "Segments"},
		Help: Text{EN: "Segments by whether the 15 % rule means something there: enough, too_few invoices, too_spread.",
			FR: "Segments selon que la règle des 15 % y a un sens : enough, too_few, too_spread (trop dispersé)."}},
}}

var bridgeRow = Row{Text{EN: "Who is told (recoup bridge)", FR: "Qui est prévenu (recoup bridge)"}, 7, []Panel{
	{View: Stat, Width: 6, Unit: "s", Steps: below(1, 120), Empty: noBridge,
		Query: []Query{{"max by (receiver) (recoup_bridge_failing_seconds)", Text{EN: "{{receiver}}", FR: "{{receiver}}"}}},
		Title: Text{EN: "Telling fails for", FR: "Échoue depuis"},
		Help: Text{EN: "Seconds for which a receiver has not been told, or the cases for it not read. 0: it works. " +
			"See the runbook RecoupBridgeFails.",
			FR: "Secondes depuis lesquelles un destinataire n'est pas prévenu, ou ses dossiers pas lus. 0 : tout va bien. " +
				"Voir la procédure RecoupBridgeFails."}},
	{View: Lines, Width: 6, Unit: "s", Empty: noBridge,
		Query: []Query{{"time() - max by (receiver) (recoup_bridge_last_success_timestamp_seconds)",
			Text{EN: "{{receiver}}", FR: "{{receiver}}"}}},
		Title: Text{EN: "Since the last success", FR: "Depuis le dernier succès"},
		Help: Text{EN: "Seconds since a receiver had all that it is to be told.",
			FR: "Secondes depuis qu'un destinataire sut tout ce qu'il doit savoir."}},
	{View: Lines, Width: 6, Unit: "cps", Empty: noBridge,
		Query: []Query{{"sum by (receiver, result) (rate(recoup_bridge_deliveries_total[$__rate_interval]))",
			Text{EN: "{{receiver}}, {{result}}", FR: "{{receiver}}, {{result}}"}}},
		Title: Text{EN: "Alerts told per second", FR: "Alertes transmises par seconde"},
		Help: Text{EN: "By receiver and result: delivered, failed (tried again), refused (lost: it is not taken).",
			FR: "Par destinataire et résultat : delivered (remise), failed (réessayée), refused (perdue : non acceptée)."}},
	{View: Lines, Width: 6, Unit: "short", Empty: noBridge,
		Query: []Query{{"sum by (receiver) (recoup_bridge_open_alerts)", Text{EN: "{{receiver}}", FR: "{{receiver}}"}}},
		Title: Text{EN: "Open alerts", FR: "Alertes ouvertes"},
		Help: Text{EN: "Open cases that a receiver is to know of.",
			FR: "Dossiers ouverts qu'un destinataire doit connaître."}},
}}

var noBridge = Text{EN: "No bridge answers Prometheus: recoup bridge", FR: "Aucun pont ne répond : recoup bridge"}
