package invoice

import "time"

// Years an instant of the contract may have, both inclusive, in UTC: wider than
// any invoice, and safe to count in nanoseconds of an int64.
const (
	firstYear = 1970
	lastYear  = 2200
)

// parseInstant reads an RFC 3339 date and time with Z or an offset, seconds
// with up to nine decimals, letters in capitals, and returns it in UTC. There is
// no leap second.
func parseInstant(s string) (time.Time, bool) {
	if len(s) < len("2006-01-02T15:04:05Z") || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return time.Time{}, false
	}
	date, ok := parseDay(s[:10])
	hour, minute, second := twoDigits(s, 11), twoDigits(s, 14), twoDigits(s, 17)
	if !ok || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	rest := s[19:]
	nanos := 0
	if rest[0] == '.' {
		i, scale := 1, 100_000_000
		for ; i < len(rest) && rest[i]-'0' <= 9; i++ {
			nanos += int(rest[i]-'0') * scale
			scale /= 10
		}
		if i == 1 || i > 10 {
			return time.Time{}, false
		}
		rest = rest[i:]
	}
	offset, ok := parseOffset(rest)
	seconds := date.Unix() + int64(hour)*3600 + int64(minute)*60 + int64(second) - offset
	return time.Unix(seconds, int64(nanos)).UTC(), ok
}

// parseOffset reads Z or ±hh:mm as seconds east of UTC.
func parseOffset(s string) (int64, bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) != len("+01:00") || s[3] != ':' || (s[0] != '+' && s[0] != '-') {
		return 0, false
	}
	hours, minutes := twoDigits(s, 1), twoDigits(s, 4)
	if hours > 23 || minutes > 59 {
		return 0, false
	}
	offset := int64(hours)*3600 + int64(minutes)*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// parseDay reads a date such as 2026-03-01 as its midnight in UTC.
func parseDay(s string) (time.Time, bool) {
	if len(s) != len("2006-01-02") || s[4] != '-' || s[7] != '-' {
		return time.Time{}, false
	}
	century, year, month, day := twoDigits(s, 0), twoDigits(s, 2), twoDigits(s, 5), twoDigits(s, 8)
	if century > 99 || year > 99 || month > 12 || day > 31 {
		return time.Time{}, false
	}
	t := time.Date(century*100+year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	// Date turns February 30 into March 2, and month or day 0 into the one before.
	return t, t.Day() == day && int(t.Month()) == month
}

// twoDigits returns the number at s[i:i+2], or more than 99 when it is none.
func twoDigits(s string, i int) int {
	a, b := s[i]-'0', s[i+1]-'0'
	if a > 9 || b > 9 {
		return 100
	}
	return int(a)*10 + int(b)
}
