package report

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"recoup/detectors"
	"recoup/internal/explain"
	"recoup/invoice"
)

// Page is what the report says beside what it has collected.
type Page struct {
	File       string             // the invoices were read from
	References []string           // files of references that were used
	Created    time.Time          // when the report was made
	Build      string             // version of the program
	Settings   detectors.Settings // that the invoices were scored with

	Redelivered int64            // records that came again with the same content
	Unreadable  map[string]int64 // records that cannot be read, by reason
	FirstErrors []string         // the messages of the first of them

	Segments []detectors.SegmentSummary // behind the 15 % rule, most invoices first
}

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"whole": whole, "counted": counted,
	"style": func() template.CSS { return template.CSS(pageStyle) }, // a constant of this program
	"place": func(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) },
}).Parse(pageText))

// Write writes the page.
func (r *Report) Write(w io.Writer, p Page) error {
	if err := pageTemplate.Execute(w, r.view(&p)); err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	return nil
}

// view is what the template shows.
type view struct {
	Page
	Sellers, Period string
	Suspicion       string // from which probability on
	Trained         bool   // a model set it
	Tiles           []tile
	Money           []moneyRow
	Chart           chart
	Causes          []causeRow
	Groups          []group
	Findings        []string // of the data's quality
	Reasons         []pair   // unreadable records by reason
	MoreErrors      int64    // that are not among FirstErrors
	Fields          []fieldRow
	Facts           []pair // settings and model
	Worth           *worth // of the 15 % rule; nil: there is nothing to say
}

// tile is one headline figure.
type tile struct{ Label, Value, Note string }

// pair is a name and its value.
type pair struct{ Name, Value string }

// moneyRow is what is at stake in one currency.
type moneyRow struct {
	Currency, Billed string
	Scored           int64
	Little, Much     stakeCell
}

// stakeCell is one direction of it.
type stakeCell struct {
	Suspects            int64
	Sum, Weighed, Worth string
	Cases               int64
}

// causeRow is one cause.
type causeRow struct {
	Words    string
	Suspects int64
	Width    float64 // per cent of the most frequent one
	Money    []string
}

// fieldRow says how many invoices have what makes verdicts sharper.
type fieldRow struct{ Name, Use, Share string }

// group is the suspects of one currency.
type group struct {
	Currency string
	Suspects []card
	More     int64 // that are not shown
}

// card is one suspect.
type card struct {
	Number                             int
	ID, About, Customer                string
	Words, Likely, Probability         string
	Decision                           string
	Billed, Expected, Repaired, AtRisk string
	Favour                             string
	Basis                              string
	Scale                              scale
	HasScale                           bool
	Action                             string // "" where Repaired says it
	Evidence, Others                   []string
}

func (r *Report) view(p *Page) *view {
	v := &view{Page: *p, Chart: r.draw(), Tiles: r.tiles(p), Money: r.money(), Causes: r.causeRows(), Groups: r.groups(),
		Findings: r.findings(p), Facts: r.facts(p), Worth: p.worth()}
	v.Suspicion = r.suspicion()
	v.Trained = p.Settings.SuspectThreshold == 0 && r.lastModel != detectors.ModelVersion
	v.Sellers = listed(slices.Sorted(maps.Keys(r.sellers)), 5)
	if r.scored > 0 {
		v.Period = r.first.Format(time.DateOnly) + " to " + r.last.Format(time.DateOnly)
	}
	unreadable := int64(0)
	for _, reason := range slices.Sorted(maps.Keys(p.Unreadable)) {
		unreadable += p.Unreadable[reason]
		v.Reasons = append(v.Reasons, pair{reason, whole(p.Unreadable[reason])})
	}
	v.FirstErrors = slices.Clone(p.FirstErrors)
	for i, message := range v.FirstErrors {
		v.FirstErrors[i] = shown(message)
	}
	v.MoreErrors = unreadable - int64(len(p.FirstErrors))
	for i := range fields {
		v.Fields = append(v.Fields, fieldRow{fields[i].name, fields[i].use, share(r.has[i], r.types[invoice.Standard])})
	}
	return v
}

// listed names the first of many.
func listed(names []string, most int) string {
	for i, name := range names {
		names[i] = shown(name)
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// shown cuts a text that may be of any length.
func shown(text string) string {
	const most = 400
	text = explain.Clean(text)
	if runes := []rune(text[:min(len(text), 4*most)]); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// tiles are the headline figures.
func (r *Report) tiles(p *Page) []tile {
	unreadable := int64(0)
	for _, n := range p.Unreadable {
		unreadable += n
	}
	judged := r.types[invoice.Standard]
	known := share(r.scored-r.levels[detectors.LevelNone], judged) + " of them with a history to compare with"
	if notes := r.types[invoice.CreditNote]; notes > 0 {
		known += "; beside them " + counted(notes, "credit note") + ", not judged"
	}
	if corrections := r.types[invoice.Correction]; corrections > 0 {
		known += "; beside them " + counted(corrections, "correction") + ", not judged"
	}
	return []tile{
		{"Invoices judged", whole(judged), known},
		{"Suspects", whole(r.suspects), share(r.suspects, judged) + " of those judged"},
		{"Worth a case", whole(r.decisions[detectors.DecisionOpenCase]), "the money at stake outweighs the handling"},
		{"Not readable", whole(unreadable), "records left out, see the quality of the data"},
	}
}

// money lists the currencies, the one with the most suspects first.
func (r *Report) money() (rows []moneyRow) {
	for _, code := range r.byCurrency() {
		c := r.currencies[code]
		rows = append(rows, moneyRow{Currency: code, Scored: c.scored, Billed: money(&c.billed, code),
			Little: c.little.cell(code), Much: c.much.cell(code)})
	}
	return rows
}

func (s *stake) cell(currency string) stakeCell {
	return stakeCell{Suspects: s.n, Sum: money(&s.sum, currency), Weighed: money(&s.weighed, currency), Cases: s.cases,
		Worth: money(&s.worth, currency)}
}

// byCurrency returns the currencies, most suspects first.
func (r *Report) byCurrency() []string {
	return slices.SortedFunc(maps.Keys(r.currencies), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.currencies[b].suspects, r.currencies[a].suspects),
			cmp.Compare(r.currencies[b].scored, r.currencies[a].scored), strings.Compare(a, b))
	})
}

// causeRows lists the causes, the most frequent first.
func (r *Report) causeRows() (rows []causeRow) {
	counts := map[string]int64{}
	for key, c := range r.causes {
		counts[key.code] += c.n
	}
	codes := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	for _, code := range codes {
		row := causeRow{Words: explain.English.Cause(code), Suspects: counts[code],
			Width: 100 * float64(counts[code]) / float64(counts[codes[0]])}
		for _, currency := range r.byCurrency() {
			for _, d := range []detectors.Direction{detectors.DirectionCustomerFavour, detectors.DirectionSellerFavour} {
				if c := r.causes[causeKey{code, currency, d}]; c != nil {
					row.Money = append(row.Money, money(&c.sum, currency)+" "+explain.English.Favour(d))
				}
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// How many suspects the page shows: mostShown, shared by the currencies like
// their suspects are, but at least leastShown of each.
const (
	mostShown  = 200
	leastShown = 5
)

// groups lists the suspects that matter most, per currency.
func (r *Report) groups() (groups []group) {
	for _, code := range r.byCurrency() {
		c := r.currencies[code]
		if c.suspects == 0 {
			continue
		}
		room := max(leastShown, int(mostShown*c.suspects/max(r.suspects, 1)))
		g := group{Currency: code}
		for i := range c.top[:min(room, len(c.top))] {
			g.Suspects = append(g.Suspects, c.top[i].card(i+1))
		}
		g.More = c.suspects - int64(len(g.Suspects))
		groups = append(groups, g)
	}
	return groups
}

// card tells one suspect.
func (s *suspect) card(number int) card {
	inv, v := s.invoice, s.verdict
	c := card{Number: number, ID: shown(inv.ID), About: shown(fmt.Sprintf("%s, issued %s, line %d", inv.Seller,
		inv.IssuedAt.Format(time.DateOnly), v.Source.Offset+1)),
		Customer:    shown(joined(inv.CustomerRef, inv.CustomerType, inv.ProductFamily)),
		Likely:      explain.English.Suspicion(v.PError),
		Probability: strings.Replace(explain.Probability(v.PError), " ", "\u00a0", 1), Decision: decided(v),
		Billed: amount(v.Billed, v.Currency),
		Favour: explain.English.Favour(v.Direction), Words: "No single change explains it", Basis: string(v.AmountBasis)}
	if v.Loss.Point != 0 {
		c.AtRisk = money(big.NewInt(int64(v.Loss.Point)), v.Currency) + " "
	}
	if inv.Revision > 0 {
		c.ID += fmt.Sprintf(" revision %d", inv.Revision)
	}
	expected, repairable := v.Level != detectors.LevelNone, false
	if expected {
		c.Expected = amount(v.Expected, v.Currency) + ", " + shown(s.usual)
	}
	repaired := invoice.Amount(0)
	if len(v.Causes) > 0 {
		first := &v.Causes[0]
		c.Words = capital(explain.English.Kind(first))
		if action := explain.English.Action(first); action != "" {
			c.Action = capital(action) + "."
		}
		for _, sentence := range first.Evidence[:min(len(first.Evidence), 6)] {
			c.Evidence = append(c.Evidence, capital(shown(sentence))+".")
		}
		if repairable = first.Kind != detectors.KindNoRepair; repairable {
			repaired, c.Repaired = first.Repaired, amount(first.Repaired, v.Currency)
		}
		for i := range v.Causes[1:min(len(v.Causes), 4)] {
			if other := &v.Causes[i+1]; !other.Hint() {
				c.Others = append(c.Others, fmt.Sprintf("%s (%s)", explain.English.Kind(other), explain.Probability(other.P)))
			}
		}
	}
	c.Scale, c.HasScale = scaleOf(v.Billed, v.Expected, v.ExpectedLow, v.ExpectedHigh, repaired, expected, repairable)
	return c
}

// decided says what would be done: a file opens no case.
func decided(v *detectors.Verdict) string {
	switch {
	case v.IncidentID != "":
		return "part of incident " + v.IncidentID
	case v.Decision == detectors.DecisionOpenCase:
		return "worth a case"
	}
	return explain.English.Decision(v.Decision)
}

// joined joins what is not empty.
func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

// capital begins a sentence.
func capital(s string) string {
	for i, r := range s {
		return string(unicode.ToUpper(r)) + s[i+len(string(r)):]
	}
	return s
}

// findings says what is remarkable about the data.
func (r *Report) findings(p *Page) (found []string) {
	add := func(n int64, what string) {
		if n > 0 {
			found = append(found, what+": "+whole(n))
		}
	}
	notes := r.scored - r.types[invoice.Standard]
	add(p.Redelivered, "Records that came a second time with the same content and count once")
	add(notes, "Credit notes and corrections, which are not judged")
	add(r.levels[detectors.LevelNone]-notes, "Invoices without a history to compare with: the first of their kind, or "+
		"without customer type and product family")
	add(r.late, "Invoices issued more than a day before one that stands above them; sort the file by date of issue")
	add(r.implausible, "Invoices that claim to be issued long after they were recorded")
	return found
}

// suspicion says from which probability of an error on an invoice was suspect.
func (r *Report) suspicion() string {
	if r.types[invoice.Standard] == 0 {
		return "–"
	}
	least, most := explain.Probability(r.thresholds[0]), explain.Probability(r.thresholds[1])
	if least == most {
		return least
	}
	return fmt.Sprintf("%s to %s, by the model that judged", least, most)
}

// judges says which models judged, the trained ones as one.
func (r *Report) judges() string {
	prior, trained := r.models[detectors.ModelVersion], len(r.models)
	if prior > 0 {
		trained--
	}
	if len(r.models) < 2 {
		return shown(r.lastModel)
	}
	said := shown(r.lastModel)
	if trained > 1 {
		said = whole(int64(trained)) + " trained ones, the last " + said
	}
	if prior > 0 {
		said = fmt.Sprintf("%s on %s, else %s", detectors.ModelVersion, counted(prior, "invoice"), said)
	}
	return said
}

// facts are the settings and the model behind the verdicts.
func (r *Report) facts(p *Page) []pair {
	s := &p.Settings
	costs := make([]string, 0, len(s.HandlingCost))
	for _, code := range slices.Sorted(maps.Keys(s.HandlingCost)) {
		costs = append(costs, amount(s.HandlingCost[code], code))
	}
	return []pair{
		{"Program", "recoup " + p.Build},
		{"Model", r.judges()},
		{"Suspicion begins at", r.suspicion()},
		{"Settings", s.Hash()},
		{"References", cmp.Or(listed(slices.Clone(p.References), 10), "none")},
		{"15 % rule", fmt.Sprintf("more than %g %% below the usual; makes a suspect by itself where at least %d invoices "+
			"vary by at most %.6g %%", float64(s.DeviationBasisPoints)/100, s.MinN, 100*s.MaxCV)},
		{"Handling a case costs", joined(costs...)},
		{"What is usual", fmt.Sprintf("an invoice counts half after %s; suspects teach nothing", days(s.HalfLife))},
	}
}

// days writes a duration in days.
func days(d time.Duration) string {
	return strconv.FormatFloat(d.Hours()/24, 'f', -1, 64) + " days"
}
