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

// pages are the page in each language: one text, of which each sentence stands in both.
var pages = map[explain.Lang]*template.Template{
	explain.English: pageIn(explain.English), explain.French: pageIn(explain.French)}

func pageIn(l explain.Lang) *template.Template {
	t := tongue{l}
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"whole": t.whole, "counted": t.counted, "say": t.Say, "day": t.Day,
		"lang":  func() string { return string(l) },
		"style": func() template.CSS { return template.CSS(pageStyle) }, // a constant of this program
		"place": func(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) },
	}).Parse(pageText))
}

// Write writes the page.
func (r *Report) Write(w io.Writer, p Page) error {
	if err := pages[r.in.Lang].Execute(w, r.view(&p)); err != nil {
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
		Findings: r.findings(p), Facts: r.facts(p), Worth: r.in.worth(p)}
	v.Suspicion = r.suspicion()
	v.Trained = p.Settings.SuspectThreshold == 0 && r.lastModel != detectors.ModelVersion
	v.Sellers = r.in.listed(slices.Sorted(maps.Keys(r.sellers)), 5)
	if r.scored > 0 {
		v.Period = r.in.Say("%s to %s", "du %s au %s", r.in.Day(r.first), r.in.Day(r.last))
	}
	unreadable := int64(0)
	for _, reason := range slices.Sorted(maps.Keys(p.Unreadable)) {
		unreadable += p.Unreadable[reason]
		v.Reasons = append(v.Reasons, pair{reason, r.in.whole(p.Unreadable[reason])})
	}
	v.FirstErrors = slices.Clone(p.FirstErrors)
	for i, message := range v.FirstErrors {
		v.FirstErrors[i] = shown(message)
	}
	v.MoreErrors = unreadable - int64(len(p.FirstErrors))
	for i := range fields {
		v.Fields = append(v.Fields, fieldRow{r.in.Pick(fields[i].name.en, fields[i].name.fr),
			r.in.Pick(fields[i].use.en, fields[i].use.fr), r.in.share(r.has[i], r.types[invoice.Standard])})
	}
	return v
}

// listed names the first of many.
func (t tongue) listed(names []string, most int) string {
	for i, name := range names {
		names[i] = shown(name)
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + t.Say(" and %d more", " et %d de plus", len(names)-most)
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
	t, judged := r.in, r.types[invoice.Standard]
	known := t.Say("%s of them with a history to compare with", "dont %s avec un historique à comparer",
		t.share(r.scored-r.levels[detectors.LevelNone], judged))
	beside := func(n int64, en, fr string) {
		if n > 0 {
			known += t.Say("; beside them %s, not judged", " ; en plus %s, sans verdict", t.counted(n, en, fr))
		}
	}
	beside(r.types[invoice.CreditNote], "credit note", "avoir")
	beside(r.types[invoice.Correction], "correction", "correction")
	return []tile{
		{t.Say("Invoices judged", "Factures examinées"), t.whole(judged), known},
		{t.Say("Suspects", "Suspectes"), t.whole(r.suspects),
			t.Say("%s of those judged", "%s des factures examinées", t.share(r.suspects, judged))},
		{t.Say("Worth a case", "À traiter"), t.whole(r.decisions[detectors.DecisionOpenCase]),
			t.Say("the money at stake outweighs the handling", "l'argent en jeu dépasse le coût du traitement")},
		{t.Say("Not readable", "Illisibles"), t.whole(unreadable),
			t.Say("records left out, see the quality of the data", "laissées de côté, voir la qualité des données")},
	}
}

// money lists the currencies, the one with the most suspects first.
func (r *Report) money() (rows []moneyRow) {
	for _, code := range r.byCurrency() {
		c := r.currencies[code]
		rows = append(rows, moneyRow{Currency: code, Scored: c.scored, Billed: r.in.money(&c.billed, code),
			Little: r.in.stake(&c.little, code), Much: r.in.stake(&c.much, code)})
	}
	return rows
}

func (t tongue) stake(s *stake, currency string) stakeCell {
	return stakeCell{Suspects: s.n, Sum: t.money(&s.sum, currency), Weighed: t.money(&s.weighed, currency),
		Cases: s.cases, Worth: t.money(&s.worth, currency)}
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
		row := causeRow{Words: r.in.Cause(code), Suspects: counts[code],
			Width: 100 * float64(counts[code]) / float64(counts[codes[0]])}
		for _, currency := range r.byCurrency() {
			for _, d := range []detectors.Direction{detectors.DirectionCustomerFavour, detectors.DirectionSellerFavour} {
				if c := r.causes[causeKey{code, currency, d}]; c != nil {
					row.Money = append(row.Money, r.in.money(&c.sum, currency)+" "+r.in.Favour(d))
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
			g.Suspects = append(g.Suspects, r.in.card(&c.top[i], i+1))
		}
		g.More = c.suspects - int64(len(g.Suspects))
		groups = append(groups, g)
	}
	return groups
}

// card tells one suspect.
func (t tongue) card(s *suspect, number int) card {
	inv, v := s.invoice, s.verdict
	c := card{Number: number, ID: shown(inv.ID), About: shown(t.Say("%s, issued %s, line %d",
		"%s, émise le %s, ligne %d", inv.Seller, t.Day(inv.IssuedAt), v.Source.Offset+1)),
		Customer:    shown(joined(inv.CustomerRef, inv.CustomerType, inv.ProductFamily)),
		Likely:      t.Suspicion(v.PError),
		Probability: strings.Replace(explain.Probability(v.PError), " ", "\u00a0", 1), Decision: t.decided(v),
		Billed: t.amount(v.Billed, v.Currency),
		Favour: t.Favour(v.Direction), Words: t.Say("No single change explains it", "Aucune correction unique ne l'explique"),
		Basis: t.basis(v.AmountBasis)}
	if v.Loss.Point != 0 {
		c.AtRisk = t.money(big.NewInt(int64(v.Loss.Point)), v.Currency) + " "
	}
	if inv.Revision > 0 {
		c.ID += t.Say(" revision %d", " révision %d", inv.Revision)
	}
	expected, repairable := v.Level != detectors.LevelNone, false
	if expected {
		c.Expected = t.amount(v.Expected, v.Currency) + ", " + shown(s.usual)
	}
	repaired := invoice.Amount(0)
	if len(v.Causes) > 0 {
		first := &v.Causes[0]
		c.Words = capital(t.Kind(first))
		if action := t.Action(first); action != "" {
			c.Action = capital(action) + "."
		}
		for _, sentence := range first.Evidence[:min(len(first.Evidence), 6)] {
			c.Evidence = append(c.Evidence, capital(shown(t.Sentence(sentence)))+".")
		}
		if repairable = first.Kind != detectors.KindNoRepair; repairable {
			repaired, c.Repaired = first.Repaired, t.amount(first.Repaired, v.Currency)
		}
		for i := range v.Causes[1:min(len(v.Causes), 4)] {
			if other := &v.Causes[i+1]; !other.Hint() {
				c.Others = append(c.Others, fmt.Sprintf("%s (%s)", t.Kind(other), explain.Probability(other.P)))
			}
		}
	}
	c.Scale, c.HasScale = scaleOf(v.Billed, v.Expected, v.ExpectedLow, v.ExpectedHigh, repaired, expected, repairable)
	return c
}

// basis says whether an amount includes tax.
func (t tongue) basis(b detectors.Basis) string {
	if b == detectors.BasisGross {
		return t.Say("gross", "TTC")
	}
	return t.Say("net", "HT")
}

// decided says what would be done: a file opens no case.
func (t tongue) decided(v *detectors.Verdict) string {
	switch {
	case v.IncidentID != "":
		return t.Say("part of incident %s", "partie de l'incident %s", v.IncidentID)
	case v.Decision == detectors.DecisionOpenCase:
		return t.Say("worth a case", "à traiter")
	}
	return t.Decision(v.Decision)
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
	add := func(n int64, en, fr string) {
		if n > 0 {
			found = append(found, r.in.Say(en+": %s", fr+" : %s", r.in.whole(n)))
		}
	}
	notes := r.scored - r.types[invoice.Standard]
	add(p.Redelivered, "Records that came a second time with the same content and count once",
		"Factures venues une seconde fois avec le même contenu, comptées une fois")
	add(notes, "Credit notes and corrections, which are not judged", "Avoirs et corrections, sans verdict")
	add(r.levels[detectors.LevelNone]-notes, "Invoices without a history to compare with: the first of their kind, or "+
		"without customer type and product family",
		"Factures sans historique à comparer : les premières de leur genre, ou sans type de client ni famille de produits")
	add(r.late, "Invoices issued more than a day before one that stands above them; sort the file by date of issue",
		"Factures émises plus d'un jour avant une qui les précède ; trier le fichier par date d'émission")
	add(r.implausible, "Invoices that claim to be issued long after they were recorded",
		"Factures dont la date d'émission est bien postérieure à leur enregistrement")
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
	return r.in.Say("%s to %s, by the model that judged", "%s à %s, selon le modèle qui a jugé", least, most)
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
	last := shown(r.lastModel)
	if trained > 1 {
		last = r.in.Say("%s trained ones, the last %s", "%s modèles appris, le dernier %s", r.in.whole(int64(trained)), last)
	}
	if prior > 0 {
		last = r.in.Say("%s on %s, else %s", "%s sur %s, sinon %s", detectors.ModelVersion,
			r.in.counted(prior, "invoice", "facture"), last)
	}
	return last
}

// facts are the settings and the model behind the verdicts.
func (r *Report) facts(p *Page) []pair {
	s, t := &p.Settings, r.in
	costs := make([]string, 0, len(s.HandlingCost))
	for _, code := range slices.Sorted(maps.Keys(s.HandlingCost)) {
		costs = append(costs, t.amount(s.HandlingCost[code], code))
	}
	return []pair{
		{t.Say("Program", "Programme"), "recoup " + p.Build},
		{t.Say("Model", "Modèle"), r.judges()},
		{t.Say("Suspicion begins at", "Suspecte à partir de"), r.suspicion()},
		{t.Say("Settings", "Réglages"), s.Hash()},
		{t.Say("References", "Références"), cmp.Or(t.listed(slices.Clone(p.References), 10), t.Say("none", "aucune"))},
		{t.Say("15 %% rule", "Règle des 15 %%"), t.Say("more than %s %% below the usual; makes a suspect by itself where "+
			"at least %d invoices vary by at most %s %%", "plus de %s %% sous l'habituel ; rend suspecte à elle seule là où "+
			"au moins %d factures varient d'au plus %s %%", t.short(float64(s.DeviationBasisPoints)/100), s.MinN,
			t.short(100*s.MaxCV))},
		{t.Say("Handling a case costs", "Traiter un dossier coûte"), joined(costs...)},
		{t.Say("What is usual", "L'habituel"), t.Say("an invoice counts half after %s days; suspects teach nothing",
			"une facture compte à moitié après %s jours ; on n'apprend rien des suspectes",
			t.Figures(strconv.FormatFloat(s.HalfLife.Hours()/24, 'f', -1, 64)))},
	}
}
