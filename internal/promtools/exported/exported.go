// Package exported tells tests which metrics recoup serves, so that a rule or a panel
// cannot name one that is not there.
package exported

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"recoup/internal/bridge"
	"recoup/internal/ops"
	"recoup/pipeline"
)

// Metrics returns the names of the metrics of `recoup run` and `recoup bridge`.
func Metrics(t testing.TB) (names []string) {
	t.Helper()
	health := ops.NewHealth()
	health.Set("kafka", nil)
	families, err := ops.NewRegistry(health).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		names = append(names, family.GetName())
	}
	described := make(chan *prometheus.Desc, 100)
	pipeline.NewMetrics(noting{prometheus.NewRegistry(), described})
	bridge.NewMetrics(noting{prometheus.NewRegistry(), described})
	close(described)
	for d := range described {
		_, rest, _ := strings.Cut(d.String(), `fqName: "`)
		name, _, _ := strings.Cut(rest, `"`)
		names = append(names, name)
	}
	return names
}

// noting is a registerer that notes what is registered, values or not.
type noting struct {
	*prometheus.Registry
	described chan *prometheus.Desc
}

// MustRegister notes what collectors are of.
func (n noting) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		c.Describe(n.described)
	}
}
