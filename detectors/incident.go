package detectors

import (
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"

	"recoup/detectors/history"
)

// signalWords say what is wrong with the invoices of a source, by signal; "" is no
// sign of a shared cause by itself.
var signalWords = [history.Signals]string{
	"lines that do not add up", "lines that are not quantity × price", "a tax rate that is new",
	"a currency that is new", "nothing to pay", "mostly unknown prices of many products",
	"lists that end early",
	"fewer lines than delivered",
}

// signalTax is the signal of a tax rate that is new.
const signalTax = 2

// casesBeforeBundle is how many members of an incident get cases of their own: so
// many were decided before the shared cause could be seen, and they are examples
// of it.
const casesBeforeBundle = history.RunLeast

// joinIncident has a suspect share the incident of its source, release or batch,
// if the ones just before it had the same trouble: one shared cause is one
// incident and no case for each of hundreds of invoices. It returns how many
// members came so far, this one counted; 0 for none.
//
// The id follows from seller, source, trouble and the day it began, so that every
// partition that sees the same trouble names the same incident.
func (e *Engine) joinIncident(v *Verdict) int {
	c := &e.cur
	f := &c.ev.facts
	if !v.Suspect || len(v.Causes) == 0 || f.Known.Source == nil {
		return 0
	}
	for signal, words := range signalWords {
		if f.Signals[signal] == 0 || words == "" {
			continue
		}
		run, shared := f.Known.Source.Joins(signal, f)
		if !shared {
			continue
		}
		dimension, value := "source", c.inv.SourceSystem
		if c.inv.SourceRelease != "" {
			dimension, value = "release", c.inv.SourceRelease
		}
		day := time.Unix(int64(run.Since)*3600, 0).UTC().Format(time.DateOnly)
		key := fmt.Sprintf("%s|%s|%s=%s|%d|%s", v.Seller, c.inv.SourceSystem, dimension, value, signal, day)
		v.IncidentID = fmt.Sprintf("i%016x", xxhash.Sum64String(key))
		first := &v.Causes[0]
		first.Evidence = append(first.Evidence, fmt.Sprintf("%d suspects of %s %q since %s have %s",
			run.Invoices, dimension, value, day, words))
		return int(run.Invoices)
	}
	return 0
}
