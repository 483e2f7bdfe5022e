package sinks

import "strings"

// early answers K5, K9 (is the cause right) and K12.
func (l *kpiLedger) early(a answers) {
	for _, c := range l.world.cases {
		if c.kind == "invoice" && c.origin == "detector" {
			path := []string{"time_to_detect", c.seller, c.inv.issued.Format("2006-01-") + "01"}
			a.add(1, append(path, "cases")...)
			a[join(path, "received")] = 1 // the world receives a second after issue, and detects one later
			a[join(path, "issued")] = 2
		}
	}
	for _, f := range l.findings {
		if f.state != "confirmed" || f.byAudit {
			continue
		}
		if f.inv.suspect {
			a.add(1, "cause_confusion", f.inv.seller, f.inv.cause, f.cause)
		}
		a.add(1, "prevented_before_issue", f.inv.seller, f.currency, f.month, f.inv.direction(), "issued_wrong")
	}
	for _, inv := range l.world.invoices {
		if inv.draft && inv.suspect && !inv.canary {
			path := []string{"prevented_before_issue", inv.seller, inv.currency, inv.issued.Format("2006-01-") + "01",
				inv.direction()}
			a.add(1, append(path, "prevented")...)
			a.add(money4(abs(inv.loss)), append(path, "loss")...)
		}
	}
}

func join(path []string, end string) string { return strings.Join(append(path, end), "|") }
