package pipeline

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A tombstone deletes what its key stood for, whatever form the producer gives
// its keys; one that nobody knows, or in the topic of deliveries, does no harm.
func TestTombstonesDelete(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	opt := DefaultOptions()
	opt.Topics.Reference, opt.Topics.Deliveries = "r", "d"
	opt.Metrics = NewMetrics(prometheus.NewRegistry())
	opt.Now = func() time.Time { return now }
	refs := newReferences(NewMember(opt, nil, nil, nil), map[string]int{"r": 1, "d": 1})
	offset := int64(0)
	send := func(topic int, key, value string) {
		r := Record{Offset: offset, Key: []byte(key), Value: []byte(value), Time: now}
		offset++
		refs.topics[topic].take(0, &Fetched{Records: []Record{r}, Next: offset, End: offset})
	}
	contract := func(from string) string {
		return fmt.Sprintf(`{"schema":"reference.customer.v1","seller":"s","customer_ref":"c","plan":%q,"valid_from":%q}`,
			from, from)
	}
	plan := func() string {
		c, _ := refs.store.Customer("s", "c", now)
		return c.Plan
	}
	const first, second = "2026-01-01T00:00:00Z", "2026-05-01T00:00:00Z"
	send(0, "s/c/1", contract(first))
	send(0, "s/c/2", contract(second))
	send(1, "D", `{"schema":"reference.delivery.v1","seller":"s","delivery_ref":"D","shipped_at":"2026-05-01T00:00:00Z"}`)
	if plan() != second {
		t.Errorf("plan %q, want the later version", plan())
	}
	send(0, "s/c/2", "")
	send(0, "s/c/2", "")
	send(0, "unknown", "")
	if plan() != first {
		t.Errorf("plan %q, want the version before the deleted one", plan())
	}
	send(1, "D", "")
	if _, ok := refs.store.Delivery("s", "D", now); !ok {
		t.Error("a record without bytes deleted a delivery")
	}
	send(0, "s/c/1", contract(second)) // a key may come to mean something else
	send(0, "s/c/1", "")
	if plan() != first {
		t.Errorf("plan %q, want what the key does not name any more", plan())
	}
}

// What producers write into timestamps must not make the store forget.
func TestReceived(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	opt := DefaultOptions()
	opt.Now = func() time.Time { return now }
	refs := newReferences(&Member{opt: opt}, nil)
	for name, c := range map[string]struct{ at, want time.Time }{
		"as it says":                     {now.Add(-time.Hour), now.Add(-time.Hour)},
		"not told":                       {time.UnixMilli(-1), now},
		"in the future":                  {now.Add(time.Hour), now},
		"microseconds for milliseconds":  {time.UnixMilli(now.UnixMicro()), now},
		"nothing at all, the year 1 A.D": {time.Time{}, now},
	} {
		if got := refs.received(&Record{Time: c.at}); !got.Equal(c.want) {
			t.Errorf("%s: received %v, want %v", name, got, c.want)
		}
	}
}
