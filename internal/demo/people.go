package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"recoup/cases"
	"recoup/detectors"
	"recoup/internal/config"
	"recoup/internal/demo/data"
	"recoup/internal/story"
	"recoup/invoice"
	"recoup/pipeline"
)

// The story of the demo: an audit of 3,600 invoices needs a higher rate than one of
// a million to say anything.
const (
	storySeed  = 2011
	auditRate  = 0.05
	peopleTick = 50 * time.Millisecond // how often people look at what was scored
)

// people are the team and the customers beside the replay: they read the cases as a
// case system does, and write what they do to the topics that recoup reads.
type people struct {
	log    pipeline.Log
	topics *config.Topics
	story  *story.Story // used by run alone
	unruly bool         // everything is sent twice, in disorder
	known  map[string]*sample
	// currency is that of all bundled invoices.
	currency string

	mu     sync.Mutex      // guards scored
	scored []story.Invoice // verdicts people have not seen yet

	heard   chan []byte  // records of recoup.cases
	read    []int64      // by partition of the cases: offset after the last record heard; guarded by mu
	waiting atomic.Int64 // records heard and invoices scored that were not dealt with yet
	// listened are the records of recoup.cases so far, sent those of the people by topic.
	listened atomic.Int64
	sent     [3]atomic.Int64
	figures  atomic.Pointer[story.Figures]
}

// newPeople returns people who know the truth about the samples.
func newPeople(cfg *config.Config, all []sample, labels map[string]data.Label) *people {
	p := &people{topics: &cfg.Kafka.Topics, known: make(map[string]*sample, len(all)), heard: make(chan []byte)}
	for i := range all {
		p.known[all[i].id], p.currency = &all[i], all[i].currency
	}
	p.story = story.New(story.Options{
		Seed: storySeed, AuditRate: auditRate, Hurried: true,
		Truth: func(id string) story.Truth {
			label, wrong := labels[id]
			if !wrong {
				return story.Truth{}
			}
			return story.Truth{Cause: label.Cause, Due: label.TrueGross, Loss: label.Loss}
		},
	})
	return p
}

// observe notes a verdict for the people; it keeps nothing of it.
func (p *people) observe(v *detectors.Verdict) {
	s := p.known[v.InvoiceID]
	if s == nil {
		return
	}
	seen := story.Invoice{
		Seller: data.Seller, ID: s.id, Customer: s.customer, Currency: s.currency, IssuedAt: s.issuedAt,
		ScoredAt: time.Now(), Billed: v.Billed, Suspect: v.Suspect, PError: v.PError, CountsIn: s.isInvoice,
		Loss: v.Loss.Point, IncidentID: strings.Clone(v.IncidentID), Level: string(v.Level),
	}
	for _, rule := range v.Rules {
		seen.Rules = append(seen.Rules, strings.Clone(rule))
	}
	if len(v.Causes) > 0 {
		seen.Cause = strings.Clone(v.Causes[0].Code)
	}
	p.waiting.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scored = append(p.scored, seen)
}

// run lets the people act until ctx ends.
func (p *people) run(ctx context.Context, log pipeline.Log) error {
	p.log = log
	partitions, err := p.log.Partitions(ctx, p.topics.Cases)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.read = make([]int64, partitions)
	p.mu.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var readers sync.WaitGroup
	defer readers.Wait()
	for partition := range partitions {
		readers.Go(func() {
			if err := p.listen(ctx, partition); err != nil {
				cancel(err)
			}
		})
	}
	ticker := time.NewTicker(peopleTick)
	defer ticker.Stop()
	for {
		var messages []story.Message
		done := 0
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case value := <-p.heard:
			var c cases.Case
			if err := json.Unmarshal(value, &c); err != nil {
				return fmt.Errorf("cannot read a case: %w", err)
			}
			messages, done = p.story.Case(&c), 1
		case <-ticker.C:
			for _, inv := range p.takeScored() {
				messages = append(messages, p.story.Invoice(inv)...)
				done++
			}
		}
		if err := p.send(ctx, messages); err != nil {
			return err
		}
		if done > 0 {
			p.showFigures()
		}
		p.waiting.Add(int64(-done))
	}
}

// showFigures makes the figures so far visible to the page.
func (p *people) showFigures() {
	figures := p.story.Ledger().Figures(p.currency)
	p.figures.Store(&figures)
}

func (p *people) takeScored() []story.Invoice {
	p.mu.Lock()
	defer p.mu.Unlock()
	scored := p.scored
	p.scored = nil
	return scored
}

// listen reads one partition of the cases from its start.
func (p *people) listen(ctx context.Context, partition int) error {
	reader := p.log.Open(p.topics.Cases, partition)
	defer reader.Close()
	for next := int64(0); ctx.Err() == nil; {
		fetched, err := reader.Fetch(ctx, next)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("cannot read the cases: %w", err)
		}
		for i := range fetched.Records {
			if fetched.Records[i].Value == nil {
				continue
			}
			p.waiting.Add(1)
			p.listened.Add(1)
			select {
			case p.heard <- bytes.Clone(fetched.Records[i].Value):
			case <-ctx.Done():
				return nil
			}
		}
		next = fetched.Next
		p.mu.Lock()
		p.read[partition] = next
		p.mu.Unlock()
	}
	return nil
}

// send writes what people did, and counts it.
func (p *people) send(ctx context.Context, messages []story.Message) error {
	for _, m := range messages { // some milliseconds: nobody acts after now
		time.Sleep(time.Until(m.At))
	}
	if p.unruly {
		messages = story.Unruly(messages, storySeed)
	}
	batches := map[story.Topic][]pipeline.Record{}
	for _, m := range messages {
		batches[m.Topic] = append(batches[m.Topic], pipeline.Record{Key: []byte(m.Key), Value: m.Value})
	}
	for topic, name := range map[story.Topic]string{story.CaseEvents: p.topics.CaseEvents,
		story.Recoveries: p.topics.Recoveries, story.Disputes: p.topics.Disputes} {
		if len(batches[topic]) == 0 {
			continue
		}
		if err := sendByKey(ctx, p.log, name, batches[topic]); err != nil {
			return err
		}
		p.sent[topic].Add(int64(len(batches[topic])))
	}
	return nil
}

// idle tells whether the people have dealt with everything there is.
func (p *people) idle(ctx context.Context) (bool, error) {
	p.mu.Lock()
	read := append([]int64(nil), p.read...)
	p.mu.Unlock()
	for partition := range read {
		_, end, err := p.log.Bounds(ctx, p.topics.Cases, partition)
		if err != nil {
			return false, fmt.Errorf("cannot see the cases: %w", err)
		}
		if read[partition] < end {
			return false, nil
		}
	}
	return len(read) > 0 && p.waiting.Load() == 0, nil
}

// customerOf returns whom an invoice bills; anonymous sales are nobody.
func customerOf(inv *invoice.Invoice) string {
	if inv.CustomerRef == "anonymous" {
		return ""
	}
	return strings.Clone(inv.CustomerRef)
}
