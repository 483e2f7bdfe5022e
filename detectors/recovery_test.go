package detectors

import (
	"strings"
	"testing"

	"recoup/invoice"
)

// A14: what comes back decides which loss is worth a case, and not whether what is owed to
// a customer is put right.
func TestRecoveryRateDecides(t *testing.T) {
	e := NewEngine(DefaultSettings(), NewShared(), 0)
	for _, c := range []struct {
		name     string
		loss     invoice.Amount
		recovery RecoveryRate
		worth    bool
	}{
		{"not known: all of it", 60, RecoveryRate{}, true},
		{"half of it", 60, RecoveryRate{0.5, 40}, false},
		{"half of more", 100, RecoveryRate{0.5, 40}, true},
		{"the least, of a large claim", 1000, RecoveryRate{0.05, 40}, true},
		{"owed to the customer", -60, RecoveryRate{0.05, 40}, true},
	} {
		v := &Verdict{Currency: "EUR", PError: 1, Loss: Loss{Point: c.loss * invoice.Unit},
			Model: Model{Recovery: c.recovery}}
		if got := e.worthIt(v); got != c.worth {
			t.Errorf("%s: worth a case %v, want %v", c.name, got, c.worth)
		}
	}
}

// G5: a stored classifier keeps what comes back, as part of its version; one that was
// stored before there was any is read as before.
func TestStoredClassifierKeepsRecovery(t *testing.T) {
	plain := smallClassifier(t)
	rated := smallClassifier(t)
	rated.recovery = RecoveryRate{Rate: 0.4038, Cases: 100}
	for _, m := range []*Classifier{plain, rated} {
		read, err := ParseClassifier(m.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if read.Recovery() != m.recovery || says(read) != says(m) || string(read.Append(nil)) != string(m.Append(nil)) {
			t.Errorf("%+v is read as %+v:\n%s", m.recovery, read.Recovery(), says(read))
		}
	}
	if versionOf(plain.body()) == versionOf(rated.body()) {
		t.Error("a version has two meanings")
	}
	for _, wrong := range []RecoveryRate{{Rate: 1.5, Cases: 20}, {Rate: 0, Cases: 20}, {Rate: -1, Cases: 20}} {
		rated.recovery = wrong
		if _, err := ParseClassifier(rated.Append(nil)); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}
