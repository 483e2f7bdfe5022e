package history

// Met is a segment that the partition met: which ones there are decides whose baselines
// it keeps. They stand here and not with the baselines because replay must find them as
// they were at the marker: then it forgets what was forgotten, whatever of a later
// checkpoint was stored.
type Met struct {
	Hour int32 // event time of the newest invoice, hours since 1970
}

// Meet notes that a segment was met. Where it makes too many of them, those not met for
// longest are forgotten first.
func (s *Store) Meet(segment uint64, hour int32) {
	known := s.met.find(segment)
	if known != nil && known.Hour >= hour {
		return // as nearly always: nothing has to be written
	}
	s.met.touch(segment, known).Hour = hour
}

// Meets tells whether a segment was met at an hour or later, and is not forgotten.
func (s *Store) Meets(segment uint64, hour int32) bool {
	known := s.met.find(segment)
	return known != nil && known.Hour >= hour
}

// OnForget has f told of each segment that is forgotten.
func (s *Store) OnForget(f func(segment uint64)) { s.met.forgot = f }

func (c *coder) met(m *Met) { signed(c, &m.Hour) }
