package source

import (
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"recoup/cases"
	"recoup/invoice"
)

// caseFrame is a frame of cases without any. A customer is in none of its fields.
func caseFrame() *data.Frame {
	frame := data.NewFrame("cases",
		data.NewField("time", nil, []time.Time{}),
		data.NewField("case_id", nil, []string{}),
		data.NewField("seller", nil, []string{}),
		data.NewField("action", nil, []string{}),
		data.NewField("kind", nil, []string{}),
		data.NewField("severity", nil, []string{}),
		data.NewField("status", nil, []string{}),
		data.NewField("outcome", nil, []string{}),
		data.NewField("invoice_id", nil, []string{}),
		data.NewField("cause", nil, []string{}),
		data.NewField("loss", nil, []*float64{}),
		data.NewField("currency", nil, []string{}),
		data.NewField("summary", nil, []string{}),
		data.NewField("respond_by", nil, []*time.Time{}),
		data.NewField("owner_team", nil, []string{}),
		data.NewField("runbook", nil, []string{}),
	)
	frame.Meta = &data.FrameMeta{Type: data.FrameTypeTable, TypeVersion: typeVersion}
	return frame
}

// appendCase adds what a record says of its case.
func appendCase(frame *data.Frame, at time.Time, c *cases.Case) {
	cause := ""
	if len(c.Causes) > 0 {
		cause = c.Causes[0].Code
	}
	var respondBy *time.Time
	if !c.RespondBy.IsZero() {
		respondBy = &c.RespondBy
	}
	frame.AppendRow(at, c.CaseID, c.Seller, string(c.Action), string(c.Kind), string(c.Severity), string(c.Status),
		string(c.Outcome), c.InvoiceID, cause, amount(c.Loss.Point), c.Currency, c.Summary.EN, respondBy, c.OwnerTeam,
		c.Links.Runbook)
}

// amount is money as Grafana draws it; it is exact up to here.
func amount(a invoice.Amount) *float64 {
	f := float64(a) / float64(invoice.Unit)
	return &f
}
