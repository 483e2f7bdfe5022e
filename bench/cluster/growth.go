package cluster

import (
	"fmt"
	"net/http"
)

// calmLooks is how many looks in a row the least is taken of: what comes and goes, such as
// connections and unfinished requests, is not what stays.
const calmLooks = 10

// growth compares what a member takes with what it took when it first owned as many
// partitions. The zero value has seen nothing.
type growth struct {
	first map[int]level // by partitions owned
	owned int
	looks int   // in a row with as many partitions
	least int   // goroutines in these
	now   level // of the last series
}

// level is what a member takes.
type level struct {
	goroutines int   // at least, for a while
	heap       int64 // bytes that a collection leaves
}

// see notes a look. collect has garbage collected and tells what is left: that is asked when
// so many partitions were first owned for a while.
func (g *growth) see(owned, goroutines int, collect func() (int64, error)) error {
	if owned != g.owned || g.looks == calmLooks {
		g.owned, g.looks, g.least = owned, 0, goroutines
	}
	g.looks++
	g.least = min(g.least, goroutines)
	if g.looks < calmLooks || owned == 0 {
		return nil
	}
	g.now.goroutines = g.least
	if _, known := g.first[owned]; known {
		return nil
	}
	heap, err := collect()
	if err != nil {
		return err
	}
	if g.first == nil {
		g.first = map[int]level{}
	}
	g.first[owned] = level{g.least, heap}
	return nil
}

// grown returns by how much has grown what the member takes, with a heap of so many bytes
// now; nothing where it owns as many partitions as never before.
func (g *growth) grown(heap int64) (goroutines int, bytes int64) {
	first, known := g.first[g.owned]
	if !known {
		return 0, 0
	}
	return g.now.goroutines - first.goroutines, heap - first.heap
}

// collected has the member collect garbage and returns how many bytes it keeps.
func (m *Member) collected(client *http.Client) (int64, error) {
	response, err := client.Get("http://" + m.pprof + "/debug/pprof/heap?gc=1")
	if err != nil {
		return 0, err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("cannot have %s collect garbage: %s", m.Name, response.Status)
	}
	got, err := metrics(client, m.HTTP, "go_memstats_heap_alloc_bytes")
	if err != nil {
		return 0, err
	}
	return int64(got[0]), nil
}

// MeasureGrowth notes in the usage of each member that runs by how much it has grown. It is
// called when nothing is to be done any more.
func (c *Cluster) MeasureGrowth() error {
	client := &http.Client{Timeout: collectTime}
	defer client.CloseIdleConnections()
	for _, m := range c.members {
		if !m.Running() {
			continue
		}
		heap, err := m.collected(client)
		if err != nil {
			return fmt.Errorf("cannot measure how %s has grown: %w", m.Name, err)
		}
		m.mu.Lock()
		m.usage.GoroutinesGrown, m.usage.HeapGrown = m.growth.grown(heap)
		m.mu.Unlock()
	}
	return nil
}
