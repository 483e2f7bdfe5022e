package source

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"recoup/dashboards/question"
	"recoup/internal/config"
	"recoup/internal/explain"
	"recoup/sinks"
)

// explain tells the verdict on one invoice: frames invoice, causes and case, each by
// its name, and text, which says the same in sentences.
func (s *Source) explain(ctx context.Context, q *query) (data.Frames, error) {
	seller, err := q.required(question.FilterSeller)
	if err != nil {
		return nil, err
	}
	id, err := q.required(question.FilterInvoice)
	if err != nil {
		return nil, err
	}
	found, err := s.reader.Invoices(ctx, sinks.Lookup{InvoiceID: id, Seller: seller})
	if err != nil {
		return nil, unexplained(id, err)
	}
	if len(found) == 0 {
		return nil, decline(http.StatusNotFound, question.Text{
			EN: "cannot find invoice %q of seller %q: it was not scored, not yet, or its row is older than " +
				"clickhouse.retention of recoup",
			FR: "facture %q du vendeur %q introuvable : elle n'a pas été jugée, ne l'est pas encore, ou sa ligne " +
				"est plus ancienne que clickhouse.retention de recoup"}, id, seller)
	}
	subject, err := explain.Stored(ctx, s.reader, &found[0])
	if err != nil {
		return nil, unexplained(id, err)
	}
	usual := config.Default() // recoup's own may differ: what depends on them is said only where it is sure
	subject.Settings = usual.Scoring.Settings()
	text, err := textFrame(subject, q.Lang)
	if err != nil {
		return nil, err
	}
	frames := data.Frames{invoiceFrame(subject, q.Lang), causesFrame(subject, q.Lang),
		caseStateFrame(subject, q.Lang), text}
	if len(found) > 1 {
		q.inform(frames[0], data.NoticeSeverityInfo, question.Text{
			EN: "%d records have this id: this is the one issued last, revision %d.",
			FR: "%d enregistrements ont cet identifiant : celui-ci est le dernier émis, révision %d."},
			len(found), found[0].Invoice.Revision)
	}
	return frames, nil
}

func unexplained(id string, err error) error {
	return decline(http.StatusBadGateway, question.Text{EN: "cannot explain invoice %q: %w",
		FR: "impossible d'expliquer la facture %q : %w"}, id, err)
}

// inform says something about a frame in the reader's language.
func (q *query) inform(frame *data.Frame, severity data.NoticeSeverity, format question.Text, args ...any) {
	frame.AppendNotices(data.Notice{Severity: severity, Text: fmt.Sprintf(format.In(q.Lang), args...)})
}

// row is a frame of one row, put together field by field.
type row struct {
	*data.Frame
	lang question.Lang // of titles and words
}

func newRow(name string, lang question.Lang) row {
	frame := data.NewFrame(name)
	frame.Meta = &data.FrameMeta{Type: data.FrameTypeTable, TypeVersion: typeVersion}
	return row{frame, lang}
}

func (r row) text(name, title, value string) {
	r.add(data.NewField(name, nil, []string{value}), title, "")
}

func (r row) number(name, title, unit string, value *float64) {
	r.add(data.NewField(name, nil, []*float64{value}), title, unit)
}

func (r row) instant(name, title string, value time.Time) {
	var at *time.Time
	if !value.IsZero() {
		at = &value
	}
	r.add(data.NewField(name, nil, []*time.Time{at}), title, "")
}

func (r row) add(field *data.Field, title, unit string) {
	if french := frenchTitles[title]; r.lang == question.French && french != "" {
		title = french
	}
	field.Config = &data.FieldConfig{DisplayNameFromDS: title, Unit: unit}
	field.Config.Mappings = mappingsOf(codeWords[field.Name], r.lang)
	r.Fields = append(r.Fields, field)
}

// invoiceFrame is what was billed and what was expected.
func invoiceFrame(s *explain.Subject, lang question.Lang) *data.Frame {
	v, inv, r := s.Verdict, s.Invoice, newRow("invoice", lang)
	r.text("invoice_id", "Invoice", inv.ID)
	r.text("seller", "Seller", inv.Seller)
	r.instant("issued_at", "Issued", inv.IssuedAt)
	r.text("customer_type", "Customer type", inv.CustomerType)
	r.text("product_family", "Product family", inv.ProductFamily)
	r.text("currency", "Currency", v.Currency)
	r.number("billed", "Billed", "none", amount(v.Billed))
	if v.N > 0 {
		r.number("expected", "Expected", "none", amount(v.Expected))
		r.number("expected_low", "95 % low", "none", amount(v.ExpectedLow))
		r.number("expected_high", "95 % high", "none", amount(v.ExpectedHigh))
	} else {
		r.number("expected", "Expected", "none", nil)
		r.number("expected_low", "95 % low", "none", nil)
		r.number("expected_high", "95 % high", "none", nil)
	}
	var repaired *float64
	if len(v.Causes) > 0 {
		repaired = amount(v.Causes[0].Repaired)
	}
	r.number("repaired_amount", "Repaired", "none", repaired)
	r.number("loss", "Loss", "none", amount(v.Loss.Point))
	r.number("loss_low", "Loss, 95 % low", "none", amount(v.Loss.Low))
	r.number("loss_high", "Loss, 95 % high", "none", amount(v.Loss.High))
	r.number("p_error", "Probability of an error", "percentunit", &v.PError)
	verdict := "usual"
	if v.Suspect {
		verdict = "suspect"
	}
	r.text("verdict", "Verdict", verdict)
	r.text("decision", "Decision", string(v.Decision))
	r.text("level", "Compared with", string(v.Level))
	n := float64(v.N)
	r.number("n", "Invoices behind it", "short", &n)
	r.number("cv", "Their spread", "percentunit", &v.CV)
	rules := make([]string, len(v.Rules))
	for i, rule := range v.Rules {
		rules[i] = cmp.Or(codeWords["rule"][rule].In(lang), rule)
	}
	r.text("rules", "Rules", strings.Join(rules, question.Text{EN: "; ", FR: " ; "}.In(lang)))
	r.text("model", "Model", v.Model.Version)
	return r.Frame
}

// causesFrame is the votes of the causes, most probable first, and their evidence.
func causesFrame(s *explain.Subject, lang question.Lang) *data.Frame {
	codes, kinds, evidence := []string{}, []string{}, []string{}
	shares, repaired := []*float64{}, []*float64{}
	for i := range s.Verdict.Causes {
		c := &s.Verdict.Causes[i]
		codes, kinds = append(codes, c.Code), append(kinds, explain.Lang(lang).Kind(c))
		evidence = append(evidence, sentences(lang, c.Evidence))
		p := c.P
		shares, repaired = append(shares, &p), append(repaired, amount(c.Repaired))
	}
	r := newRow("causes", lang)
	r.add(data.NewField("code", nil, codes), "Cause", "")
	r.add(data.NewField("kind", nil, kinds), "Kind", "")
	r.add(data.NewField("p", nil, shares), "Probability", "percentunit")
	r.add(data.NewField("evidence", nil, evidence), "Evidence", "")
	r.add(data.NewField("repaired_amount", nil, repaired), "Repaired", "none")
	return r.Frame
}

// sentences says evidence in a language, a line each.
func sentences(lang question.Lang, english []string) string {
	said := make([]string, len(english))
	for i, sentence := range english {
		said[i] = explain.Lang(lang).Sentence(sentence)
	}
	return strings.Join(said, "\n")
}

// caseStateFrame is where the case of the invoice stands, no row without a case.
func caseStateFrame(s *explain.Subject, lang question.Lang) *data.Frame {
	r, c := newRow("case", lang), s.Case
	if c == nil {
		return r.Frame
	}
	state := "open"
	switch {
	case !c.Open:
		state = "closed"
	case c.Status != "":
		state = c.Status
	}
	r.text("case_id", "Case", c.CaseID)
	r.text("state", "State", state)
	r.text("outcome", "Outcome", c.Outcome)
	r.text("true_cause", "Confirmed cause", c.Cause)
	r.text("severity", "Severity", string(c.Severity))
	r.text("owner_team", "Team", c.OwnerTeam)
	r.instant("opened_at", "Opened", c.DetectedAt)
	r.instant("respond_by", "Answer by", c.RespondBy)
	r.text("currency", "Currency", c.Currency)
	var lost *float64
	if c.ConfirmedLoss.Set {
		lost = amount(c.ConfirmedLoss.Value)
	}
	r.number("confirmed_loss", "Confirmed loss", "none", lost)
	r.number("paid", "Paid", "none", amount(c.Paid))
	r.text("summary", "Summary", question.Text{EN: c.Summary.EN, FR: c.Summary.FR}.In(lang))
	checks := make([]string, len(c.Verify))
	for i, check := range c.Verify {
		checks[i] = explain.Lang(lang).Code(check)
	}
	r.text("verify_first", "Verify first", strings.Join(checks, " "))
	r.text("runbook", "Runbook", onWeb(c.Links.Runbook))
	r.Fields[len(r.Fields)-1].Config.Links = []data.DataLink{{Title: "Runbook", URL: "${__value.raw}", TargetBlank: true}}
	return r.Frame
}

// textFrame is the explanation of `recoup explain`, a row for each line.
func textFrame(s *explain.Subject, lang question.Lang) (*data.Frame, error) {
	var text strings.Builder
	if err := explain.Lang(lang).Text(&text, s); err != nil {
		return nil, err
	}
	r := newRow("text", lang)
	r.add(data.NewField("line", nil, strings.Split(strings.TrimRight(text.String(), "\n"), "\n")), "Explanation", "")
	return r.Frame, nil
}

// frenchTitles are the titles of fields in French; one that is missing is the same.
var frenchTitles = map[string]string{"Invoice": "Facture", "Seller": "Vendeur", "Issued": "Émise",
	"Customer type": "Type de client", "Product family": "Famille de produits", "Currency": "Devise", "Billed": "Facturé",
	"Expected": "Attendu", "95 % low": "95 % bas", "95 % high": "95 % haut", "Repaired": "Corrigé", "Loss": "Perte",
	"Loss, 95 % low": "Perte, 95 % bas", "Loss, 95 % high": "Perte, 95 % haut",
	"Probability of an error": "Probabilité d'une erreur", "Decision": "Décision", "Compared with": "Comparée à",
	"Invoices behind it": "Factures derrière", "Their spread": "Leur dispersion", "Rules": "Règles", "Model": "Modèle",
	"Kind": "Genre", "Probability": "Probabilité", "Evidence": "Indices", "Case": "Dossier",
	"State": "État", "Outcome": "Issue",
	"Confirmed cause": "Cause confirmée", "Severity": "Gravité", "Team": "Équipe", "Opened": "Ouvert",
	"Answer by": "Répondre avant", "Confirmed loss": "Perte confirmée", "Paid": "Payé", "Summary": "Résumé",
	"Verify first": "À vérifier d'abord", "Runbook": "Procédure", "Explanation": "Explication", "Level": "Niveau",
	"15 % rule": "Règle des 15 %", "Invoices": "Factures", "Usual amount, net": "Montant habituel, net",
	"Spread": "Dispersion", "Alerts that are right, expected": "Alertes justes, attendues",
	"Errors that are found, expected": "Erreurs trouvées, attendues", "Partition": "Partition",
	"Invoices that wait": "Factures qui attendent"}
