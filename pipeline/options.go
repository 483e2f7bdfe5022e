package pipeline

import (
	"errors"
	"log/slog"
	"time"

	"recoup/cases"
	"recoup/cases/desk"
	"recoup/detectors"
	"recoup/detectors/reference"
	"recoup/invoice"
)

// errRefused marks a state of the world that waiting does not mend: a person
// has to act, and the message says how.
var errRefused = errors.New("refused")

// Topics names the topics a member works with.
type Topics struct {
	Invoices   string // read: billing.invoices
	Suspects   string // the decision log, as many partitions as Invoices
	State      string // partition-local state, as many partitions as Invoices
	Baselines  string // shared state, as many partitions as Invoices
	Cases      string // case-opening topic
	CaseEvents string // read: what people decide of cases; "": nobody does
	Recoveries string // read: what was paid back; "": nothing is
	Disputes   string // read: what customers dispute; "": nobody does
	DeadLetter string // records that cannot be read
	Reference  string // read: billing.reference; "": not read
	Deliveries string // read: billing.deliveries; "": not read
	Models     string // trained models: recoup.models; "": the prior judges
}

// Options configures a Member. Zero durations and sizes are not allowed: take
// DefaultOptions and change what differs.
type Options struct {
	Group  string // consumer group; part of every query id and dedup token
	Member string // names this process in ownership records, unique per start
	Topics Topics // names of all topics; only Cases, what recoup writes of its own and Invoices may not be empty

	Scoring detectors.Settings // shared by all partitions
	Budget  detectors.Budget   // of what is remembered, over all partitions
	Limits  invoice.Limits     // of the decoder; zero fields take its defaults
	Cases   cases.Opener       // builds the cases

	FlushRows          int           // rows after which a block is stored at once
	FlushBytes         int64         // bytes of rows and lines after which it is, too, or fewer where partitions are many
	FlushInterval      time.Duration // age after which a block is stored when the store is idle
	RowBuffer          int64         // bytes of rows not stored yet, over all partitions
	CheckpointInterval time.Duration // shortest time between two checkpoints of a partition
	FenceAfter         time.Duration // age of the last accepted commit before an effect asks again
	DrainTimeout       time.Duration // longest time the workers of a member that stops take to store what they hold
	LeaveTimeout       time.Duration // how long one that stops scores on while others prepare; 0: not
	FetchTimeout       time.Duration // after which a fetch that hangs has failed; longer than the log's own limit

	// SweepAfter is how long after its take-over an owner looks for rows that a
	// paused predecessor stored a second time.
	SweepAfter time.Duration

	// ParkingGroup returns the group in which members share the parking of what cannot
	// be read in a topic that they follow without one: references, and what people and
	// customers say of cases. By default nil: nobody parks it.
	ParkingGroup func(topic string) Group
	// ReferenceRetention is how long deliveries and superseded references are kept
	// after their receipt.
	ReferenceRetention time.Duration

	// PinModel is PinPrior or a version to judge by, whatever comes later; a seller
	// that the version is not of is judged by the prior. By default "": the newest.
	PinModel string
	// Training says from what models are trained, and who does it.
	Training Training
	// Stage says who works what comes of cases, and how.
	Stage Stage
	// Standby says when what another member may leave behind is prepared.
	Standby Standby

	// UntilCaughtUp ends Run once every partition assigned to this member is
	// stored and committed up to the end the log had when Run began; or with an error,
	// once one is refused for a reason that only a person can mend.
	UntilCaughtUp bool

	Now     func() time.Time             // clock of detection times and timers
	Log     *slog.Logger                 // one line per batch at debug, none per record
	Metrics *Metrics                     // counted into, never nil
	Report  func(part string, err error) // told when a part of the world breaks (err) and when it works again (nil)
	Observe func(v *detectors.Verdict)   // sees every new verdict; concurrent, must be quick, must not keep v
}

// DefaultOptions returns the defaults: what a member in a company's cluster wants.
func DefaultOptions() Options {
	return Options{
		Group: "recoup",
		Topics: Topics{Invoices: "billing.invoices", Suspects: "recoup.suspects", State: "recoup.state",
			Baselines: "recoup.baselines", Cases: "recoup.cases", DeadLetter: "recoup.dead-letter"},
		ReferenceRetention: reference.DefaultRetention,
		Training:           Training{Records: 60_000, History: 35 * 24 * time.Hour, Every: time.Minute, Rest: 20},
		Stage:              Stage{Every: time.Second, Margin: desk.CorrectionsWait, Desk: desk.DefaultSettings()},
		Standby:            Standby{Every: 250 * time.Millisecond, Silent: 3 * time.Second, Keep: 40 * time.Second},
		Scoring:            detectors.DefaultSettings(),
		Budget:             detectors.DefaultBudget(),
		FlushRows:          20_000,
		FlushBytes:         32 << 20,
		FlushInterval:      time.Second,
		RowBuffer:          512 << 20,
		CheckpointInterval: 30 * time.Second,
		FenceAfter:         1500 * time.Millisecond,
		DrainTimeout:       500 * time.Millisecond,
		LeaveTimeout:       5 * time.Second,
		FetchTimeout:       15 * time.Second,
		SweepAfter:         time.Minute,
		Now:                time.Now,
		Log:                slog.Default(),
		Report:             func(string, error) {},
		Observe:            func(*detectors.Verdict) {},
	}
}
