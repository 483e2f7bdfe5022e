package app

import (
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/internal/bridge"
	"recoup/pipeline"
)

// Every metric of the pipeline and the bridge is explained to those who run it.
func TestMetricsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	described := make(chan *prometheus.Desc, 100)
	reg := collector{described}
	pipeline.NewMetrics(reg)
	bridge.NewMetrics(reg)
	close(described)
	n := 0
	for d := range described {
		_, rest, _ := strings.Cut(d.String(), `fqName: "`)
		name, _, _ := strings.Cut(rest, `"`)
		if !strings.Contains(string(page), "`"+name) {
			t.Errorf("docs/OPERATIONS.md does not explain %s", name)
		}
		n++
	}
	if n < 15 {
		t.Errorf("only %d metrics were registered", n)
	}
}

// collector is a registerer that notes what is registered.
type collector struct{ described chan *prometheus.Desc }

func (c collector) Register(m prometheus.Collector) error {
	m.Describe(c.described)
	return nil
}

func (c collector) MustRegister(all ...prometheus.Collector) {
	for _, m := range all {
		m.Describe(c.described)
	}
}

func (c collector) Unregister(prometheus.Collector) bool { return false }
