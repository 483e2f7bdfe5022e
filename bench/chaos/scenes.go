package main

import (
	"context"
	"math/rand/v2"
	"slices"
)

// class is what a fault is counted as in the total.
type class string

const (
	killed    class = "kills of members"
	paused    class = "pauses"
	restarted class = "broker restarts"
	darkened  class = "ClickHouse kills"
	other     class = "other faults"
)

// scene is a set of faults and the installation they happen to.
type scene struct {
	name       string
	stream     uint64  // of what is drawn: another scene draws otherwise
	weight     float64 // of its share of the time
	share      float64 // of this scene and those behind it
	sampled    bool    // the time ends it, though not each fault has come
	tries      int     // of a fault that meets nobody; 0: mostTries
	partitions int
	members    int
	faults     []kind
}

// kind is a kind of fault.
type kind struct {
	name string
	// inject does it, to as many as it draws, and returns when the next may come; it
	// notes each one.
	inject func(ctx context.Context, p *play, rng *rand.Rand, name string) error
}

// scenes returns all, in the order they are played.
func scenes() []scene {
	members, pauses, brokers, warehouses := killings(), pausings(), brokerFaults(), warehouseFaults()
	all := slices.DeleteFunc(slices.Concat(members, pauses, brokers, warehouses),
		func(k kind) bool { return k.name == warehouseAway })
	return []scene{
		{name: "kills", stream: 1, weight: 5, partitions: 6, members: 6, faults: members},
		{name: "pauses", stream: 2, weight: 3, partitions: 6, members: 4, faults: pauses},
		{name: "broker", stream: 3, weight: 2, partitions: 4, members: 3, faults: brokers},
		{name: "warehouse", stream: 4, weight: 6, partitions: 4, members: 3, faults: warehouses},
		{name: "scaling", stream: 5, weight: 3, partitions: 16, members: 1, faults: scalings()},
		{name: "releases", stream: 6, weight: 3, partitions: 4, members: 3, faults: releases()},
		{name: "everything", stream: 7, weight: 4, partitions: 8, members: 4, faults: all, sampled: true},
	}
}

// quick are the faults that each short form has.
var quick = []string{"several killed at once", "paused for longer than a session", "acknowledgements of inserts cut",
	"started with a bad configuration"}

// inTurn are lists of faults of which a short form has one or more, another seed others.
var inTurn = []struct {
	take  int
	names []string
}{
	{3, names(killings()[2:])}, // each point of the protocol
	{1, []string{"broker killed and restarted", "ClickHouse killed and restarted", "answers of the broker cut"}},
}

func names(kinds []kind) (names []string) {
	for i := range kinds {
		names = append(names, kinds[i].name)
	}
	return names
}

// short returns the scene of CI. Seeds that follow each other go through all points where
// members are killed, so that CI, which takes the number of the day, comes to each within
// five days.
func short(seed uint64) scene {
	chosen := slices.Clone(quick)
	for _, turn := range inTurn {
		for i := range turn.take {
			chosen = append(chosen, turn.names[(seed*uint64(turn.take)+uint64(i))%uint64(len(turn.names))])
		}
	}
	all := slices.Concat(killings(), pausings(), brokerFaults(), warehouseFaults(), releases())
	faults := slices.DeleteFunc(all, func(k kind) bool { return !slices.Contains(chosen, k.name) })
	return scene{name: "short", stream: 8, partitions: 4, members: 3, faults: faults, tries: 2}
}
