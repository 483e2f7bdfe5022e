package reference

import (
	"math"
	"time"

	"recoup/invoice"
)

// Instants are kept as nanoseconds since 1970; the contract's years 1970 to 2200
// fit. These two stand for an absent one.
const (
	always  = math.MinInt64 // holds, or counts, from ever
	forever = math.MaxInt64 // holds until a later version
)

func nanos(t time.Time, absent int64) int64 {
	if t.IsZero() {
		return absent
	}
	return t.UnixNano()
}

func instant(nanos int64) time.Time {
	if nanos == always || nanos == forever {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}

// version is what one event said of its key. The versions of a key are a list
// that never changes once readers can see it: highest rank first, within a rank
// latest start, within a start last published.
type version[V any] struct {
	header
	value V
	older *version[V]
}

// header is what all kinds of versions have.
type header struct {
	Validity
	rank     invoice.Fixed // smallest quantity of a price; 0 for the other kinds
	received int64         // when its log took it; forever: it is never forgotten
}

// maxVersions bounds the list of one key, so that a runaway feed costs its own
// key's oldest versions and nothing else.
const maxVersions = 1_000

// with returns the list with v in its place. Versions of the same rank and start
// that were published no earlier give way to it: v is the newer event.
func (l *version[V]) with(v *version[V]) *version[V] {
	var before []*version[V]
	for ; l != nil && l.ahead(v); l = l.older {
		before = append(before, l)
	}
	for l != nil && l.rank == v.rank && l.from == v.from && l.published >= v.published {
		l = l.older
	}
	v.older = l
	return onto(before, v)
}

// ahead tells whether l stays before v in the list.
func (l *version[V]) ahead(v *version[V]) bool {
	return l.rank > v.rank || (l.rank == v.rank && l.from > v.from)
}

// onto returns copies of the versions in front of rest.
func onto[V any](front []*version[V], rest *version[V]) *version[V] {
	for i := len(front) - 1; i >= 0; i-- {
		c := *front[i]
		c.older = rest
		rest = &c
	}
	return rest
}

// without returns the list less every version of this rank and start.
func (l *version[V]) without(rank invoice.Fixed, from int64) *version[V] {
	var kept []*version[V]
	for ; l != nil; l = l.older {
		if l.rank != rank || l.from != from {
			kept = append(kept, l)
		}
	}
	return onto(kept, nil)
}

// pruned returns the list less what was superseded so long ago that no invoice
// asks for it: both its end and the receipt of its successor lie before horizon.
// The newest version of a rank always stays, since it tells that the key is known.
func (l *version[V]) pruned(horizon int64) *version[V] {
	if l == nil || l.older == nil {
		return l
	}
	var kept []*version[V]
	whole := true
	var next *version[V] // what superseded v
	for v := l; v != nil; next, v = v, v.older {
		newest := next == nil || next.rank != v.rank
		if len(kept) < maxVersions && (newest || next.received > horizon || v.ends(next) > horizon) {
			kept = append(kept, v)
		} else {
			whole = false
		}
	}
	if whole {
		return l
	}
	return onto(kept, nil)
}

// ends says when v ceases to count, given its successor.
func (v *version[V]) ends(next *version[V]) int64 {
	if v.to == forever || v.from == next.from {
		return min(v.to, max(next.from, next.published))
	}
	return v.to
}

// at returns the version of the list's first rank that holds and counts at that
// instant. Where two do, the later start wins; one without an end gives way to
// every later start, and a corrected one to its correction.
func (l *version[V]) at(at int64) *version[V] {
	var later *version[V] // one that counts and starts no earlier
	for v := l; v != nil && v.rank == l.rank; v = v.older {
		if v.from > at || v.published > at {
			continue
		}
		givesWay := later != nil && (v.to == forever || v.from == later.from)
		if at < v.to && !givesWay {
			return v
		}
		later = v
	}
	return nil
}

// nextRank returns the list from the next smaller rank on.
func (l *version[V]) nextRank() *version[V] {
	v := l
	for v != nil && v.rank == l.rank {
		v = v.older
	}
	return v
}
