package pipeline_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"recoup/pipeline"
)

// E2: who joins or follows does not wait for the rows of those who stay: after a moment
// they hand over, and nothing is lost. Who stops takes the time it is given.
func TestHandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, want := twins(t)
		var down atomic.Bool
		down.Store(true)
		w.away(&down)
		_, stop := w.start("stays", func(o *pipeline.Options) { o.DrainTimeout = 20 * time.Second })
		time.Sleep(10 * time.Second)

		joins := w.log.Group(w.opt.Group, w.opt.Topics.Invoices)
		began := time.Now()
		gen, err := joins.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 300*time.Millisecond {
			t.Errorf("who joined waited %v for rows that find no room", took)
		}
		gen.Leave()
		if err := joins.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		began = time.Now()
		time.AfterFunc(5*time.Second, func() { down.Store(false) })
		stop()
		if took := time.Since(began); took < 5*time.Second || took > 20*time.Second {
			t.Errorf("who stopped took %v, expected to store its rows once the store is back", took)
		}
		w.outcome(t).equal(t, want)
	})
}
