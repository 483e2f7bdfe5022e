package detectors

import (
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors/index"
	"recoup/invoice"
)

// segmentKind is what a baseline is a baseline of. The order is the one in
// which an engine looks at them and in which their rules stand in a verdict.
type segmentKind uint8

const (
	byCustomerType segmentKind = iota
	byProductFamily
	bySegment // both: the cross
	bySeller
	segmentKinds = 4
)

// segmentNames begin the keys of recoup.baselines. Each kind is at one level
// and, but for the seller, fires one rule.
var (
	segmentNames  = [segmentKinds]string{"customer_type", "product_family", "segment", "seller"}
	segmentLevels = [segmentKinds]Level{LevelCustomerType, LevelProductFamily, LevelTypeProduct, LevelSeller}
	segmentRules  = [segmentKinds]string{RuleCustomerType, RuleProductFamily, RuleSegment, ""}
)

// narrowestFirst is the order in which an expectation backs off.
var narrowestFirst = [segmentKinds]segmentKind{bySegment, byCustomerType, byProductFamily, bySeller}

// appendSegmentKey writes the natural key of the invoice's segment of one kind,
// such as "segment|acme|EUR|B2C|fibre", or returns false when the invoice does
// not name what the kind needs.
func appendSegmentKey(dst []byte, kind segmentKind, inv *invoice.Invoice) ([]byte, bool) {
	needsType := kind == byCustomerType || kind == bySegment
	needsFamily := kind == byProductFamily || kind == bySegment
	if (needsType && inv.CustomerType == "") || (needsFamily && inv.ProductFamily == "") {
		return dst, false
	}
	dst = append(dst, segmentNames[kind]...)
	dst = appendKeyPart(dst, inv.Seller)
	dst = appendKeyPart(dst, inv.Currency)
	if needsType {
		dst = appendKeyPart(dst, inv.CustomerType)
	}
	if needsFamily {
		dst = appendKeyPart(dst, inv.ProductFamily)
	}
	return dst, true
}

// parseSegmentKey reads the parts of a key that appendSegmentKey wrote. ok is false
// for a seller's own, which has no rule, and for a key of no segment at all.
func parseSegmentKey(key string) (s SegmentSummary, ok bool) {
	parts := strings.Split(key, "|")
	for i, part := range parts {
		parts[i] = keyPart.Replace(part)
	}
	kind := slices.Index(segmentNames[:bySeller], parts[0])
	if kind < 0 || len(parts) < 4 {
		return s, false
	}
	s.Level, s.Seller, s.Currency = segmentLevels[kind], parts[1], parts[2]
	if kind != int(byProductFamily) {
		s.CustomerType = parts[3]
	}
	if kind != int(byCustomerType) {
		s.ProductFamily = parts[len(parts)-1]
	}
	return s, true
}

// keyPart reads what appendKeyPart wrote.
var keyPart = strings.NewReplacer("%7C", "|", "%25", "%")

// appendKeyPart adds "|part"; a bar or per cent sign inside is written as in a URL.
func appendKeyPart(dst []byte, part string) []byte {
	dst = append(dst, '|')
	if strings.IndexByte(part, '|') < 0 && strings.IndexByte(part, '%') < 0 {
		return append(dst, part...)
	}
	for i := 0; i < len(part); i++ {
		switch part[i] {
		case '|':
			dst = append(dst, "%7C"...)
		case '%':
			dst = append(dst, "%25"...)
		default:
			dst = append(dst, part[i])
		}
	}
	return dst
}

// segment is one baseline as an engine holds it: what its own partition taught,
// and the way to what the others did. There may be millions: it is small, and what
// few of them have stands elsewhere.
type segment struct {
	shared  *sharedSegment // holds the key
	hash    uint64         // of the key
	own     Baseline       // of this engine's partition; n = 0: nothing yet
	applied int64          // own and rare hold every source offset below it that teaches them
	rare    *rare          // nil: nothing
	folded  *folded        // nil: not kept
	met     uint32         // its place in the history, 0: not known
	dirty   bool           // in Engine.dirty: the next checkpoint writes it
	stored  bool           // recoup.baselines may hold it
	dropped bool           // no longer the engine's
}

// rare is what few segments have.
type rare struct {
	shadow  shadow  // what this partition's newest suspects were billed
	learned []int64 // every outcome below these, by partition of the case events; nil: the engine's
}

// folded is what several other partitions taught.
type folded struct {
	from   *parts
	others Baseline
}

// shadow returns the shadow to be read only.
func (s *segment) shadow() *shadow {
	if s.rare == nil {
		return &noShadow
	}
	return &s.rare.shadow
}

var noShadow shadow

// shade returns the shadow to be changed; slim must follow.
func (s *segment) shade() *shadow {
	if s.rare == nil {
		s.rare = &rare{}
	}
	return &s.rare.shadow
}

// slim gives back the memory of a shadow that is empty.
func (s *segment) slim() {
	if s.rare != nil && s.rare.shadow == (shadow{}) && s.rare.learned == nil {
		s.rare = nil
	}
}

// learned returns the outcomes that the segment knows of by itself.
func (s *segment) learned() []int64 {
	if s.rare == nil {
		return nil
	}
	return s.rare.learned
}

// teach adds an amount of the given event hour to what this partition taught.
func (s *segment) teach(amount invoice.Amount, hour int64, halfLifeHours float64) {
	s.own.teach(amount, hour, halfLifeHours)
	if s.rare != nil {
		s.rare.shadow.pass()
		s.slim()
	}
}

// empty tells whether there is nothing to be stored of this partition.
func (s *segment) empty() bool { return s.own.n == 0 && s.shadow().held == 0 }

// stats returns what scoring reads of the segment, over all partitions.
func (s *segment) stats(partition int, halfLifeHours float64) stats {
	others := s.others(partition, halfLifeHours)
	if others.n == 0 {
		return s.own.stats()
	}
	b := s.own
	b.fold(others, halfLifeHours)
	return b.stats()
}

// others returns what all other partitions taught.
func (s *segment) others(partition int, halfLifeHours float64) (others Baseline) {
	parts := s.shared.parts.Load()
	if s.folded != nil && s.folded.from == parts {
		return s.folded.others
	}
	n := 0
	for list := parts.list(); len(list) > 0; {
		var p part
		if p, list = nextPart(list); p.partition != partition {
			others.fold(p.baseline(), halfLifeHours)
			n++
		}
	}
	s.folded = nil
	if n > 1 && s.own.n > 0 { // it takes a while, and will be asked again
		s.folded = &folded{parts, others}
	}
	return others
}

// elsewhere tells whether another partition contributes to the segment.
func (s *segment) elsewhere(partition int) bool {
	for list := s.shared.list(); len(list) > 0; {
		var p part
		if p, list = nextPart(list); p.partition != partition {
			return true
		}
	}
	return false
}

// route remembers where the segment of some names was found, which are given as a hash: its
// key need neither be written nor looked up for each invoice.
type route struct {
	names   uint64
	segment *segment // nil: nothing
}

// routeBits gives how many routes an engine has; two that share a place take turns.
const routeBits = 13

// findSegments finds the segments of the invoice last begun.
func (e *Engine) findSegments(inv *invoice.Invoice) {
	if len(e.segments.dropped) >= mostDropped {
		e.reuse()
	}
	c, h := &e.cur, &e.cur.ev.hashes
	seller := index.Mix(h.Seller, h.Currency)
	for kind, names := range [segmentKinds]uint64{
		byCustomerType:  index.Mix(seller+1, h.CustomerType),
		byProductFamily: index.Mix(seller+2, h.ProductFamily),
		bySegment:       index.Mix(index.Mix(seller+3, h.CustomerType), h.ProductFamily),
		bySeller:        seller,
	} {
		known := &e.routes[names>>(64-routeBits)]
		if known.names == names && known.segment != nil && !known.segment.outdated() {
			c.segments[kind] = known.segment
			continue
		}
		s := e.segment(segmentKind(kind), inv)
		if c.segments[kind] = s; s != nil && s != &c.untaught[kind] {
			*known = route{names, s}
		}
	}
}

// outdated tells whether the segment has to be looked up again.
func (s *segment) outdated() bool { return s.dropped || s.shared.parts.Load() == gone }

// segment finds the invoice's segment of one kind. One that this partition did
// not teach yet is only lent until the next invoice: what teaches nothing must
// leave nothing behind.
func (e *Engine) segment(kind segmentKind, inv *invoice.Invoice) *segment {
	key, ok := appendSegmentKey(e.scratch[:0], kind, inv)
	e.scratch = key
	if !ok {
		return nil
	}
	hash := xxhash.Sum64(key)
	if s := e.segments.get(hash); s != nil {
		if s.outdated() { // others forgot the key, and may have learned it anew
			s.shared = e.shared.segment(s.shared.key)
		}
		return s
	}
	return e.lend(kind, e.shared.find(key), hash)
}

func (e *Engine) lend(kind segmentKind, shared *sharedSegment, hash uint64) *segment {
	lent := &e.cur.untaught[kind]
	*lent = segment{shared: shared, hash: hash}
	e.cur.segments[kind] = lent
	return lent
}

// keep makes a lent segment one of the engine's own.
func (e *Engine) keep(kind segmentKind) *segment {
	key, _ := appendSegmentKey(e.scratch[:0], kind, e.cur.inv)
	e.scratch = key
	s := e.segments.add(e.cur.untaught[kind].hash, e.shared.segment(string(key)))
	e.cur.segments[kind] = s
	return s
}

// meet notes that the invoice last begun names its segment of one kind, and returns
// the segment, nil for none. Which segments a partition keeps follows from what was
// met alone: not from what was taught, which a restored checkpoint may be ahead of,
// nor from other partitions. So replay drops the same ones.
func (e *Engine) meet(kind segmentKind) *segment {
	s := e.cur.segments[kind]
	if s == nil {
		return nil
	}
	s.met = e.history.Meet(s.hash, int32(hourOf(e.cur.eventMS)), s.met)
	if s.dropped { // to make room for another one of this invoice
		return e.lend(kind, s.shared, s.hash)
	}
	return s
}

// drop forgets a segment since which the partition has met too many others. If a restored
// checkpoint is ahead and holds it, it was met again by then, and replay teaches it anew.
func (e *Engine) drop(hash uint64) {
	s := e.segments.get(hash)
	if s == nil {
		return
	}
	e.segments.drop(s)
	if s.stored {
		e.forget = append(e.forget, s.shared.key)
	}
	e.shared.release(s.shared)
}

// reuse gives back the memory of dropped segments, once nothing points to them any more.
func (e *Engine) reuse() {
	clear(e.routes)
	e.dirty = slices.DeleteFunc(e.dirty, func(s *segment) bool { return s.dropped })
	e.segments.reuse()
}

// Release gives back what the engine holds in Shared beside contributions. Nothing
// may be done with the engine any more.
func (e *Engine) Release() {
	for s := range e.segments.all() {
		e.shared.release(s.shared)
	}
}
