package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"recoup/detectors"
	"recoup/internal/demo/data"
	"recoup/internal/kafkaserver"
	"recoup/invoice"
	"recoup/pipeline"
)

// G5: `recoup score FILE --reference FILE` and `recoup run` over the same records
// and references, through Kafka and the invoices in one partition, say the same of
// every invoice, by the same trained model; only the source differs, and what joins an
// incident that arrives meanwhile. A reference that cannot be read is parked (G6).
func TestScoreEqualsRun(t *testing.T) {
	r := newRig(t, 1)
	var file bytes.Buffer
	var records []pipeline.Record
	for line, err := range data.Invoices() {
		if err != nil {
			t.Fatal(err)
		}
		file.Write(line)
		file.WriteByte('\n')
		records = append(records, pipeline.Record{Value: bytes.Clone(line), Time: issuedAt(t, line)})
	}
	for at := 0; at < len(records); at += 500 {
		part := records[at:min(at+500, len(records))]
		if _, err := r.log.Append(t.Context(), r.topic("invoices"), 0, part); err != nil {
			t.Fatal(err)
		}
	}
	references := r.sendReferences()
	path := filepath.Join(t.TempDir(), "invoices.jsonl")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	models := r.sendModels("--reference", references, path)
	if err := r.start("--until-caught-up").cmd.Wait(); err != nil {
		t.Fatalf("recoup run: %v", err)
	}
	out, err := exec.Command(r.binary, "--config", r.config, "score", "--model", models,
		"--reference", references, path).Output()
	if err != nil {
		t.Fatalf("recoup score: %v", err)
	}
	stored := r.verdicts()
	compared, trained, joined := 0, 0, 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); compared++ {
		var v detectors.Verdict
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		row, there := stored[v.Source.Offset]
		if !there {
			t.Fatalf("record %d has a verdict by score and no row", v.Source.Offset)
		}
		v.Source, row.Source = invoice.Position{}, invoice.Position{}
		if v.Model.Version != detectors.ModelVersion {
			trained++
		}
		if row.IncidentID != v.IncidentID { // an incident that the case stage opened meanwhile took it in
			v.IncidentID, v.Decision, v.CaseID = row.IncidentID, row.Decision, row.CaseID
			joined++
		}
		if want, got := encode(t, v), encode(t, row); got != want {
			t.Fatalf("invoice %s:\nscore %s\nrun   %s", v.InvoiceID, want, got)
		}
	}
	if compared != len(stored) || compared < 4000 || trained < 3000 {
		t.Errorf("%d verdicts by score, %d of them by a trained model, %d rows by run", compared, trained, len(stored))
	}
	if joined > 100 {
		t.Errorf("%d suspects joined an incident of the case stage, want few", joined)
	}
	if n := r.count("SELECT count() FROM DB.dead_letters WHERE stage = 'reference'"); n != 1 {
		t.Errorf("%d references are parked, want 1", n)
	}
}

// sendModels trains on what score is given, publishes the models and returns a file
// of them.
func (r *rig) sendModels(score ...string) (path string) {
	r.t.Helper()
	path = filepath.Join(r.t.TempDir(), "models.jsonl")
	r.command(append([]string{"score", "--save-model", path}, score...)...)
	content, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range bytes.Lines(content) {
		var m struct{ Seller, Version string }
		if err := json.Unmarshal(line, &m); err != nil {
			r.t.Fatal(err)
		}
		record := pipeline.Record{Key: []byte(m.Seller + "|" + m.Version), Value: bytes.TrimSpace(line)}
		if _, err := r.log.Append(r.t.Context(), r.topic("models"), 0, []pipeline.Record{record}); err != nil {
			r.t.Fatal(err)
		}
	}
	return path
}

// sendReferences fills the topics of references and returns a file that holds the
// same; only the topic has one more that cannot be read.
func (r *rig) sendReferences() (path string) {
	r.t.Helper()
	var file bytes.Buffer
	bad := pipeline.Record{Key: []byte("bad"), Value: []byte(`{"schema":"reference.customer.v1"}`)}
	batches := map[string][]pipeline.Record{"reference": {bad}}
	for line, err := range data.References() {
		if err != nil {
			r.t.Fatal(err)
		}
		file.Write(line)
		file.WriteByte('\n')
		topic := "reference"
		if bytes.Contains(line, []byte(`"reference.delivery.v1"`)) {
			topic = "deliveries"
		}
		key := strconv.Itoa(len(batches[topic])) // a compacted topic takes no record without one
		batches[topic] = append(batches[topic], pipeline.Record{Key: []byte(key), Value: bytes.Clone(line)})
	}
	const partitions = 3 // as `recoup topics create` makes them
	for topic, records := range batches {
		for p := range partitions {
			from, to := len(records)*p/partitions, len(records)*(p+1)/partitions
			if _, err := r.log.Append(r.t.Context(), r.topic(topic), p, records[from:to]); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	path = filepath.Join(r.t.TempDir(), "references.jsonl")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}

func issuedAt(t *testing.T, line []byte) time.Time {
	t.Helper()
	var fields struct {
		IssuedAt time.Time `json:"issued_at"`
	}
	if err := json.Unmarshal(line, &fields); err != nil {
		t.Fatal(err)
	}
	return fields.IssuedAt
}

func encode(t *testing.T, v detectors.Verdict) string {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// verdicts reads every row back as the verdict it was made from, by offset.
func (r *rig) verdicts() map[int64]detectors.Verdict {
	r.t.Helper()
	rows, err := r.db.Query(`SELECT seller, invoice_id, revision, stage, suspect, p_error, decision, direction, rules,
		amount_basis, currency, billed, expected, expected_low, expected_high, level, n, cv, deviation_pct, loss_point,
		loss_low, loss_high, causes.code, causes.kind, causes.p, causes.evidence, causes.repaired_amount, taught,
		late_by_ms, incident_id, case_id, model_version, config_hash, reference_as_of, source_offset
		FROM ` + r.prefix + `.scored_invoices`)
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	all := map[int64]detectors.Verdict{}
	for rows.Next() {
		var v detectors.Verdict
		var stage string
		var money [7]decimal.Decimal
		var codes, kinds []string
		var ps []float64
		var evidence [][]string
		var repaired []decimal.Decimal
		var late int64
		var asOf *time.Time
		err := rows.Scan(&v.Seller, &v.InvoiceID, &v.Revision, &stage, &v.Suspect, &v.PError, (*string)(&v.Decision),
			(*string)(&v.Direction), &v.Rules, (*string)(&v.AmountBasis), &v.Currency, &money[0], &money[1], &money[2],
			&money[3], (*string)(&v.Level), &v.N, &v.CV, &v.DeviationPct, &money[4], &money[5], &money[6], &codes, &kinds,
			&ps, &evidence, &repaired, &v.Taught, &late, &v.IncidentID, &v.CaseID, &v.Model.Version, &v.Model.ConfigHash,
			&asOf, &v.Source.Offset)
		if err != nil {
			r.t.Fatal(err)
		}
		v.Schema = "verdict.v1"
		if asOf != nil {
			v.Model.ReferenceAsOf = asOf.UTC().Format(time.RFC3339Nano)
		}
		v.LateBy = detectors.Delay(time.Duration(late) * time.Millisecond)
		if err := v.Stage.UnmarshalText([]byte(stage)); err != nil {
			r.t.Fatal(err)
		}
		for i, to := range []*invoice.Amount{&v.Billed, &v.Expected, &v.ExpectedLow, &v.ExpectedHigh, &v.Loss.Point,
			&v.Loss.Low, &v.Loss.High} {
			*to = amount(money[i])
		}
		v.Causes = []detectors.Finding{}
		for i := range codes {
			v.Causes = append(v.Causes, detectors.Finding{Code: codes[i], Kind: kinds[i], P: ps[i],
				Evidence: evidence[i], Repaired: amount(repaired[i])})
		}
		all[v.Source.Offset] = v
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	return all
}

// amount is exact: both have four decimals.
func amount(d decimal.Decimal) invoice.Amount { return invoice.Amount(d.Shift(4).IntPart()) }

// Records of an aborted transaction, by Kafka's own producer, are neither scored
// nor parked.
func TestAbortedTransaction(t *testing.T) {
	r := newRig(t, 1)
	invoices := func(prefix string) (values [][]byte) {
		for _, n := range []string{"1", "2", "3"} {
			values = append(values, []byte(strings.ReplaceAll(`{"schema":"invoice.v1","event_id":"e-ID","seller":"acme",`+
				`"invoice_id":"ID","issued_at":"2026-03-01T08:00:00Z","currency":"EUR","net_amount":"10.00"}`, "ID", prefix+n)))
		}
		return values
	}
	err := kafkaserver.ProduceTransactions(t.Context(), r.broker, r.topic("invoices"), 0,
		kafkaserver.Transaction{Values: invoices("aborted-"), End: kafkaserver.Abort},
		kafkaserver.Transaction{Values: invoices("committed-"), End: kafkaserver.Commit},
		kafkaserver.Transaction{Values: invoices("aborted-again-"), End: kafkaserver.Abort})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.start("--until-caught-up").cmd.Wait(); err != nil {
		t.Fatalf("recoup run: %v", err)
	}
	if n := r.count("SELECT count() FROM DB.scored_invoices WHERE startsWith(invoice_id, 'committed-')"); n != 3 {
		t.Errorf("%d rows of committed invoices, want 3", n)
	}
	if n := r.count("SELECT count() FROM DB.scored_invoices"); n != 3 {
		t.Errorf("%d rows, want 3: aborted invoices were scored", n)
	}
	r.each("dead-letter", func(rec pipeline.Record) { t.Errorf("dead letter: %s", rec.Value) })
	if !r.drained() {
		t.Error("the control records at the end of the log are not committed")
	}
}
