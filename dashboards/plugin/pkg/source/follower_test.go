package source

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"recoup/cases"
	"recoup/dashboards/question"
	"recoup/pipeline"
	"recoup/pipeline/memlog"
)

// counted counts how often a partition was opened to read.
type counted struct {
	*memlog.Log
	opened atomic.Int32
}

func (c *counted) Open(topic string, partition int) pipeline.Reader {
	c.opened.Add(1)
	return c.Log.Open(topic, partition)
}

// stage is a follower of topic "cases" of a log in memory.
type stage struct {
	t   *testing.T
	log *counted
	f   *follower
	end chan struct{} // closed when the follower has ended
}

func newStage(t *testing.T, partitions int) *stage {
	t.Helper()
	s := &stage{t: t, log: &counted{Log: memlog.New(memlog.Options{})}, end: make(chan struct{})}
	if partitions > 0 {
		s.log.CreateTopic("cases", partitions, 0)
	}
	return s
}

// start starts the follower.
func (s *stage) start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.f = &follower{since: time.Now().Add(-overlap), end: cancel, count: 20 * time.Millisecond,
		watchers: map[*watcher]bool{}}
	go func() {
		defer close(s.end)
		s.f.run(ctx, "cases", func(context.Context) (pipeline.Log, error) { return s.log, nil })
	}()
	s.t.Cleanup(func() { cancel(); <-s.end })
}

// tell writes a case, so long ago.
func (s *stage) tell(partition int, seller, id string, ago time.Duration) {
	s.t.Helper()
	c := &cases.Case{Schema: cases.Schema, CaseID: id, Seq: 1, Seller: seller, InvoiceID: "F-1", Kind: cases.KindInvoice,
		Action: cases.ActionOpen, Currency: "EUR", DetectedAt: now()}
	value, err := c.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.log.Append(s.t.Context(), "cases", partition, []pipeline.Record{{Key: []byte(id), Value: value,
		Time: time.Now().Add(-ago)}}); err != nil {
		s.t.Fatal(err)
	}
}

// watch makes somebody watch, and returns what happened just before.
func (s *stage) watch(seller string) (*watcher, []string) {
	w := &watcher{seller: seller, since: time.Now().Add(-overlap), cases: make(chan []happened, 10)}
	return w, ids(s.f.join(w))
}

func ids(batch []happened) []string {
	var list []string
	for _, one := range batch {
		list = append(list, one.of.CaseID)
	}
	return list
}

// sees waits until a watcher has got these cases, in any order, and no other.
func (s *stage) sees(w *watcher, want ...string) {
	s.t.Helper()
	var got []string
	for len(got) < len(want) {
		select {
		case batch := <-w.cases:
			got = append(got, ids(batch)...)
		case <-time.After(10 * time.Second):
			s.t.Fatalf("%s sees %q, want %q", w.seller, got, want)
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		s.t.Errorf("%s sees %q, want %q", w.seller, got, want)
	}
}

// Each who watches gets the cases of one seller: those written some seconds before it
// began, which the tables may not have had, and each later one once. All share one
// reader of each partition.
func TestFollower(t *testing.T) {
	s := newStage(t, 2)
	s.tell(0, "acme", "long ago", time.Hour)
	s.tell(1, "acme", "just before", 3*time.Second)
	s.start()
	first, missed := s.watch("acme")
	if len(missed) == 0 { // the follower was not there yet
		s.sees(first, "just before")
	}
	bolt, _ := s.watch("bolt")
	s.tell(0, "acme", "live", 0)
	s.tell(0, "bolt", "other", 0)
	s.sees(first, "live")
	s.sees(bolt, "other")
	for range 20 {
		if _, missed := s.watch("acme"); !slices.Contains(missed, "live") || slices.Contains(missed, "long ago") ||
			slices.Contains(missed, "other") {
			t.Fatalf("who comes later missed %q", missed)
		}
	}
	s.tell(1, "acme", "last", 0)
	s.sees(first, "last")
	if n := s.log.opened.Load(); n != 2 {
		t.Errorf("2 partitions were opened %d times", n)
	}
}

// Who watches while there is no topic yet, gets what was written before it is found;
// a topic that was made anew is read from its start, and a new partition is noticed.
func TestFollowerOfNewTopic(t *testing.T) {
	s := newStage(t, 0)
	s.start()
	w, _ := s.watch("acme")
	time.Sleep(50 * time.Millisecond) // there was no topic
	s.log.CreateTopic("cases", 1, 0)
	s.tell(0, "acme", "first", 0)
	s.sees(w, "first")
	s.log.CreateTopic("cases", 3, 0)
	s.tell(2, "acme", "third partition", 0)
	s.sees(w, "third partition")
}

// A watcher that has gone holds up nobody, and the follower ends with the last.
func TestFollowerEnds(t *testing.T) {
	s := newStage(t, 1)
	s.start()
	gone := make(chan struct{})
	close(gone)
	left := &watcher{seller: "acme", gone: gone, cases: make(chan []happened)}
	s.f.join(left)
	w, _ := s.watch("acme")
	s.tell(0, "acme", "live", 0)
	s.sees(w, "live")
	source := &Source{follower: s.f}
	if source.unwatch(s.f, left); source.follower == nil {
		t.Error("it ended while one watches")
	}
	if source.unwatch(s.f, w); source.follower != nil {
		t.Error("nobody watches and it is kept")
	}
	select {
	case <-s.end:
	case <-time.After(5 * time.Second):
		t.Error("nobody watches and it follows")
	}
}

// The path of a channel names language and seller, whatever letters the seller has.
func TestWatched(t *testing.T) {
	for _, lang := range []question.Lang{question.English, question.French} {
		for _, name := range []string{"acme", "Électricité / Gaz", "a=b~c+d%", "en/x"} {
			gotLang, got, ok := watched(channelOf(lang, name))
			if !ok || got != name || gotLang != lang {
				t.Errorf("%s of %q is read as %q in %s, %v", channelOf(lang, name), name, got, gotLang, ok)
			}
		}
	}
	for _, path := range []string{"", "cases/", "cases/acme", "cases/de/acme", "cases//acme", "cases/en/", "lag/en/acme",
		"cases/en/a/b"} {
		if _, _, ok := watched(path); ok {
			t.Errorf("%q is taken", path)
		}
	}
}

// A case speaks French to whoever reads French, and its runbook is a link or nothing.
func TestCaseWords(t *testing.T) {
	frame := caseFrame(question.French)
	c := &cases.Case{CaseID: "c1", Action: cases.ActionOpen, Kind: cases.KindInvoice, Severity: "warning"}
	c.Links.Runbook = "docs/runbooks/unknown.md"
	appendCase(frame, time.Now(), c, question.French)
	c.Links.Runbook = "https://wiki.example/unknown"
	appendCase(frame, time.Now(), c, question.French)
	for name, want := range map[string]string{"action": "Dossier ouvert", "kind": "Facture", "severity": "Avertissement"} {
		field, _ := frame.FieldByName(name)
		value, _ := field.At(0).(string)
		if got := wordFor(field.Config.Mappings, value); got != want {
			t.Errorf("%s %q reads %q, want %q", name, value, got, want)
		}
	}
	for _, name := range []string{"status", "outcome", "cause"} {
		if field, _ := frame.FieldByName(name); len(field.Config.Mappings) == 0 {
			t.Errorf("%s has no words", name)
		}
	}
	runbook, _ := frame.FieldByName("runbook")
	if runbook.At(0) != "" || runbook.At(1) != c.Links.Runbook || len(runbook.Config.Links) != 1 {
		t.Errorf("runbooks %q and %q", runbook.At(0), runbook.At(1))
	}
}

// wordFor is what a person reads for a value.
func wordFor(mappings data.ValueMappings, value string) string {
	for _, mapping := range mappings {
		if mapper, ok := mapping.(data.ValueMapper); ok {
			return mapper[value].Text
		}
	}
	return ""
}
