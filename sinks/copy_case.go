package sinks

import (
	"fmt"
	"strconv"
	"strings"

	"recoup/invoice"
)

// span is a point between two bounds.
type span struct {
	Point money `json:"point"`
	Low   money `json:"low"`
	High  money `json:"high"`
}

// day is a date, or the day of an instant in UTC; absent by default.
type day struct{ optionalMoment }

// caseRecord is case.v1: the columns, and below them the parts of the record that
// they come from.
type caseRecord struct {
	CaseID              string         `json:"case_id" ch:"case_id"`
	DedupKey            string         `json:"dedup_key" ch:"dedup_key"`
	Seq                 int64          `json:"seq" ch:"seq"`
	Action              string         `json:"action" ch:"action"`
	Kind                string         `json:"kind" ch:"kind"`
	Severity            string         `json:"severity" ch:"severity"`
	Origin              string         `json:"origin" ch:"origin"`
	Seller              string         `json:"seller" ch:"seller"`
	Stage               string         `json:"stage" ch:"stage"`
	InvoiceID           string         `json:"invoice_id" ch:"invoice_id"`
	Revision            int64          `json:"-" ch:"revision"`
	InvoiceNumber       string         `json:"invoice_number" ch:"invoice_number"`
	CustomerRef         string         `json:"customer_ref" ch:"customer_ref"`
	IncidentID          string         `json:"incident_id" ch:"incident_id"`
	IncidentDimension   string         `json:"-" ch:"incident_dimension"`
	IncidentValue       string         `json:"-" ch:"incident_value"`
	IncidentFinding     string         `json:"-" ch:"incident_finding"`
	IncidentSince       optionalMoment `json:"-" ch:"incident_since"`
	IncidentMembers     int64          `json:"-" ch:"incident_members"`
	IncidentExpected    float64        `json:"-" ch:"incident_expected"`
	IncidentFits        int64          `json:"-" ch:"incident_fits"`
	IncidentLossPerHour optionalMoney  `json:"-" ch:"incident_loss_per_hour"`
	IncidentAliases     []string       `json:"-" ch:"incident_aliases"`
	CustomerType        string         `json:"-" ch:"customer_type"`
	ProductFamily       string         `json:"-" ch:"product_family"`
	Level               string         `json:"-" ch:"level"`
	N                   int64          `json:"-" ch:"n"`
	CV                  float64        `json:"-" ch:"cv"`
	IssuedAt            moment         `json:"issued_at" ch:"issued_at"`
	ReceivedAt          moment         `json:"received_at" ch:"received_at"`
	DetectedAt          moment         `json:"detected_at" ch:"detected_at"`
	RespondBy           optionalMoment `json:"respond_by" ch:"respond_by"`
	EscalateAt          optionalMoment `json:"escalate_at" ch:"escalate_at"`
	LimitationDate      day            `json:"limitation_date" ch:"limitation_date"`
	DunningHold         bool           `json:"dunning_hold" ch:"dunning_hold"`
	Currency            string         `json:"currency" ch:"currency"`
	AmountBasis         string         `json:"amount_basis" ch:"amount_basis"`
	Billed              money          `json:"billed" ch:"billed"`
	Expected            money          `json:"expected" ch:"expected"`
	ExpectedLow         money          `json:"expected_low" ch:"expected_low"`
	ExpectedHigh        money          `json:"expected_high" ch:"expected_high"`
	DeviationPct        float64        `json:"deviation_pct" ch:"deviation_pct"`
	LossPoint           money          `json:"-" ch:"loss_point"`
	LossLow             money          `json:"-" ch:"loss_low"`
	LossHigh            money          `json:"-" ch:"loss_high"`
	Direction           string         `json:"direction" ch:"direction"`
	PError              float64        `json:"p_error" ch:"p_error"`
	PDispute            *float64       `json:"p_dispute" ch:"p_dispute"`
	Decision            string         `json:"-" ch:"decision"`
	HandlingCost        money          `json:"-" ch:"handling_cost"`
	ExpectedRecovery    optionalMoney  `json:"-" ch:"expected_recovery"`
	NetValue            optionalMoney  `json:"-" ch:"net_value"`
	CauseCodes          []string       `json:"-" ch:"causes"`
	CauseKinds          []string       `json:"-" ch:"cause_kinds"`
	CauseP              []float64      `json:"-" ch:"cause_p"`
	Rules               []string       `json:"rules" ch:"rules"`
	OwnerTeam           string         `json:"owner_team" ch:"owner_team"`
	SummaryEN           string         `json:"-" ch:"summary_en"`
	SummaryFR           string         `json:"-" ch:"summary_fr"`
	FlagCodes           []string       `json:"-" ch:"flags"`
	ResolvedBy          string         `json:"-" ch:"resolved_by"`
	ResolvedAt          optionalMoment `json:"-" ch:"resolved_at"`
	ResolvingDocument   string         `json:"-" ch:"resolving_document"`
	OptionNames         []string       `json:"-" ch:"recovery_options"`
	BestAmount          optionalMoney  `json:"-" ch:"best_amount"`
	BestPAccept         *float64       `json:"-" ch:"best_p_accept"`
	BestExpectedNet     optionalMoney  `json:"-" ch:"best_expected_net"`
	Topic               string         `json:"-" ch:"invoice_topic"`
	Incarnation         int64          `json:"-" ch:"invoice_incarnation"`
	Partition           uint32         `json:"-" ch:"invoice_partition"`
	Offset              int64          `json:"-" ch:"invoice_offset"`
	ModelVersion        string         `json:"-" ch:"model_version"`
	ConfigHash          string         `json:"-" ch:"config_hash"`
	origin

	caseParts `ch:"-"`
}

// caseParts are what of case.v1 is flattened.
type caseParts struct {
	Segment struct {
		CustomerType  string  `json:"customer_type"`
		ProductFamily string  `json:"product_family"`
		Level         string  `json:"level"`
		N             int64   `json:"n"`
		CV            float64 `json:"cv"`
	} `json:"segment"`
	Loss      span `json:"loss"`
	Economics struct {
		HandlingCost     money         `json:"handling_cost"`
		ExpectedRecovery optionalMoney `json:"expected_recovery"`
		NetValue         optionalMoney `json:"net_value"`
		Decision         string        `json:"decision"`
	} `json:"economics"`
	Causes []struct {
		Code string  `json:"code"`
		Kind string  `json:"kind"`
		P    float64 `json:"p"`
	} `json:"causes"`
	Summary struct {
		EN string `json:"en"`
		FR string `json:"fr"`
	} `json:"summary"`
	Flags []struct {
		Code string `json:"code"`
	} `json:"flags"`
	Resolution struct {
		By       string         `json:"by"`
		At       optionalMoment `json:"at"`
		Document string         `json:"document"`
	} `json:"resolution"`
	RecoveryOptions []struct {
		Option      string        `json:"option"`
		Amount      optionalMoney `json:"amount"`
		PAccept     *float64      `json:"p_accept"`
		ExpectedNet optionalMoney `json:"expected_net"`
	} `json:"recovery_options"`
	Incident incidentPart     `json:"incident"`
	Joined   []memberPart     `json:"members_joined"`
	Source   invoice.Position `json:"source"`
	Model    struct {
		Version    string `json:"version"`
		ConfigHash string `json:"config_hash"`
	} `json:"model"`
}

// incidentPart is what a case of kind incident says of its members.
type incidentPart struct {
	Dimension string         `json:"dimension"`
	Value     string         `json:"value"`
	Finding   string         `json:"finding"`
	Since     optionalMoment `json:"since"`
	Members   int64          `json:"members"`
	Expected  float64        `json:"expected"`
	Fits      int64          `json:"fits"`
	Aliases   []string       `json:"aliases"`
	Money     []struct {
		PerHour optionalMoney `json:"per_hour"`
	} `json:"money"`
}

func (r *caseRecord) flatten() error {
	if r.CaseID == "" || r.Seq < 1 {
		return fmt.Errorf("cannot read case %q, seq %d: expected a case_id and a seq of at least 1", r.CaseID, r.Seq)
	}
	r.Revision = revisionOf(r.DedupKey)
	s := &r.Segment
	r.CustomerType, r.ProductFamily, r.Level, r.N, r.CV = s.CustomerType, s.ProductFamily, s.Level, s.N, s.CV
	r.LossPoint, r.LossLow, r.LossHigh = r.Loss.Point, r.Loss.Low, r.Loss.High
	e := &r.Economics
	r.Decision, r.HandlingCost, r.ExpectedRecovery, r.NetValue = e.Decision, e.HandlingCost, e.ExpectedRecovery, e.NetValue
	for _, c := range r.Causes {
		r.CauseCodes, r.CauseKinds = append(r.CauseCodes, c.Code), append(r.CauseKinds, c.Kind)
		r.CauseP = append(r.CauseP, c.P)
	}
	r.SummaryEN, r.SummaryFR = r.Summary.EN, r.Summary.FR
	for _, f := range r.Flags {
		r.FlagCodes = append(r.FlagCodes, f.Code)
	}
	r.ResolvedBy, r.ResolvedAt, r.ResolvingDocument = r.Resolution.By, r.Resolution.At, r.Resolution.Document
	for i, o := range r.RecoveryOptions {
		if r.OptionNames = append(r.OptionNames, o.Option); i == 0 {
			r.BestAmount, r.BestPAccept, r.BestExpectedNet = o.Amount, o.PAccept, o.ExpectedNet
		}
	}
	r.flattenIncident()
	at := r.Source
	r.Topic, r.Incarnation, r.Partition, r.Offset = at.Topic, at.Incarnation, uint32(at.Partition), at.Offset
	r.ModelVersion, r.ConfigHash = r.Model.Version, r.Model.ConfigHash
	return nil
}

func (r *caseRecord) flattenIncident() {
	i := &r.Incident
	r.IncidentDimension, r.IncidentValue, r.IncidentFinding, r.IncidentSince = i.Dimension, i.Value, i.Finding, i.Since
	r.IncidentMembers, r.IncidentExpected, r.IncidentFits, r.IncidentAliases = i.Members, i.Expected, i.Fits, i.Aliases
	if len(i.Money) > 0 {
		r.IncidentLossPerHour = i.Money[0].PerHour
	}
}

// revisionOf reads the end of seller|invoice|<invoice_id>|r<revision>; 0 in other keys.
func revisionOf(dedupKey string) int64 {
	_, end, _ := strings.Cut(dedupKey, "|invoice|")
	_, number, _ := strings.Cut(end, "|r")
	revision, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0
	}
	return revision
}

// memberPart is one of members_joined.
type memberPart struct {
	Seller      string `json:"seller"`
	InvoiceID   string `json:"invoice_id"`
	Revision    int64  `json:"revision"`
	CustomerRef string `json:"customer_ref"`
	CaseID      string `json:"case_id"`
	Currency    string `json:"currency"`
	Loss        span   `json:"loss"`
	Finding     string `json:"finding"`
	IssuedAt    moment `json:"issued_at"`
	Decision    string `json:"decision"`
}

// memberRow is a row of incident_members: an invoice that joined the incident with
// the record of the case that says so.
type memberRow struct {
	IncidentID  string `ch:"incident_id"`
	Seller      string `ch:"seller"`
	InvoiceID   string `ch:"invoice_id"`
	Revision    int64  `ch:"revision"`
	CustomerRef string `ch:"customer_ref"`
	CaseID      string `ch:"case_id"`
	Finding     string `ch:"finding"`
	Decision    string `ch:"decision"`
	IssuedAt    moment `ch:"issued_at"`
	Currency    string `ch:"currency"`
	LossPoint   money  `ch:"loss_point"`
	LossLow     money  `ch:"loss_low"`
	LossHigh    money  `ch:"loss_high"`
	At          moment `ch:"at"`
	origin
}

func (r *memberRow) flatten() error { return nil }

// members returns the rows of incident_members that a record of a case brings.
func (r *caseRecord) members() []logRow {
	rows := make([]logRow, 0, len(r.Joined))
	for _, m := range r.Joined {
		from := r.origin
		from.Raw = "" // the record stands in cases
		rows = append(rows, &memberRow{
			IncidentID: r.CaseID, Seller: m.Seller, InvoiceID: m.InvoiceID, Revision: m.Revision, CustomerRef: m.CustomerRef,
			CaseID: m.CaseID, Finding: m.Finding, Decision: m.Decision, IssuedAt: m.IssuedAt, Currency: m.Currency,
			LossPoint: m.Loss.Point, LossLow: m.Loss.Low, LossHigh: m.Loss.High, At: moment(r.RecordedAt), origin: from,
		})
	}
	return rows
}
