package simulation_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"recoup/cases"
	"recoup/cases/jsonrecord"
	"recoup/pipeline"
	"recoup/sinks/memstore"
)

// at is a place in the invoices: partition and offset.
type at [2]int64

// outcome is what a run leaves behind that must not depend on faults.
type outcome struct {
	ends      []int64 // of the invoices, by partition
	rows      map[at]memstore.Row
	lines     map[[3]int64]memstore.Line // by partition, offset and place on the invoice
	decisions map[at]*pipeline.Decision  // that stand
	dead      map[string]string          // by source
	standing  map[string]string          // last word on each case, without times
	state     map[string]string          // newest record of each key of state and baselines, without its stamp
	wrong     []string                   // what no run may leave, whatever its input
}

func (o *outcome) find(format string, args ...any) {
	o.wrong = append(o.wrong, fmt.Sprintf(format, args...))
}

func (w *world) outcome() *outcome {
	o := &outcome{rows: map[at]memstore.Row{}, lines: map[[3]int64]memstore.Line{}, decisions: map[at]*pipeline.Decision{},
		dead: map[string]string{}, standing: map[string]string{}, state: map[string]string{}}
	committed := w.log.Committed(group, topics.Invoices)
	for p := range w.in.partitions {
		_, end, err := w.log.Bounds(context.Background(), topics.Invoices, p)
		must(err)
		o.ends = append(o.ends, end)
		if committed[p] != end {
			o.find("partition %d is committed up to %d of %d", p, committed[p], end)
		}
		o.readDecisions(p, w.log.Records(topics.Suspects, p))
		o.readState(fmt.Sprintf("state/%d/", p), w.log.Records(topics.State, p))
		o.readState("baselines/", w.log.Records(topics.Baselines, p))
	}
	o.splitSeen()
	o.readRows(w.store)
	o.readCases(w.log.Records(topics.Cases, 0))
	for _, r := range w.log.Records(topics.DeadLetter, 0) {
		var d pipeline.DeadLetter
		must(json.Unmarshal(r.Value, &d))
		o.dead[fmt.Sprintf("%s/%d/%d", d.Topic, d.Partition, d.Offset)] = d.Stage + " " + d.Reason
	}
	return o
}

// G2: one row for each source offset, and its lines once.
func (o *outcome) readRows(s *memstore.Store) {
	for _, r := range s.Rows() {
		key := at{int64(r.Verdict.Source.Partition), r.Verdict.Source.Offset}
		if _, was := o.rows[key]; was {
			o.find("row %v stands twice", key)
		}
		r.Epoch = 0
		o.rows[key] = r
	}
	for _, l := range s.Lines() {
		key := [3]int64{int64(l.Source.Partition), l.Source.Offset, int64(l.Index)}
		if _, was := o.lines[key]; was {
			o.find("line %v stands twice", key)
		}
		l.Epoch = 0
		o.lines[key] = l
	}
}

// readDecisions reads the decision log as everybody does: a record of an epoch below an
// ownership record before it is void, and of two on one offset the first stands.
func (o *outcome) readDecisions(p int, records []pipeline.Record) {
	highest := int64(-1)
	for _, r := range records {
		d := &pipeline.Decision{}
		must(jsonrecord.Unmarshal(r.Value, d))
		if d.Kind == "ownership" {
			highest = r.Offset
			continue
		}
		key := at{int64(p), d.Source.Offset}
		if _, was := o.decisions[key]; d.Verdict != nil && d.Epoch >= highest && !was {
			o.decisions[key] = d
		}
	}
}

// readState keeps what counts: of each key of recoup.state what has the highest epoch, then
// the highest applied offset; of recoup.baselines, where one owner after another writes, what
// no record before it in its partition outdates, whatever its key. Counts are advisory.
func (o *outcome) readState(prefix string, records []pipeline.Record) {
	stamps := map[string][2]int64{}
	for _, r := range records {
		key := prefix + string(r.Key)
		if kind, _, _ := strings.Cut(string(r.Key), "|"); kind == "history" || kind == "met" {
			key = key[:strings.LastIndex(key, "|")] // of two slots the newer one counts
		}
		if strings.HasPrefix(string(r.Key), "count|") {
			continue
		}
		text, after := r.Value, key
		if len(r.Value) == 0 {
			text = r.Stamp
		}
		if prefix == "baselines/" {
			after = prefix
		}
		epoch, n := binary.Varint(text[1:])
		applied, m := binary.Varint(text[1+n:])
		stamp := [2]int64{epoch, applied}
		if was, there := stamps[after]; there && slices.Compare(stamp[:], was[:]) < 0 {
			continue
		}
		stamps[after] = stamp
		if len(r.Value) == 0 {
			delete(o.state, key)
			continue
		}
		o.state[key] = content(string(r.Key), r.Value[1+n+m:])
	}
}

// splitSeen takes the blocks of identities apart: where one ends and the next begins
// depends on when checkpoints were taken.
func (o *outcome) splitSeen() {
	for key, block := range o.state {
		prefix, _, is := strings.Cut(key, "seen|")
		if !is {
			continue
		}
		delete(o.state, key)
		rest := []byte(block)
		uvarint := func() int64 {
			x, n := binary.Uvarint(rest)
			rest = rest[n:]
			return int64(x)
		}
		offset, hour := int64(0), int64(0)
		for range uvarint() {
			offset += uvarint()
			step, n := binary.Varint(rest)
			hour += step
			entry := rest[n:]
			rest = entry[2*8:] // identity and content
			if length := uvarint(); length > 0 {
				rest = rest[8+length-1:] // delivery and number
			}
			o.state[fmt.Sprintf("%sidentity of %d", prefix, offset)] = fmt.Sprint(hour, entry[:len(entry)-len(rest)])
		}
	}
}

// content is what a state record says, without who wrote it.
func content(key string, payload []byte) string {
	if key != "marker" {
		return string(payload)
	}
	var m map[string]any
	must(json.Unmarshal(payload, &m))
	for _, name := range []string{"epoch", "log_position", "sweep_from"} {
		delete(m, name)
	}
	body, err := json.Marshal(m)
	must(err)
	return string(body)
}

// G4: a case has one id, and what is told of it under one seq are the same bytes.
func (o *outcome) readCases(records []pipeline.Record) {
	type head struct {
		DedupKey string       `json:"dedup_key"`
		Seq      int64        `json:"seq"`
		Origin   cases.Origin `json:"origin"`
		body     []byte
	}
	bodies, best := map[string]string{}, map[string]*head{}
	for _, r := range records {
		c := &head{body: r.Value}
		must(jsonrecord.Unmarshal(r.Value, c))
		id := fmt.Sprint(c.DedupKey, " seq ", c.Seq)
		if c.Seq == 1 { // a customer and recoup may find an invoice at the same time: the next record tells
			id += " " + string(c.Origin)
		}
		if was, again := bodies[id]; again && was != string(r.Value) {
			o.find("case %s was published with two contents:\n%s\n%s", id, was, r.Value)
		}
		bodies[id] = string(r.Value)
		if b := best[c.DedupKey]; b == nil || c.Seq >= b.Seq {
			best[c.DedupKey] = c
		}
	}
	for key, last := range best {
		c := &cases.Case{}
		must(jsonrecord.Unmarshal(last.body, c))
		by := cases.Resolver("")
		if c.Resolution != nil {
			by = c.Resolution.By
		}
		o.standing[key] = fmt.Sprintf("%s %s %s resolved %v %s status %q hold %v loss %v flags %v options %d", c.CaseID,
			c.Kind, c.Origin, c.Action == cases.ActionResolve, by, c.Status, c.DunningHold, c.Loss, c.Flags, len(c.Options))
	}
}

// differences says what is wrong with an outcome, and where it differs from the one
// without faults.
func (o *outcome) differences(want *outcome) []string {
	list := slices.Clone(o.wrong)
	list = append(list, compare("row", o.rows, want.rows, same[memstore.Row])...)
	list = append(list, compare("line", o.lines, want.lines, same[memstore.Line])...)
	list = append(list, compare("decision", o.decisions, want.decisions, sameDecision)...)
	list = append(list, compare("dead letter", o.dead, want.dead, same[string])...)
	list = append(list, compare("case", o.standing, want.standing, same[string])...)
	return append(list, compare("state", o.state, want.state, same[string])...)
}

// sameDecision leaves out who decided, and when.
func sameDecision(a, b *pipeline.Decision) bool {
	return same(a.Verdict, b.Verdict) && same(a.Subject, b.Subject) && (a.Case == nil) == (b.Case == nil)
}

// same compares what was decided now with what was read from the log: empty is nil.
func same[V any](a, b V) bool { return reflect.DeepEqual(a, b) || show(a) == show(b) }

func compare[K comparable, V any](what string, got, want map[K]V, same func(V, V) bool) (list []string) {
	for key, v := range want {
		if g, there := got[key]; !there {
			list = append(list, fmt.Sprintf("%s %v is missing", what, key))
		} else if !same(g, v) {
			list = append(list, fmt.Sprintf("%s %v differs: %s", what, key, apart(show(g), show(v))))
		}
	}
	for key := range maps.Keys(got) {
		if _, there := want[key]; !there {
			list = append(list, fmt.Sprintf("%s %v should not be there: %s", what, key, show(got[key])))
		}
	}
	slices.Sort(list)
	return list
}

func show(v any) string {
	if s, is := v.(string); is {
		return fmt.Sprintf("%q", s)
	}
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	return string(body)
}

// apart shows two texts from where they begin to differ.
func apart(got, want string) string {
	from := 0
	for from < min(len(got), len(want)) && got[from] == want[from] {
		from++
	}
	cut := func(s string) string { return s[max(0, from-60):min(len(s), from+200)] }
	return fmt.Sprintf("\n got … %s …\nwant … %s …", cut(got), cut(want))
}
