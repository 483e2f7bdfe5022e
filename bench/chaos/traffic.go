package main

import (
	"fmt"

	"recoup/bench/auditor"
	"recoup/bench/load"
)

// named are the kinds of garbage that have a row of their own in the matrix.
var named = map[string]string{"random_bytes": "random bytes", "huge_junk": "900 KB", "over_1_mib": "1.1 MB",
	"enormous_junk": "20 MB", "deep_nesting": "deep JSON", "invalid_utf8": "bad UTF-8"}

// traffic are the faults that come with the records, all the time and in each scene.
var traffic = []struct {
	name string
	is   func(*load.Truth) bool
}{
	{"sent twice", func(t *load.Truth) bool { return t.Redelivery }},
	{"out of order, up to 40 days late", func(t *load.Truth) bool { return t.Late }},
	{"issued by a clock up to 12 hours ahead", func(t *load.Truth) bool { return t.Skewed }},
	garbage("random_bytes"), garbage("huge_junk"), garbage("over_1_mib"), garbage("enormous_junk"),
	garbage("deep_nesting"), garbage("invalid_utf8"),
	{fmt.Sprintf("garbage: %d other kinds", len(load.GarbageKinds(largestRecord))-len(named)),
		func(t *load.Truth) bool { return t.GarbageKind != "" && named[t.GarbageKind] == "" }},
}

func garbage(kind string) struct {
	name string
	is   func(*load.Truth) bool
} {
	return struct {
		name string
		is   func(*load.Truth) bool
	}{"garbage: " + named[kind], func(t *load.Truth) bool { return t.GarbageKind == kind }}
}

// counted returns how often each of them came.
func counted(ledger *auditor.Ledger) []int {
	times := make([]int, len(traffic))
	ledger.Each(func(t *load.Truth) {
		for i := range traffic {
			if traffic[i].is(t) {
				times[i]++
			}
		}
	})
	return times
}
