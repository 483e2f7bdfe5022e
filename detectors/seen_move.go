package detectors

import "fmt"

// MoveState returns a local state record with all source offsets moved: so the state of
// one partition becomes that of another, in which everything was met below offset 0.
// Key and value are those of a StateRecord.
func MoveState(key, value []byte, by int64) (movedKey, movedValue []byte, err error) {
	first, ok := parseSeenKey(key)
	if !ok {
		return key, value, nil // the history knows no offsets
	}
	b, err := decodeSeenBlock(value, first)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot move state key %q: %w; delete the key to go on without its invoices", key, err)
	}
	for i := range b.entries {
		b.entries[i].offset += by
	}
	return seenKey(first + by), b.append(nil), nil
}
