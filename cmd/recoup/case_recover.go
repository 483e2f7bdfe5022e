package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"recoup/cases"
	"recoup/invoice"
)

// caseRecoverCommand is `recoup case recover`.
type caseRecoverCommand struct {
	eventFlags
	Option       string       `arg:"" help:"Way to settle it; the list is below."`
	Step         string       `arg:"" help:"What happened; the list is below."`
	Amount       *typedAmount `placeholder:"AMOUNT" help:"By default what is owed, or the instalment's part."`
	Instalments  int          `placeholder:"N" help:"With scheduled: how many, 2 to 12."`
	Instalment   int          `placeholder:"I" help:"With paid or failed: which one, from 1."`
	FirstDue     time.Time    `placeholder:"DAY" format:"2006-01-02" help:"With scheduled. By default in 14 days."`
	GoodwillCost *typedAmount `placeholder:"AMOUNT" help:"What the gesture costs; needed for goodwill."`
	Plan         string       `placeholder:"ID" help:"Recovery id. By default the latest of this option, or a new one."`
	Channel      freeText     `placeholder:"TEXT" help:"How the customer was reached or paid, such as email."`
}

// Help is the longer text of `recoup case recover --help`.
func (*caseRecoverCommand) Help() string {
	return `Notes one step of getting the money back. Amicable options come first: a formal notice is refused until one of
them was refused or has failed. recoup never sends anything to a customer.

    options  immediate_payment, instalments, offset_next_order (added to the next invoice), goodwill (a gesture),
             write_off, formal_notice
    steps    offered, accepted, refused, scheduled, paid, failed, completed, cancelled, written_off

Scheduled instalments sum to what is owed, to the cent; the first is due on --first-due, the others monthly.

Examples:

    recoup case recover 5f0c2a9e immediate_payment offered --channel phone
    recoup case recover 5f0c2a9e immediate_payment refused
    recoup case recover 5f0c2a9e instalments offered
    recoup case recover 5f0c2a9e instalments accepted
    recoup case recover 5f0c2a9e instalments scheduled --instalments 3
    recoup case recover 5f0c2a9e instalments paid --instalment 1`
}

// Run notes the step.
func (c *caseRecoverCommand) Run(ctx context.Context, s *session) error {
	book, f, err := openNamed(ctx, s, c.Name)
	if err != nil {
		return err
	}
	defer book.close()
	state := f.state()
	if state.Outcome != cases.OutcomeConfirmed {
		return fmt.Errorf("cannot get money back for case %s: nobody has confirmed an error; "+
			"first: recoup case decide %s confirmed_error --correct AMOUNT", f.Case.CaseID, f.Case.CaseID[:13])
	}
	steps, err := c.steps(f, &state)
	if err != nil {
		return err
	}
	var values [][]byte
	for _, r := range steps {
		value, err := r.Encode()
		if err != nil {
			return unsendable(err)
		}
		values = append(values, value)
	}
	err = f.Life.Refusal(f.Case, func(l *cases.Life) {
		for _, r := range steps {
			l.ApplyRecovery(r)
		}
	})
	if err != nil {
		return err
	}
	c.warn(s, f, &state)
	if err := book.write(ctx, book.config.Kafka.Topics.Recoveries, f.Case.CaseID, values...); err != nil {
		return err
	}
	if !c.JSON {
		for _, r := range steps {
			fmt.Fprintf(s.stdout, "%s %s: %s, plan %s%s\n", r.Option, r.Event, english.money(r.Amount, r.Currency),
				r.RecoveryID, part(r))
		}
	}
	return c.tell(s, f, values...)
}

// warn says that a plan is scheduled which nobody has offered: recoup learns nothing of
// how customers answer, and no agreement stands.
func (c *caseRecoverCommand) warn(s *session, f *caseFile, state *cases.State) {
	p := c.plan(f, state)
	if c.Step != string(cases.StepScheduled) || p.Offered || p.Accepted {
		return
	}
	fmt.Fprintf(s.stderr, "recoup: warning: the plan was never offered; note it too: recoup case recover %s %s offered "+
		"--plan %s, then accepted\n", f.Case.CaseID[:13], c.Option, p.ID)
}

// part names an instalment.
func part(r *cases.Recovery) string {
	switch {
	case r.Instalment == 0:
		return ""
	case r.DueDate.IsZero():
		return fmt.Sprintf(", instalment %d of %d", r.Instalment, r.Instalments)
	}
	return fmt.Sprintf(", instalment %d of %d, due %s", r.Instalment, r.Instalments, r.DueDate.Format(time.DateOnly))
}

// steps are the events of the step: one, or one for each instalment of a plan.
func (c *caseRecoverCommand) steps(f *caseFile, state *cases.State) ([]*cases.Recovery, error) {
	plan := c.plan(f, state)
	r := cases.Recovery{EventID: uuid.NewString(), RecoveryID: plan.ID, CaseID: f.Case.CaseID,
		Option: cases.Option(c.Option), Event: cases.Step(c.Step), Currency: f.currency(state), Channel: string(c.Channel),
		Amount: state.Owed(), At: c.when()}
	if plan.Due > 0 {
		r.Amount = plan.Due
	}
	if c.GoodwillCost != nil {
		r.GoodwillCost = invoice.OptionalAmount{Value: invoice.Amount(*c.GoodwillCost), Set: true}
	} else if r.Option == cases.OptionGoodwill {
		return nil, usage("cannot note goodwill without --goodwill-cost: what the gesture costs, such as 2.50")
	}
	if r.Option == cases.OptionInstalments && r.Event == cases.StepScheduled {
		return c.schedule(r)
	}
	if c.Instalment > 0 {
		if err := c.onInstalment(&r, &plan); err != nil {
			return nil, err
		}
	}
	if c.Amount != nil {
		r.Amount = invoice.Amount(*c.Amount)
	}
	if r.Amount <= 0 {
		return nil, usage("cannot tell the amount: nothing is owed any more; give --amount if that is wrong")
	}
	return []*cases.Recovery{&r}, nil
}

// plan is the recovery a step belongs to.
func (c *caseRecoverCommand) plan(f *caseFile, state *cases.State) cases.Plan {
	return state.PlanFor(f.Case.CaseID, c.Plan, cases.Option(c.Option), cases.Step(c.Step))
}

// schedule makes the instalments, which sum to the amount.
func (c *caseRecoverCommand) schedule(r cases.Recovery) ([]*cases.Recovery, error) {
	if c.Instalments < 2 || c.Instalments > 12 {
		return nil, usage("cannot schedule %d instalments: give --instalments, 2 to 12", c.Instalments)
	}
	if c.Amount != nil {
		r.Amount = invoice.Amount(*c.Amount)
	}
	first := c.FirstDue
	if first.IsZero() {
		first = r.At.Truncate(24*time.Hour).AddDate(0, 0, 14)
	}
	parts := cases.Schedule(r.Amount, c.Instalments, invoice.Coin(r.Currency))
	all := make([]*cases.Recovery, len(parts))
	for i, part := range parts {
		one := r
		one.EventID, one.Amount, one.Instalment, one.Instalments = uuid.NewString(), part, i+1, len(parts)
		one.DueDate = first.AddDate(0, i, 0)
		all[i] = &one
	}
	return all, nil
}

// onInstalment makes a step one of a part of the plan.
func (c *caseRecoverCommand) onInstalment(r *cases.Recovery, plan *cases.Plan) error {
	for _, scheduled := range plan.Scheduled {
		if scheduled.Number == c.Instalment {
			r.Instalment, r.Instalments, r.Amount = c.Instalment, len(plan.Scheduled), scheduled.Amount
			return nil
		}
	}
	return usage("cannot use --instalment %d: plan %s has %d; see recoup case show", c.Instalment, plan.ID,
		len(plan.Scheduled))
}
