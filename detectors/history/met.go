package history

// Met is a segment that the partition met: which ones there are decides whose baselines
// it keeps. They stand here and not with the baselines because replay must find them as
// they were at the marker: then it forgets what was forgotten, whatever of a later
// checkpoint was stored.
type Met struct {
	Hour int32 // event time of the newest invoice, hours since 1970
}

// Meet notes that a segment was met, and returns its place. Where that makes too many of them,
// those not met for longest are forgotten first. place is what Meet returned for the segment
// before, 0 if nothing: there may be millions, and a search saved is a wait for memory saved.
func (s *Store) Meet(segment uint64, hour int32, place uint32) uint32 {
	var known *Met
	if place = s.met.place(segment, place); place != 0 {
		if known = &s.met.slot(place - 1).item; known.Hour >= hour {
			return place
		}
	}
	s.met.touch(segment, known).Hour = hour
	return s.met.place(segment, place)
}

// Meets tells whether a segment was met at an hour or later, and is not forgotten.
func (s *Store) Meets(segment uint64, hour int32) bool {
	known := s.met.find(segment)
	return known != nil && known.Hour >= hour
}

// OnForget has f told of each segment that is forgotten.
func (s *Store) OnForget(f func(segment uint64)) { s.met.forgot = f }

func (c *coder) met(m *Met) { signed(c, &m.Hour) }
