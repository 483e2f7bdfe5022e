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
	// Pairs is how many pairs of a customer and what it bought are remembered. At least
	// 1,024 in each partition are, and at most 2,097,152.
	Pairs int `json:"pairs,omitempty"`
	// Products is how many products are remembered, and as many descriptions of goods, deals
	// and discount codes; one that two partitions bill counts twice. At least 1,024 in each
	// partition are, and at most 262,144.
	Products int `json:"products,omitempty"`
}

// DefaultBudget is for a million segments on two partitions each, and as many customers:
// docs/DESIGN.md says what each kind may take, docs/RELIABILITY.md what a whole process does.
func DefaultBudget() Budget {
	return Budget{Segments: 2_500_000, Customers: 1_250_000, Pairs: 2_500_000, Products: 500_000}
}

// Share is what each of so many partitions has of a budget.
func (b Budget) Share(partitions int) Budget {
	partitions = max(1, partitions)
	return Budget{Segments: b.Segments / partitions, Customers: b.Customers / partitions, Pairs: b.Pairs / partitions,
		Products: b.Products / partitions}
}

// limits are what a partition with this share may hold. What one of few partitions keeps of
// its pairs and products is no more than without a budget: a bucket is one record of the state
// topic, and those take 1 MiB.
func (b Budget) limits() history.Limits {
	room := history.DefaultLimits()
	room.Segments, room.Customers = b.Segments, b.Customers
	room.Pairs = min(room.Pairs, b.Pairs)
	room.Products, room.Terms = min(room.Products, b.Products), min(room.Terms, b.Products)
	return room
}

// NewBoundedEngine is NewEngine for an engine that remembers no more than its partition's
// share of a budget.
func NewBoundedEngine(s Settings, shared *Shared, partition int, share Budget) *Engine {
	return newEngine(s, shared, partition, share.limits())
}

// Forgotten are how many things of a kind were forgotten to make room for others.
type Forgotten = history.Forgotten

// Forgotten returns what made room for others since the engine was made: of each kind,
// always in the same order.
func (e *Engine) Forgotten() []Forgotten {
	all := e.history.Forgotten()
	return all[:]
}
