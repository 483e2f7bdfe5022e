package main

import (
	"testing"

	"recoup/detectors"
	"recoup/invoice"
)

// Verdicts of engines that forget follow from the baselines that they have; of segments that
// are forgotten each lie is seen, however it is told.
func TestFounded(t *testing.T) {
	p := plan{Segments: 20_000, Customers: 20_000, Partitions: 8, Rate: 2_000, Budget: 10_000, Verdicts: "compared"}
	w := &world{maker: newMaker(p), shared: detectors.NewShared(), taken: make([]int64, p.Partitions),
		since: make([]int64, p.Partitions), verdicts: &verdicts{}}
	for i := range w.Partitions {
		w.engines = append(w.engines, w.engine(w.shared, i))
	}
	k := &verdicts{settings: detectors.DefaultSettings()}
	var inv invoice.Invoice
	var v detectors.Verdict
	lied := 0
	for i := range w.total() {
		d, isWrong := w.drifting(i)
		partition, at := w.make(&inv, d)
		e := w.engines[partition]
		e.Begin(&inv, invoice.Position{Topic: "bench", Partition: partition, Offset: int64(i)}, at)
		e.Score(&v)
		e.Teach(isWrong)
		said := k.said(&v, e)
		s := readSaid(said.append(nil))
		if !s.founded(&k.settings) {
			t.Fatalf("invoice %d: %+v does not follow from its baselines", i, s)
		}
		for lie := range lies {
			told := s
			liar := verdicts{lying: true, lies: lie}
			liar.lie(&told, i >= w.total()/2 && i%often > 0)
			if liar.lies == lie {
				continue
			}
			if lied++; told.founded(&k.settings) {
				t.Fatalf("invoice %d: lie %d is not seen in %+v", i, lie, told)
			}
		}
		w.taken[partition]++
		w.since[partition]++
		if (i+1)%(interval*w.Rate) == 0 {
			if err := w.checkpoint(int64(i) + 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	if lied < 1000 {
		t.Errorf("%d lies were told", lied)
	}
}
