package explain

import (
	"fmt"
	"strings"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// TextInFrench is the explanation in French, in fewer words than Text.
func TextInFrench(s *Subject) string {
	v, inv := s.Verdict, s.Invoice
	p := &printer{s: s, inv: inv, v: v}
	p.line("%s", titleInFrench(inv))
	p.line("de %s, émise le %s", inv.Seller, instant(inv.IssuedAt))
	p.line("")
	switch {
	case inv.Type != invoice.Standard:
		p.line("PAS JUGÉE : avoirs et rectificatifs sont gardés, jamais suspects, et n'enseignent rien.")
	case v.Suspect:
		p.line("SUSPECTE : probabilité d'une erreur %s%s.", Probability(v.PError), favourInFrench[v.Direction])
	default:
		p.line("PAS SUSPECTE : probabilité d'une erreur %s.", Probability(v.PError))
	}
	p.heading("Facturé et attendu")
	p.pair("facturé", "%s %s", v.Billed, v.Currency)
	if v.Level == detectors.LevelNone {
		p.pair("attendu", "rien : aucun historique auquel comparer")
	} else {
		p.pair("attendu", "%s %s, d'après %d factures ou achats", v.Expected, v.Currency, v.N)
		if v.ExpectedLow < v.ExpectedHigh {
			p.pair("", "95 fois sur 100 entre %s et %s %s", v.ExpectedLow, v.ExpectedHigh, v.Currency)
		}
	}
	p.causesInFrench()
	p.heading("Décision")
	p.line("  %s", DecisionInFrench(v.Decision))
	if c := s.Case; c != nil {
		p.pair("dossier", "%s, équipe %s, ouvert le %s", c.CaseID, c.OwnerTeam, instant(c.DetectedAt))
		if c.ConfirmedLoss.Set {
			p.pair("confirmé", "%s %s perdus, %s encaissés", c.ConfirmedLoss.Value, c.Currency, Money(c.Paid, c.Currency))
		}
	}
	return p.out.String()
}

// titleInFrench says which invoice it is.
func titleInFrench(inv *invoice.Invoice) string {
	kind, draft := "Facture", "Projet de facture"
	switch inv.Type {
	case invoice.CreditNote:
		kind, draft = "Avoir", "Projet d'avoir"
	case invoice.Correction:
		kind, draft = "Rectificatif", "Projet de rectificatif"
	}
	if inv.Stage == invoice.PreIssue {
		kind = draft
	}
	title := kind + " " + inv.ID
	if inv.Revision > 0 {
		title += fmt.Sprintf(", révision %d", inv.Revision)
	}
	if inv.Number != "" && inv.Number != inv.ID {
		title += ", numéro " + inv.Number
	}
	return title
}

// causesInFrench says what may be wrong, the most probable first, and what speaks for it.
func (p *printer) causesInFrench() {
	if len(p.v.Causes) == 0 {
		return
	}
	p.heading("Causes possibles")
	for i := range p.v.Causes {
		f := &p.v.Causes[i]
		_, words, ok := cases.Words(f)
		if !ok {
			words = strings.ReplaceAll(f.Code+" : "+f.Kind, "_", " ")
		}
		repaired := ""
		if f.Repaired != p.v.Billed {
			repaired = fmt.Sprintf(" ; corrigée, le client paie %s %s", f.Repaired, p.v.Currency)
		}
		p.line("  %s (%s)%s", words, Probability(f.P), repaired)
		for _, sentence := range f.Evidence {
			p.line("    %s", French(sentence))
		}
	}
	if l := p.v.Loss; l != (detectors.Loss{}) {
		p.line("  En jeu : %s%s", Money(l.Point, p.v.Currency), favourInFrench[p.v.Direction])
	}
}

var favourInFrench = map[detectors.Direction]string{
	detectors.DirectionCustomerFavour: ", facturé trop peu",
	detectors.DirectionSellerFavour:   ", facturé trop",
}

// DecisionInFrench says what is done about an invoice.
func DecisionInFrench(d detectors.Decision) string {
	switch d {
	case detectors.DecisionOpenCase:
		return "un dossier est ouvert"
	case detectors.DecisionBundle:
		return "partie d'un incident"
	case detectors.DecisionLogOnly:
		return "noté seulement"
	case detectors.DecisionHold:
		return "retenue, à ne pas envoyer"
	}
	return "rien à faire"
}
