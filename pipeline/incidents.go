package pipeline

import (
	"bytes"
	"sync"

	"recoup/cases"
	"recoup/cases/jsonrecord"
	"recoup/detectors"
)

// incidentsFollower reads the open incidents out of recoup.cases: suspects of their
// value become their members and open no case of their own.
type incidentsFollower struct {
	*tail
	book *detectors.Incidents

	mu   sync.Mutex       // guards seqs
	seqs map[string]int64 // highest seq by case id; the records of incidents are few
}

func newIncidentsFollower(m *Member) *incidentsFollower {
	f := &incidentsFollower{book: detectors.NewIncidents(), seqs: map[string]int64{}}
	f.tail = newTail(m, m.opt.Topics.Cases, m.casePartitions, f.take)
	return f
}

// ofIncident is in every record of an incident, and in hardly any other.
var ofIncident = []byte(`"kind":"incident"`)

func (f *incidentsFollower) take(_ int, got *Fetched) {
	for i := range got.Records {
		if r := &got.Records[i]; bytes.Contains(r.Value, ofIncident) {
			var c cases.Case
			if err := jsonrecord.Unmarshal(r.Value, &c); err == nil && c.Kind == cases.KindIncident && c.Incident != nil {
				f.see(&c)
			}
		}
	}
}

// see opens or closes an incident, unless a later record did.
func (f *incidentsFollower) see(c *cases.Case) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.Seq < f.seqs[c.CaseID] {
		return
	}
	f.seqs[c.CaseID] = c.Seq
	d, known := detectors.ParseDimension(c.Incident.Dimension)
	if c.Action == cases.ActionResolve || !known {
		f.book.Close(c.CaseID)
		return
	}
	f.book.Open(detectors.OpenIncident{ID: c.CaseID, Causes: c.Incident.Causes, Since: c.Incident.Since,
		Until: c.Incident.Latest(),
		Value: detectors.Value{Seller: c.Incident.Seller, Dimension: d, Name: c.Incident.Value}})
}
