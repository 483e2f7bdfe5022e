package reference_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"recoup/detectors/reference"
	"recoup/invoice"
)

// day is the n-th of January 2026, from 1; beyond 31 the months after it.
func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

// rate is a discount of so many per cent.
func rate(percent int64) invoice.Fixed { return invoice.One * invoice.Fixed(percent) / 100 }

// apply reads events as they stand in the contract, with seller "s", and applies
// them in order; received as given.
func apply(t *testing.T, s *reference.Store, received time.Time, events ...string) (keys []reference.Key) {
	t.Helper()
	d := invoice.NewDecoder(invoice.Limits{})
	for _, e := range events {
		kind, rest, _ := strings.Cut(e, " ")
		record := fmt.Sprintf(`{"schema":"reference.%s.v1","seller":"s",%s}`, kind, rest)
		var r invoice.Reference
		if err := d.DecodeReference([]byte(record), &r); err != nil {
			t.Fatalf("%s: %v", record, err)
		}
		keys = append(keys, s.Apply(&r, received))
	}
	return keys
}

// contract is a customer event of customer c, valid from a day of January on.
func contract(percent, from int, more ...string) string {
	return fmt.Sprintf(`customer "customer_ref":"c","contract_discount_rate":"0.%02d",`+
		`"valid_from":"2026-01-%02dT00:00:00Z"%s`, percent, from, strings.Join(more, ""))
}

func to(day int) string { return fmt.Sprintf(`,"valid_to":"2026-01-%02dT00:00:00Z"`, day) }

func published(day int) string {
	return fmt.Sprintf(`,"published_at":"2026-01-%02dT00:00:00Z"`, day)
}

// Design §3.7: an event counts from its published_at and holds from valid_from to
// valid_to; a late invoice is judged by what was valid at its own instant.
func TestCustomerAsOf(t *testing.T) {
	const none = -1
	for name, c := range map[string]struct {
		events []string
		want   map[int]int // by day: the rate in per cent, or none
	}{
		"one version, inclusive start": {[]string{contract(5, 10)}, map[int]int{9: none, 10: 5, 31: 5}},
		"an end is exclusive":          {[]string{contract(5, 10, to(20))}, map[int]int{19: 5, 20: none}},
		"a later version takes over, the old one stays": {
			[]string{contract(5, 1), contract(7, 15)}, map[int]int{1: 5, 14: 5, 15: 7}},
		"the order of arrival does not matter": {
			[]string{contract(7, 15), contract(5, 1)}, map[int]int{1: 5, 14: 5, 15: 7, 31: 7}},
		"published late: counts from then": {
			[]string{contract(5, 1), contract(7, 10, published(20))}, map[int]int{10: 5, 19: 5, 20: 7}},
		"published early: waits for its start": {
			[]string{contract(5, 1), contract(7, 20, published(2))}, map[int]int{19: 5, 20: 7}},
		"the newer event of a start replaces": {
			[]string{contract(5, 1), contract(6, 1)}, map[int]int{1: 6, 31: 6}},
		"a correction counts from its publication": {
			[]string{contract(5, 1), contract(6, 1, published(10))}, map[int]int{9: 5, 10: 6}},
		"a correction published earlier replaces": {
			[]string{contract(5, 1, published(10)), contract(6, 1)}, map[int]int{1: 6, 10: 6, 31: 6}},
		"a correction can end it": {
			[]string{contract(5, 1), contract(5, 1, to(15), published(10))}, map[int]int{9: 5, 14: 5, 15: none}},
		"what gave way does not come back": {
			[]string{contract(5, 1), contract(7, 10, to(20))}, map[int]int{9: 5, 10: 7, 20: none}},
		"a named end outlasts a shorter one": {
			[]string{contract(5, 1, to(30)), contract(7, 10, to(20))}, map[int]int{10: 7, 20: 5, 30: none}},
	} {
		t.Run(name, func(t *testing.T) {
			s := reference.NewStore(0)
			apply(t, s, time.Time{}, c.events...)
			for at, want := range c.want {
				got, ok := s.Customer("s", "c", day(at))
				if ok != (want != none) || (ok && got.ContractDiscountRate.Value != rate(int64(want))) {
					t.Errorf("day %d: got %v %v, want %d %%", at, got.ContractDiscountRate, ok, want)
				}
			}
		})
	}
}

func TestCustomerIsTold(t *testing.T) {
	s := reference.NewStore(0)
	apply(t, s, time.Time{}, contract(5, 2, to(9), published(1),
		`,"customer_type":"b2b","plan":"pro","contract_version":"3","prepays":true,"tax_exempt":false`))
	c, ok := s.Customer("s", "c", day(3))
	if !ok || c.Type != "b2b" || c.Plan != "pro" || c.ContractVersion != "3" ||
		c.Prepays != (invoice.OptionalBool{Value: true, Set: true}) || c.TaxExempt != (invoice.OptionalBool{Set: true}) ||
		!c.From().Equal(day(2)) || !c.To().Equal(day(9)) || !c.PublishedAt().Equal(day(1)) {
		t.Errorf("got %+v %v", c, ok)
	}
	if _, ok := s.Customer("other", "c", day(3)); ok {
		t.Error("references cross sellers")
	}
}

func TestPromotionStates(t *testing.T) {
	s := reference.NewStore(0)
	if _, state := s.Promotion("s", "A", day(1)); state != reference.PromotionUnknown || s.HasPromotions("s", day(1)) {
		t.Errorf("an empty store says %v", state)
	}
	promotion := `promotion "code":"A","discount_rate":"0.15","product_families":["TOY"],` +
		`"valid_from":"2026-01-10T00:00:00Z"`
	apply(t, s, time.Time{}, promotion+to(20)+published(5),
		strings.Replace(promotion, "01-10", "03-10", 1)+`,"customer_types":["b2b"],"stackable":true`)
	for at, want := range map[int]reference.PromotionState{
		4: reference.PromotionUnknown, 5: reference.PromotionNotBegun, 9: reference.PromotionNotBegun,
		10: reference.PromotionValid, 19: reference.PromotionValid, 20: reference.PromotionExpired,
		60: reference.PromotionExpired, 80: reference.PromotionValid,
	} {
		p, state := s.Promotion("s", "A", day(at))
		if state != want || (state != reference.PromotionUnknown && p.DiscountRate != rate(15)) {
			t.Errorf("day %d: got %v %v, want %v", at, state, p, want)
		}
		if known := s.HasPromotions("s", day(at)); known != (at >= 5) {
			t.Errorf("day %d: HasPromotions is %v", at, known)
		}
	}
	first, _ := s.Promotion("s", "A", day(10))
	second, _ := s.Promotion("s", "A", day(80))
	if !first.ForFamily("TOY") || first.ForFamily("DECOR") || !first.ForType("b2c") || first.Stackable.Set {
		t.Errorf("the first promotion is %+v", first)
	}
	if second.ForType("b2c") || !second.ForType("b2b") || !second.Stackable.Value {
		t.Errorf("the second promotion is %+v", second)
	}
}

func TestPolicyWithoutDatesCountsAlways(t *testing.T) {
	s := reference.NewStore(0)
	apply(t, s, time.Time{}, `policy "max_discount_rate":"0.25","promotions_stackable":false,"currencies":["GBP"]`)
	p, ok := s.Policy("s", day(-10_000))
	if !ok || p.MaxDiscountRate.Value != rate(25) || !p.PromotionsStackable.Set || !p.Bills("GBP") || p.Bills("EUR") {
		t.Errorf("got %+v %v", p, ok)
	}
	if !p.From().IsZero() || !p.To().IsZero() || !s.AsOf("s", day(1)).IsZero() {
		t.Errorf("undated, but from %v to %v, as of %v", p.From(), p.To(), s.AsOf("s", day(1)))
	}
	apply(t, s, time.Time{}, `policy "max_discount_rate":"0.1","valid_from":"2026-01-10T00:00:00Z"`)
	p, _ = s.Policy("s", day(9))
	q, _ := s.Policy("s", day(10))
	if p.MaxDiscountRate.Value != rate(25) || q.MaxDiscountRate.Value != rate(10) || !q.Bills("EUR") {
		t.Errorf("before %+v, after %+v", p, q)
	}
}

func TestMostSpecificPrice(t *testing.T) {
	s := reference.NewStore(0)
	price := func(unit, more string) string {
		return `price "product_id":"P","unit_price":"` + unit + `","valid_from":"2026-01-10T00:00:00Z"` + more
	}
	apply(t, s, time.Time{},
		price("10", ``), price("9", `,"min_quantity":"12"`), price("8", `,"min_quantity":"144"`+to(20)),
		price("7", `,"customer_type":"b2b"`), price("5", `,"customer_ref":"c","min_quantity":"6"`),
		price("4", `,"customer_ref":"c","customer_type":"b2b"`))
	for _, c := range []struct {
		customerType, customer string
		quantity               int
		at                     int
		want                   string
	}{
		{"", "", 1, 9, ""}, {"", "", 1, 10, "10"}, {"", "", 11, 10, "10"}, {"", "", 12, 10, "9"}, {"", "", -12, 10, "9"},
		{"", "", 144, 19, "8"}, {"", "", 144, 20, "9"},
		{"b2b", "", 12, 10, "7"}, {"b2c", "", 12, 10, "9"},
		{"b2c", "c", 6, 10, "5"}, {"b2c", "c", 5, 10, "10"}, {"b2b", "c", 5, 10, "4"}, {"b2b", "x", 5, 10, "7"},
	} {
		quantity := invoice.Fixed(c.quantity) * invoice.One
		got, ok := s.Price("s", "P", c.customerType, c.customer, quantity, day(c.at))
		if ok != (c.want != "") || (ok && got.UnitPrice.String() != c.want) {
			t.Errorf("%+v: got %v %v", c, got.UnitPrice, ok)
		}
	}
	if _, ok := s.Price("s", "Q", "", "", invoice.One, day(10)); ok {
		t.Error("an unknown product has a price")
	}
}

const delivered = `delivery "delivery_ref":"D%d","order_ref":"O","shipped_at":"2026-01-%02dT00:00:00Z",` +
	`"units":"40.5","lines":7`

func TestDeliveryCountsFromShipping(t *testing.T) {
	s := reference.NewStore(0)
	apply(t, s, time.Time{}, fmt.Sprintf(delivered, 1, 10), fmt.Sprintf(delivered, 2, 12)+published(14))
	if _, ok := s.Delivery("s", "D1", day(9)); ok {
		t.Error("known before it shipped")
	}
	d, ok := s.Delivery("s", "D1", day(10))
	if !ok || !d.ShippedAt.Equal(day(10)) || d.OrderRef != "O" || d.Units.Value.String() != "40.5" || !d.Units.Set ||
		d.Lines != (invoice.OptionalInt{Value: 7, Set: true}) {
		t.Errorf("got %+v %v", d, ok)
	}
	if _, ok := s.Delivery("s", "D2", day(13)); ok {
		t.Error("known before it was published")
	}
	// A recount replaces: a delivery has one version.
	apply(t, s, time.Time{}, strings.Replace(fmt.Sprintf(delivered, 1, 9), "40.5", "41", 1))
	if d, _ = s.Delivery("s", "D1", day(10)); d.Units.Value.String() != "41" {
		t.Errorf("after the recount: %+v", d)
	}
	for at, want := range map[int]bool{8: false, 9: true, 14: true, 21: true, 22: false} {
		if s.HasDeliveries("s", day(at)) != want || s.HasDeliveries("x", day(at)) {
			t.Errorf("day %d: HasDeliveries is %v, want %v", at, !want, want)
		}
	}
	for at, want := range map[int]time.Time{8: {}, 9: day(9), 11: day(11), 14: day(14), 30: day(14)} {
		if got := s.AsOf("s", day(at)); !got.Equal(want) {
			t.Errorf("day %d: as of %v, want %v", at, got, want)
		}
	}
}

// G7: what is older than the retention is forgotten, by the time of receipt, so
// that a topic read from its start gives what a member that followed it has.
func TestForgetting(t *testing.T) {
	s := reference.NewStore(10 * 24 * time.Hour)
	apply(t, s, day(1), fmt.Sprintf(delivered, 1, 1), contract(5, 1), contract(6, 3))
	apply(t, s, day(8), fmt.Sprintf(delivered, 2, 8))
	if _, ok := s.Delivery("s", "D1", day(9)); !ok {
		t.Error("forgotten too early")
	}
	apply(t, s, day(12), fmt.Sprintf(delivered, 3, 12))
	if _, ok := s.Delivery("s", "D1", day(12)); ok || s.HasDeliveries("s", day(7)) || !s.HasDeliveries("s", day(8)) {
		t.Error("a delivery received eleven days ago is still there")
	}
	if c, ok := s.Customer("s", "c", day(2)); !ok || c.ContractDiscountRate.Value != rate(5) {
		t.Errorf("superseded nine days ago, got %v %v", c, ok)
	}
	apply(t, s, day(14), contract(9, 14))
	if c, ok := s.Customer("s", "c", day(2)); ok {
		t.Errorf("superseded eleven days ago, still %v", c)
	}
	if c, ok := s.Customer("s", "c", day(13)); !ok || c.ContractDiscountRate.Value != rate(6) {
		t.Errorf("just superseded, got %v %v", c, ok)
	}
	// A version announced for later does not push out the one that holds.
	apply(t, s, day(14), contract(10, 31))
	apply(t, s, day(27), fmt.Sprintf(delivered, 4, 27))
	if c, ok := s.Customer("s", "c", day(27)); !ok || c.ContractDiscountRate.Value != rate(9) {
		t.Errorf("the version that holds is gone: %v %v", c, ok)
	}
}

// A partition of the log that is read later than the others brings nothing back
// that is forgotten, however long the log keeps it.
func TestForgottenOnArrival(t *testing.T) {
	s := reference.NewStore(10 * 24 * time.Hour)
	apply(t, s, day(20), fmt.Sprintf(delivered, 1, 20))
	apply(t, s, day(10), fmt.Sprintf(delivered, 2, 10))
	apply(t, s, day(11), fmt.Sprintf(delivered, 3, 11))
	_, old := s.Delivery("s", "D2", day(20))
	_, young := s.Delivery("s", "D3", day(20))
	if old || !young || s.HasDeliveries("s", day(10)) {
		t.Errorf("received ten days before the newest: known %v; nine days: %v", old, young)
	}
}

// A file or a backlog of years is received at once: nothing of it is forgotten.
func TestOldEventsReceivedNowStay(t *testing.T) {
	s := reference.NewStore(10 * 24 * time.Hour)
	for n := range 300 {
		e := fmt.Sprintf(`delivery "delivery_ref":"D%d","shipped_at":%q`, n, day(n).Format(time.RFC3339))
		apply(t, s, day(1000).Add(time.Duration(n)*time.Second), e)
	}
	for n := range 300 {
		if _, ok := s.Delivery("s", fmt.Sprintf("D%d", n), day(n)); !ok {
			t.Fatalf("delivery %d is gone", n)
		}
	}
}

func TestRunawayFeedIsBounded(t *testing.T) {
	s := reference.NewStore(0)
	for n := range 5_000 {
		r := invoice.Reference{Kind: invoice.CustomerReference, Seller: "s", CustomerRef: "c",
			ValidFrom: day(n), PublishedAt: day(n)}
		s.Apply(&r, time.Time{})
	}
	if _, ok := s.Customer("s", "c", day(4_999-999)); !ok {
		t.Error("the newest thousand versions should stay")
	}
	if _, ok := s.Customer("s", "c", day(3_000)); ok {
		t.Error("more than a thousand versions of one key are kept")
	}
}

func TestDelete(t *testing.T) {
	s := reference.NewStore(0)
	keys := apply(t, s, time.Time{}, contract(5, 1), contract(7, 15), contract(8, 15, published(20)),
		fmt.Sprintf(delivered, 1, 10), `promotion "code":"A","discount_rate":"0.1","valid_from":"2026-01-01T00:00:00Z"`,
		`policy "max_discount_rate":"0.1"`,
		`price "product_id":"P","unit_price":"1","valid_from":"2026-01-01T00:00:00Z"`,
		`price "product_id":"P","unit_price":"2","min_quantity":"2","valid_from":"2026-01-01T00:00:00Z"`)
	s.Delete(keys[1]) // both events of that start
	if c, ok := s.Customer("s", "c", day(25)); !ok || c.ContractDiscountRate.Value != rate(5) {
		t.Errorf("got %v %v, want the version before", c, ok)
	}
	s.Delete(keys[7])
	if p, ok := s.Price("s", "P", "", "", 2*invoice.One, day(2)); !ok || p.UnitPrice != invoice.One {
		t.Errorf("got %v %v, want the price of one", p, ok)
	}
	for _, k := range keys {
		s.Delete(k)
		s.Delete(k) // twice does no harm
	}
	s.Delete(reference.Key{})
	for kind := range invoice.ReferenceKinds {
		if s.Has(kind) {
			t.Errorf("%v is left", kind)
		}
	}
	if s.HasCustomers("s", day(25)) || s.HasPromotions("s", day(25)) || s.HasDeliveries("s", day(11)) {
		t.Error("feeds without records are left")
	}
	apply(t, s, time.Time{}, contract(5, 1))
	if _, ok := s.Customer("s", "c", day(2)); !ok || !s.HasCustomers("s", day(2)) || !s.Has(invoice.CustomerReference) {
		t.Error("a deleted key cannot come back")
	}
}

func TestNilStoreIsEmpty(t *testing.T) {
	var s *reference.Store
	_, customer := s.Customer("s", "c", day(1))
	_, state := s.Promotion("s", "c", day(1))
	_, policy := s.Policy("s", day(1))
	_, price := s.Price("s", "p", "t", "c", 1, day(1))
	_, delivery := s.Delivery("s", "d", day(1))
	if customer || policy || price || delivery || state != reference.PromotionUnknown || !s.AsOf("s", day(1)).IsZero() ||
		s.Has(invoice.PolicyReference) || s.HasCustomers("s", day(1)) || s.HasPromotions("s", day(1)) ||
		s.HasDeliveries("s", day(1)) {
		t.Error("a nil store knows something")
	}
	s.Delete(s.Apply(&invoice.Reference{}, day(1)))
}

// One writer, many readers: each reader sees whole values only, and what was
// applied before it asked. Run with -race.
func TestReadersBesideTheWriter(t *testing.T) {
	s := reference.NewStore(0)
	const keys, rounds = 200, 40
	event := func(key, round int) *invoice.Reference {
		units := invoice.OptionalFixed{Value: invoice.Fixed(round), Set: true}
		return &invoice.Reference{Kind: invoice.DeliveryReference, Seller: "s", DeliveryRef: fmt.Sprint(key),
			ShippedAt: day(1), PublishedAt: day(1), Units: units, OrderRef: fmt.Sprint(round)}
	}
	s.Apply(event(0, 0), time.Time{})
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			last := make([]int, keys)
			for {
				for key := range keys {
					d, ok := s.Delivery("s", fmt.Sprint(key), day(2))
					if !ok && (key == 0 || last[key] > 0) {
						t.Errorf("delivery %d is gone", key)
						return
					}
					round := int(d.Units.Value)
					if ok && (d.OrderRef != fmt.Sprint(round) || round < last[key]) {
						t.Errorf("delivery %d: %+v after round %d", key, d, last[key])
						return
					}
					last[key] = round
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for round := 1; round <= rounds; round++ {
		for key := range keys {
			s.Apply(event(key, round), time.Time{})
			s.Apply(event(keys+round*keys+key, 1), time.Time{}) // makes the table grow
		}
	}
	close(done)
	readers.Wait()
}

// filled has 100,000 customers, prices and deliveries and 8 promotions.
func filled() *reference.Store {
	s := reference.NewStore(0)
	for n := range 100_000 {
		ref := fmt.Sprintf("%08d", n)
		for _, r := range []invoice.Reference{
			{Kind: invoice.CustomerReference, CustomerRef: "c:" + ref, ValidFrom: day(1)},
			{Kind: invoice.PriceReference, ProductID: "p:" + ref, ValidFrom: day(1)},
			{Kind: invoice.DeliveryReference, DeliveryRef: "d:" + ref, ShippedAt: day(1)},
			{Kind: invoice.PromotionReference, Code: "PROMO" + fmt.Sprint(n%8), ValidFrom: day(1)},
			{Kind: invoice.PolicyReference},
		} {
			r.Seller, r.PublishedAt = "retail-uk", r.ValidFrom
			s.Apply(&r, time.Time{})
		}
	}
	return s
}

// Lookups take some 10 to 60 ns and allocate nothing.
func BenchmarkLookup(b *testing.B) {
	s, at := filled(), day(2)
	tiered := filled()
	for _, whom := range [][2]string{{"x", ""}, {"", "y"}, {"x", "y"}} {
		tiered.Apply(&invoice.Reference{Kind: invoice.PriceReference, Seller: "retail-uk", ProductID: "p",
			CustomerRef: whom[0], CustomerType: whom[1]}, time.Time{})
	}
	for name, lookup := range map[string]func(n int) bool{
		"customer":  func(int) bool { _, ok := s.Customer("retail-uk", "c:00012345", at); return ok },
		"promotion": func(int) bool { _, state := s.Promotion("retail-uk", "PROMO3", at); return state > 0 },
		"policy":    func(int) bool { _, ok := s.Policy("retail-uk", at); return ok },
		"delivery":  func(int) bool { _, ok := s.Delivery("retail-uk", "d:00012345", at); return ok },
		"price": func(int) bool {
			_, ok := s.Price("retail-uk", "p:00012345", "b2b", "c:00012345", invoice.One, at)
			return ok
		},
		"price beside negotiated ones": func(int) bool {
			_, ok := tiered.Price("retail-uk", "p:00012345", "b2b", "c:00012345", invoice.One, at)
			return ok
		},
		"has": func(int) bool { return s.HasPromotions("retail-uk", at) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if !lookup(n) {
					b.Fatal("not found")
				}
			}
		})
	}
}

func TestLookupsAllocateNothing(t *testing.T) {
	s := reference.NewStore(0)
	apply(t, s, time.Time{}, contract(5, 1), fmt.Sprintf(delivered, 1, 1),
		`price "product_id":"P","unit_price":"1","valid_from":"2026-01-01T00:00:00Z"`)
	if n := testing.AllocsPerRun(100, func() {
		s.Customer("s", "c", day(2))
		s.Promotion("s", "x", day(2))
		s.Policy("s", day(2))
		s.Delivery("s", "D1", day(2))
		s.Price("s", "P", "t", "c", invoice.One, day(2))
		s.HasDeliveries("s", day(2))
		s.AsOf("s", day(2))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The figures of docs: what one record costs, its own texts (10 bytes each here,
// 16 in memory) included.
func TestBytesPerRecord(t *testing.T) {
	const records = 100_000
	for kind, most := range map[invoice.ReferenceKind]uint64{
		invoice.CustomerReference: 250, invoice.PriceReference: 280, invoice.DeliveryReference: 200,
	} {
		before := heap()
		s := reference.NewStore(0)
		for n := range records {
			ref := fmt.Sprintf("x:%08d", n)
			s.Apply(&invoice.Reference{Kind: kind, Seller: "s", CustomerRef: ref, ProductID: ref, DeliveryRef: ref,
				ShippedAt: day(1), PublishedAt: day(1)}, time.Time{})
		}
		each := (heap() - before) / records
		t.Logf("%v: %d bytes a record", kind, each)
		if each > most {
			t.Errorf("%v costs %d bytes a record, want at most %d", kind, each, most)
		}
		runtime.KeepAlive(s)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // the first may only have begun
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
