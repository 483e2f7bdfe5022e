package invoice

import (
	"strconv"
	"strings"
)

// skip reads any value and checks its syntax.
func (s *scanner) skip() *DecodeError {
	switch c := s.peek(); c {
	case '"':
		_, err := s.str()
		return err
	case '{':
		return s.skipObject()
	case '[':
		return s.skipArray()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		if c == '-' || c-'0' <= 9 {
			_, err := s.number()
			return err
		}
	}
	return s.unexpected("a JSON value")
}

func (s *scanner) skipObject() *DecodeError {
	if err := s.enter(); err != nil || s.empty('}') {
		return err
	}
	base := len(s.names)
	for {
		name, err := s.name()
		if err != nil {
			return err
		}
		if err = s.unknown(name, base); err == nil {
			err = s.skip()
		}
		if err != nil {
			return err.in(name)
		}
		if more, err := s.more('}'); !more {
			s.names = s.names[:base]
			return err
		}
	}
}

func (s *scanner) skipArray() *DecodeError {
	if err := s.enter(); err != nil || s.empty(']') {
		return err
	}
	for i := 0; ; i++ {
		if err := s.skip(); err != nil {
			return err.in(index(i))
		}
		if more, err := s.more(']'); !more {
			return err
		}
	}
}

// index is how a path names an element.
func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

// literal reads true, false or null.
func (s *scanner) literal(word string) *DecodeError {
	rest := s.src[s.pos:]
	if strings.HasPrefix(rest, word) {
		s.pos += len(word)
		return nil
	}
	for i := range word {
		if s.pos++; i+1 >= len(rest) || rest[i+1] != word[i+1] {
			break
		}
	}
	return s.unexpected("the word " + word)
}

// number reads a number by the grammar of JSON and returns its text.
func (s *scanner) number() (string, *DecodeError) {
	start := s.pos
	if s.src[s.pos] == '-' {
		s.pos++
	}
	if s.pos < len(s.src) && s.src[s.pos] == '0' {
		s.pos++
	} else if err := s.digits(); err != nil {
		return "", err
	}
	if s.pos < len(s.src) && s.src[s.pos] == '.' {
		s.pos++
		if err := s.digits(); err != nil {
			return "", err
		}
	}
	if s.pos < len(s.src) && s.src[s.pos]|0x20 == 'e' {
		s.pos++
		if s.pos < len(s.src) && (s.src[s.pos] == '+' || s.src[s.pos] == '-') {
			s.pos++
		}
		if err := s.digits(); err != nil {
			return "", err
		}
	}
	return s.src[start:s.pos], nil
}

func (s *scanner) digits() *DecodeError {
	start := s.pos
	for s.pos < len(s.src) && s.src[s.pos]-'0' <= 9 {
		s.pos++
	}
	if s.pos == start {
		return s.unexpected("a digit")
	}
	return nil
}
