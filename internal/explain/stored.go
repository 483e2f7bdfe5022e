package explain

import (
	"context"

	"recoup/sinks"
)

// Stored reads everything that belongs to a row.
func Stored(ctx context.Context, reader *sinks.Reader, row *sinks.Stored) (*Subject, error) {
	if err := reader.Lines(ctx, row); err != nil {
		return nil, err
	}
	subject := &Subject{Invoice: &row.Invoice, Verdict: &row.Verdict, ReceivedAt: row.ReceivedAt,
		StoredAt: row.StoredAt}
	if row.Verdict.CaseID != "" {
		state, ok, err := reader.Case(ctx, row.Invoice.Seller, row.Verdict.CaseID)
		if err != nil {
			return nil, err
		}
		if ok {
			subject.Case = &Case{Case: state.Case, Status: state.Status, Outcome: state.Outcome, Cause: state.Cause,
				Open: state.Open, ConfirmedLoss: state.ConfirmedLoss, Paid: state.Paid}
		}
	}
	evidence := Evidence(&row.Verdict)
	if evidence == "" {
		return subject, nil
	}
	before, err := reader.Before(ctx, row, evidence)
	if err != nil {
		return nil, err
	}
	for _, e := range before {
		if Names(evidence, e.ID) {
			subject.Earlier = append(subject.Earlier, Earlier{ID: e.ID, Revision: e.Revision, IssuedAt: e.IssuedAt,
				Billed: e.Billed, Currency: e.Currency})
		}
	}
	return subject, nil
}
