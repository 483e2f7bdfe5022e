package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recoup/internal/config"
	"recoup/pipeline"
)

// The doctor names the model that judges, the newest of each seller or the pinned
// one, and the one that cannot be read.
func TestDoctorModels(t *testing.T) {
	file := settingsFor(t, fakeKafka(t), deadAddress(t), "recoup")
	c, cfg := client(t, file)
	if _, err := c.EnsureTopics(t.Context(), topicSpecs(cfg.TopicTable(1), 1), false); err != nil {
		t.Fatal(err)
	}
	models := filepath.Join(t.TempDir(), "models.jsonl")
	succeed(t, "score", bundled(t), "--save-model", models)
	line, err := os.ReadFile(models)
	if err != nil {
		t.Fatal(err)
	}
	var trained struct{ Version string }
	if err := json.Unmarshal(line, &trained); err != nil {
		t.Fatal(err)
	}
	publish := func(version string, value []byte) {
		record := pipeline.Record{Key: []byte("retail-uk|" + version), Value: value}
		if _, err := c.Log().Append(t.Context(), cfg.Kafka.Topics.Models, 0, []pipeline.Record{record}); err != nil {
			t.Fatal(err)
		}
	}
	look := func(pin string) string {
		settings := *cfg
		settings.Models = config.Models{Pin: pin}
		x := &examination{settings: &settings}
		x.models(t.Context(), c)
		var said []string
		for _, f := range x.findings {
			said = append(said, f.Detail+f.Problem)
		}
		return strings.Join(said, "\n")
	}
	const gone = "trained-0000000000000000"
	contains(t, look(""), "none is trained: prior-1 judges")
	publish(trained.Version, line)
	contains(t, look(""), "retail-uk "+trained.Version+" (invoices to 2011-0")
	contains(t, look(trained.Version), "retail-uk "+trained.Version)
	contains(t, look(pipeline.PinPrior), "the prior is pinned")
	contains(t, look(gone), "model "+gone+" (models.pin) is not in recoup.models")
	publish(gone, []byte(`{"schema":"model.v2"}`))
	contains(t, look(""), "the newest model of retail-uk cannot be used", `schema "model.v2"`)
	publish(gone, nil)
	contains(t, look(""), "retail-uk "+trained.Version)
}
