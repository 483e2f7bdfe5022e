// Package jsonrecord reads JSON records of types that are known in advance, as recoup writes
// them, in one pass and without reflection for most values: encoding/json takes three times as
// long. What is written in another way it leaves to encoding/json, so that the outcome, errors
// included, is that of json.Unmarshal always.
package jsonrecord

import (
	"encoding/json"
	"reflect"
	"sync"
	"unsafe"
)

// Unmarshal does what json.Unmarshal does to a zero value, which into has to point to.
func Unmarshal[T any](record []byte, into *T) error {
	if quick(record, into) {
		return nil
	}
	var anew T // what was read so far counts for nothing
	err := json.Unmarshal(record, &anew)
	*into = anew
	return err
}

// quick reads a record, or reports that it cannot tell what is to come out.
func quick[T any](record []byte, into *T) bool {
	s := scanner{text: record}
	s.space()
	if !plans.of(reflect.TypeFor[T]())(&s, unsafe.Pointer(into)) {
		return false
	}
	s.space()
	return s.at == len(s.text)
}

// reader reads the value that begins where the scanner is into memory that holds a zero value
// of the reader's type, and leaves the scanner behind it. false: encoding/json is to say what
// becomes of the record.
type reader func(s *scanner, into unsafe.Pointer) bool

// planned holds the readers of types.
type planned struct {
	ready sync.Map // reader by reflect.Type
	mu    sync.Mutex
	begun map[reflect.Type]*reader // guarded by mu
}

var plans = planned{begun: map[reflect.Type]*reader{}}

// of returns the reader of a type.
func (p *planned) of(t reflect.Type) reader {
	if found, is := p.ready.Load(t); is {
		return found.(reader)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	made := p.plan(t)
	p.ready.Store(t, made)
	return made
}

// plan makes the reader of a type. One that is being made, as its type holds itself, is looked
// up when it is needed. p.mu is held.
func (p *planned) plan(t reflect.Type) reader {
	if made := p.begun[t]; made != nil && *made != nil {
		return *made
	} else if made != nil {
		return func(s *scanner, into unsafe.Pointer) bool { return (*made)(s, into) }
	}
	made := new(reader)
	p.begun[t] = made
	*made = p.make(t)
	return *made
}

var (
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()
)

// make makes the reader of a type, in the order in which encoding/json asks what it is.
func (p *planned) make(t reflect.Type) reader {
	switch pointer := reflect.PointerTo(t); {
	case t == reflect.TypeFor[json.RawMessage]():
		return readRaw
	case t.Kind() != reflect.Pointer && pointer.Implements(unmarshaler):
		return readOwn(t)
	case t.Kind() != reflect.Pointer && pointer.Implements(textUnmarshaler):
		return readText(t)
	}
	switch t.Kind() {
	case reflect.Bool:
		return readBool
	case reflect.String:
		return readString
	case reflect.Int:
		return readInt
	case reflect.Int64:
		return readInt64
	case reflect.Uint64:
		return readUint
	case reflect.Float64:
		return readFloat
	case reflect.Pointer:
		return readPointer(t.Elem(), p.plan(t.Elem()))
	case reflect.Slice:
		if t.Elem() == reflect.TypeFor[byte]() {
			return readBytes
		}
		return readSlice(t, p.plan(t.Elem()))
	case reflect.Struct:
		if fields, ok := p.fields(t); ok {
			return fields.read
		}
	}
	return readOther(t)
}
