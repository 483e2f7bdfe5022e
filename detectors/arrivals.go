package detectors

import (
	"encoding/binary"
	"time"
)

// hoursAWeek is how many hours of the week have a gap of their own.
const hoursAWeek = 7 * 24

// gapUnit is what gaps are counted in: two bytes hold a week of it.
const gapUnit = 10 * time.Second

// Arrivals say when a source usually sends, by the time of its records: so that a
// silence can be told from a pause that it always makes at this hour.
type Arrivals struct {
	First, Last int64  // time of the first and the newest record, milliseconds since 1970
	Records     uint32 // how many came, at most 2³¹
	// Gaps holds the longest time without a record that reached into each hour of the
	// week (Thursday 00:00 UTC is the first), in 10 s, plus 1; 0: nothing is known of the hour. What was
	// seen longer ago than a week counts three quarters of what it did the week before.
	Gaps [hoursAWeek]uint16
	// Canaries are the newest of recoup's own wrong invoices, newest first.
	Canaries [2]Canary
}

// Canary is an invoice that recoup made to prove that it sees.
type Canary struct {
	At    int64 // record time, milliseconds since 1970; 0: none
	Found bool  // it was suspect
}

func hourOfWeek(ms int64) int {
	hour := ms / time.Hour.Milliseconds() % hoursAWeek
	return int((hour + hoursAWeek) % hoursAWeek)
}

// saw notes a record of the given time.
func (a *Arrivals) saw(ms int64) {
	a.Records = min(a.Records, 1<<31) + 1
	if a.First == 0 {
		a.First, a.Last = ms, ms
		return
	}
	if ms <= a.Last {
		return
	}
	units := min((ms-a.Last)/gapUnit.Milliseconds(), 1<<16-2)
	hour := time.Hour.Milliseconds()
	if a.Last/hour == ms/hour { // as nearly always
		h := hourOfWeek(ms)
		a.Gaps[h] = max(a.Gaps[h], uint16(units)+1)
		a.Last = ms
		return
	}
	for at := max(a.Last/hour, ms/hour-hoursAWeek+1); at <= ms/hour; at++ {
		h := int(at % hoursAWeek)
		if at > a.Last/hour { // the hour begins anew, a week after
			a.Gaps[h] -= a.Gaps[h] / 4
		}
		a.Gaps[h] = max(a.Gaps[h], uint16(units)+1)
	}
	a.Last = ms
}

// sawCanary notes one of recoup's own invoices.
func (a *Arrivals) sawCanary(ms int64, found bool) {
	a.Canaries[1] = a.Canaries[0]
	a.Canaries[0] = Canary{At: ms, Found: found}
}

// Usual returns the longest time without a record that is known of an hour of the
// week, and whether any is.
func (a *Arrivals) Usual(at time.Time) (gap time.Duration, known bool) {
	g := a.Gaps[hourOfWeek(at.UnixMilli())]
	return time.Duration(max(1, g)-1) * gapUnit, g > 0
}

func (a *Arrivals) append(dst []byte) []byte {
	dst = binary.AppendVarint(dst, a.First)
	dst = binary.AppendVarint(dst, a.Last)
	dst = binary.AppendUvarint(dst, uint64(a.Records))
	for i := 0; i < len(a.Gaps); {
		run := 1 // hours with the same gap: most of a night
		for i+run < len(a.Gaps) && a.Gaps[i+run] == a.Gaps[i] {
			run++
		}
		dst = append(dst, byte(run))
		dst = binary.AppendUvarint(dst, uint64(a.Gaps[i]))
		i += run
	}
	for _, c := range a.Canaries {
		dst = binary.AppendVarint(dst, c.At)
		found := byte(0)
		if c.Found {
			found = 1
		}
		dst = append(dst, found)
	}
	return dst
}

func (r *countReader) arrivals() *Arrivals {
	a := &Arrivals{First: r.signed(), Last: r.signed(), Records: uint32(r.unsigned(1<<32 - 1))}
	for i := 0; i < len(a.Gaps) && !r.bad; {
		run := int(r.byte())
		gap := uint16(r.unsigned(1<<16 - 1))
		if run == 0 || i+run > len(a.Gaps) {
			r.bad = true
			break
		}
		for range run {
			a.Gaps[i] = gap
			i++
		}
	}
	for i := range a.Canaries {
		a.Canaries[i] = Canary{At: r.signed(), Found: r.byte() == 1}
	}
	return a
}
