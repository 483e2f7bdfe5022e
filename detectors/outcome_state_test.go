package detectors

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"recoup/invoice"
)

// storedSegments are segments of every form, in the order of testdata/segment-2.txt.
func storedSegments() (list []contribution, positions [][]int64) {
	var taught Baseline
	for hour := range int64(12) {
		taught.teach(plan+invoice.Amount(hour%3)*invoice.Unit, 490_000+hour, 2160)
	}
	var shaded rare
	for hour := range int64(9) {
		shaded.shadow.hold(less, 490_012+hour, 2160)
	}
	shaded.shadow.meant = less
	return []contribution{{taught, nil}, {taught, &shaded}, {Baseline{}, &shaded}, {taught, nil}},
		[][]int64{nil, nil, {0, 17}, {5}}
}

// A segment's stored form outlives the program that wrote it (G5): the bytes are kept,
// and what they mean. The first line is the form of version 1.
func TestStoredFormOfSegments(t *testing.T) {
	const path = "testdata/segment-2.txt"
	var lines []string
	list, positions := storedSegments()
	for i, s := range list {
		o := outcomes{learned: positions[i]}
		lines = append(lines, hex.EncodeToString(o.appendSegment(nil, &s.baseline, s.rare)))
	}
	text := strings.Join(lines, "\n") + "\n"
	if *rewriteState {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(kept) {
		t.Errorf("segments are stored as other bytes now; raise stateVersion in pipeline/statecodec.go:\n%s\nwas\n%s",
			text, kept)
	}
	for i, line := range strings.Fields(string(kept)) {
		value, err := hex.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		c, err := decodeContribution(value)
		want := contribution{baseline: list[i].baseline}
		if i > 0 {
			want.rare = &rare{*list[i].rare.held(), positions[i]}
		}
		if err != nil || !reflect.DeepEqual(c, want) {
			t.Errorf("line %d was read as %+v, %v; want %+v", i+1, c, err, want)
		}
		for cut := range value {
			if _, err := decodeContribution(value[:cut]); err == nil && cut != len(list[i].baseline.append(nil)) {
				t.Errorf("line %d, cut at %d of %d, was read", i+1, cut, len(value))
			}
		}
		if _, err := decodeContribution(append(bytes.Clone(value), 0, 0, 0, 0)); err == nil {
			t.Errorf("line %d was read with four bytes too many", i+1)
		}
	}
	if n := len(lines[0]) / 2; n > 64 {
		t.Errorf("a segment without shadow takes %d bytes, want at most 64", n)
	}
}

// Each outcome teaches once, and what the engine learned comes back.
func TestOutcomesAreLearnedOnce(t *testing.T) {
	p := newPlans(false)
	p.days(3, plan, "r1")
	inv := p.bill(less, "r1")
	v := p.judge(inv)
	o := &Outcome{Event: invoice.Position{Partition: 2, Offset: 7}, Kind: NotAnError, At: inv.IssuedAt, Rules: v.Rules}
	before := byKey(p.e)["segment|acme|EUR|B2C|fibre"].own.n
	learned := p.e.Learn(o, inv, v.Source, inv.IssuedAt)
	if p.e.Pass(o.Event); !learned || p.e.Learn(o, inv, v.Source, inv.IssuedAt) {
		t.Error("want it learned before it is passed and not behind")
	}
	if n := byKey(p.e)["segment|acme|EUR|B2C|fibre"].own.n; n != before+1 {
		t.Errorf("the segment was taught %d invoices more, want 1", n-before)
	}
	p.e.Pass(invoice.Position{Partition: 0, Offset: 3})
	again := NewEngine(DefaultSettings(), NewShared(), 0)
	if err := again.RestoreOutcomes(p.e.OutcomeState()); err != nil {
		t.Fatal(err)
	}
	for partition, want := range []int64{4, 0, 8, 0} {
		if got := again.Learned(partition); got != want || p.e.Learned(partition) != want {
			t.Errorf("partition %d: learned up to %d, came back as %d, want %d", partition, p.e.Learned(partition), got, want)
		}
	}
	var after Verdict
	again.Begin(inv, at(1), inv.IssuedAt)
	again.Score(&after)
	if want := inv.IssuedAt.Format(time.RFC3339Nano); after.Model.FeedbackAsOf != want || v.Model.FeedbackAsOf != "" {
		t.Errorf("feedback as of %q, before %q; want %q and none", after.Model.FeedbackAsOf, v.Model.FeedbackAsOf, want)
	}
	for _, damaged := range [][]byte{{1}, {1, 9, 1}, {1, 1, 1, 1}} {
		if again.RestoreOutcomes(damaged) == nil {
			t.Errorf("%v was restored", damaged)
		}
	}
}

// What a restored checkpoint knew of an outcome is left as it is, also when other
// outcomes and invoices make it be written again before the engine gets there.
func TestOutcomeAheadIsNotLearnedTwice(t *testing.T) {
	p := newPlans(false)
	p.days(3, plan, "r1")
	inv := p.bill(less, "r1")
	v := p.judge(inv)
	p.e.Checkpoint(p.offset)
	p.event = 5
	p.decide(NotAnError, inv, v, 0)
	shared := NewShared()
	publish := func(records []StateRecord) {
		for _, r := range records {
			if !r.Shared {
				continue
			}
			if err := shared.Put(r.Key, r.Value, 0, p.offset); err != nil {
				t.Fatal(err)
			}
		}
	}
	publish(p.e.Checkpoint(p.offset)) // and then no marker
	want := byKey(p.e)["segment|acme|EUR|B2C|fibre"].own.n
	for range 2 { // owners that come after, each without a marker
		p.e = NewEngine(DefaultSettings(), shared, 0)
		p.e.AdoptShared()
		p.e.Pass(invoice.Position{Offset: 1})
		p.judge(p.bill(plan, "r1"))
		want++
		publish(p.e.Checkpoint(p.offset))
	}
	p.event = 5
	p.decide(NotAnError, inv, v, 0)
	if n := byKey(p.e)["segment|acme|EUR|B2C|fibre"].own.n; n != want {
		t.Errorf("the segment holds %d invoices, want %d: %s", n, want, fmt.Sprint(p.e.outcomes.learned))
	}
}
