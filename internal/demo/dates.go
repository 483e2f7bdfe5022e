package demo

import (
	"regexp"
	"time"
)

// lastIssued is the day of the newest bundled invoice.
var lastIssued = time.Date(2011, 7, 28, 0, 0, 0, 0, time.UTC)

// isoDate is a JSON string that begins with a date and holds nothing but an instant.
var isoDate = regexp.MustCompile(`"\d{4}-\d\d-\d\d(T[0-9:.]+(Z|[+-]\d\d:\d\d))?"`)

// weeksUntil is how many whole weeks the bundled dates have to move so that the last
// invoice was issued in the week before now. Weekdays stay what they are. A claim on
// the invoices as they are would be too old to be brought.
func weeksUntil(now time.Time) int {
	return int(now.Sub(lastIssued.Add(24*time.Hour)) / (7 * 24 * time.Hour))
}

// moved returns a bundled record with all its dates a number of weeks later. The
// result shares nothing with the record.
func moved(record []byte, weeks int) []byte {
	return isoDate.ReplaceAllFunc(record, func(text []byte) []byte {
		const quote = 1
		day, err := time.Parse(time.DateOnly, string(text[quote:quote+len(time.DateOnly)]))
		if err != nil {
			return text // no date after all, such as a 30 February
		}
		later := day.AddDate(0, 0, 7*weeks).Format(time.DateOnly)
		return append([]byte(`"`+later), text[quote+len(time.DateOnly):]...)
	})
}
