package invoice

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendJSON appends the invoice as an invoice.v1 record: what Decode reads
// back to the same invoice. Absent fields and defaults are left out.
func (inv *Invoice) AppendJSON(dst []byte) []byte { return appendObject(dst, invoiceFields, inv) }

func appendObject[T any](dst []byte, o *object[T], v *T) []byte {
	dst = append(dst, '{')
	empty := len(dst)
	for i := range o.fields {
		f := &o.fields[i]
		before := len(dst)
		if len(dst) > empty {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, f.name...)
		dst = append(dst, '"', ':')
		value := len(dst)
		if dst = appendValue(dst, f.at(v)); len(dst) == value {
			dst = dst[:before]
		}
	}
	return append(dst, '}')
}

// appendValue appends nothing for a value that is absent or the default.
func appendValue(dst []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return appendQuoted(dst, Schema)
	case *string:
		if *v != "" {
			return appendQuoted(dst, *v)
		}
	case *Amount:
		return append(v.Append(append(dst, '"')), '"')
	case *OptionalAmount:
		if v.Set {
			return append(v.Value.Append(append(dst, '"')), '"')
		}
	case *OptionalFixed:
		if v.Set {
			return append(v.Value.Append(append(dst, '"')), '"')
		}
	case *time.Time:
		if !v.IsZero() {
			return append(v.UTC().AppendFormat(append(dst, '"'), time.RFC3339Nano), '"')
		}
	case *Stage:
		if *v != Issued {
			return appendQuoted(dst, v.String())
		}
	case *Type:
		if *v != Standard {
			return appendQuoted(dst, v.String())
		}
	case *int64:
		if *v != 0 {
			return strconv.AppendInt(dst, *v, 10)
		}
	case *bool:
		if *v {
			return append(dst, "true"...)
		}
	case *CRM:
		if *v != (CRM{}) {
			return appendObject(dst, crmFields, v)
		}
	case *[]string:
		return appendList(dst, *v, func(dst []byte, s *string) []byte { return appendQuoted(dst, *s) })
	case *[]Line:
		return appendList(dst, *v, func(dst []byte, l *Line) []byte { return appendObject(dst, lineFields, l) })
	}
	return appendColumn(dst, value)
}

func appendList[T any](dst []byte, list []T, item func([]byte, *T) []byte) []byte {
	for i := range list {
		if i == 0 {
			dst = append(dst, '[')
		} else {
			dst = append(dst, ',')
		}
		dst = item(dst, &list[i])
	}
	if len(list) > 0 {
		dst = append(dst, ']')
	}
	return dst
}

// appendQuoted appends a JSON string; bytes that are not UTF-8 become U+FFFD.
func appendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		}
		i++
	}
	return append(dst, '"')
}
