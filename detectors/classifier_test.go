package detectors

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"recoup/detectors/boost"
)

// smallClassifier is trained on next to nothing.
func smallClassifier(t *testing.T) *Classifier {
	t.Helper()
	set := &boost.Set{Width: int(features)}
	for row := range 64 {
		x := exampleRow(row)
		set.X, set.Y = append(set.X, x[:]...), append(set.Y, uint8(row/8%2))
	}
	m := &Classifier{seller: "acme", threshold: 0.375, baseRate: 0.03125, rows: 64}
	var err error
	if m.forest, err = boost.Train(set, boost.Options{Rounds: 2, Depth: 2}); err != nil {
		t.Fatal(err)
	}
	logits := make([]float64, len(set.Y))
	for row := range logits {
		x := exampleRow(row)
		logits[row] = m.forest.Logit(x[:])
	}
	if m.curve, err = boost.FitIsotonic(logits, set.Y, nil); err != nil {
		t.Fatal(err)
	}
	for row := range set.Y {
		set.Y[row] = uint8(row % len(causeCodes))
	}
	if m.causes, err = boost.Train(set, boost.Options{Rounds: 1, Depth: 2, Classes: len(causeCodes)}); err != nil {
		t.Fatal(err)
	}
	return m
}

func exampleRow(row int) (x [features]float32) {
	for f := range x {
		x[f] = float32((row*(f+3) + row/8) % 16)
	}
	return x
}

// says is what a classifier is, and what it says of some rows.
func says(m *Classifier) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seller %s, suspect from %g, base rate %g, %d examples\n", m.seller, m.threshold, m.baseRate, m.rows)
	for row := range 4 {
		x := exampleRow(9 * row)
		logit := m.forest.Logit(x[:])
		var causes [len(causeCodes)]float64
		m.causeOf(&x, &causes)
		fmt.Fprintf(&b, "row %d: logit %.9f, calibrated %.9f, causes %.6f\n", row, logit, m.curve.Logit(logit), causes)
	}
	return b.String()
}

// The stored form of a classifier is kept as bytes and as what they say: the topic
// of models outlives the program that wrote it. Who changes the form, or what
// features mean, raises the last byte of classifierMark and writes a new file; old
// models are then refused and trained anew, not misread (G5).
func TestStoredClassifierIsKept(t *testing.T) {
	path := fmt.Sprintf("testdata/classifier-%d.txt", classifierMark[len(classifierMark)-1])
	if flag.Lookup("rewrite").Value.String() == "true" {
		m := smallClassifier(t)
		var lines []string
		for part := range slices.Chunk(m.Append(nil), 60) {
			lines = append(lines, hex.EncodeToString(part))
		}
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n\n"+says(m)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no stored form is kept of this version: go test ./detectors -run StoredClassifier -rewrite: %v", err)
	}
	digits, want, _ := strings.Cut(string(kept), "\n\n")
	stored, err := hex.DecodeString(strings.ReplaceAll(digits, "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	const fix = "raise the last byte of classifierMark, and go test ./detectors -run StoredClassifier -rewrite"
	m, err := ParseClassifier(stored)
	if err != nil {
		t.Fatalf("a model stored before is not read any more: %v; if that is meant, %s", err, fix)
	}
	if got := says(m); got != want {
		t.Errorf("the bytes mean something else now; %s:\n%s\nwas\n%s", fix, got, want)
	}
	if got := m.Append(nil); string(got) != string(stored) {
		t.Errorf("the same model is stored as other bytes now; %s:\n%x\nwere\n%x", fix, got, stored)
	}
}
