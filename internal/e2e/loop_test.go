package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"recoup/cases"
	"recoup/pipeline"
)

// plans are three sellers of one plan at 400.00, billed to forty customers a day. After
// thirty days each bills a fifth less: one by mistake, one as it had announced, and one
// because it meant to and had told nobody.
type plans struct {
	*rig
	begin time.Time
}

const (
	mistaken, announced, meant = "mistaken", "announced", "meant"
	plansPerDay, change        = 40, 30
)

// days bills from one day up to before another, each day to both partitions in turn.
func (p *plans) days(from, to int) {
	p.t.Helper()
	records := [2][]pipeline.Record{}
	for n := from * plansPerDay; n < to*plansPerDay; n++ {
		day, price, release := n/plansPerDay, "400.00", "r1"
		if day >= change {
			price, release = "320.00", "r2"
		}
		at := p.begin.Add(time.Duration(n) * 24 * time.Hour / plansPerDay)
		for _, seller := range []string{mistaken, announced, meant} {
			id := fmt.Sprintf("%s-%d-%d", seller, day, n%plansPerDay)
			body := fmt.Appendf(nil, `{"schema":"invoice.v1","event_id":%q,"seller":%q,"invoice_id":%q,"issued_at":%q,`+
				`"currency":"EUR","net_amount":%q,"customer_ref":"c%d","customer_type":"B2C","product_family":"fibre",`+
				`"source_release":%q,"batch_id":%q,"lines":[{"product_id":"plan","quantity":"1","unit_price":%q,"line_net":%q}]}`,
				id, seller, id, at.Format(time.RFC3339), price, n%200, release, seller+"-"+release, price, price)
			records[n%2] = append(records[n%2], pipeline.Record{Key: []byte(id), Value: body, Time: at})
		}
	}
	for partition, part := range records {
		for len(part) > 0 {
			some := part[:min(500, len(part))]
			if _, err := p.log.Append(p.t.Context(), p.topic("invoices"), partition, some); err != nil {
				p.t.Fatal(err)
			}
			part = part[len(some):]
		}
	}
	p.waitFor(fmt.Sprintf("the invoices up to day %d", to), 2*time.Minute, func() bool {
		return p.count("SELECT count() FROM DB.scored_invoices") == 3*plansPerDay*to
	})
}

// announce says what the plan costs from a day on, a day before.
func (p *plans) announce(price string, day int) {
	p.t.Helper()
	from := p.begin.AddDate(0, 0, day)
	record := pipeline.Record{Key: []byte(price), Value: fmt.Appendf(nil, `{"schema":"reference.price.v1","seller":%q,`+
		`"product_id":"plan","unit_price":%q,"valid_from":%q,"published_at":%q}`, announced, price,
		from.Format(time.RFC3339), from.AddDate(0, 0, -1).Format(time.RFC3339))}
	if _, err := p.log.Append(p.t.Context(), p.topic("reference"), 0, []pipeline.Record{record}); err != nil {
		p.t.Fatal(err)
	}
}

// suspects counts those of a seller from a day on.
func (p *plans) suspects(seller string, from int) int {
	p.t.Helper()
	return p.count(fmt.Sprintf("SELECT countIf(suspect) FROM DB.scored_invoices WHERE seller = '%s' AND "+
		"issued_at >= toDateTime('%s', 'UTC')", seller, p.begin.AddDate(0, 0, from).Format(time.DateTime)))
}

// newest returns the newest record of a seller's case of a kind, nil for none.
func (p *plans) newest(seller string, kind cases.Kind) (newest *cases.Case) {
	p.t.Helper()
	p.each("cases", func(rec pipeline.Record) {
		c := &cases.Case{}
		if err := json.Unmarshal(rec.Value, c); err != nil {
			p.t.Fatal(err)
		}
		same := newest == nil || c.CaseID == newest.CaseID && c.Seq > newest.Seq
		if c.Seller == seller && c.Kind == kind && same {
			newest = c
		}
	})
	return newest
}

// A9, A23: what people decide with the commands reaches what is judged next, through
// Kafka and two partitions. A release that bills too little is as suspect on its
// sixtieth day as on its first, though an error of it was confirmed; an announced change
// raises nothing; one that was meant alarms until somebody says so.
func TestDecisionsReachDetection(t *testing.T) {
	p := &plans{rig: newRig(t, 2), begin: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	p.announce("400.00", -10)
	p.announce("320.00", change)
	running := p.start()
	p.days(0, change+2)
	for seller, want := range map[string]int{mistaken: 2 * plansPerDay, announced: 0, meant: 2 * plansPerDay} {
		if n := p.suspects(seller, 0); n != want {
			t.Errorf("%d suspects of the seller whose change is %s, want %d", n, seller, want)
		}
	}
	p.command("case", "decide", p.newest(mistaken, cases.KindInvoice).CaseID, "confirmed_error", "--correct", "400.00")
	p.command("case", "decide", p.newest(meant, cases.KindInvoice).CaseID, "expected_change")
	day := change + 2
	p.waitFor("the decision to be learned", time.Minute, func() bool {
		p.days(day, day+1)
		day++
		return p.suspects(meant, day-1) == 0
	})
	p.days(day, change+60)
	if n := p.suspects(meant, day); n != 0 {
		t.Errorf("%d suspects after somebody said that the change was meant", n)
	}
	if n := p.suspects(mistaken, change+59); n != plansPerDay {
		t.Errorf("%d suspects on the sixtieth day of the mistake, want all %d", n, plansPerDay)
	}
	if n := p.suspects(announced, 0); n != 0 {
		t.Errorf("%d suspects of an announced change", n)
	}
	p.holds()
	p.stop(running)
}

// holds has the incident's billing run held, let go, and the incident closed (A10).
func (p *plans) holds() {
	p.t.Helper()
	batch := mistaken + "-r2"
	incident := func() *cases.Case { return p.newest(mistaken, cases.KindIncident) }
	held := func(n int) func() bool { return func() bool { return len(incident().Incident.Held) == n } }
	if c := incident(); c == nil || len(c.Incident.Batches) != 1 || c.Incident.Batches[0].Value != batch {
		p.t.Fatalf("the mistake is not one incident of one billing run: %+v", c)
	}
	p.command("hold", "--batch", batch)
	p.waitFor("the incident to name the run that is held", time.Minute, held(1))
	p.command("release", "--batch", batch)
	p.waitFor("the incident to name it no more", time.Minute, held(0))
	id := incident().CaseID
	p.command("case", "decide", id, "confirmed_error")
	p.command("case", "close", id)
	p.waitFor("the incident to be resolved", time.Minute, func() bool {
		return incident().Action == cases.ActionResolve
	})
}
