package cases

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors"
)

// Kind says what a case is about.
type Kind string

// The kinds of the contract.
const (
	KindInvoice  Kind = "invoice"  // one invoice
	KindIncident Kind = "incident" // a cause that many invoices share
	KindRate     Kind = "rate"     // a segment with more errors than ever
	KindBlind    Kind = "blind"    // a source recoup cannot see
)

// maxKeyPart is the longest part of a dedup key that is written out, in characters.
const maxKeyPart = 64

// DedupKey names the one case an invoice can have: no cause in it, so that a
// changed mind updates the case instead of opening a second one. A part of any
// key that is longer than 64 characters, or that holds a separator and could be
// read as two, is replaced by its hash.
func DedupKey(seller, invoiceID string, revision int64) string {
	return key(seller, KindInvoice, keyPart(invoiceID), "r"+strconv.FormatInt(revision, 10))
}

// IncidentKey names the case of a shared cause: the invoices of a seller that
// have one value of a dimension, such as release or batch, from the day on which
// it was first seen. Workers name it alike.
func IncidentKey(seller, dimension, value string, firstSeen time.Time) string {
	return detectors.IncidentKey(seller, dimension, value, firstSeen)
}

// RateKey names the case of a segment with too many errors of one direction.
func RateKey(seller, segment string, direction detectors.Direction) string {
	return key(seller, KindRate, keyPart(segment), string(direction))
}

// BlindKey names the case of a source recoup cannot see.
func BlindKey(seller, sourceSystem string) string {
	return key(seller, KindBlind, keyPart(sourceSystem))
}

// ID is the case id of a dedup key: a name-based UUID, the same after any crash.
func ID(dedupKey string) string { return detectors.IncidentID(dedupKey) }

// key joins the parts of a dedup key; all but the seller are safe already.
func key(seller string, kind Kind, parts ...string) string {
	return keyPart(seller) + "|" + string(kind) + "|" + strings.Join(parts, "|")
}

func keyPart(s string) string {
	if utf8.RuneCountInString(s) <= maxKeyPart && !strings.Contains(s, "|") {
		return s
	}
	return fmt.Sprintf("h%016x", xxhash.Sum64String(s))
}
