package sinks

// keptViews are the views whose answers the server keeps and works out anew from time
// to time, each after those it reads.
var keptViews = []string{"judged_unflagged", "case_current", "invoice_findings", "recovery_plans"}

// RefreshStatements are the SQL that bring the kept views of a database up to what
// is stored now, without waiting for their time. Run them one after the other, in
// this order; the last returns when all is done. A refresh that runs already may have
// begun too early, so it is waited for first.
func RefreshStatements(database string) (statements []string) {
	for _, view := range keptViews {
		name := database + "." + view
		statements = append(statements, "SYSTEM WAIT VIEW "+name, "SYSTEM REFRESH VIEW "+name, "SYSTEM WAIT VIEW "+name)
	}
	return statements
}
