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
)

// The screen of a telephone, in lines and columns.
const (
	PageLines   = 12
	PageColumns = 60
)

// Page is what a pager shows of a case, in English. It leaves the house: it names no
// customer, no invoice and no person, not even by pseudonym, and holds no free text.
type Page struct {
	Severity cases.Severity // stands first
	Title    string         // what is wrong
	Facts    string         // how much, and how much more an hour
	Since    string         // whose it is, since when, and who gains
	Why      string         // what shows it
	First    []string       // what to do, in order; each fits a line
	Owner    string         // who answers until when
	Runbook  string         // address of the page that says more
	Case     string         // the command that shows all of it
	Ends     string         // how it resolves itself
	Model    string         // what decided
}

// PageOf says what a pager shows of a case of any kind.
func PageOf(c *cases.Case) Page {
	p := Page{Severity: c.Severity, Runbook: clean(c.Links.Runbook), Case: "recoup case show " + c.CaseID,
		Owner: fmt.Sprintf("%s · answer by %s, escalates %s UTC", c.OwnerTeam, pageTime(c.RespondBy),
			pageTime(c.EscalateAt)),
		Model: fmt.Sprintf("Model %s · config %s", c.Model.Version, c.Model.ConfigHash)}
	gains := ""
	switch {
	case c.Kind == cases.KindIncident && c.Incident != nil:
		gains = p.incident(c)
	case c.Kind == cases.KindRate && c.Watch != nil:
		p.rate(c)
	case c.Kind == cases.KindBlind && c.Watch != nil:
		p.blind(c)
	default:
		gains = p.invoice(c)
	}
	p.Since = clean(fmt.Sprintf("%s, since %s UTC.%s", short(c.Seller), pageTime(c.IssuedAt), gains))
	p.Title, p.Facts, p.Why = clean(p.Title), clean(p.Facts), clean(p.Why)
	for at, step := range p.First {
		p.First[at] = clip(clean(fmt.Sprintf("%d) %s", at+1, step)), PageColumns)
	}
	return p
}

func pageTime(t time.Time) string { return t.UTC().Format("01-02 15:04") }

// incident fills in what is told of a shared cause, and returns who gains.
func (p *Page) incident(c *cases.Case) (gains string) {
	i := *c.Incident
	i.Value = short(cmp.Or(i.Value, "?"))
	if i.Dimension == detectors.DimensionOperator.String() {
		i.Value = "whose work it is" // a person, and about help, not about blame
	}
	finding := topFinding(&i)
	what, _ := words(finding.Finding)
	name := cases.DimensionWords()[i.Dimension].EN
	p.Title = fmt.Sprintf("%s %s: %s", name, i.Value, what)
	p.Facts = thousands(i.Members, ",") + " invoices"
	if len(i.Money) > 0 {
		money, _ := moneyWords(&i.Money[0])
		p.Facts += money
	}
	p.Why = "No single change makes them usual."
	if finding.Fits > 0 {
		p.Why = fmt.Sprintf("Its repair fits %s of %s.", thousands(finding.Fits, ","), thousands(i.Members, ","))
	}
	if i.P > 0 && i.Invoices > 0 {
		p.Why += fmt.Sprintf(" Usual among %s: %.1f.", thousands(i.Invoices, ","), i.Expected)
	}
	if batch := ToHold(&i); batch != "" {
		step := hold(&i, batch)
		if len(step) > PageColumns-len("1) ") { // half a command is worse than none
			step = "hold batch " + short(batch) + ": the case says how"
		}
		p.First = append(p.First, step)
	}
	ask := fmt.Sprintf("confirm %s %s with %s", strings.ToLower(name), i.Value, c.OwnerTeam)
	if i.Dimension == detectors.DimensionOperator.String() {
		ask = "look at five members with " + c.OwnerTeam
	}
	p.First = append(p.First, ask, "do not contact customers yet")
	p.Ends = "Ends 30 min after the last member, once its batches are held or it bills rightly."
	return favour(&i)
}

// favour says who gains.
func favour(i *cases.Incident) string {
	low := slices.ContainsFunc(i.Money, func(m cases.IncidentMoney) bool { return m.TooLow.Point > 0 })
	high := slices.ContainsFunc(i.Money, func(m cases.IncidentMoney) bool { return m.TooHigh.Point > 0 })
	switch {
	case low && high:
		return " Some too low, some too high."
	case low:
		return " Customer favour."
	case high:
		return " Customers paid too much."
	}
	return ""
}

// rate fills in what is told of a segment that errs more than ever.
func (p *Page) rate(c *cases.Case) {
	w := c.Watch
	way := "too little"
	if c.Direction == detectors.DirectionSellerFavour {
		way = "too much"
	}
	p.Title = fmt.Sprintf("Segment %s bills %s more often than ever", short(w.Segment), way)
	p.Facts = fmt.Sprintf("%s of the last %s invoices are suspect", thousands(w.Suspects, ","), thousands(w.Invoices, ","))
	p.Why = fmt.Sprintf("At least %.1f %% are, usual are %.1f %%. No release, batch or promotion that they name "+
		"explains it.", 100*w.Lower, 100*w.Usual)
	p.First = []string{"what changed: a tariff, an import, a promotion?", "ask sales and billing whether it was meant"}
	p.Ends = "Ends when the share is usual again."
}

// blind fills in what is told of a source that is not seen.
func (p *Page) blind(c *cases.Case) {
	w := c.Watch
	source := "Source " + short(cmp.Or(w.Source, "?"))
	p.First = []string{"does the source run, and does it bill?", "recoup topics list: do invoices reach Kafka?",
		"recoup doctor: does recoup see them?"}
	switch BlindReason(w.Reason) {
	case BlindCanary:
		p.Title, p.Facts = source+": known-wrong invoices are not found", "recoup's own canaries are missed"
	case BlindLag:
		p.Title, p.Facts = "Invoices wait to be read", thousands(w.Lag, ",")+" wait, and do not become fewer"
	default:
		p.Title = source + " is silent"
		p.Facts = fmt.Sprintf("At this hour it never pauses longer than %s",
			time.Duration(min(w.UsualSilence, math.MaxInt64/int64(time.Second)))*time.Second)
	}
	p.Why = "No case of it is no sign that its invoices are right. What waits is scored when it comes."
	p.Ends = "Ends when it is seen again."
}

// invoice fills in what is told of a single invoice, and returns who gains.
func (p *Page) invoice(c *cases.Case) (gains string) {
	what, amount := "the amount is not the usual one", c.Loss
	if len(c.Causes) > 0 {
		what, _ = words(c.Causes[0].Code + ":" + c.Causes[0].Kind)
	}
	p.Title = "One invoice: " + what
	m := cases.IncidentMoney{Currency: c.Currency, TooLow: amount}
	gains = " Customer favour."
	if amount.Point < 0 {
		m.TooLow, m.TooHigh = detectors.Loss{}, turned(amount)
		gains = " The customer paid too much."
	}
	money, _ := moneyWords(&m)
	p.Facts = strings.TrimPrefix(money, ", ")
	if amount.Point == 0 {
		p.Facts, gains = "The amount stands", ""
	}
	p.Why = fmt.Sprintf("Probability of an error: %.0f %%.", 100*c.PError)
	for _, check := range c.Verify[:min(len(c.Verify), 3)] {
		p.First = append(p.First, "make sure: "+strings.ReplaceAll(check, "_", " "))
	}
	p.Ends = "Ends with an outcome: recoup case decide."
	return gains
}

// Text fits the screen of a telephone. Where there is no room the last lines give way.
func (p Page) Text() string {
	lines := wrap(fmt.Sprintf("[%s] %s", p.Severity, p.Title), 2)
	lines = append(lines, wrap(p.Facts, 2)...)
	lines = append(lines, clip(p.Since, PageColumns))
	do := slices.Clone(p.First)
	do = append(do, clip(p.Owner, PageColumns), runbookLine(p.Runbook), clip(p.Case, PageColumns))
	lines = append(lines, wrap("Why: "+p.Why, PageLines-len(lines)-len(do))...)
	lines = append(lines, do...)
	for _, more := range []string{p.Ends, p.Model} {
		if wrapped := wrap(more, PageLines); len(lines)+len(wrapped) <= PageLines {
			lines = append(lines, wrapped...)
		}
	}
	return strings.Join(lines, "\n")
}

// runbookLine gives the address, or its last part where that is too long.
func runbookLine(address string) string {
	line := "Runbook " + address
	if len([]rune(line)) <= PageColumns {
		return line
	}
	return clip("Runbook …"+address[strings.LastIndexByte(address, '/')+1:], PageColumns)
}

// wrap breaks a text into lines of a page, as many at most.
func wrap(text string, most int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		word = clip(word, PageColumns)
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) <= PageColumns:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	lines = append(lines, line)
	if len(lines) > most {
		lines = lines[:most]
		lines[most-1] = clip(lines[most-1]+" …", PageColumns)
	}
	return lines
}

// shortName is how much of a name a page shows, in characters.
const shortName = 24

func short(name string) string { return clip(clean(name), shortName) }

// clip shortens a text to so many characters.
func clip(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// clean makes one line of a text, without what a screen would take for a command.
func clean(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
}
