// Package jsonrecord reads JSON records that recoup has written itself: cases, decisions,
// markers.
package jsonrecord

import (
	"encoding/json"

	fast "github.com/segmentio/encoding/json"
)

// mostFast is how many bytes of a record the fast library is given: it goes one call deeper for
// each bracket, and would take all of a stack for twenty million of them.
const mostFast = 1 << 20

// Unmarshal does what json.Unmarshal does to a zero value, which into has to point to, in a
// third of the time. What is wrong, or unusually large, is left to encoding/json, so that errors
// are its own.
func Unmarshal[T any](record []byte, into *T) error {
	if len(record) <= mostFast && fast.Unmarshal(record, into) == nil {
		return nil
	}
	var anew T // what was read so far counts for nothing
	err := json.Unmarshal(record, &anew)
	*into = anew
	return err
}
