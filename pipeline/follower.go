package pipeline

import (
	"maps"
	"slices"
	"sync"

	"recoup/detectors"
)

// follower reads all of recoup.baselines into the member's shared baselines.
type follower struct {
	*tail
	parts []folded
}

// folded is what the follower knows of one partition of recoup.baselines.
type folded struct {
	mu     sync.Mutex // guards what follows
	newest stamp      // of the records read
	// late are the segments on which an older owner wrote last, behind a newer one's
	// records: compaction would keep what stands last, so whoever owns the partition
	// writes them again.
	late  map[string]bool
	owner int64    // epoch of the worker that owns the partition here, or did; -1: none
	asked []string // segments that it is asked to write again, and does not know of yet
}

// newFollower reads as many partitions as the invoices have.
func newFollower(m *Member, partitions int) *follower {
	f := &follower{parts: make([]folded, partitions)}
	for p := range f.parts {
		f.parts[p].late, f.parts[p].owner = map[string]bool{}, -1
	}
	f.tail = newTail(m, m.opt.Topics.Baselines, partitions, f.foldAll)
	return f
}

func (f *follower) foldAll(partition int, got *Fetched) {
	for i := range got.Records {
		r := &got.Records[i]
		if isCount(r.Key) {
			continue // advisory: the case stage follows them
		}
		if err := f.fold(r, partition); err != nil {
			f.m.metrics.Foreign.Inc()
			f.m.opt.Log.Error("baseline skipped", "topic", f.topic, "partition", partition,
				"offset", r.Offset, "error", err)
		}
	}
}

// fold puts one contribution into the shared baselines, or forgets it. Its owner here
// writes again what anybody of an older epoch wrote behind it, whether that counts or not.
func (f *follower) fold(r *Record, partition int) error {
	p := &f.parts[partition]
	p.mu.Lock()
	defer p.mu.Unlock()
	key, at, late, err := foldBaseline(f.m.shared, &p.newest, r)
	if err != nil {
		return err
	}
	if late {
		p.late[string(key)] = true
	} else {
		delete(p.late, string(key))
	}
	if (late || at.epoch < p.owner) && p.owner >= p.newest.epoch {
		p.asked = append(p.asked, string(key))
	}
	return nil
}

// own begins the ownership of a worker that takes up what was read so far.
func (f *follower) own(partition int, epoch int64) {
	p := &f.parts[partition]
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owner, p.asked = epoch, slices.Sorted(maps.Keys(p.late))
}

// overwritten returns the segments that the owner of a partition has to write again, each
// time it was overwritten once.
func (f *follower) overwritten(partition int) (keys []string) {
	p := &f.parts[partition]
	p.mu.Lock()
	defer p.mu.Unlock()
	keys, p.asked = p.asked, nil
	return keys
}

// foldBaseline puts one contribution into shared baselines, or forgets it if it is a
// tombstone. newest is of the records before it in its partition, which one owner after
// another writes: what is of an older stamp is late, and does not count. A tombstone of an
// older recoup, which tells no epoch, does.
func foldBaseline(shared *detectors.Shared, newest *stamp, r *Record) (key []byte, at stamp, late bool, err error) {
	key, source, err := splitSharedKey(r.Key)
	if err != nil {
		return nil, stamp{}, false, err
	}
	at, payload, err := r.stamped()
	if err != nil {
		return nil, stamp{}, false, err
	}
	if at.late(*newest) {
		return key, at, true, nil
	}
	err = shared.Put(key, payload, source, at.applied)
	if err == nil && at != unstamped {
		*newest = at
	}
	return key, at, false, err
}
