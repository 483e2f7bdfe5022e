package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/cases"
	"recoup/internal/kafka"
	"recoup/internal/testservers"
	"recoup/pipeline"
)

func TestMain(m *testing.M) { os.Exit(testservers.Main(m)) }

// world is a topic of cases on a real Kafka, and those who are told.
type world struct {
	t         *testing.T
	client    *kafka.Client
	topic     string
	receivers []Receiver
	lost      atomic.Bool // commits do not arrive, as when a process is killed behind its deliveries
	ready     atomic.Pointer[error]
}

const partitions = 3

func newWorld(t *testing.T, receivers ...Receiver) *world {
	client, err := kafka.Connect(kafka.Settings{Brokers: []string{testservers.Kafka(t)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	w := &world{t: t, client: client, topic: testservers.Name(t), receivers: receivers}
	if _, err := client.EnsureTopics(t.Context(), []kafka.TopicSpec{{Name: w.topic, Partitions: partitions,
		Config: map[string]string{"cleanup.policy": "compact"}}}, false); err != nil {
		t.Fatal(err)
	}
	return w
}

// send publishes cases, each in the partition of its key.
func (w *world) send(list ...*cases.Case) {
	w.t.Helper()
	for _, c := range list {
		body, err := c.Encode()
		if err != nil {
			w.t.Fatal(err)
		}
		at := int(c.CaseID[0]) % partitions
		if _, err := w.client.Log().Append(w.t.Context(), w.topic, at, []pipeline.Record{{Key: []byte(c.DedupKey),
			Value: body}}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// start runs a bridge until the function it returns is called.
func (w *world) start() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		Run(ctx, Options{Kafka: w.client.Log(), Topic: w.topic, Receivers: w.receivers, Boards: english,
			Group: func(receiver string) pipeline.Group {
				return killable{w.client.Group(kafka.GroupSettings{ID: w.topic + receiver, Topic: w.topic}), &w.lost}
			},
			Metrics: NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
			Report: func(_ string, err error) { w.ready.Store(&err) }})
	}()
	return func() { cancel(); <-done }
}

// heard tells whether all cases are committed: whoever stops between a delivery and its answer tells it
// again.
func (w *world) heard() bool {
	lags, err := w.client.Lag(w.t.Context(), w.topic+w.receivers[0].Name(), w.topic)
	if err != nil {
		w.t.Fatal(err)
	}
	behind := int64(0)
	for _, n := range lags {
		behind += n
	}
	return behind == 0
}

// eventually waits until is true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in 40 s it never came that %s", what)
		}
	}
}

// killable loses commits.
type killable struct {
	pipeline.Group
	lost *atomic.Bool
}

func (k killable) Next(ctx context.Context) (pipeline.Generation, error) {
	g, err := k.Group.Next(ctx)
	if err != nil {
		return nil, err
	}
	return killed{g, k.lost}, nil
}

type killed struct {
	pipeline.Generation
	lost *atomic.Bool
}

func (k killed) Commit(ctx context.Context, offsets map[int]int64) error {
	if k.lost.Load() {
		return errors.New("killed")
	}
	return k.Generation.Commit(ctx, offsets)
}

// A receiver that fails in every way is told of everything in the end, in order; a
// restart tells nothing again, and a crash behind a delivery the same bytes.
func TestWebhookOverKafka(t *testing.T) {
	h := newHook(t, status(500), cutOff, slow, status(503), status(400))
	w := newWorld(t, NewWebhook(WebhookSettings{URL: h.URL, Connection: Connection{Timeout: time.Second},
		Filter: Filter{Lowest: cases.SeverityError}}))
	const open, resolve = cases.ActionOpen, cases.ActionResolve
	incident := func(name string, seq int64, action cases.Action) *cases.Case {
		return incidentCase(name, seq, action, cases.SeverityError, 4)
	}
	for n := range 20 { // the past
		w.send(incident(fmt.Sprint("past", n), 1, open), incident(fmt.Sprint("past", n), 2, resolve))
	}
	w.send(incident("A", 1, open))

	stop := w.start()
	eventually(t, "it gives up after a refusal", func() bool { return len(h.deliveries()) >= 5 })
	if err := *w.ready.Load(); err == nil && len(h.deliveries()) < 5 {
		t.Error("the part is ready while it fails")
	}
	w.send(incident("A", 2, resolve), incident("B", 1, open))
	eventually(t, "A is over and B is known", func() bool { return len(h.taken(t)) == 2 && w.heard() })
	stop()
	if got := h.taken(t); !slices.Contains(got, "resolve A") || !slices.Contains(got, "fire B") {
		t.Fatalf("taken: %v", got)
	}

	stop = w.start()
	w.lost.Store(true)
	w.send(incident("C", 1, open))
	eventually(t, "C is told", func() bool { return len(h.taken(t)) == 3 })
	stop()
	w.lost.Store(false)
	w.send(incident("B", 2, resolve))
	stop = w.start()
	eventually(t, "C is told again, and B's end", func() bool { return len(h.taken(t)) == 5 })
	time.Sleep(time.Second) // nothing more comes
	stop()
	var ofC []delivery
	for _, d := range h.deliveries() {
		if strings.Contains(d.body, `"promotion":"C"`) {
			ofC = append(ofC, d)
		}
	}
	key := func(d delivery) string { return d.header.Get("Idempotency-Key") }
	if len(ofC) != 2 || ofC[0].body != ofC[1].body || key(ofC[0]) != key(ofC[1]) || len(h.taken(t)) != 5 {
		t.Errorf("C was told %+v; in all %v", ofC, h.taken(t))
	}
}

// A receiver that is away holds up no other, and two bridges tell each case once.
func TestReceiversAreIndependent(t *testing.T) {
	away, there := newHook(t), newHook(t)
	away.Close()
	to := func(url string) Receiver {
		return NewWebhook(WebhookSettings{URL: url, Filter: Filter{Lowest: cases.SeverityInfo}})
	}
	w := newWorld(t, to(away.URL), to(there.URL))
	defer w.start()()
	defer w.start()()
	for n := range 30 {
		w.send(incidentCase(fmt.Sprint(n), 1, cases.ActionOpen, cases.SeverityWarning, 4))
	}
	told := func() []string { return slices.Compact(slices.Sorted(slices.Values(there.taken(t)))) }
	eventually(t, "all thirty are told", func() bool { return len(told()) == 30 })
}
