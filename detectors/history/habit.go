package history

// Share counts how often something was so. It halves both counts at a limit, so
// that the past fades.
type Share struct {
	Yes uint16 // how often it was so
	All uint16 // how often it was looked at
}

// shareLimit is where a Share forgets half of what it counted.
const shareLimit = 512

// Of returns the share with one imagined case either way: 0 < Of < 1.
func (s Share) Of() float64 { return (float64(s.Yes) + 0.5) / (float64(s.All) + 1) }

func (s *Share) teach(yes bool) {
	s.All++
	if yes {
		s.Yes++
	}
	s.fade()
}

// fade halves both counts at the limit.
func (s *Share) fade() {
	if s.All >= shareLimit {
		s.All, s.Yes = s.All/2, s.Yes/2
	}
}

// habitKeys is how many values a Habit tells apart.
const habitKeys = 4

// Habit is which values a category takes: a tax rate, a currency, a customer
// type, a discount. A new value that only suspects bring becomes usual by
// itself when switchAfter of them agree, on switchDays days and from two releases,
// batches or (where an invoice names neither) days; any usual invoice between
// them that shows the most frequent value starts the count again: that value is
// still in use. Others do not: an exempt customer says nothing of a new tax rate.
// So an outage, however long, never teaches its own mistake.
type Habit struct {
	Values [habitKeys]HabitValue // in no order
	Total  uint16                // of all counts, those of forgotten values included
	Rival  Rival                 // value that suspects agree on
}

// HabitValue is one value of a Habit.
type HabitValue struct {
	Key   uint32 // hash of the value
	Count uint16 // how often it was met, 0: free; halved together
}

// Rival is a value that only suspects brought so far.
type Rival struct {
	Key   uint32 // hash of the value
	Count uint16 // how many suspects agreed on it, 0: none
	Days  uint16 // on how many days, counted in the order in which they came
	Day   int32  // newest of them, days since 1970
	Batch uint32 // release or batch of the first
	Mixed bool   // another release or batch brought it too
}

const (
	habitLimit  = 256
	switchAfter = 12
	switchDays  = 3
)

// Share returns how much of the past showed the value, 0 to 1, and how many
// invoices that is known from.
func (h *Habit) Share(key uint32) (share float64, n int) {
	if h.Total == 0 {
		return 0, 0
	}
	return float64(h.count(key)) / float64(h.Total), int(h.Total)
}

// Only tells whether the past showed no other value, and how many invoices that is
// known from.
func (h *Habit) Only(key uint32) (n int, ok bool) {
	v := &h.Values[0]
	return int(h.Total), v.Key == key && v.Count == h.Total && v.Count > 0
}

func (h *Habit) count(key uint32) uint16 {
	for i := range h.Values {
		if v := &h.Values[i]; v.Key == key && v.Count > 0 {
			return v.Count
		}
	}
	return 0
}

// Usual returns the most frequent value, 0 without any.
func (h *Habit) Usual() uint32 {
	best := &h.Values[0]
	for i := range h.Values {
		if h.Values[i].Count > best.Count {
			best = &h.Values[i]
		}
	}
	return best.Key
}

// teach counts a value of n usual invoices.
func (h *Habit) teach(key uint32, n uint16) {
	if v := &h.Values[0]; v.Key == key && v.Count > 0 && h.Rival.Count == 0 && h.Total+n < habitLimit {
		v.Count += n // as nearly always
		h.Total += n
		return
	}
	if h.Rival.Count > 0 && key != h.Rival.Key && key == h.Usual() {
		h.Rival = Rival{}
	}
	at := &h.Values[0]
	for i := range h.Values {
		v := &h.Values[i]
		if v.Key == key && v.Count > 0 {
			at = v
			break
		}
		if v.Count < at.Count {
			at = v
		}
	}
	if at.Key != key {
		*at = HabitValue{Key: key}
	}
	at.Count += n
	h.Total += n
	if h.Total >= habitLimit {
		h.Total = 0
		for i := range h.Values {
			h.Values[i].Count /= 2
			h.Total += h.Values[i].Count
		}
	}
}

// suspect counts a value of an invoice that is withheld from learning.
func (h *Habit) suspect(key uint32, day int32, batch uint32) {
	if r := &h.Rival; r.agrees(key, day, batch) {
		h.teach(key, r.Count)
		*r = Rival{}
	}
}

// agrees counts a suspect and tells whether enough of them agree by now.
func (r *Rival) agrees(key uint32, day int32, batch uint32) bool {
	if r.Key != key || r.Count == 0 {
		*r = Rival{Key: key, Count: 1, Days: 1, Day: day, Batch: batch}
		return false
	}
	r.Count = min(r.Count, habitLimit-1) + 1
	if day > r.Day {
		r.Day, r.Days = day, min(r.Days, switchDays)+1
	}
	r.Mixed = r.Mixed || batch != r.Batch
	return r.Count >= switchAfter && r.Mixed && r.Days >= switchDays
}

// Moments are a mean and a variance in which each new value weighs at least
// momentFloor, so that the past fades.
type Moments struct {
	N        uint16  // values, held at the limit of its type
	Mean     float32 // of the values
	Variance float32 // square of the standard deviation
}

const momentFloor = 1.0 / 64

// momentWeights are the weights of the first values.
var momentWeights = func() (weights [1/momentFloor + 1]float32) {
	for n := 1; n < len(weights); n++ {
		weights[n] = float32(1 / float64(n))
	}
	return weights
}()

func (m *Moments) teach(x float32) {
	if m.N < 65535 {
		m.N++
	}
	w := momentWeights[min(m.N, uint16(len(momentWeights)-1))]
	d := x - m.Mean
	m.Mean += w * d
	m.Variance = (1 - w) * (m.Variance + w*d*d)
}
