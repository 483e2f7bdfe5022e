package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/internal/kafka"
	"recoup/pipeline"
	"recoup/pipeline/model"
)

// models says which model judges, and names those that cannot be read.
func (x *examination) models(ctx context.Context, client *kafka.Client) {
	topic, pin := x.settings.Kafka.Topics.Models, x.settings.Models.Pin
	newest, err := newestModels(ctx, client.Log(), topic, pin)
	if errors.Is(err, pipeline.ErrNoTopic) {
		return // the check of the topics says it
	}
	if err != nil {
		x.failed("models", err, "let this user read "+topic)
		return
	}
	if pin == pipeline.PinPrior {
		x.ok("models", "the prior is pinned (models.pin)")
		return
	}
	var names []string
	readable := true
	for _, seller := range slices.Sorted(maps.Keys(newest)) {
		found := newest[seller]
		if found.err != nil {
			readable = false
			x.wrong("models", fmt.Sprintf("the newest model of %s cannot be used: %v", seller, found.err),
				"run the recoup that trained it, or wait for the next training; until then the one before it, or the prior, judges")
			continue
		}
		names = append(names, fmt.Sprintf("%s %s (invoices to %s)", seller, found.record.Version,
			found.record.Through.Format(time.DateOnly)))
	}
	switch {
	case pin != "" && len(names) == 0:
		x.wrong("models", fmt.Sprintf("model %s (models.pin) is not in %s: the prior judges", pin, topic),
			"pin one that is there, or take models.pin out")
	case len(names) > 0:
		x.ok("models", "%s", strings.Join(names, ", "))
	case readable:
		x.ok("models", "none is trained: %s judges", detectors.ModelVersion)
	}
}

// modelFound is a stored model, or why it cannot be used.
type modelFound struct {
	record *model.Record
	err    error
}

// newestModels reads the newest model of each seller, or the pinned version alone.
func newestModels(ctx context.Context, log pipeline.Log, topic, pin string) (map[string]modelFound, error) {
	partitions, err := log.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	all := map[string][]modelFound{} // by seller, the oldest first
	for p := range partitions {
		start, end, err := log.Bounds(ctx, topic, p)
		if err != nil {
			return nil, err
		}
		err = scanFrom(ctx, log, topic, p, start, end, func(r *pipeline.Record) (bool, error) {
			seller, version, ok := model.SplitKey(r.Key)
			if !ok {
				return true, nil
			}
			all[seller] = slices.DeleteFunc(all[seller], func(f modelFound) bool { return f.record.Version == version })
			if len(r.Value) > 0 && (pin == "" || pin == version) {
				all[seller] = append(all[seller], readModel(r.Value, version))
			}
			return true, nil
		})
		if err != nil {
			return nil, err
		}
	}
	newest := map[string]modelFound{}
	for seller, list := range all {
		if n := len(list); n > 0 {
			newest[seller] = list[n-1]
		}
	}
	return newest, nil
}

func readModel(value []byte, version string) modelFound {
	r, err := model.Decode(value)
	if err != nil {
		return modelFound{&model.Record{Version: version}, err}
	}
	_, err = r.Classifier()
	return modelFound{r, err}
}
