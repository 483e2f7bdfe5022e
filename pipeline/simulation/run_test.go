package simulation_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"recoup/pipeline"
	"recoup/sinks/memstore"
)

// run is one seed on its way.
type run struct {
	*world
	seed  uint64
	plan  plan
	want  *outcome
	began time.Time
	trace func(step) // told of each step

	mu        sync.Mutex // guards what follows
	wrong     []string   // promises broken on the way
	checked   map[int]int64
	inserting map[at]*process  // who is to pause while its insert is under way, by partition and epoch
	stored    map[at]time.Time // when a row was stored first, by partition and offset
	zombies   bool             // the group has given up a process that was not dead
}

// step is something that happens. Its text is made when somebody reads it.
type step struct {
	at     time.Duration // since the run began
	format string
	args   []any // nobody changes them
}

func (s step) String() string { return fmt.Sprintf("%12v ", s.at) + fmt.Sprintf(s.format, s.args...) }

// simulate runs a seed and returns what differs from the run without faults.
func simulate(seed uint64, pl plan, want *outcome, trace func(step)) []string {
	s := &run{world: newWorld(newInput(pl.variant), pl.pace), seed: seed, plan: pl, want: want, began: time.Now(),
		trace: trace, checked: map[int]int64{}, inserting: map[at]*process{}, stored: map[at]time.Time{}}
	s.store.SetFaults(memstore.Faults{Before: s.underWay, Between: s.underWay})
	var all sync.WaitGroup
	all.Go(s.feed)
	for i, seat := range pl.seats {
		all.Go(func() { s.sit(i, seat) })
	}
	if pl.last > 0 {
		time.Sleep(pl.last)
		end := s.stay()
		all.Wait()
		s.calm()
		end()
	} else {
		all.Wait()
		s.calm()
	}
	if err := s.settle("last"); err != nil {
		s.refuses(err)
		return s.wrong // what is left is not all
	}
	if s.hadZombies() && s.doubled() {
		s.note("a member looks for rows that stand twice")
		s.linger(pl.pace.sweep + 3*time.Second)
	}
	s.compact()
	return append(s.wrong, s.outcome().differences(want)...)
}

// calm waits until all has come and who was given up has heard of it.
func (s *run) calm() {
	time.Sleep(time.Until(s.began.Add(lastWord)))
	s.plan.away = [2]time.Duration{}
	s.note("all faults are over")
	time.Sleep(2 * time.Second)
}

// stay runs a member without faults beside the others, until it is told to leave. Then the
// compacted topics are compacted: what others wrote late must not stand last by then.
func (s *run) stay() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	m := pipeline.NewMember(s.options("staying", false), s.log, s.log.Group(group, topics.Invoices), s.store)
	s.note("a member without faults starts")
	go func() {
		defer close(over)
		s.refuses(m.Run(ctx))
	}()
	return func() { cancel(); <-over; s.compact() }
}

// refuses notes that a member without faults does not go on, if it says why.
func (s *run) refuses(why error) {
	if why != nil {
		s.find("a member without faults does not go on: %v", why)
	}
}

// doubled reports whether a row or a line stands twice.
func (s *run) doubled() bool {
	o := &outcome{rows: map[at]memstore.Row{}, lines: map[[3]int64]memstore.Line{}}
	o.readRows(s.store)
	return len(o.wrong) > 0
}

// feed sends the invoices and what people say, and compacts, each when it is due.
func (s *run) feed() {
	for i, due := range s.plan.pieces {
		time.AfterFunc(due, func() {
			for p, records := range s.in.partitions {
				n := len(s.plan.pieces)
				s.send(p, len(records)*i/n, len(records)*(i+1)/n)
			}
		})
	}
	for i, due := range s.plan.talks {
		time.AfterFunc(due, func() {
			n := len(s.plan.talks)
			s.say(len(s.in.people)*i/n, len(s.in.people)*(i+1)/n)
		})
	}
}

// compact does to the compacted topics what Kafka does now and then.
func (s *run) compact() {
	s.note("topics are compacted")
	for p := range s.in.partitions {
		must(s.log.Compact(topics.State, p, true))
		must(s.log.Compact(topics.Baselines, p, true))
	}
	must(s.log.Compact(topics.Cases, 0, true))
}

// sit runs the processes of a seat one after another.
func (s *run) sit(number int, seat []life) {
	for i, l := range seat {
		time.Sleep(l.rest)
		ctx, cancel := context.WithCancel(context.Background())
		p := s.newProcess(fmt.Sprintf("%c%d", 'a'+number, i), l.fate)
		p.kill = cancel
		time.AfterFunc(l.leave, func() { p.leaves(); cancel() })
		opt := s.options(p.name, false)
		if s.in.people != nil {
			opt.Stage.Group = func() pipeline.Group { return p.join(stageGroup, leadTopic) }
		}
		m := pipeline.NewMember(opt, p, p.join(group, topics.Invoices), storeView{p, s.store})
		s.note("%s starts", p.name)
		err := m.Run(ctx)
		s.note("%s has ended: %v", p.name, err)
		cancel()
	}
}

// linger runs a member without faults for a while.
func (s *run) linger(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	p := s.newProcess("lingering", fate{})
	p.kill = cancel
	m := pipeline.NewMember(s.options("lingering", false), p, p.join(group, topics.Invoices), storeView{p, s.store})
	s.refuses(m.Run(ctx))
}

// note tells whoever replays a seed what happens.
func (s *run) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trace(step{time.Since(s.began), format, args})
}

func (s *run) find(format string, args ...any) {
	s.note("WRONG: "+format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, fmt.Sprintf("after %v: ", time.Since(s.began))+fmt.Sprintf(format, args...))
}

// away reports whether the store does not answer now.
func (s *run) away() bool {
	now := time.Since(s.began)
	return now >= s.plan.away[0] && now < s.plan.away[1]
}

func (s *run) setInserting(owner pipeline.Owner, p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inserting[at{int64(owner.Partition), owner.Epoch}] = p
}

// underWay is what happens while the store works on an insert.
func (s *run) underWay(owner pipeline.Owner, _ int64) error {
	key := at{int64(owner.Partition), owner.Epoch}
	s.mu.Lock()
	p := s.inserting[key]
	delete(s.inserting, key)
	s.mu.Unlock()
	if p != nil {
		p.stop()
		time.Sleep(p.fate.pause)
	}
	return nil
}

// checkInsert: who is assigned a partition, and not given up since, stores no row that
// another had stored before that. Its own insert it may repeat: the store knows it.
func (s *run) checkInsert(p *process, owner pipeline.Owner, block pipeline.Block) {
	gone, _ := p.since(group)
	p.mu.Lock()
	assigned := p.assigned
	p.mu.Unlock()
	there, own := map[int64]bool{}, map[int64]bool{}
	s.store.EachRow(func(r *memstore.Row) {
		switch {
		case r.Verdict.Source.Partition != owner.Partition:
		case r.Epoch == owner.Epoch:
			own[r.Verdict.Source.Offset] = true
		default:
			there[r.Verdict.Source.Offset] = true
		}
	})
	s.mu.Lock()
	var again []int64
	for offset := range block.Suspects() {
		was, is := s.stored[at{int64(owner.Partition), offset}]
		if is && gone == 0 && there[offset] && !own[offset] && was.Before(assigned) {
			again = append(again, offset)
		}
	}
	s.mu.Unlock()
	if len(again) > 0 {
		s.find("%s stores %v of partition %d again, which stood before it was assigned", p.name, again, owner.Partition)
	}
}

// noteStored notes when rows were stored first, but for those of a process that the group
// has given up: behind a skip-set they stand twice until they are swept.
func (s *run) noteStored(p *process, owner pipeline.Owner, block pipeline.Block) {
	if gone, _ := p.since(group); gone > 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for offset := range block.Suspects() {
		key := at{int64(owner.Partition), offset}
		if _, was := s.stored[key]; !was {
			s.stored[key] = time.Now()
		}
	}
}

// checkSwept: rows stand twice only when a process that was given up stored some.
func (s *run) checkSwept(partition, n int) {
	if n > 0 && !s.hadZombies() {
		s.find("%d rows of partition %d stood twice though nobody was given up", n, partition)
	}
}

func (s *run) hadZombies() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.zombies
}

// checkFenced: a process that the group has given up makes no effect for longer than
// its last proof may be trusted, but those that a pause held up behind the fence.
func (s *run) checkFenced(p *process, consumer, what string) {
	if consumer == "-" {
		return
	}
	if gone, resumed := p.since(consumer); gone > fenceAfter+2*p.fate.slow && !resumed {
		s.find("%s made an effect %v after the group had given it up: %s", p.name, gone, what)
	}
}

// checkAppend, G4: no case is published before its decision is logged.
func (s *run) checkAppend(p *process, topic string, records []pipeline.Record) {
	if topic != topics.Cases || s.in.people != nil {
		return // the stage writes cases too
	}
	for _, r := range records {
		logged := false
		for partition := range s.in.partitions {
			logged = logged || s.holds(topics.Suspects, partition, r.Value)
		}
		if !logged {
			s.find("%s published a case before its decision: %s", p.name, r.Value)
		}
	}
}

// checkCommitted, G3: no offset is committed before its decision, its case, its dead
// letter and its row are there.
func (s *run) checkCommitted(p *process, offsets map[int]int64) {
	for partition, end := range offsets {
		s.mu.Lock()
		from := s.checked[partition]
		s.checked[partition] = max(from, end)
		s.mu.Unlock()
		if end <= from {
			continue
		}
		rows := map[int64]bool{}
		s.store.EachRow(func(r *memstore.Row) {
			if r.Verdict.Source.Partition == partition {
				rows[r.Verdict.Source.Offset] = true
			}
		})
		for offset := from; offset < end; offset++ {
			key := at{int64(partition), offset}
			row, has := s.want.rows[key]
			if has && !rows[offset] {
				s.find("%s committed %d of partition %d without the row of %d", p.name, end, partition, offset)
			}
			logged := fmt.Appendf(nil, `"offset":%d}`, offset)
			if d := s.want.decisions[key]; d != nil && !s.holds(topics.Suspects, partition, logged) {
				s.find("%s committed %d of partition %d without the decision of %d", p.name, end, partition, offset)
			} else if d != nil && d.Case != nil && !s.holds(topics.Cases, 0, []byte(row.Verdict.CaseID)) {
				s.find("%s committed %d of partition %d without the case of %d", p.name, end, partition, offset)
			}
		}
	}
}

// holds tells whether a record of a partition has these bytes in it.
func (s *run) holds(topic string, partition int, what []byte) (is bool) {
	s.log.Each(topic, partition, func(r *pipeline.Record) { is = is || bytes.Contains(r.Value, what) })
	return is
}
