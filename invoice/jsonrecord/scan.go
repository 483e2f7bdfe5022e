package jsonrecord

import "unicode/utf8"

// mostNested is how deep lists and objects may be nested.
const mostNested = 200

// scanner is on its way through a text.
type scanner struct {
	text   []byte
	at     int
	nested int // lists and objects that it is in
}

// space passes over white space.
func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\n', '\r', '\t':
			s.at++
		default:
			return
		}
	}
}

// is tells whether a character stands next.
func (s *scanner) is(c byte) bool { return s.at < len(s.text) && s.text[s.at] == c }

// open passes over the beginning of a list or an object, if it stands next.
func (s *scanner) open(c byte) bool {
	if s.nested == mostNested || !s.mark(c) {
		return false
	}
	s.nested++
	s.space()
	return true
}

// closes passes over the end of a list or an object, if it stands next.
func (s *scanner) closes(c byte) bool {
	if !s.mark(c) {
		return false
	}
	s.nested--
	return true
}

// mark passes over a character, if it stands next.
func (s *scanner) mark(c byte) bool {
	if !s.is(c) {
		return false
	}
	s.at++
	return true
}

// more passes over what stands behind an element: a comma, or the end of its list or object,
// then ok tells whether it is that.
func (s *scanner) more(end byte) (more, ok bool) {
	s.space()
	if s.mark(',') {
		s.space()
		return true, true
	}
	return false, s.closes(end)
}

// literal passes over a word, if it stands next.
func (s *scanner) literal(word string) bool {
	if s.at+len(word) > len(s.text) || string(s.text[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}

// name reads the name of a field and passes over what stands between it and its value.
func (s *scanner) name() (name []byte, ok bool) {
	name, plain := s.quoted()
	if !plain {
		return nil, false
	}
	return name, s.colon()
}

// colon passes over what stands between a name and its value.
func (s *scanner) colon() bool {
	s.space()
	if !s.mark(':') {
		return false
	}
	s.space()
	return true
}

// ordinary tells of which bytes a string is what it says: ASCII that needs no escape.
var ordinary = func() (is [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()

// quoted reads a string that says what it is: of valid UTF-8, without escapes. The scanner
// stays where it is when the string is another one.
func (s *scanner) quoted() (inside []byte, ok bool) {
	if !s.is('"') {
		return nil, false
	}
	from, ascii := s.at+1, true
	for i := from; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case ordinary[c]:
		case c == '"':
			inside = s.text[from:i]
			if !ascii && !utf8.Valid(inside) {
				return nil, false
			}
			s.at = i + 1
			return inside, true
		case c < utf8.RuneSelf:
			return nil, false
		default:
			ascii = false
		}
	}
	return nil, false
}

// skip passes over a value, whatever it is.
func (s *scanner) skip() bool {
	if s.at == len(s.text) {
		return false
	}
	switch s.text[s.at] {
	case '"':
		return s.skipString()
	case '{', '[':
		return s.skipElements(s.text[s.at])
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	_, _, ok := s.number()
	return ok
}

// skipElements passes over a list or an object.
func (s *scanner) skipElements(begin byte) bool {
	end := begin + 2 // of both kinds
	if !s.open(begin) {
		return false
	}
	if s.closes(end) {
		return true
	}
	for {
		if begin == '{' && !(s.skipString() && s.colon()) || !s.skip() {
			return false
		}
		if more, ok := s.more(end); !more {
			return ok
		}
	}
}

// skipString passes over a string.
func (s *scanner) skipString() bool {
	if !s.is('"') {
		return false
	}
	for i := s.at + 1; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case ordinary[c] || c >= utf8.RuneSelf:
		case c == '"':
			s.at = i + 1
			return true
		case c == '\\' && i+1 < len(s.text) && escapes[s.text[i+1]] != 0:
			i++
		case c == '\\' && hexadecimal(s.text[i+1:]):
			i += len(`u1234`)
		default:
			return false
		}
	}
	return false
}

// hexadecimal tells whether a text begins with a character given by its number.
func hexadecimal(text []byte) bool {
	if len(text) < len(`u1234`) || text[0] != 'u' {
		return false
	}
	for _, c := range text[1:5] {
		if c-'0' > 9 && c|0x20-'a' > 5 {
			return false
		}
	}
	return true
}

// escapes is what stands for one character behind a backslash.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// number passes over a number and returns it; whole: it has neither a fraction nor an exponent.
func (s *scanner) number() (text []byte, whole, ok bool) {
	from := s.at
	s.mark('-')
	if !s.mark('0') && s.digits() == 0 {
		return nil, false, false
	}
	whole = true
	if s.mark('.') {
		if whole = false; s.digits() == 0 {
			return nil, false, false
		}
	}
	if s.mark('e') || s.mark('E') {
		whole = false
		if !s.mark('+') {
			s.mark('-')
		}
		if s.digits() == 0 {
			return nil, false, false
		}
	}
	return s.text[from:s.at], whole, true
}

// digits passes over digits and returns how many they are.
func (s *scanner) digits() (n int) {
	for s.at < len(s.text) && s.text[s.at]-'0' <= 9 {
		s.at++
		n++
	}
	return n
}
