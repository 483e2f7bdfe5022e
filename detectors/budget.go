package detectors

import "recoup/detectors/history"

// Budget bounds what is remembered, over all partitions. Each gets an equal share that is
// its own: so what it forgets follows from its own invoices, and not from what others have
// published by then, and replay forgets the same.
type Budget struct {
	// Segments is how many segments all partitions keep baselines of; one that two
	// partitions meet counts twice. At least 1,024 for each partition are kept.
	Segments int `json:"segments"`
	// Customers is how many customers are remembered, each with up to five invoices. At
	// least 1,024 in each partition are.
	Customers int `json:"customers"`
}

// DefaultBudget comes to some 1.6 GB where one process has all of it, by the sizes in
// docs/DESIGN.md; bench/memory measured a heap of 1,072 MiB with a million segments and as many
// customers. A process holds more: docs/RELIABILITY.md says how much.
func DefaultBudget() Budget { return Budget{Segments: 2_500_000, Customers: 1_250_000} }

// Share is what each of so many partitions has of a budget.
func (b Budget) Share(partitions int) Budget {
	partitions = max(1, partitions)
	return Budget{Segments: b.Segments / partitions, Customers: b.Customers / partitions}
}

// NewBoundedEngine is NewEngine for an engine that remembers no more than its partition's
// share of a budget.
func NewBoundedEngine(s Settings, shared *Shared, partition int, share Budget) *Engine {
	room := history.DefaultLimits()
	room.Segments, room.Customers = share.Segments, share.Customers
	return newEngine(s, shared, partition, room)
}

// Forgotten are how many things of a kind were forgotten to make room for others.
type Forgotten = history.Forgotten

// Forgotten returns what made room for others since the engine was made: of each kind,
// always in the same order.
func (e *Engine) Forgotten() []Forgotten {
	all := e.history.Forgotten()
	return all[:]
}
