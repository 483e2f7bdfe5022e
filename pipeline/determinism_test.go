package pipeline_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"recoup/invoice"
	"recoup/pipeline"
	"recoup/pipeline/memlog"
	"recoup/sinks/memstore"
)

// G5: of one partition, judged by a pinned model, the sha256 over all verdicts but for
// their sources and over all baselines is the same whatever the batches, with and
// without kills, on one processor and on two.
func TestSameVerdictsAndBaselines(t *testing.T) {
	var want [sha256.Size]byte
	for _, processors := range []int{1, 2} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		for i, batch := range []int{700, 9 << 10, 1 << 20} {
			for _, kills := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d processors, batches of %d bytes, kills %v", processors, batch, kills), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						got := fingerprint(t, uint64(i), batch, kills)
						if want == [sha256.Size]byte{} {
							want = got
						}
						if got != want {
							t.Errorf("sha256 %x, want %x", got, want)
						}
					})
				})
			}
		}
	}
}

func fingerprint(t *testing.T, seed uint64, batch int, kills bool) [sha256.Size]byte {
	w := newWorld(1)
	w.log = memlog.New(memlog.Options{FetchBytes: batch})
	for _, topic := range []string{"billing.invoices", "recoup.suspects", "recoup.state", "recoup.baselines"} {
		w.log.CreateTopic(topic, 1, 0)
	}
	w.log.CreateTopic(w.opt.Topics.Cases, 3, 0)
	w.log.CreateTopic(w.opt.Topics.DeadLetter, 2, 4<<20)
	w.opt.PinModel = pipeline.PinPrior
	w.opt.FlushRows = 1 + batch>>10
	w.fill(t, 1, 250)
	lines := rand.New(rand.NewPCG(1, 2))
	for i := range 150 {
		at := start.Add(time.Duration(300+i) * time.Minute)
		w.append(t, 0, pipeline.Record{Value: manyLines(lines, fmt.Sprint("lines-", i), at), Time: at})
	}
	for life := 0; kills && life < 10; life++ {
		rng := rand.New(rand.NewPCG(seed, uint64(life)))
		w.opt.CheckpointInterval, w.opt.FlushInterval = time.Duration(1+rng.IntN(200))*time.Millisecond, 10*time.Millisecond
		ctx, cancel := context.WithCancel(t.Context())
		_ = w.mortal(fmt.Sprint("life ", life), rng, 40, cancel).Run(ctx) // it dies or finishes
		cancel()
	}
	if died := w.died.Load(); kills != (died > 0) {
		t.Fatalf("%d members died, with kills %v", died, kills)
	}
	w.caught(t, "last")
	if n := len(w.store.Rows()); n != w.sent {
		t.Fatalf("%d rows, want %d", n, w.sent)
	}
	return w.digest(t)
}

// digest is the sha256 over verdicts, in the order of their offsets, and baselines.
func (w *world) digest(t *testing.T) (sum [sha256.Size]byte) {
	t.Helper()
	h := sha256.New()
	rows := w.store.Rows()
	slices.SortFunc(rows, func(a, b memstore.Row) int {
		return cmp.Compare(a.Verdict.Source.Offset, b.Verdict.Source.Offset)
	})
	for _, r := range rows {
		v := r.Verdict
		v.Source = invoice.Position{}
		if err := json.NewEncoder(h).Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	kept := map[string][]byte{} // owners do not overlap here: what stands last counts
	for _, r := range w.log.Records(w.opt.Topics.Baselines, 0) {
		kept[string(r.Key)] = r.Value
	}
	segments := 0
	for _, key := range slices.Sorted(maps.Keys(kept)) {
		if len(kept[key]) == 0 || key[:5] == "count" {
			continue
		}
		rest := kept[key][1:] // version, then epoch and applied offset, which tell who wrote it when
		for range 2 {
			_, n := binary.Varint(rest)
			rest = rest[n:]
		}
		fmt.Fprintf(h, "%s %x\n", key, rest)
		segments++
	}
	if segments < 4 {
		t.Fatalf("%d baselines, want some", segments)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
