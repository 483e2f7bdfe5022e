package pipeline

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"recoup/cases/jsonrecord"
	"recoup/detectors"
)

// stateVersion is the first byte of every value in recoup.state and
// recoup.baselines; an unknown one is refused rather than guessed at. Version 1 knows
// neither shadows nor outcomes, and is read as one where there are none.
const stateVersion = 2

// markerKey is the key of a partition's marker in recoup.state.
const markerKey = "marker"

// stamp says who wrote a state record and how far its content reaches. Of two
// records of one key the higher epoch wins, then the higher applied offset,
// whatever their order in the log: a paused owner may write late.
type stamp struct {
	epoch   int64 // log offset of the writer's ownership record
	applied int64 // every source offset below it is contained
}

// supersedes reports whether a record with stamp s replaces one with stamp old.
func (s stamp) supersedes(old stamp) bool {
	if s.epoch != old.epoch {
		return s.epoch > old.epoch
	}
	return s.applied >= old.applied
}

// unstamped is the stamp of a tombstone that an older recoup wrote: nobody knows whose it is.
var unstamped = stamp{epoch: -1}

// late reports whether a record does not count because one with stamp before stands before
// it. What tells no stamp counts.
func (s stamp) late(before stamp) bool { return s != unstamped && !s.supersedes(before) }

// stateRecord is what is written of a key; a nil payload makes a tombstone.
func stateRecord(key []byte, s stamp, payload []byte) Record {
	if payload == nil {
		return Record{Key: key, Stamp: encodeState(s, nil)}
	}
	return Record{Key: key, Value: encodeState(s, payload)}
}

// stamped splits a record into stamp and payload, nil of a tombstone; payload points into it.
func (r *Record) stamped() (stamp, []byte, error) {
	switch {
	case len(r.Value) > 0:
		return decodeState(r.Value)
	case r.Stamp == nil:
		return unstamped, nil, nil
	}
	at, _, err := decodeState(r.Stamp)
	return at, nil, err
}

// encodeState puts the stamp before the payload.
func encodeState(s stamp, payload []byte) []byte {
	out := make([]byte, 0, 1+2*binary.MaxVarintLen64+len(payload))
	out = append(out, stateVersion)
	out = binary.AppendVarint(out, s.epoch)
	out = binary.AppendVarint(out, s.applied)
	return append(out, payload...)
}

// decodeState splits a value into stamp and payload; payload points into value.
func decodeState(value []byte) (stamp, []byte, error) {
	if len(value) == 0 {
		return stamp{}, nil, fmt.Errorf("cannot read state record: it is empty")
	}
	if value[0] != 1 && value[0] != stateVersion {
		err := fmt.Errorf("cannot read state record: version %d, this recoup knows %d", value[0], stateVersion)
		if value[0] == stateVersion+1 {
			err = fmt.Errorf("%w: %w; run the newer recoup that wrote it", errRefused, err)
		}
		return stamp{}, nil, err
	}
	rest := value[1:]
	epoch, n := binary.Varint(rest)
	if n <= 0 {
		return stamp{}, nil, fmt.Errorf("cannot read state record: its epoch is cut off")
	}
	rest = rest[n:]
	applied, n := binary.Varint(rest)
	if n <= 0 {
		return stamp{}, nil, fmt.Errorf("cannot read state record: its applied offset is cut off")
	}
	return stamp{epoch: epoch, applied: applied}, rest[n:], nil
}

// sharedKey is the key of a contribution in recoup.baselines: the segment's
// natural key and the source partition the contribution was learned from.
func sharedKey(key []byte, partition int) []byte {
	return strconv.AppendInt(append(append([]byte{}, key...), "|p"...), int64(partition), 10)
}

// splitSharedKey takes a key of recoup.baselines apart again.
func splitSharedKey(key []byte) (natural []byte, partition int, err error) {
	s := string(key)
	cut := strings.LastIndex(s, "|p")
	if cut < 0 {
		return nil, 0, fmt.Errorf("cannot read baseline key %q: it names no source partition", s)
	}
	partition, err = strconv.Atoi(s[cut+2:])
	if err != nil || partition < 0 {
		return nil, 0, fmt.Errorf("cannot read baseline key %q: its source partition is not a number", s)
	}
	return key[:cut], partition, nil
}

// marker closes a checkpoint: everything a successor needs besides the keyed
// records themselves. It is written last.
type marker struct {
	Offset      int64  `json:"offset"`         // t: the checkpoint holds every source offset below it
	Epoch       int64  `json:"epoch"`          // of the owner that wrote it
	Incarnation int64  `json:"incarnation"`    // of the source topic
	Partitions  int    `json:"partitions"`     // of the source topic, to notice a changed count
	LogPosition int64  `json:"log_position"`   // of the first decision whose source offset is t or above
	HighMarks   []byte `json:"high_marks"`     // newest plausible event time per seller
	Runs        []byte `json:"runs,omitempty"` // runs of suspects that have a value in common
	BeforeAt    int64  `json:"before_at"`      // offset of the last record below t, -1 for none
	SweepFrom   int64  `json:"sweep_from"`     // doubled rows may stand from here on; -1: it was looked for
	BeforeHash  uint64 `json:"before_hash"`    // of that record's value: notices a recreated topic
	// ResetTo is the incarnation that a reset of all partitions raises them to, from its
	// beginning to its end; 0: none is under way. Only that of partition 0 counts.
	ResetTo int64 `json:"reset_to,omitempty"`
	// Outcomes says which ones were learned, as the engine writes it; nil: none.
	Outcomes []byte `json:"outcomes,omitempty"`
	// Models is the version that judges a seller's invoices at t, by seller.
	Models map[string]string `json:"models,omitempty"`
	// writtenAt is the time of its record.
	writtenAt time.Time
	// Budget is that of its writer; none: of one that had none.
	Budget detectors.Budget `json:"budget,omitzero"`
	// Met says that the state notes every segment that was met below t. Where it does not,
	// of a recoup that did not say so or noted none, what has a baseline counts as met.
	Met bool `json:"met,omitempty"`
}

// record is the marker as the owner of an epoch writes it, his own or the one he took over.
func (m marker) record(epoch int64) (Record, error) {
	payload, err := json.Marshal(m)
	if err != nil {
		return Record{}, fmt.Errorf("cannot encode marker: %w", err)
	}
	return Record{Key: []byte(markerKey), Value: encodeState(stamp{epoch: epoch, applied: m.Offset}, payload)}, nil
}

func decodeMarker(payload []byte) (marker, error) {
	var m marker
	if err := jsonrecord.Unmarshal(payload, &m); err != nil {
		return marker{}, fmt.Errorf("cannot read marker %q: %w", payload, err)
	}
	return m, nil
}
