package detectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"recoup/invoice"
)

// worldSettings make everything happen within a few hundred invoices: forgetting
// after two days, late invoices after three.
func worldSettings() Settings {
	s := DefaultSettings()
	s.MinN, s.MaxCV = 5, 0.5
	s.HalfLife, s.LearnWithin, s.IdentityRetention = 100*time.Hour, 72*time.Hour, 48*time.Hour
	return s
}

// received is one record of a made-up partition.
type received struct {
	inv *invoice.Invoice
	at  time.Time
}

// world makes records of every sort: usual, low, late, from the future, twice,
// changed, drafts, credit notes, canaries, deliveries invoiced twice, with and
// without customers, lines, discounts, releases.
func world(rng *rand.Rand, n int) []received {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var out []received
	for i := range n {
		now = now.Add(time.Duration(rng.IntN(120)) * time.Minute)
		if len(out) > 0 && rng.IntN(6) == 0 {
			again := out[rng.IntN(len(out))].inv.Clone()
			switch rng.IntN(3) {
			case 0:
				again.NetAmount = again.NetAmount + 7*invoice.Unit
			case 1:
				again.ID += "x" // another number for the same delivery
			}
			out = append(out, received{again, now})
			continue
		}
		inv := &invoice.Invoice{
			EventID: fmt.Sprint(i), Seller: []string{"acme", "zenith|co"}[rng.IntN(2)], ID: fmt.Sprintf("F-%d", i),
			IssuedAt: now, Currency: []string{"EUR", "JPY"}[rng.IntN(2)], NetAmount: invoice.Amount(900000 + rng.IntN(200000)),
			CustomerType: []string{"B2C", "B2B", ""}[rng.IntN(3)], ProductFamily: []string{"fibre", "tv%", ""}[rng.IntN(3)],
		}
		if rng.IntN(2) == 0 {
			inv.DeliveryRef = fmt.Sprintf("DN%d", i/2)
		}
		fill(rng, inv)
		switch rng.IntN(20) {
		case 0:
			inv.NetAmount /= 2
		case 1:
			inv.NetAmount *= 1000
		case 2:
			inv.IssuedAt = now.Add(-time.Duration(rng.IntN(100)) * time.Hour)
		case 3:
			inv.IssuedAt = now.Add(time.Duration(rng.IntN(40)) * time.Hour)
		case 4:
			inv.Type = invoice.CreditNote
		case 5:
			inv.Stage = invoice.PreIssue
		case 6:
			inv.Canary = true
		case 7:
			now = now.Add(60 * time.Hour)
		}
		out = append(out, received{inv, now})
	}
	return out
}

// fill adds what the history learns from: parties and lines that come to the net
// amount, now and then with an error in them.
func fill(rng *rand.Rand, inv *invoice.Invoice) {
	inv.CustomerRef = []string{"c:1", "c:2", "c:3", "c:4", "", invoice.Anonymous}[rng.IntN(6)]
	inv.Country = []string{"DE", "FR"}[rng.IntN(2)]
	inv.SourceRelease = fmt.Sprint("r", inv.IssuedAt.YearDay()/3)
	inv.TaxRate = invoice.OptionalFixed{Value: invoice.One / 5, Set: true}
	if rng.IntN(10) == 0 {
		inv.TaxRate.Value = invoice.One / 10
	}
	if rng.IntN(2) == 0 {
		inv.LegalFieldsPresent = []string{"buyer_vat_id"}
	}
	left := inv.NetAmount
	for range rng.IntN(5) {
		product := rng.IntN(12)
		l := invoice.Line{ProductID: fmt.Sprint("p", product), Description: fmt.Sprint("goods ", product/3)}
		quantity := invoice.Amount(1 + rng.IntN(3))
		price := invoice.Amount(2+product%4) * invoice.Unit
		switch rng.IntN(8) {
		case 0:
			price *= 10
		case 1:
			l.PromoCodes = []string{[]string{"SPRING", "VIP"}[rng.IntN(2)]}
			l.DiscountRate = invoice.OptionalFixed{Value: invoice.One / 10, Set: true}
		}
		addLine(inv, &l, quantity, price)
		left -= l.Net.Value
	}
	if len(inv.Lines) > 0 && left > 0 {
		addLine(inv, &invoice.Line{ProductID: "rest"}, 1, left)
	}
}

func addLine(inv *invoice.Invoice, l *invoice.Line, quantity, price invoice.Amount) {
	l.Quantity = invoice.OptionalFixed{Value: invoice.Fixed(quantity) * invoice.One, Set: true}
	const perAmount = invoice.One / invoice.Fixed(invoice.Unit)
	l.UnitPrice = invoice.OptionalFixed{Value: invoice.Fixed(price) * perAmount, Set: true}
	l.Net = invoice.OptionalAmount{Value: quantity * price, Set: true}
	if l.DiscountRate.Set {
		l.Net.Value = l.Net.Value / 10 * 9
	}
	inv.Lines = append(inv.Lines, *l)
}

// step takes one record through an engine as the pipeline does and returns the
// verdict, "" for a redelivery.
func step(t *testing.T, e *Engine, records []received, offset int64) (verdict string, suspect bool) {
	t.Helper()
	r := records[offset]
	if e.Begin(r.inv, invoice.Position{Topic: "t", Offset: offset}, r.at) == Redelivery {
		return "", false
	}
	var v Verdict
	e.Score(&v)
	if taught := e.Teach(v.Suspect); taught != v.Taught {
		t.Fatalf("offset %d: the verdict says taught=%v, Teach %v", offset, v.Taught, taught)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data), v.Suspect
}

// byKey are an engine's segments.
func byKey(e *Engine) map[string]*segment {
	all := map[string]*segment{}
	for s := range e.segments.all() {
		all[string(e.shared.key(s.shared))] = s
	}
	return all
}

// dump writes an engine's whole state: segments, clock, and what it remembers
// that still counts. How that is cut into blocks does not matter.
func dump(e *Engine) string {
	var b strings.Builder
	segments := byKey(e)
	for _, key := range slices.Sorted(maps.Keys(segments)) {
		if s := segments[key]; !e.segments.empty(s) {
			fmt.Fprintf(&b, "%s %x\n", key, e.outcomes.appendSegment(nil, &s.own, e.segments.rareOf(s)))
		}
	}
	fmt.Fprintf(&b, "clock %x\n", e.HighMarks())
	fmt.Fprintf(&b, "runs %x\n", e.Runs())
	var entries []string
	for number, block := range e.seen.blocks {
		for at := range seenBlockEntries(block) {
			x := &block.entries[at]
			if ref := refTo(uint32(number), at); e.seen.counts(ref, e.clock.hour, math.MaxInt64) {
				id := e.seen.invoiceID(ref)
				entries = append(entries, fmt.Sprintf("%012d %x %x %x %d %s\n",
					x.offset, x.identity, x.content, x.delivery, x.hour, id))
			}
		}
	}
	slices.Sort(entries)
	writeAll := func() {
		for number := range 10_000 {
			e.MarkDirty(fmt.Appendf(nil, "history|%04d|0", number), false)
			e.MarkDirty(fmt.Appendf(nil, "met|%04d|0", number), false)
		}
	}
	writeAll()
	buckets := map[string]string{}
	e.history.Checkpoint(func(key, value []byte) {
		buckets[string(key[:len(key)-2])] = fmt.Sprintf("%s %x\n", key[:len(key)-2], value)
	})
	writeAll() // what was to be written still is
	for _, key := range slices.Sorted(maps.Keys(buckets)) {
		b.WriteString(buckets[key])
	}
	return b.String() + strings.Join(entries, "")
}

func seenBlockEntries(b *seenBlock) []seenEntry {
	if b == nil {
		return nil
	}
	return b.entries
}

// topics are the state topics and the marker, as a crash leaves them.
type topics struct {
	local, shared map[string]stored
	marker        int64
	highMarks     []byte
	runs          []byte
}

type stored struct {
	value   []byte
	applied int64
}

func newTopics() *topics { return &topics{local: map[string]stored{}, shared: map[string]stored{}} }

func (k *topics) publish(records []StateRecord, applied int64) {
	for _, r := range records {
		to := k.local
		if r.Shared {
			to = k.shared
		}
		if r.Value == nil {
			delete(to, string(r.Key))
			continue
		}
		to[string(r.Key)] = stored{bytes.Clone(r.Value), applied}
	}
}

// misread is how a take-over may get wrong which offsets state records hold.
type misread struct {
	applied func(int64) int64 // of shared records
	adopted func(int64) int64 // marker's offset, to which the history is taken back
}

func right(offset int64) int64 { return offset }

// roomy is an engine that forgets nothing for want of room.
func roomy(shared *Shared) *Engine { return NewEngine(worldSettings(), shared, 0) }

// takeOver makes an engine from the topics and replays up to the committed offset.
func (k *topics) takeOver(t *testing.T, records []received, teach func(e *Engine, offset int64),
	committed int64, m misread, newEngine func(*Shared) *Engine) *Engine {
	t.Helper()
	shared := NewShared()
	for key, s := range k.shared {
		if err := shared.Put([]byte(key), s.value, 0, m.applied(s.applied)); err != nil {
			t.Fatal(err)
		}
	}
	e := newEngine(shared)
	for key, s := range k.local { // any order
		if err := e.Restore([]byte(key), s.value, s.applied); err != nil {
			t.Fatal(err)
		}
	}
	if n := e.AdoptShared(); n != len(k.shared) {
		t.Fatalf("adopted %d segments of %d", n, len(k.shared))
	}
	if err := e.Adopt(m.adopted(k.marker), true); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.RestoreHighMarks(k.highMarks), e.RestoreRuns(k.runs)); err != nil {
		t.Fatal(err)
	}
	for offset := k.marker; offset < committed; offset++ {
		r := records[offset]
		if e.Begin(r.inv, invoice.Position{Topic: "t", Offset: offset}, r.at) == Fresh {
			teach(e, offset)
		}
	}
	return e
}

// crashing runs the records with crashes anywhere, also in the middle of
// publishing a checkpoint, and returns the verdicts and the last state.
func crashing(t *testing.T, rng *rand.Rand, records []received, m misread,
	newEngine func(*Shared) *Engine) ([]string, string) {
	k := newTopics()
	verdicts := make([]string, len(records))
	again := func(e *Engine, offset int64) { // what the log says was decided
		var v Verdict
		if err := json.Unmarshal([]byte(verdicts[offset]), &v); err != nil {
			t.Fatal(err)
		}
		e.Recall(&v)
		e.Teach(v.Suspect)
	}
	e := newEngine(NewShared())
	committed := int64(0)
	for offset := int64(0); offset < int64(len(records)); {
		verdicts[offset], _ = step(t, e, records, offset)
		offset++
		if rng.IntN(20) == 0 {
			committed = offset
			out := e.Checkpoint(offset)
			crashed := rng.IntN(2) == 0
			if crashed { // some of the records got there, in any order, the marker did not
				rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
				out = out[:rng.IntN(len(out)+1)]
			}
			k.publish(out, offset)
			if !crashed {
				k.marker, k.highMarks, k.runs = offset, e.HighMarks(), e.Runs()
				continue
			}
			e = k.takeOver(t, records, again, committed, m, newEngine)
		} else if rng.IntN(30) == 0 { // crash between checkpoints: scored, not committed
			e = k.takeOver(t, records, again, committed, m, newEngine)
			offset = max(committed, k.marker)
		}
	}
	return verdicts, dump(e)
}

// G5: crashes change neither verdicts nor baselines, wherever they fall.
func TestCrashesChangeNothing(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 1))
		records := world(rng, 600)
		want := make([]string, len(records))
		e := NewEngine(worldSettings(), NewShared(), 0)
		for offset := range records {
			want[offset], _ = step(t, e, records, int64(offset))
		}
		got, state := crashing(t, rng, records, misread{right, right}, roomy)
		for offset := range want {
			if got[offset] != want[offset] {
				t.Fatalf("seed %d, offset %d:\n got %s\nwant %s", seed, offset, got[offset], want[offset])
			}
		}
		if state != dump(e) {
			t.Fatalf("seed %d: state after crashes\n%s\nwithout\n%s", seed, state, dump(e))
		}
	}
}

// The control: without the applied offsets replay teaches keys twice, without the
// marker's it starts from what was learned behind it, and the test above sees both.
func TestCrashesWithoutOffsetsAreSeen(t *testing.T) {
	for what, m := range map[string]misread{
		"applied offsets": {func(int64) int64 { return 0 }, right},
		"marker":          {right, func(int64) int64 { return math.MaxInt64 }},
	} {
		if !misreadIsSeen(t, m) {
			t.Errorf("replay without the %s went unnoticed", what)
		}
	}
}

func misreadIsSeen(t *testing.T, m misread) bool {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		records := world(rng, 600)
		e := NewEngine(worldSettings(), NewShared(), 0)
		for offset := range records {
			step(t, e, records, int64(offset))
		}
		if _, state := crashing(t, rng, records, m, roomy); state != dump(e) {
			return true
		}
	}
	return false
}

// The world must hold what the crash test is about.
func TestWorldHoldsEverything(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	records := world(rng, 600)
	e := NewEngine(worldSettings(), NewShared(), 0)
	seen := map[string]int{}
	tombstones := 0
	for offset := range records {
		verdict, suspect := step(t, e, records, int64(offset))
		var v Verdict
		if verdict == "" {
			seen["redelivery"]++
			continue
		}
		if err := json.Unmarshal([]byte(verdict), &v); err != nil {
			t.Fatal(err)
		}
		for _, rule := range v.Rules {
			seen[rule]++
		}
		if suspect {
			seen["suspect"]++
		}
		if v.LateBy.Milliseconds() > worldSettings().LearnWithin.Milliseconds() {
			seen["too late"]++
		}
		if offset%20 == 0 {
			for _, r := range e.Checkpoint(int64(offset) + 1) {
				if r.Value == nil {
					tombstones++
				}
			}
		}
	}
	for _, what := range []string{"redelivery", "suspect", "too late", RuleCustomerType, RuleProductFamily, RuleSegment,
		"duplicate:delivery", "duplicate:same_id_changed", RuleImplausibleTime} {
		if seen[what] == 0 {
			t.Errorf("no %s in %v", what, seen)
		}
	}
	if tombstones == 0 {
		t.Error("no block was ever forgotten")
	}
}

// Checkpoints stay small: one record per changed segment, block and bucket of the
// history, not per invoice; nothing changed, nothing written.
func TestCheckpointWritesWhatChanged(t *testing.T) {
	e, s := warmEngine(1)
	for range 2500 {
		pos, at := s.next()
		s.inv.ID = string(s.id)
		s.inv.DeliveryRef = s.inv.ID
		if e.Begin(s.inv, pos, at) == Fresh {
			e.Teach(false)
		}
	}
	changed := e.Changed()
	records := e.Checkpoint(s.offset + 1)
	// Four segments, three blocks of up to 1,024, and of the history: 3 products, 3 pairs,
	// customer and its recent invoices, 3 groups, source, 4 segments met.
	kinds := map[string]int{}
	for _, r := range records {
		kinds[strings.SplitN(string(r.Key), "|", 2)[0]]++
	}
	buckets := kinds["history"] + kinds["met"]
	if len(records) != changed || len(records)-buckets != 4+3 || buckets < 12 || buckets > 15 {
		t.Errorf("%d records, Changed said %d: want 4 segments, 3 blocks and 12 to 15 buckets; got %v", len(records),
			changed, kinds)
	}
	for _, r := range records {
		if r.Shared && len(r.Value) > 64 {
			t.Errorf("%s takes %d bytes, want at most 64", r.Key, len(r.Value))
		}
	}
	if n := len(e.Checkpoint(s.offset + 1)); n != 0 || e.Changed() != 0 {
		t.Errorf("%d records although nothing changed", n)
	}
}

// An owner that meets what an older epoch wrote on its keys writes them again:
// its value, or a tombstone for what it does not have.
func TestMarkDirtyWritesAgain(t *testing.T) {
	e, s := warmEngine(1)
	pos, at := s.next()
	e.Begin(s.inv, pos, at)
	e.Teach(false)
	first := e.Checkpoint(2)
	for _, r := range first {
		e.MarkDirty(r.Key, r.Shared)
		e.MarkDirty(r.Key, r.Shared)
	}
	e.MarkDirty([]byte("segment|nobody|EUR|x|y"), true)
	e.MarkDirty([]byte("seen|999"), false)
	const empty = "history|1000|1"
	e.MarkDirty([]byte(empty), false)
	if e.Changed() != len(first)+3 {
		t.Errorf("Changed says %d, want %d", e.Changed(), len(first)+3)
	}
	again := map[string][]byte{}
	for range 2 { // the history writes a bucket's other slot first, so that the marker's stays whole
		for _, r := range e.Checkpoint(2) {
			again[string(r.Key)] = r.Value
		}
	}
	for _, r := range first {
		if !bytes.Equal(again[string(r.Key)], r.Value) {
			t.Errorf("%s was written as %x, then as %x", r.Key, r.Value, again[string(r.Key)])
		}
	}
	for _, key := range []string{"segment|nobody|EUR|x|y", "seen|999", empty} {
		if value, written := again[key]; !written || value != nil {
			t.Errorf("%s: want a tombstone, got written=%v %x", key, written, value)
		}
	}
}
