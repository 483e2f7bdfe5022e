package detectors

import (
	"bytes"
	"math/bits"
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
		parts[i] = readKeyPart(part)
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

// hasRule is parseSegmentKey's ok, without memory of its own.
func hasRule(key []byte) bool {
	kind, _, _ := bytes.Cut(key, []byte{'|'})
	for _, name := range segmentNames[:bySeller] {
		if string(kind) == name {
			return bytes.Count(key, []byte{'|'}) >= 3
		}
	}
	return false
}

var unescaped = strings.NewReplacer("%7C", "|", "%25", "%")

// readKeyPart reads what appendKeyPart wrote.
func readKeyPart(part string) string {
	if strings.IndexByte(part, '%') < 0 {
		return part
	}
	return unescaped.Replace(part)
}

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

// segment is one baseline as an engine holds it: what its own partition taught, and the
// number of what all partitions did. There may be millions: it is small and without pointers,
// and what few of them have stands elsewhere.
type segment struct {
	hash    uint64   // of the key
	own     Baseline // of this engine's partition; n = 0: nothing yet
	applied int64    // own and rare hold every source offset below it that teaches them
	shared  uint32   // its number in Shared, which has the key; 0: lent, see Engine.lend
	marks   uint32   // what may be true of it, and behind these its place in the history, as met says
}

// The marks of a segment.
const (
	isDirty   = 1 << iota // in Engine.dirty: the next checkpoint writes it
	isStored              // recoup.baselines may hold it
	isDropped             // no longer the engine's
	isRare                // it has something in segmentTable.rare
	markBits  = iota
)

func (s *segment) is(mark uint32) bool { return s.marks&mark != 0 }

// met is its place in the history, 0: not known.
func (s *segment) met() uint32 { return s.marks >> markBits }

// meet sets met; the history finds anew what would need too many bits.
func (s *segment) meet(place uint32) {
	s.marks &= 1<<markBits - 1
	if place < 1<<(32-markBits) {
		s.marks |= place << markBits
	}
}

// rare is what few segments have.
type rare struct {
	shadow  shadow  // what this partition's newest suspects were billed
	learned []int64 // every outcome below these, by partition of the case events; nil: the engine's
}

// held returns the shadow to be read only.
func (r *rare) held() *shadow {
	if r == nil {
		return &noShadow
	}
	return &r.shadow
}

var noShadow shadow

// outcomes returns those that the segment knows of by itself.
func (r *rare) outcomes() []int64 {
	if r == nil {
		return nil
	}
	return r.learned
}

// teach adds an amount of the given event hour to what this partition taught a segment.
func (e *Engine) teach(s *segment, amount invoice.Amount, hour int64) {
	s.own.teach(amount, hour, e.halfLife)
	if r := e.segments.rareOf(s); r != nil {
		r.shadow.pass()
		e.segments.slim(s)
	}
}

// baselineOf returns what scoring reads of a segment, over all partitions.
func (e *Engine) baselineOf(s *segment) stats {
	others := e.others(s)
	if others.n == 0 {
		return s.own.stats()
	}
	b := s.own
	b.fold(others, e.halfLife)
	return b.stats()
}

// folded is what several other partitions taught a segment. It takes a while to find out, and is
// kept until one that has the same place here is asked for.
type folded struct {
	segment uint32 // its number in Shared, 0: nothing
	version uint64 // of its parts there
	others  Baseline
}

// foldedBits gives how many folded an engine keeps.
const foldedBits = 13

// others returns what all other partitions taught a segment.
func (e *Engine) others(s *segment) (others Baseline) {
	var known *folded
	if e.folded != nil && s.shared != 0 {
		known = &e.folded[s.shared*0x9e3779b1>>(32-foldedBits)]
		if known.segment == s.shared && known.version == e.shared.version(s.shared) {
			return known.others
		}
	}
	n := 0
	list, version := e.parts(s)
	for len(list) > 0 {
		var p part
		if p, list = nextPart(list); p.partition != e.partition {
			others.fold(p.baseline(), e.halfLife)
			n++
		}
	}
	if n > 1 && s.shared != 0 && s.own.n > 0 { // it will be asked again
		if e.folded == nil {
			e.folded = make([]folded, 1<<foldedBits)
		}
		e.folded[s.shared*0x9e3779b1>>(32-foldedBits)] = folded{s.shared, version, others}
	}
	return others
}

// parts returns what all partitions contribute to a segment, until it is called again.
func (e *Engine) parts(s *segment) (list []byte, version uint64) {
	if s.shared != 0 {
		return e.shared.read(s.shared, &e.buffer)
	}
	for kind := range e.cur.untaught {
		if s == &e.cur.untaught[kind] {
			return e.cur.lent[kind], 0
		}
	}
	return nil, 0
}

// elsewhere tells whether another partition contributes to a segment.
func (e *Engine) elsewhere(s *segment) bool {
	for list, _ := e.parts(s); len(list) > 0; {
		var p part
		if p, list = nextPart(list); p.partition != e.partition {
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

// An engine has from 1<<fewestRouteBits to 1<<mostRouteBits routes, as it has many segments or
// few; two that share a place take turns.
const fewestRouteBits, mostRouteBits = 6, 13

// route returns the place of the route of some names, given as a hash.
func (e *Engine) route(names uint64) *route { return &e.routes[names>>(64-e.routeBits)] }

// newRoutes forgets the routes and makes room for 1<<n.
func (e *Engine) newRoutes(n int) { e.routes, e.routeBits = make([]route, 1<<n), n }

// findSegments finds the segments of the invoice last begun.
func (e *Engine) findSegments(inv *invoice.Invoice) {
	if len(e.segments.dropped) >= mostDropped {
		e.reuse()
	}
	if n := e.segments.len(); n > len(e.routes)/2 && e.routeBits < mostRouteBits {
		e.newRoutes(min(bits.Len(uint(n))+1, mostRouteBits))
	}
	c, h := &e.cur, &e.cur.ev.hashes
	seller := index.Mix(h.Seller, h.Currency)
	for kind, names := range [segmentKinds]uint64{
		byCustomerType:  index.Mix(seller+1, h.CustomerType),
		byProductFamily: index.Mix(seller+2, h.ProductFamily),
		bySegment:       index.Mix(index.Mix(seller+3, h.CustomerType), h.ProductFamily),
		bySeller:        seller,
	} {
		known := e.route(names)
		if known.names == names && known.segment != nil && !known.segment.is(isDropped) {
			c.segments[kind] = known.segment
			continue
		}
		s := e.segment(segmentKind(kind), inv)
		if c.segments[kind] = s; s != nil && s != &c.untaught[kind] {
			*known = route{names, s}
		}
	}
}

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
		return s
	}
	return e.lend(kind, key, hash)
}

// lend makes a segment that is not the engine's, with what other partitions contribute to it now.
func (e *Engine) lend(kind segmentKind, key []byte, hash uint64) *segment {
	c := &e.cur
	c.untaught[kind] = segment{hash: hash}
	c.lent[kind] = e.shared.find(key, c.lent[kind])
	c.segments[kind] = &c.untaught[kind]
	return c.segments[kind]
}

// keep makes a lent segment one of the engine's own.
func (e *Engine) keep(kind segmentKind) *segment {
	key, _ := appendSegmentKey(e.scratch[:0], kind, e.cur.inv)
	e.scratch = key
	s := e.segments.add(e.cur.untaught[kind].hash, e.shared.hold(key))
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
	s.meet(e.history.Meet(s.hash, int32(hourOf(e.cur.eventMS)), s.met()))
	if s.is(isDropped) { // to make room for another one of this invoice
		key, _ := appendSegmentKey(e.scratch[:0], kind, e.cur.inv)
		e.scratch = key
		return e.lend(kind, key, s.hash)
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
	if s.is(isStored) {
		e.forget = append(e.forget, string(e.shared.key(s.shared)))
	}
	e.shared.release(s.shared)
}

// reuse gives back the memory of dropped segments, once nothing points to them any more.
func (e *Engine) reuse() {
	clear(e.routes)
	e.dirty = slices.DeleteFunc(e.dirty, func(s *segment) bool { return s.is(isDropped) })
	e.segments.reuse()
}

// Release gives back what the engine holds in Shared beside contributions. Nothing
// else may be done with the engine any more.
func (e *Engine) Release() {
	for s := range e.segments.all() {
		e.shared.release(s.shared)
	}
	e.segments = segmentTable{} // another call gives nothing back twice
}
