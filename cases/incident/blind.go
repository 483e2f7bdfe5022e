package incident

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"recoup/cases"
	"recoup/detectors"
)

const (
	// learnFor and learnRecords are how long a source was seen, and how many records of
	// it, before its silence means something.
	learnFor     = 30 * time.Minute
	learnRecords = 100
	// usualTimes is how many times its longest usual pause a silence lasts, and
	// partTimes that of the partition with the shortest one: all of them may pause at
	// once, as at night, or each for itself.
	usualTimes, partTimes = 2, 1.25
	// knownAfter is from when on each hour of the week is known by itself.
	knownAfter = 8 * 24 * time.Hour
	// leaveAfter is the silence after which a source counts as given up, so that nobody
	// waits for it for ever.
	leaveAfter = 14 * 24 * time.Hour
)

// openBlind is a blindness that is open.
type openBlind struct{ Blind }

// lagSince is how a partition falls behind.
type lagSince struct {
	since time.Time // when it began to wait
	first int64     // records that waited then
	least int64     // fewest since
}

// noteMark follows how far a partition is read.
func (b *Board) noteMark(partition int, m detectors.ReadMark) {
	lag, behind := b.lags[partition]
	if m.At.Sub(b.marks[partition].At) >= b.settings.SilentAfter {
		behind = false // nobody read it: what came meanwhile is worked off from now on
	}
	b.marks[partition] = m
	switch {
	case m.Lag == 0:
		delete(b.lags, partition)
	case !behind || m.Lag < lag.least: // it gets on
		b.lags[partition] = lagSince{since: m.At, first: m.Lag, least: m.Lag}
	}
}

// isBlind tells whether anything of a seller is not seen: its rates mean nothing then.
func (b *Board) isBlind(seller string) bool {
	for _, l := range b.blinds {
		if l.Seller == seller {
			return true
		}
	}
	return false
}

// blindChanges looks at every source.
func (b *Board) blindChanges(now time.Time) (out []Change) {
	blind := b.blindNow(now)
	for _, key := range sortedKeys(blind) {
		if b.blinds[key] == nil {
			b.blinds[key] = &openBlind{blind[key]}
			copied := blind[key]
			out = append(out, Change{Action: cases.ActionOpen, Severity: cases.SeverityCritical, Blind: &copied,
				Why: copied.why(now)})
		}
	}
	for _, key := range sortedKeys(b.blinds) {
		if _, still := blind[key]; still {
			continue
		}
		gone := b.blinds[key].Blind
		delete(b.blinds, key)
		out = append(out, Change{Action: cases.ActionResolve, Severity: cases.SeverityCritical, Blind: &gone,
			Why: "it is seen again"})
	}
	return out
}

// blindNow returns every source that is not seen, by dedup key.
func (b *Board) blindNow(now time.Time) map[string]Blind {
	blind := map[string]Blind{}
	found := func(l Blind) {
		l.Key = cases.BlindKey(l.Seller, l.Source)
		l.ID = cases.ID(l.Key)
		if old, there := blind[l.Key]; !there || l.Reason < old.Reason && l.Reason != BlindLag {
			blind[l.Key] = l
		}
	}
	late, until := b.lagging(now)
	for v, known := range b.values {
		if v.Dimension != detectors.DimensionSource {
			continue
		}
		a, joint := arrivalsOf(known)
		b.hear(known, a.Records, now)
		if a.Records == 0 && a.Canaries[0].At == 0 {
			continue
		}
		if late.Reason != "" && now.Sub(time.UnixMilli(a.Last)) < leaveAfter {
			l := late
			l.Seller = v.Seller
			found(l)
		}
		if missed, since := b.missedCanaries(&a, until); missed {
			found(Blind{Seller: v.Seller, Source: v.Name, Reason: BlindCanary, Since: since})
		}
		if usual, silent := b.silent(&a, &joint, until); silent && b.quiet(v, known, now) {
			found(Blind{Seller: v.Seller, Source: v.Name, Reason: BlindSilent, Since: time.UnixMilli(a.Last).UTC(),
				Usual: usual})
		}
	}
	return blind
}

// lagging tells whether the invoices of some partition wait for so long, without ever
// fewer of them, and up to when all partitions have been read.
func (b *Board) lagging(now time.Time) (l Blind, until time.Time) {
	until = now
	for _, p := range slices.Sorted(maps.Keys(b.marks)) {
		m := b.marks[p]
		read := m.Until
		if heard := time.UnixMilli(b.heard[p]); heard.After(read) {
			read = heard
		}
		if read.Before(until) {
			until = read
		}
		since, waiting := m.At, now.Sub(b.looked(m.At)) >= b.settings.SilentAfter // nobody reads it
		if lag, behind := b.lags[p]; behind && !waiting {
			since, waiting = lag.since, m.At.Sub(b.looked(lag.since)) >= b.settings.SilentAfter && m.Lag >= lag.first
		}
		if waiting && (l.Reason == "" || m.Lag > l.Lag) {
			l = Blind{Reason: BlindLag, Since: since, Lag: m.Lag}
		}
	}
	if len(b.marks) == 0 {
		until = time.Time{} // nobody says how far it was read
	}
	return l, until
}

// looked is from when on a wait counts that began at some time. Where recoup as a whole
// was away it counts from the first Tick on: workers need a moment to say that they read
// again. What was open before the Tick stays open meanwhile.
func (b *Board) looked(began time.Time) time.Time {
	for _, l := range b.blinds {
		if l.Reason == BlindLag {
			return began
		}
	}
	if b.began.After(began) {
		return b.began
	}
	return began
}

// arrivalsOf puts together what the partitions saw of a source. A pause of the whole
// source is a pause of each partition, so the least of them bounds it: that is what all
// has. If they send independently of each other, so many times as often together, it
// is about what joint has.
func arrivalsOf(v *value) (all, joint detectors.Arrivals) {
	var often [len(all.Gaps)]float64
	var canaries []detectors.Canary
	for i := range v.parts {
		a := v.parts[i].arrivals
		if a == nil {
			continue
		}
		if a.First != 0 && (all.First == 0 || a.First < all.First) {
			all.First = a.First
		}
		all.Last, all.Records = max(all.Last, a.Last), all.Records+a.Records
		for h, gap := range a.Gaps {
			if gap > 0 && (all.Gaps[h] == 0 || gap < all.Gaps[h]) {
				all.Gaps[h] = gap
			}
			if gap > 0 {
				often[h] += 1 / float64(gap)
			}
		}
		canaries = append(canaries, a.Canaries[:]...)
	}
	slices.SortStableFunc(canaries, func(x, y detectors.Canary) int { return int(min(1, max(-1, y.At-x.At))) })
	copy(all.Canaries[:], canaries)
	joint.First = all.First
	for h := range often {
		if often[h] > 0 {
			joint.Gaps[h] = uint16(math.Ceil(1 / often[h]))
		}
	}
	return all, joint
}

// missedCanaries tells whether the two newest were not found, or two did not come.
func (b *Board) missedCanaries(a *detectors.Arrivals, until time.Time) (missed bool, since time.Time) {
	first, second := a.Canaries[0], a.Canaries[1]
	if first.At != 0 && second.At != 0 && !first.Found && !second.Found {
		return true, time.UnixMilli(second.At).UTC()
	}
	every := b.settings.CanaryEvery
	came := time.UnixMilli(first.At)
	if every > 0 && first.At != 0 && until.Sub(came) >= 2*every+every/2 && until.Sub(came) < leaveAfter {
		return true, came.UTC()
	}
	return false, time.Time{}
}

// silent tells whether a source sends nothing for so long that it is no usual pause.
// What is usual at an hour of the week that was never seen is what was usual at that
// hour of other days, else at any.
func (b *Board) silent(a, joint *detectors.Arrivals, until time.Time) (usual time.Duration, silent bool) {
	last := time.UnixMilli(a.Last)
	silence := until.Sub(last)
	if silence < b.settings.SilentAfter || silence > leaveAfter || a.Records < learnRecords ||
		last.Sub(time.UnixMilli(a.First)) < learnFor {
		return 0, false
	}
	usual = longestGap(joint, last, until)
	part := longestGap(a, last, until)
	return usual, silence > usualTimes*usual && float64(silence) > partTimes*float64(part)
}

// settled is how long workers may take, after the stage has begun, to say that a source
// sends: twice what they usually do.
const settled = time.Minute

// hear notes when more was heard of a source.
func (b *Board) hear(known *value, records uint32, now time.Time) {
	switch {
	case known.records == records:
		return
	case known.records == 0:
		known.grew = now.Add(settled - b.settings.SilentAfter)
	default:
		known.grew = now
	}
	known.records = records
}

// quiet tells whether nothing was heard of a source for so long by the stage's own
// clock: one whose producer's clock is ten minutes late is not silent.
func (b *Board) quiet(v detectors.Value, known *value, now time.Time) bool {
	return now.Sub(known.grew) >= b.settings.SilentAfter || b.blinds[cases.BlindKey(v.Seller, v.Name)] != nil
}

// longestGap is the longest usual pause of the hours of a silence.
func longestGap(a *detectors.Arrivals, from, to time.Time) time.Duration {
	longest := max(usualGap(a, from), usualGap(a, to))
	for at := from.Add(time.Hour); at.Before(to) && at.Before(from.Add(7*24*time.Hour)); at = at.Add(time.Hour) {
		longest = max(longest, usualGap(a, at))
	}
	return longest
}

func usualGap(a *detectors.Arrivals, at time.Time) time.Duration {
	longest := time.Duration(0)
	if gap, known := a.Usual(at); known && at.Sub(time.UnixMilli(a.First)) >= knownAfter {
		return gap
	}
	for day := range 7 {
		if gap, known := a.Usual(at.AddDate(0, 0, day)); known {
			longest = max(longest, gap)
		}
	}
	if longest > 0 {
		return longest
	}
	for hour := range 7 * 24 {
		if gap, known := a.Usual(at.Add(time.Duration(hour) * time.Hour)); known {
			longest = max(longest, gap)
		}
	}
	return longest
}

// why says what is not seen.
func (l *Blind) why(now time.Time) string {
	since := now.Sub(l.Since).Round(time.Second)
	switch l.Reason {
	case BlindLag:
		return fmt.Sprintf("%d invoices wait, and for %s not fewer", l.Lag, since)
	case BlindCanary:
		return fmt.Sprintf("recoup's own wrong invoices are missed since %s", l.Since.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("nothing came for %s; at this hour it never takes longer than %s", since, l.Usual)
}
