package source

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"recoup/cases"
	"recoup/dashboards/question"
	"recoup/detectors"
	"recoup/internal/explain"
	"recoup/invoice"
	"recoup/sinks"
)

const (
	usualCases = 100
	mostCases  = 500
	// mostChannel is how long Grafana lets the name of a channel be, in bytes.
	mostChannel = 160
)

// openCases are the records of the open cases of a seller: those that are kept as
// open, which is up to a minute old, and what was copied since.
const openCases = `SELECT raw FROM
(
    SELECT raw FROM cases
    WHERE seller = {seller:String} AND parse_error = '' AND case_id IN (
        SELECT case_id FROM case_current WHERE seller = {seller:String} AND is_open
        ORDER BY detected_at DESC LIMIT {limit:UInt32})
    ORDER BY case_id, seq DESC LIMIT 1 BY case_id
)
UNION ALL
SELECT raw FROM
(
    SELECT raw FROM cases
    WHERE seller = {seller:String} AND parse_error = '' AND inserted_at > now() - INTERVAL 3 MINUTE
    ORDER BY inserted_at DESC LIMIT {limit:UInt32}
)`

// cases tells the open cases, the newest first, and on which channel the next ones come.
func (s *Source) cases(ctx context.Context, q *query) (data.Frames, error) {
	seller, err := q.required(question.FilterSeller)
	if err != nil {
		return nil, err
	}
	if q.Limit < 0 {
		return nil, refuse(http.StatusBadRequest, "cannot tell %d open cases: want 1 to %d", q.Limit, mostCases)
	}
	limit := min(cmp.Or(q.Limit, usualCases), mostCases)
	parameters := map[string]string{"seller": sinks.EncodeParameter(seller), "limit": strconv.Itoa(limit + 1)}
	answer, err := s.reader.Ask(ctx, sinks.Ask{SQL: openCases, Parameters: parameters, MaxRows: 2 * (limit + 1)})
	if err != nil {
		return nil, decline(http.StatusBadGateway, question.Text{EN: "cannot tell the open cases: %w",
			FR: "impossible de lister les dossiers ouverts : %w"}, err)
	}
	newest := map[string]*cases.Case{}
	for _, row := range answer.Rows {
		c := &cases.Case{}
		if err := json.Unmarshal([]byte(textOf(row[0])), c); err != nil {
			return nil, fmt.Errorf("cannot read a case: %w", err)
		}
		if old := newest[c.CaseID]; old == nil || old.Seq < c.Seq {
			newest[c.CaseID] = c
		}
	}
	var open []*cases.Case
	for _, c := range newest {
		if c.Action != cases.ActionResolve {
			open = append(open, c)
		}
	}
	slices.SortFunc(open, func(a, b *cases.Case) int {
		return cmp.Or(b.DetectedAt.Compare(a.DetectedAt), strings.Compare(a.CaseID, b.CaseID))
	})
	frame := caseFrame(q.Lang)
	for _, c := range open[:min(limit, len(open))] {
		appendCase(frame, c.DetectedAt, c, q.Lang)
	}
	if channel := "ds/" + s.uid + "/" + channelOf(q.Lang, seller); len(channel) <= mostChannel {
		frame.Meta.Channel = channel // else Grafana refuses it, and the frame comes with each refresh only
	}
	if len(open) > limit {
		q.inform(frame, data.NoticeSeverityWarning, question.Text{
			EN: "These are the newest %d open cases; there are more.",
			FR: "Ce sont les %d dossiers ouverts les plus récents ; il y en a d'autres."}, limit)
	}
	return data.Frames{frame}, nil
}

// channelName writes a seller so that it may stand in the path of a channel, which takes
// letters, digits and _-=. only: other bytes as =XX.
func channelName(seller string) string {
	return strings.NewReplacer("%", "=", "+", "=20", "~", "=7E").Replace(url.QueryEscape(seller))
}

// sellerOf reads what channelName wrote; ok is false for anything else.
func sellerOf(name string) (seller string, ok bool) {
	seller, err := url.PathUnescape(strings.ReplaceAll(name, "=", "%"))
	return seller, err == nil && seller != "" && channelName(seller) == name
}

// caseColumns are the columns of a frame of cases. A customer is in none of them.
var caseColumns = []struct {
	name   string
	title  question.Text
	values any
}{
	{"time", question.Text{EN: "Time", FR: "Heure"}, []time.Time{}},
	{"case_id", question.Text{EN: "Case", FR: "Dossier"}, []string{}},
	// The front end shows each once.
	{"seq", question.Text{EN: "Record of the case", FR: "Enregistrement du dossier"}, []int64{}},
	{"seller", question.Text{EN: "Seller", FR: "Vendeur"}, []string{}},
	{"action", question.Text{EN: "Action", FR: "Action"}, []string{}},
	{"kind", question.Text{EN: "Kind", FR: "Genre"}, []string{}},
	{"severity", question.Text{EN: "Severity", FR: "Gravité"}, []string{}},
	{"status", question.Text{EN: "Status", FR: "État"}, []string{}},
	{"outcome", question.Text{EN: "Outcome", FR: "Issue"}, []string{}},
	{"invoice_id", question.Text{EN: "Invoice", FR: "Facture"}, []string{}},
	{"cause", question.Text{EN: "Cause", FR: "Cause"}, []string{}},
	{"loss", question.Text{EN: "At stake", FR: "Enjeu"}, []*float64{}},
	{"currency", question.Text{EN: "Currency", FR: "Devise"}, []string{}},
	{"summary", question.Text{EN: "Summary", FR: "Résumé"}, []string{}},
	{"respond_by", question.Text{EN: "Answer by", FR: "Répondre avant"}, []*time.Time{}},
	{"owner_team", question.Text{EN: "Team", FR: "Équipe"}, []string{}},
	{"runbook", question.Text{EN: "Runbook", FR: "Procédure"}, []string{}},
}

// codeWords are what codes mean, by the field that holds them: what the catalogue says of
// columns of the same name, and of what it has no such column for.
var codeWords = func() map[string]map[string]question.Text {
	words := map[string]map[string]question.Text{"action": {}, "footing": {}}
	for _, asked := range question.All() {
		for _, column := range asked.Columns {
			if len(column.Words) > 0 {
				words[column.Name] = column.Words
			}
		}
	}
	for _, action := range []cases.Action{cases.ActionOpen, cases.ActionUpdate, cases.ActionResolve} {
		words["action"][string(action)] = words["what"]["case "+string(action)]
	}
	for _, f := range detectors.Footings {
		words["footing"][string(f)] = question.Text{EN: explain.English.Footing(f), FR: explain.French.Footing(f)}
	}
	words["state"] = maps.Clone(words["state"]) // of one case: its last step, too
	maps.Copy(words["state"], words["status"])
	words["code"], words["true_cause"], words["owner_team"] = words["cause"], words["cause"], words["team"]
	return words
}()

// caseFrame is a frame of cases without any.
func caseFrame(lang question.Lang) *data.Frame {
	frame := data.NewFrame("cases")
	for _, c := range caseColumns {
		field := data.NewField(c.name, nil, c.values)
		field.Config = &data.FieldConfig{DisplayNameFromDS: c.title.In(lang), Mappings: mappingsOf(codeWords[c.name], lang)}
		if c.name == "runbook" {
			field.Config.Links = []data.DataLink{{Title: c.title.In(lang), URL: "${__value.raw}", TargetBlank: true}}
		}
		frame.Fields = append(frame.Fields, field)
	}
	frame.Meta = &data.FrameMeta{Type: data.FrameTypeTable, TypeVersion: typeVersion}
	return frame
}

// appendCase adds what a record says of its case.
func appendCase(frame *data.Frame, at time.Time, c *cases.Case, lang question.Lang) {
	cause := ""
	if len(c.Causes) > 0 {
		cause = c.Causes[0].Code
	}
	var respondBy *time.Time
	if !c.RespondBy.IsZero() {
		respondBy = &c.RespondBy
	}
	frame.AppendRow(at, c.CaseID, c.Seq, c.Seller, string(c.Action), string(c.Kind), string(c.Severity), string(c.Status),
		string(c.Outcome), c.InvoiceID, cause, amount(c.Loss.Point), c.Currency,
		question.Text{EN: c.Summary.EN, FR: c.Summary.FR}.In(lang), respondBy, c.OwnerTeam, onWeb(c.Links.Runbook))
}

// onWeb is an address that a browser opens from anywhere; "" for a path in a repository.
func onWeb(address string) string {
	if strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://") {
		return address
	}
	return ""
}

// amount is money as Grafana draws it; it is exact up to here.
func amount(a invoice.Amount) *float64 {
	f := float64(a) / float64(invoice.Unit)
	return &f
}
