package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/cases/message"
	"recoup/detectors"
	"recoup/docs/contract/contracttest"
	"recoup/invoice"
	"recoup/pipeline"
)

// openCase puts a case into a new Kafka and returns the settings and its id.
func openCase(t *testing.T, billed, loss string) (file, id string) {
	t.Helper()
	file = settingsFor(t, fakeKafka(t), deadAddress(t), "recoup")
	succeed(t, "topics", "create", "--partitions", "2", "--config", file)
	amount := func(text string) invoice.Amount {
		a, err := invoice.ParseAmount(text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	key := cases.DedupKey("acme", "F-17", 0)
	detected := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	c := &cases.Case{Schema: cases.Schema, CaseID: cases.ID(key), DedupKey: key, Seq: 1, Action: cases.ActionOpen,
		Kind: cases.KindInvoice, Origin: cases.OriginDetector, Severity: cases.SeverityWarning, Seller: "acme",
		InvoiceID: "F-17", Billed: amount(billed), Currency: "EUR", DetectedAt: detected,
		RespondBy: detected.Add(24 * time.Hour), EscalateAt: detected.Add(12 * time.Hour), OwnerTeam: "sales",
		Loss: detectors.Loss{Point: amount(loss)}, Direction: detectors.DirectionCustomerFavour,
		Causes:  []detectors.Finding{{Code: detectors.CausePromotion, P: 0.8, Evidence: []string{"25 % above the cap"}}},
		Summary: cases.Summary{EN: "Invoice F-17 looks too low.", FR: "La facture F-17 semble trop basse."},
		Verify:  []string{"Was the code valid on that day?"}, Limitation: "2028-03-02",
		Options: []cases.RecoveryOption{{Option: cases.OptionInstalments, Amount: 25_0000,
			Schedule: []invoice.Amount{8_3400, 8_3300, 8_3300}}},
		Draft: &message.Draft{Body: "Thank you for your order.", Objections: []message.Answer{{Objection: "A promotion?",
			Answer: "It had ended."}}}}
	value, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	kafka, cfg := client(t, file)
	if _, err := kafka.Log().Append(t.Context(), cfg.Kafka.Topics.Cases, 1,
		[]pipeline.Record{{Key: []byte(key), Value: value}, {Value: []byte(`{"schema":"else"}`)}}); err != nil {
		t.Fatal(err)
	}
	return file, c.CaseID
}

// fails runs a command line that must fail, and wants words in what it says.
func fails(t *testing.T, code int, args []string, wants ...string) {
	t.Helper()
	got := recoup(t, "", args...)
	if got.code != code {
		t.Errorf("recoup %s ended with %d, want %d: %s%s", strings.Join(args, " "), got.code, code, got.stdout, got.stderr)
	}
	contains(t, got.stderr, wants...)
}

// A team without a case system works a case from the alert to the last cent with
// nothing but these commands (B11, A22–A26, D1).
func TestCaseFromAlertToEuro(t *testing.T) {
	file, id := openCase(t, "100.00", "25.00")
	run := func(args ...string) string {
		t.Helper()
		return succeed(t, append(append([]string{"case"}, args...), "--config", file)...).stdout
	}
	on := func(args ...string) []string { return append(append([]string{"case"}, args...), "--config", file) }

	contains(t, run("ls"), "CASE", id[:13], "invoice F-17", "25.00 EUR", "promotion", "sales", "opened",
		"cases open: 1 of 1, listed: 1")
	contains(t, run("show", "F-17"), "Case "+id, "Invoice F-17 looks too low.", "25 % above the cap",
		"Was the code valid on that day?", "Next: recoup case ack "+id[:13])
	contains(t, run("show", id[:8], "--lang", "fr"), "La facture F-17 semble trop basse.", "02/03/2028",
		"paiement échelonné 25,00 EUR = 8,34 + 8,33 + 8,33")
	contains(t, run("show", id, "--draft"), "Thank you for your order.\n", "> A promotion?\nIt had ended.")
	fails(t, exitFailed, on("close", "F-17"), "nobody has decided it; first: recoup case decide")
	fails(t, exitFailed, on("recover", "F-17", "immediate_payment", "offered"), "nobody has confirmed an error")
	contains(t, run("ack", id[:8], "--role", "billing clerk"), "acknowledged", "Next: verify the facts")
	fails(t, exitUsage, on("decide", "F-17", "confirmed_error"), "without --correct", "instead of 100.00 EUR")
	fails(t, exitUsage, on("decide", "F-17", "not_an_error", "--correct", "125"), "they belong to confirmed_error")
	fails(t, exitUsage, on("decide", "F-17", "confirmed_error", "--correct", "125", "--verified", "all"),
		"want invoice_is_wrong, invoice_was_sent or due_date_passed")
	contains(t, run("decide", "F-17", "confirmed_error", "--correct", "125", "--minutes", "20",
		"--verified", "invoice_is_wrong,invoice_was_sent"), "decided, confirmed error", "25.00 EUR are owed")
	fails(t, exitFailed, on("ack", "F-17"), "the case is further than that already")

	fails(t, exitFailed, on("recover", "F-17", "formal_notice", "offered"),
		"no amicable option was refused or has failed so far", "first offer immediate_payment")
	fails(t, exitFailed, on("recover", "F-17", "immediate_payment", "accepted"), "it was never offered")
	fails(t, exitUsage, on("recover", "F-17", "goodwill", "offered"), "without --goodwill-cost")
	run("recover", "F-17", "immediate_payment", "offered", "--channel", "phone")
	run("recover", "F-17", "immediate_payment", "refused")
	run("recover", "F-17", "instalments", "offered")
	run("recover", "F-17", "instalments", "accepted")
	fails(t, exitUsage, on("recover", "F-17", "instalments", "scheduled"), "give --instalments, 2 to 12")
	contains(t, run("recover", "F-17", "instalments", "scheduled", "--instalments", "3", "--first-due", "2026-04-01"),
		"8.34 EUR", "8.33 EUR", "instalment 3 of 3, due 2026-06-01")
	fails(t, exitUsage, on("recover", "F-17", "instalments", "paid", "--instalment", "4"), "has 3")
	for _, part := range []string{"1", "2", "3"} {
		run("recover", "F-17", "instalments", "paid", "--instalment", part)
	}
	fails(t, exitFailed, on("recover", "F-17", "instalments", "paid", "--instalment", "3"),
		"more would be paid than was lost")
	contains(t, run("close", "F-17", "--satisfaction", "4"), "closed, confirmed error", "Next: nothing")
	contains(t, run("show", "F-17"), "25.00, gestures cost 0.00", "instalment 3 of 3")
	contains(t, run("ls"), "cases open: 0 of 1, listed: 0; closed ones too: --all")
	contains(t, run("reopen", "F-17"), "reopened")
	contains(t, run("ls", "--all", "--json"), `"open":true`)
}

// Everything that is written is what the contract allows, about that case, under
// its key; --json shows the same bytes.
func TestCaseEventsFollowTheContract(t *testing.T) {
	file, id := openCase(t, "100.00", "25.00")
	said := succeed(t, "case", "decide", "F-17", "confirmed_error", "--correct", "90", "--cause", "price_list",
		"--cost", "12.50", "--at", "2026-03-03T10:00:00Z", "--json", "--config", file).stdout
	if err := contracttest.Validate([]byte(said)); err != nil {
		t.Error(err)
	}
	contains(t, said, `"confirmed_loss":"-10.00"`, `"direction":"seller_favour"`, `"true_cause":"price_list"`,
		`"at":"2026-03-03T10:00:00Z"`, `"handling_cost":"12.50"`, `"dunning_hold":true`)
	kafka, cfg := client(t, file)
	found := 0
	for p := range 3 {
		topic := cfg.Kafka.Topics.CaseEvents
		err := scanPartition(t.Context(), kafka.Log(), topic, p, func(r *pipeline.Record) (bool, error) {
			if found++; string(r.Key) != id || string(r.Value)+"\n" != said {
				t.Errorf("key %s, value %s", r.Key, r.Value)
			}
			return true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found != 1 {
		t.Errorf("%d events written, want 1", found)
	}
	var shown struct {
		State  caseSummary
		Events []json.RawMessage
	}
	text := succeed(t, "case", "show", id, "--json", "--config", file).stdout
	if err := json.Unmarshal([]byte(text), &shown); err != nil ||
		shown.State.Outcome != cases.OutcomeConfirmed || len(shown.Events) != 1 {
		t.Errorf("show --json: %+v, %v", shown, err)
	}
}

// A case that is not there, a name that fits two, a topic that is missing: each says what to do.
func TestCaseNotFound(t *testing.T) {
	file, _ := openCase(t, "100.00", "25.00")
	fails(t, exitFailed, []string{"case", "show", "F-18", "--config", file}, `cannot find case "F-18"`,
		"recoup case ls --all")
	fails(t, exitUsage, []string{"case", "decide", "F-17", "maybe", "--config", file}, "outcome", "want one of")
	empty := settingsFor(t, fakeKafka(t), deadAddress(t), "recoup")
	fails(t, exitFailed, []string{"case", "ls", "--config", empty}, "fix: recoup topics create")
}

// A billing run is held and let go by one event each, about no case.
func TestHoldAndRelease(t *testing.T) {
	file := settingsFor(t, fakeKafka(t), deadAddress(t), "recoup")
	succeed(t, "topics", "create", "--partitions", "2", "--config", file)
	contains(t, succeed(t, "hold", "--batch", "B-771", "--config", file).stdout, "batch B-771 is held",
		"recoup release --batch B-771")
	mistyped := recoup(t, "", "hold", "--batch", "B-77l", "--config", file)
	contains(t, mistyped.stderr, "none of the newest invoices names batch B-77l", "check its id")
	kafka, cfg := client(t, file)
	if _, err := kafka.Log().Append(t.Context(), cfg.Kafka.Topics.Invoices, 1,
		[]pipeline.Record{{Value: []byte(`{"invoice_id":"F-1","batch_id": "B-772"}`)}}); err != nil {
		t.Fatal(err)
	}
	if got := succeed(t, "hold", "--batch", "B-772", "--config", file); got.stderr != "" {
		t.Errorf("a run that is known: %s", got.stderr)
	}
	succeed(t, "release", "--batch", "B-77l", "--config", file)
	listed := succeed(t, "hold", "--list", "--config", file).stdout
	contains(t, listed, "B-771  since ", "B-772  since ", "billing runs held: 2")
	if strings.Contains(listed, "B-77l") {
		t.Errorf("a released run is listed: %s", listed)
	}
	said := succeed(t, "release", "--batch", "B-771", "--json", "--role", "billing lead", "--config", file).stdout
	if err := contracttest.Validate([]byte(said)); err != nil {
		t.Error(err)
	}
	contains(t, said, `"hold":{"batch_id":"B-771","state":"released"}`, `"origin":"internal"`)
	contains(t, succeed(t, "hold", "--batch", "B-771", "--seller", "acme", "--config", file).stdout,
		"recoup release --batch B-771 --seller acme")
	contains(t, succeed(t, "hold", "--batch", "run 7; night", "--config", file).stdout,
		"recoup release --batch 'run 7; night'\n")
	fails(t, exitUsage, []string{"hold", "--config", file}, "--batch")
	fails(t, exitUsage, []string{"hold", "--batch", "a\tb", "--config", file}, "hold.batch_id")
}
