package boost

import (
	"fmt"
	"testing"
)

// The sets of the benchmarks: as many rows and features as a seller's training
// set has, once with most features at their usual value, once with none.
var benchSets = []struct {
	name  string
	usual float64 // share of values that are 0
}{{"sparse", 0.8}, {"dense", 0}}

func BenchmarkTrain(b *testing.B) {
	for _, kind := range benchSets {
		set := synthetic(1, 20_000, 64, kind.usual)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", kind.name, workers), func(b *testing.B) {
				o := Options{Rounds: 80, Depth: 5, Bins: 64, Lambda: 1, MinWeight: 1, Workers: workers}
				for b.Loop() {
					if _, err := Train(set, o); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkLogit(b *testing.B) {
	for _, kind := range benchSets {
		b.Run(kind.name, func(b *testing.B) {
			set := synthetic(1, 20_000, 64, kind.usual)
			f, err := Train(set, Options{Rounds: 80, Depth: 5, Lambda: 1, Workers: 2})
			if err != nil {
				b.Fatal(err)
			}
			row, sum := 0, 0.0
			b.ReportAllocs()
			for b.Loop() {
				sum += f.Logit(set.row(row))
				if row++; row == set.Rows() {
					row = 0
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/80, "ns/tree")
			if sum != sum {
				b.Fatal("not a number")
			}
		})
	}
}
