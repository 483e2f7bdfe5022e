package detectors

import (
	"encoding/binary"
	"errors"
	"math"

	"recoup/invoice"
)

const (
	// clipAfter is how many invoices a baseline needs before it clips what it is
	// taught: earlier its own spread says nothing.
	clipAfter = 8
	// clipWidth and clipFloor bound one invoice's pull: a taught amount is moved
	// to at most clipWidth × max(sd, clipFloor of the mean, one currency unit)
	// from the mean. The one unit lets a baseline of zeros learn a first price.
	clipWidth = 4
	clipFloor = 0.05
	// mostCV stands for a coefficient of variation without bound (mean 0).
	mostCV = 9999
)

// Baseline is the rolling mean and spread of one segment's usual net amounts,
// as learned from one source partition, or folded over several.
//
// An invoice counts 2^(-age/half-life) in whole event hours. Amounts are kept as
// differences from the first one, so that the mean of equal amounts is exact
// whatever the decay, and the mean of others is exact until something decays,
// as long as the differences add up to less than 2^53 (900 billion units of
// currency); beyond, and after decay, it is exact to about 15 digits. The
// second moment is central (Welford, Chan), so that an outlier among the first
// invoices cannot swallow the spread of the later ones. The zero value is empty.
type Baseline struct {
	n      int64          // invoices taught, undecayed
	hour   int64          // event hour of the last decay: the newest taught
	first  invoice.Amount // all sums are of differences from it
	weight float64        // Σ of decayed weights
	sum    float64        // Σ weight × (amount - first)
	square float64        // Σ weight × (amount - mean)²
}

// N returns how many invoices the baseline was taught.
func (b *Baseline) N() int64 { return b.n }

// Mean returns the rolling mean rounded half-even to 1/10,000, 0 when empty.
func (b *Baseline) Mean() invoice.Amount {
	if b.n == 0 {
		return 0
	}
	offset := b.sum / b.weight
	floor := math.Floor(offset)
	mean := addFloat(b.first, floor)
	if rest := offset - floor; rest > 0.5 || (rest == 0.5 && mean&1 == 1) {
		mean = addFloat(mean, 1)
	}
	return mean
}

// SD returns the rolling standard deviation (of the population) in 1/10,000.
func (b *Baseline) SD() float64 {
	if b.n == 0 {
		return 0
	}
	return math.Sqrt(b.square / b.weight)
}

// stats are what scoring reads of a baseline.
func (b *Baseline) stats() stats {
	if b.n == 0 {
		return stats{}
	}
	mean, sd := b.Mean(), b.SD()
	return stats{n: b.n, mean: mean, sd: sd, cv: cvOf(mean, sd)}
}

// cvOf returns the coefficient of variation, at most mostCV.
func cvOf(mean invoice.Amount, sd float64) float64 {
	if sd == 0 {
		return 0
	}
	return min(sd/math.Abs(float64(mean)), mostCV)
}

// decay returns the weight of something that is hours old.
func decay(hours int64, halfLifeHours float64) float64 {
	return math.Exp2(-float64(hours) / halfLifeHours)
}

// teach adds one amount of the given event hour. An older hour than the newest
// is added with its decayed weight: time never runs backwards.
func (b *Baseline) teach(amount invoice.Amount, hour int64, halfLifeHours float64) {
	b.learn(b.clip(amount, b.Mean(), b.SD()), hour, halfLifeHours)
}

// learn is teach with an amount that is clipped.
func (b *Baseline) learn(amount invoice.Amount, hour int64, halfLifeHours float64) {
	weight := 1.0
	if b.n > 0 {
		if hour >= b.hour {
			b.age(hour, halfLifeHours)
		} else {
			weight = decay(b.hour-hour, halfLifeHours)
		}
	}
	if b.weight == 0 { // empty, or so old that nothing of it is left
		*b = Baseline{n: b.n + 1, hour: hour, first: amount, weight: 1}
		return
	}
	before := b.sum / b.weight
	offset := difference(amount, b.first)
	b.n++
	b.weight += weight
	b.sum += weight * offset
	after := b.sum / b.weight
	b.square = max(0, b.square+weight*(offset-before)*(offset-after))
}

// clip moves an outlier towards the mean, using this contribution alone, whose mean
// and standard deviation are given.
func (b *Baseline) clip(amount, mean invoice.Amount, sd float64) invoice.Amount {
	if b.n < clipAfter {
		return amount
	}
	spread := max(sd, clipFloor*math.Abs(float64(mean)), float64(invoice.Unit))
	width := math.Ceil(clipWidth * spread)
	if width < 1<<62 {
		most := invoice.Amount(width)
		if off, ok := amount.Sub(mean); ok && off <= most && off >= -most {
			return amount // as nearly always
		}
	}
	return min(max(amount, addFloat(mean, -width)), addFloat(mean, width))
}

// age decays the baseline to a newer hour.
func (b *Baseline) age(hour int64, halfLifeHours float64) {
	if hour <= b.hour {
		return
	}
	f := decay(hour-b.hour, halfLifeHours)
	b.weight *= f
	b.sum *= f
	b.square *= f
	b.hour = hour
}

// fold merges another contribution into b, both aged to the newer of their hours.
func (b *Baseline) fold(o Baseline, halfLifeHours float64) {
	if o.n == 0 {
		return
	}
	if b.n == 0 {
		*b = o
		return
	}
	o.age(b.hour, halfLifeHours)
	b.age(o.hour, halfLifeHours)
	if o.weight == 0 || b.weight == 0 {
		n := b.n + o.n
		if b.weight == 0 {
			*b = o
		}
		b.n = n
		return
	}
	apart := difference(o.first, b.first)
	delta := apart + o.sum/o.weight - b.sum/b.weight
	weight := b.weight + o.weight
	b.square += o.square + delta*delta*(b.weight*o.weight/weight)
	b.sum += o.sum + apart*o.weight
	b.weight = weight
	b.n += o.n
}

// append writes the stored form, at most 54 bytes: n, hour and first as
// varints, then weight, sum and square as little-endian doubles.
func (b *Baseline) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(b.n))
	dst = binary.AppendVarint(dst, b.hour)
	dst = binary.AppendVarint(dst, int64(b.first))
	for _, f := range [...]float64{b.weight, b.sum, b.square} {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
	}
	return dst
}

var errBaseline = errors.New("cannot read baseline: it is cut off or damaged; " +
	"delete this record's key to learn the segment anew")

// decodeBaseline reads what append wrote and refuses what cannot be a baseline.
func decodeBaseline(data []byte) (Baseline, error) {
	r := stateReader{rest: data}
	b := r.baseline()
	if r.failed || len(r.rest) > 0 {
		return Baseline{}, errBaseline
	}
	return b, nil
}

// baseline reads what append wrote; what cannot be a baseline is a fault.
func (r *stateReader) baseline() Baseline {
	b := Baseline{n: int64(r.uvarint()), hour: r.varint(), first: invoice.Amount(r.varint())}
	b.weight, b.sum, b.square = r.float(), r.float(), r.float()
	// No invoice weighs more than 1, and no two amounts differ by more than 2^64.
	if b.n < 1 || !(b.weight > 0 && b.weight <= float64(b.n)) ||
		!(math.Abs(b.sum) <= b.weight*(1<<65)) || !(b.square >= 0 && b.square <= b.weight*(1<<64)*(1<<64)) {
		r.failed = true
	}
	return b
}

// stateReader takes a stored value apart; after the first fault every read
// gives 0 and failed stays set.
type stateReader struct {
	rest   []byte
	failed bool
}

func (r *stateReader) advance(n int) {
	if n <= 0 || n > len(r.rest) {
		r.failed, r.rest = true, nil
		return
	}
	r.rest = r.rest[n:]
}

func (r *stateReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.advance(n)
	return v
}

func (r *stateReader) varint() int64 {
	v, n := binary.Varint(r.rest)
	r.advance(n)
	return v
}

func (r *stateReader) fixed() (v uint64) {
	if len(r.rest) >= 8 {
		v = binary.LittleEndian.Uint64(r.rest)
	}
	r.advance(8)
	return v
}

func (r *stateReader) float() float64 { return math.Float64frombits(r.fixed()) }

func (r *stateReader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.failed, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
