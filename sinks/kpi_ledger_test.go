package sinks

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"recoup/invoice"
)

// kpiLedger counts the KPIs of a kpiWorld the straightforward way: no SQL, each
// event once, one loop per question.
type kpiLedger struct {
	world    *kpiWorld
	incident map[string]*kpiCase // by case id
	ofCase   map[string]*kpiCase // by case id, audits included
	audited  map[string]bool     // by case id
	findings []*kpiFinding
}

// kpiFinding is what became of one invoice.
type kpiFinding struct {
	inv             *kpiInvoice
	c               *kpiCase // nil: no case
	life            kpiLife
	outcome, state  string
	byIncident      bool
	byAudit, audit  bool
	cause           string
	stake, loss     invoice.Amount
	month, currency string
	origin          string
}

// kpiLife is where a case stands.
type kpiLife struct {
	status, outcome, cause, action string
	acknowledged, decided, closed  time.Time
	acted                          time.Time // last corrective action
	loss                           *invoice.Amount
	cost                           *invoice.Amount
	satisfaction                   int
	paid, goodwill                 invoice.Amount
	lastPaid                       time.Time
	settled                        string
}

var kpiSteps = []string{"", "opened", "acknowledged", "verified", "decided", "closed", "reopened"}

func (c *kpiCase) life() (l kpiLife) {
	events := slices.Clone(c.events)
	slices.SortFunc(events, func(a, b kpiEvent) int {
		return cmp.Or(a.at.Compare(b.at), slices.Index(kpiSteps, a.status)-slices.Index(kpiSteps, b.status),
			cmp.Compare(a.id, b.id))
	})
	for _, e := range events {
		if e.status == "reopened" {
			l.outcome, l.decided, l.closed, l.status = "", time.Time{}, time.Time{}, "reopened"
		} else if l.status == "reopened" || slices.Index(kpiSteps, e.status) > slices.Index(kpiSteps, l.status) {
			l.status = e.status
		}
		if l.acknowledged.IsZero() {
			l.acknowledged = e.at
		}
		if e.outcome != "" {
			if l.outcome = e.outcome; l.decided.IsZero() {
				l.decided = e.at
			}
		}
		if e.status == "closed" {
			l.closed = e.at
		}
		l.cause, l.action = cmp.Or(e.cause, l.cause), cmp.Or(e.action, l.action)
		if e.action != "" {
			l.acted = e.at
		}
		l.satisfaction = cmp.Or(e.satisfaction, l.satisfaction)
		if e.loss != nil {
			l.loss = e.loss
		}
		if e.cost != nil {
			sum := *e.cost
			if l.cost != nil {
				sum += *l.cost
			}
			l.cost = &sum
		}
	}
	for _, p := range c.plans {
		l.paid += p.paid
		if p.accepted {
			l.goodwill, l.settled = l.goodwill+p.cost, p.option
		}
		for _, s := range p.steps {
			if s.event == "paid" {
				l.lastPaid = s.at
			}
		}
	}
	return l
}

func (c *kpiCase) open(l kpiLife) bool {
	return l.status == "reopened" || !c.resolved && l.status != "closed"
}

// handling is what working the case cost.
func (c *kpiCase) handling(l kpiLife) invoice.Amount {
	if l.cost != nil {
		return *l.cost
	}
	if l.outcome == "confirmed_error" {
		return kpiHandling
	}
	return 0
}

func abs(a invoice.Amount) invoice.Amount { return max(a, -a) }

func newKPILedger(w *kpiWorld) *kpiLedger {
	l := &kpiLedger{world: w, incident: map[string]*kpiCase{}, ofCase: map[string]*kpiCase{}, audited: map[string]bool{}}
	for _, c := range w.cases {
		l.ofCase[c.id] = c
		if c.kind == "incident" {
			l.incident[c.id] = c
		}
	}
	for _, c := range w.audits {
		l.ofCase[c.id], l.audited[c.id] = c, true
	}
	for _, inv := range w.invoices {
		if c := l.ofCase[inv.caseID()]; inv.counts() && (inv.suspect || c != nil) {
			l.findings = append(l.findings, l.finding(inv, c))
		}
	}
	return l
}

func (l *kpiLedger) finding(inv *kpiInvoice, c *kpiCase) *kpiFinding {
	f := &kpiFinding{inv: inv, c: c, stake: abs(inv.loss), month: inv.issued.Format("2006-01-") + "01",
		currency: inv.currency, cause: inv.cause, origin: "detector"}
	closed := false
	if c != nil {
		f.life, f.origin = c.life(), c.origin
		f.outcome, f.cause = f.life.outcome, cmp.Or(f.life.cause, f.cause)
		closed = !c.open(f.life)
		if l.audited[c.id] {
			f.byAudit, f.audit, f.c, f.origin, closed = true, true, nil, "audit_sample", false
		}
	}
	in := l.incident[inv.incident]
	var life kpiLife
	if in != nil {
		life = in.life()
		if f.outcome == "" {
			f.outcome, f.byIncident = life.outcome, life.outcome != ""
			f.cause = cmp.Or(life.cause, inv.cause)
		}
	}
	switch f.outcome {
	case "confirmed_error":
		f.state = "confirmed"
	case "not_an_error", "expected_change":
		f.state = "refuted"
	case "undetermined":
		f.state = "undetermined"
	case "duplicate_case":
		f.state = "duplicate"
	default:
		f.state = "open"
		if closed || in != nil && !in.open(life) {
			f.state = "closed"
		}
	}
	oneSum := life.loss != nil && in.currency == inv.currency && inv.loss > 0
	if f.state == "confirmed" && !oneSum {
		f.loss = f.stake
		if !f.byIncident && f.life.loss != nil {
			f.loss = abs(*f.life.loss)
		}
	}
	return f
}

// answers are the KPIs as text, by name of the view, the group and the column.
type answers map[string]float64

func (a answers) add(v float64, path ...string) { a[strings.Join(path, "|")] += v }

func money4(m invoice.Amount) float64 { return float64(m) } // in ten-thousandths: exact below 2⁵³

// rates answers K1, K1b, K8, K11 and K13.
func (l *kpiLedger) rates(a answers) {
	customers := map[string]map[string]int{}
	for _, inv := range l.world.invoices {
		month := inv.issued.Format("2006-01-") + "01"
		if inv.canary && !inv.draft {
			a.add(1, "recall", inv.seller, month, "canary sent")
			if inv.suspect {
				a.add(1, "recall", inv.seller, month, "canary")
			}
		}
		if !inv.counts() {
			continue
		}
		a.add(1, "error_rate_by_month", inv.seller, month, "invoices")
		a.add(float64(inv.eighths)/8, "error_rate_by_month", inv.seller, month, "expected_errors")
		if inv.suspect {
			a.add(1, "error_rate_by_month", inv.seller, month, "suspects")
		}
		a.add(1, "anomalies_by_type", inv.seller, month, inv.cause)
		if inv.customer != "anonymous" {
			if customers[inv.seller] == nil {
				customers[inv.seller] = map[string]int{}
			}
			customers[inv.seller][inv.customer] += 0
		}
	}
	for _, f := range l.findings {
		seller := f.inv.seller
		switch {
		case f.audit && (f.state == "confirmed" || f.state == "refuted"):
			a.add(1, "error_rate_by_month", seller, f.month, "audited")
			if f.state == "confirmed" {
				a.add(1, "error_rate_by_month", seller, f.month, "audited_wrong")
			}
		case f.state == "confirmed" && !f.byAudit:
			a.add(1, "error_rate_by_month", seller, f.month, "confirmed")
			a.add(1, "cause_pareto", seller, f.currency, f.cause)
			if f.inv.suspect {
				a.add(1, "error_rate_by_month", seller, f.month, "true_positives")
			}
			if f.origin == "customer_dispute" {
				a.add(1, "customer_found_first", seller, f.month)
			}
			if l.world.disputes[f.inv.id] {
				a.add(1, "recall", seller, f.month, "disputes sent")
				if f.inv.suspect {
					a.add(1, "recall", seller, f.month, "disputes")
				}
			}
			if f.inv.customer != "anonymous" {
				customers[seller][f.inv.customer]++
			}
		}
	}
	for seller, of := range customers {
		a.add(float64(len(of)), "customers_touched", seller, "customers")
		for _, errors := range of {
			if errors > 0 {
				a.add(1, "customers_touched", seller, "touched")
			}
		}
	}
}

// money answers K2, K3, K10 and K14.
func (l *kpiLedger) money(a answers) {
	for _, f := range l.findings {
		group := []string{"loss_by_cohort", f.inv.seller, f.currency, f.month, f.inv.direction()}
		add := func(v float64, column string) { a.add(v, append(slices.Clone(group), column)...) }
		if f.state == "confirmed" && !f.byAudit {
			add(1, "confirmed")
			add(money4(f.loss), "confirmed_loss")
		}
		if f.state == "open" {
			stake := []invoice.Amount{f.inv.loss - 100, f.inv.loss, f.inv.loss + 300}
			if f.inv.loss < 0 {
				stake = []invoice.Amount{-f.inv.loss - 300, -f.inv.loss, -f.inv.loss + 100}
			}
			for i, column := range []string{"low", "point", "high"} {
				add(money4(max(0, stake[i])*invoice.Amount(f.inv.eighths)/8), column) // each cut at the fourth decimal
			}
		}
		if f.c != nil {
			add(money4(f.life.paid), "recovered")
			add(money4(f.life.goodwill), "goodwill")
			add(money4(f.c.handling(f.life)), "handling")
		}
	}
	for id, c := range l.incident {
		life := c.life()
		group := []string{"loss_by_cohort", c.seller, c.currency, l.world.begin.Format("2006-01-") + "01", "customer_favour"}
		a.add(money4(c.handling(life)), append(slices.Clone(group), "handling")...)
		if life.outcome == "confirmed_error" && life.loss != nil {
			a.add(money4(*life.loss), append(slices.Clone(group), "confirmed_loss")...)
		}
		for _, f := range l.findings {
			if f.inv.incident == id && f.c == nil {
				a.add(1, "saved_by_bundling", id)
			}
		}
	}
}

// work answers K4, K6, K7, K14 and K15.
func (l *kpiLedger) work(a answers) {
	for _, c := range l.world.cases {
		life := c.life()
		if !life.acknowledged.IsZero() && life.acknowledged.Sub(c.detected) <= 24*time.Hour {
			a.add(1, "time_to_respond", c.seller, c.kind)
		}
		in := l.incident[c.joined]
		if c.open(life) && (in == nil || !in.open(in.life())) {
			a.add(1, "case_backlog", c.seller, c.kind)
		}
		if life.satisfaction > 0 {
			a.add(float64(life.satisfaction), "satisfaction_by_option", c.seller, cmp.Or(life.settled, "none"))
		}
		if c.origin == "detector" {
			verdict := map[string]string{"": "undecided", "not_an_error": "refuted", "expected_change": "refuted"}[life.outcome]
			if verdict = cmp.Or(verdict, life.outcome); verdict != "duplicate_case" {
				a.add(1, "alert_precision", c.seller, c.kind, verdict)
			}
		}
		for _, p := range c.plans {
			a.add(1, "recovery_by_option", c.seller, c.currency, p.option, "offered")
			a.add(money4(p.asked), "recovery_by_option", c.seller, c.currency, p.option, "asked")
			a.add(money4(p.paid), "recovery_by_option", c.seller, c.currency, p.option, "paid")
			if p.accepted {
				a.add(1, "recovery_by_option", c.seller, c.currency, p.option, "accepted")
			}
		}
	}
}

// medianWait is the Kaplan-Meier median of the hours from alert to last cent, NaN
// while more than half still waits.
func (l *kpiLedger) medianWait(seller, currency string, now time.Time) float64 {
	type wait struct {
		hours float64
		paid  bool
	}
	var waits []wait
	for _, c := range l.world.cases {
		life := c.life()
		waiting := life.outcome == "" && c.open(life) || life.outcome == "confirmed_error"
		single := c.kind == "incident" || c.joined == "" || life.paid > 0
		if c.seller != seller || c.currency != currency || c.loss < 0 || !waiting || !single {
			continue
		}
		w, end := wait{}, now
		switch due := abs(c.loss); {
		case life.paid >= due && life.outcome == "confirmed_error" && life.paid > 0 && c.kind == "invoice":
			w.paid, end = true, c.reached(due)
		case !c.open(life) && !life.closed.IsZero():
			end = life.closed
		case !c.open(life) && c.resolved:
			end = c.detected.Add(time.Hour)
		}
		w.hours = math.Max(0, math.Floor(end.Sub(c.detected).Seconds())/3600)
		waits = append(waits, w)
	}
	sort.Slice(waits, func(i, j int) bool { return waits[i].hours < waits[j].hours })
	share := 1.0
	for i := 0; i < len(waits); {
		paid, same := 0, i
		for ; same < len(waits) && waits[same].hours == waits[i].hours; same++ {
			if waits[same].paid {
				paid++
			}
		}
		share *= 1 - float64(paid)/float64(len(waits)-i)
		if share <= 0.5+1e-9 && paid > 0 {
			return waits[i].hours
		}
		i = same
	}
	return math.NaN()
}

// reached is when payments came to an amount.
func (c *kpiCase) reached(due invoice.Amount) time.Time {
	var sum invoice.Amount
	for _, p := range c.plans {
		for _, s := range p.steps {
			if s.event == "paid" {
				if sum += s.amount; sum >= due {
					return s.at
				}
			}
		}
	}
	panic(fmt.Sprint("never paid: ", due))
}
