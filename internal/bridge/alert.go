// Package bridge tells Alertmanager and webhooks of the cases in recoup.cases: each is
// fired once it is open, told again when it changes, and resolved when it is over.
//
// Every receiver is a consumer group of its own on the topic, so one that is away holds
// up no other, and processes share the work. What was told is what the group has
// committed: a worker reads its partition up to there to know it again, and from there
// on tells the difference. A crash between telling and committing tells a case again,
// with the same dedup key; nothing is told never.
package bridge

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"recoup/cases"
	"recoup/cases/incident"
	"recoup/detectors"
)

// AlertName is the alertname of every case: its other labels say what it is about.
const AlertName = "RecoupCase"

// Alert is what leaves the house of one case: no customer, no invoice, no person and no
// free text. Its dedup key is the case's id, which is one to one with the case's dedup
// key but tells nothing: that key may hold an invoice's id or a person's pseudonym.
type Alert struct {
	// CaseID is the dedup key, the same at every receiver.
	CaseID string
	// Seq rises by one with each record of the case.
	Seq int64
	// Started is when the case was detected.
	Started time.Time
	// Labels name the alert; no value that changes is among them.
	Labels map[string]string
	// Annotations are the page and its parts.
	Annotations map[string]string

	over   bool // the case is resolved
	weight int  // doublings of what it is about
	status cases.Status
}

// Boards are where alerts lead to.
type Boards struct {
	// Grafana is the address of the Grafana that has recoup's boards; "": no board is linked to.
	Grafana string
	// Language of the boards, en or fr.
	Language string
}

// boardOf is the board by the kind of a case; the French one ends with -fr.
var boardOf = map[cases.Kind]string{cases.KindIncident: "recoup-causes", cases.KindRate: "recoup-segment",
	cases.KindBlind: "recoup-pipeline", cases.KindInvoice: "recoup-invoice"}

// NewAlert says of a case what may leave the house.
func NewAlert(c *cases.Case, boards Boards) *Alert {
	page := incident.PageOf(c)
	a := &Alert{CaseID: c.CaseID, Seq: c.Seq, Started: c.DetectedAt.UTC(), over: c.Action == cases.ActionResolve,
		status: c.Status}
	a.Labels = filled(map[string]string{"alertname": AlertName, "seller": c.Seller, "kind": string(c.Kind),
		"severity": string(c.Severity), "team": c.OwnerTeam, "case_id": c.CaseID, "incident_id": c.IncidentID})
	if len(c.Causes) > 0 {
		a.Labels["cause"] = c.Causes[0].Code
	}
	a.Annotations = filled(map[string]string{"summary": fmt.Sprintf("[%s] %s: %s", c.Severity, page.Title, page.Facts),
		"page": page.Text(), "since": page.Since, "why": page.Why, "do_first": strings.Join(page.First, "  "),
		"owner": page.Owner, "runbook": page.Runbook, "case": page.Case, "ends": page.Ends, "model": page.Model,
		"status": string(c.Status), "dashboard": boards.about(c)})
	if i := c.Incident; c.Kind == cases.KindIncident && i != nil {
		// Alertmanager mutes the members by the one label, a known promotion by the other.
		a.Labels["incident_id"] = c.CaseID
		if i.Dimension == detectors.DimensionPromotion.String() && i.Value != "" {
			a.Labels["promotion"] = i.Value
		}
		a.weight = doublings(i.Members)
		a.Annotations["query"] = c.Links.Query
	}
	return a
}

// around is how far a board is opened before the invoice, or the first one, was issued,
// and behind a single one: its days of issue are whole ones.
const around = 24 * time.Hour

// about is the address of the board that tells more, narrowed to the case's cause,
// segment and time. It does not name an invoice: the board lists those of that time.
func (b Boards) about(c *cases.Case) string {
	board := boardOf[c.Kind]
	if b.Grafana == "" || board == "" {
		return ""
	}
	if b.Language == "fr" {
		board += "-fr"
	}
	issued := cmp.Or(c.IssuedAt, c.DetectedAt)
	narrow := map[string]string{"seller": c.Seller, "customer_type": c.Segment.CustomerType,
		"product_family": c.Segment.ProductFamily}
	if i := c.Incident; i != nil && i.Dimension == detectors.DimensionSegment.String() {
		narrow["customer_type"], narrow["product_family"], _ = strings.Cut(i.Value, "/")
	}
	if c.Currency != noCurrency {
		narrow["currency"] = c.Currency
	}
	if len(c.Causes) > 0 {
		narrow["cause"] = c.Causes[0].Code
	}
	query := url.Values{"from": {millis(issued.Add(-around))}, "to": {"now"}}
	if c.Kind == cases.KindInvoice {
		query.Set("to", millis(issued.Add(around)))
	}
	for name, value := range filled(narrow) {
		query.Set("var-"+name, value)
	}
	return strings.TrimRight(b.Grafana, "/") + "/d/" + board + "?" + query.Encode()
}

// noCurrency is that of cases without money, by ISO 4217.
const noCurrency = "XXX"

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// filled leaves out what is empty.
func filled(m map[string]string) map[string]string {
	maps.DeleteFunc(m, func(_, value string) bool { return value == "" })
	return m
}

func doublings(n int64) (times int) {
	for ; n > 1; n /= 2 {
		times++
	}
	return times
}

// differs tells whether a receiver that was told one alert is to hear of the other:
// when its labels or its state change, or when it has doubled.
func (a *Alert) differs(told *Alert) bool {
	return !maps.Equal(a.Labels, told.Labels) || a.status != told.status || a.weight > told.weight
}
