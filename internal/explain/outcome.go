package explain

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"recoup/detectors"
	"recoup/invoice"
)

// decision says what was decided and why, and what became of it.
func (p *printer) decision() {
	v := p.v
	p.heading("What was decided")
	if v.Suspect {
		p.line("  suspect: its probability, %s, is not below %s", Probability(v.PError), p.threshold())
	}
	p.line("  %s: %s", Decision(v.Decision), p.why())
	if v.IncidentID != "" {
		p.pair("incident", "%s", v.IncidentID)
	}
	if v.CaseID != "" {
		p.pair("case", "%s", v.CaseID)
	}
	switch c := p.s.Case; {
	case c != nil:
		p.caseState(c)
	case v.CaseID != "" && !p.s.StoredAt.IsZero():
		p.pair("", "its record has not been copied into ClickHouse")
	}
	if v.Taught {
		p.pair("learnt", "its amount became part of what is usual")
	} else {
		p.pair("learnt", "nothing: %s", p.untaught())
	}
}

// why gives the reason of the decision.
func (p *printer) why() string {
	v := p.v
	cost, priced := p.s.Settings.HandlingCost[v.Currency]
	switch {
	case p.inv.Canary:
		return "recoup made this invoice itself, to prove that it sees"
	case p.inv.Type != invoice.Standard:
		return "it is no standard invoice"
	case !v.Suspect:
		return "its probability is below " + p.threshold()
	case v.Decision == detectors.DecisionHold:
		return "it is a draft; a person looks before it is sent"
	case v.Decision == detectors.DecisionOpenCase && v.Causes[0].Code+":"+v.Causes[0].Kind == "billing_system:currency":
		return "all of it is at stake, as nobody knows what it should be in the usual currency"
	case v.Decision == detectors.DecisionBundle:
		return "it shares its cause with others, which are worked together"
	case slices.Contains(v.Rules, detectors.RuleTooLate):
		return "it is too late to claim the money"
	case !p.known():
		return "by settings that are not those in force now"
	case !priced:
		return fmt.Sprintf("no cost of handling is set for %s (scoring.handling_cost)", v.Currency)
	}
	if v.Loss.Point == 0 {
		return "no money is at stake that would outweigh the " + Money(cost, v.Currency) + " that working a case costs"
	}
	rate, of := v.RecoveryRate(), Money(v.Loss.Point, v.Currency)
	if rate < 1 {
		of += fmt.Sprintf(", of which %.0f %% come back by %d closed cases,", 100*rate, v.Model.Recovery.Cases)
	}
	worth, _ := v.Loss.Point.MulFixed(invoice.Fixed(math.Round(v.PError * rate * float64(invoice.One))))
	compared := "at least"
	if v.Decision == detectors.DecisionLogOnly {
		compared = "less than"
	}
	return fmt.Sprintf("%s of %s are worth %s the %s that working a case costs", Probability(v.PError), of, compared,
		Money(cost, v.Currency)) + worthOf(worth, v.Currency)
}

// worthOf adds the product, which nobody wants to work out.
func worthOf(worth invoice.Amount, currency string) string {
	return " (" + Money(roundCents(worth), currency) + ")"
}

// roundCents drops what is less than a hundredth: an expectation has no more.
func roundCents(a invoice.Amount) invoice.Amount { return a / 100 * 100 }

// threshold names the limit of suspicion.
func (p *printer) threshold() string {
	if p.s.Threshold > 0 {
		return Probability(p.s.Threshold) + ", where suspicion begins"
	}
	if set := p.s.Settings.SuspectThreshold; p.known() && (set > 0 || p.v.Model.Version == detectors.ModelVersion) {
		return fmt.Sprintf("%g %%, where suspicion begins", 100*cmp.Or(set, 0.5))
	}
	return "where suspicion begins with model " + p.v.Model.Version
}

// untaught says why an invoice teaches nothing.
func (p *printer) untaught() string {
	switch {
	case p.inv.Canary:
		return "recoup made it itself"
	case p.inv.Type != invoice.Standard:
		return "it is no standard invoice"
	case p.inv.Stage == invoice.PreIssue:
		return "it is a draft"
	case p.v.Suspect:
		return "suspects never do, so that errors cannot become usual"
	}
	return "it came too late"
}

// caseState says what became of the case.
func (p *printer) caseState(c *Case) {
	p.pair("", "%s, of team %s, opened %s", c.Severity, c.OwnerTeam, instant(c.DetectedAt))
	state := "waits for an answer until " + instant(c.RespondBy)
	switch {
	case c.Outcome != "":
		state = "decided: " + strings.ReplaceAll(c.Outcome, "_", " ")
		if c.Cause != "" {
			state += ", cause " + c.Cause
		}
	case c.Status != "":
		state = strings.ReplaceAll(c.Status, "_", " ")
	}
	if !c.Open {
		state += "; closed"
	}
	p.pair("state", "%s", state)
	if c.ConfirmedLoss.Set {
		p.pair("confirmed", "%s %s lost, %s came back", c.ConfirmedLoss.Value, c.Currency, Money(c.Paid, c.Currency))
	}
	if c.Links.Runbook != "" {
		p.pair("runbook", "%s", c.Links.Runbook)
	}
	if c.Links.Query != "" {
		p.pair("query", "%s", c.Links.Query)
	}
}

// origin says where the verdict comes from.
func (p *printer) origin() {
	v := p.v
	p.heading("Where this comes from")
	at := v.Source
	if p.s.StoredAt.IsZero() {
		p.pair("line", "%d", at.Offset+1)
	} else {
		p.pair("record", "%s/%d/%d%s, received %s", at.Topic, at.Partition, at.Offset, incarnation(at.Incarnation),
			instant(p.s.ReceivedAt))
		p.pair("stored", "%s", instant(p.s.StoredAt))
	}
	if made := p.made(); made != "" {
		p.pair("made by", "%s", made)
	}
	if v.LateBy > 0 {
		p.pair("late", "issued %s before the newest invoice that was known", v.LateBy)
	}
	if slices.Contains(v.Rules, detectors.RuleImplausibleTime) {
		p.pair("time", "its date of issue lies too far after its record; the record's time was used")
	}
	settings := "those in force now"
	if !p.known() {
		settings = "not those in force now"
	}
	p.pair("model", "%s, settings %s (%s)", v.Model.Version, v.Model.ConfigHash, settings)
	if v.Model.ReferenceAsOf != "" {
		p.pair("references", "as known on %s", v.Model.ReferenceAsOf)
	}
	if v.Model.FeedbackAsOf != "" {
		p.pair("outcomes", "as known on %s", v.Model.FeedbackAsOf)
	}
}

func incarnation(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (incarnation %d)", n)
}

// made names the system, release and batch an invoice came from.
func (p *printer) made() string {
	var parts []string
	for _, part := range []struct{ name, value string }{{"", p.inv.SourceSystem}, {"release ", p.inv.SourceRelease},
		{"batch ", p.inv.BatchID}, {"entered by ", p.inv.EntryChannel}} {
		if part.value != "" {
			parts = append(parts, part.name+part.value)
		}
	}
	return strings.Join(parts, ", ")
}
