package jsonrecord

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unsafe"
)

// plainName matches names that mean the same to encoding/json.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// mostFields bounds what a struct may have to be read here.
const mostFields = 128

// fields are those of a struct that have a name in JSON, in the order they are declared.
type fields struct {
	list   []field
	byName map[string]int
}

type field struct {
	name   string
	offset uintptr
	read   reader
}

// fields returns those of a struct; ok: it has none with rules of its own.
func (p *planned) fields(t reflect.Type) (f *fields, ok bool) {
	f = &fields{byName: map[string]int{}}
	for i := range t.NumField() {
		declared := t.Field(i)
		tag := declared.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case declared.Anonymous || strings.Contains(options, "string"):
			return nil, false
		case !declared.IsExported() || tag == "-":
			continue
		case name == "":
			name = declared.Name
		}
		if _, twice := f.byName[name]; twice || !plainName.MatchString(name) {
			return nil, false
		}
		f.byName[name] = len(f.list)
		f.list = append(f.list, field{name, declared.Offset, p.plan(declared.Type)})
	}
	return f, len(f.list) <= mostFields
}

// read reads an object. A record mostly has its fields in the order they are declared.
func (f *fields) read(s *scanner, into unsafe.Pointer) bool {
	if !s.open('{') {
		return false
	}
	if s.closes('}') {
		return true
	}
	var said [mostFields / 64]uint64
	next := 0
	for {
		name, ok := s.name()
		if !ok {
			return false
		}
		i, known := f.find(name, next)
		switch {
		case known && said[i/64]>>(i%64)&1 == 1:
			return false // what is said twice is merged
		case known:
			said[i/64] |= 1 << (i % 64)
			if next = i + 1; !f.list[i].read(s, unsafe.Add(into, f.list[i].offset)) {
				return false
			}
		case f.resembles(name) || !s.skip():
			return false
		}
		if more, ok := s.more('}'); !more {
			return ok
		}
	}
}

// find returns which field has a name; it is looked first where next is, and a few behind:
// what is empty may be left out.
func (f *fields) find(name []byte, next int) (i int, known bool) {
	for i := next; i < min(next+8, len(f.list)); i++ {
		if f.list[i].name == string(name) {
			return i, true
		}
	}
	i, known = f.byName[string(name)]
	return i, known
}

// resembles tells whether a name that no field has is one but for its case.
func (f *fields) resembles(name []byte) bool {
	return slices.ContainsFunc(f.list, func(of field) bool { return strings.EqualFold(of.name, seen(name)) })
}
