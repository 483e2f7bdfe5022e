// Package csvinvoice reads invoices from CSV files: a mapping says which column
// is which field of invoice.v1 and how numbers and dates are written. Each
// invoice becomes an invoice.v1 record first and goes through the same decoder
// as one from a topic, so that both are checked by one set of rules. Amounts are
// carried over digit by digit, never through a float.
package csvinvoice

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"recoup/invoice"
)

// Example is a mapping that shows and explains every key.
//
//go:embed example.yaml
var Example string

// Mapping says what the columns of a file mean. The zero value reads a file
// whose columns have the names of the contract, with point decimals and ISO
// dates. Columns and constants are by field: "invoice_id", "crm.plan",
// "lines.quantity".
type Mapping struct {
	file string // names the mapping in messages; "" for the zero value

	separator   rune // 0: the one that stands most often in the first line
	noHeader    bool
	numbers     numbers
	dates       dates
	listBetween string
	columns     map[string]setting // nil: by the names of the columns
	constants   map[string]setting
	perCent     []string
	values      map[string]map[string]setting
	netOfLines  bool
}

// setting is a text of the mapping and the line it stands at.
type setting struct {
	text string
	line int
}

// UnmarshalYAML takes a single value as it is written: 0042 stays 0042.
func (s *setting) UnmarshalYAML(node ast.Node) error {
	token := node.GetToken()
	s.line = token.Position.Line
	switch n := node.(type) {
	case *ast.StringNode:
		s.text = n.Value
	case *ast.LiteralNode:
		s.text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		s.text = token.Value
	default:
		return fmt.Errorf("line %d: cannot use %q: want a single value", s.line, token.Value)
	}
	return nil
}

// mappingFile is the YAML form; example.yaml explains the keys.
type mappingFile struct {
	Separator     setting                       `yaml:"separator"`
	Header        *bool                         `yaml:"header"`
	Decimal       setting                       `yaml:"decimal"`
	Thousands     setting                       `yaml:"thousands"`
	CurrencySigns []setting                     `yaml:"currency_signs"`
	TimeZone      setting                       `yaml:"time_zone"`
	Dates         []setting                     `yaml:"dates"`
	ListSeparator setting                       `yaml:"list_separator"`
	Columns       map[string]setting            `yaml:"columns"`
	Constants     map[string]setting            `yaml:"constants"`
	Percent       []setting                     `yaml:"percent"`
	Values        map[string]map[string]setting `yaml:"values"`
	NetFromLines  bool                          `yaml:"net_from_lines"`
}

// ReadMapping reads a mapping from a file.
func ReadMapping(file string) (*Mapping, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the mapping: %w", err)
	}
	return ParseMapping(file, content)
}

// ParseMapping reads a mapping; an unknown key is an error. file names it in
// messages.
func ParseMapping(file string, content []byte) (*Mapping, error) {
	var f mappingFile
	if err := yaml.UnmarshalWithOptions(content, &f, yaml.Strict()); err != nil {
		var at yaml.Error
		if errors.As(err, &at) && at.GetToken() != nil {
			return nil, fmt.Errorf("cannot use the mapping: %s:%d: %s", file, at.GetToken().Position.Line, at.GetMessage())
		}
		return nil, fmt.Errorf("cannot use the mapping: %s: %w", file, err)
	}
	m := &Mapping{file: file, noHeader: f.Header != nil && !*f.Header, columns: f.Columns, constants: f.Constants,
		values: f.Values, netOfLines: f.NetFromLines, listBetween: f.ListSeparator.text}
	if err := errors.Join(m.form(&f), m.fields(&f)); err != nil {
		return nil, fmt.Errorf("cannot use the mapping: %w", err)
	}
	return m, nil
}

// wrong makes the error of one setting.
func (m *Mapping) wrong(s setting, key, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s: %s", m.file, s.line, key, fmt.Sprintf(format, args...))
}

// form takes over how cells are written.
func (m *Mapping) form(f *mappingFile) error {
	var found []error
	switch s := f.Separator; {
	case s.text == "":
	case utf8.RuneCountInString(s.text) != 1 || strings.ContainsAny(s.text, "\"\r\n\ufffd"):
		found = append(found, m.wrong(s, "separator", "cannot use %q: want one character such as \";\"", s.text))
	default:
		m.separator, _ = utf8.DecodeRuneInString(s.text)
	}
	m.numbers = numbers{decimal: spaces.Replace(f.Decimal.text), thousands: spaces.Replace(f.Thousands.text)}
	if d := m.numbers.decimal; d != "" && d != "." && d != "," {
		found = append(found, m.wrong(f.Decimal, "decimal", `cannot use %q: want "." or ","`, d))
	}
	if t := m.numbers.thousands; t != "" && (!slices.Contains([]string{".", ",", " ", "'", "_"}, t) ||
		t == m.numbers.decimal || (t == "." && m.numbers.decimal == "")) {
		found = append(found, m.wrong(f.Thousands, "thousands",
			`cannot use %q: want ".", ",", " ", "'" or "_", and not what decimals stand behind`, t))
	}
	for _, s := range f.CurrencySigns {
		sign := spaces.Replace(s.text)
		if sign == "" || strings.ContainsAny(sign, "0123456789.,-()'") || strings.TrimSpace(sign) != sign {
			found = append(found, m.wrong(s, "currency_signs", `cannot use %q: want a text such as "€" or "EUR"`, s.text))
		}
		m.numbers.signs = append(m.numbers.signs, sign)
	}
	zone, err := time.LoadLocation(f.TimeZone.text)
	if err != nil || f.TimeZone.text == "Local" { // this machine's zone would make other verdicts elsewhere
		found = append(found, m.wrong(f.TimeZone, "time_zone", `cannot use %q: want a name such as "Europe/Paris"`,
			f.TimeZone.text))
	}
	m.dates.zone = zone
	for _, s := range f.Dates {
		pattern, err := parsePattern(s.text)
		if err != nil {
			found = append(found, m.wrong(s, "dates", "cannot use %q: %v", s.text, err))
		}
		m.dates.patterns = append(m.dates.patterns, pattern)
	}
	return errors.Join(found...)
}

// fields checks what is said of the fields of the contract.
func (m *Mapping) fields(f *mappingFile) error {
	var found []error
	check := func(key, field string, s setting) bool {
		if _, ok := forms[field]; ok {
			return true
		}
		meant := suggest(field, known())
		if other, ok := fieldOf(field); ok {
			meant = fmt.Sprintf("; did you mean %q?", other)
		}
		found = append(found, m.wrong(s, key+"."+field, "no field of %s%s", invoice.Schema, meant))
		return false
	}
	for _, field := range slices.Sorted(maps.Keys(m.columns)) {
		check("columns", field, m.columns[field])
	}
	for _, field := range slices.Sorted(maps.Keys(m.constants)) {
		s := m.constants[field]
		if _, twice := m.columns[field]; check("constants", field, s) && twice {
			found = append(found, m.wrong(s, "constants."+field, "a column gives it already; keep one of the two"))
		}
		if strings.HasPrefix(field, linePrefix) && m.columns != nil && !hasLines(m.columns) {
			found = append(found, m.wrong(s, "constants."+field, "no column gives anything of a line"))
		}
	}
	for _, s := range f.Percent {
		if check("percent", s.text, s) && !isRate(s.text) {
			found = append(found, m.wrong(s, "percent", "%q is no rate", s.text))
		}
		m.perCent = append(m.perCent, s.text)
	}
	for _, field := range slices.Sorted(maps.Keys(m.values)) {
		for _, cell := range slices.Sorted(maps.Keys(m.values[field])) {
			if !check("values", field, m.values[field][cell]) {
				break
			}
		}
	}
	for _, from := range []map[string]setting{m.columns, m.constants} {
		if s, ok := from["net_amount"]; ok && m.netOfLines {
			found = append(found, m.wrong(s, "net_amount", "net_from_lines gives it already; keep one of the two"))
		}
	}
	return errors.Join(found...)
}

// hasLines tells whether a column fills a field of a line.
func hasLines(columns map[string]setting) bool {
	for field := range columns {
		if strings.HasPrefix(field, linePrefix) {
			return true
		}
	}
	return false
}

// suggest ends the message about a name that is not known.
func suggest(name string, known []string) string {
	best, least := "", 1+len(name)/3
	for _, k := range known {
		if d := distance(plainName(name), plainName(k)); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// plainName is a name without what people write differently.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name[:min(len(name), 64)])
}

// distance counts the letters to insert, delete or replace to turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
