package detectors

import (
	"encoding/binary"
	"math"
)

// RecoveryRate is how much of what a seller asks for comes back, as its closed cases
// say. The zero value knows nothing and takes all of it to come back.
type RecoveryRate struct {
	Rate  float64 `json:"rate"`  // share of what is asked for, above 0 to 1; read only with Cases
	Cases int64   `json:"cases"` // closed cases behind Rate; 0: not known
}

// RecoveryRate returns the share of the verdict's stake that is taken to come back. What is
// owed to the customer is no matter of return: it has to be put right.
func (v *Verdict) RecoveryRate() float64 {
	if v.Model.Recovery.Cases == 0 || v.Loss.Point < 0 && !ForeignCurrency(v.Causes) {
		return 1
	}
	return v.Model.Recovery.Rate
}

// Recovered has the next trainings of a seller know how much of what it asks for comes
// back. Its classifiers carry it, so that a change takes effect at a recorded offset.
func (t *Trainer) Recovered(seller string, r RecoveryRate) {
	if s := t.sellers[seller]; s != nil {
		s.recovery = r
	}
}

// Recovery is how much of what its seller asks for comes back, as known when it was
// trained.
func (m *Classifier) Recovery() RecoveryRate { return m.recovery }

// append writes the stored form.
func (r RecoveryRate) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(r.Cases))
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(r.Rate))
}

// recovery reads what append wrote; what cannot be is a fault.
func (r *stateReader) recovery() RecoveryRate {
	read := RecoveryRate{Cases: int64(r.uvarint()), Rate: r.float()}
	r.failed = r.failed || read.Cases <= 0 || !(read.Rate > 0 && read.Rate <= 1)
	return read
}
