package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"recoup/bench/auditor"
	"recoup/bench/cluster"
	"recoup/bench/load"
	"recoup/internal/config"
)

const (
	// session is the shortest that Kafka's brokers accept.
	session = 6 * time.Second
	// checkpoints come that often at most. They wait until there are five invoices for each
	// of their records: so there are few customers.
	checkpoints, customers = config.Duration(time.Second), 120
	// rate is records a second: enough for every insert and commit to carry some, little
	// enough for two cores that also run all servers.
	rate = 250
	// patience bounds whatever has to happen by itself: on a busy machine it takes longer.
	patience = 10 * time.Minute
	// clientPrefix begins the name by which the broker knows a member.
	clientPrefix = "chaos-"
	// largestRecord is taken by the topics and refused by the decoder.
	largestRecord = 24 << 20
)

// play is one scene under way: an installation of its own, and what is done to it.
type play struct {
	*cluster.Cluster
	site   *site
	scene  scene
	rng    *rand.Rand // draws what happens; nothing else may use it
	ledger *auditor.Ledger
	calmed chan struct{} // closed when the faults are over
	want   int           // how many members there should be
	build  string        // of members that join, "" for this source's

	mu      sync.Mutex // guards what follows
	members []*member
	events  []event
	resumed sync.WaitGroup // of paused members
}

// member is a process of the scene.
type member struct {
	*cluster.Member
	client string
	gone   bool          // it was killed or told to leave
	awake  chan struct{} // closed when it goes on, nil while it is not paused
}

// event is one fault that was injected.
type event struct {
	fault string
	at    time.Time
	class class
}

// result is what came of a scene.
type result struct {
	scene   string
	records int64
	traffic []int // how often each kind came
	events  []event
	report  auditor.Report
	// swept is how many offsets held rows twice before the owners had looked for them,
	// which is no difference: a row that a woken member stores late is removed.
	swept string
	// ended are members that ended and should not have.
	ended []string
	// skipped says what could not be injected, and why. A scene that is sampled may lack some:
	// they stand in others.
	skipped []string
	sampled bool
}

func newPlay(s *site, sc scene, rng *rand.Rand) *play {
	return &play{site: s, scene: sc, rng: rng, ledger: auditor.NewLedger(), calmed: make(chan struct{}),
		want: sc.members}
}

// run installs, injects faults for some time, waits for calm and audits.
func (p *play) run(ctx context.Context, dir string, faults time.Duration) (*result, error) {
	if err := p.install(ctx, dir); err != nil {
		return nil, err
	}
	defer func() {
		p.site.calm()
		p.Close()
		p.site.warehouse.close()
	}()
	if err := p.refill(); err != nil {
		return nil, err
	}
	watch, stop, err := p.watch(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	sent := p.send(ctx)
	p.NoteCalm(ctx)
	r := &result{scene: p.scene.name, sampled: p.scene.sampled}
	if err := p.inject(ctx, faults, r); err != nil {
		return nil, err
	}
	say("  calm; waiting for all to be sent and stored")
	if err := p.quiet(ctx); err != nil {
		return nil, err
	}
	close(p.calmed)
	select {
	case err := <-sent:
		if err != nil {
			return nil, err
		}
	case <-time.After(patience):
		return nil, errors.New("cannot send all invoices: the broker takes none")
	}
	err = p.finish(ctx, r, watch)
	return r, err
}

// install makes topics and tables of this scene's own.
func (p *play) install(ctx context.Context, dir string) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	address, err := p.site.warehouse.open("")
	if err != nil {
		return err
	}
	p.Cluster, err = cluster.Install(ctx, cluster.Options{Dir: dir, Binary: p.site.binary, Broker: p.site.kafka.Addr(),
		ClickHouse: address, Partitions: p.scene.partitions, Name: p.scene.name, Adjust: func(c *config.Config) {
			c.Models.Train = false // which model judges would depend on when it was ready
			c.Kafka.SessionTimeout = config.Duration(session)
			c.Pipeline.CheckpointInterval = checkpoints
			c.Pipeline.FlushRows = 500
			c.Pipeline.Limits.RecordBytes = largestRecord
			if p.site.disk != "" {
				c.ClickHouse.MinFreeDisk = 64 << 20 // a gibibyte is more than a small disk has
			}
		}})
	return err
}

// watch begins to look, past all proxies, whether rows stand below what is committed, and
// returns what ends that.
func (p *play) watch(ctx context.Context) (w *auditor.Watch, stop func(), err error) {
	w, err = auditor.NewWatch(p.Config, p.Kafka, p.ledger, p.site.server.NativeAddr)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.Run(ctx)
	}()
	return w, func() {
		cancel()
		<-ended
		w.Close()
	}, nil
}

// send begins to send, until the faults are over.
func (p *play) send(ctx context.Context) <-chan error {
	plan := load.Plan{Partitions: p.scene.partitions, Segments: 3, Customers: customers, Seed: p.rng.Uint64(),
		Invoices: math.MaxInt, Separated: true, Injected: 0.04, Redelivered: 0.05, Late: 0.02, LateBy: 40 * 24 * time.Hour,
		Skewed: 0.02, Garbage: 0.01, LargestGarbage: 20_000_000}
	sent := make(chan error, 1)
	go func() {
		sent <- load.Send(ctx, p.Kafka.Log(), load.New(plan), load.Sending{Topic: p.Config.Kafka.Topics.Invoices,
			Rate: rate, Patience: patience, Sent: p.ledger.Add, Until: p.calmed})
	}()
	return sent
}

// join starts a member of the build that joins now.
func (p *play) join(extra ...string) (*member, error) {
	client := fmt.Sprintf("%s%s-%d", clientPrefix, p.scene.name, len(p.members)+1)
	address, err := p.site.warehouse.open(client)
	if err != nil {
		return nil, err
	}
	extra = append([]string{"RECOUP_KAFKA_CLIENT_ID=" + client, "RECOUP_CLICKHOUSE_ADDRESSES=" + address}, extra...)
	joined, err := p.JoinAs(cmp.Or(p.build, p.site.binary), extra...)
	if err != nil {
		return nil, err
	}
	m := &member{Member: joined, client: client}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members = append(p.members, m)
	return m, nil
}

// at work are the members that run and are not paused.
func (p *play) atWork() (found []*member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.members {
		if !m.gone && m.awake == nil && m.Running() {
			found = append(found, m)
		}
	}
	return found
}

// note writes down that a fault was injected, now.
func (p *play) note(fault string, c class) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, event{fault, time.Now(), c})
}

// kill ends a member at once.
func (p *play) kill(m *member, fault string) {
	p.mu.Lock()
	m.gone = true
	p.mu.Unlock()
	m.Kill()
	p.note(fault, killed)
}

// pause stops a member where it stands and lets it go on after some time.
func (p *play) pause(m *member, length time.Duration, fault string) error {
	if err := m.Pause(); err != nil {
		return err
	}
	awake := make(chan struct{})
	p.mu.Lock()
	m.awake = awake
	p.mu.Unlock()
	p.note(fault, paused)
	p.resumed.Go(func() {
		time.Sleep(length)
		if m.Running() {
			_ = m.Continue()
		}
		p.mu.Lock()
		m.awake = nil
		p.mu.Unlock()
		close(awake)
	})
	return nil
}

// awake returns what is closed when a member goes on, of one that is not paused at once.
func (p *play) awake(m *member) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.awake != nil {
		return m.awake
	}
	closed := make(chan struct{})
	close(closed)
	return closed
}

// refill lets members join until as many are there, paused or not, as should be.
func (p *play) refill() error {
	p.mu.Lock()
	n := 0
	for _, m := range p.members {
		if !m.gone {
			n++
		}
	}
	p.mu.Unlock()
	for ; n < p.want; n++ {
		if _, err := p.join(); err != nil {
			return err
		}
	}
	return nil
}

// begun waits until the members have committed something of each partition.
func (p *play) begun(ctx context.Context) error {
	for began := time.Now(); time.Since(began) < patience; {
		offsets, err := p.Kafka.CommittedOffsets(ctx, p.Config.Kafka.Group, p.Config.Kafka.Topics.Invoices)
		some := 0
		for _, offset := range offsets {
			if offset > 0 {
				some++
			}
		}
		if err == nil && some == p.scene.partitions {
			return nil
		}
		if err := pass(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.Join(append([]error{errors.New("cannot begin: nobody commits")}, p.Ended()...)...)
}

// flow waits until each partition has gone on, or for a while: of a group that is disturbed
// over and over nobody learns how long it takes.
func (p *play) flow(ctx context.Context) error {
	const longest = time.Minute
	var from map[int]int64
	for began := time.Now(); time.Since(began) < longest; {
		offsets, err := p.Kafka.CommittedOffsets(ctx, p.Config.Kafka.Group, p.Config.Kafka.Topics.Invoices)
		if err == nil && from == nil {
			from = offsets
		}
		on := 0
		for partition, offset := range offsets {
			if offset > from[partition] {
				on++
			}
		}
		if err == nil && on == p.scene.partitions {
			return nil
		}
		if err := pass(ctx, 250*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// quiet ends all faults: the servers run, nobody is paused, all members are there.
func (p *play) quiet(ctx context.Context) error {
	p.site.calm()
	p.resumed.Wait()
	if err := p.refill(); err != nil {
		return err
	}
	return ctx.Err()
}

// finish drains, settles and audits.
func (p *play) finish(ctx context.Context, r *result, watch *auditor.Watch) error {
	draining, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := p.Drain(draining, nil); err != nil {
		return err
	}
	for _, m := range p.members {
		if !m.gone && !m.Running() {
			r.ended = append(r.ended, fmt.Sprintf("%s: %v", m.Name, m.Ended()))
		}
	}
	p.MeasureGrowth(ctx)
	if err := p.sweep(ctx, r); err != nil {
		return err
	}
	if err := p.Settle(draining); err != nil {
		return err
	}
	in := auditor.Input{Config: p.Config, Kafka: p.Kafka, Ledger: p.ledger, Exact: true, Patience: time.Minute,
		Watch: watch}
	for _, m := range p.members {
		in.Members = append(in.Members, m.Usage())
	}
	var err error
	r.report, err = auditor.Run(ctx, in)
	p.mu.Lock()
	r.events, r.records, r.traffic = p.events, p.ledger.Records(), counted(p.ledger)
	p.mu.Unlock()
	if err == nil && !r.report.OK() {
		r.report.Print(os.Stderr)
	}
	return err
}

// sweep waits until owners have looked for rows that a woken member stored late, if there
// are any.
func (p *play) sweep(ctx context.Context, r *result) (err error) {
	const doubled = "(SELECT count() - uniqExact(source_partition, source_offset%s) FROM %s.%s)"
	db := p.Config.ClickHouse.Database
	r.swept, err = p.site.ask(ctx, "SELECT "+fmt.Sprintf(doubled, "", db, "scored_invoices")+" + "+
		fmt.Sprintf(doubled, ", line_index", db, "invoice_lines"))
	if err != nil || r.swept == "0" {
		return err
	}
	say("  %s rows stand twice; waiting until their owners look", r.swept)
	return p.AwaitSweep(ctx)
}

// pass waits.
func pass(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
