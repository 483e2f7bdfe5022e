package auditor

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline"
)

// baseline is what amounts come to, worked out from the description of the rule and
// not by recoup's code: sums that decay by the hour with a half-life, of differences
// from the first amount, outliers clipped by what was known before.
type baseline struct {
	n, hour, first      int64
	weight, sum, square float64
}

// teach adds an amount of an event hour.
func (b *baseline) teach(amount, hour int64, halfLife float64) {
	amount = b.clip(amount)
	weight := 1.0
	if b.n > 0 {
		f := math.Exp2(-math.Abs(float64(hour-b.hour)) / halfLife)
		if hour >= b.hour {
			b.weight, b.sum, b.square, b.hour = b.weight*f, b.sum*f, b.square*f, hour
		} else {
			weight = f
		}
	}
	if b.weight == 0 {
		*b = baseline{n: b.n + 1, hour: hour, first: amount, weight: 1}
		return
	}
	before, offset := b.sum/b.weight, float64(amount-b.first)
	b.n++
	b.weight += weight
	b.sum += weight * offset
	b.square = max(0, b.square+weight*(offset-before)*(offset-b.sum/b.weight))
}

// clip moves an amount to at most four standard deviations from the mean, taken as 5 %
// of the mean or one unit of currency where they are less, once eight were taught.
func (b *baseline) clip(amount int64) int64 {
	if b.n < 8 {
		return amount
	}
	offset := b.sum / b.weight
	floor := math.Floor(offset)
	mean := b.first + int64(floor)
	if rest := offset - floor; rest > 0.5 || rest == 0.5 && mean%2 != 0 {
		mean++
	}
	spread := max(math.Sqrt(b.square/b.weight), 0.05*math.Abs(float64(mean)), float64(invoice.Unit))
	most := int64(math.Ceil(4 * spread))
	return min(max(amount, mean-most), mean+most)
}

// is tells whether two baselines are the same but for the last digits of their sums.
func (b *baseline) is(o *baseline) bool {
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b), 1) }
	return b.n == o.n && b.hour == o.hour && b.first == o.first && near(b.weight, o.weight) && near(b.sum, o.sum) &&
		near(b.square, o.square)
}

func (b *baseline) String() string {
	return fmt.Sprintf("n %d, mean %.4f, weight %.6f", b.n,
		(float64(b.first)+b.sum/b.weight)/float64(invoice.Unit), b.weight)
}

// reference is what the invoices of one partition teach, in the order of their offsets.
type reference struct {
	halfLife    float64          // hours
	learnWithin int64            // milliseconds
	future      time.Duration    // by which an event may be ahead of its record
	newest      map[string]int64 // event time of each seller, milliseconds
	segments    map[string]*baseline
}

func (a *audit) newReference() *reference {
	s := a.Config.Scoring.Settings()
	return &reference{halfLife: s.HalfLife.Hours(), learnWithin: s.LearnWithin.Milliseconds(), future: s.FutureTolerance,
		newest: map[string]int64{}, segments: map[string]*baseline{}}
}

// see takes up an invoice and returns its event time and how late it is, both in ms.
func (r *reference) see(inv *invoice.Invoice, received time.Time) (event, late int64) {
	event = inv.IssuedAt.UnixMilli()
	if inv.IssuedAt.After(received.Add(r.future)) {
		event = received.UnixMilli()
	}
	newest, known := r.newest[inv.Seller]
	if !known || event > newest {
		r.newest[strings.Clone(inv.Seller)] = event // its text lies in the record, which the next fetch writes over
		return event, 0
	}
	return event, newest - event
}

// teaches tells whether an invoice teaches, given whether it is suspect and how late.
func (r *reference) teaches(inv *invoice.Invoice, suspect bool, late int64) bool {
	return !suspect && inv.Type == invoice.Standard && inv.Stage == invoice.Issued && !inv.Canary && late <= r.learnWithin
}

var keyPart = strings.NewReplacer("%", "%25", "|", "%7C")

// teach adds the amount of an invoice to all its segments.
func (r *reference) teach(inv *invoice.Invoice, event int64) {
	hour := int64(math.Floor(float64(event) / float64(time.Hour.Milliseconds())))
	for _, key := range segmentKeys(inv.Seller, inv.Currency, inv.CustomerType, inv.ProductFamily) {
		if r.segments[key.text] == nil {
			r.segments[key.text] = &baseline{}
		}
		r.segments[key.text].teach(int64(inv.NetAmount), hour, r.halfLife)
	}
}

// segmentName is the key of a segment, and its level.
type segmentName struct {
	text  string
	level detectors.Level
}

// segmentKeys are the keys of all segments that an invoice of these belongs to.
func segmentKeys(seller, currency, kind, family string) []segmentName {
	whose := "|" + keyPart.Replace(seller) + "|" + keyPart.Replace(currency)
	kind, family = keyPart.Replace(kind), keyPart.Replace(family)
	keys := []segmentName{{"seller" + whose, detectors.LevelSeller}}
	if kind != "" {
		keys = append(keys, segmentName{"customer_type" + whose + "|" + kind, detectors.LevelCustomerType})
	}
	if family != "" {
		keys = append(keys, segmentName{"product_family" + whose + "|" + family, detectors.LevelProductFamily})
	}
	if kind != "" && family != "" {
		keys = append(keys, segmentName{"segment" + whose + "|" + kind + "|" + family, detectors.LevelTypeProduct})
	}
	return keys
}

// contribution is a record of the baselines' topic.
type contribution struct {
	epoch, applied int64
	baseline       baseline // n is 0 where only a shadow is left
}

// readBaselines keeps the contribution of each key, partition included, that counts: owners
// write a partition one after another, so none with an older stamp than one before it does.
func (a *audit) readBaselines(ctx context.Context) error {
	a.kept = map[string]contribution{}
	newest := make([]contribution, a.partitions)
	topic := a.Config.Kafka.Topics.Baselines
	return a.eachOf(ctx, topic, func(p int, r *pipeline.Record) error {
		key := string(r.Key)
		if strings.HasPrefix(key, "count|") {
			return nil
		}
		text, gone := r.Value, len(r.Value) == 0
		switch {
		case gone && r.Stamp == nil: // of an older recoup, which tells nothing: it counts
			delete(a.kept, key)
			return nil
		case gone:
			text = r.Stamp
		}
		c, payload, ok := stamped(text)
		if ok && !gone {
			c.baseline, ok = readBaseline(payload)
		}
		if !ok {
			a.checks.never(CheckBaselines, "record %d of %s/%d, key %s, cannot be read", r.Offset, topic, p, key)
			return nil
		}
		was := newest[p]
		if c.epoch < was.epoch || c.epoch == was.epoch && c.applied < was.applied {
			return nil
		}
		newest[p] = c
		if a.kept[key] = c; gone {
			delete(a.kept, key)
		}
		return nil
	})
}

// stamped takes a record of state apart: version, epoch, applied offset, payload.
func stamped(value []byte) (c contribution, payload []byte, ok bool) {
	if len(value) < 3 || value[0] > 2 {
		return c, nil, false
	}
	rest, n := value[1:], 0
	for _, to := range []*int64{&c.epoch, &c.applied} {
		if *to, n = binary.Varint(rest); n <= 0 {
			return c, nil, false
		}
		rest = rest[n:]
	}
	return c, rest, true
}

// readBaseline reads the baseline that a contribution begins with.
func readBaseline(payload []byte) (b baseline, ok bool) {
	count, n := binary.Uvarint(payload)
	if n <= 0 {
		return b, false
	}
	payload = payload[n:]
	if b.n = int64(count); b.n == 0 {
		return b, true
	}
	for _, to := range []*int64{&b.hour, &b.first} {
		if *to, n = binary.Varint(payload); n <= 0 {
			return b, false
		}
		payload = payload[n:]
	}
	if len(payload) < 24 {
		return b, false
	}
	for i, to := range []*float64{&b.weight, &b.sum, &b.square} {
		*to = math.Float64frombits(binary.LittleEndian.Uint64(payload[8*i:]))
	}
	return b, true
}

// judgeBaselines compares every contribution with the reference.
func (a *audit) judgeBaselines(context.Context) error {
	a.checks.expect(CheckBaselines, 0)
	for p, r := range a.references {
		for key, want := range r.segments {
			key += "|p" + strconv.Itoa(p)
			got := a.kept[key]
			delete(a.kept, key)
			a.checks.right(CheckBaselines, got.baseline.is(want), "%s: %s, want %s", key, &got.baseline, want)
		}
	}
	for key, got := range a.kept {
		if got.baseline.n > 0 {
			a.checks.never(CheckBaselines, "%s: %s, want none", key, &got.baseline)
		}
	}
	return nil
}
