package desk

import (
	"bytes"

	"github.com/klauspost/compress/s2"

	"recoup/cases"
)

// packed is a record of recoup.cases as it is kept: what differs from another one. Most
// of a case stands in others too, so that 5 kB become some hundred bytes.
type packed struct {
	like  *s2.Dict // made of the other one
	short []byte   // nil: no record
}

func (p packed) none() bool { return p.short == nil }

// body returns the record byte for byte, nil when there is none.
func (p packed) body() []byte {
	if p.none() {
		return nil
	}
	if p.like == nil {
		return p.short
	}
	body, err := p.like.Decode(nil, p.short)
	if err != nil {
		panic("a case that was packed must unpack: " + err.Error())
	}
	return body
}

// dictRoom is what s2 wants to have behind the bytes of a dictionary, else it copies them.
const dictRoom = 16

// packer keeps records short. Those of one kind and cause are alike, so the first of them
// is what the others are compared with.
type packer struct {
	dicts   map[string]*s2.Dict
	scratch []byte
}

// pack returns what to keep of a record; it shares no memory with body.
func (p *packer) pack(c *cases.Case, body []byte) packed {
	name := string(c.Kind)
	if len(c.Causes) > 0 {
		name += c.Causes[0].Code
	}
	like, known := p.dicts[name]
	if !known {
		if p.dicts == nil {
			p.dicts = map[string]*s2.Dict{}
		}
		first := append(make([]byte, 0, len(body)+dictRoom), body...)
		like = s2.MakeDict(first[:min(len(first), s2.MaxDictSize)], nil)
		p.dicts[name] = like
		return packed{short: first} // is there anyway; to look others up in it s2 makes tables of 300 kB, for the next
	}
	if like == nil { // too small to make one
		return packed{short: bytes.Clone(body)}
	}
	p.scratch = like.EncodeBetter(p.scratch[:cap(p.scratch)], body)
	return packed{like: like, short: bytes.Clone(p.scratch)}
}
