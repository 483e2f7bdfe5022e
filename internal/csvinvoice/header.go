package csvinvoice

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"recoup/invoice"
)

// separators are tried where the mapping names none.
const separators = ",;\t|"

// Looks tells whether the beginning of a file looks like one that can be read
// without a mapping: its first line has a column invoice_id.
func Looks(start []byte) bool {
	first, rest, _ := bytes.Cut(start, []byte("\n"))
	separator, skip := separatorOf(first)
	if skip {
		first, _, _ = bytes.Cut(rest, []byte("\n"))
	}
	for cell := range strings.SplitSeq(string(first), string(separator)) {
		if field, ok := fieldOf(strings.Trim(cell, "\"\r")); ok && field == "invoice_id" {
			return true
		}
	}
	return false
}

// separatorOf returns the separator that stands most often in the first line.
// skip is true for a line such as "sep=;", which spreadsheets put before the
// header to say it.
func separatorOf(first []byte) (separator rune, skip bool) {
	if said, ok := bytes.CutPrefix(bytes.TrimSuffix(first, []byte("\r")), []byte("sep=")); ok && len(said) == 1 &&
		strings.ContainsRune(separators, rune(said[0])) {
		return rune(said[0]), true
	}
	return slices.MaxFunc([]rune(separators), func(a, b rune) int {
		return cmp.Compare(bytes.Count(first, []byte(string(a))), bytes.Count(first, []byte(string(b))))
	}), false
}

// column is one column of the file that fills a field.
type column struct {
	at       int    // place in a row, from 0
	name     string // as the header says
	field    string
	form     form
	perCent  bool
	values   map[string]setting
	constant string // of a field that no column fills; then at is -1
}

// label is how messages call it.
func (c *column) label() string {
	switch {
	case c.at < 0:
		return "constant of " + c.field
	case c.name == c.field:
		return fmt.Sprintf("column %q", c.name)
	}
	return fmt.Sprintf("column %q (%s)", c.name, c.field)
}

// layout is how the rows of one file become invoices.
type layout struct {
	head     []column // of the invoice and of its crm, in alphabetical order
	lines    []column // of a line, in alphabetical order; none: every row is an invoice
	identity []int    // places in a row whose cells name an invoice
	width    int      // columns of a row
	unused   []string // names of columns that fill nothing
}

// lay lays a mapping over the names of the columns.
func (m *Mapping) lay(header []string) (*layout, error) {
	names := make([]string, len(header))
	for i, name := range header {
		if names[i] = strings.TrimSpace(name); m.noHeader {
			names[i] = strconv.Itoa(i + 1)
		}
	}
	places, err := m.places(names)
	if err != nil {
		return nil, err
	}
	l := &layout{width: len(header)}
	used := map[int]bool{}
	for _, field := range slices.Sorted(maps.Keys(places)) {
		c := column{at: places[field], field: field, form: forms[field], values: m.values[field],
			perCent: slices.Contains(m.perCent, field)}
		if used[c.at] = true; c.at >= 0 {
			c.name = names[c.at]
		} else {
			c.constant = m.constants[field].text
		}
		if strings.HasPrefix(field, linePrefix) {
			l.lines = append(l.lines, c)
		} else {
			l.head = append(l.head, c)
		}
	}
	if !slices.ContainsFunc(l.lines, func(c column) bool { return c.at >= 0 }) {
		l.lines = nil // constants alone make no line
	}
	for i, name := range names {
		if !used[i] && name != "" {
			l.unused = append(l.unused, name)
		}
	}
	for _, field := range identity {
		if at, ok := places[field]; ok && at >= 0 {
			l.identity = append(l.identity, at)
		}
	}
	return l, nil
}

// places finds the column of each field, -1 for a constant.
func (m *Mapping) places(names []string) (map[string]int, error) {
	places := map[string]int{}
	for _, field := range slices.Sorted(maps.Keys(m.columns)) {
		s := m.columns[field]
		at := slices.Index(names, s.text)
		if at < 0 {
			return nil, m.wrong(s, "columns."+field, "the file has no column %q%s; it has %q", s.text,
				suggest(s.text, names), names)
		}
		if slices.Contains(names[at+1:], s.text) {
			return nil, m.wrong(s, "columns."+field, "the file has two columns %q; rename one", s.text)
		}
		places[field] = at
	}
	if m.columns == nil {
		for i, name := range names {
			field, ok := fieldOf(name)
			if _, constant := m.constants[field]; !ok || constant {
				continue
			}
			if other, twice := places[field]; twice {
				return nil, fmt.Errorf("columns %q and %q both mean %s; rename one, or say which in a mapping", names[other],
					name, field)
			}
			places[field] = i
		}
	}
	for field := range m.constants {
		places[field] = -1
	}
	return places, m.missing(places, names)
}

// missing names all the fields that an invoice needs and nothing gives.
func (m *Mapping) missing(places map[string]int, names []string) error {
	var without []string
	for _, field := range required {
		if _, ok := places[field]; !ok && (field != "net_amount" || !m.netOfLines) {
			without = append(without, field)
		}
	}
	if without == nil {
		return nil
	}
	return fmt.Errorf("nothing gives %s, which %s needs: a mapping names the column of each, or a constant "+
		"(recoup score --map-example); the columns are %q", strings.Join(without, ", "), invoice.Schema, names)
}
