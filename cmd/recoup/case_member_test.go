package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/docs/contract/contracttest"
	"recoup/invoice"
	"recoup/pipeline"
)

// member is an invoice of 100.00 that should have been 125.00, as the decision log and
// its incident tell it.
func member(id, incident string, at time.Time) (*pipeline.Decision, cases.Member) {
	loss := detectors.Loss{Point: 25 * invoice.Unit, Low: 20 * invoice.Unit, High: 30 * invoice.Unit}
	v := &detectors.Verdict{Schema: detectors.VerdictSchema, Seller: "acme", InvoiceID: id, Stage: invoice.Issued,
		Suspect: true, PError: 0.9, Decision: detectors.DecisionBundle, Direction: detectors.DirectionCustomerFavour,
		Currency: "EUR", Billed: 100 * invoice.Unit, Loss: loss, IncidentID: incident, Rules: []string{},
		Causes: []detectors.Finding{{Code: detectors.CausePromotion, Kind: "over_cap", P: 0.9, Repaired: 125 * invoice.Unit,
			Evidence: []string{"25 % above the cap"}}}}
	return &pipeline.Decision{Schema: pipeline.DecisionSchema, Kind: "decision", Verdict: v, DetectedAt: at,
			Subject: &cases.Subject{CustomerRef: "c-1", IssuedAt: at, ReceivedAt: at}},
		cases.Member{Seller: "acme", InvoiceID: id, Customer: "c-1", Currency: "EUR", Loss: loss,
			Finding: "promotion:over_cap", IssuedAt: at, Decision: detectors.DecisionBundle}
}

// openIncident puts an incident of two members without cases into a new Kafka: F-20 stands
// in the decision log, F-21 is told by the incident alone.
func openIncident(t *testing.T) (file, id string) {
	t.Helper()
	file = settingsFor(t, fakeKafka(t), deadAddress(t), "recoup")
	succeed(t, "topics", "create", "--partitions", "2", "--config", file)
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	key := cases.IncidentKey("acme", "release", "7.3", at)
	id = cases.ID(key)
	decision, logged := member("F-20", "", at)
	_, told := member("F-21", "", at)
	c := &cases.Case{Schema: cases.Schema, CaseID: id, DedupKey: key, Seq: 1, Action: cases.ActionOpen,
		Kind: cases.KindIncident, Origin: cases.OriginDetector, Severity: cases.SeverityError, Seller: "acme",
		DetectedAt: at, RespondBy: at.Add(24 * time.Hour), EscalateAt: at.Add(12 * time.Hour), Currency: "EUR",
		Loss: detectors.Loss{Point: 50 * invoice.Unit}, Direction: detectors.DirectionCustomerFavour, IncidentID: id,
		Summary: cases.Summary{EN: "Release 7.3: 2 invoices.", FR: "Version 7.3 : 2 factures."}, OwnerTeam: "marketing",
		Causes:   []detectors.Finding{{Code: detectors.CausePromotion}},
		Incident: &cases.Incident{ID: id, Key: key, Seller: "acme", Members: 2}, Joined: []cases.Member{logged, told}}
	body, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	log, err := json.Marshal(decision)
	if err != nil {
		t.Fatal(err)
	}
	kafka, cfg := client(t, file)
	put := func(topic, key string, value []byte) {
		if _, err := kafka.Log().Append(t.Context(), topic, 0,
			[]pipeline.Record{{Key: []byte(key), Value: value}}); err != nil {
			t.Fatal(err)
		}
	}
	put(cfg.Kafka.Topics.Cases, key, body)
	put(cfg.Kafka.Topics.Suspects, "acme|F-20", log)
	return file, id
}

// The members of an incident have no cases, and their money comes back all the same (A9, A22).
func TestMembersAreSettledWithoutCases(t *testing.T) {
	file, id := openIncident(t)
	run := func(args ...string) string {
		t.Helper()
		return succeed(t, append(append([]string{"case"}, args...), "--config", file)...).stdout
	}
	run("ack", id)
	contains(t, run("decide", id, "confirmed_error"), "settle its members", "recoup case ls --incident "+id[:13])
	contains(t, run("ls", "--incident", id[:8]), "invoice F-20", "invoice F-21", "no case  -",
		"members left to settle: 2 of 2, listed: 2\n")

	own := cases.ID(cases.DedupKey("acme", "F-20", 0))
	contains(t, run("show", "F-20"), "Case "+own, "100.00 EUR", "25.00 EUR", "25 % above the cap",
		"incident "+id[:13]+" (decided, confirmed error)", "none was opened for it")
	contains(t, run("show", own[:8]), "invoice F-20")
	said := run("decide", "F-20", "confirmed_error", "--correct", "125", "--json")
	if err := contracttest.Validate([]byte(said)); err != nil {
		t.Error(err)
	}
	contains(t, said, `"case_id":"`+own+`"`, `"invoice_id":"F-20"`, `"confirmed_loss":"25.00"`)
	run("recover", "F-20", "immediate_payment", "offered")
	run("recover", "F-20", "immediate_payment", "paid")
	contains(t, run("close", "F-20"), "closed, confirmed error")
	contains(t, run("ls", "--incident", id), "members left to settle: 1 of 2, listed: 1; closed ones too: --all\n")
	contains(t, run("ls", "--incident", id, "--all"), "closed, confirmed error  -", "1 of 2, listed: 2\n")
	contains(t, run("ls", "--incident", id, "--lang", "fr"), "sans dossier", "membres à régler : 1 sur 2, affichés : 1 ;")
}

// What the decision log has forgotten the incident still tells, but for what was billed.
func TestMemberOfAnIncidentAlone(t *testing.T) {
	file, _ := openIncident(t)
	on := func(args ...string) []string { return append(append([]string{"case"}, args...), "--config", file) }
	contains(t, succeed(t, on("show", "F-21")...).stdout, "billed", "not known", "25.00 EUR", "promotion")
	fails(t, exitUsage, on("decide", "F-21", "confirmed_error", "--correct", "125"), "give --billed AMOUNT")
	contains(t, succeed(t, on("decide", "F-21", "confirmed_error", "--correct", "125", "--billed", "100")...).stdout,
		"25.00 EUR are owed")
	fails(t, exitUsage, on("decide", "F-20", "confirmed_error", "--correct", "125", "--billed", "90"),
		"recoup knows that 100.00 EUR were billed")
	if got := recoup(t, "", on("show", "F-22")...); !strings.Contains(got.stderr, `cannot find case "F-22"`) {
		t.Errorf("F-22: %s", got.stderr)
	}
}
