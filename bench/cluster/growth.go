package cluster

// calmLooks is how many looks in a row the least is taken of: what comes and goes, such as
// connections and unfinished requests, is not what stays.
const calmLooks = 10

// growth compares what a member takes with what it took when it first owned as many
// partitions. The zero value has seen nothing.
type growth struct {
	first      map[int]level // by partitions owned
	owned      int
	looks      int // in a row with as many partitions
	least      level
	goroutines int
	heap       int64
}

// level is what a member took at least for a while.
type level struct {
	goroutines int
	heap       int64 // bytes
}

// see notes a look and returns by how much has grown what the member takes, as the last
// series of looks told.
func (g *growth) see(owned, goroutines int, heap int64) (grownGoroutines int, grownHeap int64) {
	if owned != g.owned || g.looks == calmLooks {
		g.owned, g.looks = owned, 0
	}
	if g.looks++; g.looks == 1 {
		g.least = level{goroutines, heap}
	}
	g.least = level{min(g.least.goroutines, goroutines), min(g.least.heap, heap)}
	if g.looks < calmLooks || owned == 0 {
		return g.goroutines, g.heap
	}
	first, known := g.first[owned]
	if !known {
		if g.first == nil {
			g.first = map[int]level{}
		}
		g.first[owned] = g.least
		return g.goroutines, g.heap
	}
	g.goroutines, g.heap = g.least.goroutines-first.goroutines, g.least.heap-first.heap
	return g.goroutines, g.heap
}
