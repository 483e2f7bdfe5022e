package jsonrecord

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

func readBool(s *scanner, into unsafe.Pointer) bool {
	*(*bool)(into) = s.is('t')
	return s.literal("true") || s.literal("false")
}

func readInt(s *scanner, into unsafe.Pointer) bool {
	n, ok := s.integer(strconv.IntSize)
	*(*int)(into) = int(n)
	return ok
}

func readInt64(s *scanner, into unsafe.Pointer) bool {
	n, ok := s.integer(64)
	*(*int64)(into) = n
	return ok
}

// integer reads a whole number of so many bits.
func (s *scanner) integer(bits int) (n int64, ok bool) {
	text, whole, ok := s.number()
	if !ok || !whole {
		return 0, false
	}
	n, err := strconv.ParseInt(seen(text), 10, bits)
	return n, err == nil
}

func readUint(s *scanner, into unsafe.Pointer) bool {
	text, whole, ok := s.number()
	if !ok || !whole {
		return false
	}
	n, err := strconv.ParseUint(seen(text), 10, 64)
	*(*uint64)(into) = n
	return err == nil
}

func readFloat(s *scanner, into unsafe.Pointer) bool {
	text, _, ok := s.number()
	if !ok {
		return false
	}
	x, err := strconv.ParseFloat(seen(text), 64)
	*(*float64)(into) = x
	return err == nil
}

// seen is a text as a string, for who does not keep it.
func seen(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }

func readString(s *scanner, into unsafe.Pointer) bool {
	text, ok := s.content()
	*(*string)(into) = string(text)
	return ok
}

// content reads a string and returns what it says, to be copied.
func (s *scanner) content() (text []byte, ok bool) {
	if text, ok = s.quoted(); ok {
		return text, true
	}
	from := s.at
	if !s.skipString() {
		return nil, false
	}
	inside := s.text[from+1 : s.at-1]
	if !utf8.Valid(inside) || bytes.Contains(inside, []byte(`\u`)) { // the latter may be an escaped backslash, too
		var other string
		err := json.Unmarshal(s.text[from:s.at], &other)
		return []byte(other), err == nil
	}
	text = make([]byte, 0, len(inside))
	for {
		plain := bytes.IndexByte(inside, '\\')
		if plain < 0 {
			return append(text, inside...), true
		}
		text = append(append(text, inside[:plain]...), escapes[inside[plain+1]])
		inside = inside[plain+2:]
	}
}

func readRaw(s *scanner, into unsafe.Pointer) bool {
	from := s.at
	if !s.skip() {
		return false
	}
	*(*json.RawMessage)(into) = bytes.Clone(s.text[from:s.at])
	return true
}

// readBytes reads what stands there in base64.
func readBytes(s *scanner, into unsafe.Pointer) bool {
	if s.literal("null") {
		return true
	}
	text, ok := s.quoted()
	if !ok {
		return false
	}
	all := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(all, text)
	*(*[]byte)(into) = all[:n]
	return err == nil
}

// readOwn has a type that reads itself do so.
func readOwn(t reflect.Type) reader {
	return func(s *scanner, into unsafe.Pointer) bool {
		from := s.at
		if s.is('n') || !s.skip() {
			return false
		}
		return reflect.NewAt(t, into).Interface().(json.Unmarshaler).UnmarshalJSON(s.text[from:s.at]) == nil
	}
}

// readText has a type that reads a text do so.
func readText(t reflect.Type) reader {
	return func(s *scanner, into unsafe.Pointer) bool {
		text, ok := s.content()
		return ok && reflect.NewAt(t, into).Interface().(encoding.TextUnmarshaler).UnmarshalText(text) == nil
	}
}

// readOther leaves a value to encoding/json.
func readOther(t reflect.Type) reader {
	return func(s *scanner, into unsafe.Pointer) bool {
		from := s.at
		return s.skip() && json.Unmarshal(s.text[from:s.at], reflect.NewAt(t, into).Interface()) == nil
	}
}

func readPointer(to reflect.Type, read reader) reader {
	return func(s *scanner, into unsafe.Pointer) bool {
		if s.literal("null") {
			return true
		}
		value := reflect.New(to).UnsafePointer()
		*(*unsafe.Pointer)(into) = value
		return read(s, value)
	}
}

func readSlice(t reflect.Type, read reader) reader {
	return func(s *scanner, into unsafe.Pointer) bool {
		if s.literal("null") {
			return true
		}
		list := reflect.NewAt(t, into).Elem()
		if !s.open('[') {
			return false
		}
		if s.closes(']') {
			list.Set(reflect.MakeSlice(t, 0, 0))
			return true
		}
		for n := 0; ; n++ {
			list.Grow(1)
			list.SetLen(n + 1)
			if !read(s, list.Index(n).Addr().UnsafePointer()) {
				return false
			}
			if more, ok := s.more(']'); !more {
				return ok
			}
		}
	}
}
