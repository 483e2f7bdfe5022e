package pipeline

import (
	"strings"
	"testing"

	"recoup/detectors"
)

// Design.md §4: of counts, too, what an owner writes late does not count behind a newer
// owner's record, value or tombstone, and a record that cannot be read outdates none.
func TestLateCounts(t *testing.T) {
	const value = "count|acme|release|r1"
	put := func(epoch, applied int64, content string) Record {
		return stateRecord(sharedKey([]byte(value), 0), stamp{epoch, applied}, []byte(content))
	}
	drop := func(epoch, applied int64) Record {
		return stateRecord(sharedKey([]byte(value), 0), stamp{epoch, applied}, nil)
	}
	elsewhere := stateRecord(sharedKey([]byte("count|acme|release|r2"), 0), stamp{2, 20}, []byte("b"))
	baseline := stateRecord(sharedKey([]byte("segment|acme|EUR|B2C|fibre"), 0), stamp{9, 9}, []byte("c"))
	unstamped := Record{Key: sharedKey([]byte(value), 0)}
	for name, c := range map[string]struct {
		records []Record
		want    string // what is counted of the value; "": nothing
		refused int
	}{
		"its own":                     {[]Record{put(1, 10, "a"), put(1, 20, "b")}, "b", 0},
		"the next owner's":            {[]Record{put(1, 30, "a"), put(2, 20, "b")}, "b", 0},
		"its own tombstone":           {[]Record{put(1, 10, "a"), drop(1, 20)}, "", 0},
		"and met again":               {[]Record{put(1, 10, "a"), drop(1, 20), put(1, 30, "b")}, "b", 0},
		"a late value":                {[]Record{put(2, 20, "a"), put(1, 30, "b")}, "a", 0},
		"a late tombstone":            {[]Record{put(2, 20, "a"), drop(1, 30)}, "a", 0},
		"a late value, forgotten":     {[]Record{drop(2, 20), put(1, 30, "b")}, "", 0},
		"a late tombstone, untouched": {[]Record{put(1, 10, "a"), elsewhere, drop(1, 15)}, "a", 0},
		"a repeat of two":             {[]Record{put(1, 10, "a"), put(1, 20, "b"), put(1, 10, "a"), put(1, 20, "b")}, "b", 0},
		"an older recoup's tombstone": {[]Record{put(2, 20, "a"), unstamped}, "", 0},
		"behind a baseline":           {[]Record{baseline, put(1, 10, "a")}, "a", 0},
		"behind what is not read":     {[]Record{put(9, 9, "broken"), put(1, 10, "a")}, "a", 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, refused := map[string]string{}, 0
			var newest stamp
			for i := range c.records {
				err := foldCount(&newest, &c.records[i], func(key []byte, _ stamp, content []byte) error {
					if string(content) == "broken" {
						return detectors.NewCounts(detectors.DefaultSettings()).Restore(key, content)
					}
					got[string(key)] = string(content)
					return nil
				})
				if err != nil {
					refused++
				}
			}
			if got[value] != c.want || refused != c.refused {
				t.Errorf("got %q, %d refused; want %q, %d", got[value], refused, c.want, c.refused)
			}
			for key := range got {
				if !strings.HasPrefix(key, detectors.CountPrefix) {
					t.Errorf("%s is no count", key)
				}
			}
		})
	}
}
