package detectors

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors/boost"
)

// Classifier turns the evidence on an invoice of one seller into a calibrated
// probability of an error, and into how probable each cause is if it is one. It
// is immutable; engines may share one.
type Classifier struct {
	seller    string
	threshold float64 // p_error from which a suspect was right in four of five cases
	baseRate  float64 // share of errors among the seller's invoices, estimated
	rows      uint32  // examples it was trained on
	forest    *boost.Forest
	curve     *boost.Isotonic // from the forest's logit to the log of the density ratio, see p
	causes    *boost.Forest
	version   string
	usual     float64 // p of an invoice whose evidence passes no gate
	feedback  feedback
	recovery  RecoveryRate
}

// causeCodes are the causes that the classifier tells apart, in the order of its
// classes.
var causeCodes = [...]string{CauseDataEntry, CauseBillingSystem, CausePromotion, CauseCRMSync, CauseDuplicate,
	CauseBeforeShipment, CauseMissingAdminData}

// Seller is whose invoices it judges.
func (m *Classifier) Seller() string { return m.seller }

// Version names it: "trained-" and 16 hex digits of what it consists of.
func (m *Classifier) Version() string { return m.version }

// Threshold is the p_error, 0 to 1, from which an invoice is suspect by default:
// with it four of five suspects were right in training.
func (m *Classifier) Threshold() float64 { return m.threshold }

// BaseRate is the share of errors among the seller's invoices as training
// estimated it, 0 to 1.
func (m *Classifier) BaseRate() float64 { return m.baseRate }

// Examples is how many usual and altered invoices it was trained on.
func (m *Classifier) Examples() int { return int(m.rows) }

// UsePrior has the invoices of a seller judged without a classifier from the next
// Score on.
func (e *Engine) UsePrior(seller string) { delete(e.classifiers, seller) }

// p returns the probability of an error.
func (m *Classifier) p(x *[features]float32) float64 { return m.calibrated(m.forest.Logit(x[:])) }

// calibrated turns a logit into a probability: base rate × density of injected
// errors over density of the seller's real invoices, errors included. The curve
// was fitted with these weights, so that its odds are that ratio. It underrates
// what is clear, as the real rows hold errors of just that kind: beyond 0.4 it rises
// faster, towards 0.99 without reaching it, so that the order stays.
func (m *Classifier) calibrated(logit float64) float64 {
	const straight, most, scale = 0.4, 0.99, 0.25
	r := math.Exp(min(m.curve.Logit(logit), 50))
	if r > straight {
		r = straight + (most-straight)*(1-math.Exp((straight-r)/scale))
	}
	return m.feedback.adjusted(r)
}

// causeOf fills dst with the probability of each cause, given an error.
func (m *Classifier) causeOf(x *[features]float32, dst *[len(causeCodes)]float64) {
	m.causes.Scores(x[:], dst[:])
	m.feedback.weigh(dst)
}

// classifierMark begins the stored form. Its last byte rises whenever features
// change their meaning or the form changes: such a classifier must be trained anew.
const classifierMark = "rcM\x04"

// recoveryMark begins the form that has a RecoveryRate before all else. Its last byte
// rises with the other's.
const recoveryMark = "rcR\x04"

// Append adds the stored form, which ParseClassifier reads.
func (m *Classifier) Append(dst []byte) []byte {
	body := m.body()
	dst = append(dst, body...)
	return binary.LittleEndian.AppendUint64(dst, xxhash.Sum64(body))
}

func (m *Classifier) body() []byte {
	dst := []byte(classifierMark)
	if m.recovery.Cases > 0 {
		dst = m.recovery.append([]byte(recoveryMark))
	}
	dst = binary.AppendUvarint(dst, uint64(features))
	dst = appendBytes(dst, []byte(m.seller))
	for _, f := range [...]float64{m.threshold, m.baseRate, m.usual} {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
	}
	dst = binary.AppendUvarint(dst, uint64(m.rows))
	dst = appendBytes(dst, m.forest.Append(nil))
	dst = appendBytes(dst, m.curve.Append(nil))
	return m.feedback.append(appendBytes(dst, m.causes.Append(nil)))
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// ParseClassifier reads what Append wrote; it keeps nothing of data. Damaged
// bytes and those of other versions give an error.
func ParseClassifier(data []byte) (*Classifier, error) {
	mark := string(data[:min(len(data), len(classifierMark))])
	if mark != classifierMark && mark != recoveryMark || len(data) < len(mark)+8 {
		return nil, fmt.Errorf("cannot read the model: it is none, or one of another version of recoup; train it anew")
	}
	body := data[:len(data)-8]
	if binary.LittleEndian.Uint64(data[len(body):]) != xxhash.Sum64(body) {
		return nil, fmt.Errorf("cannot read the model: it is damaged (its checksum differs)")
	}
	r := stateReader{rest: body[len(mark):]}
	m := &Classifier{}
	if mark == recoveryMark {
		m.recovery = r.recovery()
	}
	if n := r.uvarint(); n != uint64(features) {
		return nil, fmt.Errorf("cannot read the model: it reads %d features of an invoice, this recoup has %d; "+
			"train it anew", n, features)
	}
	m.seller = string(r.bytes(r.uvarint()))
	for _, f := range [...]*float64{&m.threshold, &m.baseRate, &m.usual} {
		*f = math.Float64frombits(r.fixed())
	}
	m.rows = uint32(r.uvarint())
	forest, curve, causes := r.bytes(r.uvarint()), r.bytes(r.uvarint()), r.bytes(r.uvarint())
	m.feedback = r.feedback()
	if r.failed || len(r.rest) > 0 || !(m.threshold > 0 && m.threshold <= 1) || !(m.usual >= 0 && m.usual <= 1) {
		return nil, fmt.Errorf("cannot read the model: it is cut off or damaged")
	}
	var err error
	if m.forest, err = boost.Parse(forest); err != nil {
		return nil, fmt.Errorf("cannot read the model: %w", err)
	}
	if m.curve, err = boost.ParseIsotonic(curve); err != nil {
		return nil, fmt.Errorf("cannot read the model: %w", err)
	}
	if m.causes, err = boost.Parse(causes); err != nil {
		return nil, fmt.Errorf("cannot read the model: %w", err)
	}
	if m.forest.Width() != int(features) || m.causes.Width() != int(features) || m.forest.Classes() != 2 ||
		m.causes.Classes() != len(causeCodes) {
		return nil, fmt.Errorf("cannot read the model: its trees do not fit; train it anew")
	}
	m.version = versionOf(body)
	return m, nil
}

func versionOf(body []byte) string { return fmt.Sprintf("trained-%016x", xxhash.Sum64(body)) }
