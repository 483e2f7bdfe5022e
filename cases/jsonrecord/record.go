// Package jsonrecord reads JSON records that recoup has written itself: cases, decisions,
// markers.
package jsonrecord

import (
	"bytes"
	"encoding/json"

	fast "github.com/segmentio/encoding/json"
)

// mostDeep is how deep encoding/json lets brackets stand in each other. The fast library goes two calls
// deeper for each: a million of them, 1 MiB, took 700 MiB of stack.
const mostDeep = 10_000

// Unmarshal does what json.Unmarshal does to a zero value, which into has to point to, in a
// third of the time. What is wrong, or may be too deep, is left to encoding/json, so that errors
// are its own.
func Unmarshal[T any](record []byte, into *T) error {
	deepest := bytes.Count(record, []byte{'['}) + bytes.Count(record, []byte{'{'})
	if deepest <= mostDeep && fast.Unmarshal(record, into) == nil {
		return nil
	}
	var anew T // what was read so far counts for nothing
	err := json.Unmarshal(record, &anew)
	*into = anew
	return err
}
