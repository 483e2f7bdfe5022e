package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"recoup/cases"
	"recoup/detectors"
	"recoup/internal/app"
	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/pipeline"
)

// caseCommand is `recoup case`.
type caseCommand struct {
	Ls      caseLsCommand      `cmd:"" help:"List the open cases, the one to answer first on top."`
	Show    caseShowCommand    `cmd:"" help:"Show one case: what is wrong, what happened, what to do next."`
	Ack     caseAckCommand     `cmd:"" help:"Take a case: somebody looks at it."`
	Decide  caseDecideCommand  `cmd:"" help:"Say what a case turned out to be; recoup learns from it."`
	Recover caseRecoverCommand `cmd:"" help:"Note a step of getting the money back."`
	Close   caseCloseCommand   `cmd:"" help:"Close a case: nothing is left to do."`
	Reopen  caseReopenCommand  `cmd:"" help:"Take a decision or a closing back."`
}

// caseBook is the state of cases as the topics tell it: a team without a case
// system needs nothing else.
type caseBook struct {
	client *kafka.Client
	log    pipeline.Log
	config *config.Config
	cases  map[string]*caseFile // by case_id
	broken int                  // records that cannot be read

	incidents map[string]*caseFile      // all of them, by case_id
	members   map[string]incidentMember // those of incidents that are wanted, by their own case_id
}

// caseFile is one case and all that happened to it.
type caseFile struct {
	Case *cases.Case // as its newest record says
	Life cases.Life  // what people did

	incident *caseFile          // the one it is a member of; nil: none
	muted    bool               // it has no record: recoup opened no case for this invoice
	unbilled bool               // nothing tells what was billed
	stored   *detectors.Verdict // on the invoice, where the case does not tell what was billed; nil: not found
}

// state is where the case stands.
func (f *caseFile) state() cases.State { return f.Life.StateOf(f.Case.Origin) }

func openCases(s *session) (*caseBook, error) {
	loaded, err := s.settings()
	if err != nil {
		return nil, err
	}
	client, err := app.Kafka(&loaded.Config, s.logger(loaded.Log))
	if err != nil {
		return nil, err
	}
	return &caseBook{client: client, log: client.Log(), config: &loaded.Config, cases: map[string]*caseFile{},
		incidents: map[string]*caseFile{}, members: map[string]incidentMember{}}, nil
}

func (b *caseBook) close() { _ = b.client.Close() }

// openNamed opens the book at the case that a user names.
func openNamed(ctx context.Context, s *session, name string) (*caseBook, *caseFile, error) {
	book, err := openCases(s)
	if err != nil {
		return nil, nil, err
	}
	f, err := book.find(ctx, name)
	if err != nil {
		book.close()
		return nil, nil, err
	}
	f.lookUp(ctx, book)
	return book, f, nil
}

// read reads the cases that are wanted, and what happened to them.
func (b *caseBook) read(ctx context.Context, wanted func(*cases.Case) bool) error {
	if err := b.readCases(ctx, wanted); err != nil || len(b.cases) == 0 {
		return err
	}
	return b.readLives(ctx)
}

// readCases reads the cases that are wanted, all incidents, and their members that are wanted.
func (b *caseBook) readCases(ctx context.Context, wanted func(*cases.Case) bool) error {
	return b.scan(ctx, b.config.Kafka.Topics.Cases, func(value []byte) error {
		c := &cases.Case{}
		if err := json.Unmarshal(value, c); err != nil || c.Schema != cases.Schema {
			return errors.Join(errUnreadable, err)
		}
		if c.Kind == cases.KindIncident {
			b.incidentOf(c, wanted)
		}
		if old := b.cases[c.CaseID]; old != nil && old.Case.Seq > c.Seq || !wanted(c) {
			return nil
		}
		b.cases[c.CaseID] = &caseFile{Case: c}
		return nil
	})
}

// readLives reads what happened to the cases, and to the incidents they are members of.
func (b *caseBook) readLives(ctx context.Context) error {
	lives := map[string][]*cases.Life{}
	for _, all := range []map[string]*caseFile{b.incidents, b.cases} {
		for id, f := range all {
			lives[id] = append(lives[id], &f.Life)
			f.incident = b.incidents[f.Case.IncidentID]
		}
	}
	err := b.scan(ctx, b.config.Kafka.Topics.CaseEvents, func(value []byte) error {
		e, err := cases.DecodeEvent(value)
		if err != nil {
			return err
		}
		for _, life := range lives[e.CaseID] {
			life.Apply(e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return b.scan(ctx, b.config.Kafka.Topics.Recoveries, func(value []byte) error {
		r, err := cases.DecodeRecovery(value)
		if err != nil {
			return err
		}
		for _, life := range lives[r.CaseID] {
			life.ApplyRecovery(r)
		}
		return nil
	})
}

var errUnreadable = errors.New("no record of this topic")

// scan calls visit for every record of a topic there is now, and counts those it
// cannot read.
func (b *caseBook) scan(ctx context.Context, topic string, visit func(value []byte) error) error {
	partitions, err := b.log.Partitions(ctx, topic)
	if err != nil {
		return withTopicsFix(err)
	}
	for p := range partitions {
		err := scanPartition(ctx, b.log, topic, p, func(r *pipeline.Record) (bool, error) {
			if r.Value != nil && visit(r.Value) != nil {
				b.broken++
			}
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// withTopicsFix adds what to do about a topic that is not there.
func withTopicsFix(err error) error {
	if errors.Is(err, pipeline.ErrNoTopic) {
		return fmt.Errorf("%w; fix: recoup topics create", err)
	}
	return err
}

// shortestID is how much of a case id a person must type at least.
const shortestID = 6

// find returns the one case that is meant: by case id, its beginning, or invoice id. An
// invoice that recoup found wrong is found without a case, too.
func (b *caseBook) find(ctx context.Context, name string) (*caseFile, error) {
	id := strings.ToLower(name)
	wanted := func(c *cases.Case) bool {
		return c.InvoiceID == name || len(id) >= shortestID && strings.HasPrefix(c.CaseID, id)
	}
	err := b.readCases(ctx, wanted)
	if err == nil && len(b.cases) == 0 {
		err = b.readMuted(ctx, wanted)
	}
	if err == nil {
		err = b.readLives(ctx)
	}
	if err != nil {
		return nil, err
	}
	var found []string
	var one *caseFile
	for _, f := range sortedCases(b.cases) {
		one = f
		found = append(found, fmt.Sprintf("%s (%s of %s)", f.Case.CaseID, what(f.Case, &english), f.Case.Seller))
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("cannot find case %q in %s, nor in %s: want a case id, at least %d characters of one, or "+
			"the id of an invoice that recoup found wrong; see recoup case ls --all", name, b.config.Kafka.Topics.Cases,
			b.config.Kafka.Topics.Suspects, shortestID)
	case 1:
		return one, nil
	}
	return nil, fmt.Errorf("cannot tell which case %q means; give one of these ids:\n  %s", name,
		strings.Join(found, "\n  "))
}

// what names what a case is about.
func what(c *cases.Case, t *tongue) string {
	if c.Kind == cases.KindInvoice {
		return t.invoice + " " + printable(c.InvoiceID)
	}
	return t.code(string(c.Kind))
}

// write appends records under a key.
func (b *caseBook) write(ctx context.Context, topic, key string, values ...[]byte) error {
	return withTopicsFix(pipeline.Send(ctx, b.log, topic, key, values...))
}
