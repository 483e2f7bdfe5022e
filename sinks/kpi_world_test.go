package sinks

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
	"recoup/sinks/sinktest"
)

// kpiWorld is a random world that the KPIs are computed of twice: by the views, and
// by the ledger beside this file.
type kpiWorld struct {
	dice      *rand.Rand
	begin     time.Time
	invoices  []*kpiInvoice
	cases     []*kpiCase // of invoices and incidents
	audits    []*kpiCase // verdicts on invoices without a case
	disputes  map[string]bool
	records   map[string][]map[string]any // by topic
	nextEvent int
	copies    *copyWorld
	delivered int // invoices
}

// kpiInvoice is an invoice and what scoring says of it.
type kpiInvoice struct {
	seller, id, customer, family, currency string
	issued                                 time.Time
	suspect, canary, credit, draft         bool
	eighths                                int // p_error
	loss                                   invoice.Amount
	cause                                  string
	incident                               string // case id
	muted                                  bool   // the row names the incident
}

// kpiCase is a case and its life.
type kpiCase struct {
	id, kind, origin, seller, currency string
	inv                                *kpiInvoice // nil: an incident
	detected                           time.Time
	loss                               invoice.Amount
	resolved                           bool
	joined                             string // incident
	events                             []kpiEvent
	plans                              []kpiPlan
}

type kpiEvent struct {
	id, status, outcome, cause, action string
	at                                 time.Time
	loss, cost                         *invoice.Amount
	satisfaction                       int
}

type kpiPlan struct {
	option            string
	asked, paid, cost invoice.Amount
	accepted          bool
	steps             []kpiStep
}

type kpiStep struct {
	event  string
	amount invoice.Amount
	at     time.Time
}

const kpiHandling = 50_0000

func newKPIWorld(seed uint64, n int) *kpiWorld {
	w := &kpiWorld{dice: rand.New(rand.NewPCG(seed, 5)), disputes: map[string]bool{},
		records: map[string][]map[string]any{}}
	now := time.Now().UTC()
	w.begin = time.Date(now.Year(), now.Month(), 1, 8, 0, 0, 0, time.UTC).AddDate(0, -3, 0)
	incidents := []string{}
	for i := range 3 {
		incidents = append(incidents, cases.ID(cases.IncidentKey("acme", "batch", fmt.Sprint("B", seed, "-", i), w.begin)))
	}
	for i := range n {
		w.addInvoice(fmt.Sprint("F", seed, "-", i), incidents)
	}
	for i, id := range incidents {
		w.addIncident(id, i)
	}
	for _, inv := range w.invoices {
		w.live(inv)
	}
	return w
}

func (w *kpiWorld) chance(p float64) bool { return w.dice.Float64() < p }

func pick[T any](w *kpiWorld, list ...T) T { return list[w.dice.IntN(len(list))] }

func (w *kpiWorld) cents(most int64) invoice.Amount {
	return invoice.Amount(1+w.dice.Int64N(most)) * 100
}

func (w *kpiWorld) addInvoice(id string, incidents []string) {
	inv := &kpiInvoice{seller: pick(w, "acme", "acme", "bolt"), id: id, customer: fmt.Sprint("c", w.dice.IntN(20)),
		family: pick(w, "fibre", "mobile"), currency: pick(w, "EUR", "EUR", "USD"),
		issued:  w.begin.Add(time.Duration(w.dice.IntN(50*24)) * time.Hour),
		suspect: w.chance(0.5), canary: w.chance(0.06), credit: w.chance(0.06), draft: w.chance(0.06),
		eighths: 1 + w.dice.IntN(7), loss: w.cents(30_000) * pick(w, invoice.Amount(1), 1, -1),
		cause: pick(w, "promotion", "duplicate", "price_list")}
	if w.chance(0.1) {
		inv.customer = "anonymous"
	}
	inv.suspect = inv.suspect && !inv.credit
	if inv.suspect && !inv.canary && !inv.draft && inv.seller == "acme" && w.chance(0.4) {
		inv.incident, inv.muted = pick(w, incidents...), w.chance(0.6)
	}
	w.invoices = append(w.invoices, inv)
}

func (i *kpiInvoice) direction() string {
	if i.loss < 0 {
		return "seller_favour"
	}
	return "customer_favour"
}

func (i *kpiInvoice) caseID() string { return cases.ID(cases.DedupKey(i.seller, i.id, 0)) }

// counts tells whether an invoice is in the rates.
func (i *kpiInvoice) counts() bool { return !i.canary && !i.credit && !i.draft }

// live gives an invoice its case and what people do with it.
func (w *kpiWorld) live(inv *kpiInvoice) {
	if !inv.counts() {
		return
	}
	c := &kpiCase{id: inv.caseID(), kind: "invoice", origin: "detector", seller: inv.seller, currency: inv.currency,
		inv: inv, detected: inv.issued.Add(2 * time.Second), loss: inv.loss, joined: inv.incident}
	switch {
	case inv.suspect && !inv.muted && w.chance(0.7):
	case !inv.suspect && w.chance(0.15): // the customer finds it
		c.origin, c.detected = "customer_dispute", inv.issued.Add(240*time.Hour)
	case !inv.suspect && w.chance(0.4):
		w.audits = append(w.audits, c)
		w.tell(c, "audit_sample", kpiEvent{status: "decided", at: inv.issued.Add(72 * time.Hour), loss: &inv.loss,
			outcome: pick(w, "not_an_error", "confirmed_error", "undetermined")})
		return
	default:
		return
	}
	if c.origin == "customer_dispute" || w.chance(0.1) {
		w.disputes[inv.id] = true
		w.send("recoup.disputes", map[string]any{"schema": "dispute.v1", "event_id": "d" + inv.id, "seller": inv.seller,
			"invoice_id": inv.id, "reason": "wrong_amount", "at": stamp(inv.issued.Add(200 * time.Hour))})
	}
	c.resolved = w.chance(0.1)
	w.open(c)
	w.cases = append(w.cases, c)
	w.work(c)
}

// open sends the records of a case.
func (w *kpiWorld) open(c *kpiCase) {
	record := map[string]any{"schema": "case.v1", "case_id": c.id, "kind": c.kind, "origin": c.origin, "seller": c.seller,
		"severity": "warning", "detected_at": stamp(c.detected), "respond_by": stamp(c.detected.Add(24 * time.Hour)),
		"owner_team": "billing", "currency": c.currency, "loss": band(c.loss), "direction": "customer_favour",
		"economics": map[string]any{"handling_cost": "50.00", "decision": "open_case"}}
	if c.loss < 0 {
		record["direction"] = "seller_favour"
	}
	if inv := c.inv; inv != nil {
		for k, v := range map[string]any{"dedup_key": cases.DedupKey(inv.seller, inv.id, 0), "invoice_id": inv.id,
			"stage": "issued", "issued_at": stamp(inv.issued), "received_at": stamp(inv.issued.Add(time.Second)),
			"customer_ref": inv.customer, "p_error": float64(inv.eighths) / 8, "billed": "500.00",
			"segment": map[string]any{"customer_type": "B2B", "product_family": inv.family},
			"causes":  []any{map[string]any{"code": inv.cause, "kind": "x", "p": 0.9}}} {
			record[k] = v
		}
		if c.origin == "customer_dispute" { // the stage has not read the invoice
			record["currency"], record["loss"], record["billed"], record["causes"] = "XXX", band(0), "0.00", []any{}
			record["issued_at"], record["direction"] = stamp(c.detected), "none"
		}
	}
	record["seq"], record["action"] = 1, "open"
	w.send("recoup.cases", record)
	last := map[string]any{}
	for k, v := range record {
		last[k] = v
	}
	last["seq"], last["action"], last["incident_id"] = 3, "update", c.joined
	if c.resolved {
		last["action"] = "resolve"
		last["resolution"] = map[string]any{"by": "credit_note", "at": stamp(c.detected.Add(time.Hour))}
	}
	w.send("recoup.cases", last)
}

// addIncident opens an incident, with the members whose row does not name it.
func (w *kpiWorld) addIncident(id string, n int) {
	c := &kpiCase{id: id, kind: "incident", origin: "detector", seller: "acme", currency: "EUR", loss: 100_0000,
		detected: w.begin.Add(time.Hour)}
	w.open(c)
	members := []any{}
	for _, inv := range w.invoices {
		if inv.incident == id && !inv.muted {
			members = append(members, map[string]any{"seller": inv.seller, "invoice_id": inv.id, "revision": 0,
				"currency": inv.currency, "loss": band(inv.loss), "issued_at": stamp(inv.issued)})
		}
	}
	for at, part := range [][]any{members[:len(members)/2], members[len(members)/2:]} {
		w.send("recoup.cases", map[string]any{"schema": "case.v1", "case_id": id, "kind": "incident", "seq": 4 + at,
			"origin": "detector", "action": "update", "seller": "acme", "detected_at": stamp(c.detected.Add(time.Minute)),
			"owner_team": "billing", "currency": "EUR", "loss": band(c.loss), "direction": "customer_favour",
			"economics":      map[string]any{"handling_cost": "50.00", "decision": "open_case"},
			"incident":       map[string]any{"dimension": "batch", "value": "B", "since": stamp(w.begin), "members": 3},
			"members_joined": part})
	}
	w.cases = append(w.cases, c)
	switch n {
	case 0: // told as one sum
		sum := w.cents(900_000)
		w.tell(c, "detector", kpiEvent{status: "decided", outcome: "confirmed_error", at: c.detected.Add(5 * time.Hour),
			loss: &sum, cause: "billing_system", action: "stopped, it was said"}) // members come for 50 days more
	case 1: // members count one by one
		w.tell(c, "detector", kpiEvent{status: "decided", outcome: pick(w, "confirmed_error", "not_an_error"),
			at: c.detected.Add(5 * time.Hour), cause: "billing_system"})
	}
}

// work is what people do with a case.
func (w *kpiWorld) work(c *kpiCase) {
	at := c.detected
	next := func() time.Time { at = at.Add(time.Duration(1+w.dice.IntN(40*3600)) * time.Second); return at }
	if w.chance(0.8) {
		w.tell(c, c.origin, kpiEvent{status: "acknowledged", at: next()})
	}
	for round := 0; round < 2 && w.chance(0.8); round++ {
		e := kpiEvent{status: "decided", at: next(), cause: pick(w, "promotion", "duplicate"),
			outcome: pick(w, "confirmed_error", "confirmed_error", "not_an_error", "expected_change", "undetermined",
				"duplicate_case")}
		if e.outcome == "confirmed_error" {
			e.loss = &c.loss
		}
		if w.chance(0.4) {
			cost := w.cents(9_000)
			e.cost = &cost
		}
		w.tell(c, c.origin, e)
		if e.outcome == "confirmed_error" && c.loss > 0 && w.chance(0.8) {
			at = w.pay(c, at)
		}
		if w.chance(0.6) {
			w.tell(c, c.origin, kpiEvent{status: "closed", at: next(), satisfaction: w.dice.IntN(6),
				action: pick(w, "", "checked twice")})
		}
		if round > 0 || w.chance(0.7) {
			return
		}
		w.tell(c, c.origin, kpiEvent{status: "reopened", at: next()})
	}
}

// pay is one or two recoveries of a case.
func (w *kpiWorld) pay(c *kpiCase, at time.Time) time.Time {
	for try := range 2 {
		p := kpiPlan{option: pick(w, "immediate_payment", "instalments", "goodwill"), asked: c.loss, accepted: w.chance(0.7)}
		if p.option == "goodwill" {
			p.cost = w.cents(500)
		}
		step := func(event string, amount invoice.Amount) {
			at = at.Add(time.Duration(1+w.dice.IntN(90_000)) * time.Second)
			p.steps = append(p.steps, kpiStep{event, amount, at})
		}
		step("offered", p.asked)
		if !p.accepted {
			step("refused", p.asked)
		} else {
			step("accepted", p.asked)
			if half := p.asked / 200 * 100; half > 0 && w.chance(0.8) {
				step("paid", half)
				p.paid = half
				if w.chance(0.8) {
					step("paid", p.asked-half)
					p.paid = p.asked
				}
			}
		}
		c.plans = append(c.plans, p)
		for i, s := range p.steps {
			record := map[string]any{"schema": "recovery.v1", "event_id": fmt.Sprint(c.id, "-", len(c.plans), "-", i),
				"recovery_id": fmt.Sprint(c.id, "-", len(c.plans)), "case_id": c.id, "option": p.option, "event": s.event,
				"amount": s.amount.String(), "currency": c.currency, "at": stamp(s.at)}
			if p.cost > 0 {
				record["goodwill_cost"] = p.cost.String()
			}
			w.send("recoup.recoveries", record)
		}
		if p.accepted || try > 0 {
			break
		}
	}
	return at
}

// tell sends a case event.
func (w *kpiWorld) tell(c *kpiCase, origin string, e kpiEvent) {
	w.nextEvent++
	e.id = fmt.Sprintf("e%05d", w.nextEvent)
	c.events = append(c.events, e)
	record := map[string]any{"schema": "case_event.v1", "event_id": e.id, "case_id": c.id, "origin": origin,
		"status": e.status, "at": stamp(e.at)}
	if c.inv != nil {
		record["invoice_id"] = c.inv.id
	}
	for name, amount := range map[string]*invoice.Amount{"confirmed_loss": e.loss, "handling_cost": e.cost} {
		if amount != nil {
			record[name], record["currency"] = amount.String(), c.currency
		}
	}
	for name, text := range map[string]string{"outcome": e.outcome, "true_cause": e.cause, "corrective_action": e.action} {
		if text != "" {
			record[name] = text
		}
	}
	if e.satisfaction > 0 {
		record["satisfaction"] = e.satisfaction
	}
	w.send("recoup.case-events", record)
}

func (w *kpiWorld) send(topic string, record map[string]any) {
	w.records[topic] = append(w.records[topic], record)
}

// deliver stores the rows of the invoices, and every record twice and shuffled: all
// that is new since it was called before.
func (w *kpiWorld) deliver(t *testing.T, s *Store) {
	t.Helper()
	b := s.NewBlock()
	for ; w.delivered < len(w.invoices); w.delivered++ {
		i, k := w.delivered, w.invoices[w.delivered]
		inv, v := sampleInvoice(i, 1)
		inv.Seller, inv.ID, inv.CustomerRef, inv.CustomerType, inv.ProductFamily = k.seller, k.id, k.customer, "B2B", k.family
		inv.Currency, inv.IssuedAt, inv.Canary = k.currency, k.issued, k.canary
		inv.Type, inv.Stage = invoice.Standard, invoice.Issued
		if k.credit {
			inv.Type = invoice.CreditNote
		}
		if k.draft {
			inv.Stage = invoice.PreIssue
		}
		v.Source.Offset, v.PError, v.Suspect = int64(i), float64(k.eighths)/8, k.suspect
		v.Direction = detectors.Direction(k.direction())
		v.Loss = detectors.Loss{Point: k.loss, Low: k.loss - 100, High: k.loss + 300}
		v.Causes, v.CaseID, v.IncidentID = []detectors.Finding{{Code: k.cause, Kind: "x"}}, "", ""
		v.Rules = []string{k.cause + ":x", k.cause + ":y", "deviation:customer_type"}
		if k.muted {
			v.IncidentID = k.incident
		}
		received := inv.IssuedAt.Add(time.Second)
		if i%9 == 0 { // late: the source has spoken just now
			received = time.Now().Add(-time.Duration(1000-i) * time.Second)
		}
		b.Append(inv, v, received.UnixMilli())
	}
	if err := s.Insert(t.Context(), testOwner, 0, b, sinktest.Owned); err != nil {
		t.Fatal(err)
	}
	if w.copies == nil {
		w.copies = newCopyWorld(t, s)
	}
	for _, topic := range []string{"recoup.cases", "recoup.case-events", "recoup.recoveries", "recoup.disputes"} {
		twice := append(append([]map[string]any{}, w.records[topic]...), w.records[topic]...)
		w.dice.Shuffle(len(twice), func(i, j int) { twice[i], twice[j] = twice[j], twice[i] })
		for i, record := range twice {
			w.copies.send(t, topic, i%3, asJSON(t, record))
		}
	}
	w.records = map[string][]map[string]any{}
	w.copies.copyAll(t)
}

func band(loss invoice.Amount) map[string]any {
	return map[string]any{"point": loss.String(), "low": (loss - 100).String(), "high": (loss + 300).String()}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
