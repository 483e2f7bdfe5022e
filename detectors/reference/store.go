// Package reference keeps what other systems say about customers, prices,
// promotions, rules and deliveries, and answers what was valid and known when an
// invoice was issued. It does no I/O and reads no clock.
package reference

import (
	"maps"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"recoup/invoice"
)

// DefaultRetention is how long deliveries and superseded versions are kept by
// default: as long as billing.deliveries keeps its records.
const DefaultRetention = 35 * 24 * time.Hour

// Store holds the references of all sellers. Apply and Delete wait for each
// other; lookups wait for nobody, allocate nothing and may run at any time.
//
// What an invoice is judged by depends on its own instant: a reference counts
// from its PublishedAt on and holds from ValidFrom to ValidTo, so an old version
// stays for invoices that come late. A nil *Store is an empty one.
//
// A customer costs about 230 bytes, a price 260, a delivery 180, with a reference
// of ten characters; each superseded version some 150 more (TestBytesPerRecord).
type Store struct {
	retention int64 // ns

	feeds      atomic.Pointer[map[string]*feeds]    // by seller; replaced whole
	keys       [invoice.ReferenceKinds]atomic.Int64 // that have a version, of all sellers
	customers  table[name, Customer]
	prices     table[priceKey, Price]
	tiers      atomic.Uint32 // bits of the groups that any price was ever restricted to
	promotions table[name, Promotion]
	policies   table[name, Policy]
	deliveries table[name, delivery]

	mu    sync.Mutex        // held by the writer, guards what follows
	texts map[string]string // one copy of each text that many records share
	clock int64             // newest receipt
	swept int64             // clock of the last sweep
}

// NewStore returns an empty store. Retention is how long after its receipt a
// delivery is kept, and how long after its end and the receipt of its successor
// a superseded version; 0 or less: DefaultRetention.
func NewStore(retention time.Duration) *Store {
	if retention <= 0 {
		retention = DefaultRetention
	}
	s := &Store{retention: int64(retention), texts: map[string]string{}, clock: always, swept: always}
	s.feeds.Store(&map[string]*feeds{})
	return s
}

// Key names what a newer event replaces and what Delete removes: the versions of
// one reference that share a start, or one delivery. It is a hash of the natural
// key; the zero Key names nothing.
type Key struct {
	kind invoice.ReferenceKind
	hash uint64
	rank invoice.Fixed
	from int64
}

// Apply adds one event. It replaces the earlier events of its key from its own
// publication on; before that they still count. Received is when its log took
// it; it drives forgetting, and a zero time keeps the event for good. The texts
// and lists of r are kept: they must not be changed later.
func (s *Store) Apply(r *invoice.Reference, received time.Time) Key {
	if s == nil {
		return Key{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := header{Validity: Validity{nanos(r.ValidFrom, always), nanos(r.ValidTo, forever),
		nanos(r.PublishedAt, always)}, received: nanos(received, forever)}
	if h.received != forever {
		s.clock = max(s.clock, h.received)
	}
	if r.Kind == invoice.DeliveryReference && h.received <= s.horizon() {
		return Key{} // another partition of its log was read further
	}
	seller := s.shared(r.Seller)
	var hash uint64
	var grown int
	switch r.Kind {
	case invoice.CustomerReference:
		hash, grown = put(s, &s.customers, name{seller, r.CustomerRef}, h, s.customer(r, h.Validity))
	case invoice.PriceReference:
		h.rank = r.MinQuantity
		p := s.price(r, h.Validity)
		s.tiers.Or(p.tier())
		hash, grown = put(s, &s.prices, priceKey{seller, r.ProductID, p.CustomerType, p.CustomerRef}, h, p)
	case invoice.PromotionReference:
		hash, grown = put(s, &s.promotions, name{seller, r.Code}, h, promotionOf(r, h.Validity))
	case invoice.PolicyReference:
		hash, grown = put(s, &s.policies, name{seller: seller}, h, policyOf(r, h.Validity))
	case invoice.DeliveryReference:
		h.from, h.to = always, forever
		hash, grown = put(s, &s.deliveries, name{seller, r.DeliveryRef}, h, deliveryOf(r))
	}
	s.feed(seller, r.Kind).saw(h.published)
	s.grow(seller, r.Kind, grown)
	s.sweep()
	return Key{kind: r.Kind, hash: hash, rank: h.rank, from: h.from}
}

func (s *Store) customer(r *invoice.Reference, v Validity) Customer {
	return Customer{Validity: v, Type: s.shared(r.CustomerType), ContractDiscountRate: r.ContractDiscountRate,
		Plan: s.shared(r.Plan), ContractVersion: s.shared(r.ContractVersion), Prepays: r.Prepays, TaxExempt: r.TaxExempt}
}

func (s *Store) price(r *invoice.Reference, v Validity) Price {
	return Price{Validity: v, UnitPrice: r.UnitPrice, MinQuantity: r.MinQuantity, CustomerType: s.shared(r.CustomerType),
		CustomerRef: r.CustomerRef, PriceListVersion: s.shared(r.PriceListVersion)}
}

func promotionOf(r *invoice.Reference, v Validity) Promotion {
	return Promotion{Validity: v, DiscountRate: r.DiscountRate, MaxDiscountRate: r.MaxDiscountRate,
		Stackable: r.Stackable, families: r.ProductFamilies, types: r.CustomerTypes}
}

func policyOf(r *invoice.Reference, v Validity) Policy {
	return Policy{Validity: v, MaxDiscountRate: r.MaxDiscountRate, PromotionsStackable: r.Stackable,
		currencies: r.Currencies}
}

// deliveryOf counts at most 2^31-1 lines: a bill has 20,000.
func deliveryOf(r *invoice.Reference) delivery {
	return delivery{shipped: nanos(r.ShippedAt, always), orderRef: r.OrderRef, units: r.Units.Value,
		lines: int32(min(r.Lines.Value, math.MaxInt32)), hasUnits: r.Units.Set, hasLines: r.Lines.Set}
}

// put adds one version to its key and returns the key's hash and by how many
// keys the table grew.
func put[K keyed, V any](s *Store, t *table[K, V], key K, h header, value V) (hash uint64, grown int) {
	hash = key.hash()
	e := t.find(hash, func(e *entry[K, V]) bool { return e.key == key })
	if e == nil {
		e = t.add(hash, key)
	}
	versions := e.versions.Load().with(&version[V]{header: h, value: value}).pruned(s.horizon())
	return hash, t.set(e, versions)
}

// horizon is the receipt before which things are forgotten.
func (s *Store) horizon() int64 {
	if s.clock < always+s.retention {
		return always
	}
	return s.clock - s.retention
}

// Delete removes what Apply returned the key for.
func (s *Store) Delete(k Key) {
	if s == nil || k == (Key{}) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch k.kind {
	case invoice.CustomerReference:
		remove(s, &s.customers, k)
	case invoice.PriceReference:
		remove(s, &s.prices, k)
	case invoice.PromotionReference:
		remove(s, &s.promotions, k)
	case invoice.PolicyReference:
		remove(s, &s.policies, k)
	case invoice.DeliveryReference:
		remove(s, &s.deliveries, k)
	}
}

func remove[K keyed, V any](s *Store, t *table[K, V], k Key) {
	e := t.find(k.hash, func(*entry[K, V]) bool { return true })
	if e == nil {
		return
	}
	s.grow(e.key.of(), k.kind, t.set(e, e.versions.Load().without(k.rank, k.from)))
}

// sweepEvery is how far the clock runs between two looks at all records.
const sweepEvery = int64(24 * time.Hour)

// sweep forgets deliveries that were received before the horizon, and what was
// superseded so long ago.
func (s *Store) sweep() {
	if s.swept == always {
		s.swept = s.clock
	}
	if s.clock < s.swept+sweepEvery {
		return
	}
	s.swept = s.clock
	horizon := s.horizon()
	prune(&s.customers, horizon)
	prune(&s.prices, horizon)
	prune(&s.promotions, horizon)
	prune(&s.policies, horizon)
	oldest := map[string]int64{}
	s.deliveries.each(func(e *entry[name, delivery]) {
		if v := e.versions.Load(); v.received > horizon {
			first, ok := oldest[e.key.seller]
			if !ok || v.published < first {
				oldest[e.key.seller] = v.published
			}
			return
		}
		s.grow(e.key.seller, invoice.DeliveryReference, s.deliveries.set(e, nil))
	})
	for seller, first := range oldest {
		s.feed(seller, invoice.DeliveryReference).first.Store(first)
	}
}

func prune[K keyed, V any](t *table[K, V], horizon int64) {
	t.each(func(e *entry[K, V]) {
		t.set(e, e.versions.Load().pruned(horizon))
	})
}

// maxTexts bounds the texts of which one copy is kept.
const maxTexts = 10_000

// shared returns the store's copy of a text that many records have in common.
func (s *Store) shared(text string) string {
	if kept, ok := s.texts[text]; ok {
		return kept
	}
	if len(s.texts) >= maxTexts {
		clear(s.texts) // what they were kept for still shares them
	}
	s.texts[text] = text
	return text
}

// feeds are the feeds of one seller, by kind.
type feeds [invoice.ReferenceKinds]feed

// feed is what is known of all references of one kind and seller.
type feed struct {
	keys        atomic.Int64 // that have a version
	first, last atomic.Int64 // earliest and latest publication
}

// saw notes one event.
func (f *feed) saw(published int64) {
	f.first.Store(min(f.first.Load(), published))
	f.last.Store(max(f.last.Load(), published))
}

// grow counts by how many keys a table grew.
func (s *Store) grow(seller string, kind invoice.ReferenceKind, keys int) {
	s.feed(seller, kind).keys.Add(int64(keys))
	s.keys[kind].Add(int64(keys))
}

// feed returns the feed of a seller, which is new if need be; only for the writer.
func (s *Store) feed(seller string, kind invoice.ReferenceKind) *feed {
	of := *s.feeds.Load()
	if of[seller] == nil {
		of = maps.Clone(of)
		made := new(feeds)
		for i := range made {
			made[i].first.Store(forever)
			made[i].last.Store(always)
		}
		of[seller] = made
		s.feeds.Store(&of)
	}
	return &of[seller][kind]
}
