package demo

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/internal/config"
	"recoup/internal/demo/data"
	"recoup/internal/story"
	"recoup/pipeline"
	"recoup/pipeline/memlog"
)

// The people read the cases from their topic and write what they do to theirs; they
// are idle when there is nothing they have not dealt with.
func TestPeople(t *testing.T) {
	cfg := config.Default()
	topics := &cfg.Kafka.Topics
	log := memlog.New(memlog.Options{})
	for _, topic := range []string{topics.Cases, topics.CaseEvents, topics.Recoveries, topics.Disputes} {
		log.CreateTopic(topic, 2, 0)
	}
	all := []sample{{id: "F-1", currency: "GBP", customer: "c-1", isInvoice: true}}
	p := newPeople(&cfg, all, map[string]data.Label{"F-1": {Cause: "promotion", TrueGross: 120_0000, Loss: 100_0000}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.run(ctx, log) }()
	p.observe(&detectors.Verdict{InvoiceID: "F-1", Suspect: true, Billed: 20_0000,
		Loss: detectors.Loss{Point: 100_0000}})
	value, err := json.Marshal(&cases.Case{CaseID: cases.ID("k"), Seq: 1, Action: cases.ActionOpen,
		Kind: cases.KindInvoice, Origin: cases.OriginDetector, InvoiceID: "F-1", Customer: "c-1", Currency: "GBP",
		DetectedAt: time.Now(), Direction: detectors.DirectionCustomerFavour, Loss: detectors.Loss{Point: 100_0000}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(ctx, topics.Cases, 1, []pipeline.Record{{Key: []byte("k"), Value: value}}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		idle, err := p.idle(ctx)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("never idle: %v", err)
		}
		if idle {
			break
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	f := p.figures.Load()
	if f.Cases != 1 || f.Suspects != 1 || f.AtRisk.TooLow != 100_0000 {
		t.Errorf("figures %+v", f)
	}
	stored := int64(0)
	for partition := range 2 {
		_, end, err := log.Bounds(t.Context(), topics.CaseEvents, partition)
		if err != nil {
			t.Fatal(err)
		}
		stored += end
	}
	if sent := p.sent[story.CaseEvents].Load(); stored == 0 || stored != sent {
		t.Errorf("%d case events on the topic, %d sent", stored, sent)
	}
}

// A view that differs from what really happened by a cent is an error that names it.
func TestAccountRefusesWrongViews(t *testing.T) {
	f := story.Figures{Currency: "GBP", Cases: 3, Paid: 1234_5600, Net: 1000_0000, Confirmed: 2, TruePositives: 2,
		Invoices: 100, Unflagged: 97, Audited: 10, Anomalies: story.Counts{"duplicate": 3, "promotion": 12},
		Levels: story.Counts{"customer": 100}, Brier: 0.0312, Worth: story.Worth{Usual: 50_0000, BreakEven: 62.5},
		Repeats: story.Repeats{Actions: 2, Before30: 7}, ExpectedErrors: 186e9, Wrong: 145, WrongSuspects: 116, Spread: 8,
		NotAsked: 3, LeftOut: 12_0000, Weighed: story.Money{TooLow: 90_0000},
		Largest: story.Invoice{ID: "F-7", Loss: 100_0000, PError: 0.9},
		Causes:  []story.CauseFigures{{Cause: "promotion", Confirmed: 2}},
		Options: []story.OptionFigures{{Option: cases.OptionGoodwill, Offered: 4, Accepted: 1, Paid: 81_0000}}}
	answers := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sql, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, answers[string(sql)]+"\n")
	}))
	defer server.Close()
	w := &warehouse{http: strings.TrimPrefix(server.URL, "http://"), database: "recoup"}
	questions := kpis(w.database, &f)
	for _, q := range questions {
		var row []string
		for _, want := range q.want {
			if strings.Contains(want, ".") {
				want = strings.TrimSuffix(want, "0") // ClickHouse leaves out zeros at the end
			}
			row = append(row, want)
		}
		answers[q.sql] = strings.Join(row, "\t")
	}
	account, err := w.account(t.Context(), &f)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	account.print(&out)
	for _, want := range []string{"in GBP", "K3   Recovered               1,234.56  [loss_by_cohort]",
		"with a gesture        81.00, accepted 25.0 % [4.6–69.9] (1 of 4); claim: 40 %, and the chance here",
		"1,000.00, after handling",
		"K11  Customer found first", "Cause promotion         100.0 % (2 of 2)", "K1c ", "K5 ", "below break-even",
		"undetermined: 0", "K12 ", "K15 ", "duplicate 300.0, promotion 1200.0", "K17 ",
		"a loss of 62.50", "186 errors, truly 145, not calibrated; its Brier score is 0.031",
		"2 actions, not yet 30 days ago", "from 10 audited; truly 145.0 % (145 of 100)", "truly 80.0 % (116 of 145)",
		"weighed by probability: 90.00 and 0.00; largest: 100.00 of F-7, p_error 0.90",
		"12.00 of 3 members of incidents",
		"may differ between runs"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	for _, q := range questions {
		right := answers[q.sql]
		first, rest, _ := strings.Cut(right, "\t")
		answers[q.sql] = strings.TrimSuffix(first+"1\t"+rest, "\t")
		if _, err := w.account(t.Context(), &f); err == nil || !strings.Contains(err.Error(), q.name) {
			t.Errorf("%s is %s, and nobody says so: %v", q.name, answers[q.sql], err)
		}
		answers[q.sql] = right
	}
}

// Money reads as people write it.
func TestCents(t *testing.T) {
	for text, want := range map[string]string{"0": "0.00", "1234567.8": "1,234,567.80", "-1234.5": "-1,234.50",
		"-0.4": "-0.40", "0.1234": "0.1234"} {
		if cents(text) != want {
			t.Errorf("%s reads %s, want %s", text, cents(text), want)
		}
	}
}
