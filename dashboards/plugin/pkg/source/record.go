package source

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"time"

	"recoup/cases"
	"recoup/dashboards/question"
	"recoup/invoice"
)

// knownCase is a case and what people did with it.
type knownCase struct {
	*cases.Case
	life *cases.Life
}

// has tells whether an event of that id happened to the case.
func (k *knownCase) has(eventID string) bool {
	return slices.ContainsFunc(k.life.Events(), func(e *cases.Event) bool { return e.EventID == eventID }) ||
		slices.ContainsFunc(k.life.Recoveries(), func(r *cases.Recovery) bool { return r.EventID == eventID })
}

// record is what is about to be written.
type record struct {
	recovery bool          // of recoup.recoveries, else of recoup.case-events
	value    []byte        // encoded
	message  question.Text // what to tell whoever did it
}

// actions make the record of each action.
var actions = map[string]func(k *knownCase, o *order, role string) (*record, error){
	"acknowledge": func(k *knownCase, o *order, role string) (*record, error) {
		return k.event(k.begin(o, role, cases.StatusAcknowledged, ""), question.Text{
			EN: "Acknowledged: somebody looks at it.", FR: "Pris en charge : quelqu'un s'en occupe."})
	},
	"false_alarm": func(k *knownCase, o *order, role string) (*record, error) {
		return k.event(k.begin(o, role, cases.StatusDecided, cases.OutcomeNotAnError),
			question.Text{EN: "Noted as a false alarm; recoup learns the amount.",
				FR: "Noté comme fausse alerte ; recoup apprend le montant."})
	},
	"confirm":   (*knownCase).confirm,
	"recovered": (*knownCase).recovered,
}

// begin makes an event that happens now.
func (k *knownCase) begin(o *order, role string, status cases.Status, outcome cases.Outcome) *cases.Event {
	return &cases.Event{EventID: o.EventID, CaseID: k.CaseID, InvoiceID: k.InvoiceID, Origin: k.Origin, Status: status,
		Outcome: outcome, At: now(), DecidedByRole: role}
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// event checks an event against the case.
func (k *knownCase) event(e *cases.Event, message question.Text) (*record, error) {
	value, err := e.Encode()
	if err != nil {
		return nil, unsendable(err)
	}
	if err := k.life.Refusal(k.Case, func(l *cases.Life) { l.Apply(e) }); err != nil {
		return nil, conflict(err)
	}
	return &record{value: value, message: message}, nil
}

// unknownCurrency is that of a case of which nobody has told recoup what was billed.
const unknownCurrency = "XXX"

// confirm says that the invoice is wrong, and what it should have asked for.
func (k *knownCase) confirm(o *order, role string) (*record, error) {
	e := k.begin(o, role, cases.StatusDecided, cases.OutcomeConfirmed)
	e.TrueCause = o.TrueCause
	if e.TrueCause == "" && len(k.Causes) > 0 {
		e.TrueCause = k.Causes[0].Code
	}
	if k.Kind == cases.KindInvoice { // those of an incident have their own amounts
		switch {
		case k.Currency == unknownCurrency:
			return nil, decline(http.StatusConflict, question.Text{
				EN: "cannot confirm here: recoup does not know what was billed; use recoup case decide with --billed and " +
					"--currency",
				FR: "impossible de confirmer ici : recoup ne sait pas ce qui a été facturé ; utilisez recoup case decide avec " +
					"--billed et --currency"})
		case o.CorrectAmount == nil:
			return nil, decline(http.StatusBadRequest, question.Text{
				EN: "cannot confirm an error without correct_amount: what should have been billed instead of %s %s",
				FR: "impossible de confirmer une erreur sans correct_amount : ce qui aurait dû être facturé au lieu de %s %s"},
				moneyText(k.Billed), k.Currency)
		case !e.Confirm(e.TrueCause, *o.CorrectAmount, k.Billed, k.Currency):
			return nil, decline(http.StatusBadRequest, question.Text{EN: "cannot use correct_amount %s: too large",
				FR: "correct_amount %s ne convient pas : trop grand"}, moneyText(*o.CorrectAmount))
		}
	}
	return k.event(e, question.Text{EN: "Confirmed; recoup learns from it.", FR: "Confirmé ; recoup en tiendra compte."})
}

// recovered notes that money came in.
func (k *knownCase) recovered(o *order, _ string) (*record, error) {
	state := k.life.StateOf(k.Origin)
	if state.Outcome != cases.OutcomeConfirmed {
		return nil, decline(http.StatusConflict, question.Text{
			EN: "cannot note money of case %s: nobody has confirmed an error, or it was not copied into ClickHouse yet; " +
				"confirm it first, or try again in some seconds",
			FR: "impossible de noter de l'argent pour le dossier %s : personne n'a confirmé d'erreur, ou ce n'est pas encore " +
				"copié dans ClickHouse ; confirmez d'abord, ou réessayez dans quelques secondes"}, k.CaseID)
	}
	option := o.Option
	for i := len(state.Plans) - 1; option == "" && i >= 0; i-- {
		if !state.Plans[i].Ended {
			option = state.Plans[i].Option
		}
	}
	option = cmp.Or(option, cases.OptionImmediate)
	r := &cases.Recovery{EventID: o.EventID, CaseID: k.CaseID, Option: option, Event: cases.StepPaid, Amount: state.Owed(),
		RecoveryID: state.PlanFor(k.CaseID, "", option, cases.StepPaid).ID, Currency: cmp.Or(state.Currency, k.Currency),
		At: now()}
	if o.Amount != nil {
		r.Amount = *o.Amount
	} else if r.Amount == 0 {
		return nil, decline(http.StatusConflict, question.Text{
			EN: "cannot tell the amount: nothing is owed any more; give amount if that is wrong",
			FR: "impossible de connaître le montant : plus rien n'est dû ; donnez le montant si c'est faux"})
	}
	value, err := r.Encode()
	if err != nil {
		return nil, unsendable(err)
	}
	if err := k.life.Refusal(k.Case, func(l *cases.Life) { l.ApplyRecovery(r) }); err != nil {
		return nil, conflict(err)
	}
	money := moneyText(r.Amount)
	return &record{recovery: true, value: value, message: question.Text{
		EN: "Noted: " + money.EN + " " + r.Currency + " came back.",
		FR: "Noté : " + money.FR + " " + r.Currency + " encaissés."}}, nil
}

// moneyText is an amount as each language writes it.
func moneyText(a invoice.Amount) question.Text {
	return question.Text{EN: a.String(), FR: cases.FrenchNumber(a.String())}
}

// conflict says why a case does not take a record.
func conflict(err error) error {
	why := question.Text{EN: err.Error(), FR: err.Error()}
	if refused, is := errors.AsType[*cases.Refused](err); is {
		why.FR = refused.FR
	}
	return decline(http.StatusConflict, question.Text{EN: "%s", FR: "%s"}, why)
}

// unsendable says what no record may say.
func unsendable(err error) error {
	if wrong, ok := errors.AsType[*invoice.DecodeError](err); ok {
		return decline(http.StatusBadRequest, question.Text{EN: "cannot send %s: %s", FR: "impossible d'envoyer %s : %s"},
			wrong.Field, wrong.Message)
	}
	return err
}
