package story

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/docs/contract/contracttest"
	"recoup/invoice"
)

// began is when the stories of these tests begin.
var began = time.Date(2026, 3, 2, 9, 0, 0, 123_456_789, time.UTC)

// truths are a tenth of wrong invoices, in both directions and without a loss.
func truths(n int) func(string) Truth {
	causes := []string{"data_entry", "billing_system", "promotion", "duplicate", "missing_admin_data"}
	all := map[string]Truth{}
	for i := 0; i < n; i += 10 {
		loss := invoice.Amount(i)*3_3300 + 1_0100
		switch i / 10 % 5 {
		case 3:
			loss = -loss
		case 4:
			loss = 0
		}
		all[fmt.Sprint("F-", i)] = Truth{Cause: causes[i/10%5], Due: 1000_0000 + loss, Loss: loss}
	}
	return func(id string) Truth { return all[id] }
}

// play tells a story of n invoices, of which recoup flags the wrong ones but each
// fourth and some right ones, and returns what people did.
func play(seed uint64, n int, order func([]int)) (*Story, []Message) {
	truth := truths(n)
	s := New(Options{Seed: seed, Truth: truth, AuditRate: 0.2})
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	if order != nil {
		order(list)
	}
	var all []Message
	for _, i := range list {
		id := fmt.Sprint("F-", i)
		flagged := i%10 == 0 && i%40 != 0 || i%33 == 7
		all = append(all, s.Invoice(Invoice{Seller: "acme", ID: id, Customer: fmt.Sprint("c-", i%50), Currency: "EUR",
			IssuedAt: began, ScoredAt: began, Billed: 1000_0000, Suspect: flagged, PError: 0.1, CountsIn: true})...)
		if flagged {
			all = append(all, s.Case(caseOf(id, fmt.Sprint("c-", i%50), truth(id)))...)
		}
	}
	return s, all
}

func caseOf(id, customer string, truth Truth) *cases.Case {
	key := cases.DedupKey("acme", id, 0)
	return &cases.Case{CaseID: cases.ID(key), DedupKey: key, Seq: 1, Action: cases.ActionOpen, Kind: cases.KindInvoice,
		Origin: cases.OriginDetector, Seller: "acme", InvoiceID: id, Customer: customer, Currency: "EUR",
		DetectedAt: began, Direction: detectors.DirectionCustomerFavour, Loss: detectors.Loss{Point: truth.Loss},
		Economics: cases.Economics{HandlingCost: 50_0000}}
}

// Whatever people do is what the contract allows, and shown to recoup's decoders
// it is not refused.
func TestMessagesFollowTheContract(t *testing.T) {
	_, messages := play(1, 2000, nil)
	seen := map[string]int{}
	for _, m := range messages {
		if err := contracttest.Validate(m.Value); err != nil {
			t.Fatalf("%s: %v", m.Value, err)
		}
		var err error
		switch m.Topic {
		case CaseEvents:
			var e *cases.Event
			if e, err = cases.DecodeEvent(m.Value); err == nil {
				seen[string(e.Status)]++
				seen[string(e.Outcome)]++
				seen[string(e.Origin)]++
			}
		case Recoveries:
			var r *cases.Recovery
			if r, err = cases.DecodeRecovery(m.Value); err == nil {
				seen[string(r.Option)+" "+string(r.Event)]++
			}
		case Disputes:
			_, err = cases.DecodeDispute(m.Value)
			seen["dispute"]++
		}
		if err != nil {
			t.Errorf("%s: %v", m.Value, err)
		}
	}
	for _, want := range []string{"acknowledged", "verified", "decided", "closed", "confirmed_error", "not_an_error",
		"expected_change", "undetermined", "audit_sample", "dispute", "immediate_payment accepted",
		"immediate_payment refused", "immediate_payment paid", "instalments scheduled", "instalments paid",
		"instalments failed", "instalments cancelled", "instalments completed", "offset_next_order paid",
		"goodwill paid", "formal_notice offered", "write_off written_off"} {
		if seen[want] == 0 {
			t.Errorf("nobody ever does %q: %v", want, seen)
		}
	}
}

// The same seed tells the same story in whatever order the cases come; another seed
// tells another one; a case that is published again tells nothing new (G6).
func TestStoryIsReplayable(t *testing.T) {
	sorted := func(messages []Message) []Message {
		slices.SortFunc(messages, func(a, b Message) int { return bytes.Compare(a.Value, b.Value) })
		return messages
	}
	equal := func(a, b Message) bool { return bytes.Equal(a.Value, b.Value) && a.Key == b.Key }
	s, first := play(7, 1000, nil)
	_, backwards := play(7, 1000, slices.Reverse)
	_, other := play(8, 1000, nil)
	if !slices.EqualFunc(sorted(first), sorted(backwards), equal) {
		t.Error("another order of cases tells another story")
	}
	if slices.EqualFunc(first, sorted(other), equal) {
		t.Error("another seed tells the same story")
	}
	before := s.Ledger().Figures("EUR")
	again := caseOf("F-10", "c-10", truths(1000)("F-10"))
	if again.Seq = 2; len(s.Case(again)) > 0 {
		t.Error("an update of a case is played again")
	}
	if after := s.Ledger().Figures("EUR"); after.Paid != before.Paid || after.Cases != before.Cases {
		t.Errorf("an update changes %+v to %+v", before, after)
	}
}

// Instalments sum to what is owed, to the cent (A27), and nobody gets a formal
// notice before an amicable way failed (A26).
func TestRecoveriesKeepTheRules(t *testing.T) {
	s, _ := play(3, 3000, nil)
	plans, notices := 0, 0
	for id, a := range s.Ledger().accounts {
		scheduled, owed := map[string]invoice.Amount{}, map[string]invoice.Amount{}
		failed := false
		for _, r := range a.recoveries {
			switch {
			case r.Event == cases.StepAccepted && r.Option == cases.OptionInstalments:
				owed[r.RecoveryID] = r.Amount
				plans++
			case r.Event == cases.StepScheduled:
				scheduled[r.RecoveryID] += r.Amount
			case r.Option.Amicable() && (r.Event == cases.StepRefused || r.Event == cases.StepFailed):
				failed = true
			case r.Option == cases.OptionFormalNotice:
				if notices++; !failed {
					t.Errorf("case %s: formal notice before an amicable way failed", id)
				}
			}
		}
		for plan, sum := range owed {
			if scheduled[plan] != sum {
				t.Errorf("plan %s schedules %v of %v", plan, scheduled[plan], sum)
			}
		}
		if paid, _ := a.paid(); paid > 0 && (a.latest == nil || paid > a.latest.Loss.Point) {
			t.Errorf("case %s: %v paid, more than was lost", id, paid)
		}
	}
	if plans < 10 || notices < 5 {
		t.Errorf("%d plans and %d notices prove little", plans, notices)
	}
}

// The figures are what a person would count by hand.
func TestFigures(t *testing.T) {
	l := newLedger()
	at := began.Truncate(time.Millisecond)
	for i, loss := range []invoice.Amount{100_0000, -40_0000, 30_0000} {
		c := caseOf(fmt.Sprint("F-", i), "c-1", Truth{Loss: loss})
		c.IssuedAt, c.ReceivedAt = at.Add(-time.Hour), at.Add(-time.Duration(i+1)*time.Second)
		l.heard(c)
		l.invoice(Invoice{Seller: "acme", ID: c.InvoiceID, Customer: "c-1", Currency: "EUR", CountsIn: true, Suspect: true,
			Loss: loss, PError: 0.6, Level: "customer", Rules: []string{"deviation:segment", "deviation:customer_type",
				[]string{"promotion:over_cap", "price_list:old", "price_list:old"}[i]}})
	}
	id := func(i int) string { return cases.ID(cases.DedupKey("acme", fmt.Sprint("F-", i), 0)) }
	l.event(&cases.Event{EventID: "1", CaseID: id(0), Status: cases.StatusAcknowledged, At: at.Add(24 * time.Hour)})
	l.event(&cases.Event{EventID: "2", CaseID: id(0), Status: cases.StatusDecided, Outcome: cases.OutcomeConfirmed,
		TrueCause: "promotion", ConfirmedLoss: amount(90_0000), At: at.Add(30 * time.Hour)})
	l.event(&cases.Event{EventID: "3", CaseID: id(1), Status: cases.StatusAcknowledged, At: at.Add(25 * time.Hour)})
	l.event(&cases.Event{EventID: "4", CaseID: id(1), Status: cases.StatusDecided, Outcome: cases.OutcomeExpectedChange,
		HandlingCost: amount(12_5000), At: at.Add(26 * time.Hour)})
	l.event(&cases.Event{EventID: "5", CaseID: id(1), Status: cases.StatusClosed, At: at.Add(27 * time.Hour)})
	gesture := cases.Recovery{CaseID: id(0), RecoveryID: "p", Option: cases.OptionGoodwill, GoodwillCost: amount(9_0000)}
	for step, sum := range map[cases.Step]invoice.Amount{cases.StepOffered: 90_0000, cases.StepAccepted: 90_0000,
		cases.StepPaid: 90_0000} {
		r := gesture
		r.Event, r.Amount, r.At = step, sum, at.Add(48*time.Hour)
		l.recovery(&r)
	}
	f := l.Figures("EUR")
	want := map[string]bool{
		"at risk 130 and 40":        f.AtRisk == Money{130_0000, 40_0000},
		"decided 90":                f.Decided == Money{90_0000, 0},
		"net 90 - 9 - 62.50":        f.Paid == 90_0000 && f.Goodwill == 9_0000 && f.Handling == 62_5000 && f.Net == 18_5000,
		"2 acknowledged, 1 in 24 h": f.Acknowledged == 2 && f.AcknowledgedIn24h == 1,
		"1 right, 1 wrong":          f.TruePositives == 1 && f.FalsePositives == 1 && f.Open == 2,
		"1 customer":                f.Customers == 1 && f.CustomersTouched == 1,
		"goodwill paid 90 of 90":    len(f.Options) == 1 && f.Options[0].Paid == 90_0000 && f.Options[0].Accepted == 1,
		"open 0.6 of 30":            f.OpenLoss == Money{18_0000, 0},
		"p_error off by 0.4, 0.6":   math.Abs(f.Brier-0.26) < 1e-12 && f.ExpectedErrors == 1_800_000_000,
		"usual 50, all asked came":  f.Worth.Usual == 50_0000 && f.Worth.BreakEven == 50 && f.Worth.BelowBreakEven == 2,
		"62.50 for 90 recovered":    f.Worth.CostPerRecovery == 62.5/90,
		"after 2 and 3 s":           f.AfterReceipt == Delay{2, 3} && f.AfterIssue == Delay{3600, 3600},
		"types of rules":            f.Anomalies.String() == "price_list 2, promotion 1",
		"levels":                    f.Levels.String() == "customer 3" && f.Scored == 3,
		"promotion 90":              len(f.Causes) == 1 && f.Causes[0] == CauseFigures{"promotion", 1, Money{90_0000, 0}},
	}
	for what, holds := range want {
		if !holds {
			t.Errorf("not %s: %+v", what, f)
		}
	}
}

// Errors of the same seller and cause, by the days between their issue and the action;
// those of its own day are on neither side (K9).
func TestRepeats(t *testing.T) {
	l := newLedger()
	for i, days := range []int{-31, -30, -1, 0, 1, 30, 31, 60, 61, 90, 91} {
		issued := began.AddDate(0, 0, days)
		for seller, cause := range map[string]string{"acme": "promotion", "bolt": "promotion", "cord": "duplicate"} {
			c := caseOf(fmt.Sprint("F-", i), "", Truth{})
			c.Seller, c.CaseID = seller, cases.ID(cases.DedupKey(seller, c.InvoiceID, 0))
			l.heard(c)
			l.invoice(Invoice{Seller: seller, ID: c.InvoiceID, Currency: "EUR", CountsIn: true, Suspect: true, IssuedAt: issued})
			e := cases.Event{CaseID: c.CaseID, EventID: "e", Status: cases.StatusDecided, At: began,
				Outcome: cases.OutcomeConfirmed, TrueCause: cause}
			if seller == "acme" && days == 1 {
				e.CorrectiveAction = "cap checked"
			}
			l.event(&e)
		}
	}
	if r := l.Figures("EUR").Repeats; r != (Repeats{Actions: 1, Before30: 2, After30: 2, After60: 4, After90: 6}) {
		t.Errorf("%+v", r)
	}
}

// An audit of a higher rate contains that of a lower one, and takes its share.
func TestSampled(t *testing.T) {
	few, many := 0, 0
	for i := range 100_000 {
		id := fmt.Sprint("F-", i)
		low, high := Sampled("acme", id, "s", 0.003), Sampled("acme", id, "s", 0.2)
		if low {
			few++
		}
		if high {
			many++
		}
		if low && !high || Sampled("acme", id, "s", 0) || !Sampled("acme", id, "s", 1) {
			t.Fatalf("%s: sampled at 0.003 %v, at 0.2 %v", id, low, high)
		}
	}
	if few < 250 || few > 350 || many < 19_500 || many > 20_500 {
		t.Errorf("%d and %d of 100,000, want about 300 and 20,000", few, many)
	}
}

// Each comes twice.
func TestUnruly(t *testing.T) {
	_, messages := play(1, 200, nil)
	count := map[string]int{}
	for _, m := range Unruly(messages, 5) {
		count[string(m.Value)]++
	}
	for value, n := range count {
		if n != 2 {
			t.Errorf("%d times %s", n, value)
		}
	}
	if len(count) != len(messages) {
		t.Errorf("%d of %d messages", len(count), len(messages))
	}
}

// recoup's own fold of the same events, twice and shuffled, comes to what the
// ledger counts, and finds nothing that does not fit.
func TestLifeAgreesWithTheLedger(t *testing.T) {
	s, messages := play(11, 2000, nil)
	lives := map[string]*cases.Life{}
	for _, m := range Unruly(messages, 2) {
		life := lives[m.Key]
		if life == nil {
			life = &cases.Life{}
			lives[m.Key] = life
		}
		switch m.Topic {
		case CaseEvents:
			e, err := cases.DecodeEvent(m.Value)
			if err != nil {
				t.Fatal(err)
			}
			life.Apply(e)
		case Recoveries:
			r, err := cases.DecodeRecovery(m.Value)
			if err != nil {
				t.Fatal(err)
			}
			life.ApplyRecovery(r)
		}
	}
	for id, a := range s.Ledger().accounts {
		if len(a.events)+len(a.recoveries) == 0 {
			continue
		}
		state := lives[id].State()
		paid, _ := a.paid()
		if len(state.Flags) > 0 || state.Paid != paid || state.GoodwillCost != a.goodwill() ||
			state.Outcome != a.outcome() || a.latest != nil && state.Open() != a.open() {
			t.Errorf("case %s: ledger %v, %v, %q, open %v; life %+v", id, paid, a.goodwill(), a.outcome(), a.open(), state)
		}
	}
}

// K1b and K8 by hand: 10 found, 990 unflagged, 1 of 99 audited is wrong, so 10 more
// are expected there.
func TestEstimates(t *testing.T) {
	f := Figures{Invoices: 1000, Unflagged: 990, Caught: 10, Audited: 99, AuditedWrong: 1}
	low, rate, high := f.TrueErrorRate()
	if fmt.Sprintf("%.4f", rate) != "0.0200" || low >= rate || rate >= high || low < 0.01 {
		t.Errorf("rate %v [%v, %v], want 0.02", rate, low, high)
	}
	low, recall, high := f.Recall()
	if fmt.Sprintf("%.4f", recall) != "0.5000" || low >= recall || recall >= high || high > 1 {
		t.Errorf("recall %v [%v, %v], want 0.5", recall, low, high)
	}
	low, rate, high = (&Figures{Invoices: 10, Unflagged: 9, Caught: 1}).TrueErrorRate()
	if low != 0.1 || rate != 0.1 || high != 1 {
		t.Errorf("without an audit %v [%v, %v], want 0.1 [0.1, 1]", rate, low, high)
	}
}

// The case of an invoice that only a customer disputed names no currency: the team
// knows that of the invoice. One about no money names none either.
func TestCasesWithoutCurrency(t *testing.T) {
	s := New(Options{Seed: 4, Truth: func(string) Truth {
		return Truth{Cause: "promotion", Due: 60_0000, Loss: -40_0000}
	}})
	s.Invoice(Invoice{Seller: "acme", ID: "F-1", Currency: "EUR", CountsIn: true, Suspect: true})
	c := caseOf("F-1", "", Truth{})
	c.Currency, c.Origin = "XXX", cases.OriginDispute
	blind := &cases.Case{CaseID: cases.ID("blind"), Kind: cases.KindBlind, Currency: "XXX", DetectedAt: began}
	for _, m := range append(s.Case(c), s.Case(blind)...) {
		if err := contracttest.Validate(m.Value); err != nil {
			t.Error(err)
		}
	}
	if e := s.Ledger().accounts[c.CaseID].decision(); e == nil || e.Currency != "EUR" {
		t.Errorf("decided as %+v, want in EUR", e)
	}
}

// Members inherit the outcome of their incident, whether they have a case or not; a
// verdict of their own counts more, and no invoice counts twice (K1, K2, K9).
func TestMembersInheritTheOutcomeOfTheirIncident(t *testing.T) {
	l := newLedger()
	at := began.Truncate(time.Millisecond)
	incident := &cases.Case{CaseID: cases.ID("release"), Seq: 1, Action: cases.ActionOpen, Kind: cases.KindIncident,
		Origin: cases.OriginDetector, Currency: "EUR", DetectedAt: at, Economics: cases.Economics{HandlingCost: 50_0000}}
	for i, loss := range []invoice.Amount{100_0000, -40_0000, 30_0000, 20_0000} {
		inv := Invoice{Seller: "acme", ID: fmt.Sprint("F-", i), Customer: fmt.Sprint("c-", i), Currency: "EUR",
			CountsIn: true, Suspect: true, Loss: loss, Cause: "data_entry"}
		switch i {
		case 0: // by the incident's record
			incident.Joined = append(incident.Joined, cases.Member{Seller: "acme", InvoiceID: inv.ID})
		case 1: // by its verdict, under another name of the incident
			inv.IncidentID = "other-name"
			incident.Incident = &cases.Incident{Aliases: []string{"other-name"}}
		case 2: // by its case, which somebody found right
			c := caseOf(inv.ID, inv.Customer, Truth{Loss: loss})
			c.IncidentID = incident.CaseID
			l.heard(c)
			l.event(&cases.Event{EventID: "own", CaseID: c.CaseID, Status: cases.StatusDecided,
				Outcome: cases.OutcomeNotAnError, At: at})
		}
		l.invoice(inv) // the last one is in no incident
	}
	l.heard(incident)
	if f := l.Figures("EUR"); f.Confirmed != 0 || f.Incidents != 1 {
		t.Errorf("before anybody decided: %+v", f)
	}
	l.event(&cases.Event{EventID: "all", CaseID: incident.CaseID, Status: cases.StatusDecided, Currency: "EUR",
		Outcome: cases.OutcomeConfirmed, TrueCause: "billing_system", HandlingCost: amount(75_0000), At: at})
	f := l.Figures("EUR")
	want := map[string]bool{
		"2 confirmed, both by the incident": f.Confirmed == 2 && f.ConfirmedByIncident == 2 && f.Caught == 2,
		"decided 100 and 40":                f.Decided == Money{100_0000, 40_0000},
		"at risk 150 and 40":                f.AtRisk == Money{150_0000, 40_0000},
		"billing_system 2": len(f.Causes) == 1 &&
			f.Causes[0] == CauseFigures{"billing_system", 2, Money{100_0000, 40_0000}},
		"2 customers touched":             f.CustomersTouched == 2,
		"saved 2 cases of 50, cost 75":    f.Worth.Saved == 25_0000,
		"handling 75":                     f.Handling == 75_0000 && f.Net == -75_0000,
		"1 alert wrong, 1 incident right": f.FalsePositives == 1 && f.TruePositives == 0 && f.IncidentsRight == 1,
	}
	for what, holds := range want {
		if !holds {
			t.Errorf("not %s: %+v", what, f)
		}
	}
}

// Who gets a gesture pays all that is owed; what the gesture costs is told beside it,
// once.
func TestGesturesArePaidInFull(t *testing.T) {
	s, _ := play(5, 3000, nil)
	seen := 0
	for id, a := range s.Ledger().accounts {
		asked := map[string]invoice.Amount{}
		for _, r := range a.recoveries {
			if r.Option == cases.OptionGoodwill && r.Event == cases.StepOffered {
				asked[r.RecoveryID] = r.Amount
			}
			if r.Option == cases.OptionGoodwill && r.Event == cases.StepPaid {
				if seen++; r.Amount != asked[r.RecoveryID] {
					t.Errorf("case %s: %v paid of %v", id, r.Amount, asked[r.RecoveryID])
				}
			}
		}
	}
	if seen < 5 {
		t.Errorf("%d gestures prove little", seen)
	}
}

// Hurried people do what others do, in the same order, but within a second: a person
// who comes after them, such as one who reopens a case, has the last word.
func TestHurriedPeopleLeaveNothingToTheFuture(t *testing.T) {
	truth := truths(3000)
	slow, quick := New(Options{Seed: 6, Truth: truth}), New(Options{Seed: 6, Truth: truth, Hurried: true})
	for i := 0; i < 3000; i += 10 {
		id := fmt.Sprint("F-", i)
		inv := Invoice{Seller: "acme", ID: id, Currency: "EUR", ScoredAt: began, Billed: 1, Suspect: true, CountsIn: true}
		c := caseOf(id, "c-1", truth(id))
		usual, hurried := slices.Concat(slow.Invoice(inv), slow.Case(c)), slices.Concat(quick.Invoice(inv), quick.Case(c))
		if len(usual) != len(hurried) {
			t.Fatalf("%s: %d events, %d in a hurry", id, len(usual), len(hurried))
		}
		var last time.Time
		for j, m := range quick.ledger.accounts[c.CaseID].events {
			if !m.At.After(last) || m.At.After(began.Add(time.Second)) {
				t.Fatalf("%s: event %d is at %s, after one at %s", id, j, m.At, last)
			}
			last = m.At
		}
	}
	usual, hurried := slow.Ledger().Figures("EUR"), quick.Ledger().Figures("EUR")
	if usual.Paid != hurried.Paid || usual.Net != hurried.Net || usual.Confirmed != hurried.Confirmed || usual.Paid == 0 {
		t.Errorf("usual %+v, hurried %+v", usual, hurried)
	}
}

// Once an incident is confirmed, the team asks for its members that have no case: it
// works each once, whichever is heard of first, and leaves out what does not pay (K3).
func TestTeamAsksForMembers(t *testing.T) {
	for _, first := range []string{"incident", "invoices"} {
		s := New(Options{Seed: 1, Hurried: true, Truth: func(string) Truth {
			return Truth{Cause: "billing_system", Due: 200_0000, Loss: 100_0000}
		}})
		incident := &cases.Case{CaseID: cases.ID("release"), Seq: 1, Action: cases.ActionOpen, Kind: cases.KindIncident,
			Origin: cases.OriginDetector, Currency: "EUR", DetectedAt: began,
			Causes: []detectors.Finding{{Code: "billing_system"}},
			Joined: []cases.Member{{Seller: "acme", InvoiceID: "F-1"}}}
		var messages []Message
		if first == "incident" {
			messages = s.Case(incident)
		}
		for i, loss := range []invoice.Amount{100_0000, 100_0000, 10_0000, -100_0000} {
			inv := Invoice{Seller: "acme", ID: fmt.Sprint("F-", i), Currency: "EUR", CountsIn: true, Suspect: true, Loss: loss,
				ScoredAt: began.Add(time.Minute)}
			if i != 1 { // which joins by the record of the incident
				inv.IncidentID = incident.CaseID
			}
			messages = append(messages, s.Invoice(inv)...)
		}
		incident.Seq = 2
		messages = append(messages, s.Case(incident)...)
		worked := map[string]int{}
		for _, m := range messages {
			if e, err := cases.DecodeEvent(m.Value); err == nil && e.Status == cases.StatusAcknowledged {
				worked[e.InvoiceID]++
			}
		}
		if worked["F-0"] != 1 || worked["F-1"] != 1 || worked["F-2"]+worked["F-3"] != 0 {
			t.Errorf("%s first: worked %v, want F-0 and F-1 once", first, worked)
		}
		if f := s.Ledger().Figures("EUR"); f.NotAsked != 3 || f.LeftOut != 210_0000 {
			t.Errorf("%s first: %d of %v not asked for before a case is opened", first, f.NotAsked, f.LeftOut)
		}
		c := caseOf("F-1", "c-1", Truth{Loss: 100_0000})
		s.Case(c)
		for _, e := range s.Ledger().accounts[c.CaseID].events {
			if e.At.Before(s.asked[c.CaseID]) {
				t.Errorf("%s first: %s at %s, before the team began", first, e.Status, e.At)
			}
		}
	}
}
