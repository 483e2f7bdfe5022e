package pipeline

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"recoup/detectors"
	"recoup/invoice"
)

// What lost the right to train computes no further, and publishes nothing.
func TestTrainingEndsWithItsGeneration(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	asked := 0
	stop := func() bool {
		if asked++; asked == 5 {
			cancel(errDrained)
		}
		return ctx.Err() != nil
	}
	l := &learned{trainer: detectors.NewTrainer(detectors.TrainerOptions{Stop: stop}), spans: map[string]*span{}}
	e := detectors.NewEngine(detectors.DefaultSettings(), detectors.NewShared(), 0)
	first := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	var v detectors.Verdict
	for i := range 600 {
		inv := &invoice.Invoice{Seller: fmt.Sprint("seller ", i%2), ID: fmt.Sprint(i), Currency: "EUR", CustomerRef: "c1",
			NetAmount: invoice.Amount(400+i%7) * invoice.Unit, IssuedAt: first.Add(time.Duration(i) * time.Hour)}
		e.Begin(inv, invoice.Position{Offset: int64(i)}, inv.IssuedAt)
		e.Score(&v)
		l.trainer.Observe(e)
		e.Teach(v.Suspect)
		l.saw(inv.Seller, inv.IssuedAt)
	}
	tr := &trainer{m: &Member{models: &models{}, outcomes: &outcomes{}}} // there is nothing to publish to
	n, _, err := tr.run(ctx, l)
	if n != 0 || !errors.Is(err, errDrained) {
		t.Errorf("%d models, %v; want none and %v", n, err, errDrained)
	}
	if asked > 15 {
		t.Errorf("asked %d times whether to go on, want few after the end", asked)
	}
}
