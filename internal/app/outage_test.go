package app

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"recoup/bench/fault"
	"recoup/internal/config"
	"recoup/internal/kafkaserver"
	"recoup/internal/ops"
	"recoup/pipeline"
	"recoup/sinks/memstore"
)

// lines is a log that tests read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) with(part string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, part) {
			found = append(found, line)
		}
	}
	return found
}

// partsDown returns how many parts recoup_part_ready says do not work.
func partsDown(t *testing.T, o Options) (down int) {
	t.Helper()
	families, err := o.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "recoup_part_ready" || f.GetType() != dto.MetricType_GAUGE {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetGauge().GetValue() == 0 {
				down++
			}
		}
	}
	return down
}

// G12: a real broker that starts after recoup is waited for, not complained of: nothing is
// logged at error level while it comes up. When it goes away, and when it only falls
// silent, /readyz and recoup_part_ready say so within 30 seconds.
func TestBrokerComesAndGoes(t *testing.T) {
	proxy, err := fault.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	server, err := kafkaserver.Start(t.Context(), kafkaserver.Options{Advertise: proxy.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	proxy.Pass(server.Behind())
	s := siteOn(t, []string{proxy.Addr()})
	s.config.Kafka.SessionTimeout = config.Duration(6 * time.Second)
	server.Kill()
	<-server.Done()

	said, health := &lines{}, ops.NewHealth()
	o := Options{Config: s.config, Log: slog.New(slog.NewTextHandler(said, nil)), Health: health,
		Registry: ops.NewRegistry(health)}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- s.runOn(ctx, o) }()
	defer func() {
		cancel()
		if err := <-ran; err != nil {
			t.Logf("stopped without a broker: %v", err)
		}
	}()
	await(t, o, "not ready without a broker", false)
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, o, "ready with a broker", true)
	if complaints := said.with("level=ERROR"); len(complaints) > 0 {
		t.Errorf("while a broker merely starts: %s", complaints)
	}
	if len(said.with("level=WARN")) == 0 {
		t.Error("nothing was said of a broker that is not there")
	}
	proxy.Set(fault.Fault{BlackHole: true})
	await(t, o, "not ready with a silent broker", false)
	proxy.Set(fault.Fault{})
	await(t, o, "ready again", true)
	server.Kill()
	await(t, o, "not ready without a broker", false)
}

// runOn runs a member as Run does, its rows in memory.
func (s *site) runOn(ctx context.Context, o Options) error {
	client, err := reach(ctx, o)
	if err != nil || client == nil {
		return err
	}
	defer client.Close()
	opt := member(o.Config)
	opt.Member, opt.Log, opt.Report = "late", o.Log, o.Health.Set
	opt.Metrics = pipeline.NewMetrics(o.Registry)
	opt.Stage.Group = func() pipeline.Group { return stageMember(o.Config, client) }
	m := pipeline.NewMember(opt, client.Log(), client.Group(group(o.Config)), memstore.New())
	o.Health.Check("pipeline", m.Ready)
	return m.Run(ctx)
}

// await waits for readiness, or its end, as /readyz and the metric tell it.
func await(t *testing.T, o Options, what string, wanted bool) {
	t.Helper()
	const within = 30 * time.Second
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		states, ready := o.Health.States()
		if ready == wanted && len(states) > 0 && (partsDown(t, o) == 0) == wanted {
			if wanted { // it stays so: all parts have had the time to speak
				time.Sleep(3 * time.Second)
				if _, ready = o.Health.States(); !ready {
					continue
				}
			}
			t.Logf("%s after %v", what, time.Since(began).Round(100*time.Millisecond))
			return
		}
		if time.Since(began) > within {
			t.Fatalf("not %s within %v: %+v", what, within, states)
		}
	}
}
