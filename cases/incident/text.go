package incident

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// Text is an incident in words. None of it names a customer or an invoice.
type Text struct {
	Title     cases.Summary // one line: what, how many, how much
	Summary   cases.Summary // the title, since when and what repairs it
	Page      string        // English, at most nine short lines: what a pager shows
	OwnerTeam string        // who can repair the cause
	Runbook   string        // address of the page of its cause, or of incidents
}

// Page is what a page says beside the incident itself.
type Page struct {
	Severity cases.Severity // stands first
	// Runbook returns the address of a runbook; nil: that in this repository's docs.
	Runbook    func(page string) string
	RespondBy  time.Time       // when the owner has answered
	EscalateAt time.Time       // when somebody else is asked
	Contacted  int64           // members whose customers were spoken to
	Board      string          // address of the dashboard; "": none
	Query      string          // SQL that lists the members; "": none
	Model      detectors.Model // what decided
}

// dimensionWords name dimensions for people, in English and in French.
var dimensionWords = map[string][2]string{
	"release":     {"Release", "Version"},
	"batch":       {"Batch", "Lot"},
	"promotion":   {"Promotion", "Promotion"},
	"operator":    {"Operator", "Opérateur"},
	"price_list":  {"Price list", "Tarif"},
	"crm_version": {"Contract version", "Version de contrat"},
	"source":      {"System", "Système"},
	"segment":     {"Segment", "Segment"},
}

// Describe says what an incident is, for people.
func Describe(i *cases.Incident, p Page) Text {
	finding := topFinding(i)
	code, _, _ := strings.Cut(finding.Finding, ":")
	t := Text{OwnerTeam: cases.OwnerTeam(code), Runbook: runbook(&p, code)}
	whatEN, whatFR := words(finding.Finding)
	name := dimensionWords[i.Dimension]
	value := cmp.Or(i.Value, "?")
	moneyEN, moneyFR := "", ""
	if len(i.Money) > 0 {
		moneyEN, moneyFR = moneyWords(&i.Money[0])
	}
	t.Title.EN = fmt.Sprintf("%s %s: %s: %s invoices%s", name[0], value, whatEN, thousands(i.Members, ","), moneyEN)
	t.Title.FR = fmt.Sprintf("%s %s : %s : %s factures%s", name[1], value, whatFR, thousands(i.Members, " "), moneyFR)
	since := i.Since.UTC()
	t.Summary.EN = fmt.Sprintf("%s. Since %s UTC. %s", t.Title.EN, since.Format("2006-01-02 15:04"), repairEN(i, finding))
	t.Summary.FR = fmt.Sprintf("%s. Depuis le %s UTC. %s", t.Title.FR, since.Format("02/01/2006 à 15:04"),
		repairFR(i, finding))
	if batch := ToHold(i); batch != "" {
		t.Summary.EN += " Hold first: " + hold(i, batch) + "."
		t.Summary.FR += " Retenir d'abord : " + hold(i, batch) + "."
	}
	t.Page = page(i, &p, &t, finding)
	return t
}

// runbook is that of the cause, where it is known.
func runbook(p *Page, code string) string {
	if code == detectors.CauseUnknown {
		code = "incident"
	}
	if p.Runbook == nil {
		return cases.Opener{}.Runbook(code)
	}
	return p.Runbook(code)
}

// topFinding is the one whose repair mends most members.
func topFinding(i *cases.Incident) cases.FindingCount {
	if len(i.Findings) == 0 {
		return cases.FindingCount{Finding: detectors.CauseUnknown + ":" + detectors.KindNoRepair}
	}
	return i.Findings[0]
}

func words(finding string) (en, fr string) {
	code, kind, _ := strings.Cut(finding, ":")
	if en, fr, ok := cases.Words(&detectors.Finding{Code: code, Kind: kind}); ok {
		return en, fr
	}
	return "amounts are not the usual ones", "les montants ne sont pas ceux attendus"
}

// moneyWords say how much is at stake, the larger direction first. What is too low is
// never set against what is too high.
func moneyWords(m *cases.IncidentMoney) (en, fr string) {
	say := func(l detectors.Loss, wayEN, wayFR string) {
		if l.Point == 0 {
			return
		}
		if l.Low == l.High { // known to the cent
			en += fmt.Sprintf(", %s %s %s", whole(l.Point, ","), m.Currency, wayEN)
			fr += fmt.Sprintf(", %s %s %s", whole(l.Point, " "), m.Currency, wayFR)
			return
		}
		en += fmt.Sprintf(", ~%s %s %s (%s–%s)", whole(l.Point, ","), m.Currency, wayEN, whole(l.Low, ","),
			whole(l.High, ","))
		fr += fmt.Sprintf(", env. %s %s %s (%s–%s)", whole(l.Point, " "), m.Currency, wayFR, whole(l.Low, " "),
			whole(l.High, " "))
	}
	low := func() { say(m.TooLow, "too low", "en moins") }
	high := func() { say(m.TooHigh, "too high", "en trop") }
	if m.TooLow.Point >= m.TooHigh.Point {
		low()
		high()
	} else {
		high()
		low()
	}
	if m.PerHour > 0 {
		en += fmt.Sprintf(", +%s %s/h", whole(m.PerHour, ","), m.Currency)
		fr += fmt.Sprintf(", +%s %s/h", whole(m.PerHour, " "), m.Currency)
	}
	return en, fr
}

func repairEN(i *cases.Incident, f cases.FindingCount) string {
	if f.Fits == 0 {
		return "No single change makes the members usual."
	}
	return fmt.Sprintf("Repairing that restores the usual amount in %s of %s.", thousands(f.Fits, ","),
		thousands(i.Members, ","))
}

func repairFR(i *cases.Incident, f cases.FindingCount) string {
	if f.Fits == 0 {
		return "Aucune correction unique ne rétablit le montant habituel."
	}
	return fmt.Sprintf("Cette correction rétablit le montant habituel dans %s cas sur %s.", thousands(f.Fits, " "),
		thousands(i.Members, " "))
}

// page writes what a pager shows: it fits the screen of a telephone.
func page(i *cases.Incident, p *Page, t *Text, f cases.FindingCount) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("[%s] %s", p.Severity, t.Title.EN)
	line("Since %s UTC. %s %s contacted.", i.Since.UTC().Format("15:04"), favour(i), thousands(p.Contacted, ","))
	chance := ""
	if i.P > 0 && i.Invoices > 0 {
		chance = fmt.Sprintf(" Usual among %s invoices: %.1f.", thousands(i.Invoices, ","), i.Expected)
	}
	line("Why: %s.%s %s", cause(i), chance, repairEN(i, f))
	line("Do first: %s", first(i, t.OwnerTeam))
	if !p.RespondBy.IsZero() {
		line("Owner: %s · answer by %s, escalates at %s UTC", t.OwnerTeam, p.RespondBy.UTC().Format("01-02 15:04"),
			p.EscalateAt.UTC().Format("01-02 15:04"))
	}
	line("Runbook %s%s · Case %s", t.Runbook, after(" · Board ", p.Board), i.ID)
	if p.Query != "" {
		line("SQL: %s", p.Query)
	}
	line("Resolves itself after 30 min without new members once its batches are held or it bills rightly. "+
		"Model %s · config %s", p.Model.Version, p.Model.ConfigHash)
	return strings.TrimRight(b.String(), "\n")
}

func after(before, s string) string {
	if s == "" {
		return ""
	}
	return before + s
}

// favour says who gains.
func favour(i *cases.Incident) string {
	low, high := false, false
	for _, m := range i.Money {
		low, high = low || m.TooLow.Point > 0, high || m.TooHigh.Point > 0
	}
	switch {
	case low && high:
		return "Some too low, some too high."
	case low:
		return "Customer favour."
	case high:
		return "Seller favour: customers paid too much."
	}
	return "No amount is known."
}

// cause names the shared value and the causes of the members.
func cause(i *cases.Incident) string {
	what := "any cause"
	if len(i.Causes) > 0 {
		what = strings.Join(i.Causes, ", ")
	}
	return fmt.Sprintf("all have %s %s in common (%s)", strings.ReplaceAll(i.Dimension, "_", " "), i.Value, what)
}

// first is what to do before anything else.
func first(i *cases.Incident, team string) string {
	steps := []string{}
	if batch := ToHold(i); batch != "" {
		steps = append(steps, fmt.Sprintf("hold batch %s (%s)", batch, hold(i, batch)))
	}
	ask := fmt.Sprintf("confirm %s %s with %s", strings.ReplaceAll(i.Dimension, "_", " "), i.Value, team)
	if i.Dimension == detectors.DimensionOperator.String() {
		ask = fmt.Sprintf("look at five members with %s", team) // it is about help, not about blame
	}
	steps = append(steps, ask, "do not contact customers yet")
	for at := range steps {
		steps[at] = fmt.Sprintf("%d) %s", at+1, steps[at])
	}
	return strings.Join(steps, "  ")
}

// ToHold returns the billing run with most members that nobody holds back, "" for none.
func ToHold(i *cases.Incident) string {
	for _, batch := range i.Batches {
		if !slices.Contains(i.Held, batch.Value) {
			return batch.Value
		}
	}
	return ""
}

// hold is the command that holds a billing run back, of this seller alone.
func hold(i *cases.Incident, batch string) string {
	return "recoup hold --batch " + shellWord(batch) + " --seller " + shellWord(i.Seller)
}

// shellWord quotes what a shell would take apart.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return strings.ContainsRune("-._:/@+,=", r) || unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// whole is an amount without its cents.
func whole(a invoice.Amount, separator string) string {
	return thousands(int64(math.Round(float64(a)/float64(invoice.Unit))), separator)
}

func thousands(n int64, separator string) string {
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0 && s[at-1] != '-'; at -= 3 {
		s = s[:at] + separator + s[at:]
	}
	return s
}
