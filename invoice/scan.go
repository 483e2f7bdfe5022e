package invoice

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"github.com/cespare/xxhash/v2"
)

// scanner reads JSON from left to right, once. Strings it returns point into
// the record, or into the arena when they had escapes.
type scanner struct {
	data  []byte
	src   string // the same bytes
	pos   int    // of the next byte to read
	depth int    // open objects and arrays
	clean bool   // the last string was printable ASCII without escapes
	arena []byte
	names []uint64 // hashes of the unknown names of the objects that are open

	maxDepth, maxNames int
}

func (s *scanner) start(data, arena []byte) {
	s.data, s.src, s.pos, s.depth = data, unsafe.String(unsafe.SliceData(data), len(data)), 0, 0
	s.arena, s.names = arena[:0], s.names[:0]
}

// peek skips white space and returns the next byte, 0 at the end of the record.
func (s *scanner) peek() byte {
	if s.pos < len(s.src) && s.src[s.pos] > ' ' {
		return s.src[s.pos]
	}
	return s.peekSlow()
}

func (s *scanner) peekSlow() byte {
	for ; s.pos < len(s.src); s.pos++ {
		switch c := s.src[s.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// unexpected refuses the byte at pos.
func (s *scanner) unexpected(want string) *DecodeError {
	if s.pos >= len(s.src) {
		return refuse(ReasonTruncated, "the record ends after %d bytes, want %s", len(s.src), want)
	}
	r, size := utf8.DecodeRuneInString(s.src[s.pos:])
	if r == utf8.RuneError && size == 1 {
		return s.invalidUTF8(s.pos)
	}
	return refuse(ReasonSyntax, "unexpected %q at byte %d, want %s", r, s.pos, want)
}

func (s *scanner) invalidUTF8(at int) *DecodeError {
	return refuse(ReasonInvalidUTF8, "byte %d (0x%02x) is not UTF-8", at, s.src[at])
}

// enter reads the bracket that opens an object or array and counts the depth.
func (s *scanner) enter() *DecodeError {
	s.pos++
	s.depth++
	if s.depth > s.maxDepth {
		return refuse(ReasonTooDeep, "more than %d levels of nesting at byte %d", s.maxDepth, s.pos-1)
	}
	return nil
}

// more reads what stands behind a member: a comma (true) or the closing bracket.
func (s *scanner) more(closing byte) (bool, *DecodeError) {
	switch s.peek() {
	case ',':
		s.pos++
		return true, nil
	case closing:
		s.pos++
		s.depth--
		return false, nil
	}
	return false, s.unexpected("a comma or " + string(rune(closing)))
}

// empty tells whether the bracket just entered closes at once, and reads that.
func (s *scanner) empty(closing byte) bool {
	if s.peek() != closing {
		return false
	}
	s.pos++
	s.depth--
	return true
}

// name reads a member's name and the colon behind it.
func (s *scanner) name() (string, *DecodeError) {
	if s.peek() != '"' {
		return "", s.unexpected("a field name in double quotes")
	}
	name, err := s.str()
	if err != nil {
		return "", err
	}
	if s.peek() != ':' {
		return "", s.unexpected("a colon").in(name)
	}
	s.pos++
	return name, nil
}

// guessed reads a quoted name and its colon if exactly these bytes come next.
func (s *scanner) guessed(key string) bool {
	if !strings.HasPrefix(s.src[s.pos:], key) {
		return false
	}
	s.pos += len(key)
	return true
}

// unknown remembers the name of a field the contract does not have, to find
// the second of its kind. base is where the names of this object begin.
func (s *scanner) unknown(name string, base int) *DecodeError {
	hash := xxhash.Sum64String(name)
	for _, known := range s.names[base:] {
		if known == hash {
			return refuse(ReasonDuplicateKey, "the name stands twice in one object")
		}
	}
	if len(s.names)-base >= s.maxNames {
		return refuse(ReasonTooManyFields, "more than %d fields in one object that the contract does not know", s.maxNames)
	}
	s.names = append(s.names, hash)
	return nil
}

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// zeroBytes marks the first zero byte of x (later marks may be wrong).
func zeroBytes(x uint64) uint64 { return (x - lowBits) &^ x & highBits }

// str reads the string whose opening quote is at pos.
func (s *scanner) str() (string, *DecodeError) {
	s.pos++
	i := s.pos
	for ; i+8 <= len(s.data); i += 8 {
		x := binary.LittleEndian.Uint64(s.data[i:])
		stop := zeroBytes(x^'"'*lowBits) | zeroBytes(x^'\\'*lowBits) | zeroBytes(x^0x7f*lowBits) |
			(x-' '*lowBits)&^x&highBits | x&highBits
		if stop == 0 {
			continue
		}
		i += bits.TrailingZeros64(stop) >> 3
		if s.data[i] == '"' {
			value := s.src[s.pos:i]
			s.pos = i + 1
			s.clean = true
			return value, nil
		}
		break
	}
	return s.strSlow(i)
}

// strSlow goes on at byte i of the string that begins at pos, byte by byte.
func (s *scanner) strSlow(i int) (string, *DecodeError) {
	start, escaped := s.pos, false
	for i < len(s.src) {
		switch c := s.src[i]; {
		case c == '"':
			s.pos, s.clean = i+1, false
			if escaped {
				return s.unescape(s.src[start:i]), nil
			}
			return s.src[start:i], nil
		case c == '\\':
			n, err := s.escape(i)
			if err != nil {
				return "", err
			}
			i += n
			escaped = true
		case c < ' ':
			s.pos = i
			return "", s.unexpected("control characters in strings to be escaped")
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRuneInString(s.src[i:])
			if r == utf8.RuneError && size == 1 {
				return "", s.invalidUTF8(i)
			}
			i += size
		}
	}
	s.pos = len(s.src)
	return "", s.unexpected("the end of a string")
}

// escape checks the escape sequence at byte i and returns its length.
func (s *scanner) escape(i int) (int, *DecodeError) {
	if i+1 >= len(s.src) {
		s.pos = len(s.src)
		return 0, s.unexpected("an escape sequence")
	}
	switch s.src[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, nil
	case 'u':
	default:
		s.pos = i + 1
		return 0, s.unexpected("an escape sequence")
	}
	first, bad := hex4(s.src, i+2)
	if bad >= 0 {
		s.pos = bad
		return 0, s.unexpected("four hexadecimal digits")
	}
	if !utf16.IsSurrogate(first) {
		return 6, nil
	}
	if i+7 < len(s.src) && s.src[i+6] == '\\' && s.src[i+7] == 'u' {
		second, bad := hex4(s.src, i+8)
		if bad < 0 && utf16.DecodeRune(first, second) != utf8.RuneError {
			return 12, nil
		}
	}
	return 0, refuse(ReasonInvalidUTF8, `the surrogate \u%04x at byte %d has no partner`, first, i)
}

// hex4 reads four hexadecimal digits at i; bad is the position of the first
// byte that is none, else -1.
func hex4(s string, i int) (r rune, bad int) {
	for end := i + 4; i < end; i++ {
		if i >= len(s) {
			return 0, i
		}
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, i
		}
		r = r<<4 | rune(c)
	}
	return r, -1
}

// unescape appends the text of a checked string to the arena.
func (s *scanner) unescape(raw string) string {
	start := len(s.arena)
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			s.arena = append(s.arena, raw[i])
			continue
		}
		i++
		switch c := raw[i]; c {
		case 'b':
			s.arena = append(s.arena, '\b')
		case 'f':
			s.arena = append(s.arena, '\f')
		case 'n':
			s.arena = append(s.arena, '\n')
		case 'r':
			s.arena = append(s.arena, '\r')
		case 't':
			s.arena = append(s.arena, '\t')
		case 'u':
			r, _ := hex4(raw, i+1)
			i += 4
			if utf16.IsSurrogate(r) {
				second, _ := hex4(raw, i+3)
				r = utf16.DecodeRune(r, second)
				i += 6
			}
			s.arena = utf8.AppendRune(s.arena, r)
		default:
			s.arena = append(s.arena, c)
		}
	}
	text := s.arena[start:]
	return unsafe.String(unsafe.SliceData(text), len(text))
}
