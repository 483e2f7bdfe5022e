package detectors

import (
	"slices"
	"strings"

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
// and the way to what the others did.
type segment struct {
	key     string
	own     Baseline // of this engine's partition; n = 0: nothing yet
	shadow  shadow   // what this partition's newest suspects were billed
	applied int64    // own and shadow hold every source offset below it that teaches them
	learned []int64  // and every outcome below these, by partition of the case events; nil: the engine's
	dirty   bool     // in Engine.dirty: the next checkpoint writes it
	shared  *sharedSegment

	folded *[]contribution // what others was folded from
	others Baseline        // all other partitions

	ownStats stats // of own, where statsKnown
	ownKnown bool
}

// known returns the stats of what this partition taught.
func (s *segment) known() *stats {
	if !s.ownKnown {
		s.ownStats, s.ownKnown = s.own.stats(), true
	}
	return &s.ownStats
}

// teach adds an amount of the given event hour to what this partition taught.
func (s *segment) teach(amount invoice.Amount, hour int64, halfLifeHours float64) {
	own := s.known()
	s.own.learn(s.own.clip(amount, own.mean, own.sd), hour, halfLifeHours)
	s.ownKnown = false
}

// empty tells whether there is nothing to be stored of this partition.
func (s *segment) empty() bool { return s.own.n == 0 && s.shadow.held == 0 }

// stats returns what scoring reads of the segment, over all partitions.
func (s *segment) stats(partition int, halfLifeHours float64) stats {
	if s.fold(partition, halfLifeHours); s.others.n == 0 {
		return *s.known()
	}
	b := s.own
	b.fold(s.others, halfLifeHours)
	return b.stats()
}

// fold brings others up to date.
func (s *segment) fold(partition int, halfLifeHours float64) {
	parts := s.shared.parts.Load()
	if parts != s.folded {
		s.folded, s.others = parts, Baseline{}
		for i := range *parts {
			if c := &(*parts)[i]; c.partition != partition {
				s.others.fold(c.baseline, halfLifeHours)
			}
		}
	}
}

// routes remember the segments of all invoices that name the same: four keys need
// neither be written nor looked up for each invoice.
type routes struct {
	all   []route
	byKey index.Index // hash of the names: 1 + place in all
}

type route struct {
	seller, currency, customerType, productFamily string
	segments                                      [segmentKinds]*segment
}

func (r *route) is(inv *invoice.Invoice) bool {
	return r.seller == inv.Seller && r.currency == inv.Currency && r.customerType == inv.CustomerType &&
		r.productFamily == inv.ProductFamily
}

// findSegments finds the segments of the invoice last begun.
func (e *Engine) findSegments(inv *invoice.Invoice) {
	c, h := &e.cur, &e.cur.ev.hashes
	key := index.Mix(index.Mix(h.Seller, h.Currency), index.Mix(h.CustomerType, h.ProductFamily))
	known := e.routes.byKey.Get(key)
	if known != 0 && e.routes.all[known-1].is(inv) {
		c.segments = e.routes.all[known-1].segments
		return
	}
	own := true
	for kind := range segmentKind(segmentKinds) {
		c.segments[kind] = e.segment(kind, inv)
		own = own && c.segments[kind] != &c.untaught[kind]
	}
	if own && known == 0 {
		e.routes.all = append(e.routes.all, route{strings.Clone(inv.Seller), strings.Clone(inv.Currency),
			strings.Clone(inv.CustomerType), strings.Clone(inv.ProductFamily), c.segments})
		e.routes.byKey.Put(key, uint32(len(e.routes.all)))
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
	if s := e.segments[string(key)]; s != nil {
		return s
	}
	lent := &e.cur.untaught[kind]
	*lent = segment{shared: e.shared.find(key)}
	return lent
}

// keep makes a lent segment one of the engine's own.
func (e *Engine) keep(kind segmentKind) *segment {
	key, _ := appendSegmentKey(e.scratch[:0], kind, e.cur.inv)
	e.scratch = key
	shared := e.shared.segment(string(key))
	s := &segment{key: shared.key, shared: shared}
	e.segments[s.key] = s
	e.cur.segments[kind] = s
	return s
}
