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
	if s.All >= shareLimit {
		s.All, s.Yes = s.All/2, s.Yes/2
	}
}

// habitKeys is how many values a Habit tells apart.
const habitKeys = 4

// Habit is which values a category takes: a tax rate, a currency, a customer
// type, a discount. A new value that only suspects bring becomes usual by
// itself when switchAfter of them agree over switchDays days and two releases,
// batches or (where an invoice names neither) days; any usual invoice between
// them that shows the old value starts the count again. So an outage, however
// long, never teaches its own mistake.
type Habit struct {
	Keys   [habitKeys]uint32 // hash of the value, 0: free
	Counts [habitKeys]uint16 // how often it was met; halved together
	Total  uint16            // of all counts, those of forgotten values included

	Next      uint32 // value that suspects agree on
	NextCount uint16 // how many did, since NextDay
	NextDay   int32  // when the first of them was issued, days since 1970
	NextBatch uint32 // its release and batch
	NextMixed uint16 // 1: another release or batch brought it too
	Unused    uint16 // keeps the stored form aligned
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

func (h *Habit) count(key uint32) uint16 {
	for i, k := range h.Keys {
		if k == key {
			return h.Counts[i]
		}
	}
	return 0
}

// Usual returns the most frequent value, 0 without any.
func (h *Habit) Usual() uint32 {
	best := 0
	for i := range h.Counts {
		if h.Counts[i] > h.Counts[best] {
			best = i
		}
	}
	return h.Keys[best]
}

// teach counts a value of a usual invoice.
func (h *Habit) teach(key uint32, n uint16) {
	least := 0
	for i, k := range h.Keys {
		if k == key && h.Counts[i] > 0 {
			least = i
			break
		}
		if h.Counts[i] < h.Counts[least] {
			least = i
		}
	}
	if h.Keys[least] != key {
		h.Keys[least], h.Counts[least] = key, 0
	}
	h.Counts[least] += n
	h.Total += n
	if key != h.Next {
		h.NextCount = 0
	}
	if h.Total >= habitLimit {
		h.Total = 0
		for i := range h.Counts {
			h.Counts[i] /= 2
			h.Total += h.Counts[i]
		}
	}
}

// suspect counts a value of an invoice that is withheld from learning.
func (h *Habit) suspect(key uint32, day int32, batch uint32) {
	if h.Next != key || h.NextCount == 0 {
		h.Next, h.NextCount, h.NextDay, h.NextBatch, h.NextMixed = key, 1, day, batch, 0
		return
	}
	h.NextCount++
	if batch != h.NextBatch {
		h.NextMixed = 1
	}
	if h.NextCount >= switchAfter && h.NextMixed == 1 && day-h.NextDay >= switchDays-1 {
		h.teach(key, h.NextCount)
		h.NextCount = 0
	}
}

// Moments are a mean and a variance in which each new value weighs at least
// momentFloor, so that the past fades.
type Moments struct {
	N        uint16  // values, held at the limit of its type
	Unused   uint16  // keeps the stored form aligned
	Mean     float32 // of the values
	Variance float32 // square of the standard deviation
}

const momentFloor = 1.0 / 64

func (m *Moments) teach(x float32) {
	if m.N < 65535 {
		m.N++
	}
	w := float32(max(1/float64(m.N), momentFloor))
	d := x - m.Mean
	m.Mean += w * d
	m.Variance = (1 - w) * (m.Variance + w*d*d)
}
