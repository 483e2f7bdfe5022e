package demo

import (
	"strings"
	"testing"

	"recoup/internal/config"
	"recoup/internal/demo/data"
	"recoup/pipeline/memlog"
)

// All bundled references are sent, deliveries to their own topic, and no two of a
// topic share a key: compaction would lose one.
func TestSendReferences(t *testing.T) {
	topics := &config.Topics{Reference: "r", Deliveries: "d"}
	log := memlog.New(memlog.Options{})
	log.CreateTopic("r", 3, 0)
	log.CreateTopic("d", 3, 0)
	if err := sendReferences(t.Context(), log, topics, 800); err != nil {
		t.Fatal(err)
	}
	sent := map[string]map[string]bool{"r": {}, "d": {}}
	for topic, keys := range sent {
		for p := range 3 {
			for _, r := range log.Records(topic, p) {
				if keys[string(r.Key)] || len(r.Key) == 0 {
					t.Errorf("two records of topic %s have the key %q", topic, r.Key)
				}
				keys[string(r.Key)] = true
				if delivery := strings.Contains(string(r.Value), "reference.delivery.v1"); delivery != (topic == "d") {
					t.Errorf("topic %s got %s", topic, r.Value)
				}
			}
		}
	}
	if n := len(sent["r"]) + len(sent["d"]); n != data.ReferenceCount || len(sent["r"]) != 315 {
		t.Errorf("%d references and %d deliveries, %d in all", len(sent["r"]), len(sent["d"]), data.ReferenceCount)
	}
}
