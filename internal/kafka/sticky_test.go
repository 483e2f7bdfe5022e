package kafka

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// G9: what a member holds stays with it when others come and go; only what must move does.
func TestShareOut(t *testing.T) {
	eight := []int{0, 1, 2, 3, 4, 5, 6, 7}
	for _, c := range []struct {
		name string
		held map[string]holding
		want map[string][]int
	}{
		{"nobody held any", map[string]holding{"a": {}, "b": {}},
			map[string][]int{"a": {0, 1, 2, 3}, "b": {4, 5, 6, 7}}},
		{"one left", map[string]holding{"a": {3, []int{0, 1, 2}}, "c": {3, []int{5, 6, 7}}},
			map[string][]int{"a": {0, 1, 2, 3}, "c": {5, 6, 7, 4}}},
		{"one joins", map[string]holding{"0": {}, "a": {3, []int{0, 2, 4, 6}}, "b": {3, []int{1, 3, 5, 7}}},
			map[string][]int{"0": {6, 7}, "a": {0, 2, 4}, "b": {1, 3, 5}}},
		{"one slept through a rebalance", map[string]holding{"a": {3, []int{0, 1, 2, 3}}, "b": {4, eight}},
			map[string][]int{"a": {4, 5, 6, 7}, "b": {0, 1, 2, 3}}},
		{"more members than partitions", map[string]holding{"a": {1, []int{7}}, "b": {}, "c": {}, "d": {}, "e": {},
			"f": {}, "g": {}, "h": {}, "i": {}},
			map[string][]int{"a": {7}, "b": {0}, "c": {1}, "d": {2}, "e": {3}, "f": {4}, "g": {5}, "h": {6}, "i": nil}},
		{"nobody is there", nil, map[string][]int{}},
	} {
		got := shareOut(slices.Clone(eight), c.held)
		for id := range got {
			if len(got[id]) == 0 {
				got[id] = nil
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// G9: each partition goes to one member, nobody has two more than another, and nothing
// moves that need not.
func TestShareOutProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	for range 2000 {
		partitions, before := make([]int, rng.IntN(40)), map[string]holding{}
		for p := range partitions {
			partitions[p] = p
		}
		for i := range 1 + rng.IntN(9) {
			before[fmt.Sprint("m", i)] = holding{}
		}
		first := shareOut(partitions, before)
		after, stays := map[string]holding{}, 0
		for id, share := range first {
			if rng.IntN(4) > 0 {
				after[id] = holding{Generation: 1, Partitions: share}
			}
		}
		for i := range rng.IntN(3) {
			after[fmt.Sprint("a", i)] = holding{}
		}
		if len(after) == 0 {
			continue
		}
		second := shareOut(partitions, after)
		var all []int
		fewest, most := len(partitions), 0
		for id, share := range second {
			all = append(all, share...)
			fewest, most = min(fewest, len(share)), max(most, len(share))
			for _, p := range share {
				if slices.Contains(after[id].Partitions, p) {
					stays++
				}
			}
		}
		if slices.Sort(all); !slices.Equal(all, partitions) || most-fewest > 1 {
			t.Fatalf("%v shared out as %v", partitions, second)
		}
		could := 0
		for _, h := range after {
			could += min(len(h.Partitions), len(partitions)/len(after))
		}
		if stays < could {
			t.Fatalf("%d partitions stayed of %d that could: %v to %v", stays, could, after, second)
		}
	}
}

// What a member expects is what it is given once the owners of silent partitions are gone, and
// each partition is expected by one member.
func TestHeritage(t *testing.T) {
	for _, c := range []struct {
		name   string
		have   map[string][]int
		silent []int
		want   map[string][]int
	}{
		{"one of two", map[string][]int{"a": {0, 2}, "b": {1, 3}}, []int{3}, map[string][]int{"a": {1, 3}}},
		{"one of three", map[string][]int{"a": {0, 3}, "b": {1, 4}, "c": {2, 5}}, []int{1, 4},
			map[string][]int{"a": {1}, "c": {4}}},
		{"two of three", map[string][]int{"a": {0, 3}, "b": {1, 4}, "c": {2, 5}}, []int{0, 4},
			map[string][]int{"c": {0, 1, 3, 4}}},
		{"all", map[string][]int{"a": {0, 1}, "b": {2}}, []int{0, 2}, nil},
		{"one who has nothing is left", map[string][]int{"a": {0, 1}, "b": nil}, []int{0}, map[string][]int{"b": {0, 1}}},
		{"nobody is silent", map[string][]int{"a": {0}, "b": {1}}, nil, nil},
		{"one who is not there asks", map[string][]int{"a": {0}, "b": {1}}, []int{0}, map[string][]int{"b": {0}, "x": nil}},
	} {
		for _, member := range []string{"a", "b", "c", "x"} {
			if got := heritage(c.have, member, c.silent); !slices.Equal(got, c.want[member]) {
				t.Errorf("%s: %s would be given %v, want %v", c.name, member, got, c.want[member])
			}
		}
	}
}
