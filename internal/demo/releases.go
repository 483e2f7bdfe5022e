package demo

import (
	"bytes"
	"time"
)

// The billing system is upgraded one Monday morning: boards mark it. The source of the
// bundled invoices tells no release.
var upgraded = time.Date(2011, 6, 27, 0, 0, 0, 0, time.UTC)

const (
	billingSystem = `"source_system":"billing-1",`
	releaseBefore = `"source_release":"4.1",`
	releaseAfter  = `"source_release":"4.2",`
)

// released returns a bundled record, issued a number of weeks later than it was, with the
// release that made it.
func released(record []byte, issued time.Time, weeks int) []byte {
	release := releaseBefore
	if !issued.Before(upgraded.AddDate(0, 0, 7*weeks)) {
		release = releaseAfter
	}
	return bytes.Replace(record, []byte(billingSystem), []byte(billingSystem+release), 1)
}
