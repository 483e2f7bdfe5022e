package explain

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// decision says what was decided and why, and what became of it.
func (p *printer) decision() {
	v := p.v
	p.heading(p.Say("What was decided", "Ce qui a été décidé"))
	if v.Suspect {
		p.line(p.Say("  suspect: its probability, %s, is not below %s",
			"  suspecte : sa probabilité, %s, n'est pas au-dessous de %s", Probability(v.PError), p.threshold()))
	}
	p.line("  " + p.Decision(v.Decision) + p.Say(": ", " : ") + p.why())
	if v.IncidentID != "" {
		p.pair("incident", v.IncidentID)
	}
	if v.CaseID != "" {
		p.pair(p.Say("case", "dossier"), v.CaseID)
	}
	switch c := p.s.Case; {
	case c != nil:
		p.caseState(c)
	case v.CaseID != "" && !p.s.StoredAt.IsZero():
		p.pair("", p.Say("its record has not been copied into ClickHouse",
			"son enregistrement n'a pas été copié dans ClickHouse"))
	}
	learnt := p.Say("its amount became part of what is usual", "son montant fait maintenant partie de l'habituel")
	if !v.Taught {
		learnt = p.Say("nothing: %s", "rien : %s", p.untaught())
	}
	p.pair(p.Say("learnt", "appris"), learnt)
}

// why gives the reason of the decision.
func (p *printer) why() string {
	v := p.v
	_, priced := p.s.Settings.HandlingCost[v.Currency]
	switch {
	case p.inv.Canary:
		return p.Say("recoup made this invoice itself, to prove that it sees",
			"recoup a fait cette facture lui-même, pour prouver qu'il voit")
	case p.inv.Type != invoice.Standard:
		return p.Say("it is no standard invoice", "ce n'est pas une facture ordinaire")
	case !v.Suspect:
		return p.Say("its probability is below %s", "sa probabilité est au-dessous de %s", p.threshold())
	case v.Decision == detectors.DecisionHold:
		return p.Say("it is a draft; a person looks before it is sent",
			"c'est un projet ; quelqu'un le regarde avant l'envoi")
	case v.Decision == detectors.DecisionOpenCase && v.Causes[0].Code+":"+v.Causes[0].Kind == "billing_system:currency":
		return p.Say("all of it is at stake, as nobody knows what it should be in the usual currency",
			"tout est en jeu, car nul ne sait ce qu'elle devrait être dans la devise habituelle")
	case v.Decision == detectors.DecisionBundle:
		return p.Say("it shares its cause with others, which are worked together",
			"elle partage sa cause avec d'autres, traitées ensemble")
	case slices.Contains(v.Rules, detectors.RuleTooLate):
		return p.Say("it is too late to claim the money", "il est trop tard pour réclamer l'argent")
	case !p.known():
		return p.Say("by settings that are not those in force now", "par des réglages qui ne sont pas ceux en vigueur")
	case !priced:
		return p.Say("no cost of handling is set for %s (scoring.handling_cost)",
			"aucun coût de traitement n'est réglé pour %s (scoring.handling_cost)", v.Currency)
	}
	return p.pays()
}

// pays weighs what is at stake against what working a case costs.
func (p *printer) pays() string {
	v := p.v
	cost := p.money(p.s.Settings.HandlingCost[v.Currency], v.Currency)
	if v.Loss.Point == 0 {
		return p.Say("no money is at stake that would outweigh the %s that working a case costs",
			"aucun argent en jeu ne dépasserait les %s que coûte un dossier", cost)
	}
	rate, of := v.RecoveryRate(), p.money(v.Loss.Point, v.Currency)
	if rate < 1 {
		of += p.Say(", of which %.0f %% come back by %s closed cases,", ", dont %.0f %% reviennent selon %s dossiers clos,",
			100*rate, p.whole(v.Model.Recovery.Cases))
	}
	worth, _ := v.Loss.Point.MulFixed(invoice.Fixed(math.Round(v.PError * rate * float64(invoice.One))))
	compared := p.Say("at least", "au moins")
	if v.Decision == detectors.DecisionLogOnly {
		compared = p.Say("less than", "moins que")
	}
	return p.Say("%s of %s are worth %s the %s that working a case costs (%s)",
		"%s de %s valent %s les %s que coûte un dossier (%s)", Probability(v.PError), of, compared, cost,
		p.money(roundCents(worth), v.Currency))
}

// roundCents drops what is less than a hundredth: an expectation has no more.
func roundCents(a invoice.Amount) invoice.Amount { return a / 100 * 100 }

// threshold names the limit of suspicion.
func (p *printer) threshold() string {
	limit := ""
	if set := p.s.Settings.SuspectThreshold; p.s.Threshold > 0 {
		limit = Probability(p.s.Threshold)
	} else if p.known() && (set > 0 || p.v.Model.Version == detectors.ModelVersion) {
		limit = p.decimal("%g", 100*cmp.Or(set, 0.5)) + " %"
	}
	if limit == "" {
		return p.Say("where suspicion begins with model %s", "là où commence le soupçon du modèle %s", p.v.Model.Version)
	}
	return p.Say("%s, where suspicion begins", "%s, où commence le soupçon", limit)
}

// untaught says why an invoice teaches nothing.
func (p *printer) untaught() string {
	switch {
	case p.inv.Canary:
		return p.Say("recoup made it itself", "recoup l'a faite lui-même")
	case p.inv.Type != invoice.Standard:
		return p.Say("it is no standard invoice", "ce n'est pas une facture ordinaire")
	case p.inv.Stage == invoice.PreIssue:
		return p.Say("it is a draft", "c'est un projet")
	case p.v.Suspect:
		return p.Say("suspects never do, so that errors cannot become usual",
			"les suspectes n'enseignent jamais, pour que les erreurs ne deviennent pas l'habitude")
	}
	return p.Say("it came too late", "elle est venue trop tard")
}

// caseState says what became of the case.
func (p *printer) caseState(c *Case) {
	p.pair("", p.Say("%s, of team %s, opened %s", "%s, équipe %s, ouvert le %s", p.Code(string(c.Severity)),
		p.Code(c.OwnerTeam), p.instant(c.DetectedAt)))
	state := p.Say("waits for an answer until %s", "attend une réponse jusqu'au %s", p.instant(c.RespondBy))
	switch {
	case c.Outcome != "":
		state = p.Say("decided: %s", "décidé : %s", p.Code(c.Outcome))
		if c.Cause != "" {
			state += p.Say(", cause %s", ", cause : %s", p.Code(c.Cause))
		}
	case c.Status != "":
		state = p.Code(c.Status)
	}
	if !c.Open {
		state += p.Say("; closed", " ; clos")
	}
	p.pair(p.Say("state", "état"), state)
	if c.ConfirmedLoss.Set {
		p.pair(p.Say("confirmed", "confirmé"), p.Say("%s %s lost, %s came back", "%s %s perdus, %s revenus",
			p.amount(c.ConfirmedLoss.Value), c.Currency, p.money(c.Paid, c.Currency)))
	}
	if c.Links.Runbook != "" {
		p.pair(p.Say("runbook", "procédure"), c.Links.Runbook)
	}
	if c.Links.Query != "" {
		p.pair(p.Say("query", "requête"), c.Links.Query)
	}
}

// origin says where the verdict comes from.
func (p *printer) origin() {
	v := p.v
	p.heading(p.Say("Where this comes from", "D'où cela vient"))
	at := v.Source
	if p.s.StoredAt.IsZero() {
		p.pair(p.Say("line", "ligne"), fmt.Sprint(at.Offset+1))
	} else {
		place := fmt.Sprintf("%s/%d/%d", at.Topic, at.Partition, at.Offset)
		if at.Incarnation != 0 {
			place += fmt.Sprintf(" (incarnation %d)", at.Incarnation)
		}
		p.pair(p.Say("record", "lu dans"), p.Say("%s, received %s", "%s, reçu le %s", place, p.instant(p.s.ReceivedAt)))
		p.pair(p.Say("stored", "stocké"), p.instant(p.s.StoredAt))
	}
	if made := p.made(); made != "" {
		p.pair(p.Say("made by", "faite par"), made)
	}
	if v.LateBy > 0 {
		p.pair(p.Say("late", "retard"), p.Say("issued %s before the newest invoice that was known",
			"émise %s avant la plus récente facture connue", p.span(time.Duration(v.LateBy))))
	}
	if slices.Contains(v.Rules, detectors.RuleImplausibleTime) {
		p.pair(p.Say("time", "date"), p.Say("its date of issue lies too far after its record; the record's time was used",
			"sa date d'émission est trop postérieure à son enregistrement, dont l'heure a servi"))
	}
	settings := p.Say("those in force now", "ceux en vigueur")
	if !p.known() {
		settings = p.Say("not those in force now", "pas ceux en vigueur")
	}
	p.pair(p.Say("model", "modèle"), p.Say("%s, settings %s (%s)", "%s, réglages %s (%s)", v.Model.Version,
		v.Model.ConfigHash, settings))
	if v.Model.ReferenceAsOf != "" {
		p.pair(p.Say("references", "références"), p.Say("as known on %s", "connues au %s", p.stamp(v.Model.ReferenceAsOf)))
	}
	if v.Model.FeedbackAsOf != "" {
		p.pair(p.Say("outcomes", "issues"), p.Say("as known on %s", "connues au %s", p.stamp(v.Model.FeedbackAsOf)))
	}
}

// made names the system, release and batch an invoice came from.
func (p *printer) made() string {
	var parts []string
	for _, part := range []struct{ name, value string }{{"", p.inv.SourceSystem},
		{p.Say("release ", "version "), p.inv.SourceRelease}, {p.Say("batch ", "lot "), p.inv.BatchID},
		{p.Say("entered by ", "saisie par "), p.inv.EntryChannel}} {
		if part.value != "" {
			parts = append(parts, part.name+part.value)
		}
	}
	return strings.Join(parts, ", ")
}
