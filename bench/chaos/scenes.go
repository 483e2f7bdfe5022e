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
	all := slices.Concat(members, pauses, brokers, warehouses)
	return []scene{
		{name: "kills", stream: 1, weight: 5, partitions: 6, members: 6, faults: members},
		{name: "pauses", stream: 2, weight: 3, partitions: 6, members: 4, faults: pauses},
		{name: "broker", stream: 3, weight: 2, partitions: 4, members: 3, faults: brokers},
		{name: "warehouse", stream: 4, weight: 3, partitions: 4, members: 3, faults: warehouses},
		{name: "scaling", stream: 5, weight: 3, partitions: 16, members: 1, faults: scalings()},
		{name: "releases", stream: 6, weight: 2, partitions: 4, members: 3, faults: releases()},
		{name: "everything", stream: 7, weight: 3, partitions: 8, members: 4, faults: all},
	}
}

// quick are the faults of the short form.
var quick = []string{"several killed at once", "killed between decision and alert", "killed inside the insert",
	"killed between insert and commit", "killed inside the checkpoint", "paused for longer than a session",
	"broker killed and restarted", "ClickHouse killed and restarted", "acknowledgements of inserts cut",
	"started with a bad configuration"}

// short returns the scene of CI.
func short() scene {
	all := slices.Concat(killings(), pausings(), brokerFaults(), warehouseFaults(), releases())
	faults := slices.DeleteFunc(all, func(k kind) bool { return !slices.Contains(quick, k.name) })
	return scene{name: "short", stream: 8, partitions: 4, members: 3, faults: faults}
}
