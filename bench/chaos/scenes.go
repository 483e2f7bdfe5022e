package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"
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
	// rest is the shortest time until the next fault.
	rest time.Duration
	// inject does it, to as many as it draws, and returns when the next may come; it
	// notes each one.
	inject func(ctx context.Context, p *play, rng *rand.Rand, name string) error
}

// Rests: after a change of members a session passes until the dead are given up and
// invoices flow again.
const (
	restOfMembers = session + time.Second
	restOfServers = 3 * time.Second
)

// scenes returns all, in the order they are played.
func scenes() []scene {
	members, pauses, brokers, warehouses := killings(), pausings(), brokerFaults(), warehouseFaults()
	all := slices.Concat(members, pauses, brokers, warehouses)
	return []scene{
		{name: "kills", stream: 1, weight: 5, partitions: 6, members: 5, faults: members},
		{name: "pauses", stream: 2, weight: 3, partitions: 6, members: 4, faults: pauses},
		{name: "broker", stream: 3, weight: 2, partitions: 4, members: 3, faults: brokers},
		{name: "warehouse", stream: 4, weight: 3, partitions: 4, members: 3, faults: warehouses},
		{name: "everything", stream: 7, weight: 3, partitions: 8, members: 4, faults: all},
	}
}

// short returns the scene of CI.
func short() scene {
	faults := slices.Concat(killings()[:2], brokerFaults()[:1], warehouseFaults()[:1])
	return scene{name: "short", stream: 8, partitions: 4, members: 3, faults: faults}
}
