package load

import (
	"bytes"
	"math"
	"strings"
)

// largeGarbage are the bytes of the large kinds: the first stays below the 1 MiB
// that a broker takes by default, the second does not, the third is beyond what
// anybody should send.
var largeGarbage = map[string]int{"huge_junk": 900_000, "over_1_mib": 1_100_000, "enormous_junk": 20_000_000}

// mostBytes bounds how often a large kind comes, or a long run would be mostly
// junk by volume: no more than this in all, but twice at least.
const mostBytes = 8_000_000

// garbage is one way a record can be broken. spoil gets a right invoice in a
// buffer of its own and returns what is sent instead.
type garbage struct {
	kind  string
	spoil func(g *Generator, good []byte) []byte
}

// garbageKinds come in this order, again and again.
var garbageKinds = []garbage{
	{"random_bytes", func(g *Generator, good []byte) []byte {
		for i := range good {
			good[i] = byte(g.rng.Uint32())
		}
		good[0] = 0xff
		return good
	}},
	{"empty_value", func(_ *Generator, good []byte) []byte { return good[:0] }},
	{"truncated_json", func(_ *Generator, good []byte) []byte { return good[:len(good)*2/3] }},
	{"invalid_utf8", replace(`"seller":"`, "\"seller\":\"\xff\xfe")},
	{"deep_nesting", replace(`,"lines":`,
		`,"extra":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+`,"lines":`)},
	{"money_as_number", replace(`"net_amount":"`, `"net_amount":12.5,"was":"`)},
	{"not_a_number", replace(`"net_amount":"`, `"net_amount":"NaN","was":"`)},
	{"absurd_exponent", replace(`"net_amount":"`, `"net_amount":"1e999999","was":"`)},
	{"duplicate_key", replace(`"currency":`, `"currency":"EUR","currency":`)},
	{"missing_net_amount", replace(`"net_amount":`, `"nett_amount":`)},
	{"missing_seller", replace(`"seller":`, `"vendor":`)},
	{"null_currency", replace(`"currency":"EUR"`, `"currency":null`)},
	{"unknown_schema", replace(`"invoice.v1"`, `"invoice.v9"`)},
	{"unknown_currency", replace(`"EUR"`, `"ZZZ"`)},
	{"bad_time", replace(`"issued_at":"2`, `"issued_at":"2026-13-45T99:00:00Z","was":"2`)},
	{"amount_overflow", replace(`"net_amount":"`, `"net_amount":"99999999999999999999.00","was":"`)},
	{"array", func(_ *Generator, good []byte) []byte { return append(append([]byte{'['}, good...), ']') }},
	{"trailing_data", func(_ *Generator, good []byte) []byte { return append(good, `{"again":true}`...) }},
	{"xml", func(*Generator, []byte) []byte { return []byte(`<?xml version="1.0"?><Invoice><ID>1</ID></Invoice>`) }},
	{"huge_junk", nil},
	{"over_1_mib", nil},
	{"enormous_junk", nil},
}

// GarbageKinds returns the kinds of garbage in the order they come, those with
// more bytes than largest left out.
func GarbageKinds(largest int) (kinds []string) {
	for _, g := range garbageUpTo(largest) {
		kinds = append(kinds, g.kind)
	}
	return kinds
}

func garbageUpTo(largest int) (kinds []garbage) {
	for _, g := range garbageKinds {
		size := largeGarbage[g.kind]
		if size > largest {
			continue
		}
		if size > 0 {
			g.spoil = func(*Generator, []byte) []byte { return bytes.Repeat([]byte("junk "), size/5) }
		}
		kinds = append(kinds, g)
	}
	return kinds
}

// times tells how often a kind may come.
func (g *garbage) times() int {
	if size := largeGarbage[g.kind]; size > 0 {
		return max(2, mostBytes/size)
	}
	return math.MaxInt
}

// replace returns a spoiler that changes the first occurrence of a text.
func replace(old, with string) func(*Generator, []byte) []byte {
	return func(_ *Generator, good []byte) []byte {
		return bytes.Replace(good, []byte(old), []byte(with), 1)
	}
}

// nextGarbage returns a record that cannot be decoded.
func (g *Generator) nextGarbage() (Record, Truth) {
	chosen := g.kinds[g.garbage%len(g.kinds)]
	for g.garbage/len(g.kinds) >= chosen.times() {
		g.garbage++
		chosen = g.kinds[g.garbage%len(g.kinds)]
	}
	g.garbage++
	d := g.newDraw(g.rng.IntN(g.plan.Customers))
	good, _, _ := g.render(nil, d)
	partition, key := d.customer%g.plan.Partitions, g.key(d.customer)
	truth := Truth{Partition: partition, Key: string(key), GarbageKind: chosen.kind}
	return Record{Partition: partition, Key: key, Value: chosen.spoil(g, good)}, truth
}
