package bridge

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/cases"
	"recoup/cases/message"
	"recoup/detectors"
)

// english is a Grafana with the English boards.
var english = Boards{"https://grafana.example/", "en"}

// kpi.md: labels are identity only, and tell two alerts apart.
func TestLabelsAreIdentity(t *testing.T) {
	small := NewAlert(incidentCase("BLACK25", 1, cases.ActionOpen, cases.SeverityCritical, 4), english)
	large := NewAlert(incidentCase("BLACK25", 9, cases.ActionUpdate, cases.SeverityCritical, 4000), Boards{})
	other := NewAlert(incidentCase("WINTER", 1, cases.ActionOpen, cases.SeverityCritical, 4), Boards{})
	want := map[string]string{"alertname": "RecoupCase", "seller": "acme", "kind": "incident", "cause": "promotion",
		"severity": "critical", "team": "sales", "case_id": small.CaseID, "incident_id": small.CaseID,
		"promotion": "BLACK25"}
	if !maps.Equal(small.Labels, want) || !maps.Equal(large.Labels, want) {
		t.Errorf("labels %v and %v, want %v", small.Labels, large.Labels, want)
	}
	if other.Labels["case_id"] == small.CaseID {
		t.Error("two incidents of one cause are one alert")
	}
	if other.Annotations["dashboard"] != "" || small.Annotations["runbook"] != "docs/runbooks/promotion.md" {
		t.Errorf("annotations %v", other.Annotations)
	}
}

// An alert leads to the board that tells more, narrowed to what it is about; an invoice's
// board is opened at its day, and does not name it.
func TestBoardsAreNarrowed(t *testing.T) {
	blind := &cases.Case{Kind: cases.KindBlind, Seller: "acme & co", DetectedAt: monday, Currency: "XXX"}
	rate := &cases.Case{Kind: cases.KindRate, Seller: "acme", IssuedAt: monday, DetectedAt: monday.Add(time.Hour),
		Segment: cases.Segment{CustomerType: "B2C", ProductFamily: "fibre"}}
	shared := incidentCase("BLACK25", 1, cases.ActionOpen, cases.SeverityError, 4)
	segment := incidentCase("", 1, cases.ActionOpen, cases.SeverityError, 4)
	segment.Incident.Dimension, segment.Incident.Value = "segment", "B2B/mobile"
	const from = "https://grafana.example/d/recoup-%s?from=1772352000000&to="
	for want, c := range map[string]*cases.Case{
		"pipeline|now&var-seller=acme+%26+co":                                        blind,
		"segment|now&var-customer_type=B2C&var-product_family=fibre&var-seller=acme": rate,
		"causes|now&var-cause=promotion&var-currency=EUR&var-seller=acme":            shared,
		"causes|now&var-cause=promotion&var-currency=EUR&var-customer_type=B2B&var-product_family=mobile" +
			"&var-seller=acme": segment,
		"invoice|1772524800000&var-cause=promotion&var-currency=EUR&var-seller=acme": invoiceCase("INV-7", 1, ""),
	} {
		board, rest, _ := strings.Cut(want, "|")
		for suffix, boards := range map[string]Boards{"": english, "-fr": {english.Grafana, "fr"}} {
			if got := NewAlert(c, boards).Annotations["dashboard"]; got != fmt.Sprintf(from, board+suffix)+rest {
				t.Errorf("%s: board %s", want, got)
			}
		}
	}
}

// The boards that alerts link to are there, and know what they are narrowed to.
func TestBoardsExist(t *testing.T) {
	known := map[cases.Kind][]string{cases.KindBlind: {"seller"}, // it has no cause and no segment
		cases.KindRate:     {"seller", "currency", "customer_type", "product_family"},
		cases.KindIncident: {"seller", "currency", "customer_type", "product_family", "cause"},
		cases.KindInvoice:  {"seller", "currency", "customer_type", "product_family", "cause"}}
	for kind, uid := range boardOf {
		name := strings.TrimPrefix(uid, "recoup-")
		for lang, uid := range map[string]string{"en": uid, "fr": uid + "-fr"} {
			content, err := os.ReadFile("../../deploy/grafana/dashboards/clickhouse/" + lang + "/" + name + ".json")
			board := string(content)
			if err != nil || !strings.Contains(board, `"uid": "`+uid+`"`) {
				t.Errorf("cases of kind %s link to %s, which is not there: %v", kind, uid, err)
			}
			for _, variable := range known[kind] {
				if !strings.Contains(board, `"name": "`+variable+`"`) {
					t.Errorf("%s has no variable %s", uid, variable)
				}
			}
		}
	}
}

// Nothing personal leaves: everything of a case that names a customer, an invoice or a
// person, or was written by one, is marked; no mark may be in what is sent.
func TestNothingPersonalLeaves(t *testing.T) {
	const secret = "SECRET"
	content, err := os.ReadFile("../../cases/testdata/case.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []cases.Kind{cases.KindInvoice, cases.KindIncident, cases.KindRate, cases.KindBlind} {
		for cause := range detectors.Causes {
			c, err := cases.Decode(content)
			if err != nil {
				t.Fatal(err)
			}
			c.Kind, c.InvoiceID, c.Number, c.Customer, c.Order = kind, secret, secret, secret, secret
			c.DedupKey = cases.DedupKey(c.Seller, secret, 0)
			c.CaseID = cases.ID(c.DedupKey)
			c.Causes = []detectors.Finding{{Code: detectors.CauseAt(cause), Kind: "delivery", Evidence: []string{secret}}}
			c.Summary, c.Country, c.Page = cases.Summary{EN: secret, FR: secret}, secret, secret
			c.Draft = &message.Draft{Body: secret}
			c.Links.Dashboard = "https://grafana.example/?invoice=" + secret
			c.Links.Query = "SELECT '" + secret + "'"
			c.Joined = []cases.Member{{InvoiceID: secret, Customer: secret}}
			c.Watch = &cases.Watch{Since: monday, Segment: "B2C/fibre", Reason: "silent", Source: "billing-1"}
			if kind == cases.KindIncident {
				c.Links.Query = "SELECT 1"
				c.Incident = &cases.Incident{ID: c.CaseID, Key: secret, Seller: "acme", Dimension: "operator", Value: secret,
					Members: 3, Aliases: []string{secret}}
			}
			c.Segment.CustomerType = "B2C"
			alert := NewAlert(c, english)
			for _, sent := range []any{newPosted(alert, time.Now()), body(Event{Fire, alert, nil})} {
				text, err := json.Marshal(sent)
				if err != nil || strings.Contains(string(text), secret) {
					t.Fatalf("%s, cause %s: %v:\n%s", kind, detectors.CauseAt(cause), err, text)
				}
			}
			if lines := strings.Split(alert.Annotations["page"], "\n"); len(lines) > 12 ||
				slices.ContainsFunc(lines, func(l string) bool { return len([]rune(l)) > 60 }) {
				t.Errorf("the page does not fit: %q", lines)
			}
		}
	}
}
