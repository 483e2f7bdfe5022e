package cluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// calmLooks is how many looks in a row the least is taken of: what comes and goes, such as
// connections and unfinished requests, is not what stays.
const calmLooks = 10

// settleLooks is how many looks are passed over when owned changes: a member that has just
// got its partitions has not begun everything yet.
const settleLooks = 3

// baseSeries is of how many series the least heap is taken: while invoices come, a
// collection leaves also what is under way.
const baseSeries = 3

// duties are what a member has to do: who runs the case stage follows some twenty partitions more.
type duties struct {
	partitions int // of invoices, owned
	stage      bool
}

// String is part of a file's name: "8-partitions", "8-partitions-stage".
func (d duties) String() string {
	if d.stage {
		return fmt.Sprintf("%d-partitions-stage", d.partitions)
	}
	return fmt.Sprintf("%d-partitions", d.partitions)
}

// growth compares what a member takes with what it took when it first had the same
// duties. The zero value has seen nothing.
type growth struct {
	first map[duties]*level
	owned duties
	looks int // in a row with as many partitions; while it settles below 1
	least int // goroutines in these
	// now is how many goroutines the last whole series had at least, below 1 where there was
	// none since owned changed: another number of partitions is not to be compared.
	now int
}

// level is what a member took when it first had these duties.
type level struct {
	goroutines int   // at least, in the first series
	heap       int64 // bytes that a collection left, the least of the first series
	series     int   // so far
}

// see notes a look. collect has garbage collected and tells what is left: that is asked when
// so many partitions were first owned for a while, and twice again.
func (g *growth) see(owned duties, goroutines int, collect func() (int64, error)) error {
	switch {
	case owned != g.owned:
		g.owned, g.looks, g.now = owned, -settleLooks, -1
	case g.looks == calmLooks:
		g.looks = 0
	}
	if g.looks++; g.looks <= 1 {
		g.least = goroutines
	}
	g.least = min(g.least, goroutines)
	if g.looks < calmLooks || owned.partitions == 0 {
		return nil
	}
	g.now = g.least
	first := g.first[owned]
	if first != nil && first.series >= baseSeries {
		first.series++
		return nil
	}
	heap, err := collect()
	if err != nil {
		return err
	}
	if first == nil {
		if g.first == nil {
			g.first = map[duties]*level{}
		}
		first = &level{goroutines: g.least, heap: heap}
		g.first[owned] = first
	}
	first.heap = min(first.heap, heap)
	first.series++
	return nil
}

// known tells whether a series since the member has its duties is later than the
// first one with the same: else there is nothing to compare.
func (g *growth) known() bool {
	first := g.first[g.owned]
	return first != nil && first.series > 1 && g.now > 0
}

// grown returns by how much has grown what the member takes, with a heap of so many bytes
// now. That is known. calm is how many goroutines its duties take at least while nothing fails.
func (g *growth) grown(heap int64, calm int) (goroutines int, bytes int64) {
	first := g.first[g.owned]
	return g.now - max(first.goroutines, calm), heap - first.heap
}

// collected has the member collect garbage and returns how many bytes it keeps. Where its
// goroutines stand is kept next to its log, under the name of the moment.
func (m *Member) collected(client *http.Client, moment string) (int64, error) {
	if err := m.keepGoroutines(client, moment); err != nil {
		return 0, err
	}
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

// keepGoroutines keeps where the member's goroutines stand, grouped by stack, in the file
// "<member>-goroutines-<moment>.txt" next to its log: who finds it grown compares two of these.
func (m *Member) keepGoroutines(client *http.Client, moment string) error {
	response, err := client.Get("http://" + m.pprof + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	stacks, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(m.log.Name(), ".log") + "-goroutines-" + moment + ".txt"
	return os.WriteFile(name, stacks, 0o600)
}

// below returns the most goroutines that any of the levels has whose duties are no more than
// these: whoever has further duties takes no less.
func below(levels map[duties]int, d duties) (most int) {
	for has, goroutines := range levels {
		if has.partitions <= d.partitions && (d.stage || !has.stage) {
			most = max(most, goroutines)
		}
	}
	return most
}

// NoteCalm waits, a minute at most, until each member that runs and owns partitions was looked
// at for long enough to say what it takes while nothing fails; MeasureGrowth compares with it.
// Who is first looked at while the broker is away has let go of its connections, and would be
// found grown by them.
func (c *Cluster) NoteCalm(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, growthPatience)
	defer cancel()
	c.calm = map[duties]int{}
	for _, m := range c.members {
		m.await(ctx, func(g *growth) bool { return g.now > 0 })
		m.mu.Lock()
		if has := m.growth.owned; m.Running() && m.growth.now > 0 {
			c.calm[has] = max(c.calm[has], m.growth.now)
		}
		m.mu.Unlock()
	}
}

// await waits until enough is known of a member, it does not run any more, or ctx ends.
func (m *Member) await(ctx context.Context, enough func(*growth) bool) {
	for {
		m.mu.Lock()
		seen := enough(&m.growth)
		m.mu.Unlock()
		if seen || !m.Running() {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookTime):
		}
	}
}

// growthPatience bounds the wait for two series of looks; one that fails counts in none.
const growthPatience = time.Minute

// MeasureGrowth notes in the usage of each member that runs by how much it has grown, or why
// that is not known. It is called when nothing is to be done any more, and waits, a minute at
// most, until each member that owns partitions was looked at for long enough.
func (c *Cluster) MeasureGrowth(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, growthPatience)
	defer cancel()
	client := &http.Client{Timeout: collectTime}
	defer client.CloseIdleConnections()
	for _, m := range c.members {
		m.await(ctx, func(g *growth) bool { return g.known() || g.owned.partitions == 0 && g.looks > 0 })
		if m.Running() {
			m.measure(client, c.calm)
		}
	}
}

// measure notes by how much the member has grown; calm is what members took while nothing failed.
func (m *Member) measure(client *http.Client, calm map[duties]int) {
	heap, err := m.collected(client, "end")
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case err != nil:
		m.usage.GrowthError = fmt.Sprintf("cannot measure how %s has grown: %v", m.Name, err)
	case !m.growth.known():
		m.usage.GrowthError = fmt.Sprintf("%s did not own its %d partitions for long enough",
			m.Name, m.growth.owned.partitions)
	default:
		m.usage.GrowthMeasured = true
		m.usage.GoroutinesGrown, m.usage.HeapGrown = m.growth.grown(heap, below(calm, m.growth.owned))
	}
}
