package desk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/docs/contract/contracttest"
	"recoup/invoice"
)

var t0 = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func minutes(n float64) time.Time { return t0.Add(time.Duration(n * float64(time.Minute))) }

// world is the topics a desk reads, with what desks have published among the cases.
type world struct {
	t      *testing.T
	topics map[string][]func(*Desk, At) // inputs by topic, in the order of their log
	cases  [][]byte
	now    time.Time
	found  bool // the first owner finds all inputs there
}

func newWorld(t *testing.T) *world {
	return &world{t: t, topics: map[string][]func(*Desk, At){}, now: minutes(60)}
}

// inputs are the topics that a desk reads behind the cases.
var inputs = []string{"suspects", "events", "recoveries", "disputes"}

func (w *world) send(topic string, f func(*Desk, At)) { w.topics[topic] = append(w.topics[topic], f) }

func (w *world) event(e cases.Event) {
	w.send("events", func(d *Desk, at At) { d.Event(at, &e) })
}

func (w *world) dispute(p cases.Dispute) {
	w.send("disputes", func(d *Desk, at At) { d.Dispute(at, &p) })
}

// suspect is a decision on an invoice, issued n minutes after t0, with or without a case.
func suspect(id string, n float64, opens bool) (*Suspect, *cases.Case) {
	inv := &invoice.Invoice{Seller: "acme", ID: id, Number: "F-" + id, IssuedAt: minutes(n), Currency: "EUR",
		CustomerRef: "c1", CustomerType: "B2C", ProductFamily: "fibre"}
	v := &detectors.Verdict{Schema: detectors.VerdictSchema, Seller: "acme", InvoiceID: id, Suspect: true, PError: 0.9,
		Decision: detectors.DecisionLogOnly, Direction: detectors.DirectionCustomerFavour, Rules: []string{},
		AmountBasis: detectors.BasisNet, Currency: "EUR", Billed: 280 * invoice.Unit, Expected: 400 * invoice.Unit,
		ExpectedLow: 390 * invoice.Unit, ExpectedHigh: 410 * invoice.Unit, Level: detectors.LevelCustomer, N: 40, CV: 0.02,
		Loss:   detectors.Loss{Point: 120 * invoice.Unit, Low: 110 * invoice.Unit, High: 130 * invoice.Unit},
		Causes: []detectors.Finding{}, Model: detectors.Model{Version: "prior-1", ConfigHash: noHash},
		Source: invoice.Position{Topic: "billing.invoices", Offset: int64(n)}}
	s := &Suspect{Verdict: v, Subject: cases.SubjectOf(inv, minutes(n)), DetectedAt: minutes(n)}
	if !opens {
		return s, nil
	}
	key := cases.DedupKey("acme", id, 0)
	v.Decision, v.CaseID = detectors.DecisionOpenCase, cases.ID(key)
	c := cases.Opener{}.Open(inv, v, minutes(n), minutes(n))
	body, err := c.Encode()
	if err != nil {
		panic(err)
	}
	s.Case = body
	return s, c
}

// opens is an invoice that a worker opened a case of: its decision, then the case.
func (w *world) opens(id string, n float64) *cases.Case {
	s, c := suspect(id, n, true)
	w.decide(s)
	w.cases = append(w.cases, s.Case)
	return c
}

func (w *world) decide(s *Suspect) {
	w.send("suspects", func(d *Desk, at At) { d.Decision(at, s) })
}

// again has a later owner look at everything.
func (w *world) again() {
	w.t.Helper()
	w.found = true
	w.run(rand.New(rand.NewPCG(9, 9)), 1)
}

// run has a desk read everything, in an order that rng draws, dying at some point if
// it says so; a topic is read in its own order. The last of the desks lives.
func (w *world) run(rng *rand.Rand, lives int) {
	w.t.Helper()
	for life := range lives {
		d := New(DefaultSettings())
		d.now = w.now
		read := map[string]int{}
		restored := len(w.cases)
		for i := range restored {
			w.restore(d, i)
		}
		if err := d.Restored(); err != nil {
			w.t.Fatal(err)
		}
		read["cases"] = restored
		steps := 1 << 20
		if life < lives-1 {
			steps = rng.IntN(40)
		}
		for _, topic := range inputs { // the first owner finds some inputs, all that follow find the rest
			for n := len(w.topics[topic]); read[topic] < n && (life > 0 || w.found || rng.IntN(3) > 0); {
				w.feed(d, topic, read)
			}
		}
		w.live(d, rng, read, steps)
	}
}

func (w *world) restore(d *Desk, i int) {
	w.t.Helper()
	at := At{Position: invoice.Position{Topic: "cases", Offset: int64(i)}, Time: recorded}
	if err := d.Restore(at, w.cases[i]); err != nil {
		w.t.Fatal(err)
	}
}

// recorded is the time of all records.
var recorded = minutes(50)

// feed has a desk read the next record of a topic.
func (w *world) feed(d *Desk, topic string, read map[string]int) {
	i := read[topic]
	read[topic]++
	at := At{Position: invoice.Position{Topic: topic, Offset: int64(i)}, Time: recorded}
	if topic == "cases" {
		w.restore(d, i)
	} else {
		w.topics[topic][i](d, at)
	}
}

// live has a desk read step by step and publish what it has.
func (w *world) live(d *Desk, rng *rand.Rand, read map[string]int, steps int) {
	w.t.Helper()
	for ; steps > 0; steps-- {
		var left []string
		for _, topic := range inputs {
			if read[topic] < len(w.topics[topic]) {
				left = append(left, topic)
			}
		}
		if read["cases"] < len(w.cases) {
			left = append(left, "cases")
		}
		wanted := d.Wanted()
		if len(left) == 0 && len(wanted) > 0 {
			w.search(d, wanted)
		}
		if len(left) > 0 {
			w.feed(d, left[rng.IntN(len(left))], read)
		}
		if len(left) > 0 && rng.IntN(3) > 0 {
			continue
		}
		d.Tick(w.now)
		if n := w.publish(d, rng, steps); n == 0 && len(left) == 0 && len(wanted) == 0 {
			return
		}
	}
}

// search answers for the decision log: what is wanted of it is read again.
func (w *world) search(d *Desk, wanted []string) {
	places, lost := d.Places(wanted)
	if len(lost) > 0 {
		w.t.Errorf("lost %q", lost)
	}
	for _, at := range places {
		w.topics["suspects"][at.Offset](d, At{Position: at, Time: recorded})
	}
	d.Answered(wanted)
}

// publish appends what a desk has to say; at its last step only some of it.
func (w *world) publish(d *Desk, rng *rand.Rand, steps int) int {
	w.t.Helper()
	list, err := d.Changes()
	if err != nil {
		w.t.Fatal(err)
	}
	if steps == 1 && len(list) > 0 {
		list = list[:rng.IntN(len(list))]
	}
	for _, p := range list {
		if err := contracttest.Validate(p.Body); err != nil {
			w.t.Errorf("%v\n%s", err, p.Body)
		}
		w.cases = append(w.cases, p.Body)
	}
	return len(list)
}

// state is the last word on every case, by dedup key, without what depends on where
// inputs stand and how they were told together.
func (w *world) state() map[string]string {
	w.t.Helper()
	best := map[string]*cases.Case{}
	bodies := map[string][]byte{}
	for _, body := range w.cases {
		c, err := cases.Decode(body)
		if err != nil {
			w.t.Fatal(err)
		}
		id := fmt.Sprint(c.DedupKey, " ", c.Seq)
		if was := bodies[id]; was != nil && !bytes.Equal(was, body) && c.Seq > 1 {
			w.t.Errorf("%s has two contents:\n%s\n%s", id, was, body)
		}
		bodies[id] = body
		if b := best[c.DedupKey]; b == nil || c.Seq >= b.Seq {
			best[c.DedupKey] = c
		}
	}
	out := map[string]string{}
	for key, c := range best {
		c.Seq, c.Applied, c.Source, c.ReceivedAt = 0, nil, invoice.Position{}, time.Time{}
		body, err := json.Marshal(c)
		if err != nil {
			w.t.Fatal(err)
		}
		out[key] = string(body)
	}
	return out
}

// last returns the record that counts of an invoice's case.
func (w *world) last(id string) *cases.Case {
	w.t.Helper()
	var best *cases.Case
	for _, body := range w.cases {
		if c, _ := cases.Decode(body); c.InvoiceID == id && (best == nil || c.Seq > best.Seq) {
			best = c
		}
	}
	if best == nil {
		w.t.Fatalf("invoice %s has no case", id)
	}
	return best
}

func no() *bool { v := false; return &v }

// A day at the desk: each invoice has another fate.
func (w *world) day() {
	ack := func(id string, c *cases.Case, n float64) {
		w.event(cases.Event{EventID: id, CaseID: c.CaseID, Status: cases.StatusAcknowledged, At: minutes(n)})
	}
	disputes := func(event, id string, reason cases.Reason, n float64) {
		w.dispute(cases.Dispute{EventID: event, Seller: "acme", InvoiceID: id, Reason: reason, At: minutes(n)})
	}
	closes := func(id string, c *cases.Case, n float64, outcome cases.Outcome) {
		w.event(cases.Event{EventID: id + "d", CaseID: c.CaseID, Status: cases.StatusDecided, Outcome: outcome,
			At: minutes(n)})
		w.event(cases.Event{EventID: id + "c", CaseID: c.CaseID, Status: cases.StatusClosed, At: minutes(n + 1)})
	}
	w.opens("untouched", 1)
	ack("e1", w.opens("acknowledged", 2), 10)
	closed := w.opens("closed", 3)
	ack("e2", closed, 11)
	closes("e3", closed, 12, cases.OutcomeConfirmed)
	again := w.opens("reopened", 4)
	closes("e4", again, 13, cases.OutcomeNotAnError)
	w.event(cases.Event{EventID: "e5", CaseID: again.CaseID, Status: cases.StatusReopened, At: minutes(20)})
	w.opens("disputed", 5)
	disputes("p1", "disputed", cases.ReasonPrice, 21)
	back := w.opens("disputed after closing", 6)
	closes("e6", back, 14, cases.OutcomeNotAnError)
	disputes("p2", "disputed after closing", cases.ReasonPrice, 22)
	lifted := w.opens("hold lifted", 7)
	disputes("p3", "hold lifted", cases.ReasonOther, 23)
	w.event(cases.Event{EventID: "e7", CaseID: lifted.CaseID, Status: cases.StatusVerified, DunningHold: no(),
		At: minutes(24)})
	logged, _ := suspect("logged", 8, false)
	w.decide(logged)
	disputes("p4", "logged", cases.ReasonWrongAmount, 25)
	disputes("p5", "unknown", cases.ReasonQuality, 26)
	disputes("p6", "unknown", cases.ReasonPrice, 25)
	w.members()
	for _, id := range []string{"credited", "credited in part"} {
		w.opens(id, 9)
		billed := 280 * invoice.Unit
		if id == "credited in part" {
			billed = 10 * invoice.Unit
		}
		w.send("suspects", func(d *Desk, at At) {
			d.Correction(at, &cases.Correction{Seller: "acme", PrecedingNumber: "F-" + id, InvoiceID: "n-" + id,
				Type: "credit_note", Billed: -billed, Currency: "EUR"}, minutes(30))
		})
	}
	w.opens("revised", 10)
	w.send("suspects", func(d *Desk, at At) {
		d.Correction(at, &cases.Correction{Seller: "acme", InvoiceID: "revised", Revision: 1, Type: "invoice"}, minutes(31))
	})
	twice, _ := suspect("sent twice", 11, true)
	w.decide(twice)
	w.cases = append(w.cases, twice.Case)
	w.opens("sent twice", 12)
	void, _ := suspect("void", 13, true)
	void.Void = true
	w.decide(void)
	w.cases = append(w.cases, void.Case)
	saved, _ := suspect("void, then valid", 14, true)
	saved.Void = true
	w.decide(saved)
	w.opens("void, then valid", 15)
	late := w.opens("impossible", 16)
	closes("e8", late, 17, cases.OutcomeUndetermined)
	ack("e9", late, 40)
	w.event(cases.Event{EventID: "e10", CaseID: cases.ID("nobody's"), Status: cases.StatusAcknowledged, At: minutes(1)})
	w.event(cases.Event{EventID: "e11", Hold: &cases.Hold{BatchID: "B1", State: cases.Held}, At: minutes(1)})
}

// B11, B14, E10, A26: what becomes of each case, whoever says what first.
func TestDay(t *testing.T) {
	w := newWorld(t)
	w.now = minutes(50.5) // the void case may still be saved
	w.day()
	w.run(rand.New(rand.NewPCG(1, 1)), 1)
	for id, want := range map[string]struct {
		action   cases.Action
		status   cases.Status
		origin   cases.Origin
		hold     bool
		resolver cases.Resolver
	}{
		"untouched":    {cases.ActionOpen, "", cases.OriginDetector, false, ""},
		"acknowledged": {cases.ActionUpdate, cases.StatusAcknowledged, cases.OriginDetector, false, ""},
		"closed": {cases.ActionResolve, cases.StatusClosed, cases.OriginDetector, false,
			cases.ResolvedByOutcome},
		"reopened":               {"", cases.StatusReopened, cases.OriginDetector, false, ""},
		"disputed":               {cases.ActionUpdate, "", cases.OriginDetector, true, ""},
		"disputed after closing": {"", cases.StatusClosed, cases.OriginDetector, true, ""},
		"hold lifted":            {cases.ActionUpdate, cases.StatusVerified, cases.OriginDetector, false, ""},
		"logged":                 {cases.ActionOpen, "", cases.OriginDispute, true, ""},
		"unknown":                {cases.ActionOpen, "", cases.OriginDispute, true, ""},
		"credited":               {cases.ActionResolve, "", cases.OriginDetector, false, cases.ResolvedByCreditNote},
		"credited in part":       {cases.ActionOpen, "", cases.OriginDetector, false, ""},
		"revised":                {cases.ActionResolve, "", cases.OriginDetector, false, cases.ResolvedByRevision},
		"sent twice":             {cases.ActionUpdate, "", cases.OriginDetector, false, ""},
		"void":                   {"", "", cases.OriginDetector, false, ""},
		"void, then valid":       {cases.ActionOpen, "", cases.OriginDetector, false, ""},
		"impossible": {cases.ActionResolve, cases.StatusClosed, cases.OriginDetector, false,
			cases.ResolvedByOutcome},
	} {
		c := w.last(id)
		resolver := cases.Resolver("")
		if c.Resolution != nil {
			resolver = c.Resolution.By
		}
		if want.action != "" && c.Action != want.action || c.Status != want.status || c.Origin != want.origin ||
			c.DunningHold != want.hold || resolver != want.resolver {
			t.Errorf("%s: got %s, status %q, origin %s, hold %v, resolved by %q; want %+v", id, c.Action, c.Status, c.Origin,
				c.DunningHold, resolver, want)
		}
	}
	if c := w.last("logged"); c.Currency != "EUR" || c.Loss.Point != 120*invoice.Unit {
		t.Errorf("the case of a disputed suspect does not say what was found: %+v", c)
	}
	if c := w.last("sent twice"); c.Source.Offset != 12 || c.Seq < 2 {
		t.Errorf("an invoice that came again with other content: source %d, seq %d, want the second one's, updated",
			c.Source.Offset, c.Seq)
	}
	if c := w.last("impossible"); len(c.Flags) != 1 || c.Flags[0].Code != cases.FlagStepBack {
		t.Errorf("an impossible step is flagged as %v, want %s", c.Flags, cases.FlagStepBack)
	}
	// A second look an hour later: the void case waited long enough, nothing else is said.
	before := len(w.cases)
	w.now = minutes(120)
	w.again()
	if n := len(w.cases) - before; n > 1 {
		for _, body := range w.cases[before:] {
			t.Logf("%s", body)
		}
		t.Errorf("a new owner said %d more, want at most the void case's end", n)
	}
	if c := w.last("void"); c.Action != cases.ActionResolve || c.Resolution.By != cases.ResolvedByVoid {
		t.Errorf("the case that only a void record opened: %s, want it resolved", c.Action)
	}
}

// G4, G9: whatever order the topics are read in, and wherever owners die between two
// records of one batch, the same cases stand in the end, and no action is told twice.
func TestAnyOrderAndCrashes(t *testing.T) {
	w := newWorld(t)
	w.day()
	w.run(rand.New(rand.NewPCG(1, 1)), 1)
	want := w.state()
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t)
		w.day()
		for _, topic := range inputs[1:] { // the decision log is in its owner's order
			list := w.topics[topic]
			list = append(list, list...)
			rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			w.topics[topic] = list
		}
		w.run(rng, 1+rng.IntN(6))
		got := w.state()
		for key, body := range want {
			if strip(got[key]) != strip(body) {
				t.Errorf("seed %d: %s:\n got %s\nwant %s", seed, key, got[key], body)
			}
		}
		if len(got) != len(want) {
			t.Errorf("seed %d: %d cases, want %d", seed, len(got), len(want))
		}
		if t.Failed() {
			return
		}
	}
}

// strip leaves out how the last record came about: whether a case that is open was
// opened, opened again or updated.
func strip(body string) string {
	var fields map[string]any
	if err := json.Unmarshal([]byte(body), &fields); err != nil {
		return body
	}
	if fields["action"] != string(cases.ActionResolve) {
		fields["action"] = "open or updated"
	}
	out, _ := json.Marshal(fields)
	return string(out)
}

// G4: an owner that opens a case with more inputs than another writes a higher seq, so that
// no seq has two contents.
func TestOpeningCountsInputs(t *testing.T) {
	told := &cases.Dispute{EventID: "d", Seller: "acme", InvoiceID: "i", Reason: cases.ReasonPrice, At: minutes(1)}
	for again := range 3 { // so often it is redelivered between the opening and the record
		d := New(DefaultSettings())
		d.Dispute(at("disputes", 0, 1), told)
		key := invoiceKey("acme", "i")
		d.openBare(key, d.disputed[key])
		for n := range again {
			d.Dispute(at("disputes", 1+n, 1), told)
		}
		c, err := d.next(d.disputedCase(key))
		if err != nil || c.Action != cases.ActionOpen || c.Seq != int64(again)+1 || c.Applied[0].Offset != int64(again) {
			t.Errorf("redelivered %d times: %v, seq %d, %s, applied %v", again, err, c.Seq, c.Action, c.Applied)
		}
	}
}

// A record of a lower seq that stands behind a higher one is answered with the higher
// one, byte for byte; of two with one seq one more says which holds.
func TestLowerSeqBehindHigher(t *testing.T) {
	w := newWorld(t)
	c := w.opens("i", 1)
	w.event(cases.Event{EventID: "e", CaseID: c.CaseID, Status: cases.StatusAcknowledged, At: minutes(2)})
	w.run(rand.New(rand.NewPCG(1, 1)), 1)
	highest := w.cases[len(w.cases)-1]
	w.cases = append(w.cases, w.cases[0])
	w.again()
	if got := w.cases[len(w.cases)-1]; !bytes.Equal(got, highest) || len(w.cases) != 4 {
		t.Errorf("behind the lower seq stands %s, want %s", got, highest)
	}
	w.again()
	if n := len(w.cases); n != 4 {
		t.Errorf("a later owner says more though the highest stands last: %d records, want 4", n)
	}
	other, err := cases.Decode(highest)
	if err != nil {
		t.Fatal(err)
	}
	other.Status = ""
	body, err := other.Encode()
	if err != nil {
		t.Fatal(err)
	}
	w.cases = append(w.cases, body)
	w.again()
	if got, _ := cases.Decode(w.cases[len(w.cases)-1]); got.Seq != other.Seq+1 || got.Status != cases.StatusAcknowledged {
		t.Errorf("behind two contents of one seq stands seq %d, status %q; want %d, acknowledged", got.Seq, got.Status,
			other.Seq+1)
	}
	if n := len(w.cases); n != 6 {
		t.Errorf("%d records, want 6", n)
	}
	w.again()
	if n := len(w.cases); n != 6 {
		t.Errorf("a later owner says more: %d records, want 6", n)
	}
}

// G7: what nothing was heard of for 120 days is forgotten, and a record about it is
// passed over, so that reading the topics anew brings nothing back.
func TestForgets(t *testing.T) {
	w := newWorld(t)
	w.day()
	d := New(DefaultSettings())
	w.now = minutes(0)
	for i := range w.cases {
		w.restore(d, i)
	}
	if err := d.Restored(); err != nil {
		t.Fatal(err)
	}
	feed := func() {
		for _, topic := range inputs {
			for i, f := range w.topics[topic] {
				f(d, At{Position: invoice.Position{Topic: topic, Offset: int64(i)}, Time: minutes(0)})
			}
		}
	}
	feed()
	d.Tick(minutes(60))
	if len(d.files) == 0 || len(d.disputed) == 0 {
		t.Fatal("nothing is known")
	}
	for _, later := range []time.Duration{121, 122} {
		d.Tick(t0.Add(later * 24 * time.Hour))
		if n := len(d.files) + len(d.disputed) + len(d.byInvoice) + len(d.byNumber) + len(d.dirty) + len(d.holds) +
			len(d.voids); n != 0 {
			t.Errorf("%d items are kept", n)
		}
		for _, topic := range inputs[1:] {
			for i, f := range w.topics[topic] {
				f(d, At{Position: invoice.Position{Topic: topic, Offset: int64(i)}, Time: minutes(0)})
			}
		}
	}
	if list, err := d.Changes(); err != nil || len(list) != 0 {
		t.Errorf("published %v, %v", list, err)
	}
}
