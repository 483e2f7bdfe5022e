package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"

	"recoup/cases"
	"recoup/internal/config"
	"recoup/internal/kafka"
	"recoup/pipeline"
	"recoup/sinks/memstore"
)

// site is an installation on an embedded broker, its rows in memory.
type site struct {
	t      *testing.T
	config *config.Config
	client *kafka.Client
	log    pipeline.Log
}

func newSite(t *testing.T) *site {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return siteOn(t, cluster.ListenAddrs())
}

// siteOn makes the topics of an installation on a broker.
func siteOn(t *testing.T, brokers []string) *site {
	t.Helper()
	c := config.Default()
	c.Kafka.Brokers = brokers
	c.Kafka.SessionTimeout = config.Duration(2 * time.Second)
	client, err := Kafka(&c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	var specs []kafka.TopicSpec
	for _, topic := range c.TopicTable(2) {
		specs = append(specs, kafka.TopicSpec{Name: topic.Name, Partitions: topic.Partitions, Replication: 1})
	}
	if _, err := client.EnsureTopics(t.Context(), specs, false); err != nil {
		t.Fatal(err)
	}
	return &site{t: t, config: &c, client: client, log: client.Log()}
}

// start runs a member until stop is called.
func (s *site) start(name string) (stop func()) {
	opt := member(s.config)
	opt.Member, opt.Log = name, slog.New(slog.DiscardHandler)
	opt.Metrics = pipeline.NewMetrics(prometheus.NewRegistry())
	opt.ParkingGroup = func(topic string) pipeline.Group { return parkingMember(s.config, s.client, topic) }
	opt.Stage.Group = func() pipeline.Group { return stageMember(s.config, s.client) }
	m := pipeline.NewMember(opt, s.log, s.client.Group(group(s.config)), memstore.New())
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("%s: %v", name, err)
		}
	}
}

// bill sends usual invoices and behind them one that is a third too low.
func (s *site) bill(wrong string) {
	s.t.Helper()
	now := time.Now().UTC()
	var records []pipeline.Record
	add := func(id string, net float64, at time.Time) {
		records = append(records, pipeline.Record{Key: []byte("c1"), Value: fmt.Appendf(nil, `{"schema":"invoice.v1",`+
			`"event_id":"e%s","seller":"acme","invoice_id":%q,"issued_at":%q,"currency":"EUR","net_amount":"%.2f",`+
			`"customer_ref":"c1","customer_type":"B2C","product_family":"fibre","delivery_ref":"d%s"}`, id, id,
			at.Format(time.RFC3339), net, id)})
	}
	for i := range 120 {
		add(fmt.Sprint("i", i), 400+float64(i%7), now.Add(time.Duration(i-200)*time.Minute))
	}
	add(wrong, 270, now.Add(-time.Minute))
	if _, err := s.log.Append(s.t.Context(), s.config.Kafka.Topics.Invoices, 0, records); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) send(topic, key string, body []byte, err error) {
	s.t.Helper()
	if err == nil {
		_, err = s.log.Append(s.t.Context(), topic, 0, []pipeline.Record{{Key: []byte(key), Value: body}})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// records returns what a topic holds now.
func (s *site) records(topic string) (list [][]byte) {
	s.t.Helper()
	n, err := s.log.Partitions(s.t.Context(), topic)
	if err != nil {
		s.t.Fatal(err)
	}
	for p := range n {
		_, end, err := s.log.Bounds(s.t.Context(), topic, p)
		if err != nil {
			s.t.Fatal(err)
		}
		reader := s.log.Open(topic, p)
		for at := int64(0); at < end; {
			got, err := reader.Fetch(s.t.Context(), at)
			if err != nil {
				s.t.Fatal(err)
			}
			for _, r := range got.Records {
				list = append(list, append([]byte(nil), r.Value...))
			}
			at = got.Next
		}
		reader.Close()
	}
	return list
}

// await waits until the case of an invoice looks as wanted.
func (s *site) await(what, invoiceID string, wanted func(c *cases.Case) bool) {
	s.t.Helper()
	var last *cases.Case
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		for _, body := range s.records(s.config.Kafka.Topics.Cases) {
			c := &cases.Case{}
			if err := json.Unmarshal(body, c); err != nil {
				s.t.Fatal(err)
			}
			if c.InvoiceID == invoiceID && (last == nil || c.Seq >= last.Seq) {
				last = c
			}
		}
		if last != nil && wanted(last) {
			return
		}
	}
	s.t.Fatalf("invoice %s is not %s in time: %+v", invoiceID, what, last)
}

// B11, E10, G6, G9, on a broker: a case follows its people from acknowledged to
// resolved, over a change of the process that runs the stage, and what cannot be read
// is parked once.
func TestCaseFollowsPeople(t *testing.T) {
	s := newSite(t)
	topics := &s.config.Kafka.Topics
	id := cases.ID(cases.DedupKey("acme", "wrong", 0))
	event := func(name string, status cases.Status, outcome cases.Outcome) {
		e := cases.Event{EventID: name, CaseID: id, Status: status, Outcome: outcome, At: time.Now()}
		body, err := e.Encode()
		s.send(topics.CaseEvents, id, body, err)
	}
	stop := s.start("first")
	s.bill("wrong")
	s.await("opened", "wrong", func(c *cases.Case) bool { return c.Action == cases.ActionOpen })
	event("e1", cases.StatusAcknowledged, "")
	s.send(topics.CaseEvents, "", []byte("garbage"), nil)
	s.await("acknowledged", "wrong", func(c *cases.Case) bool { return c.Status == cases.StatusAcknowledged })
	p := cases.Dispute{EventID: "p1", Seller: "acme", InvoiceID: "wrong", Reason: cases.ReasonPrice, At: time.Now()}
	body, err := p.Encode()
	s.send(topics.Disputes, p.InvoiceID, body, err)
	s.await("held from dunning", "wrong", func(c *cases.Case) bool { return c.DunningHold })
	stop()

	event("e2", cases.StatusDecided, cases.OutcomeConfirmed)
	stop = s.start("second")
	s.await("decided", "wrong", func(c *cases.Case) bool { return c.Outcome == cases.OutcomeConfirmed })
	event("e1", cases.StatusAcknowledged, "") // again
	event("e3", cases.StatusClosed, "")
	s.await("resolved", "wrong", func(c *cases.Case) bool { return c.Action == cases.ActionResolve && !c.DunningHold })
	said := len(s.records(topics.Cases))
	stop()

	stop = s.start("third")
	p.EventID, p.InvoiceID = "p2", "i5"
	body, err = p.Encode()
	s.send(topics.Disputes, p.InvoiceID, body, err)
	s.await("opened by its customer", "i5", func(c *cases.Case) bool { return c.Origin == cases.OriginDispute })
	stop()
	if n := len(s.records(topics.Cases)); n != said+1 {
		t.Errorf("the third owner wrote %d records, want the disputed one alone", n-said)
	}
	if n := len(s.records(topics.DeadLetter)); n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}
}
