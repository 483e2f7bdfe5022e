package kafka

import (
	"context"
	"os"
	"testing"
	"time"

	"recoup/internal/kafkaserver"
	"recoup/internal/testservers"
)

func TestMain(m *testing.M) { os.Exit(testservers.Main(m)) }

func TestOnKafka(t *testing.T) { testCluster(t, testservers.Kafka(t)) }

// Kafka's own producer: aborted invoices, and those of a producer that died in
// the middle of a transaction, are not seen; committed ones are (G1, G6).
func TestJavaTransactions(t *testing.T) {
	addr := testservers.Kafka(t)
	c := connect(t, addr)
	topic := makeTopic(t, c, 1, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	values := func(text string) [][]byte { return [][]byte{[]byte(text + "0"), []byte(text + "1")} }
	err := kafkaserver.ProduceTransactions(ctx, addr, topic, 0,
		kafkaserver.Transaction{Values: values("good"), End: kafkaserver.Commit},
		kafkaserver.Transaction{Values: values("bad"), End: kafkaserver.Abort},
		kafkaserver.Transaction{Values: values("fine"), End: kafkaserver.Commit},
		kafkaserver.Transaction{Values: values("open"), End: kafkaserver.Abort},
	)
	if err != nil {
		t.Fatal(err)
	}
	_, end, err := c.Log().Bounds(ctx, topic, 0)
	if err != nil || end != 12 {
		t.Fatalf("Bounds = %d, %v; want 12: eight records, four markers", end, err)
	}
	r := c.Log().Open(topic, 0)
	got := ""
	for offset := int64(0); offset < end; {
		fetched, err := r.Fetch(ctx, offset)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range fetched.Records {
			got += string(rec.Value) + " "
		}
		offset = fetched.Next
	}
	if want := "good0 good1 fine0 fine1 "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
