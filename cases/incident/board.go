// Package incident finds what suspects have in common. Workers count invoices and
// suspects by release, batch, promotion and the like; a Board folds the counts of all
// partitions, tests them against what is usual, and says when one shared cause is
// worth one case instead of hundreds, when a segment errs more than ever, and when a
// source has fallen silent. It is pure: no I/O, no clock but the time it is given.
package incident

import (
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/invoice"
)

// Settings of a Board. DefaultSettings has what a company wants.
type Settings struct {
	// PageLoss is the lower-bound loss per hour from which an incident is critical, by
	// currency. By default 1,000; a currency without it never pages.
	PageLoss map[string]invoice.Amount
	// HandlingCost is what one investigation costs, by currency. By default 50; in a
	// currency without it no incident is opened for its money.
	HandlingCost map[string]invoice.Amount
	// FalseDiscovery bounds the share of chance among what a test finds. By default 0.001.
	FalseDiscovery float64
	// LeastMembers is how many suspects an incident has when it opens. By default 4.
	LeastMembers int64
	// ManyMembers is how many make it worth a case whatever the money. By default 25.
	ManyMembers int64
	// ResolveAfter is how long no member came before an incident ends. By default 30 minutes.
	ResolveAfter time.Duration
	// SilentAfter is the shortest silence of a source that is a blindness. By default 5 minutes.
	SilentAfter time.Duration
	// CanaryEvery is how often a canary is expected of a source that had one. By default
	// 0: a canary that does not come is not missed, one that comes and is not found is.
	CanaryEvery time.Duration
	// MostBytes bounds the memory of the counts, about. Values that were billed longest ago
	// are forgotten first: a trouble that they have in common is seen from the next invoice
	// on, with less to compare it with. By default 256 MiB.
	MostBytes int64
}

// Change is something that the case stage has to publish. Exactly one of Incident,
// Rate and Blind is set.
type Change struct {
	Action   cases.Action    // open (also when it comes back), update or resolve
	Severity cases.Severity  // as of now
	Incident *cases.Incident // a copy
	Joined   []cases.Member  // members new since the last Change of the incident
	Rate     *Rate           // a segment with too many suspects
	Blind    *Blind          // a source that recoup does not see
	Why      string          // for people: what opened or resolved it, an English sentence
}

// Rate is a segment whose share of suspects has more than doubled.
type Rate struct {
	Key, ID   string              // dedup key and case id
	Seller    string              // who billed
	Segment   string              // "customer_type/product_family"
	Direction detectors.Direction // of the suspects counted
	Since     time.Time           // begin of the quarter of an hour that showed it first
	Invoices  int64               // in the last 15 minutes of event time
	Suspects  int64               // of these, without members of incidents
	Lower     float64             // lower 95 % Wilson bound of their share
	Usual     float64             // the share of 28 days
}

// BlindReason says what a Blind is about.
type BlindReason string

// The reasons, most urgent first.
const (
	BlindLag    BlindReason = "lag"    // the invoices wait: recoup reads them too late, later and later, or not at all
	BlindCanary BlindReason = "canary" // recoup's own wrong invoices were not found, or did not come
	BlindSilent BlindReason = "silent" // the source sends nothing
)

// Blind is a source that recoup does not see. A lag concerns all sources: Source is "".
type Blind struct {
	Key, ID string        // dedup key and case id
	Seller  string        // who bills by it
	Source  string        // source_system
	Reason  BlindReason   // most urgent one
	Since   time.Time     // last sign of life
	Usual   time.Duration // longest silence that is usual at this hour; 0 but for BlindSilent
	Lag     int64         // records that wait; 0 but for BlindLag
}

// Board holds the counts of all partitions, the suspects of the last hours, and what
// is open. Not safe for concurrent use. The zero value is not usable: New.
//
// The case stage gives it every record of recoup.baselines whose key begins with
// detectors.CountPrefix (Count), every suspect of the decision log (Suspect), holds
// (Hold), and the time (Tick), which answers with what to publish. After a take-over
// it gives back what recoup.cases holds (Restore, RestoreOver) first, then counts and
// suspects from a margin before Incident.Counted on; Tick only when all is read.
type Board struct {
	settings Settings
	boardState
}

// DefaultSettings returns every setting with its default.
func DefaultSettings() Settings {
	return Settings{
		PageLoss:       everywhere(1000 * invoice.Unit),
		HandlingCost:   everywhere(50 * invoice.Unit),
		FalseDiscovery: 0.001, LeastMembers: 4, ManyMembers: 25,
		ResolveAfter: 30 * time.Minute, SilentAfter: 5 * time.Minute, MostBytes: 256 << 20,
	}
}

// everywhere is an amount in each currency that has settings by default.
func everywhere(a invoice.Amount) map[string]invoice.Amount {
	return map[string]invoice.Amount{"EUR": a, "USD": a, "GBP": a, "CHF": a}
}

// New returns a Board that knows nothing.
func New(s Settings) *Board { return &Board{settings: s, boardState: newState()} }

// Count folds what a source partition counted: key (without "|p<partition>") and
// value (without its stamp) of a record of recoup.baselines; nil forgets. The newest
// record of a key and partition must come last. An error names a record that cannot
// be read; it is passed over.
func (b *Board) Count(key, value []byte, partition int) error {
	return b.count(key, value, partition)
}

// Forgotten returns how many values were forgotten to keep to Settings.MostBytes since
// it was asked last.
func (b *Board) Forgotten() (n uint64) {
	n, b.forgotten = b.forgotten, 0
	return n
}

// Crowded tells, once, that counts take more than Settings.MostBytes wants, as too many
// may not be forgotten.
func (b *Board) Crowded() bool {
	first := b.crowded && !b.told
	b.told = b.told || first
	return first
}

// Suspect takes a suspect verdict of the decision log, which stands at the given
// partition and offset, with the subject and the moment of its decision. A position
// that an incident has counted before changes nothing of that incident; drafts and
// canaries are passed over.
func (b *Board) Suspect(at invoice.Position, v *detectors.Verdict, s *cases.Subject, decided time.Time) {
	b.suspect(at, v, s, decided)
}

// Settle takes an invoice out of what is tested: its case was decided to be no error,
// or an expected change. Members of open incidents stay.
func (b *Board) Settle(seller, invoiceID string, revision int64) {
	b.settle(seller, invoiceID, revision)
}

// Hold notes that a person holds a batch, or has released it.
func (b *Board) Hold(seller, batch string, held bool) { b.hold(seller, batch, held) }

// Restore takes back an incident that is open according to recoup.cases.
func (b *Board) Restore(i *cases.Incident) { b.restore(i) }

// RestoreOver takes back an incident that was resolved at some time: its members are
// none that an incident opens for. All that are known may be given; those of long ago
// are forgotten by the first Tick.
func (b *Board) RestoreOver(i *cases.Incident, resolved time.Time) { b.restoreOver(i, resolved) }

// RestoreRate and RestoreBlind take back what else is open.
func (b *Board) RestoreRate(r *Rate) { b.rates[r.Key] = &openRate{Rate: *r} }

// RestoreBlind takes back a blindness that is open.
func (b *Board) RestoreBlind(l *Blind) { b.blinds[l.Key] = &openBlind{Blind: *l} }

// Incidents returns copies of the open incidents, in the order of their keys.
func (b *Board) Incidents() []*cases.Incident { return b.list() }

// Incident returns the id of the open incident that a suspect is a member of, "" for none:
// what the stage writes into the case of a member that has one.
func (b *Board) Incident(seller, invoiceID string, revision int64) string {
	return b.memberOf(seller, invoiceID, revision)
}

// Tick tests what has changed and returns what has to be published now: incidents
// first, then rates, then blindness, each in the order of their keys. The same inputs
// before a Tick, in any order, give the same changes.
func (b *Board) Tick(now time.Time) []Change { return b.tick(now) }
