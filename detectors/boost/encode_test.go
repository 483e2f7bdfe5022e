package boost

import (
	"bytes"
	"encoding/binary"
	"math"
	"runtime"
	"slices"
	"testing"
)

// stored are forests of all shapes, in their stored form.
func stored(t testing.TB) (forms [][]byte) {
	for _, o := range []Options{
		{Rounds: 1, Depth: 1},
		{Rounds: 9, Depth: 3},
		{Rounds: 3, Depth: 8, LearningRate: 1},
		{Rounds: 2, Depth: 2, Classes: 5},
		{Rounds: 4, MinWeight: 1e9},
	} {
		forms = append(forms, mustTrain(t, blocky(300, 3, max(o.Classes, 2)), o).Append(nil))
	}
	return forms
}

func TestStoredForm(t *testing.T) {
	for i, form := range stored(t) {
		f, err := Parse(form)
		if err != nil {
			t.Fatalf("forest %d: %v", i, err)
		}
		if again := f.Append([]byte("before")); !bytes.Equal(again, append([]byte("before"), form...)) {
			t.Errorf("forest %d changes when it is read and stored again", i)
		}
	}
	set := synthetic(4, 2000, 6, 0.5)
	f := mustTrain(t, set, Options{Rounds: 30, Lambda: 1})
	form := f.Append(nil)
	parsed, err := Parse(form)
	if err != nil {
		t.Fatal(err)
	}
	clear(form) // nothing of it is kept
	if parsed.Width() != f.Width() || parsed.Classes() != f.Classes() {
		t.Errorf("%d features and %d classes came back", parsed.Width(), parsed.Classes())
	}
	if !slices.Equal(logitsOf(parsed, set), logitsOf(f, set)) {
		t.Error("other logits than before")
	}
}

func TestDamagedForm(t *testing.T) {
	form := stored(t)[1]
	for i := range form {
		for bit := range 8 {
			damaged := bytes.Clone(form)
			damaged[i] ^= 1 << bit
			if _, err := Parse(damaged); err == nil {
				t.Fatalf("bit %d of byte %d was changed, and nobody saw", bit, i)
			}
		}
		if _, err := Parse(form[:i]); err == nil {
			t.Fatalf("cut off at %d, and nobody saw", i)
		}
	}
	if _, err := Parse(append(bytes.Clone(form), 0)); err == nil {
		t.Error("a byte too many, and nobody saw")
	}
}

// hostile makes a form with a valid checksum of anything.
func hostile(body []byte) []byte { return seal(append([]byte(forestMark), body...), 0) }

// What a forger writes is refused where using it would panic or give no number.
func TestHostileForm(t *testing.T) {
	float := func(values ...float64) (data []byte) {
		for _, value := range values {
			data = appendFloat(data, value)
		}
		return data
	}
	leaf := func(value float32) []byte {
		return binary.LittleEndian.AppendUint32([]byte{0}, math.Float32bits(value))
	}
	ask := func(feature byte, threshold int32) []byte {
		return binary.LittleEndian.AppendUint32([]byte{feature + 1}, uint32(threshold))
	}
	join := slices.Concat[[]byte]
	head := join([]byte{2, 1, 1, 1}, float(0))
	for _, test := range []struct {
		name string
		body []byte
		good bool
	}{
		{"a leaf", join(head, leaf(1)), true},
		{"a question", join(head, ask(0, 5), leaf(1), leaf(2)), true},
		{"no tree", join([]byte{2, 1, 1, 0}, float(0)), true},
		{"nothing", nil, false},
		{"one class", join([]byte{1, 1, 1, 0}, float(0)), false},
		{"no feature", join([]byte{2, 0, 1, 0}, float(0)), false},
		{"no depth", join([]byte{2, 1, 0, 0}, float(0)), false},
		{"too deep", join([]byte{2, 1, 9, 0}, float(0)), false},
		{"too many trees", join([]byte{2, 1, 8}, binary.AppendUvarint(nil, 1<<40), float(0)), false},
		{"trees that are not there", join([]byte{2, 1, 8}, binary.AppendUvarint(nil, 4096), float(0)), false},
		{"base is not a number", join([]byte{2, 1, 1, 0}, float(math.NaN())), false},
		{"infinite leaf", join(head, leaf(float32(math.Inf(1)))), false},
		{"question below the last level", join(head, ask(0, 5), ask(0, 5), leaf(1), leaf(1), leaf(1)), false},
		{"unknown feature", join(head, ask(1, 5), leaf(1), leaf(2)), false},
		{"threshold is not a number", join(head, ask(0, math.MaxInt32), leaf(1), leaf(2)), false},
		{"threshold is padding", join(head, ask(0, padding), leaf(1), leaf(2)), false},
		{"a child missing", join(head, ask(0, 5), leaf(1)), false},
		{"a leaf too many", join(head, leaf(1), leaf(1)), false},
	} {
		f, err := Parse(hostile(test.body))
		if (err == nil) != test.good {
			t.Errorf("%s: %v", test.name, err)
		}
		if err == nil {
			f.Logit([]float32{1})
		}
	}
}

// The largest forest there can be, and one that only says it were, take no more
// memory than promised.
func TestHostileFormTakesLittleMemory(t *testing.T) {
	head := appendFloat(append([]byte{2, 1, 8}, binary.AppendUvarint(nil, 4096)...), 0)
	leaves := bytes.Repeat([]byte{0, 0, 0, 0, 0}, 4096)
	for _, form := range [][]byte{
		hostile(slices.Concat(head, leaves)),
		hostile(slices.Concat(head, leaves[5:])),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Parse(form)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 13<<20 {
			t.Errorf("%d bytes were taken to read %d, %v", got, len(form), err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, form := range stored(f) {
		f.Add(form[len(forestMark) : len(form)-sumSize])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		forest, err := Parse(hostile(body))
		if err != nil {
			return
		}
		scores := make([]float64, forest.Classes())
		for _, value := range []float32{0, 1, -1, nan, float32(math.Inf(1)), float32(math.Inf(-1))} {
			forest.Scores(slices.Repeat([]float32{value}, forest.Width()), scores)
		}
		for class, score := range scores {
			if !(score >= 0 && score <= 1) {
				t.Errorf("probability %v of class %d", score, class)
			}
		}
		form := forest.Append(nil)
		again, err := Parse(form)
		if err != nil || !bytes.Equal(again.Append(nil), form) {
			t.Errorf("stored again it is another forest: %v", err)
		}
	})
}

func FuzzParseCalibration(f *testing.F) {
	f.Add((&Isotonic{knots: []knot{{-1, -3}, {2, 1}}}).Append(nil)[len(isotonicMark):])
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := ParseIsotonic(seal(append([]byte(isotonicMark), body...), 0))
		if err != nil {
			return
		}
		last := math.Inf(-1)
		for _, logit := range []float64{-1e9, -700, -5, -1, 0, 0.5, 3, 40, 1e9} {
			calibrated := c.Logit(logit)
			if !(calibrated >= last && calibrated < math.Inf(1)) {
				t.Errorf("%+v: logit %v became %v, behind %v", c, logit, calibrated, last)
			}
			last = calibrated
		}
	})
}
