package cases

import "time"

// Plausible returns when something happened that a record tells: what lies behind the
// day after the one on which the log took the record had not come yet, and counts as
// that day's end. Else one wrong year would be the last word on a case for ever. An
// unknown moment, the zero time, bounds nothing.
func Plausible(at, recorded time.Time) time.Time {
	const day = 24 * time.Hour
	if limit := recorded.UTC().Truncate(day).Add(2 * day); !recorded.IsZero() && at.After(limit) {
		return limit
	}
	return at
}

// implausible is the time that a record told, where another one counts; else zero.
type implausible struct{ time.Time }

func (t implausible) or(at time.Time) time.Time {
	if t.IsZero() {
		return at
	}
	return t.Time
}

// Recorded returns the event with a time that is plausible for one that the log took
// at the given moment: itself, or a copy that its case flags.
func (e *Event) Recorded(at time.Time) *Event {
	likely := Plausible(e.At, at)
	if likely.Equal(e.At) {
		return e
	}
	c := *e
	c.At, c.told = likely, implausible{e.told.or(e.At)}
	return &c
}

// Recorded returns the step as Event.Recorded does.
func (r *Recovery) Recorded(at time.Time) *Recovery {
	likely := Plausible(r.At, at)
	if likely.Equal(r.At) {
		return r
	}
	c := *r
	c.At, c.told = likely, implausible{r.told.or(r.At)}
	return &c
}
