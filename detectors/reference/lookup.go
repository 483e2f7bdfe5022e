package reference

import (
	"slices"
	"time"

	"recoup/invoice"
)

// Validity says when a version of a reference holds and since when it counts.
type Validity struct{ from, to, published int64 }

// From returns the instant from which it holds, inclusive; zero: always.
func (v Validity) From() time.Time { return instant(v.from) }

// To returns the instant until which it holds, exclusive; zero: until a later version.
func (v Validity) To() time.Time { return instant(v.to) }

// PublishedAt returns the instant from which it counts; zero: always.
func (v Validity) PublishedAt() time.Time { return instant(v.published) }

// Customer is what the CRM holds of a customer.
type Customer struct {
	Validity

	Type                 string                // segment margin; "" when not told
	ContractDiscountRate invoice.OptionalFixed // agreed discount, fraction
	Plan                 string                // tariff; "" when not told
	ContractVersion      string                // "" when not told
	Prepays              invoice.OptionalBool  // pays in advance
	TaxExempt            invoice.OptionalBool  // no tax is billed
}

// Price is a price of the catalogue or of a contract.
type Price struct {
	Validity

	UnitPrice        invoice.Fixed // currency units per unit
	MinQuantity      invoice.Fixed // from which it is given, inclusive
	CustomerType     string        // whom it is restricted to; "": everybody
	CustomerRef      string        // whom it was negotiated with; "": everybody
	PriceListVersion string        // "" when not told
}

// Promotion is an announced promotion.
type Promotion struct {
	Validity

	DiscountRate    invoice.Fixed         // fraction
	MaxDiscountRate invoice.OptionalFixed // most that may be taken off together with other discounts, fraction
	Stackable       invoice.OptionalBool  // may be combined with others
	families, types []string              // what it is restricted to; none: nothing
}

// ForFamily tells whether the promotion applies to a product family.
func (p *Promotion) ForFamily(family string) bool {
	return len(p.families) == 0 || slices.Contains(p.families, family)
}

// ForType tells whether the promotion applies to a customer type.
func (p *Promotion) ForType(customerType string) bool {
	return len(p.types) == 0 || slices.Contains(p.types, customerType)
}

// PromotionState says what a promotion code is worth at an instant.
type PromotionState uint8

// The states of a promotion code.
const (
	PromotionUnknown  PromotionState = iota // nothing that counts then tells of the code
	PromotionNotBegun                       // announced, for later
	PromotionExpired                        // it held before
	PromotionValid                          // it holds
)

// String returns the state in words.
func (p PromotionState) String() string {
	return [...]string{"unknown", "not begun", "expired", "valid"}[min(p, PromotionValid)]
}

// Policy is what the seller allows.
type Policy struct {
	Validity

	MaxDiscountRate     invoice.OptionalFixed // largest discount anybody may give, fraction
	PromotionsStackable invoice.OptionalBool  // several promotions may be combined
	currencies          []string
}

// Bills tells whether the seller bills in a currency: true if it names none.
func (p *Policy) Bills(currency string) bool {
	return len(p.currencies) == 0 || slices.Contains(p.currencies, currency)
}

// Delivery is what the warehouse counted.
type Delivery struct {
	ShippedAt time.Time             // when the goods left
	OrderRef  string                // order it answers; "" when not told
	Units     invoice.OptionalFixed // units counted
	Lines     invoice.OptionalInt   // lines counted
}

// delivery is a Delivery at rest.
type delivery struct {
	shipped  int64
	orderRef string
	units    invoice.Fixed
	lines    int32
	hasUnits bool
	hasLines bool
}

// Customer returns what counts of a customer at an instant.
func (s *Store) Customer(seller, customerRef string, at time.Time) (c Customer, ok bool) {
	if s == nil {
		return c, false
	}
	return valid(&s.customers, name{seller, customerRef}, at)
}

// Policy returns what counts of the seller's rules at an instant.
func (s *Store) Policy(seller string, at time.Time) (p Policy, ok bool) {
	if s == nil {
		return p, false
	}
	return valid(&s.policies, name{seller: seller}, at)
}

func valid[V any](t *table[name, V], key name, at time.Time) (value V, ok bool) {
	if v := t.versions(key.hash(), key).at(at.UnixNano()); v != nil {
		return v.value, true
	}
	return value, false
}

// Promotion returns what counts of a promotion code at an instant. Where none
// holds then, it is the one that began last, or else the one that begins next.
func (s *Store) Promotion(seller, code string, at time.Time) (p Promotion, state PromotionState) {
	if s == nil {
		return p, PromotionUnknown
	}
	key, when := name{seller, code}, at.UnixNano()
	versions := s.promotions.versions(key.hash(), key)
	if v := versions.at(when); v != nil {
		return v.value, PromotionValid
	}
	for v := versions; v != nil; v = v.older {
		switch {
		case v.published > when:
		case v.from <= when:
			return v.value, PromotionExpired
		default:
			p, state = v.value, PromotionNotBegun
		}
	}
	return p, state
}

// Price returns the price that counts at an instant for a quantity: the one of
// this customer, else of its type, else of everybody; of each the one with the
// highest MinQuantity reached. A negative quantity, a return, asks for as many.
func (s *Store) Price(seller, productID, customerType, customerRef string, quantity invoice.Fixed,
	at time.Time) (p Price, ok bool) {
	if s == nil {
		return p, false
	}
	if quantity < 0 {
		quantity = -quantity
	}
	when := at.UnixNano()
	product := name{seller, productID}.hash()
	var v *version[Price]
	if tiers := s.tiers.Load(); tiers != 0 {
		v = s.ownPrice(tiers, product, priceKey{seller, productID, customerType, customerRef}, quantity, when)
	}
	if v == nil {
		v = priceFor(s.prices.versions(forWhom(product, 0, 0), priceKey{seller, productID, "", ""}), quantity, when)
	}
	if v == nil {
		return p, false
	}
	return v.value, true
}

// ownPrice returns the price of a customer or else of its type. Product is the
// hash of the product; tiers says for whom any product has one.
func (s *Store) ownPrice(tiers uint32, product uint64, k priceKey, quantity invoice.Fixed, at int64) *version[Price] {
	ofType, ofCustomer := textHash(k.customerType), textHash(k.customerRef)
	var v *version[Price]
	if tiers&customerOfType != 0 {
		v = priceFor(s.prices.versions(forWhom(product, ofType, ofCustomer), k), quantity, at)
	}
	if v == nil && tiers&oneCustomer != 0 {
		key := priceKey{k.seller, k.product, "", k.customerRef}
		v = priceFor(s.prices.versions(forWhom(product, 0, ofCustomer), key), quantity, at)
	}
	if v == nil && tiers&oneType != 0 {
		key := priceKey{k.seller, k.product, k.customerType, ""}
		v = priceFor(s.prices.versions(forWhom(product, ofType, 0), key), quantity, at)
	}
	return v
}

// Groups of customers that prices may be restricted to.
const (
	oneType        uint32 = 1 << iota // a customer type
	oneCustomer                       // a customer
	customerOfType                    // a customer as long as it is of a type
)

// tier returns whom a price is restricted to, 0 for nobody.
func (p *Price) tier() uint32 {
	switch {
	case p.CustomerRef == "" && p.CustomerType == "":
		return 0
	case p.CustomerRef == "":
		return oneType
	case p.CustomerType == "":
		return oneCustomer
	}
	return customerOfType
}

// priceFor returns the price of the highest MinQuantity that is reached.
func priceFor(l *version[Price], quantity invoice.Fixed, at int64) *version[Price] {
	for ; l != nil; l = l.nextRank() {
		if l.rank <= quantity {
			if v := l.at(at); v != nil {
				return v
			}
		}
	}
	return nil
}

// Delivery returns what counts of a delivery at an instant.
func (s *Store) Delivery(seller, deliveryRef string, at time.Time) (d Delivery, ok bool) {
	if s == nil {
		return d, false
	}
	v, ok := valid(&s.deliveries, name{seller, deliveryRef}, at)
	if !ok {
		return d, false
	}
	return Delivery{ShippedAt: instant(v.shipped), OrderRef: v.orderRef,
		Units: invoice.OptionalFixed{Value: v.units, Set: v.hasUnits},
		Lines: invoice.OptionalInt{Value: int64(v.lines), Set: v.hasLines}}, true
}

// Has tells whether any seller has references of this kind.
func (s *Store) Has(kind invoice.ReferenceKind) bool {
	return s != nil && kind < invoice.ReferenceKinds && s.keys[kind].Load() > 0
}

// HasCustomers tells whether the seller publishes customers: whether at least
// one counts at that instant, so that an unknown one means something.
func (s *Store) HasCustomers(seller string, at time.Time) bool {
	return s.publishes(seller, invoice.CustomerReference, at) != nil
}

// HasPromotions tells the same of promotions.
func (s *Store) HasPromotions(seller string, at time.Time) bool {
	return s.publishes(seller, invoice.PromotionReference, at) != nil
}

// silence is how long after the last delivery its feed is taken to be alive.
const silence = int64(7 * 24 * time.Hour)

// HasDeliveries tells whether the seller's warehouse reports deliveries at that
// instant, so that a missing one means something: not before the first that is
// remembered nor later than a week after the last.
func (s *Store) HasDeliveries(seller string, at time.Time) bool {
	f := s.publishes(seller, invoice.DeliveryReference, at)
	return f != nil && at.UnixNano() <= f.last.Load()+silence
}

func (s *Store) publishes(seller string, kind invoice.ReferenceKind, at time.Time) *feed {
	if s == nil {
		return nil
	}
	if of := (*s.feeds.Load())[seller]; of != nil && of[kind].keys.Load() > 0 && of[kind].first.Load() <= at.UnixNano() {
		return &of[kind]
	}
	return nil
}

// AsOf returns up to when the seller's references are known, as far as an invoice
// of that instant may use them: the latest publication, at most at, in whole
// milliseconds as rows keep it; zero when none counts then.
func (s *Store) AsOf(seller string, at time.Time) time.Time {
	newest := int64(always)
	for kind := range invoice.ReferenceKinds {
		if f := s.publishes(seller, kind, at); f != nil {
			newest = max(newest, min(f.last.Load(), at.UnixNano()))
		}
	}
	return instant(newest).Truncate(time.Millisecond)
}
