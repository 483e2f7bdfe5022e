package detectors

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"
)

// caseNamespace makes case ids: UUID version 5 of the dedup key within it.
var caseNamespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("recoup:case"))

// maxKeyPart is the longest part of a dedup key that is written out, in characters.
const maxKeyPart = 64

// IncidentKey is the dedup key of the incident that a value of a dimension has on
// the UTC day its first member was issued: every partition and the case stage name
// the same. dimension is the name of a Dimension. cases.IncidentKey is the same.
func IncidentKey(seller, dimension, value string, day time.Time) string {
	return dedupPart(seller) + "|incident|" + dimension + "=" + dedupPart(value) + "|" + day.UTC().Format(time.DateOnly)
}

// IncidentID is the id of an incident and of its case, by its key. cases.ID is the same.
func IncidentID(key string) string { return uuid.NewSHA1(caseNamespace, []byte(key)).String() }

// dedupPart writes a part of a dedup key, by its hash where it is long or could be
// read as two.
func dedupPart(s string) string {
	if utf8.RuneCountInString(s) <= maxKeyPart && !strings.Contains(s, "|") {
		return s
	}
	return fmt.Sprintf("h%016x", xxhash.Sum64String(s))
}
