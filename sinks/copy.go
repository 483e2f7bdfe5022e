package sinks

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"slices"
	"sync"
	"time"

	"recoup/pipeline"
)

// CopyOptions say what a Copy moves. Group and the topics are required; a topic
// without a name is not copied.
type CopyOptions struct {
	// Group names the copying members together: they take turns.
	Group string
	// Topics to copy from.
	Topics CopyTopics
	// Incarnation of the topics: raise it after recreating them. By default 0.
	Incarnation int64
	// FlushInterval is the shortest time between two inserts into a table, but for full
	// ones: the first row after a rest is inserted at once, those behind it together. By
	// default 1 s.
	FlushInterval time.Duration
	// FlushBytes is after how many bytes of records they are inserted at once. By
	// default 4 MiB.
	FlushBytes int
	// FenceAfter is the age of the last commit after which the group is asked
	// again whether this member still copies. By default 1.5 s.
	FenceAfter time.Duration
	// Report is told what does not work, nil when it works again; part is stable.
	// By default nobody is told.
	Report func(part string, err error)
	// Copied is told how many rows were stored in a table. By default nobody is told.
	Copied func(table string, rows int)
	// Log receives what a user should know. By default nothing is logged.
	Log *slog.Logger
}

// CopyTopics are the topics of the contract that a Copy moves.
type CopyTopics struct {
	Cases      string // case.v1 → cases
	CaseEvents string // case_event.v1 → case_events
	Recoveries string // recovery.v1 → recoveries
	Disputes   string // dispute.v1 → disputes
	DeadLetter string // dead_letter.v1 → dead_letters
}

// copied is one topic and its table.
type copied struct {
	topic, table string
	columns      []string
	read         func(value []byte, from origin) logRow
	// parts is the table of rows that a record brings along, nil for none. They are
	// stored before the row of the record, see storeParts.
	parts *copied
	// partsOf returns those rows.
	partsOf func(row logRow) []logRow
}

func (t CopyTopics) all() []copied {
	list := []copied{
		withMembers(newCopied[caseRecord](t.Cases, "cases")),
		newCopied[caseEventRecord](t.CaseEvents, "case_events"),
		newCopied[recoveryRecord](t.Recoveries, "recoveries"),
		newCopied[disputeRecord](t.Disputes, "disputes"),
		newCopied[deadLetterRecord](t.DeadLetter, "dead_letters"),
	}
	return slices.DeleteFunc(list, func(c copied) bool { return c.topic == "" })
}

func newCopied[T any, R interface {
	*T
	logRow
}](topic, table string) copied {
	return copied{topic: topic, table: table, columns: columnsOf(reflect.TypeFor[T]()), read: readLog[T, R]}
}

// withMembers lets the records of cases bring the members of their incidents.
func withMembers(c copied) copied {
	members := newCopied[memberRow](c.topic, "incident_members")
	c.parts = &members
	c.partsOf = func(row logRow) []logRow { return row.(*caseRecord).members() }
	return c
}

// Copy moves the case topics and the dead letters into their tables, each record
// once. One member of its group copies everything at a time: the one that is
// assigned a partition of the group's topic. A record that cannot be read is
// stored raw, with a parse_error.
//
// Nothing is remembered outside the tables: whoever copies ends the inserts of
// whoever did before, asks for the highest offset of each partition and goes on
// after it. This holds because an insert makes one part, whole or not at all,
// with all offsets of its partitions up to its highest, and because the server
// knows an insert before the group is asked whether it may be made: one that a
// member was paused in is among those that its successor ends.
type Copy struct {
	opt    CopyOptions
	client *client

	mu     sync.Mutex               // guards what follows
	broken map[string]bool          // parts that do not work now
	stored map[string]map[int]int64 // topic → partition → offset below which all is stored; nil while others copy
	joined bool                     // the group has answered at least once
}

// NewCopy puts a copy together. It does no I/O and uses the store's connections.
func NewCopy(s *Store, opt CopyOptions) *Copy {
	opt.FlushInterval = cmp.Or(opt.FlushInterval, time.Second)
	opt.FlushBytes = cmp.Or(opt.FlushBytes, 4<<20)
	opt.FenceAfter = cmp.Or(opt.FenceAfter, 1500*time.Millisecond)
	if opt.Report == nil {
		opt.Report = func(string, error) {}
	}
	if opt.Copied == nil {
		opt.Copied = func(string, int) {}
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Copy{opt: opt, client: s.client, broken: map[string]bool{}}
}

// Run copies until ctx ends and then leaves the group. It returns the error of
// leaving; all others are reported and retried.
func (c *Copy) Run(ctx context.Context, group pipeline.Group, log pipeline.Log) error {
	for failed := 0; ctx.Err() == nil; {
		gen, err := group.Next(ctx)
		if err != nil {
			c.retry(ctx, "copy group", err, failed)
			failed++
			continue
		}
		failed = 0
		c.report("copy group", nil)
		c.runGeneration(ctx, gen, log)
		gen.Leave()
	}
	return group.Close()
}

// WaitCaughtUp returns once all records that the topics hold now are stored, or
// at once when another member copies.
func (c *Copy) WaitCaughtUp(ctx context.Context, log pipeline.Log) error {
	for _, t := range c.opt.Topics.all() {
		partitions, err := log.Partitions(ctx, t.topic)
		if err != nil {
			return fmt.Errorf("cannot learn the partitions of %q: %w", t.topic, err)
		}
		for p := range partitions {
			_, end, err := log.Bounds(ctx, t.topic, p)
			if err != nil {
				return fmt.Errorf("cannot learn the end of %q, partition %d: %w", t.topic, p, err)
			}
			for !c.hasStored(t.topic, p, end) {
				if err := sleep(ctx, 20*time.Millisecond); err != nil {
					return fmt.Errorf("cannot wait for the copy of %q, partition %d: %w", t.topic, p, err)
				}
			}
		}
	}
	return nil
}

// hasStored reports whether all offsets below end are stored, or will be by
// another member.
func (c *Copy) hasStored(topic string, partition int, end int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stored == nil {
		return c.joined
	}
	next, known := c.stored[topic][partition]
	return known && next >= end
}

func (c *Copy) setStored(topic string, ends map[int]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stored == nil {
		return // the generation is over
	}
	if c.stored[topic] == nil {
		c.stored[topic] = map[int]int64{}
	}
	for p, end := range ends {
		c.stored[topic][p] = end
	}
}

// runGeneration copies while this member is the one assigned to.
func (c *Copy) runGeneration(ctx context.Context, gen pipeline.Generation, log pipeline.Log) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-gen.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	assigned := gen.Assigned()
	c.mu.Lock()
	c.joined, c.stored = true, nil
	if len(assigned) > 0 {
		c.stored = map[string]map[int]int64{}
	}
	c.mu.Unlock()
	if len(assigned) == 0 {
		<-ctx.Done()
		c.mu.Lock()
		c.joined = false
		c.mu.Unlock()
		return
	}
	turn := &turn{copy: c, gen: gen, assigned: assigned}
	var running sync.WaitGroup
	for _, t := range c.opt.Topics.all() {
		running.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				// Each attempt ends what the one before left running.
				session := fmt.Sprintf("%x-%d", time.Now().UnixNano(), n)
				if err := turn.copyTopic(ctx, t, session, log); err != nil {
					if errors.Is(err, pipeline.ErrFenced) {
						cancel()
						return
					}
					c.retry(ctx, "copy of "+t.topic, err, n)
				}
			}
		})
	}
	running.Wait()
	c.mu.Lock()
	c.joined, c.stored = false, nil // until the next generation says who copies
	c.mu.Unlock()
}

const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 2 * time.Second
)

// retry reports an error and waits before attempt n+2.
func (c *Copy) retry(ctx context.Context, part string, err error, n int) {
	if ctx.Err() != nil {
		return
	}
	c.report(part, err)
	_ = sleep(ctx, min(lastBackoff, firstBackoff<<min(n, 10)))
}

// report notes that a part works (nil) or does not, and logs the change: what it says
// while it goes on failing stands in the health.
func (c *Copy) report(part string, err error) {
	c.opt.Report(part, err)
	c.mu.Lock()
	was := c.broken[part]
	c.broken[part] = err != nil
	c.mu.Unlock()
	switch {
	case err == nil && was:
		c.opt.Log.Info("works again", "part", part)
	case err != nil && !was:
		c.opt.Log.Warn("not working, trying again", "part", part, "error", err)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// turn is one generation in which this member copies.
type turn struct {
	copy     *Copy
	gen      pipeline.Generation
	assigned map[int]int64
	// partsStored are the offsets from which on parts are not stored yet, by
	// partition. Only the topic whose records have parts uses it.
	partsStored map[int]int64

	mu       sync.Mutex // guards accepted; held while committing
	accepted time.Time  // when the commit was sent that the group accepted last
}

// hold makes sure that this member still copies: a paused process finds out here
// that another one has taken over.
func (t *turn) hold(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.accepted) < t.copy.opt.FenceAfter {
		return nil
	}
	offsets := map[int]int64{}
	for p, committed := range t.assigned {
		offsets[p] = max(0, committed)
	}
	asked := time.Now()
	if err := t.gen.Commit(ctx, offsets); err != nil {
		return fmt.Errorf("cannot hold on to the copy: %w", err)
	}
	t.accepted = asked
	return nil
}

// idPrefix begins the query ids of all inserts into a table by this group.
func (t *turn) idPrefix(table string) string {
	return fmt.Sprintf("recoup-copy/%s/%s/%d/", url.PathEscape(t.copy.opt.Group), table, t.copy.opt.Incarnation)
}

// token names the insert of these rows in a session: another one looks first which rows
// are there, and must not take the token of a server that died for them.
func (t *turn) token(table, session string, again int, rows []logRow) string {
	text := fmt.Appendf(nil, "%q %q %d %q %d ", t.copy.opt.Group, table, t.copy.opt.Incarnation, session, again)
	for _, row := range rows {
		o := row.place()
		text = fmt.Appendf(text, "%q %d %d ", o.SourceTopic, o.SourcePartition, o.SourceOffset)
	}
	return fmt.Sprintf("recoup-copy-%x", sha256.Sum256(text))
}
