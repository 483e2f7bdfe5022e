package cases

import (
	"fmt"
	"strings"

	"recoup/detectors"
	"recoup/invoice"
)

// Confirm makes an event one that says that the invoice is wrong: what it should have
// asked for, instead of what was billed, and why. The claim is disputed as long as
// money is at stake. ok is false when the difference is too large to be an amount.
func (e *Event) Confirm(cause string, correct, billed invoice.Amount, currency string) (ok bool) {
	loss, ok := correct.Sub(billed)
	if !ok {
		return false
	}
	disputed := loss != 0
	e.Status, e.Outcome, e.TrueCause = StatusDecided, OutcomeConfirmed, cause
	e.CorrectAmount = invoice.OptionalAmount{Value: correct, Set: true}
	e.ConfirmedLoss = invoice.OptionalAmount{Value: loss, Set: true}
	e.Currency, e.Direction, e.DunningHold = currency, Favour(loss), &disputed
	return true
}

// Favour says who gains by an error.
func Favour(loss invoice.Amount) detectors.Direction {
	switch {
	case loss > 0:
		return detectors.DirectionCustomerFavour
	case loss < 0:
		return detectors.DirectionSellerFavour
	}
	return detectors.DirectionNone
}

// Owed is what the customer still owes; 0 when nothing was billed too little.
func (s *State) Owed() invoice.Amount {
	return max(0, s.ConfirmedLoss.Value-s.Paid-s.WrittenOff)
}

// PlanFor is the recovery that a step belongs to: the one of a name, without a name
// the latest of the option that goes on, else a new one of the case.
func (s *State) PlanFor(caseID, name string, option Option, step Step) Plan {
	for i := len(s.Plans) - 1; i >= 0; i-- {
		p := s.Plans[i]
		if p.ID == name || name == "" && p.Option == option && !p.Ended && step != StepOffered {
			return p
		}
	}
	if name != "" {
		return Plan{ID: name}
	}
	return Plan{ID: fmt.Sprintf("%s-%d", caseID, len(s.Plans)+1)}
}

// refusals say, by flag, why a record is refused and what to do.
var refusals = map[string]Refused{
	FlagStepBack: {"the case is further than that already; if that was wrong: recoup case reopen",
		"le dossier est déjà plus avancé ; si c'était une erreur : recoup case reopen"},
	FlagClosedEarly: {"nobody has decided it; first: recoup case decide",
		"personne ne l'a tranché ; d'abord : recoup case decide"},
	FlagReopenedEarly: {"nobody has decided it, so there is nothing to take back",
		"personne ne l'a tranché, il n'y a donc rien à reprendre"},
	FlagNotOffered: {"it was never offered; first note it as offered, or name the plan (--plan) it was offered under",
		"cela n'a jamais été proposé ; notez d'abord la proposition, ou nommez le plan (--plan) où elle figure"},
	FlagNoticeTooEarly: {"no amicable option was refused or has failed so far, and a formal notice is the last " +
		"resort; first offer immediate_payment, instalments, offset_next_order or goodwill",
		"aucune solution amiable n'a encore été refusée ni n'a échoué, et la mise en demeure est le dernier " +
			"recours ; proposez d'abord immediate_payment, instalments, offset_next_order ou goodwill"},
	FlagScheduleSum: {"the instalments do not add up to what was agreed",
		"la somme des échéances n'est pas ce qui a été convenu"},
	FlagOverpaid: {"more would be paid than was lost; check the amount",
		"il serait payé plus que la perte ; vérifiez le montant"},
	FlagCurrency: {"the case is in another currency", "le dossier est dans une autre devise"},
	FlagReused:   {"its event id is taken", "son identifiant d'événement est déjà pris"},
}

// Refused is why a case does not take something.
type Refused struct {
	EN string // English
	FR string // French
}

// Error says it in English.
func (r *Refused) Error() string { return r.EN }

// Refusal lets something happen to a case and tells why the case does not take it, a
// *Refused, nil when it does: recoup keeps and flags such a record, but a person who is
// about to send it can still mend it.
func (l *Life) Refusal(c *Case, happen func(*Life)) error {
	before := len(l.StateOf(c.Origin).Flags)
	happen(l)
	flags := l.StateOf(c.Origin).Flags
	if len(flags) <= before {
		return nil
	}
	known := map[string]bool{}
	var english, french []string
	for _, flag := range flags {
		if why, is := refusals[flag.Code]; is && !known[flag.Code] {
			known[flag.Code] = true
			english, french = append(english, why.EN), append(french, why.FR)
		}
	}
	return &Refused{
		EN: fmt.Sprintf("cannot do that with case %s: %s", c.CaseID, strings.Join(english, "; ")),
		FR: fmt.Sprintf("impossible avec le dossier %s : %s", c.CaseID, strings.Join(french, " ; ")),
	}
}
