package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"recoup/internal/config"
	"recoup/internal/kafka"
)

// topicProblems says in words where an existing topic would hurt recoup. A
// setting that is more generous than needed is none, and the topics of others
// may be as their owners like, as far as no invoice is lost by it.
func topicProblems(want config.Topic, is kafka.Topic) []string {
	if !is.Exists {
		return nil
	}
	var problems []string
	if mustMatch := want.LikeInvoices || want.Role == "lead"; mustMatch && is.Partitions != want.Partitions {
		problems = append(problems, fmt.Sprintf("has %d partitions, must have %d", is.Partitions, want.Partitions))
	}
	for _, name := range slices.Sorted(maps.Keys(wrongSettings(want, is))) {
		problems = append(problems, fmt.Sprintf("has %s=%s, should have %s", name, is.Config[name], want.Settings[name]))
	}
	return problems
}

// wrongSettings returns the settings to change, with their right values.
func wrongSettings(want config.Topic, is kafka.Topic) map[string]string {
	wrong := map[string]string{}
	for name, value := range want.Settings {
		found, known := is.Config[name]
		if !known || goodEnough(name, found, value) {
			continue
		}
		if want.Ours || want.Role == "invoices" && name == "cleanup.policy" {
			wrong[name] = value
		}
	}
	return wrong
}

// goodEnough compares a setting's value with the one wanted.
func goodEnough(name, found, want string) bool {
	if name == "cleanup.policy" {
		return slices.Equal(policies(found), policies(want))
	}
	is, err := strconv.ParseFloat(found, 64)
	limit, err2 := strconv.ParseFloat(want, 64)
	if err != nil || err2 != nil {
		return found == want
	}
	switch name {
	case "retention.ms":
		return is < 0 || is >= limit // -1 keeps for ever
	case "max.message.bytes", "min.compaction.lag.ms":
		return is >= limit
	default: // segment.ms, segment.bytes, min.cleanable.dirty.ratio: smaller compacts sooner
		return is <= limit
	}
}

func policies(s string) []string {
	list := strings.Split(strings.ReplaceAll(s, " ", ""), ",")
	slices.Sort(list)
	return list
}

// alterCommand is how Kafka's own tool changes the settings of a topic.
func alterCommand(broker, topic string, settings map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value := settings[name]
		if strings.Contains(value, ",") {
			value = "[" + value + "]"
		}
		pairs = append(pairs, name+"="+value)
	}
	return fmt.Sprintf("kafka-configs --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config %s",
		broker, topic, strings.Join(pairs, ","))
}
