package pipeline

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"recoup/detectors"
	"recoup/pipeline/model"
)

// models follows the topic of models: of each seller the newest version that this
// recoup can read is the one to judge by, unless one is pinned. The trainer keeps the
// sellers in the topic to detectors.MostTrained; none is refused here, for what made
// room for one may stand in a partition that is read later.
type models struct {
	*tail
	pin string

	changed atomic.Int64 // how often anything changed

	mu      sync.Mutex // guards what follows
	sellers map[string][]storedModel
	shown   map[string]string // by seller: the version that the metrics name
}

// storedModel is one version of a seller's model, nil where it cannot be read.
type storedModel struct {
	version    string
	classifier *detectors.Classifier
	through    time.Time // issue date of the newest invoice it was trained with
	published  time.Time // time of its record
}

// PinPrior pins the way verdicts are made without any model.
const PinPrior = "prior"

// isPrior tells whether a version in a marker or the decision log names the prior,
// of this recoup or another: the one at hand judges then.
func isPrior(version string) bool { return strings.HasPrefix(version, "prior-") }

func newModels(m *Member, partitions int) *models {
	f := &models{pin: m.opt.PinModel, sellers: map[string][]storedModel{}, shown: map[string]string{}}
	f.tail = newTail(m, m.opt.Topics.Models, partitions, f.take)
	return f
}

// take applies what a fetch brought. All versions of a seller stand in one
// partition, so that the last one is the newest.
func (f *models) take(partition int, got *Fetched) {
	for i := range got.Records {
		r := &got.Records[i]
		seller, version, ok := model.SplitKey(r.Key)
		switch {
		case !ok:
			f.m.metrics.Foreign.Inc()
			f.m.opt.Log.Error("passed over a record that is no model", "topic", f.topic, "partition", partition,
				"offset", r.Offset)
		case len(r.Value) == 0:
			f.put(seller, version, nil)
		default:
			stored := f.read(r, seller, version)
			f.put(seller, version, &stored)
		}
	}
}

// read unpacks a model. One that cannot be read stays known as such.
func (f *models) read(r *Record, seller, version string) storedModel {
	stored := storedModel{version: version, published: r.Time}
	record, err := model.Decode(r.Value)
	if err == nil {
		stored.through = record.Through
		stored.classifier, err = record.Classifier()
	}
	if err != nil {
		f.m.metrics.ModelsRefused.Inc()
		f.m.opt.Log.Error("a model cannot be used: the one before it, or the prior, judges", "seller", seller,
			"version", version, "error", err)
	}
	return stored
}

// put makes a version the seller's newest, or removes it (nil).
func (f *models) put(seller, version string, stored *storedModel) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list, known := f.sellers[seller]
	if !known && stored == nil {
		return // compaction took what was deleted
	}
	list = slices.DeleteFunc(slices.Clone(list), func(s storedModel) bool { return s.version == version })
	if stored != nil {
		list = append(list, *stored)
	}
	f.sellers[seller] = list
	if len(list) == 0 {
		delete(f.sellers, seller)
	}
	f.show(seller)
	f.changed.Add(1)
}

// newest returns what is to judge a seller's invoices, nil for the prior. f.mu is held.
func (f *models) newest(seller string) *storedModel {
	if f.pin == PinPrior {
		return nil
	}
	list := f.sellers[seller]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].classifier != nil && (f.pin == "" || f.pin == list[i].version) {
			return &list[i]
		}
	}
	return nil
}

// choice returns, by seller, the version to judge by; those not named have the prior.
func (f *models) choice() map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	chosen := map[string]string{}
	for seller := range f.sellers {
		if s := f.newest(seller); s != nil {
			chosen[seller] = s.version
		}
	}
	return chosen
}

// find returns a version that can be used, nil if it is not there.
func (f *models) find(seller, version string) *detectors.Classifier {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sellers[seller] {
		if s.version == version {
			return s.classifier
		}
	}
	return nil
}

// through returns the issue date of the newest invoice that a seller's usable models
// were trained with, the zero time without any.
func (f *models) through(seller string) (newest time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sellers[seller] {
		if s.classifier != nil {
			newest = later(newest, s.through)
		}
	}
	return newest
}

// dispensable returns, when there is no room for another seller, the one to give
// up: the one whose last model is the oldest, but none of those that are trained.
// Without, "".
func (f *models) dispensable(trained []string) (seller string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.sellers) < detectors.MostTrained {
		return ""
	}
	oldest := time.Time{}
	for _, other := range slices.Sorted(maps.Keys(f.sellers)) {
		list := f.sellers[other]
		at := list[len(list)-1].through
		if !slices.Contains(trained, other) && (seller == "" || at.Before(oldest)) {
			seller, oldest = other, at
		}
	}
	return seller
}

// versions returns the versions of a seller, the oldest first.
func (f *models) versions(seller string) (list []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sellers[seller] {
		list = append(list, s.version)
	}
	return list
}

// show has the metrics name what judges a seller's invoices. f.mu is held.
func (f *models) show(seller string) {
	metrics := f.m.metrics
	if was, ok := f.shown[seller]; ok {
		metrics.Model.DeleteLabelValues(seller, was)
		metrics.ModelTrained.DeleteLabelValues(seller)
		delete(f.shown, seller)
	}
	s := f.newest(seller)
	if s == nil {
		return
	}
	f.shown[seller] = s.version
	metrics.Model.WithLabelValues(seller, s.version).Set(1)
	metrics.ModelTrained.WithLabelValues(seller).Set(float64(s.published.Unix()))
}

// modelSwitch says from which source offset on a seller's invoices are judged by
// which version.
type modelSwitch struct {
	offset          int64
	seller, version string
}

// adoptModels has the invoices from a source offset on judged by the models that
// came meanwhile. Each change is a record of the decision log, acknowledged with
// or before the first decision it made; so a successor knows it. What a former
// owner changed or decided ahead of the offset comes first.
func (w *Worker) adoptModels(offset int64) {
	changed := w.m.models.changed.Load() + 1          // 0 is before the first look
	decided := max(w.decided, w.rows.standing.Load()) // by the log, and by the rows that stand
	if len(w.ahead) > 0 || offset < decided || changed == w.modelsSeen {
		return
	}
	w.modelsSeen = changed
	chosen := w.m.models.choice()
	sellers := map[string]bool{}
	for seller := range chosen {
		sellers[seller] = true
	}
	for seller := range w.judges {
		sellers[seller] = true
	}
	for _, seller := range slices.Sorted(maps.Keys(sellers)) {
		version := chosen[seller]
		if version == w.judges[seller] {
			continue
		}
		if version == "" {
			version = detectors.ModelVersion
		}
		change := modelSwitch{offset: offset, seller: seller, version: version}
		w.announce(change)
		w.judgeBy(change)
	}
}

// announce collects the record of a change.
func (w *Worker) announce(change modelSwitch) {
	d := Decision{Schema: DecisionSchema, Kind: kindModel, Epoch: w.epoch, Source: w.position,
		DetectedAt: w.m.opt.Now().UTC(), Model: &ModelChange{Seller: change.seller, Version: change.version}}
	d.Source.Offset = change.offset
	value, err := d.encode()
	if err != nil {
		panic("a record of two names and numbers cannot be encoded: " + err.Error())
	}
	w.pending.decisions = append(w.pending.decisions, Record{Key: []byte(kindModel), Value: value})
	w.pending.sources = append(w.pending.sources, change.offset)
	w.m.opt.Log.Info("model takes effect", "seller", change.seller, "version", change.version,
		"partition", w.partition, "offset", change.offset)
}

// judgeBy makes a change. A version that is not to be had any more gives way to
// the prior, until the next look at the models.
func (w *Worker) judgeBy(change modelSwitch) {
	if c := w.m.models.find(change.seller, change.version); c != nil {
		w.judges[change.seller] = change.version
		w.engine.UseClassifier(c)
		return
	}
	delete(w.judges, change.seller)
	w.engine.UsePrior(change.seller)
	if isPrior(change.version) {
		return
	}
	w.m.opt.Log.Error("the model that the decision log names is not in the topic of models: the prior judges",
		"seller", change.seller, "version", change.version, "partition", w.partition, "offset", change.offset)
	w.announce(modelSwitch{offset: max(change.offset, w.next), seller: change.seller, version: detectors.ModelVersion})
	w.modelsSeen = 0
}

// reachModels makes the changes of former owners up to a source offset, of each
// seller the last: what judged before it need not be there any more.
func (w *Worker) reachModels(offset int64) {
	n := 0
	for n < len(w.ahead) && w.ahead[n].offset <= offset {
		n++
	}
	reached := w.ahead[:n]
	w.ahead = w.ahead[n:]
	for i, change := range reached {
		same := func(next modelSwitch) bool { return next.seller == change.seller }
		if !slices.ContainsFunc(reached[i+1:], same) {
			w.judgeBy(change)
		}
	}
}

// restoreModels has the engine judge as the marker and the log say at the offset to
// score next.
func (w *Worker) restoreModels(mark marker) {
	var marked []modelSwitch
	for _, seller := range slices.Sorted(maps.Keys(mark.Models)) {
		marked = append(marked, modelSwitch{offset: mark.Offset, seller: seller, version: mark.Models[seller]})
	}
	w.ahead = append(marked, w.ahead...)
	w.reachModels(w.next)
}

// keptUntil returns the offset behind the last one that a former owner decided, by the log.
func keptUntil(kept map[int64]*Decision) (end int64) {
	for offset := range kept {
		end = max(end, offset+1)
	}
	return end
}
