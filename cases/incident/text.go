package incident

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// Text is an incident in words. None of it names a customer or an invoice.
type Text struct {
	Title     cases.Summary // one line: what, how many, how much
	Summary   cases.Summary // the title, since when and what repairs it
	OwnerTeam string        // who can repair the cause
	Runbook   string        // address of the page of its cause, or of incidents
}

// Describe says what an incident is, for people. address returns the address of a
// runbook; nil: that in this repository's docs.
func Describe(i *cases.Incident, address func(page string) string) Text {
	if address == nil {
		address = cases.Opener{}.Runbook
	}
	finding := topFinding(i)
	code, _, _ := strings.Cut(finding.Finding, ":")
	t := Text{OwnerTeam: cases.OwnerTeam(code), Runbook: address(code)}
	if code == detectors.CauseUnknown {
		t.Runbook = address("incident")
	}
	whatEN, whatFR := words(finding.Finding)
	name := cases.DimensionWords()[i.Dimension]
	value := cmp.Or(i.Value, "?")
	moneyEN, moneyFR := "", ""
	if len(i.Money) > 0 {
		moneyEN, moneyFR = moneyWords(&i.Money[0])
	}
	t.Title.EN = fmt.Sprintf("%s %s: %s: %s invoices%s", name.EN, value, whatEN, thousands(i.Members, ","), moneyEN)
	t.Title.FR = fmt.Sprintf("%s %s : %s : %s factures%s", name.FR, value, whatFR, thousands(i.Members, " "), moneyFR)
	since := i.Since.UTC()
	t.Summary.EN = fmt.Sprintf("%s. Since %s UTC. %s", t.Title.EN, since.Format("2006-01-02 15:04"), repairEN(i, finding))
	t.Summary.FR = fmt.Sprintf("%s. Depuis le %s UTC. %s", t.Title.FR, since.Format("02/01/2006 à 15:04"),
		repairFR(i, finding))
	if batch := ToHold(i); batch != "" {
		t.Summary.EN += " Hold first: " + hold(i, batch) + "."
		t.Summary.FR += " Retenir d'abord : " + hold(i, batch) + "."
	}
	return t
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
