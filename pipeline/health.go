package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Ready returns nil while this member does its work: nothing of the world is
// broken, the store answers, and no partition with lag, or that is taken over, has stood still
// for 25 seconds.
func (m *Member) Ready() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var problems []error
	for _, part := range slices.Sorted(maps.Keys(m.broken)) {
		problems = append(problems, fmt.Errorf("%s: %w", part, m.broken[part]))
	}
	now := m.opt.Now().UnixNano()
	for _, w := range m.workers {
		problems = append(problems, w.standsStill())
	}
	problems = append(problems, m.asking.standsStill(m.opt.Now()))
	if last := m.stageAt.Load(); last > 0 && now-last > int64(toldAfter) {
		problems = append(problems, fmt.Errorf("%s: no progress for %s", stagePart,
			time.Duration(now-last).Round(time.Second)))
	}
	return errors.Join(problems...)
}

// clear forgets that a part of the world is broken, without saying that it works.
func (m *Member) clear(part string) {
	m.mu.Lock()
	_, was := m.broken[part]
	delete(m.broken, part)
	m.mu.Unlock()
	if was {
		m.opt.Report(part, nil)
	}
}

// tellAgain is how often the log says at most that a part fails in another way: eight partitions
// that wait for one server fail in eight ways each two seconds.
const tellAgain = 30 * time.Second

// telling is what the log said last of a part that does not work.
type telling struct {
	text string
	at   time.Time
}

// report notes that a part of the world works (nil) or does not, and logs the change.
func (m *Member) report(part string, err error) {
	m.mu.Lock()
	_, was := m.broken[part]
	now, told := m.opt.Now(), m.told[part]
	again := err != nil && (!was || told.text != err.Error() && now.Sub(told.at) >= tellAgain)
	if again {
		m.told[part] = telling{err.Error(), now}
	}
	if err == nil {
		delete(m.broken, part)
	} else {
		m.broken[part] = err
	}
	m.mu.Unlock()
	switch {
	case err == nil && was:
		m.opt.Log.Info("works again", "part", part)
	case err != nil && again:
		m.opt.Log.Warn("not working, trying again", "part", part, "error", err)
	}
	if err != nil || was {
		m.opt.Report(part, err)
	}
}
