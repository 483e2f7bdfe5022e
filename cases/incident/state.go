package incident

import (
	"maps"
	"slices"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

const (
	// remember is how long after its decision a suspect can still become a member of an
	// incident that opens.
	remember = 6 * time.Hour
	// mostSuspects bounds those that are remembered, the newest: in an outage all
	// invoices may be suspects.
	mostSuspects = 100_000
)

// boardState is what a Board knows.
type boardState struct {
	values    map[detectors.Value]*value
	bytes     int64                    // that values take
	forgotten uint64                   // values, to make room
	vain      int64                    // bytes up to which making room is in vain, in the bucket of the last round
	bucket    int64                    // of the last round
	crowded   bool                     // making room was in vain
	told      bool                     // that it was
	summed    []*value                 // whose sum was added up since the round began
	changed   map[detectors.Value]bool // since they were tested last
	marks     map[int]detectors.ReadMark
	heard     map[int]int64 // record time of the newest arrival, by source partition
	lags      map[int]lagSince
	suspects  map[invoiceKey]*suspect
	byValue   map[detectors.Value][]*suspect
	fresh     []*suspect // not looked at since the last Tick
	read      map[int]int64
	open      map[string]*openIncident            // by dedup key; show and hide change it
	openOf    map[detectors.Value][]*openIncident // of open, by key
	unnamed   map[triedName]bool                  // what openNamed has tried in vain
	over      map[string]*openIncident            // resolved not long ago
	merged    []*openIncident                     // ended as part of another one, not published yet
	aliases   map[string]*openIncident            // by ids that workers gave
	rates     map[string]*openRate
	blinds    map[string]*openBlind
	held      map[batchKey]bool
	began     time.Time // the first Tick
}

func newState() boardState {
	return boardState{values: map[detectors.Value]*value{}, changed: map[detectors.Value]bool{},
		marks: map[int]detectors.ReadMark{}, heard: map[int]int64{}, lags: map[int]lagSince{},
		suspects: map[invoiceKey]*suspect{}, byValue: map[detectors.Value][]*suspect{}, read: map[int]int64{},
		open: map[string]*openIncident{}, openOf: map[detectors.Value][]*openIncident{},
		unnamed: map[triedName]bool{}, over: map[string]*openIncident{}, aliases: map[string]*openIncident{},
		rates: map[string]*openRate{}, blinds: map[string]*openBlind{}, held: map[batchKey]bool{}}
}

// invoiceKey names an invoice.
type invoiceKey struct {
	seller, id string
	revision   int64
}

type batchKey struct{ seller, batch string }

// suspect is one of the last hours.
type suspect struct {
	key     invoiceKey
	at      invoice.Position
	decided time.Time
	event   time.Time
	bucket  int64
	cause   int
	member  cases.Member
	p       float64
	rate    float64  // share of its loss that is taken to come back
	fits    []string // findings whose repair makes it usual
	batch   string
	values  []detectors.Value
	joined  *openIncident // nil: none
	named   string        // incident id of the worker
	settled bool
	late    bool // nothing can be claimed any more
}

func (b *Board) suspect(at invoice.Position, v *detectors.Verdict, s *cases.Subject, decided time.Time) {
	b.read[at.Partition] = max(b.read[at.Partition], at.Offset+1)
	key := invoiceKey{v.Seller, v.InvoiceID, v.Revision}
	if !v.Suspect || s.Canary || v.Stage != invoice.Issued || b.suspects[key] != nil {
		return
	}
	x := &suspect{key: key, at: at, decided: decided, event: eventTime(s), p: v.PError, rate: v.RecoveryRate(),
		batch: s.BatchID, named: v.IncidentID, cause: detectors.Causes - 1,
		late: slices.Contains(v.Rules, detectors.RuleTooLate),
		member: cases.Member{Seller: v.Seller, InvoiceID: v.InvoiceID, Revision: v.Revision, Customer: s.CustomerRef,
			CaseID: v.CaseID, Currency: v.Currency, Loss: v.Loss, At: at, Decision: v.Decision,
			Finding: detectors.CauseUnknown + ":" + detectors.KindNoRepair}}
	if len(v.Causes) > 0 {
		first := &v.Causes[0]
		x.cause, x.member.Finding = detectors.CauseIndex(first.Code), first.Code+":"+first.Kind
	}
	for i := range v.Causes {
		if f := &v.Causes[i]; f.Repaired != v.Billed && !f.Hint() {
			x.fits = append(x.fits, f.Code+":"+f.Kind)
		}
	}
	x.member.IssuedAt = x.event
	x.bucket = bucketOf(x.event)
	x.values = valuesOf(v.Seller, s)
	b.suspects[key] = x
	for _, value := range x.values {
		b.byValue[value] = append(b.byValue[value], x)
		b.changed[value] = true
	}
	b.fresh = append(b.fresh, x)
}

// eventTime is when an invoice was issued, or received where it claims to come from
// the future.
func eventTime(s *cases.Subject) time.Time {
	if !s.ReceivedAt.IsZero() && s.IssuedAt.Sub(s.ReceivedAt) > detectors.DefaultSettings().FutureTolerance {
		return s.ReceivedAt.UTC()
	}
	return s.IssuedAt.UTC()
}

func bucketOf(at time.Time) int64 {
	return at.Unix() / int64(detectors.BucketLength/time.Second)
}

func bucketStart(at int64) time.Time {
	return time.Unix(at*int64(detectors.BucketLength/time.Second), 0).UTC()
}

// valuesOf lists what a suspect may have in common with others.
func valuesOf(seller string, s *cases.Subject) []detectors.Value {
	var all []detectors.Value
	add := func(d detectors.Dimension, name string) {
		if name != "" {
			all = append(all, detectors.Value{Seller: seller, Dimension: d, Name: name})
		}
	}
	add(detectors.DimensionRelease, s.SourceRelease)
	add(detectors.DimensionBatch, s.BatchID)
	for _, code := range s.PromoCodes {
		add(detectors.DimensionPromotion, code)
	}
	add(detectors.DimensionOperator, s.OperatorRef)
	add(detectors.DimensionPriceList, s.PriceListVersion)
	add(detectors.DimensionCRMVersion, s.CRMVersion)
	all = append(all, detectors.Value{Seller: seller, Dimension: detectors.DimensionSource, Name: s.SourceSystem})
	if s.CustomerType != "" || s.ProductFamily != "" {
		add(detectors.DimensionSegment, detectors.SegmentValue(s.CustomerType, s.ProductFamily))
	}
	return all
}

func (b *Board) settle(seller, invoiceID string, revision int64) {
	if x := b.suspects[invoiceKey{seller, invoiceID, revision}]; x != nil {
		x.settled = true
	}
}

func (b *Board) memberOf(seller, invoiceID string, revision int64) string {
	x := b.suspects[invoiceKey{seller, invoiceID, revision}]
	if x == nil || x.joined == nil {
		return ""
	}
	return x.joined.ID
}

// forgetSuspects drops those that were decided too long ago, and the oldest of too many.
func (b *Board) forgetSuspects(now time.Time) {
	limit := now.Add(-remember)
	if len(b.suspects) > mostSuspects {
		times := make([]int64, 0, len(b.suspects))
		for _, x := range b.suspects {
			times = append(times, x.decided.UnixNano())
		}
		slices.Sort(times)
		if at := time.Unix(0, times[len(times)-mostSuspects*3/4]); at.After(limit) {
			limit = at
		}
	}
	old := false
	for key, x := range b.suspects {
		if x.decided.Before(limit) {
			delete(b.suspects, key)
			old = true
		}
	}
	if !old {
		return
	}
	for value, list := range b.byValue {
		list = slices.DeleteFunc(list, func(x *suspect) bool { return x.decided.Before(limit) })
		if b.byValue[value] = list; len(list) == 0 {
			delete(b.byValue, value)
		}
	}
}

// sortedKeys returns the keys of a map of strings in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
