package csvinvoice

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"recoup/invoice"
)

// record puts one invoice together as a record of invoice.v1.
type record struct {
	mapping *Mapping
	layout  *layout
	most    int // bytes of the record

	bytes   []byte // the record, once it is finished
	lines   []byte // its lines, with commas between
	first   int64  // line of the file it begins at
	linesAt []int64
	head    []taken // as layout.head
	net     invoice.Amount
	refused *RowError // the first thing wrong with it
}

// taken is a cell of the invoice as a whole and where it was found.
type taken struct {
	cell   string
	number int64
}

// begin starts a new invoice.
func (r *record) begin(first int64) {
	r.first, r.lines, r.linesAt, r.net, r.refused = first, r.lines[:0], r.linesAt[:0], 0, nil
	clear(r.head)
}

// refuse keeps the first reason why an invoice cannot be read.
func (r *record) refuse(why *RowError) {
	if r.refused == nil {
		r.refused = why
	}
}

// wrong refuses a cell.
func (r *record) wrong(c *column, number int64, err *invoice.DecodeError) {
	r.refuse(&RowError{Line: number, Column: c.label(), Reason: err.Reason, Text: err.Message})
}

// add adds one row. A value of the invoice as a whole stands on every row of it,
// or on some.
func (r *record) add(row row) {
	if r.refused != nil {
		return
	}
	for i := range r.layout.head {
		c, t := &r.layout.head[i], &r.head[i]
		if c.at < 0 {
			continue
		}
		switch cell := row.cells[c.at]; {
		case cell == "" || cell == t.cell:
		case t.cell == "":
			t.cell, t.number = cell, row.number
		default:
			r.wrong(c, row.number, refused(invoice.ReasonUnknownValue, fmt.Sprintf("%q is not the %q of line %d, which "+
				"belongs to the same invoice", short(cell), short(t.cell), t.number)))
			return
		}
	}
	if len(r.layout.lines) > 0 {
		r.addLine(row)
	}
}

// addLine adds the row as a line of the invoice, unless it has nothing of one.
func (r *record) addLine(row row) {
	before := len(r.lines)
	if before > 0 {
		r.lines = append(r.lines, ',')
	}
	opening := len(r.lines)
	r.lines = append(r.lines, '{')
	filled := false
	for i := range r.layout.lines {
		c := &r.layout.lines[i]
		cell := c.constant
		if c.at >= 0 {
			cell = row.cells[c.at]
		}
		var err *invoice.DecodeError
		wrote := false
		if r.lines, wrote, err = r.member(r.lines, c, c.field[len(linePrefix):], cell); err != nil {
			r.wrong(c, row.number, err)
			return
		}
		filled = filled || (wrote && c.at >= 0)
	}
	if !filled {
		r.lines = r.lines[:before]
		return
	}
	r.lines = append(r.lines, '}')
	r.linesAt = append(r.linesAt, row.number)
	if len(r.lines) > r.most {
		r.refuse(rowError(r.first, invoice.ReasonTooLarge, "its lines make more than %d bytes "+
			"(pipeline.limits.record_bytes)", r.most))
		return
	}
	if r.mapping.netOfLines {
		r.addNet(r.lines[opening:], row.number)
	}
}

// addNet adds what a line costs: its line_net, else quantity × unit_price × (1 −
// discount_rate), exact and rounded half-even to 1/10,000.
func (r *record) addNet(line []byte, number int64) {
	var l struct {
		Net       *invoice.Amount `json:"line_net"`
		Quantity  *invoice.Fixed  `json:"quantity"`
		UnitPrice *invoice.Fixed  `json:"unit_price"`
		Discount  invoice.Fixed   `json:"discount_rate"`
	}
	if err := json.Unmarshal(line, &l); err != nil {
		r.refuse(rowError(number, invoice.ReasonBadDecimal, "net_from_lines: %v", err))
		return
	}
	net, ok := invoice.Amount(0), true
	switch {
	case l.Net != nil:
		net = *l.Net
	case l.Quantity != nil && l.UnitPrice != nil:
		net, ok = invoice.LineNet(*l.Quantity, *l.UnitPrice, l.Discount)
	default:
		r.refuse(rowError(number, invoice.ReasonMissingField,
			"net_from_lines: the line has neither line_net nor quantity and unit_price"))
		return
	}
	if sum, fits := r.net.Add(net); ok && fits {
		r.net = sum
		return
	}
	r.refuse(rowError(number, invoice.ReasonOverflow, "net_from_lines: the sum is outside the range of an amount"))
}

// finish writes the record, or says why there is none.
func (r *record) finish(first int64) *RowError {
	if r.refused != nil {
		return r.refused
	}
	out := append(r.bytes[:0], `{"schema":"`+invoice.Schema+`"`...)
	if !r.layout.has("event_id") {
		out = append(out, `,"event_id":"line-`...)
		out = append(strconv.AppendInt(out, first, 10), '"')
	}
	out = r.object(out, "")
	if r.mapping.netOfLines {
		out = append(out, `,"net_amount":"`...)
		out = append(r.netAmount().Append(out), '"')
	}
	out = append(out, `,"crm":{`...)
	out = append(r.object(out, "crm."), '}')
	out = append(out, `,"lines":[`...)
	out = append(append(out, r.lines...), "]}"...)
	r.bytes = out
	return r.refused
}

// netAmount is what the lines cost less the discount on the whole invoice.
func (r *record) netAmount() invoice.Amount {
	for i := range r.layout.head {
		c := &r.layout.head[i]
		if c.field != "discount_amount" || r.head[i].cell == "" {
			continue
		}
		text, refused := r.mapping.numbers.plain(r.head[i].cell, false)
		if refused != nil {
			continue // the member itself says so
		}
		discount, err := invoice.ParseAmount(text)
		net, ok := r.net.Sub(discount)
		if err != nil || !ok {
			r.refuse(rowError(r.first, invoice.ReasonOverflow, "net_from_lines: the sum less %s is no amount", text))
		}
		return net
	}
	return r.net
}

// object appends the members of the invoice or of its crm.
func (r *record) object(out []byte, prefix string) []byte {
	for i := range r.layout.head {
		c := &r.layout.head[i]
		name, found := strings.CutPrefix(c.field, prefix)
		if !found || strings.Contains(name, ".") {
			continue
		}
		cell := r.head[i].cell
		if c.at < 0 {
			cell = c.constant
		}
		var err *invoice.DecodeError
		if out, _, err = r.member(out, c, name, cell); err != nil {
			r.wrong(c, r.lineOf(i), err)
		}
	}
	return out
}

// member appends the member of a JSON object that a cell makes; an empty cell
// makes none.
func (r *record) member(out []byte, c *column, name, cell string) (_ []byte, wrote bool, err *invoice.DecodeError) {
	if s, ok := c.values[cell]; ok {
		cell = s.text
	}
	if cell == "" {
		return out, false, nil
	}
	if out[len(out)-1] != '{' {
		out = append(out, ',')
	}
	out = append(append(append(out, '"'), name...), '"', ':')
	if !utf8.ValidString(cell) {
		return out, false, refused(invoice.ReasonInvalidUTF8, fmt.Sprintf("%q is not UTF-8; save the file in UTF-8",
			short(cell)))
	}
	value := cell
	switch {
	case c.form == asInteger || c.form == asBoolean:
		out, err = literal(out, c.form, cell)
		return out, err == nil, err
	case c.form == asList:
		return appendList(out, cell, r.mapping.listBetween), true, nil
	case c.at < 0 || c.form == asText: // a constant is written as the contract has it
	case c.form == asInstant || c.form == asDay:
		value, err = r.mapping.dates.instant(cell, c.form == asDay)
	default:
		value, err = r.number(c, cell)
	}
	return appendQuoted(out, value), err == nil, err
}

// number returns the number of a cell as the contract writes it.
func (r *record) number(c *column, cell string) (string, *invoice.DecodeError) {
	if c.form == asAmount || (r.mapping.netOfLines && c.field == linePrefix+"unit_price") {
		if err := r.mapping.numbers.unclear(cell, r.currency()); err != nil {
			return "", err
		}
	}
	return r.mapping.numbers.plain(cell, c.perCent)
}

// currency is the invoice's as far as its rows have said it; "" before.
func (r *record) currency() string {
	for i := range r.layout.head {
		if c := &r.layout.head[i]; c.field == "currency" {
			cell := cmp.Or(r.head[i].cell, c.constant)
			if s, ok := c.values[cell]; ok {
				return s.text
			}
			return cell
		}
	}
	return ""
}

// literal appends a whole number or a boolean.
func literal(out []byte, form form, cell string) ([]byte, *invoice.DecodeError) {
	if form == asBoolean {
		if cell != "true" && cell != "false" {
			return out, refused(invoice.ReasonWrongType, fmt.Sprintf("%q is neither true nor false; say what means which "+
				"in the mapping's values", short(cell)))
		}
		return append(out, cell...), nil
	}
	if notDigit(cell) >= 0 {
		return out, refused(invoice.ReasonBadInteger, fmt.Sprintf("%q is no whole number", short(cell)))
	}
	if cell = strings.TrimLeft(cell, "0"); cell == "" {
		cell = "0"
	}
	return append(out, cell...), nil
}

// appendList appends the texts of one cell.
func appendList(out []byte, cell, between string) []byte {
	out = append(out, '[')
	for text := range strings.SplitSeq(cell, between) {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if out[len(out)-1] != '[' {
			out = append(out, ',')
		}
		out = appendQuoted(out, text)
	}
	return append(out, ']')
}

// appendQuoted appends a JSON string.
func appendQuoted(out []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic("a string is JSON: " + err.Error())
	}
	return append(out, quoted...)
}

// lineOf returns where the value of a head column stands.
func (r *record) lineOf(i int) int64 {
	if n := r.head[i].number; n > 0 {
		return n
	}
	return r.first
}

// locate says at which cell a record is at fault that the decoder refused.
func (r *record) locate(err *invoice.DecodeError) *RowError {
	at := &RowError{Line: r.first, Column: "row", Reason: err.Reason, Text: err.Message}
	field := err.Field
	if rest, ok := strings.CutPrefix(field, "lines["); ok {
		index, name, _ := strings.Cut(rest, "]")
		if i, err := strconv.Atoi(index); err == nil && i < len(r.linesAt) {
			at.Line = r.linesAt[i]
		}
		field = linePrefix + strings.TrimPrefix(name, ".")
	}
	field, _, _ = strings.Cut(field, "[")
	for i := range r.layout.head {
		if r.layout.head[i].field == field {
			at.Line = r.lineOf(i)
		}
	}
	if field != "" {
		at.Column = r.layout.label(field)
	}
	return at
}

// label is how messages call what fills a field.
func (l *layout) label(field string) string {
	for _, columns := range [][]column{l.head, l.lines} {
		for i := range columns {
			if columns[i].field == field {
				return columns[i].label()
			}
		}
	}
	return field
}

// has tells whether something fills a field of the invoice.
func (l *layout) has(field string) bool { return l.label(field) != field }
