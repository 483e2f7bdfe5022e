package pipeline_test

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"recoup/pipeline"
	"recoup/pipeline/memlog"
)

// closing is a group that notes when its member closes it.
type closing struct {
	pipeline.Group
	at atomic.Int64 // Unix nanoseconds; 0: it has not
}

func (g *closing) Close() error {
	g.at.Store(time.Now().UnixNano())
	return g.Group.Close()
}

// Who leaves leaves what else it does when its partitions are given away: who follows would
// else read for the case stage, or train, while it prepares to take them over.
func TestLeavesOtherWorkLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var groups [2]closing
		l := newLeaver(t, func(o *pipeline.Options) {
			for i, of := range []*func() pipeline.Group{&o.Stage.Group, &o.Training.Group} {
				groups[i].Group = newStageWorld().log.Group("other", leadTopic)
				*of = func() pipeline.Group { return &groups[i] }
			}
		})
		began := time.Now()
		ended := l.leaves()
		l.goesOn(7 * time.Second)
		if took := ended(); took < 5*time.Second {
			t.Fatalf("it ended after %v", took)
		}
		for i := range groups {
			if after := time.Unix(0, groups[i].at.Load()).Sub(began); after < 5*time.Second {
				t.Errorf("it left group %d after %v", i, after)
			}
		}
	})
}

// The case stage of who was killed waits until its partitions are taken over: reading for it
// takes the processors that those need.
func TestStageWaitsForTakeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pair{world: newStageWorldOf(2)}
		of := p.opt.Stage.Group
		stage := of().(*memlog.Member) // of the first one
		p.opt.Stage.Group = func() pipeline.Group { return stage }
		p.killable = p.world.killable(t, "first")
		p.opt.Stage.Group = of
		time.Sleep(time.Second)
		_, stop := p.start("second", func(o *pipeline.Options) {
			o.Log, p.metrics = slog.New(slog.NewTextHandler(&p.said, nil)), o.Metrics
		})
		p.bill(t, 5*time.Second)
		p.kill()
		p.bill(t, 8*time.Second)
		stage.Evict()
		p.bill(t, 2*time.Second)
		p.evict()
		p.bill(t, 3*time.Second)
		said := p.said.String()
		took, reads := strings.Index(said, p.tookOver()), strings.LastIndex(said, "the case stage is on this member")
		if p.tookOver() == "" || reads < took {
			t.Errorf("partition 0 is taken over at %d of the log, the stage at %d", took, reads)
		}
		stop()
		p.end()
	})
}
