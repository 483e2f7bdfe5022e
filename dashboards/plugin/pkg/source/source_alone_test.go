package source

import (
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// A Kafka that takes connections and says nothing keeps nobody longer than a query may
// take: not three who ask at once, not who asks about the source's health, and not
// Dispose.
func TestSilentKafka(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	source := unplugged(t, `{"clickhouse":{"address":"127.0.0.1:1"},"timeoutSeconds":1,`+
		`"kafka":{"brokers":["`+silent.Addr().String()+`"]}}`)
	began := time.Now()
	var running sync.WaitGroup
	for _, kind := range []string{"lag", "baseline", "lag"} {
		running.Go(func() {
			got := ask(t, source, kind, `{"filters":{"seller":"acme"}}`)
			if took := time.Since(began); got.Status != http.StatusGatewayTimeout || took > 3*time.Second {
				t.Errorf("%s: %d after %v: %v", kind, got.Status, took, got.Error)
			}
		})
	}
	time.Sleep(100 * time.Millisecond) // all wait
	locked := time.Now()
	source.mu.Lock()
	took := time.Since(locked)
	source.mu.Unlock()
	if took > 50*time.Millisecond {
		t.Errorf("the lock was held for %v over the network", took)
	}
	running.Wait()
	disposed := time.Now()
	source.Dispose()
	if took := time.Since(disposed); took > time.Second {
		t.Errorf("Dispose took %v", took)
	}
}

// Who waits for Kafka when the settings change is told so at once.
func TestDisposeWhileConnecting(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	source := unplugged(t, `{"clickhouse":{"address":"127.0.0.1:1"},"kafka":{"brokers":["`+silent.Addr().String()+`"]}}`)
	time.AfterFunc(100*time.Millisecond, source.Dispose)
	began := time.Now()
	if _, err := source.kafka(t.Context()); err != errChanged || time.Since(began) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
