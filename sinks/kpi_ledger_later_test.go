package sinks

import (
	"time"

	"recoup/invoice"
)

// repeats answers K9: did an error return after somebody changed something?
func (l *kpiLedger) repeats(a answers) {
	const day = 24 * time.Hour
	for _, c := range l.world.cases {
		life := c.life()
		if life.action == "" || life.outcome != "confirmed_error" {
			continue
		}
		acted := life.acted.Truncate(day)
		after := map[int]int{}
		for _, f := range l.findings {
			if f.state != "confirmed" || f.byAudit || f.inv.seller != c.seller || f.cause != life.cause {
				continue
			}
			days := int(f.inv.issued.Truncate(day).Sub(acted) / day)
			if days < 0 && days >= -30 {
				a.add(1, "repeats_after_action", c.id, "before")
			}
			for _, within := range []int{30, 60, 90} {
				if days > 0 && days <= within {
					after[within]++
				}
			}
		}
		watched := int(time.Now().UTC().Truncate(day).Sub(acted) / day)
		for within, name := range map[int]string{30: "30", 60: "60", 90: "90"} {
			a.add(float64(after[within]), "repeats_after_action", c.id, name)
			if watched >= within {
				a.add(1, "repeat_rate", c.seller, life.cause, "actions "+name)
				if after[within] > 0 {
					a.add(1, "repeat_rate", c.seller, life.cause, "repeated "+name)
				}
			}
		}
	}
}

// handling answers K10: what cases cost, and which of them cost more than comes back.
func (l *kpiLedger) handling(a answers) {
	type market struct{ seller, currency string }
	asked, paid := map[market]float64{}, map[market]float64{}
	for _, c := range l.world.cases {
		for _, p := range c.plans {
			asked[market{c.seller, c.currency}] += float64(p.asked) / float64(invoice.Unit)
			paid[market{c.seller, c.currency}] += float64(p.paid) / float64(invoice.Unit)
		}
	}
	for _, f := range l.findings {
		if f.c == nil {
			continue
		}
		group := []string{"handling_cost", f.inv.seller, f.currency, f.month}
		a.add(1, append(group, "cases")...)
		a.add(1, append(group, "single")...)
		a.add(money4(f.c.handling(f.life)), append(group, "handling")...)
		a.add(money4(f.life.paid), append(group, "recovered")...)
		of := market{f.inv.seller, f.currency}
		if paid[of] > 0 && float64(f.stake)/float64(invoice.Unit) < kpiHandling/float64(invoice.Unit)/(paid[of]/asked[of]) {
			a.add(1, append(group, "below")...)
		}
	}
	for _, c := range l.incident {
		group := []string{"handling_cost", c.seller, c.currency, l.world.begin.Format("2006-01-") + "01"}
		a.add(1, append(group, "cases")...)
		a.add(money4(c.handling(c.life())), append(group, "handling")...)
	}
}
