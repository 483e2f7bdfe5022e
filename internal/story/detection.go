package story

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"recoup/cases"
)

// Counts are numbers by name.
type Counts map[string]int

// String writes them in the order of their names: "duplicate 3, promotion 12".
func (c Counts) String() string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		texts = append(texts, fmt.Sprint(name, " ", c[name]))
	}
	return strings.Join(texts, ", ")
}

// Delay is how long detection took, in seconds; of several months the slowest (K5).
type Delay struct {
	P50 float64 // half of the alerts came within
	P95 float64 // 95 % of them
}

// Repeats are the corrective actions, and the confirmed errors of the same seller and
// cause that were issued around the day of each (K9).
type Repeats struct {
	Actions  int // of confirmed cases
	Before30 int // errors of the 30 days before
	After30  int // of the 30 days after
	After60  int // of 60
	After90  int // of 90
}

// countRules counts what an invoice was judged by (K16, K17).
func (f *Figures) countRules(inv *Invoice) {
	types := map[string]bool{}
	for _, rule := range inv.Rules {
		name, _, _ := strings.Cut(rule, ":")
		types[name] = name != "deviation" // the 15 % rule is no type of error
	}
	for name, is := range types {
		if is {
			f.Anomalies[name]++
		}
	}
	f.Levels[inv.Level]++
}

// countDelays says how long recoup took from receipt and from issue to each case it
// opened, per month of issue.
func (l *Ledger) countDelays(f *Figures) {
	type delays struct{ receipt, issue []float64 }
	months := map[time.Time]*delays{}
	for _, a := range l.cases(f.Currency) {
		c := a.latest
		if c.Origin != cases.OriginDetector {
			continue
		}
		month := cohort(c)
		month = month.AddDate(0, 0, 1-month.Day())
		if months[month] == nil {
			months[month] = &delays{}
		}
		since := func(t time.Time) float64 { return float64(a.detectedAt.UnixMilli()-t.UnixMilli()) / 1000 }
		months[month].receipt = append(months[month].receipt, since(c.ReceivedAt))
		months[month].issue = append(months[month].issue, since(c.IssuedAt))
	}
	for _, d := range months {
		f.AfterReceipt.add(d.receipt)
		f.AfterIssue.add(d.issue)
	}
}

// add takes over the delays of a month where they are longer.
func (d *Delay) add(seconds []float64) {
	slices.Sort(seconds)
	d.P50 = max(d.P50, seconds[int(0.5*float64(len(seconds)))])
	d.P95 = max(d.P95, seconds[int(0.95*float64(len(seconds)))])
}

// cohort is the day of issue of a case's invoice, or of its receipt when it claims to be
// issued more than a day after that.
func cohort(c *cases.Case) time.Time {
	at := c.IssuedAt
	if at.After(c.ReceivedAt.Add(day)) {
		at = c.ReceivedAt
	}
	return at.UTC().Truncate(day)
}

// countRepeats looks whether errors came back after somebody acted on their cause.
func (l *Ledger) countRepeats(f *Figures, findings []finding) {
	for _, a := range l.accounts {
		if a.latest == nil || a.outcome() != cases.OutcomeConfirmed {
			continue
		}
		action := a.last(func(e *cases.Event) bool { return e.CorrectiveAction != "" })
		if action == nil {
			continue
		}
		f.Repeats.Actions++
		cause, acted := a.cause(), action.At.UTC().Truncate(day)
		for i := range findings {
			found := &findings[i]
			if !found.confirmed() || found.inv.Seller != a.latest.Seller || found.code() != cause {
				continue
			}
			switch days := int(found.inv.IssuedAt.UTC().Truncate(day).Sub(acted) / day); {
			case days < 0 && days >= -30:
				f.Repeats.Before30++
			case days > 0 && days <= 90:
				f.Repeats.after(days)
			}
		}
	}
}

func (r *Repeats) after(days int) {
	r.After90++
	if days <= 60 {
		r.After60++
	}
	if days <= 30 {
		r.After30++
	}
}
