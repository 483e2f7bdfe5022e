package pipeline_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"recoup/cases"
	"recoup/pipeline"
)

// K17: a member that was away, while another one has the case stage or while nobody was
// there, pages nobody when it comes back: what it has not read yet is no silence.
func TestRestartBlindsNobody(t *testing.T) {
	for name, away := range map[string]time.Duration{"a minute": time.Minute, "ten minutes": 10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newStageWorldOf(2)
				c := &company{t: t, w: w, rng: rand.New(rand.NewPCG(1, 1)), partitions: 2}
				work := func(name string, d time.Duration) {
					m, _ := w.member(name, func(o *pipeline.Options) { o.UntilCaughtUp = false })
					ctx, cancel := context.WithCancel(t.Context())
					done := make(chan error, 1)
					go func() { done <- m.Run(ctx) }()
					c.usual(d)
					cancel()
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
				work("first", 40*time.Minute)
				c.usual(away)
				work("second", 5*time.Minute)
				for _, b := range w.published(t, cases.KindBlind) {
					t.Errorf("%s at %s: %s", b.Action, b.DetectedAt, b.Summary.EN)
				}
			})
		})
	}
}
